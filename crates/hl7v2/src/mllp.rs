//! MLLP: one message a frame, `VT message FS CR`.

/// The byte that begins a frame.
const START: u8 = 0x0b;
/// The byte that ends its content.
const END: u8 = 0x1c;
/// The byte that ends the frame.
const FINAL: u8 = 0x0d;

/// A frame around a message.
#[must_use]
pub fn frame(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 3);
    out.push(START);
    out.extend_from_slice(message);
    out.extend_from_slice(&[END, FINAL]);
    out
}

/// Why bytes are not frames. The sender has lost its place; close the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// A message longer than the limit.
    #[error("the message is longer than {0} bytes")]
    TooLong(usize),
    /// Bytes between frames.
    #[error("bytes outside a frame; begin each message with the byte 0x0B")]
    Outside,
    /// A start or end byte where none may be.
    #[error("a frame is broken; end each message with the bytes 0x1C 0x0D")]
    Broken,
}

/// Takes frames out of a stream of bytes, however they are cut. It keeps at most one unfinished message plus what the
/// last [`Decoder::push`] brought; after an error it answers nothing but that error.
#[derive(Clone)]
pub struct Decoder {
    buffer: Vec<u8>,
    /// Bytes of `buffer` that are done with.
    used: usize,
    /// Bytes of `buffer` that hold no control byte of the frame that is being read.
    scanned: usize,
    limit: usize,
    failed: Option<FrameError>,
}

impl Decoder {
    /// A decoder that takes messages of at most `limit` bytes.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self { buffer: Vec::new(), used: 0, scanned: 0, limit, failed: None }
    }

    /// Adds bytes as they arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        self.buffer.drain(..self.used);
        self.scanned -= self.used;
        self.used = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether a frame has begun and not ended: the stream must not stop here.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        self.failed.is_none() && self.buffer[self.used..].contains(&START)
    }

    /// The next whole message; `None` until more bytes arrive.
    ///
    /// # Errors
    /// [`FrameError`] if the bytes are not frames, again and again.
    pub fn next_message(&mut self) -> Result<Option<&[u8]>, FrameError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        match self.find() {
            Ok(Some((start, end))) => Ok(Some(&self.buffer[start..end])),
            Ok(None) => Ok(None),
            Err(error) => {
                self.failed = Some(error);
                self.buffer = Vec::new();
                (self.used, self.scanned) = (0, 0);
                Err(error)
            }
        }
    }

    /// The place of the next whole message, which then counts as used.
    fn find(&mut self) -> Result<Option<(usize, usize)>, FrameError> {
        // Some senders put line ends between frames.
        while matches!(self.buffer.get(self.used), Some(b'\r' | b'\n')) {
            self.used += 1;
        }
        self.scanned = self.scanned.max(self.used);
        match self.buffer.get(self.used) {
            None => return Ok(None),
            Some(&START) => {}
            Some(_) => return Err(FrameError::Outside),
        }
        let start = self.used + 1;
        let from = self.scanned.max(start);
        let Some(found) = memchr::memchr2(START, END, &self.buffer[from..]) else {
            self.scanned = self.buffer.len().max(start);
            return if self.buffer.len() - start > self.limit {
                Err(FrameError::TooLong(self.limit))
            } else {
                Ok(None)
            };
        };
        let end = from + found;
        self.scanned = end;
        if end - start > self.limit {
            return Err(FrameError::TooLong(self.limit));
        }
        match (self.buffer[end], self.buffer.get(end + 1)) {
            (END, None) => Ok(None),
            (END, Some(&FINAL)) => {
                self.used = end + 2;
                self.scanned = self.used;
                Ok(Some((start, end)))
            }
            _ => Err(FrameError::Broken),
        }
    }
}

impl std::fmt::Debug for Decoder {
    /// Never the content: it is personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Decoder({} bytes waiting)", self.buffer.len() - self.used)
    }
}
