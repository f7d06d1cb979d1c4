//! SQLite's write-ahead log, read as a file. Recovery takes the first frame whose checksum does not fit for the end of
//! the log, so a flipped bit would take every later commit with it and nobody would be told. This module follows the same
//! chain of checksums and says where it ends; `page_sums` knows where it should.

use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// First word of a log whose checksums are taken over little-endian words; the big-endian one is one more.
const MAGIC_LITTLE: u32 = 0x377f_0682;

/// Names one life of the log: chosen anew each time it starts over.
pub(super) type Salts = [u8; 8];

/// A frame that belongs to the log: which page it holds.
pub(super) struct Frame<'a> {
    pub(super) page: u32,
    /// Pages of the database after the commit that this frame ends; 0 if it ends none.
    pub(super) commit: u32,
    pub(super) data: &'a [u8],
}

/// A place in the log up to which the chain of checksums was followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Position {
    pub(super) salts: Salts,
    pub(super) frames: u32,
    sums: [u32; 2],
}

/// A log that is open for reading.
pub(super) struct Wal {
    file: BufReader<File>,
    little: bool,
    start: Position,
    buffer: Vec<u8>,
}

fn word(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes.try_into().expect("four bytes"))
}

/// SQLite's running checksum: two sums that feed each other, over pairs of words.
fn advance(little: bool, mut sums: [u32; 2], bytes: &[u8]) -> [u32; 2] {
    let read = if little { u32::from_le_bytes } else { u32::from_be_bytes };
    for pair in bytes.chunks_exact(8) {
        let (first, second) = pair.split_at(4);
        sums[0] = sums[0].wrapping_add(read(first.try_into().expect("four bytes"))).wrapping_add(sums[1]);
        sums[1] = sums[1].wrapping_add(read(second.try_into().expect("four bytes"))).wrapping_add(sums[0]);
    }
    sums
}

impl Wal {
    /// Opens the log. `None` if there is none, or its header is not whole.
    pub(super) fn open(path: &Path) -> io::Result<Option<Self>> {
        let mut file = match File::open(path) {
            Ok(file) => BufReader::with_capacity(256 << 10, file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut header = [0u8; HEADER];
        if !fill(&mut file, &mut header)? {
            return Ok(None);
        }
        let magic = word(&header[..4]);
        let page_size = word(&header[8..12]) as usize;
        let little = magic == MAGIC_LITTLE;
        let sums = advance(little, [0; 2], &header[..24]);
        let whole = magic & !1 == MAGIC_LITTLE
            && (512..=65_536).contains(&page_size)
            && sums == [word(&header[24..28]), word(&header[28..])];
        let salts = header[16..24].try_into().expect("eight bytes");
        let start = Position { salts, frames: 0, sums };
        Ok(whole.then(|| Self { file, little, start, buffer: vec![0; FRAME_HEADER + page_size] }))
    }

    /// The place before the first frame.
    pub(super) const fn start(&self) -> Position {
        self.start
    }

    /// Follows the chain from `from`, at most to frame `until`, handing each frame over. Answers the place after the last
    /// frame that fits.
    pub(super) fn follow(
        &mut self,
        from: Position,
        until: u32,
        mut each: impl FnMut(Frame<'_>),
    ) -> io::Result<Position> {
        let mut at = from;
        self.file.seek(SeekFrom::Start(HEADER as u64 + u64::from(from.frames) * self.buffer.len() as u64))?;
        while at.frames < until && fill(&mut self.file, &mut self.buffer)? {
            let Some(sums) = self.fitting(at.sums) else { break };
            at = Position { frames: at.frames + 1, sums, ..at };
            let (page, commit) = (word(&self.buffer[..4]), word(&self.buffer[4..8]));
            each(Frame { page, commit, data: &self.buffer[FRAME_HEADER..] });
        }
        Ok(at)
    }

    /// The page in a frame, whose checksum is not looked at again.
    pub(super) fn page(&mut self, frame: u32) -> io::Result<&[u8]> {
        let file = self.file.get_mut();
        file.seek(SeekFrom::Start(HEADER as u64 + u64::from(frame) * self.buffer.len() as u64))?;
        file.read_exact(&mut self.buffer)?;
        Ok(&self.buffer[FRAME_HEADER..])
    }

    /// The checksum after the frame in the buffer, if the frame belongs to this life of the log and its own fits.
    fn fitting(&self, before: [u32; 2]) -> Option<[u32; 2]> {
        let header = &self.buffer[..FRAME_HEADER];
        let sums = advance(self.little, advance(self.little, before, &header[..8]), &self.buffer[FRAME_HEADER..]);
        let fits = header[8..16] == self.start.salts && sums == Self::stated(header);
        fits.then_some(sums)
    }

    fn stated(header: &[u8]) -> [u32; 2] {
        [word(&header[16..20]), word(&header[20..24])]
    }

    /// Whether a transaction that was finished lies behind the frame at which the chain broke: a frame that follows a
    /// later commit frame and fits the stated checksum of the frame before it. Each transaction is synced before the next
    /// begins, so a crash cannot leave that behind; only damage can.
    pub(super) fn goes_on_behind(&mut self, broken: Position) -> io::Result<bool> {
        let mut before: Option<[u32; 2]> = None;
        let mut committed = false;
        self.file.seek(SeekFrom::Start(HEADER as u64 + u64::from(broken.frames) * self.buffer.len() as u64))?;
        while fill(&mut self.file, &mut self.buffer)? {
            if committed && before.is_some_and(|before| self.fitting(before).is_some()) {
                return Ok(true);
            }
            let header = &self.buffer[..FRAME_HEADER];
            let ours = header[8..16] == self.start.salts;
            committed |= ours && word(&header[4..8]) != 0;
            before = ours.then(|| Self::stated(header));
        }
        Ok(false)
    }
}

/// Fills the buffer; false if the file ends first.
fn fill(file: &mut BufReader<File>, buffer: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
