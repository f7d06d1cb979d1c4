//! Snapshots: the index of the current entries, sealed, and parts that hold copies of bodies from small blocks, so that
//! opening reads a handful of rows however long the history is. They are copies and can be thrown away.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use keepwell_model::{Random, RecordId, Seq, Stream, TenantId};

use super::load::damaged;
use super::open::OpenRecord;
use super::tenant::{Tenant, TenantInner};
use crate::RecordError;
use crate::commit::Head;
use crate::format::compress;
use crate::format::index::{self, Index, SegmentPlace};
use crate::keys::{RecordKeys, TAG_LEN};
use crate::store::SnapshotPart;

const MAGIC: &[u8; 4] = b"KWX1";
/// `magic ‖ key version (2) ‖ dictionary (2) ‖ plain length (4) ‖ part (4) ‖ seq (8) ‖ hash (32) ‖ nonce (12)`.
const HEADER_LEN: usize = 68;
/// Bodies are copied out of blocks whose frame is smaller than this; larger ones are pointed at.
const COPY_BELOW: u32 = 128 << 10;
/// Parts are filled up to about this many bytes.
const PART_TARGET: usize = 1 << 20;

/// What a snapshot part is bound to.
struct Place {
    tenant: TenantId,
    record: RecordId,
    stream: Stream,
}

fn seal_part(
    place: &Place,
    part: u32,
    at: Head,
    plain: &[u8],
    keys: &RecordKeys,
    newest_dictionary: u16,
    random: &dyn Random,
) -> SnapshotPart {
    let (version, key) = keys.newest();
    let dictionary = compress::dictionary_for(plain.len(), newest_dictionary);
    let mut nonce = [0u8; 12];
    random.fill(&mut nonce);
    let mut out = Vec::with_capacity(HEADER_LEN + plain.len() / 4);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&version.to_be_bytes());
    out.extend_from_slice(&dictionary.to_be_bytes());
    out.extend_from_slice(&u32::try_from(plain.len()).expect("parts are far below 4 GiB").to_be_bytes());
    out.extend_from_slice(&part.to_be_bytes());
    out.extend_from_slice(&at.seq.0.to_be_bytes());
    out.extend_from_slice(&at.hash);
    out.extend_from_slice(&nonce);
    let mut sealed = compress::compress(dictionary, plain);
    key.seal(nonce, &aad(place, &out), &mut sealed);
    out.extend_from_slice(&sealed);
    SnapshotPart { part, bytes: out.into() }
}

fn aad(place: &Place, header: &[u8]) -> Vec<u8> {
    let stream = [place.stream.code()];
    [header, &place.tenant.0.to_be_bytes(), place.record.as_bytes(), &stream].concat()
}

fn open_sealed(place: &Place, part: u32, bytes: &[u8], keys: &RecordKeys) -> Option<(Head, Vec<u8>)> {
    let (header, sealed) = bytes.split_at_checked(HEADER_LEN)?;
    let version = u16::from_be_bytes(header[4..6].try_into().ok()?);
    let dictionary = u16::from_be_bytes(header[6..8].try_into().ok()?);
    let plain_len = u32::from_be_bytes(header[8..12].try_into().ok()?) as usize;
    if &header[..4] != MAGIC || header[12..16] != part.to_be_bytes() || plain_len > crate::format::block::MAX_FRAME {
        return None;
    }
    let seq = Seq(u64::from_be_bytes(header[16..24].try_into().ok()?));
    let hash = header[24..56].try_into().ok()?;
    let nonce = header[56..68].try_into().ok()?;
    let compressed = keys.version(version)?.open(nonce, &aad(place, header), sealed.to_vec())?;
    Some((Head { seq, hash }, compress::decompress(dictionary, &compressed, plain_len)?))
}

/// Opens the index of a snapshot and tells the head it was taken at.
pub(super) fn open_index(
    tenant: TenantId,
    record: RecordId,
    stream: Stream,
    bytes: &[u8],
    keys: &RecordKeys,
) -> Option<(Head, Index)> {
    let (head, plain) = open_sealed(&Place { tenant, record, stream }, 0, bytes, keys)?;
    Some((head, index::decode(&plain)?))
}

/// Opens a part that holds bodies.
pub(super) fn open_part(
    tenant: TenantId,
    record: RecordId,
    stream: Stream,
    part: u32,
    bytes: &[u8],
    keys: &RecordKeys,
) -> Option<Bytes> {
    let (_, plain) = open_sealed(&Place { tenant, record, stream }, part, bytes, keys)?;
    Some(plain.into())
}

impl Tenant {
    /// Takes a snapshot in the background if many blocks stand behind the last one.
    pub(super) fn fold_if_long(&self, open: &OpenRecord) {
        if self.is_long(open) {
            let (tenant, record) = (self.clone(), open.record);
            tokio::spawn(async move {
                if let Err(error) = tenant.fold_again(record, false).await {
                    tracing::warn!(record.id = %record, "no snapshot was taken: {error}");
                }
            });
        }
    }

    fn is_long(&self, open: &OpenRecord) -> bool {
        let behind = open.head.seq.0 - open.snapshot_seq.0;
        behind > u64::from(self.inner.config.snapshot_after) + open.index.rows.len() as u64 / 128
    }

    /// Folds the current entries of a record into its snapshot. What the snapshot has already stays; bodies of small
    /// blocks since then are copied into new parts.
    ///
    /// # Errors
    /// Errors of reading the record; store errors. The snapshot before stays in that case.
    pub async fn fold(&self, record: RecordId) -> Result<(), RecordError> {
        self.fold_again(record, true).await
    }

    async fn fold_again(&self, record: RecordId, even_if_short: bool) -> Result<(), RecordError> {
        let inner = &self.inner;
        let _one_at_a_time = inner.opening[TenantInner::lock_number(record)].lock().await;
        let (row, keys) = inner.row(record).await?.ok_or(RecordError::NoSuchRecord(record))?;
        // From the store, not from memory: what is in memory may not know the newest snapshot, and folding on an older
        // one would give part numbers twice.
        let (stream, head) = (Stream::Care, row.care.head);
        let open = match inner.load_folded(record, stream, head, &keys).await? {
            Some(open) => open,
            None => inner.load_blocks(record, stream, head, keys).await?,
        };
        if even_if_short || self.is_long(&open) {
            let folded = self.fold_open(&open).await?;
            inner.cache.put(&Arc::new(folded), None);
        }
        Ok(())
    }

    async fn fold_open(&self, open: &OpenRecord) -> Result<OpenRecord, RecordError> {
        let inner = &self.inner;
        let mut index = open.index.clone();
        let rows = open.rows_by_segment();
        let wasted = parts_to_drop(open, &rows);
        let copied = |at: u32| match open.segments[at as usize].place {
            SegmentPlace::Part { number, .. } => wasted.contains(&number),
            SegmentPlace::Frame { .. } => open.segments[at as usize].plain_len < COPY_BELOW,
        };
        let mut kept: HashMap<u32, u32> = HashMap::new();
        let mut segments = Vec::new();
        let mut to_copy = Vec::new();
        for (at, row) in (0u32..).zip(&open.index.rows).filter(|(_, row)| !row.deleted) {
            if copied(row.segment) {
                to_copy.push(at);
            } else {
                kept.entry(row.segment).or_insert_with(|| {
                    segments.push(open.index.segments[row.segment as usize]);
                    u32::try_from(segments.len() - 1).expect("far below 2^32 runs")
                });
            }
        }
        for row in index.rows.iter_mut().filter(|row| !row.deleted) {
            row.segment = kept.get(&row.segment).copied().unwrap_or(0);
        }
        let place = Place { tenant: inner.id, record: open.record, stream: open.stream };
        let seal = |part: u32, plain: &[u8]| {
            let newest_dictionary = inner.config.newest_dictionary;
            seal_part(&place, part, open.head, plain, &open.keys, newest_dictionary, &*inner.random)
        };
        let mut put = Vec::new();
        let mut plain = Vec::new();
        for (i, &at) in to_copy.iter().enumerate() {
            let entry = open.entry(keepwell_model::EntryNumber(at + 1)).expect("the row is there");
            let body = open.body(&entry).await?;
            let row = &mut index.rows[at as usize];
            row.segment = u32::try_from(segments.len()).expect("far below 2^32 runs");
            row.offset = u32::try_from(plain.len()).expect("parts are far below 4 GiB");
            plain.extend_from_slice(&body);
            if plain.len() >= PART_TARGET || i + 1 == to_copy.len() {
                let part = seal(index.next_part, &plain);
                let tag = part.bytes[part.bytes.len() - TAG_LEN..].try_into().expect("a part ends with its tag");
                let len = u32::try_from(plain.len()).expect("parts are far below 4 GiB");
                segments.push((SegmentPlace::Part { number: part.part, tag }, len));
                put.push(part);
                index.next_part += 1;
                plain.clear();
            }
        }
        index.segments = segments;
        compact_arena(&mut index);
        let first = seal(0, &index::encode(&index));
        let bytes = first.bytes.clone();
        put.push(first);
        inner.store.put_snapshot(open.record, open.stream, put, wasted).await?;
        let folded = inner.load_snapshot(open.record, open.stream, &bytes, &open.keys);
        folded.ok_or_else(|| damaged(open.record, open.stream, open.head.seq, "snapshot", "it does not read back"))
    }
}

/// Parts of which less than half is still in use: their bodies are copied once more and the parts dropped.
fn parts_to_drop(open: &OpenRecord, rows: &HashMap<u32, Vec<u32>>) -> Vec<u32> {
    let mut wasted = Vec::new();
    for (at, segment) in (0u32..).zip(&open.segments) {
        if let SegmentPlace::Part { number: part, .. } = segment.place {
            let live = rows
                .get(&at)
                .map_or(0, |rows| rows.iter().map(|&row| u64::from(open.index.rows[row as usize].len)).sum::<u64>());
            if live * 2 < u64::from(segment.plain_len) || small_and_many(open, segment.plain_len) {
                wasted.push(part);
            }
        }
    }
    wasted
}

/// Small parts are joined once there are many, so that a record written a little at a time does not end in a thousand.
fn small_and_many(open: &OpenRecord, plain_len: u32) -> bool {
    let small = |len: u32| (len as usize) < PART_TARGET / 2;
    let parts = open.segments.iter().filter(|s| matches!(s.place, SegmentPlace::Part { .. }) && small(s.plain_len));
    small(plain_len) && parts.count() >= 8
}

/// Drops ids that no row names any more.
fn compact_arena(index: &mut Index) {
    let mut arena = String::with_capacity(index.arena.len());
    for row in index.rows.iter_mut().filter(|row| row.source > 0) {
        let start = arena.len();
        arena.push_str(&index.arena[row.id.0 as usize..row.id.1 as usize]);
        row.id = (
            u32::try_from(start).expect("far below 4 GiB of ids"),
            u32::try_from(arena.len()).expect("far below 4 GiB of ids"),
        );
    }
    index.arena = arena;
}
