//! One tenant: its keys, and the operations that need little more than a row.

use std::sync::{Arc, Mutex, RwLock};

use keepwell_model::{Actor, Author, Purpose, RecordId, Stream, TenantId, Timestamp};
use tokio::sync::Mutex as AsyncMutex;

use super::Roots;
use super::cache::{Cache, CacheStats};
use super::state::States;
use super::transparency::LastSeen;
use crate::commit::{Alias, Commit, Expect, Head, Part};
use crate::keys::{RecordKeys, TenantKeys};
use crate::store::{RecordRow, Store};
use crate::{EngineConfig, RecordError};
use keepwell_model::{Clock, Random};

/// How many locks the streams of all records share.
pub(super) const LOCKS: usize = 256;

/// Everything of one tenant. Cheap to clone.
#[derive(Clone)]
pub struct Tenant {
    pub(super) inner: Arc<TenantInner>,
}

pub(super) struct TenantInner {
    pub(super) id: TenantId,
    pub(super) name: String,
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    pub(super) config: EngineConfig,
    pub(super) roots: Arc<Roots>,
    pub(super) keys: RwLock<Arc<TenantKeys>>,
    pub(super) states: States,
    pub(super) cache: Cache,
    pub(super) writing: Vec<AsyncMutex<()>>,
    pub(super) opening: Vec<AsyncMutex<()>>,
    pub(super) logging: AsyncMutex<()>,
    pub(super) last_seen: Mutex<Option<LastSeen>>,
}

impl Tenant {
    pub(super) fn new(engine: &super::Inner, id: TenantId, name: String, keys: TenantKeys) -> Self {
        let locks = || std::iter::repeat_with(|| AsyncMutex::new(())).take(LOCKS).collect();
        let inner = TenantInner {
            id,
            name,
            store: Arc::clone(&engine.store),
            clock: Arc::clone(&engine.clock),
            random: Arc::clone(&engine.random),
            config: engine.config,
            roots: Arc::clone(&engine.roots),
            keys: RwLock::new(Arc::new(keys)),
            states: States::default(),
            cache: Cache::new(engine.config.cache_bytes),
            writing: locks(),
            opening: locks(),
            logging: AsyncMutex::new(()),
            last_seen: Mutex::new(None),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The tenant's number.
    #[must_use]
    pub fn id(&self) -> TenantId {
        self.inner.id
    }

    /// The tenant's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The one record that belongs to no person: organisations, practitioners, locations and the like.
    #[must_use]
    pub fn directory(&self) -> RecordId {
        self.inner.keys().directory()
    }

    /// An id for a new record.
    #[must_use]
    pub fn new_record_id(&self) -> RecordId {
        RecordId::random(&*self.inner.random)
    }

    /// The time that the next block would get.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// Makes the directory record if a crash came between the making of the tenant and this. A directory that is missing
    /// although the tenant has blocks is damage, which is not covered up.
    pub(super) async fn finish_making(&self) -> Result<(), RecordError> {
        let store = &self.inner.store;
        if store.record(self.directory()).await?.is_some()
            || store.log_size(self.id()).await? > 0
            || !store.pending_leaves(self.id(), 1).await?.is_empty()
        {
            return Ok(());
        }
        match self.create_directory().await {
            // Another node was quicker.
            Err(RecordError::Conflict { .. }) => Ok(()),
            other => other,
        }
    }

    pub(super) async fn create_directory(&self) -> Result<(), RecordError> {
        let commit = Commit {
            author: Author { actor: Actor::Keepwell, purpose: Purpose::Administration, source: None },
            idempotency: None,
            parts: vec![Part::new(self.directory(), Stream::Care, Expect::New, Vec::new())],
        };
        self.commit(commit).await.map(drop)
    }

    /// The newest block of a stream, or `None` if there is no such record.
    ///
    /// # Errors
    /// [`RecordError::Damaged`] if the stored head does not verify; store errors.
    pub async fn head(&self, record: RecordId, stream: Stream) -> Result<Option<Head>, RecordError> {
        Ok(self.inner.row(record).await?.map(|(row, _)| row.head(stream).head))
    }

    /// The record that an alias leads to: of a merged record, the one that now stands for the person.
    ///
    /// # Errors
    /// [`RecordError::DamagedStore`] if the alias row does not verify; store errors.
    pub async fn look_up(&self, alias: &Alias) -> Result<Option<RecordId>, RecordError> {
        let keys = self.inner.keys();
        let index = keys.alias_index(&alias.system, &alias.value);
        let Some((record, tag)) = self.inner.store.alias(self.inner.id, index).await? else {
            return Ok(None);
        };
        if keys.alias_tag(&index, record) != tag {
            return Err(RecordError::DamagedStore { what: "alias", why: "its tag does not fit".into() });
        }
        // The verified row: a forged merge mark would lead to another person.
        let row = self.inner.row(record).await?;
        Ok(row.map(|(row, _)| row.merged.map_or(record, |(into, _)| into)))
    }

    /// Live records of the tenant in order of id, after the given one; the directory is not among them.
    ///
    /// # Errors
    /// Store errors.
    pub async fn records(&self, after: Option<RecordId>, limit: u32) -> Result<Vec<RecordId>, RecordError> {
        let directory = self.directory();
        let mut found = Vec::new();
        let mut after = after;
        loop {
            let wanted = limit - u32::try_from(found.len()).expect("never more than the limit");
            let rows = self.inner.store.records(self.inner.id, after, wanted).await?;
            let full = rows.len() == wanted as usize;
            after = rows.last().map(|(record, _)| *record).or(after);
            found.extend(rows.into_iter().filter(|(id, row)| !row.erased && *id != directory).map(|(id, _)| id));
            if !full || found.len() == limit as usize {
                return Ok(found);
            }
        }
    }

    /// How the cache of open records does.
    #[must_use]
    pub fn cache_stats(&self) -> CacheStats {
        self.inner.cache.stats()
    }
}

impl TenantInner {
    pub(super) fn keys(&self) -> Arc<TenantKeys> {
        Arc::clone(&self.keys.read().expect("no panic while held"))
    }

    pub(super) fn lock_number(record: RecordId) -> usize {
        usize::from(record.as_bytes()[9]) % LOCKS
    }

    /// The row of a live record of this tenant, verified, with its keys.
    pub(super) async fn row(&self, record: RecordId) -> Result<Option<(RecordRow, Arc<RecordKeys>)>, RecordError> {
        let Some(row) = self.store.record(record).await? else { return Ok(None) };
        if row.tenant != self.id || row.erased {
            return Ok(None);
        }
        let keys = match self.states.keys(record, &row.wrapped) {
            Some(keys) => keys,
            None => {
                let keys = self.unwrap(record, &row).await?;
                self.states.remember_keys(record, row.wrapped.clone(), Arc::clone(&keys));
                keys
            }
        };
        self.check_row(record, &row, &keys)?;
        Ok(Some((row, keys)))
    }

    async fn unwrap(&self, record: RecordId, row: &RecordRow) -> Result<Arc<RecordKeys>, RecordError> {
        if TenantKeys::version_of(&row.wrapped).is_some_and(|version| version > self.keys().wrapping_version()) {
            self.reload_keys().await?;
        }
        let damaged = || RecordError::Damaged {
            record,
            stream: Stream::Care,
            seq: row.care.head.seq,
            what: "data key",
            why: "it does not open under the tenant's keys",
        };
        self.keys().unwrap_record(record, &row.wrapped).map(Arc::new).ok_or_else(damaged)
    }

    /// Another node has rotated the tenant's keys: fetch them.
    async fn reload_keys(&self) -> Result<(), RecordError> {
        let (wrapped, _) = self.store.tenant(self.id).await?.ok_or(RecordError::NoSuchTenant(self.id))?;
        let keys = self.roots.unwrap(self.id, &wrapped)?;
        *self.keys.write().expect("no panic while held") = Arc::new(keys);
        Ok(())
    }

    fn check_row(&self, record: RecordId, row: &RecordRow, keys: &RecordKeys) -> Result<(), RecordError> {
        for stream in [Stream::Care, Stream::Access] {
            let head = row.head(stream);
            let fits = if head.head.seq.0 == 0 {
                // Every record begins with a block of care; only the access stream can be empty.
                let empty = head.head == Head::default() && head.next_number == 1 && head.tag == [0; 16];
                empty && stream == Stream::Access
            } else {
                head.tag == keys.head_tag(stream, head.head.seq.0, &head.head.hash, head.next_number)
            };
            if !fits {
                let (seq, what) = (head.head.seq, "head");
                return Err(RecordError::Damaged { record, stream, seq, what, why: "its tag does not fit" });
            }
        }
        if let Some((into, tag)) = row.merged
            && tag != self.keys().merge_tag(record, into)
        {
            let (seq, what) = (row.care.head.seq, "merge mark");
            return Err(RecordError::Damaged { record, stream: Stream::Care, seq, what, why: "its tag does not fit" });
        }
        Ok(())
    }
}
