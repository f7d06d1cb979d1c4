//! What the operator does to records as a whole: move, merge, erase, check, wrap again. Each asks for a permit, as reading
//! does. Nothing here shows content; the one thing that lets it out, an archive with its key, leaves a line first.

use std::path::PathBuf;

use bytes::Bytes;
use keepwell_model::{Actor, Purpose, RecordId, Seq, Stream};
use keepwell_policy::{Action, Denied, Permit, Request, Target};
use keepwell_record::log::{Proof, VerifyingKey};
use keepwell_record::{ArchiveInfo, Engine, Erasure, RecordError, RootKey, Verified};

use crate::views::{Category, Looked};
use crate::{Service, ServiceError};

/// Why the operator's work was not done. Unlike other errors it keeps the engine's own words: the operator holds the
/// store, and has to know what is wrong with it.
#[derive(Debug, thiserror::Error)]
pub enum HousekeepingError {
    /// No rule allows it.
    #[error("this is not something that an operator may do")]
    Denied(#[from] Denied),
    /// The engine could not do it.
    #[error(transparent)]
    Engine(#[from] RecordError),
    /// The line that says who looked could not be made durable, so nothing was taken out.
    #[error("the line that says so could not be written, so nothing was taken out: {0}")]
    NoLine(#[source] ServiceError),
}

fn housekeep(target: Target) -> Result<Permit, Denied> {
    let facts = keepwell_policy::Facts::default();
    let (actor, purpose, action) = (&Actor::Operator, Purpose::Administration, Action::Housekeep);
    keepwell_policy::permit(Request { actor, purpose, action, target, facts })
}

impl Service {
    /// The ids of the records after one, in their order. An id says nothing about the person.
    ///
    /// # Errors
    /// [`HousekeepingError`].
    pub async fn records(&self, after: Option<RecordId>, limit: u32) -> Result<Vec<RecordId>, HousekeepingError> {
        let _permit = housekeep(Target::Tenant)?;
        Ok(self.tenant().records(after, limit).await?)
    }

    /// Erases a record on somebody's authority: its key and blocks are destroyed, a stub stays.
    ///
    /// # Errors
    /// [`HousekeepingError`]; nothing was erased then.
    pub async fn erase(&self, record: RecordId, authority: &str) -> Result<Erasure, HousekeepingError> {
        let _permit = housekeep(Target::Person(record))?;
        Ok(self.tenant().erase(record, authority).await?)
    }

    /// Every erasure that the store knows of.
    ///
    /// # Errors
    /// [`HousekeepingError`].
    pub async fn erasures(&self) -> Result<Vec<Erasure>, HousekeepingError> {
        let _permit = housekeep(Target::Tenant)?;
        Ok(self.tenant().erasures().await?)
    }

    /// Erases again what a backup brought back. Gives how many records that were.
    ///
    /// # Errors
    /// [`HousekeepingError`].
    pub async fn apply_erasures(&self, erasures: &[Erasure]) -> Result<usize, HousekeepingError> {
        let _permit = housekeep(Target::Tenant)?;
        Ok(self.tenant().apply_erasures(erasures).await?)
    }

    /// Joins the record `other` to `survivor`: both are one person's. Each says so in a block of its own.
    ///
    /// # Errors
    /// [`HousekeepingError`]; nothing was joined then.
    pub async fn merge(&self, survivor: RecordId, other: RecordId) -> Result<(), HousekeepingError> {
        let permit = housekeep(Target::Person(survivor))?;
        let _other = housekeep(Target::Person(other))?;
        Ok(self.tenant().merge(survivor, other, permit.author()).await?)
    }

    /// Takes a merge back.
    ///
    /// # Errors
    /// [`HousekeepingError`]; nothing was changed then.
    pub async fn unmerge(&self, other: RecordId) -> Result<(), HousekeepingError> {
        let permit = housekeep(Target::Person(other))?;
        Ok(self.tenant().unmerge(other, permit.author()).await?)
    }

    /// A person's archive under a key of its own, to move to another installation. An archive and its key show everything
    /// to whoever has both (threat T28), so the record says first, durably, that a copy of all of it was taken out.
    ///
    /// # Errors
    /// [`HousekeepingError`]; no copy was made then.
    pub async fn export_archive(&self, record: RecordId, key: &RootKey) -> Result<Vec<u8>, HousekeepingError> {
        let permit = housekeep(Target::Person(record))?;
        let opened = self.tenant().open(record).await?.ok_or(RecordError::NoSuchRecord(record))?;
        let what = [Looked { category: Category::Other, count: opened.entries().count() }];
        self.write_access_line(&permit, record, &what).await.map_err(HousekeepingError::NoLine)?;
        self.tenant().extend_log().await?;
        Ok(self.tenant().export_record(record, key).await?)
    }

    /// Takes in a person's archive from another installation; with that installation's log key, only if the log proves it.
    ///
    /// # Errors
    /// [`HousekeepingError`]; nothing was taken in then.
    pub async fn import_archive(
        &self,
        archive: &[u8],
        key: &RootKey,
        log_key: Option<&VerifyingKey>,
    ) -> Result<ArchiveInfo, HousekeepingError> {
        let permit = housekeep(Target::Tenant)?;
        Ok(self.tenant().import_record(archive, key, log_key, permit.author()).await?)
    }

    /// Gives a record a fresh data key.
    ///
    /// # Errors
    /// [`HousekeepingError`].
    pub async fn rotate_record(&self, record: RecordId) -> Result<(), HousekeepingError> {
        let _permit = housekeep(Target::Person(record))?;
        Ok(self.tenant().rotate_record(record).await?)
    }

    /// Wraps the keys of all tenants of the engine with a new root key.
    ///
    /// # Errors
    /// [`HousekeepingError`].
    pub async fn rotate_root(&self, engine: &Engine, new: RootKey) -> Result<(), HousekeepingError> {
        let _permit = housekeep(Target::Tenant)?;
        Ok(engine.rotate_root(new).await?)
    }

    /// Gives the tenant a new wrapping key and wraps every record's key with it. Gives how many those were.
    ///
    /// # Errors
    /// [`HousekeepingError`]; run again, it goes on.
    pub async fn rotate_wrapping(&self, engine: &Engine) -> Result<u64, HousekeepingError> {
        let _permit = housekeep(Target::Tenant)?;
        Ok(engine.rotate_tenant(self.tenant()).await?)
    }

    /// Checks everything that is stored. What a crash left unsigned is signed first; if the log is damaged nothing is, and
    /// the check says so.
    ///
    /// # Errors
    /// [`HousekeepingError`] if the check could not be made; faults that it found are in its answer.
    pub async fn verify(&self) -> Result<Verified, HousekeepingError> {
        let _permit = housekeep(Target::Tenant)?;
        drop(self.tenant().extend_log().await);
        Ok(self.tenant().verify(&mut |_| {}).await?)
    }

    /// Writes a copy of the whole store, sealed as it is, to a new file.
    ///
    /// # Errors
    /// [`HousekeepingError`].
    pub async fn backup(&self, engine: &Engine, to: PathBuf) -> Result<(), HousekeepingError> {
        let _permit = housekeep(Target::Tenant)?;
        Ok(engine.store().backup(to).await?)
    }

    /// Removes sessions and the like that have expired. Gives how many rows those were.
    ///
    /// # Errors
    /// [`HousekeepingError`].
    pub async fn purge(&self) -> Result<u64, HousekeepingError> {
        let _permit = housekeep(Target::Tenant)?;
        Ok(self.tenant().purge().await?)
    }

    /// A sealed block and the proof that the log has it; `None` if there is no such block.
    ///
    /// # Errors
    /// [`HousekeepingError`].
    pub async fn prove(
        &self,
        record: RecordId,
        stream: Stream,
        seq: Seq,
    ) -> Result<Option<(Bytes, Proof)>, HousekeepingError> {
        let _permit = housekeep(Target::Person(record))?;
        self.tenant().extend_log().await?;
        Ok(self.tenant().prove(record, stream, seq).await?)
    }
}
