//! Opening: the newest snapshot and the blocks behind it, or what is in memory and the blocks since.

use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, OnceLock};

use bytes::Bytes;
use keepwell_model::{Kind, RecordId, Seq, Stream};
use tokio::sync::OnceCell;

use super::open::{OpenRecord, Segment};
use super::snapshot;
use super::tenant::{Tenant, TenantInner};
use crate::RecordError;
use crate::commit::Head;
use crate::format::block::SealedBlock;
use crate::format::index::{Index, Row, SegmentPlace};
use crate::format::payload;
use crate::keys::RecordKeys;

/// How many blocks are fetched at a time.
const CHUNK: u32 = 2_048;

impl Tenant {
    /// The current state of a record's care stream, from memory if it is current there. `None` if there is no such live
    /// record in this tenant.
    ///
    /// # Errors
    /// [`RecordError::Damaged`] if what is stored does not verify; store errors.
    pub async fn open(&self, record: RecordId) -> Result<Option<Arc<OpenRecord>>, RecordError> {
        let inner = &self.inner;
        // Before the row is read, so that a change in between shows the next time.
        let revision = inner.store.revision(record);
        if let Some(open) = revision.and_then(|revision| inner.cache.current(record, revision)) {
            return Ok(Some(open));
        }
        let Some((row, keys)) = inner.row(record).await? else {
            inner.cache.remove(record);
            return Ok(None);
        };
        let head = row.care.head;
        if let Some(open) = inner.cache.get(record).filter(|open| open.head == head) {
            inner.cache.count(true);
            inner.cache.confirm(&open, revision);
            return Ok(Some(open));
        }
        // One opens, the others wait and find it in memory.
        let _single = inner.opening[TenantInner::lock_number(record)].lock().await;
        let known = inner.cache.get(record);
        if let Some(open) = known.as_ref().filter(|open| open.head == head) {
            inner.cache.count(true);
            return Ok(Some(Arc::clone(open)));
        }
        inner.cache.count(false);
        let open = match known.filter(|open| open.head.seq < head.seq) {
            // With the keys of now: the record may have a new one since.
            Some(known) => inner.catch_up(OpenRecord { keys, ..known.copy() }, head).await,
            None => inner.load(record, Stream::Care, head, keys).await,
        };
        let Some(open) = unless_gone(open)? else { return Ok(None) };
        let open = Arc::new(open);
        inner.cache.put(&open, revision);
        self.fold_if_long(&open);
        Ok(Some(open))
    }

    /// The state of a stream as it was after the given block. `None` if there is no such record or block.
    ///
    /// # Errors
    /// As [`Tenant::open`].
    pub async fn open_at(
        &self,
        record: RecordId,
        stream: Stream,
        seq: Seq,
    ) -> Result<Option<Arc<OpenRecord>>, RecordError> {
        let Some((row, keys)) = self.inner.row(record).await? else { return Ok(None) };
        if seq.0 == 0 || seq > row.head(stream).head.seq {
            return Ok(None);
        }
        let Some(block) = self.inner.store.blocks(record, stream, seq, 1).await?.into_iter().next() else {
            // An erasure in the meantime takes the blocks away; that is not damage.
            return match self.inner.row(record).await? {
                None => Ok(None),
                Some(_) => Err(damaged(record, stream, seq, "block", "it is missing")),
            };
        };
        let head = Head { seq, hash: crate::format::block::hash(&block.block) };
        unless_gone(self.inner.load_blocks(record, stream, head, keys).await).map(|open| open.map(Arc::new))
    }
}

/// A record that was erased while it was opened is not there.
fn unless_gone(open: Result<OpenRecord, RecordError>) -> Result<Option<OpenRecord>, RecordError> {
    match open {
        Err(RecordError::NoSuchRecord(_)) => Ok(None),
        other => other.map(Some),
    }
}

pub(super) const fn damaged(
    record: RecordId,
    stream: Stream,
    seq: Seq,
    what: &'static str,
    why: &'static str,
) -> RecordError {
    RecordError::Damaged { record, stream, seq, what, why }
}

impl OpenRecord {
    /// A copy to bring up to date; what is loaded is shared, not copied.
    pub(super) fn copy(&self) -> Self {
        Self {
            store: Arc::clone(&self.store),
            tenant: self.tenant,
            keys: Arc::clone(&self.keys),
            record: self.record,
            stream: self.stream,
            head: self.head,
            index: self.index.clone(),
            segments: self.segments.clone(),
            snapshot_seq: self.snapshot_seq,
            names: self.names.clone(),
            loaded: AtomicUsize::new(self.loaded.load(std::sync::atomic::Ordering::Relaxed)),
            companion: Mutex::default(),
        }
    }
}

impl TenantInner {
    pub(super) fn empty(&self, record: RecordId, stream: Stream, keys: Arc<RecordKeys>) -> OpenRecord {
        OpenRecord {
            store: Arc::clone(&self.store),
            tenant: self.id,
            keys,
            record,
            stream,
            head: Head::default(),
            index: Index { next_part: 1, ..Index::default() },
            segments: Vec::new(),
            snapshot_seq: Seq(0),
            names: OnceLock::new(),
            loaded: AtomicUsize::new(0),
            companion: Mutex::default(),
        }
    }

    /// Opens from the snapshot if there is a good one, else from the first block.
    async fn load(
        &self,
        record: RecordId,
        stream: Stream,
        head: Head,
        keys: Arc<RecordKeys>,
    ) -> Result<OpenRecord, RecordError> {
        // A record with few blocks is opened from them without asking whether it has a snapshot.
        if head.seq.0 > u64::from(self.config.snapshot_after)
            && let Some(open) = self.load_folded(record, stream, head, &keys).await?
        {
            return Ok(open);
        }
        self.load_blocks(record, stream, head, keys).await
    }

    /// Opens from the snapshot and the blocks behind it; `None` if there is none or it does not verify.
    pub(super) async fn load_folded(
        &self,
        record: RecordId,
        stream: Stream,
        head: Head,
        keys: &Arc<RecordKeys>,
    ) -> Result<Option<OpenRecord>, RecordError> {
        let Some(bytes) = self.store.snapshot_part(record, stream, 0).await? else { return Ok(None) };
        if let Some(open) = self.load_snapshot(record, stream, &bytes, keys).filter(|open| open.head.seq <= head.seq) {
            match self.catch_up(open, head).await {
                // The blocks themselves decide whether it is they or the snapshot that is damaged.
                Err(RecordError::Damaged { .. }) => {}
                other => return other.map(Some),
            }
        }
        tracing::error!(record.id = %record, "the snapshot does not verify; the record is opened from its blocks");
        Ok(None)
    }

    /// The state that a snapshot holds.
    pub(super) fn load_snapshot(
        &self,
        record: RecordId,
        stream: Stream,
        bytes: &[u8],
        keys: &Arc<RecordKeys>,
    ) -> Option<OpenRecord> {
        let (taken_at, index) = snapshot::open_index(self.id, record, stream, bytes, keys)?;
        let mut open = self.empty(record, stream, Arc::clone(keys));
        open.segments = index.segments.iter().map(|(place, len)| segment(*place, *len)).collect();
        open.index = index;
        open.head = taken_at;
        open.snapshot_seq = taken_at.seq;
        Some(open)
    }

    pub(super) async fn load_blocks(
        &self,
        record: RecordId,
        stream: Stream,
        head: Head,
        keys: Arc<RecordKeys>,
    ) -> Result<OpenRecord, RecordError> {
        let open = self.empty(record, stream, keys);
        self.catch_up(open, head).await
    }

    /// Applies the blocks from the state's head up to `head`, checking the chain at each step.
    async fn catch_up(&self, mut open: OpenRecord, head: Head) -> Result<OpenRecord, RecordError> {
        while open.head.seq < head.seq {
            let missing = head.seq.0 - open.head.seq.0;
            let limit = u32::try_from(missing).unwrap_or(CHUNK).min(CHUNK);
            let rows = self.store.blocks(open.record, open.stream, open.head.seq.next(), limit).await?;
            if rows.is_empty() {
                // An erasure in the meantime takes the blocks away; that is not damage.
                self.row(open.record).await?.ok_or(RecordError::NoSuchRecord(open.record))?;
                return Err(damaged(open.record, open.stream, open.head.seq.next(), "block", "it is missing"));
            }
            let bytes: usize = rows.iter().map(|row| row.block.len()).sum();
            let apply = move || {
                for row in rows {
                    open.apply(row.block)?;
                }
                Ok::<_, RecordError>(open)
            };
            open = if bytes < 64 << 10 { apply()? } else { super::busy(apply)? };
        }
        if open.head != head {
            return Err(damaged(open.record, open.stream, head.seq, "chain", "it does not lead to the stored head"));
        }
        open.tidy_names();
        Ok(open)
    }
}

pub(super) fn segment(place: SegmentPlace, plain_len: u32) -> Arc<Segment> {
    Arc::new(Segment { place, plain_len, bytes: OnceCell::new() })
}

impl OpenRecord {
    /// Fetches and opens a run of bodies.
    pub(super) async fn load_segment(&self, segment: &Segment) -> Result<Bytes, RecordError> {
        let (record, stream) = (self.record, self.stream);
        let bytes = match segment.place {
            SegmentPlace::Part { number: part, tag } => {
                let bytes = self.store.snapshot_part(record, stream, part).await?;
                let fail = |why| damaged(record, stream, self.snapshot_seq, "snapshot", why);
                let bytes = bytes.ok_or_else(|| fail("a part of it is missing"))?;
                let bytes =
                    Some(bytes).filter(|bytes| bytes.ends_with(&tag)).ok_or_else(|| fail("a part was replaced"))?;
                snapshot::open_part(self.tenant, record, stream, part, &bytes, &self.keys)
                    .ok_or_else(|| fail("a part of it does not open"))?
            }
            SegmentPlace::Frame { seq, frame } => {
                let fail = |why| damaged(record, stream, seq, "block", why);
                let row = self.store.blocks(record, stream, seq, 1).await?.into_iter().next();
                let row = row.filter(|row| row.seq == seq).ok_or_else(|| fail("it is missing"))?;
                let block = SealedBlock::parse(row.block).ok_or_else(|| fail("its outer form is broken"))?;
                let fits = block.header.record == record && block.header.stream == stream && block.header.seq == seq;
                let frame = fits.then(|| block.open_frame(frame as usize, &self.keys)).flatten();
                frame.ok_or_else(|| fail("its seal does not hold"))?
            }
        };
        if bytes.len() == segment.plain_len as usize {
            Ok(bytes)
        } else {
            Err(damaged(record, stream, self.head.seq, "snapshot", "a length in its index does not fit"))
        }
    }

    /// Applies the next block.
    pub(super) fn apply(&mut self, bytes: Bytes) -> Result<(), RecordError> {
        let (record, stream, seq) = (self.record, self.stream, self.head.seq.next());
        let fail = |why| damaged(record, stream, seq, "block", why);
        let block = SealedBlock::parse(bytes).ok_or_else(|| fail("its outer form is broken"))?;
        let header = block.header;
        // Not the tenant: a record that moved here from elsewhere keeps its blocks as they were made.
        if (header.record, header.stream, header.seq) != (record, stream, seq) {
            return Err(fail("it belongs elsewhere"));
        }
        if header.previous != self.head.hash {
            return Err(fail("it does not follow the block before it"));
        }
        let first = block.open_frame(0, &self.keys).ok_or_else(|| fail("its seal does not hold"))?;
        let lens: Vec<usize> = (0..block.frame_count()).map(|frame| block.plain_len(frame)).collect();
        let table = payload::decode(&first, header.next_number, &lens).ok_or_else(|| fail("its table is broken"))?;
        let first_segment = self.segments.len();
        let mut used: Vec<Option<u32>> = vec![None; lens.len()];
        let kinds: Vec<u32> = table.kinds.iter().map(|kind| self.kind(kind)).collect();
        let sources: Vec<u32> = table.sources.iter().map(|(source, kind)| self.source(source, kind)).collect();
        for entry in &table.entries {
            let source = entry.source.map_or((0, (0, 0)), |(source, id)| {
                let start = u32::try_from(self.index.arena.len()).expect("far below 4 GiB of ids");
                self.index.arena.push_str(id);
                (sources[source as usize] + 1, (start, start + u32::try_from(id.len()).expect("as above")))
            });
            let (segment, offset, len) = match entry.body {
                None => (0, 0, 0),
                Some(place) => {
                    let frame = place.frame as usize;
                    let segment = *used[frame].get_or_insert_with(|| {
                        let place = SegmentPlace::Frame { seq, frame: place.frame };
                        self.segments.push(segment_of(place, lens[frame]));
                        u32::try_from(self.segments.len() - 1).expect("far below 2^32 runs")
                    });
                    (segment, place.offset, place.len)
                }
            };
            let row = Row {
                kind: kinds[entry.kind as usize],
                labels: entry.labels,
                deleted: entry.body.is_none(),
                version: seq,
                time: header.time,
                source: source.0,
                id: source.1,
                segment,
                offset,
                len,
            };
            self.put_row(entry.number.0 as usize, row).ok_or_else(|| fail("its entry numbers have a gap"))?;
        }
        if self.index.rows.len() + 1 != header.next_number as usize {
            return Err(fail("its entry numbers do not follow"));
        }
        if used[0].is_some() {
            drop(self.segments[first_segment..].iter().find(|s| is_frame_0(s)).map(|s| s.bytes.set(first.clone())));
            *self.loaded.get_mut() += first.len();
        }
        for segment in &self.segments[first_segment..] {
            self.index.segments.push((segment.place, segment.plain_len));
        }
        self.head = Head { seq, hash: block.hash() };
        Ok(())
    }

    fn put_row(&mut self, number: usize, mut row: Row) -> Option<()> {
        let at = number.checked_sub(1)?;
        if let Some(old) = self.index.rows.get_mut(at) {
            // A version that names no source keeps the name the entry had.
            if row.source == 0 {
                (row.source, row.id) = (old.source, old.id);
            }
            let old = std::mem::replace(old, row);
            if self.names.get().is_some() && !self.same_name(&old, &row) {
                self.names = OnceLock::new();
            }
        } else if at == self.index.rows.len() {
            self.index.rows.push(row);
        } else {
            return None;
        }
        Some(())
    }

    fn kind(&mut self, kind: &Kind) -> u32 {
        let found = self.index.kinds.iter().position(|known| known == kind).unwrap_or_else(|| {
            self.index.kinds.push(kind.clone());
            self.index.kinds.len() - 1
        });
        u32::try_from(found).expect("few kinds")
    }

    fn source(&mut self, source: &str, kind: &str) -> u32 {
        let found = self.index.sources.iter().position(|(s, k)| s == source && k == kind).unwrap_or_else(|| {
            self.index.sources.push((source.to_owned(), kind.to_owned()));
            self.index.sources.len() - 1
        });
        u32::try_from(found).expect("few sources")
    }

    /// The rows by the segment they point into.
    pub(super) fn rows_by_segment(&self) -> HashMap<u32, Vec<u32>> {
        let mut map: HashMap<u32, Vec<u32>> = HashMap::new();
        for (at, row) in (0u32..).zip(&self.index.rows).filter(|(_, row)| !row.deleted) {
            map.entry(row.segment).or_default().push(at);
        }
        map
    }
}

fn segment_of(place: SegmentPlace, plain_len: usize) -> Arc<Segment> {
    segment(place, u32::try_from(plain_len).expect("a frame's length is 32 bits"))
}

fn is_frame_0(segment: &Segment) -> bool {
    matches!(segment.place, SegmentPlace::Frame { frame: 0, .. })
}
