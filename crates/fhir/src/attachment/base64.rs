//! Base64 (RFC 4648 §4) as FHIR allows it inside documents: with white space anywhere.

use std::borrow::Cow;

use crate::json::Node;

/// How many characters one of [`Blocks`] reads.
const BLOCK: usize = 64 << 10;

/// A text that is no base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotBase64 {
    /// The element is no string.
    #[error("base64 content is a string")]
    NotString,
    /// A character that base64 does not have, or one after the end.
    #[error("the content is not base64: a character at place {0} does not belong there")]
    Character(usize),
    /// It ends in the middle of a group of four characters.
    #[error("the base64 content is cut off: its length is no multiple of four")]
    CutOff,
    /// More than the caller takes.
    #[error("the content is larger than is taken here")]
    TooLarge,
}

/// Decodes base64 that comes piece by piece.
#[derive(Clone, Default)]
pub struct Decoder {
    /// The bits of the group of four that is being read.
    group: u32,
    /// How many of its characters are there, padding included.
    count: u8,
    /// How many of them were padding.
    padding: u8,
    /// A group with padding is the last.
    ended: bool,
    /// Characters read so far.
    place: usize,
}

impl Decoder {
    /// Reads on and appends what it decodes to `out`.
    ///
    /// # Errors
    /// [`NotBase64::Character`]; `out` then holds what came before it.
    pub fn push(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<(), NotBase64> {
        out.reserve(text.len() / 4 * 3 + 3);
        let mut rest = text;
        loop {
            if self.count == 0 && !self.ended {
                rest = self.groups(rest, out);
            }
            let Some((&byte, after)) = rest.split_first() else { return Ok(()) };
            self.one(byte, out)?;
            self.place += 1;
            rest = after;
        }
    }

    /// Reads whole groups without white space or padding, which is nearly all of it, and gives back the rest.
    fn groups<'a>(&mut self, mut text: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
        while let Some(characters) = text.first_chunk::<4>() {
            let [a, b, c, d] = characters.map(|byte| VALUES[usize::from(byte)]);
            if (a | b | c | d) & 0x80 != 0 {
                break;
            }
            let group = u32::from(a) << 18 | u32::from(b) << 12 | u32::from(c) << 6 | u32::from(d);
            out.extend_from_slice(&group.to_be_bytes()[1..]);
            self.place += 4;
            text = &text[4..];
        }
        text
    }

    /// Reads one character.
    fn one(&mut self, byte: u8, out: &mut Vec<u8>) -> Result<(), NotBase64> {
        if byte.is_ascii_whitespace() {
            return Ok(());
        }
        let fault = NotBase64::Character(self.place);
        let value = VALUES[usize::from(byte)];
        match byte {
            _ if self.ended => return Err(fault),
            b'=' if self.count >= 2 => self.padding += 1,
            _ if value & 0x80 != 0 || self.padding > 0 => return Err(fault),
            _ => {}
        }
        self.group = self.group << 6 | u32::from(value & 0x3f);
        self.count += 1;
        if self.count == 4 {
            let bytes = self.group.to_be_bytes();
            let length = 3 - usize::from(self.padding);
            // Bits that no byte takes must be zero, so that there is one spelling of each content.
            if bytes[1 + length..].iter().any(|&byte| byte != 0) {
                return Err(fault);
            }
            out.extend_from_slice(&bytes[1..=length]);
            self.ended = self.padding > 0;
            (self.group, self.count, self.padding) = (0, 0, 0);
        }
        Ok(())
    }

    /// Ends the text.
    ///
    /// # Errors
    /// [`NotBase64::CutOff`].
    pub fn finish(self) -> Result<(), NotBase64> {
        if self.count == 0 { Ok(()) } else { Err(NotBase64::CutOff) }
    }
}

impl std::fmt::Debug for Decoder {
    /// Never the content.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Decoder(at {})", self.place)
    }
}

/// The value of each character; the top bit marks what is none. Padding counts as none.
const VALUES: [u8; 256] = {
    let alphabet = ALPHABET;
    let mut values = [0x80; 256];
    let mut value = 0;
    while value < 64 {
        values[alphabet[value as usize] as usize] = value;
        value += 1;
    }
    values
};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The content of a base64 string in a document, a block at a time, so that a large one is never held twice.
#[derive(Debug)]
pub struct Blocks<'a> {
    /// What is left to read; `None` after the end or a fault.
    text: Option<Text<'a>>,
    decoder: Decoder,
}

struct Text<'a> {
    whole: Cow<'a, str>,
    at: usize,
}

impl std::fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", self.at, self.whole.len())
    }
}

/// The content of a base64 string in a checked document, a block at a time.
#[must_use]
pub fn blocks(node: Node<'_>) -> Blocks<'_> {
    Blocks { text: node.text().map(|whole| Text { whole, at: 0 }), decoder: Decoder::default() }
}

impl Iterator for Blocks<'_> {
    type Item = Result<Vec<u8>, NotBase64>;

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.text.as_mut()?;
        let bytes = text.whole.as_bytes();
        let piece = &bytes[text.at..bytes.len().min(text.at + BLOCK)];
        if piece.is_empty() {
            self.text = None;
            return std::mem::take(&mut self.decoder).finish().err().map(Err);
        }
        text.at += piece.len();
        let mut out = Vec::new();
        let result = self.decoder.push(piece, &mut out);
        if result.is_err() {
            self.text = None;
        }
        Some(result.map(|()| out))
    }
}

/// The whole content of a base64 string in a checked document, if it has at most `most` bytes.
///
/// # Errors
/// [`NotBase64`].
pub fn decode(node: Node<'_>, most: usize) -> Result<Vec<u8>, NotBase64> {
    if node.kind() != crate::json::Kind::String {
        return Err(NotBase64::NotString);
    }
    let mut out = Vec::new();
    for block in blocks(node) {
        let block = block?;
        if out.len() + block.len() > most {
            return Err(NotBase64::TooLarge);
        }
        if out.is_empty() {
            out = block;
        } else {
            out.extend_from_slice(&block);
        }
    }
    Ok(out)
}

/// Appends the base64 of `bytes`, without line breaks.
pub fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(bytes.len().div_ceil(3) * 4);
    for piece in bytes.chunks(3) {
        let at = |index: usize| u32::from(piece.get(index).copied().unwrap_or(0));
        let group = at(0) << 16 | at(1) << 8 | at(2);
        for index in 0..4 {
            let sextet = group >> (18 - 6 * index) & 0x3f;
            out.push(if index as usize <= piece.len() { ALPHABET[sextet as usize] } else { b'=' });
        }
    }
}
