//! The embedded store: one SQLite file in WAL mode with `synchronous=FULL`, one writer thread with group commit, many
//! readers. A lock file beside the database keeps a second process out.

mod append;
mod archive;
mod page_sums;
mod read;
mod revisions;
mod schema;
mod wal;
mod write;
mod writer;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use keepwell_model::{RecordId, Seq, Stream, TenantId};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::{
    AliasRow, Answer, Append, AppendPart, Appended, BlockRow, LogAppend, PendingLeaf, RecordRow, SideRow, SnapshotPart,
    Store, StoreStats,
};
use crate::RecordError;
pub(crate) use append::{decode_blocks, encode_blocks};
use page_sums::{Checkpoint, PageSums};
use revisions::Revisions;
use writer::Writer;

/// How many idle read connections are kept.
const READERS: usize = 8;
/// So many blocks are read where they are asked for; more than that on another thread.
const FEW: u32 = 64;
/// Pages of cache of the writer and of each reader, in KiB (SQLite's negative form).
const CACHE_KIB: i64 = -2048;

/// The embedded store.
pub struct SqliteStore {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    writer: Writer,
    revisions: Arc<Revisions>,
    sums: Arc<Mutex<PageSums>>,
    readers: Mutex<Vec<Connection>>,
    // Held for its lock, which ends with the process however it ends.
    _lock: [File; 2],
}

/// Turns an SQLite error into the engine's: what the caller can do about it decides.
pub(crate) fn store_error(error: &rusqlite::Error) -> RecordError {
    use rusqlite::ErrorCode;
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => RecordError::Full,
        Some(ErrorCode::ReadOnly) => RecordError::ReadOnly,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            RecordError::DamagedStore { what: "database file", why: error.to_string() }
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            RecordError::InUse(format!("another program holds the database file: {error}"))
        }
        _ => RecordError::Store(error.to_string()),
    }
}

impl From<rusqlite::Error> for RecordError {
    fn from(error: rusqlite::Error) -> Self {
        store_error(&error)
    }
}

impl SqliteStore {
    /// Opens the store in a file, which is created if it is not there, and runs missing migrations.
    ///
    /// # Errors
    /// [`RecordError::InUse`] if another process has it open, [`RecordError::Migration`] if a newer program wrote it,
    /// [`RecordError::ReadOnly`], [`RecordError::Full`] or [`RecordError::Store`] if the file system refuses.
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        Self::open_with(path, true)
    }

    /// Opens the store; unless `migrate` is set, a file of an older format is refused instead of brought up to date.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub fn open_with(path: &Path, migrate: bool) -> Result<Self, RecordError> {
        let lock = lock(path)?;
        let mut sums = PageSums::open(path)?;
        let mut connection = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        schema::prepare(&connection)?;
        schema::migrate(&mut connection, migrate)?;
        match sums.recover(&connection) {
            // Reading still works, and writing will once there is space.
            Err(RecordError::Full) => tracing::warn!("the disk is full; the write-ahead log stays as it is for now"),
            other => other?,
        }
        let sums = Arc::new(Mutex::new(sums));
        let inner = Inner {
            path: path.to_owned(),
            writer: Writer::start(connection, Arc::clone(&sums))?,
            revisions: Arc::default(),
            sums,
            readers: Mutex::new(Vec::new()),
            _lock: lock,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Runs a query of a row or a few on one of the read connections, where it is called: a handful of microseconds from
    /// memory, which is less than handing it to another thread and back costs.
    fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Answer<T> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move { inner.query(query) })
    }

    /// Queues a write of so many bytes that changes what readers see of these records.
    fn change<T: Send + 'static>(
        &self,
        records: Vec<RecordId>,
        size: usize,
        task: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Answer<T> {
        let revisions = Arc::clone(&self.inner.revisions);
        records.iter().for_each(|record| revisions.begin(*record));
        let after = move || records.into_iter().for_each(|record| revisions.end(record));
        self.inner.writer.inside(size, task, after)
    }

    /// Runs a query that may take its time on a thread of its own.
    fn read_much<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Answer<T> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move {
            tokio::task::spawn_blocking(move || inner.query(query))
                .await
                .unwrap_or_else(|_| Err(RecordError::Store("the reading thread stopped".into())))
        })
    }
}

impl Inner {
    fn query<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, RecordError> {
        let connection = self.reader()?;
        let answer = query(&connection).map_err(|error| store_error(&error));
        self.give_back(connection);
        answer
    }

    fn reader(&self) -> Result<Connection, RecordError> {
        if let Some(connection) = self.readers.lock().expect("no panic while held").pop() {
            return Ok(connection);
        }
        let connection = Connection::open_with_flags(
            &self.path,
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        connection.pragma_update(None, "cache_size", CACHE_KIB)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        // Otherwise a statement with a bound LIMIT is compiled anew each time it runs.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.set_prepared_statement_cache_capacity(32);
        Ok(connection)
    }

    fn give_back(&self, connection: Connection) {
        let mut readers = self.readers.lock().expect("no panic while held");
        if readers.len() < READERS {
            readers.push(connection);
        }
    }
}

/// Takes the lock beside the database, and one on the database itself, which may have a second name; the operating system
/// lets go of them when the process ends.
fn lock(path: &Path) -> Result<[File; 2], RecordError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    Ok([lock_file(path, &PathBuf::from(name))?, lock_file(path, path)?])
}

fn lock_file(path: &Path, lock_path: &Path) -> Result<File, RecordError> {
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(lock_path).map_err(|error| match error.kind() {
        std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::PermissionDenied => RecordError::ReadOnly,
        std::io::ErrorKind::StorageFull => RecordError::Full,
        _ => RecordError::Store(format!("{} cannot be opened: {error}", lock_path.display())),
    })?;
    file.try_lock().map_err(|_| {
        RecordError::InUse(format!(
            "{} is in use by another keepwell process. Stop that one first (for commands that a running server takes, \
             leave it running and give the same --dir)",
            path.display()
        ))
    })?;
    Ok(file)
}

impl Store for SqliteStore {
    fn kind(&self) -> &'static str {
        "sqlite"
    }

    fn keeps_order(&self) -> bool {
        true
    }

    fn revision(&self, record: RecordId) -> Option<u64> {
        self.inner.revisions.of(record)
    }

    fn tenant(&self, tenant: TenantId) -> Answer<Option<(Bytes, String)>> {
        self.read(move |c| read::tenant(c, tenant))
    }

    fn tenants(&self) -> Answer<Vec<TenantId>> {
        self.read(read::tenants)
    }

    fn put_tenant(&self, tenant: TenantId, name: String, old: Option<Bytes>, new: Bytes) -> Answer<bool> {
        self.inner.writer.run(move |c| write::put_tenant(c, tenant, &name, old.as_deref(), &new))
    }

    fn record(&self, record: RecordId) -> Answer<Option<RecordRow>> {
        self.read(move |c| read::record(c, record))
    }

    fn records(&self, tenant: TenantId, after: Option<RecordId>, limit: u32) -> Answer<Vec<(RecordId, RecordRow)>> {
        self.read_much(move |c| read::records(c, tenant, after, limit))
    }

    fn append(&self, append: Append) -> Answer<Appended> {
        let shown = |part: &&AppendPart| part.stream == Stream::Care || part.create.is_some() || part.merged.is_some();
        let changed = append.parts.iter().filter(shown).map(|part| part.record).collect();
        let size = append.parts.iter().map(|part| part.block.len()).sum();
        self.change(changed, size, move |c| append::append(c, &append))
    }

    fn blocks(&self, record: RecordId, stream: Stream, from: Seq, limit: u32) -> Answer<Vec<BlockRow>> {
        let query = move |c: &Connection| read::blocks(c, record, stream, from, limit);
        if limit <= FEW { self.read(query) } else { self.read_much(query) }
    }

    fn rewrap(&self, record: RecordId, old: Bytes, new: Bytes) -> Answer<bool> {
        self.change(vec![record], 0, move |c| write::rewrap(c, record, &old, &new))
    }

    fn merged_into(&self, record: RecordId) -> Answer<Vec<RecordId>> {
        self.read(move |c| read::merged_into(c, record))
    }

    fn erase(&self, tenant: TenantId, record: RecordId, stub: Bytes) -> Answer<()> {
        let erased = self.change(vec![record], 0, move |c| write::erase(c, tenant, record, &stub));
        let sums = Arc::clone(&self.inner.sums);
        let compacted = self.inner.writer.outside(move |c| {
            write::give_back_space(c)?;
            sums.lock().expect("no panic while held").checkpoint(c, Checkpoint::Truncate)
        });
        Box::pin(async move {
            erased.await?;
            compacted.await
        })
    }

    fn stubs(&self, tenant: TenantId) -> Answer<Vec<(RecordId, Bytes)>> {
        self.read_much(move |c| read::stubs(c, tenant))
    }

    fn alias(&self, tenant: TenantId, index: [u8; 32]) -> Answer<Option<(RecordId, [u8; 16])>> {
        self.read(move |c| read::alias(c, tenant, index))
    }

    fn aliases(&self, tenant: TenantId, after: Option<[u8; 32]>, limit: u32) -> Answer<Vec<AliasRow>> {
        self.read_much(move |c| read::aliases(c, tenant, after, limit))
    }

    fn aliases_of(&self, record: RecordId) -> Answer<Vec<([u8; 32], [u8; 16])>> {
        self.read(move |c| read::aliases_of(c, record))
    }

    fn snapshot_part(&self, record: RecordId, stream: Stream, part: u32) -> Answer<Option<Bytes>> {
        self.read(move |c| read::snapshot_part(c, record, stream, part))
    }

    fn put_snapshot(&self, record: RecordId, stream: Stream, put: Vec<SnapshotPart>, drop: Vec<u32>) -> Answer<()> {
        self.inner.writer.run(move |c| write::put_snapshot(c, record, stream, &put, &drop))
    }

    fn pending_leaves(&self, tenant: TenantId, limit: u32) -> Answer<Vec<PendingLeaf>> {
        self.read_much(move |c| read::pending_leaves(c, tenant, limit))
    }

    fn log_size(&self, tenant: TenantId) -> Answer<u64> {
        self.read(move |c| read::log_size(c, tenant))
    }

    fn extend_log(&self, append: LogAppend) -> Answer<bool> {
        self.inner.writer.run(move |c| write::extend_log(c, &append))
    }

    fn log_tile(&self, tenant: TenantId, level: u8, number: u64) -> Answer<Option<Bytes>> {
        self.read(move |c| read::log_tile(c, tenant, level, number))
    }

    fn checkpoint(&self, tenant: TenantId) -> Answer<Option<Bytes>> {
        self.read(move |c| read::checkpoint(c, tenant))
    }

    fn put_checkpoint(&self, tenant: TenantId, size: u64, note: Bytes) -> Answer<()> {
        self.inner.writer.run(move |c| write::put_checkpoint(c, tenant, size, &note))
    }

    fn side_put(&self, tenant: TenantId, table: u8, row: SideRow) -> Answer<()> {
        self.inner.writer.run(move |c| write::side_put(c, tenant, table, &row))
    }

    fn side_get(&self, tenant: TenantId, table: u8, key: [u8; 32]) -> Answer<Option<SideRow>> {
        self.read(move |c| read::side_get(c, tenant, table, key))
    }

    fn side_delete(&self, tenant: TenantId, table: u8, key: [u8; 32]) -> Answer<bool> {
        self.inner.writer.run(move |c| write::side_delete(c, tenant, table, key))
    }

    fn side_list(&self, tenant: TenantId, table: u8) -> Answer<Vec<SideRow>> {
        self.read_much(move |c| read::side_list(c, tenant, table))
    }

    fn purge(&self, now: i64) -> Answer<u64> {
        self.inner.writer.run(move |c| write::purge(c, now))
    }

    fn stats(&self) -> Answer<StoreStats> {
        self.read_much(read::stats)
    }

    fn check(&self) -> Answer<Vec<String>> {
        let sums = Arc::clone(&self.inner.sums);
        // First the log, whose pages are verified as they are moved; then the whole file.
        let moved = self.inner.writer.outside({
            let sums = Arc::clone(&sums);
            move |c| Ok(sums.lock().expect("no panic while held").checkpoint(c, Checkpoint::Passive).err())
        });
        let structure = self.read_much(read::check);
        Box::pin(async move {
            let mut lines: Vec<String> = moved.await?.iter().map(ToString::to_string).collect();
            lines.extend(structure.await?);
            let sound = lines.is_empty();
            let pages = tokio::task::spawn_blocking(move || page_sums::check(&sums, sound)).await;
            lines.extend(pages.unwrap_or_else(|_| Err(RecordError::Store("the reading thread stopped".into())))?);
            Ok(lines)
        })
    }

    fn backup(&self, to: PathBuf) -> Answer<()> {
        let written = self.read_much(move |c| Ok(archive::write(c, &to)));
        Box::pin(async move { written.await? })
    }

    fn restore(&self, from: PathBuf) -> Answer<()> {
        self.inner.writer.outside(move |c| archive::read(c, &from))
    }
}
