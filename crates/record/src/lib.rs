//! The record engine: each person's record as append-only chains of compressed, sealed blocks, in SQLite or PostgreSQL,
//! with the keys that open them, the snapshots that make opening fast, and the transparency log that proves them. It
//! knows bytes, kinds and keys. It must not know FHIR, who may see what, or how anything is shown.

mod commit;
mod engine;
mod error;
mod format;
mod keys;
mod limits;
pub mod log;
pub mod store;

pub use commit::{Alias, Commit, Committed, CommittedPart, Expect, Head, IdempotencyKey, Part, Write};
pub use engine::{
    ArchiveInfo, BlockEntry, BlockView, CacheStats, Companion, Engine, Entry, Erasure, Links, OpenRecord, SideTable,
    Tenant, Verified, busy,
};
pub use error::RecordError;
pub use keys::split;
pub use keys::{RootKey, RootKeyFile, RootKeySource, RootKeyText, RootKeys};
pub use limits::{EngineConfig, Limits};
pub use store::Store;
pub use store::postgres::{PostgresOptions, PostgresStore};
pub use store::sqlite::SqliteStore;
