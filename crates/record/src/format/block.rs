//! A whole block: header, then one or more frames, each `plain length (4) ‖ sealed length (4) ‖ sealed bytes`. Frame i is
//! sealed with the header and i as authenticated data, under the header's nonce with i added to its last four bytes, so
//! frames can be opened one by one but neither swapped, dropped nor moved to another block.

use std::ops::Range;

use aws_lc_rs::digest;
use bytes::Bytes;

use super::compress;
use super::header::{HEADER_LEN, Header};
use crate::keys::{RecordKeys, SealKey, TAG_LEN};

/// No frame is larger than this when decompressed; a damaged length cannot ask for more memory.
pub(crate) const MAX_FRAME: usize = 512 << 20;

/// The hash of a block: SHA-256 over all of its bytes.
pub(crate) fn hash(block: &[u8]) -> [u8; 32] {
    digest::digest(&digest::SHA256, block).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// A frame that is compressed and waits to be sealed.
pub(crate) struct Compressed {
    plain_len: u32,
    bytes: Vec<u8>,
}

/// Compresses frames, which needs neither key nor head and so happens before any lock is taken.
pub(crate) fn compress_frames(dictionary: u16, frames: &[Vec<u8>]) -> Vec<Compressed> {
    frames
        .iter()
        .map(|plain| Compressed {
            plain_len: u32::try_from(plain.len()).expect("frames are far below 4 GiB"),
            bytes: compress::compress(dictionary, plain),
        })
        .collect()
}

fn frame_nonce(base: [u8; 12], frame: u32) -> [u8; 12] {
    let mut nonce = base;
    let low = u32::from_be_bytes(base[8..].try_into().expect("four bytes")).wrapping_add(frame);
    nonce[8..].copy_from_slice(&low.to_be_bytes());
    nonce
}

fn frame_aad(header: &[u8], frame: u32, plain_len: u32) -> Vec<u8> {
    let mut aad = Vec::with_capacity(header.len() + 8);
    aad.extend_from_slice(header);
    aad.extend_from_slice(&frame.to_be_bytes());
    aad.extend_from_slice(&plain_len.to_be_bytes());
    aad
}

/// Seals the frames under the header, giving the block's bytes.
pub(crate) fn seal(header: &Header, frames: &[Compressed], key: &SealKey) -> Bytes {
    let head = header.encode();
    let total: usize = frames.iter().map(|f| f.bytes.len() + 24).sum();
    let mut out = Vec::with_capacity(HEADER_LEN + total);
    out.extend_from_slice(&head);
    for (i, frame) in (0u32..).zip(frames) {
        let sealed_len = u32::try_from(frame.bytes.len() + TAG_LEN).expect("frames are far below 4 GiB");
        out.extend_from_slice(&frame.plain_len.to_be_bytes());
        out.extend_from_slice(&sealed_len.to_be_bytes());
        let start = out.len();
        out.extend_from_slice(&frame.bytes);
        let tag =
            key.seal_slice(frame_nonce(header.nonce, i), &frame_aad(&head, i, frame.plain_len), &mut out[start..]);
        out.extend_from_slice(&tag);
    }
    out.into()
}

/// A block whose outer form is right; its frames are opened one by one.
#[derive(Debug, Clone)]
pub(crate) struct SealedBlock {
    bytes: Bytes,
    pub(crate) header: Header,
    frames: Vec<(u32, Range<usize>)>,
}

impl SealedBlock {
    /// Reads the outer form; `None` if a length does not fit.
    pub(crate) fn parse(bytes: Bytes) -> Option<Self> {
        let header = Header::decode(&bytes)?;
        let mut at = HEADER_LEN;
        let mut frames = Vec::new();
        while at < bytes.len() {
            let lengths = bytes.get(at..at + 8)?;
            let plain = u32::from_be_bytes(lengths[..4].try_into().ok()?);
            let sealed = u32::from_be_bytes(lengths[4..].try_into().ok()?) as usize;
            let range = at + 8..at.checked_add(8)?.checked_add(sealed)?;
            bytes.get(range.clone())?;
            at = range.end;
            frames.push((plain, range));
        }
        let whole = !frames.is_empty() && frames.len() == header.frames as usize;
        whole.then_some(Self { bytes, header, frames })
    }

    pub(crate) fn hash(&self) -> [u8; 32] {
        hash(&self.bytes)
    }

    pub(crate) fn frame_count(&self) -> usize {
        self.frames.len()
    }

    pub(crate) fn plain_len(&self, frame: usize) -> usize {
        self.frames[frame].0 as usize
    }

    /// Opens one frame; `None` if its seal or its compression does not hold.
    pub(crate) fn open_frame(&self, frame: usize, keys: &RecordKeys) -> Option<Bytes> {
        let (plain_len, range) = self.frames.get(frame)?;
        if *plain_len as usize > MAX_FRAME {
            return None;
        }
        let number = u32::try_from(frame).ok()?;
        let aad = frame_aad(&self.bytes[..HEADER_LEN], number, *plain_len);
        let key = keys.version(self.header.key_version)?;
        let compressed = key.open(frame_nonce(self.header.nonce, number), &aad, self.bytes[range.clone()].to_vec())?;
        compress::decompress(self.header.dictionary, &compressed, *plain_len as usize).map(Bytes::from)
    }
}
