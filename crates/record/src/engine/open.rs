//! An open record: its table of entries in memory, the bodies loaded when they are asked for.

use std::any::Any;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use keepwell_model::{EntryNumber, Kind, Labels, RecordId, Seq, SourceKey, Stream, TenantId, Timestamp};
use tokio::sync::OnceCell;

use super::blocks::view;
use crate::RecordError;
use crate::commit::Head;
use crate::format::index::{Index, Row, SegmentPlace};
use crate::keys::RecordKeys;
use crate::store::Store;

/// A run of bodies, loaded when first needed.
pub(super) struct Segment {
    pub(super) place: SegmentPlace,
    pub(super) plain_len: u32,
    pub(super) bytes: OnceCell<Bytes>,
}

/// What a user of an open record works out about it and keeps beside it, for as long as the record stays in memory in this
/// version.
pub trait Companion: Any + Send + Sync {
    /// About how many bytes of memory it takes now.
    fn weight(&self) -> usize;
}

/// The current state of a stream at one head.
pub struct OpenRecord {
    // Not the tenant itself: the tenant's cache holds open records, and a circle would keep both for ever.
    pub(super) store: Arc<dyn Store>,
    pub(super) tenant: TenantId,
    pub(super) keys: Arc<RecordKeys>,
    pub(super) record: RecordId,
    pub(super) stream: Stream,
    pub(super) head: Head,
    pub(super) index: Index,
    pub(super) segments: Vec<Arc<Segment>>,
    /// The block at which the snapshot was taken that this was opened from.
    pub(super) snapshot_seq: Seq,
    pub(super) names: OnceLock<Arc<Names>>,
    pub(super) loaded: AtomicUsize,
    pub(super) companion: Mutex<Option<Arc<dyn Companion>>>,
}

/// The names that sources gave to the first entries of a record. The entries behind them are few and looked through.
pub(super) struct Names {
    /// So many entries.
    upto: usize,
    /// For each source and kind of the index what it named.
    numbers: Vec<HashMap<Box<str>, u32>>,
}

/// At most so many entries are looked through for a name.
const LOOKED_THROUGH: usize = 64;

/// The current version of one entry of an open record.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    record: &'a OpenRecord,
    number: EntryNumber,
    row: &'a Row,
}

impl std::fmt::Debug for OpenRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OpenRecord({} {:?} {} entries)", self.record, self.head, self.index.rows.len())
    }
}

impl std::fmt::Debug for Entry<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Entry({} {} v{})", self.number.0, self.kind(), self.row.version)
    }
}

impl<'a> Entry<'a> {
    /// Its number in the stream.
    #[must_use]
    pub const fn number(&self) -> EntryNumber {
        self.number
    }

    /// What kind of thing it is.
    #[must_use]
    pub fn kind(&self) -> &'a Kind {
        &self.record.index.kinds[self.row.kind as usize]
    }

    /// The block that holds this version.
    #[must_use]
    pub const fn version(&self) -> Seq {
        self.row.version
    }

    /// When this version was written.
    #[must_use]
    pub const fn time(&self) -> Timestamp {
        self.row.time
    }

    /// Its privacy labels.
    #[must_use]
    pub const fn labels(&self) -> Labels {
        self.row.labels
    }

    /// Whether its newest version is a deletion.
    #[must_use]
    pub const fn is_deleted(&self) -> bool {
        self.row.deleted
    }

    /// Length of its body in bytes.
    #[must_use]
    pub const fn body_len(&self) -> u32 {
        self.row.len
    }

    /// The registered name of the source system that sent it.
    #[must_use]
    pub fn source_name(&self) -> Option<&'a str> {
        let at = (self.row.source as usize).checked_sub(1)?;
        Some(&self.record.index.sources[at].0)
    }

    /// The name its source gave it.
    #[must_use]
    pub fn source_key(&self) -> Option<SourceKey> {
        let at = (self.row.source as usize).checked_sub(1)?;
        let (source, kind) = &self.record.index.sources[at];
        let id = &self.record.index.arena[self.row.id.0 as usize..self.row.id.1 as usize];
        Some(SourceKey { source: source.clone(), kind: kind.clone(), id: id.to_owned() })
    }
}

impl OpenRecord {
    /// The record.
    #[must_use]
    pub const fn id(&self) -> RecordId {
        self.record
    }

    /// The head it was opened at; use it in [`crate::Expect::Head`].
    #[must_use]
    pub const fn head(&self) -> Head {
        self.head
    }

    /// Entries whose newest version is not a deletion, in order of their numbers.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.all_entries().filter(|entry| !entry.row.deleted)
    }

    /// All entries ever written, deleted ones included, in order of their numbers.
    pub fn all_entries(&self) -> impl Iterator<Item = Entry<'_>> {
        (1u32..).zip(&self.index.rows).map(|(number, row)| Entry { record: self, number: EntryNumber(number), row })
    }

    /// An entry by its number, deleted or not.
    #[must_use]
    pub fn entry(&self, number: EntryNumber) -> Option<Entry<'_>> {
        let row = self.index.rows.get((number.0 as usize).checked_sub(1)?)?;
        Some(Entry { record: self, number, row })
    }

    /// The entry that a source knows by this name, deleted or not.
    #[must_use]
    pub fn by_source(&self, key: &SourceKey) -> Option<Entry<'_>> {
        self.named(&key.source, &key.kind, &key.id)
    }

    /// [`OpenRecord::by_source`] with the parts of the key.
    #[must_use]
    pub fn named(&self, source: &str, kind: &str, id: &str) -> Option<Entry<'_>> {
        // Kinds differ more often than sources do.
        let place = self.index.sources.iter().position(|(by, of)| *of == *kind && *by == *source)?;
        self.named_at(place, id)
    }

    /// The newest entry that the source and kind at this place of the index call so.
    fn named_at(&self, place: usize, id: &str) -> Option<Entry<'_>> {
        let names = self.names.get_or_init(|| Arc::new(self.all_names()));
        let known = || names.numbers.get(place)?.get(id).copied();
        let is_it = |row: &Row| row.source as usize == place + 1 && self.id_of(row) == id;
        let behind = self.index.rows.get(names.upto..)?.iter().rposition(is_it);
        let found = behind.and_then(|at| u32::try_from(names.upto + at + 1).ok());
        self.entry(EntryNumber(found.or_else(known)?))
    }

    fn id_of(&self, row: &Row) -> &str {
        &self.index.arena[row.id.0 as usize..row.id.1 as usize]
    }

    /// Whether two rows have the same name.
    pub(super) fn same_name(&self, one: &Row, other: &Row) -> bool {
        one.source == other.source && self.id_of(one) == self.id_of(other)
    }

    /// Forgets the names if there is more behind them than should be looked through.
    pub(super) fn tidy_names(&mut self) {
        if self.names.get().is_some_and(|names| self.index.rows.len() - names.upto > LOOKED_THROUGH) {
            self.names = OnceLock::new();
        }
    }

    /// The entries, deleted or not, that a source knows by this name, of whatever kind they are.
    pub fn by_source_id(&self, source: &str, id: &str) -> impl Iterator<Item = Entry<'_>> {
        let places = self.index.sources.iter().enumerate().filter(move |(_, (name, _))| name == source);
        places.filter_map(move |(place, _)| self.named_at(place, id))
    }

    fn all_names(&self) -> Names {
        let mut numbers = vec![HashMap::new(); self.index.sources.len()];
        for (number, row) in (1u32..).zip(&self.index.rows).filter(|(_, row)| row.source > 0) {
            if let Some(names) = numbers.get_mut(row.source as usize - 1) {
                names.insert(self.id_of(row).into(), number);
            }
        }
        Names { upto: self.index.rows.len(), numbers }
    }

    /// What is kept beside this record, made if there is nothing of that type yet.
    pub fn companion<T: Companion>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        let mut kept = self.companion.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept.as_ref().map(|it| -> Arc<dyn Any + Send + Sync> { Arc::clone(it) as _ });
        if let Some(known) = known.and_then(|it| it.downcast::<T>().ok()) {
            return known;
        }
        let made = Arc::new(make());
        *kept = Some(Arc::clone(&made) as Arc<dyn Companion>);
        made
    }

    /// Loads the bodies of all entries, so that [`OpenRecord::loaded_body`] has them. What a damaged snapshot should have
    /// stays away: [`OpenRecord::body`] finds it elsewhere.
    ///
    /// # Errors
    /// As [`OpenRecord::body`].
    pub async fn load_bodies(&self) -> Result<(), RecordError> {
        for segment in &self.segments {
            match self.loaded(segment).await {
                Ok(_) => {}
                Err(error @ RecordError::Damaged { what: "snapshot", .. }) => {
                    tracing::warn!(record.id = %self.record, "{error}; the blocks will be read instead");
                }
                Err(RecordError::Damaged { .. }) if self.is_erased().await? => {
                    return Err(RecordError::NoSuchRecord(self.record));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The body of an entry if it is in memory; a deleted one has none.
    #[must_use]
    pub fn loaded_body(&self, entry: &Entry<'_>) -> Option<&[u8]> {
        let row = entry.row;
        if row.deleted {
            return None;
        }
        let bytes = self.segments.get(row.segment as usize)?.bytes.get()?;
        bytes.get(row.offset as usize..row.offset as usize + row.len as usize)
    }

    async fn loaded<'s>(&self, segment: &'s Segment) -> Result<&'s Bytes, RecordError> {
        let load = || async {
            let bytes = self.load_segment(segment).await?;
            self.loaded.fetch_add(bytes.len(), Ordering::Relaxed);
            Ok::<_, RecordError>(bytes)
        };
        segment.bytes.get_or_try_init(load).await
    }

    /// The body of an entry, as it arrived. Loads no more than the run of bodies it lies in.
    ///
    /// # Errors
    /// [`RecordError::Damaged`] if the stored bytes do not verify; [`RecordError::Malformed`] for a deleted entry; store
    /// errors.
    pub async fn body(&self, entry: &Entry<'_>) -> Result<Bytes, RecordError> {
        let body = match self.body_strictly(entry).await {
            // A snapshot is only a copy: if it is damaged, the block still has the body.
            Err(error @ RecordError::Damaged { what: "snapshot", .. }) => {
                // Also when a newer snapshot has replaced the part since this record was opened.
                tracing::warn!(record.id = %self.record, "{error}; the block is read instead");
                self.body_from_block(entry).await
            }
            other => other,
        };
        match body {
            // An erasure in the meantime takes the blocks away; that is not damage.
            Err(RecordError::Damaged { .. }) if self.is_erased().await? => Err(RecordError::NoSuchRecord(self.record)),
            other => other,
        }
    }

    async fn is_erased(&self) -> Result<bool, RecordError> {
        Ok(self.store.record(self.record).await?.is_none_or(|row| row.erased))
    }

    /// The body from where the index says it is, with no way round.
    pub(super) async fn body_strictly(&self, entry: &Entry<'_>) -> Result<Bytes, RecordError> {
        let row = entry.row;
        if row.deleted {
            return Err(RecordError::Malformed("the entry is deleted"));
        }
        let bytes = self.loaded(&self.segments[row.segment as usize]).await?;
        Ok(bytes.slice(row.offset as usize..(row.offset + row.len) as usize))
    }

    /// The bodies of several entries, in order.
    ///
    /// # Errors
    /// As [`OpenRecord::body`].
    pub async fn bodies(&self, entries: &[Entry<'_>]) -> Result<Vec<Bytes>, RecordError> {
        let mut bodies = Vec::with_capacity(entries.len());
        for entry in entries {
            bodies.push(self.body(entry).await?);
        }
        Ok(bodies)
    }

    async fn body_from_block(&self, entry: &Entry<'_>) -> Result<Bytes, RecordError> {
        let row = self.store.blocks(self.record, self.stream, entry.version(), 1).await?.into_iter().next();
        let row = row.filter(|row| row.seq == entry.version());
        let view = row.map(|row| view(self.record, self.stream, row, &self.keys)).transpose()?;
        let found = view.and_then(|view| view.entries.into_iter().find(|e| e.number == entry.number));
        found.and_then(|e| e.body).ok_or(RecordError::Damaged {
            record: self.record,
            stream: self.stream,
            seq: entry.version(),
            what: "block",
            why: "it does not hold the entry that it should",
        })
    }

    /// About how many bytes of memory it takes.
    pub(super) fn weight(&self) -> usize {
        size_of::<Self>()
            + self.index.rows.len() * size_of::<Row>()
            + self.index.arena.len()
            + self.segments.len() * (size_of::<Segment>() + 16)
            + self.loaded.load(Ordering::Relaxed)
            + self.names.get().map_or(0, |_| self.index.rows.len() * 40 + self.index.arena.len())
            + self.companion.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map_or(0, |it| it.weight())
    }
}
