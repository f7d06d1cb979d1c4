//! Where blocks are kept. One trait, two implementations, and one contract suite (`contract`) that both pass. A store
//! knows rows of opaque bytes; it has no keys and verifies nothing but heads.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use keepwell_model::{RecordId, Seq, Stream, TenantId};

use crate::RecordError;
use crate::commit::Head;

pub(crate) mod archive;
pub mod postgres;
pub mod sqlite;

/// The future of a store's answer.
pub type Answer<T> = BoxFuture<'static, Result<T, RecordError>>;

/// The head of one stream as its row holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HeadRow {
    /// The newest block.
    pub head: Head,
    /// The number the next new entry will get; 1 in an empty stream, 0 never occurs in a written row.
    pub next_number: u32,
    /// Tag over the other fields, made and checked by the engine.
    pub tag: [u8; 16],
}

/// What the row of a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRow {
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// The wrapped data keys; empty once erased.
    pub wrapped: Bytes,
    /// Head of the care stream.
    pub care: HeadRow,
    /// Head of the access stream.
    pub access: HeadRow,
    /// The record this one was merged into, and the engine's tag over it.
    pub merged: Option<(RecordId, [u8; 16])>,
    /// Whether it was erased.
    pub erased: bool,
}

impl RecordRow {
    /// The head of a stream.
    #[must_use]
    pub const fn head(&self, stream: Stream) -> HeadRow {
        match stream {
            Stream::Care => self.care,
            Stream::Access => self.access,
        }
    }
}

/// One block to append, with the conditions under which it may be.
#[derive(Debug, Clone)]
pub struct AppendPart {
    /// The record.
    pub record: RecordId,
    /// The stream.
    pub stream: Stream,
    /// Set when the record is to be created: its wrapped data keys.
    pub create: Option<Bytes>,
    /// Whether the block may go into a record that is merged (marks of a merge, lines of who looked).
    pub closed_allowed: bool,
    /// Sets (or with an inner `None` clears) the mark that the record is merged into another, with the engine's tag over
    /// it, in the same transaction.
    pub merged: Option<Option<(RecordId, [u8; 16])>>,
    /// The head the block was sealed on; the append is refused on any other.
    pub expected: Head,
    /// The head with the block.
    pub head: HeadRow,
    /// The block.
    pub block: Bytes,
    /// Blind indexes that lead to the record from now on, each with its tag.
    pub attach: Vec<([u8; 32], [u8; 16])>,
    /// Blind indexes of the record to remove.
    pub detach: Vec<[u8; 32]>,
}

/// Everything of one commit.
#[derive(Debug, Clone)]
pub struct Append {
    /// The tenant.
    pub tenant: TenantId,
    /// Blind idempotency key and the day (since 1970) after which it may be forgotten.
    pub idempotency: Option<([u8; 32], i64)>,
    /// Its blocks, all or none.
    pub parts: Vec<AppendPart>,
}

/// What became of an append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// Durable.
    Done,
    /// A commit with the same idempotency key was durable before; these are its blocks.
    Repeated(Vec<(RecordId, Stream, Seq)>),
    /// The head of this record is another one (or it exists already and should not, or does not and should).
    Conflict(RecordId),
    /// A blind index leads to another record.
    AliasTaken,
}

/// A block as stored, with its place in the transparency log once it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockRow {
    /// Sequence number.
    pub seq: Seq,
    /// Header and sealed body.
    pub block: Bytes,
    /// Its leaf in the tenant's log; `None` until the log has taken it in.
    pub leaf: Option<u64>,
}

/// A part of a snapshot. Part 0 is the index; the others hold bodies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotPart {
    /// Its number.
    pub part: u32,
    /// Sealed bytes.
    pub bytes: Bytes,
}

/// A block hash that waits to be taken into the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingLeaf {
    /// The store's own number of the waiting row.
    pub row: i64,
    /// Where the block is.
    pub record: RecordId,
    /// Its stream.
    pub stream: Stream,
    /// Its sequence number.
    pub seq: Seq,
    /// Its hash.
    pub hash: [u8; 32],
}

/// New leaves and the tiles they change, applied together if the log still has `from` leaves.
#[derive(Debug, Clone)]
pub struct LogAppend {
    /// The tenant.
    pub tenant: TenantId,
    /// Size of the log before.
    pub from: u64,
    /// The leaves, in order of their index from `from` on.
    pub leaves: Vec<PendingLeaf>,
    /// Tiles to write: level (0 for entries), number, bytes.
    pub tiles: Vec<(u8, u64, Bytes)>,
}

/// A row of a side table: blind key, sealed value, expiry in microseconds since 1970 (`i64::MAX` for never).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SideRow {
    /// Blind key.
    pub key: [u8; 32],
    /// Sealed value.
    pub value: Bytes,
    /// Expiry.
    pub expires: i64,
}

/// An alias: blind index, the record it leads to, and the engine's tag over both.
pub type AliasRow = ([u8; 32], RecordId, [u8; 16]);

/// Counts for `keepwell stats`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoreStats {
    /// Live records.
    pub records: u64,
    /// Erased records.
    pub erased: u64,
    /// Blocks.
    pub blocks: u64,
    /// Bytes of blocks.
    pub block_bytes: u64,
    /// Bytes of snapshots.
    pub snapshot_bytes: u64,
    /// Aliases.
    pub aliases: u64,
    /// Bytes the store takes on disk.
    pub disk_bytes: u64,
}

/// A durable store of rows.
pub trait Store: Send + Sync + 'static {
    /// `sqlite` or `postgres`.
    fn kind(&self) -> &'static str;

    /// Whether appends are applied in the order of the calls, so that the next block of a stream may be handed over
    /// before the one before it is durable.
    fn keeps_order(&self) -> bool;

    /// A number that is another one once the record's row has changed by anything but an append to its access stream. What
    /// was read under a number is still so while the number stays: take it first, then read. `None` while a change is on
    /// its way, and from a store that others may write to as well: then one has to look.
    fn revision(&self, _record: RecordId) -> Option<u64> {
        None
    }

    /// The wrapped keys of a tenant and its name.
    fn tenant(&self, tenant: TenantId) -> Answer<Option<(Bytes, String)>>;
    /// All tenants.
    fn tenants(&self) -> Answer<Vec<TenantId>>;
    /// Creates a tenant (`old` is `None`) or replaces its wrapped keys if they are still `old`. Answers whether it did.
    fn put_tenant(&self, tenant: TenantId, name: String, old: Option<Bytes>, new: Bytes) -> Answer<bool>;

    /// One record's row.
    fn record(&self, record: RecordId) -> Answer<Option<RecordRow>>;
    /// Records of a tenant in order of id, after the given one; erased ones included.
    fn records(&self, tenant: TenantId, after: Option<RecordId>, limit: u32) -> Answer<Vec<(RecordId, RecordRow)>>;
    /// Appends atomically and durably. Handing over happens in the call, the wait in the future (see `keeps_order`).
    fn append(&self, append: Append) -> Answer<Appended>;
    /// Blocks of a stream from `from` on, ascending, at most `limit`.
    fn blocks(&self, record: RecordId, stream: Stream, from: Seq, limit: u32) -> Answer<Vec<BlockRow>>;
    /// Replaces a record's wrapped keys if they are still `old`. Answers whether it did.
    fn rewrap(&self, record: RecordId, old: Bytes, new: Bytes) -> Answer<bool>;
    /// Records merged into this one.
    fn merged_into(&self, record: RecordId) -> Answer<Vec<RecordId>>;
    /// Destroys a record's keys, blocks, snapshots and aliases and leaves the sealed stub. Space is given back.
    fn erase(&self, tenant: TenantId, record: RecordId, stub: Bytes) -> Answer<()>;
    /// The stubs of erased records of a tenant.
    fn stubs(&self, tenant: TenantId) -> Answer<Vec<(RecordId, Bytes)>>;

    /// The record a blind index leads to, with the row's tag.
    fn alias(&self, tenant: TenantId, index: [u8; 32]) -> Answer<Option<(RecordId, [u8; 16])>>;
    /// Every alias of a tenant after the given index, in order; for `verify`.
    fn aliases(&self, tenant: TenantId, after: Option<[u8; 32]>, limit: u32) -> Answer<Vec<AliasRow>>;
    /// Blind indexes that lead to a record.
    fn aliases_of(&self, record: RecordId) -> Answer<Vec<([u8; 32], [u8; 16])>>;

    /// One part of a stream's snapshot.
    fn snapshot_part(&self, record: RecordId, stream: Stream, part: u32) -> Answer<Option<Bytes>>;
    /// Writes parts of a snapshot and drops those numbered below `keep_from` (part 0 apart) except the listed ones.
    fn put_snapshot(&self, record: RecordId, stream: Stream, put: Vec<SnapshotPart>, drop: Vec<u32>) -> Answer<()>;

    /// Block hashes that wait for the log, oldest first.
    fn pending_leaves(&self, tenant: TenantId, limit: u32) -> Answer<Vec<PendingLeaf>>;
    /// Number of leaves in the log.
    fn log_size(&self, tenant: TenantId) -> Answer<u64>;
    /// Takes leaves into the log. Answers false if the log no longer has `from` leaves.
    fn extend_log(&self, append: LogAppend) -> Answer<bool>;
    /// A tile of the log (level 0 for entries), as far as it is filled.
    fn log_tile(&self, tenant: TenantId, level: u8, number: u64) -> Answer<Option<Bytes>>;
    /// The newest signed checkpoint.
    fn checkpoint(&self, tenant: TenantId) -> Answer<Option<Bytes>>;
    /// Keeps a signed checkpoint of a log of this size; never replaces one of a larger log.
    fn put_checkpoint(&self, tenant: TenantId, size: u64, note: Bytes) -> Answer<()>;

    /// Writes a side row.
    fn side_put(&self, tenant: TenantId, table: u8, row: SideRow) -> Answer<()>;
    /// Reads a side row, expired or not.
    fn side_get(&self, tenant: TenantId, table: u8, key: [u8; 32]) -> Answer<Option<SideRow>>;
    /// Deletes a side row. Answers whether it was there.
    fn side_delete(&self, tenant: TenantId, table: u8, key: [u8; 32]) -> Answer<bool>;
    /// All rows of a side table.
    fn side_list(&self, tenant: TenantId, table: u8) -> Answer<Vec<SideRow>>;
    /// Deletes side rows that expired before `now` (microseconds), and idempotency keys that may be forgotten.
    fn purge(&self, now: i64) -> Answer<u64>;

    /// Counts.
    fn stats(&self) -> Answer<StoreStats>;
    /// The store's own structural check; one line for each fault.
    fn check(&self) -> Answer<Vec<String>>;
    /// Writes a consistent copy of the whole store to a new file, in a format that every kind of store restores.
    fn backup(&self, to: std::path::PathBuf) -> Answer<()>;
    /// Fills this store, which must be empty, with what `backup` wrote: all of it or, on any error, nothing. A store that
    /// keeps nothing need not.
    fn restore(&self, _from: std::path::PathBuf) -> Answer<()> {
        Box::pin(async { Err(RecordError::Store("this kind of store cannot be filled from an archive".into())) })
    }
}
