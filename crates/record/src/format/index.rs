//! The index of a snapshot: the current entries of a stream and where their bodies lie (docs/storage-format.md,
//! "Snapshot"). Bodies of small blocks are folded into the snapshot's own parts; bodies of large blocks stay where they
//! are and are pointed at.

use keepwell_model::{Kind, Labels, Seq, Timestamp};

use super::varint::{self, Reader};

const DELETED: u8 = 1;
const SOURCE: u8 = 2;

/// Where a run of bodies lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum SegmentPlace {
    /// A part of the snapshot.
    Part {
        /// Its number.
        number: u32,
        /// The tag of its seal, so that no other part can ever stand in for it.
        tag: [u8; 16],
    },
    /// A frame of a block.
    Frame {
        /// The block.
        seq: Seq,
        /// The frame.
        frame: u32,
    },
}

/// The current version of one entry, as it stands in an index and in an open record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) kind: u32,
    pub(crate) labels: Labels,
    pub(crate) deleted: bool,
    pub(crate) version: Seq,
    pub(crate) time: Timestamp,
    /// Index into sources plus 1, or 0; and the id's place in the arena.
    pub(crate) source: u32,
    pub(crate) id: (u32, u32),
    pub(crate) segment: u32,
    pub(crate) offset: u32,
    pub(crate) len: u32,
}

/// The index, as an open record holds it. Row i belongs to entry number i + 1.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    pub(crate) kinds: Vec<Kind>,
    pub(crate) sources: Vec<(String, String)>,
    /// Source ids, one after the other.
    pub(crate) arena: String,
    pub(crate) rows: Vec<Row>,
    /// Each with its plain length.
    pub(crate) segments: Vec<(SegmentPlace, u32)>,
    /// The number the next part of the snapshot will get. Part numbers are never reused.
    pub(crate) next_part: u32,
}

pub(crate) fn encode(index: &Index) -> Vec<u8> {
    let mut out = Vec::with_capacity(index.rows.len() * 24 + index.arena.len() + 256);
    varint::put(&mut out, u64::from(index.next_part));
    varint::put(&mut out, index.kinds.len() as u64);
    for kind in &index.kinds {
        varint::put_bytes(&mut out, kind.as_str().as_bytes());
    }
    varint::put(&mut out, index.sources.len() as u64);
    for (source, kind) in &index.sources {
        varint::put_bytes(&mut out, source.as_bytes());
        varint::put_bytes(&mut out, kind.as_bytes());
    }
    varint::put(&mut out, index.segments.len() as u64);
    for (place, len) in &index.segments {
        match place {
            SegmentPlace::Part { number, tag } => {
                varint::put(&mut out, 0);
                varint::put(&mut out, u64::from(*number));
                out.extend_from_slice(tag);
            }
            SegmentPlace::Frame { seq, frame } => {
                varint::put(&mut out, seq.0);
                varint::put(&mut out, u64::from(*frame));
            }
        }
        varint::put(&mut out, u64::from(*len));
    }
    varint::put(&mut out, index.rows.len() as u64);
    let (mut version, mut time) = (0u64, 0i64);
    for row in &index.rows {
        out.push((u8::from(row.deleted) * DELETED) | (u8::from(row.source > 0) * SOURCE));
        out.push(row.labels.bits());
        varint::put(&mut out, u64::from(row.kind));
        varint::put(&mut out, zigzag(row.version.0.wrapping_sub(version).cast_signed()));
        varint::put(&mut out, zigzag(row.time.micros().wrapping_sub(time)));
        (version, time) = (row.version.0, row.time.micros());
        if row.source > 0 {
            varint::put(&mut out, u64::from(row.source - 1));
            varint::put_bytes(&mut out, &index.arena.as_bytes()[row.id.0 as usize..row.id.1 as usize]);
        }
        if !row.deleted {
            varint::put(&mut out, u64::from(row.segment));
            varint::put(&mut out, u64::from(row.offset));
            varint::put(&mut out, u64::from(row.len));
        }
    }
    out
}

pub(crate) fn decode(bytes: &[u8]) -> Option<Index> {
    let mut reader = Reader::new(bytes);
    let next_part = u32::try_from(reader.number()?).ok()?;
    let mut index = Index { next_part, ..Index::default() };
    for _ in 0..reader.count()? {
        index.kinds.push(Kind::new(reader.text()?).ok()?);
    }
    for _ in 0..reader.count()? {
        index.sources.push((reader.text()?.to_owned(), reader.text()?.to_owned()));
    }
    for _ in 0..reader.count()? {
        let seq = reader.number()?;
        let number = u32::try_from(reader.number()?).ok()?;
        let place = if seq == 0 {
            SegmentPlace::Part { number, tag: reader.array()? }
        } else {
            SegmentPlace::Frame { seq: Seq(seq), frame: number }
        };
        index.segments.push((place, u32::try_from(reader.number()?).ok()?));
    }
    let count = reader.count()?;
    index.rows.reserve(count);
    let (mut version, mut time) = (0u64, 0i64);
    for _ in 0..count {
        let row = decode_row(&mut reader, &mut index, &mut version, &mut time)?;
        index.rows.push(row);
    }
    reader.is_at_end().then_some(index)
}

fn decode_row(reader: &mut Reader<'_>, index: &mut Index, version: &mut u64, time: &mut i64) -> Option<Row> {
    let flags = reader.byte()?;
    if flags & !(DELETED | SOURCE) != 0 {
        return None;
    }
    let labels = Labels::from_bits(reader.byte()?)?;
    let kind = u32::try_from(reader.number()?).ok().filter(|&k| (k as usize) < index.kinds.len())?;
    *version = version.wrapping_add(unzigzag(reader.number()?).cast_unsigned());
    *time = time.wrapping_add(unzigzag(reader.number()?));
    let (mut source, mut id) = (0, (0, 0));
    if flags & SOURCE != 0 {
        source = u32::try_from(reader.number()?).ok().filter(|&s| (s as usize) < index.sources.len())? + 1;
        let start = u32::try_from(index.arena.len()).ok()?;
        index.arena.push_str(reader.text()?);
        id = (start, u32::try_from(index.arena.len()).ok()?);
    }
    let deleted = flags & DELETED != 0;
    let (mut segment, mut offset, mut len) = (0, 0, 0);
    if !deleted {
        segment = u32::try_from(reader.number()?).ok()?;
        offset = u32::try_from(reader.number()?).ok()?;
        len = u32::try_from(reader.number()?).ok()?;
        let segment_len = index.segments.get(segment as usize)?.1;
        if offset.checked_add(len)? > segment_len {
            return None;
        }
    }
    Some(Row {
        kind,
        labels,
        deleted,
        version: Seq(*version),
        time: Timestamp::from_micros(*time),
        source,
        id,
        segment,
        offset,
        len,
    })
}

const fn zigzag(n: i64) -> u64 {
    ((n << 1) ^ (n >> 63)).cast_unsigned()
}

const fn unzigzag(n: u64) -> i64 {
    (n >> 1).cast_signed() ^ -((n & 1).cast_signed())
}
