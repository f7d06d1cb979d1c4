//! The compactor: one pass that checks a document and leaves out its insignificant white space.

use super::error::{JsonError, Reason};
use super::number::number_end;
use super::outline::{Outline, Recorder};
use super::text::{hex4, plain_end};

/// How deep objects and arrays may nest.
pub const MAX_DEPTH: usize = 64;
/// How many properties one object may have. No FHIR type comes near; the limit bounds the search for duplicates.
pub const MAX_MEMBERS: usize = 256;

/// Checks a JSON document strictly (RFC 8259, UTF-8, no property twice in one object, no escape in a property name, no
/// lone surrogate, at most [`MAX_DEPTH`] levels) and leaves out the white space between its tokens. Every other byte
/// stays as it was: number text, escapes, order.
///
/// # Errors
/// [`JsonError`] with the place of the first fault.
pub fn compact(input: &[u8]) -> Result<Vec<u8>, JsonError> {
    let mut scan = Scan::<false>::over(input)?;
    scan.run()?;
    Ok(scan.out)
}

/// A document that was checked: its compact bytes, and an outline of its upper levels.
#[derive(Clone)]
pub struct Checked {
    /// What [`compact`] makes.
    pub bytes: Vec<u8>,
    /// Where its upper values stand in `bytes`.
    pub outline: Outline,
}

/// Does what [`compact`] does and notes, in the same pass, where the values of the upper levels stand: enough to read the
/// entries of a Bundle and the fields of their resources without walking the text again.
///
/// # Errors
/// As [`compact`].
pub fn check(input: &[u8]) -> Result<Checked, JsonError> {
    let mut scan = Scan::<true>::over(input)?;
    scan.run()?;
    Ok(Checked { bytes: scan.out, outline: scan.recorder.finish() })
}

struct Scan<'a, const OUTLINE: bool> {
    input: &'a [u8],
    /// The place reached.
    at: usize,
    /// Where the run of bytes starts that is read but not yet written.
    run: usize,
    out: Vec<u8>,
    names: Names,
    depth: usize,
    /// One bit a level, the innermost lowest: set for an object.
    objects: u64,
    recorder: Recorder,
}

impl<'a, const OUTLINE: bool> Scan<'a, OUTLINE> {
    fn over(input: &'a [u8]) -> Result<Self, JsonError> {
        if u32::try_from(input.len()).is_err() {
            return Err(JsonError::at(input, 0, Reason::TooLong));
        }
        if let Err(fault) = std::str::from_utf8(input) {
            return Err(JsonError::at(input, fault.valid_up_to(), Reason::NotUtf8));
        }
        if input.starts_with("\u{feff}".as_bytes()) {
            return Err(JsonError::at(input, 0, Reason::ByteOrderMark));
        }
        let (out, names) = (Vec::with_capacity(input.len()), Names::new());
        Ok(Self { input, at: 0, run: 0, out, names, depth: 0, objects: 0, recorder: Recorder::default() })
    }

    fn run(&mut self) -> Result<(), JsonError> {
        self.document().map_err(|reason| JsonError::at(self.input, self.at, reason))
    }

    /// Where the place reached will stand in the output.
    #[inline(always)]
    fn written(&self) -> usize {
        self.out.len() + (self.at - self.run)
    }

    #[inline(always)]
    fn peek(&self) -> Option<u8> {
        self.input.get(self.at).copied()
    }

    /// Steps over white space, which ends the run of bytes to keep.
    #[inline(always)]
    fn space(&mut self) {
        if self.peek().is_some_and(|byte| byte <= b' ') {
            self.leave_out_space();
        }
    }

    #[inline]
    fn leave_out_space(&mut self) {
        const SPACES: [u8; 8] = [b' '; 8];
        self.out.extend_from_slice(&self.input[self.run..self.at]);
        loop {
            while self.input.get(self.at..self.at + 8) == Some(&SPACES) {
                self.at += 8;
            }
            match self.peek() {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                _ => break,
            }
        }
        self.run = self.at;
    }

    fn document(&mut self) -> Result<(), Reason> {
        self.space();
        if self.at == self.input.len() {
            return Err(Reason::Empty);
        }
        loop {
            // A value starts here.
            if OUTLINE {
                self.recorder.begin(self.depth, self.written());
            }
            match self.peek().ok_or(Reason::Unfinished)? {
                b'"' => self.string()?,
                b'{' => {
                    self.open(1)?;
                    if self.peek() == Some(b'}') {
                        self.close();
                    } else {
                        self.name()?;
                        continue;
                    }
                }
                b'[' => {
                    self.open(0)?;
                    if self.peek() == Some(b']') {
                        self.close();
                    } else {
                        if OUTLINE {
                            self.recorder.name(0, 0);
                        }
                        continue;
                    }
                }
                b'-' | b'0'..=b'9' => self.at = number_end(self.input, self.at).ok_or(Reason::Number)?,
                b't' => self.word(b"true")?,
                b'f' => self.word(b"false")?,
                b'n' => self.word(b"null")?,
                _ => return Err(Reason::Value),
            }
            // A value ended here.
            loop {
                if OUTLINE {
                    self.recorder.end(self.depth, self.written());
                }
                self.space();
                if self.depth == 0 {
                    if self.at < self.input.len() {
                        return Err(Reason::Trailing);
                    }
                    self.out.extend_from_slice(&self.input[self.run..self.at]);
                    return Ok(());
                }
                let byte = self.peek().ok_or(Reason::Unfinished)?;
                let in_object = self.objects & 1 == 1;
                if byte == b',' {
                    self.at += 1;
                    self.space();
                    if in_object {
                        self.name()?;
                    } else if OUTLINE {
                        self.recorder.name(0, 0);
                    }
                    break;
                }
                if in_object && byte != b'}' {
                    return Err(Reason::ObjectEnd);
                }
                if !in_object && byte != b']' {
                    return Err(Reason::ArrayEnd);
                }
                self.close();
            }
        }
    }

    #[inline(always)]
    fn open(&mut self, object: u64) -> Result<(), Reason> {
        if self.depth == MAX_DEPTH {
            return Err(Reason::TooDeep);
        }
        self.depth += 1;
        self.objects = self.objects << 1 | object;
        if object == 1 {
            self.names.open();
        }
        self.at += 1;
        self.space();
        Ok(())
    }

    #[inline(always)]
    fn close(&mut self) {
        if self.objects & 1 == 1 {
            self.names.close();
        }
        self.objects >>= 1;
        self.depth -= 1;
        self.at += 1;
    }

    /// A property name and its colon.
    #[inline(always)]
    fn name(&mut self) -> Result<(), Reason> {
        if self.peek() != Some(b'"') {
            return Err(self.peek().map_or(Reason::Unfinished, |_| Reason::Name));
        }
        let start = self.at + 1;
        let end = plain_end(self.input, start);
        match self.input.get(end) {
            Some(b'"') => {}
            Some(b'\\') => {
                self.at = end;
                return Err(Reason::EscapedName);
            }
            fault => {
                self.at = end;
                return Err(fault.map_or(Reason::Unfinished, |_| Reason::Control));
            }
        }
        self.names.add(self.input, start, end)?;
        if OUTLINE {
            self.recorder.name(self.written() + 1, end - start);
        }
        self.at = end + 1;
        self.space();
        if self.peek() != Some(b':') {
            return Err(self.peek().map_or(Reason::Unfinished, |_| Reason::Colon));
        }
        self.at += 1;
        self.space();
        Ok(())
    }

    #[inline(always)]
    fn string(&mut self) -> Result<(), Reason> {
        let end = plain_end(self.input, self.at + 1);
        if self.input.get(end) == Some(&b'"') {
            self.at = end + 1;
            return Ok(());
        }
        self.hard_string(end)
    }

    /// The rest of a string whose first unusual byte stands at `end`.
    fn hard_string(&mut self, mut end: usize) -> Result<(), Reason> {
        loop {
            self.at = end;
            match self.input.get(end) {
                None => return Err(Reason::Unfinished),
                Some(b'"') => {
                    self.at = end + 1;
                    return Ok(());
                }
                Some(b'\\') => end += self.escape_length(end)?,
                Some(_) => return Err(Reason::Control),
            }
            end = plain_end(self.input, end);
        }
    }

    fn escape_length(&self, at: usize) -> Result<usize, Reason> {
        match self.input.get(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(2),
            Some(b'u') => {
                let first = hex4(self.input, at + 2).ok_or(Reason::Escape)?;
                if !(0xd800..0xe000).contains(&first) {
                    return Ok(6);
                }
                let follows = self.input.get(at + 6..at + 8) == Some(b"\\u");
                let second = if follows { hex4(self.input, at + 8) } else { None };
                match second {
                    Some(0xdc00..0xe000) if first < 0xdc00 => Ok(12),
                    _ => Err(Reason::Surrogate),
                }
            }
            Some(_) => Err(Reason::Escape),
            None => Err(Reason::Unfinished),
        }
    }

    #[inline(always)]
    fn word(&mut self, word: &[u8]) -> Result<(), Reason> {
        let end = self.at + word.len();
        if self.input.get(self.at..end) != Some(word) {
            return Err(Reason::Value);
        }
        self.at = end;
        Ok(())
    }
}

/// The names seen so far in each open object.
struct Names {
    seen: Vec<Name>,
    open: Vec<Level>,
}

/// A name: its first eight bytes (zeros after the end) and its place.
#[derive(Clone, Copy)]
struct Name {
    head: u64,
    start: u32,
    length: u32,
}

#[derive(Clone, Copy)]
struct Level {
    /// Where the object's names start.
    base: usize,
    /// One bit for each hash seen: a clear bit proves that a name is new.
    filter: u64,
}

impl Names {
    fn new() -> Self {
        Self { seen: Vec::with_capacity(64), open: Vec::with_capacity(MAX_DEPTH) }
    }

    #[inline(always)]
    fn open(&mut self) {
        self.open.push(Level { base: self.seen.len(), filter: 0 });
    }

    #[inline(always)]
    fn close(&mut self) {
        if let Some(level) = self.open.pop() {
            self.seen.truncate(level.base);
        }
    }

    #[inline(always)]
    fn add(&mut self, input: &[u8], start: usize, end: usize) -> Result<(), Reason> {
        let length = end - start;
        let head = head(input, start, length);
        let hash = (head ^ (length as u64) << 56).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58;
        let Some(level) = self.open.last_mut() else { return Err(Reason::Name) };
        if self.seen.len() - level.base == MAX_MEMBERS {
            return Err(Reason::TooManyMembers);
        }
        if level.filter & 1 << hash != 0 {
            duplicate(input, &self.seen[level.base..], head, start, end)?;
        }
        level.filter |= 1 << hash;
        // Both fit: `compact` refuses more than 4 GiB.
        #[expect(clippy::cast_possible_truncation, reason = "the input is shorter than 4 GiB")]
        self.seen.push(Name { head, start: start as u32, length: length as u32 });
        Ok(())
    }
}

/// The first eight bytes of a name, zeros after its end.
#[inline(always)]
fn head(input: &[u8], start: usize, length: usize) -> u64 {
    if let Some(chunk) = input.get(start..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*chunk);
        if length >= 8 { word } else { word & !(u64::MAX << (length * 8)) }
    } else {
        let mut bytes = [0; 8];
        for (to, from) in bytes.iter_mut().zip(&input[start..start + length]) {
            *to = *from;
        }
        u64::from_le_bytes(bytes)
    }
}

#[inline(never)]
fn duplicate(input: &[u8], seen: &[Name], head: u64, start: usize, end: usize) -> Result<(), Reason> {
    let name = &input[start..end];
    let twice = seen.iter().any(|other| {
        let from = other.start as usize;
        other.head == head && input.get(from..from + other.length as usize) == Some(name)
    });
    if twice {
        let shown: String = String::from_utf8_lossy(name).chars().take(64).collect();
        return Err(Reason::Duplicate(shown));
    }
    Ok(())
}
