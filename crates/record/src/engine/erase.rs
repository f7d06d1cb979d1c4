//! Erasure: the wrapped data keys and the blocks of a record are destroyed; a sealed stub says what went, when and on
//! whose authority. The block hashes stay in the transparency log, which tells nothing and still verifies.

use bytes::Bytes;
use keepwell_model::{RecordId, Seq, Timestamp};
use serde::{Deserialize, Serialize};

use super::tenant::{Tenant, TenantInner};
use crate::RecordError;

/// The side table number under which stubs are sealed; no side table has it.
const STUB: u8 = 0;

/// What is left of an erased record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// The record that was.
    pub record: RecordId,
    /// When it was erased.
    pub when: Timestamp,
    /// On whose authority: a name, an office, a case number. No health data, no NHS number.
    pub authority: String,
    /// Blocks of its care stream that went.
    pub care_blocks: Seq,
    /// Blocks of its access stream that went.
    pub access_blocks: Seq,
}

impl Tenant {
    /// Erases a record for good.
    ///
    /// # Errors
    /// [`RecordError::NoSuchRecord`]; [`RecordError::Malformed`] for the directory and for a record that is part of a
    /// merge (unmerge first); store errors.
    pub async fn erase(&self, record: RecordId, authority: &str) -> Result<Erasure, RecordError> {
        if record == self.directory() {
            return Err(RecordError::Malformed("the directory cannot be erased"));
        }
        let inner = &self.inner;
        let _lock = inner.writing[TenantInner::lock_number(record)].lock().await;
        inner.settle_writes(record).await?;
        let row = inner.store.record(record).await?.filter(|row| row.tenant == inner.id && !row.erased);
        let row = row.ok_or(RecordError::NoSuchRecord(record))?;
        if row.merged.is_some() || !inner.store.merged_into(record).await?.is_empty() {
            return Err(RecordError::Malformed("the record is part of a merge; unmerge it first"));
        }
        let erasure = Erasure {
            record,
            when: inner.clock.now(),
            authority: authority.to_owned(),
            care_blocks: row.care.head.seq,
            access_blocks: row.access.head.seq,
        };
        inner.destroy(erasure).await
    }

    /// The stubs of all erased records.
    ///
    /// # Errors
    /// [`RecordError::DamagedStore`] if one does not open; store errors.
    pub async fn erasures(&self) -> Result<Vec<Erasure>, RecordError> {
        let keys = self.inner.keys();
        let damaged = || RecordError::DamagedStore { what: "erasure stub", why: "it does not open".into() };
        let stubs = self.inner.store.stubs(self.inner.id).await?;
        let open = |(record, stub): (RecordId, Bytes)| {
            let index = keys.side_index(STUB, record.as_bytes());
            let plain = keys.open_side(STUB, &index, i64::MAX, &stub).ok_or_else(damaged)?;
            serde_json::from_slice(&plain).map_err(|_| damaged())
        };
        stubs.into_iter().map(open).collect()
    }

    /// Erases again what had been erased before this store was restored from an older backup. Records that are not
    /// there, or erased already, are passed over. Tells how many went.
    ///
    /// # Errors
    /// Store errors.
    pub async fn apply_erasures(&self, erasures: &[Erasure]) -> Result<usize, RecordError> {
        let mut count = 0;
        for erasure in erasures {
            let inner = &self.inner;
            let _lock = inner.writing[TenantInner::lock_number(erasure.record)].lock().await;
            inner.settle_writes(erasure.record).await?;
            let row = inner.store.record(erasure.record).await?;
            if let Some(row) = row.filter(|row| row.tenant == inner.id && !row.erased) {
                // The blocks that go now: an older store has fewer, and its log knows no others.
                let (care_blocks, access_blocks) = (row.care.head.seq, row.access.head.seq);
                inner.destroy(Erasure { care_blocks, access_blocks, ..erasure.clone() }).await?;
                count += 1;
            }
        }
        Ok(count)
    }
}

impl TenantInner {
    /// Waits until everything that was handed to the store for this record before is there to be read. The caller holds
    /// the record's lock. Replacing keys that no record has changes nothing and stands in the same queue.
    pub(super) async fn settle_writes(&self, record: RecordId) -> Result<(), RecordError> {
        self.store.rewrap(record, Bytes::from_static(b"-"), Bytes::from_static(b"-")).await.map(drop)
    }

    async fn destroy(&self, mut erasure: Erasure) -> Result<Erasure, RecordError> {
        let keys = self.keys();
        let record = erasure.record;
        let index = keys.side_index(STUB, record.as_bytes());
        loop {
            let plain = serde_json::to_vec(&erasure).expect("a stub is plain strings and numbers");
            let stub = keys.seal_side(STUB, &index, i64::MAX, &plain, &*self.random);
            let erased = self.store.erase(self.id, record, stub.into()).await;
            self.states.forget_keys(record);
            self.cache.remove(record);
            erased?;
            // Another node, or a caller here who gave up waiting, may have appended since the heads were read. The row
            // keeps its last heads and takes no more blocks, so the second stub is right.
            let Ok(Some(row)) = self.store.record(record).await else { return Ok(erasure) };
            let went = (row.care.head.seq, row.access.head.seq);
            if went == (erasure.care_blocks, erasure.access_blocks) {
                return Ok(erasure);
            }
            (erasure.care_blocks, erasure.access_blocks) = went;
        }
    }
}
