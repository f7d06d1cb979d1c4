//! The one error type of the engine's boundary.

use keepwell_model::{RecordId, Seq, Stream};

/// Why the engine did not do what was asked. Nothing was half-applied in any case.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The head moved between reading and writing: run the use case again on the newer state.
    #[error("the record {record} changed in the meantime")]
    Conflict {
        /// The record whose head moved.
        record: RecordId,
    },
    /// No such record in this tenant, or it was erased.
    #[error("there is no record {0}")]
    NoSuchRecord(RecordId),
    /// No tenant of that number.
    #[error("there is no tenant {0}")]
    NoSuchTenant(keepwell_model::TenantId),
    /// The record was merged into another one, which takes its writes.
    #[error("the record {record} was merged into {into}")]
    Merged {
        /// The record asked for.
        record: RecordId,
        /// The record that now stands for the person.
        into: RecordId,
    },
    /// The alias already leads to another record.
    #[error("the identifier already leads to another record")]
    AliasTaken,
    /// A configured limit would be exceeded.
    #[error("{what} is {size}, over the limit of {limit}; the limit is a setting")]
    TooLarge {
        /// What was measured, with its unit, such as `an entry in bytes`.
        what: &'static str,
        /// Its size.
        size: u64,
        /// The limit in force.
        limit: u64,
    },
    /// The commit makes no sense as it stands; a programming error of the caller.
    #[error("the commit is not well formed: {0}")]
    Malformed(&'static str),
    /// Stored bytes do not verify. Nothing of them was returned.
    #[error("the stored {what} of record {record} ({stream:?} {seq}) is damaged: {why}")]
    Damaged {
        /// Which record.
        record: RecordId,
        /// Which stream.
        stream: Stream,
        /// Which block, or the block a snapshot was taken at.
        seq: Seq,
        /// What kind of stored thing.
        what: &'static str,
        /// What did not hold.
        why: &'static str,
    },
    /// A stored thing that belongs to no record does not verify.
    #[error("the stored {what} is damaged: {why}")]
    DamagedStore {
        /// What kind of stored thing.
        what: &'static str,
        /// What did not hold.
        why: String,
    },
    /// A key does not open what it should.
    #[error("{0}")]
    Key(String),
    /// The disk is full; nothing was written.
    #[error("the disk that holds the store is full; nothing was saved")]
    Full,
    /// The store may not be written.
    #[error("the store cannot be written (read-only disk or file); nothing was saved")]
    ReadOnly,
    /// Another process holds the store.
    #[error("{0}")]
    InUse(String),
    /// The store's format is newer than this program, or not migrated yet.
    #[error("{0}")]
    Migration(String),
    /// It is not known whether the commit was stored: the connection was lost at the wrong moment. Retry with the same
    /// idempotency key.
    #[error("the store did not answer whether the commit was saved; try again with the same idempotency key")]
    Unknown,
    /// The store failed or cannot be reached.
    #[error("the store is not available: {0}")]
    Store(String),
}
