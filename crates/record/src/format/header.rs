//! The 92-byte header of a block (docs/storage-format.md, "Block header"). It is authenticated data of the block's seal.

use keepwell_model::{RecordId, Seq, Stream, TenantId, Timestamp};

/// Length of a header in bytes.
pub(crate) const HEADER_LEN: usize = 92;
const MAGIC: &[u8; 4] = b"KWB1";

/// The header's fields. All numbers are big-endian in storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) stream: Stream,
    pub(crate) dictionary: u16,
    pub(crate) tenant: TenantId,
    pub(crate) record: RecordId,
    pub(crate) key_version: u16,
    pub(crate) seq: Seq,
    pub(crate) time: Timestamp,
    pub(crate) previous: [u8; 32],
    /// The number that the next new entry of the stream will get.
    pub(crate) next_number: u32,
    pub(crate) frames: u32,
    pub(crate) nonce: [u8; 12],
}

impl Header {
    pub(crate) fn encode(&self) -> [u8; HEADER_LEN] {
        let mut out = [0u8; HEADER_LEN];
        out[0..4].copy_from_slice(MAGIC);
        out[4] = self.stream.code();
        out[5] = 0;
        out[6..8].copy_from_slice(&self.dictionary.to_be_bytes());
        out[8..12].copy_from_slice(&self.tenant.0.to_be_bytes());
        out[12..22].copy_from_slice(self.record.as_bytes());
        out[22..24].copy_from_slice(&self.key_version.to_be_bytes());
        out[24..32].copy_from_slice(&self.seq.0.to_be_bytes());
        out[32..40].copy_from_slice(&self.time.micros().to_be_bytes());
        out[40..72].copy_from_slice(&self.previous);
        out[72..76].copy_from_slice(&self.next_number.to_be_bytes());
        out[76..80].copy_from_slice(&self.frames.to_be_bytes());
        out[80..92].copy_from_slice(&self.nonce);
        out
    }

    /// Reads a header; `None` if the magic, the reserved byte or the stream is not one this version knows.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; HEADER_LEN] = bytes.get(..HEADER_LEN)?.try_into().ok()?;
        if &bytes[0..4] != MAGIC || bytes[5] != 0 {
            return None;
        }
        Some(Self {
            stream: Stream::from_code(bytes[4])?,
            dictionary: u16::from_be_bytes(field(bytes, 6)),
            tenant: TenantId(u32::from_be_bytes(field(bytes, 8))),
            record: RecordId::from_bytes(field(bytes, 12)),
            key_version: u16::from_be_bytes(field(bytes, 22)),
            seq: Seq(u64::from_be_bytes(field(bytes, 24))),
            time: Timestamp::from_micros(i64::from_be_bytes(field(bytes, 32))),
            previous: field(bytes, 40),
            next_number: u32::from_be_bytes(field(bytes, 72)),
            frames: u32::from_be_bytes(field(bytes, 76)),
            nonce: field(bytes, 80),
        })
    }
}

fn field<const N: usize>(bytes: &[u8; HEADER_LEN], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("every field lies inside the header")
}
