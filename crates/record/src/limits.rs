//! Settings of the engine.

/// How large things may get. Exceeding one is [`crate::RecordError::TooLarge`], which names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one entry's body.
    pub entry_bytes: usize,
    /// Bytes of all bodies in one commit.
    pub commit_bytes: usize,
    /// Entries in one commit.
    pub commit_entries: usize,
    /// Entries ever given a number in the care stream of a record.
    pub record_entries: usize,
    /// Entries ever given a number in the access stream of a record. A record whose stream is full shows nothing any more,
    /// so this is no limit to meet in use: it is as many as the format can number.
    pub access_entries: usize,
    /// Aliases attached or detached in one commit.
    pub commit_aliases: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entry_bytes: 16 << 20,
            commit_bytes: 256 << 20,
            commit_entries: 50_000,
            record_entries: 4_000_000,
            access_entries: u32::MAX as usize - 1,
            commit_aliases: 1_000,
        }
    }
}

/// Settings of one engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineConfig {
    /// Limits on writes.
    pub limits: Limits,
    /// Bytes of open records kept in memory.
    pub cache_bytes: usize,
    /// A snapshot is taken once this many blocks stand behind the newest one (more for very large records).
    pub snapshot_after: u32,
    /// Days for which a repeated idempotency key is recognised.
    pub idempotency_days: u16,
    /// The newest dictionary that new blocks may be compressed with (docs/storage-format.md, "Dictionaries"). Lower it
    /// while an older version of Keepwell, which does not have the newest one, serves the same store.
    pub newest_dictionary: u16,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            cache_bytes: 256 << 20,
            snapshot_after: 32,
            idempotency_days: 30,
            newest_dictionary: crate::format::compress::NEWEST,
        }
    }
}
