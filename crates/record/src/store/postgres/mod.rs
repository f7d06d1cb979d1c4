//! The PostgreSQL store, for an installation of several nodes. The tables are those of SQLite; a commit is one transaction
//! whose statements travel together. Any number of nodes may use one database: every append names the head it stands on,
//! and the row of the record decides who was first.
//!
//! What PostgreSQL keeps: a deleted row stays in its page until vacuum has made the place free and something else is
//! written there, and it stays in the write-ahead log, in its archive (point-in-time recovery) and in base backups until
//! those are thrown away. Of an erased record these are only sealed bytes and a key wrapped under the tenant's: keep
//! archives no longer than the promise of erasure allows.
//!
//! Behind a connection pooler only session pooling works, for statements are prepared once per connection.

mod append;
mod archive;
mod check;
mod fault;
mod read;
mod schema;
mod session;
mod write;

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use keepwell_model::{RecordId, Seq, Stream, TenantId};
use tokio_postgres::Row;

use super::{
    AliasRow, Answer, Append, Appended, BlockRow, LogAppend, PendingLeaf, RecordRow, SideRow, SnapshotPart, Store,
    StoreStats,
};
use crate::RecordError;
use fault::Fault;
use session::{Param, Sessions, params};

/// How to connect.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// The schema of the tables; `None` for the first one of the connection's search path.
    pub schema: Option<String>,
    /// Whether tables may be made and brought up to date.
    pub migrate: bool,
    /// At most so many connections.
    pub connections: usize,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self { schema: None, migrate: true, connections: 32 }
    }
}

/// The store in a PostgreSQL database, version 15 or later.
pub struct PostgresStore {
    sessions: Arc<Sessions>,
}

impl PostgresStore {
    /// Connects to a database (`postgres://user@host/database?options=-csearch_path%3Dkeepwell`) and brings its tables up
    /// to date if that is allowed. With several hosts, the one that takes writes is used.
    ///
    /// # Errors
    /// [`RecordError::Migration`] if the tables are newer than this program, or older or missing and may not be changed;
    /// [`RecordError::Store`] if the server cannot be reached, is too old, or does not wait for its disk.
    pub async fn connect(url: &str, options: PostgresOptions) -> Result<Self, RecordError> {
        let sessions = Arc::new(Sessions::new(url, &options)?);
        sessions.warn().await?;
        schema::migrate(&sessions, options.migrate).await?;
        Ok(Self { sessions })
    }

    fn many<T: Send + 'static>(
        &self,
        sql: &'static str,
        params: Vec<Param<'static>>,
        read: fn(&Row) -> Result<T, Fault>,
    ) -> Answer<Vec<T>> {
        let sessions = Arc::clone(&self.sessions);
        Box::pin(async move {
            let rows = sessions.rows(sql, &params).await?;
            Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
        })
    }

    fn one<T: Send + 'static>(
        &self,
        sql: &'static str,
        params: Vec<Param<'static>>,
        read: fn(&Row) -> Result<T, Fault>,
    ) -> Answer<Option<T>> {
        let rows = self.many(sql, params, read);
        Box::pin(async move { Ok(rows.await?.into_iter().next()) })
    }

    /// A statement that may as well run twice.
    fn change(&self, sql: &'static str, params: Vec<Param<'static>>) -> Answer<u64> {
        let sessions = Arc::clone(&self.sessions);
        Box::pin(async move { Ok(sessions.execute(sql, &params).await?) })
    }

    /// Runs to its end even if the caller goes away, so that no connection is left in the middle of a transaction.
    fn whole<T, F>(&self, work: impl FnOnce(Arc<Sessions>) -> F + Send + 'static) -> Answer<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, RecordError>> + Send + 'static,
    {
        let sessions = Arc::clone(&self.sessions);
        Box::pin(async move {
            let stopped = |_| RecordError::Store("the writing task stopped".into());
            tokio::spawn(async move { work(sessions).await }).await.unwrap_or_else(|error| Err(stopped(error)))
        })
    }
}

fn id(record: RecordId) -> Vec<u8> {
    record.as_bytes().to_vec()
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn tenant_number(tenant: TenantId) -> i64 {
    i64::from(tenant.0)
}

fn stream_number(stream: Stream) -> i16 {
    i16::from(stream.code())
}

impl Store for PostgresStore {
    fn kind(&self) -> &'static str {
        "postgres"
    }

    fn keeps_order(&self) -> bool {
        false
    }

    fn tenant(&self, tenant: TenantId) -> Answer<Option<(Bytes, String)>> {
        self.one(read::TENANT, params![tenant_number(tenant)], read::tenant)
    }

    fn tenants(&self) -> Answer<Vec<TenantId>> {
        self.many(read::TENANTS, params![], read::tenant_id)
    }

    fn put_tenant(&self, tenant: TenantId, name: String, old: Option<Bytes>, new: Bytes) -> Answer<bool> {
        self.whole(move |sessions| async move {
            let (tenant, new) = (tenant_number(tenant), new.to_vec());
            match old {
                None => write::once(&sessions, write::NEW_TENANT, params![tenant, name, new]).await,
                Some(old) => {
                    write::once(&sessions, write::CHANGE_TENANT, params![tenant, name, old.to_vec(), new]).await
                }
            }
        })
    }

    fn record(&self, record: RecordId) -> Answer<Option<RecordRow>> {
        let row = self.one(read::RECORD, params![id(record)], read::record);
        Box::pin(async move { Ok(row.await?.map(|(_, row)| row)) })
    }

    fn records(&self, tenant: TenantId, after: Option<RecordId>, limit: u32) -> Answer<Vec<(RecordId, RecordRow)>> {
        let after = after.map_or_else(Vec::new, id);
        self.many(read::RECORDS, params![after, tenant_number(tenant), i64::from(limit)], read::record)
    }

    fn append(&self, append: Append) -> Answer<Appended> {
        self.whole(move |sessions| async move { append::append(&sessions, append).await })
    }

    fn blocks(&self, record: RecordId, stream: Stream, from: Seq, limit: u32) -> Answer<Vec<BlockRow>> {
        let params = params![id(record), stream_number(stream), signed(from.0), i64::from(limit)];
        self.many(read::BLOCKS, params, read::block)
    }

    fn rewrap(&self, record: RecordId, old: Bytes, new: Bytes) -> Answer<bool> {
        self.whole(move |sessions| async move {
            write::once(&sessions, write::REWRAP, params![id(record), old.to_vec(), new.to_vec()]).await
        })
    }

    fn merged_into(&self, record: RecordId) -> Answer<Vec<RecordId>> {
        self.many(read::MERGED_INTO, params![id(record)], read::id)
    }

    fn erase(&self, tenant: TenantId, record: RecordId, stub: Bytes) -> Answer<()> {
        self.whole(move |sessions| async move { write::erase(&sessions, tenant, record, stub).await })
    }

    fn stubs(&self, tenant: TenantId) -> Answer<Vec<(RecordId, Bytes)>> {
        self.many(read::STUBS, params![tenant_number(tenant)], read::stub)
    }

    fn alias(&self, tenant: TenantId, index: [u8; 32]) -> Answer<Option<(RecordId, [u8; 16])>> {
        let row = self.one(read::ALIAS, params![tenant_number(tenant), index.to_vec()], read::alias);
        Box::pin(async move { Ok(row.await?.map(|(_, record, tag)| (record, tag))) })
    }

    fn aliases(&self, tenant: TenantId, after: Option<[u8; 32]>, limit: u32) -> Answer<Vec<AliasRow>> {
        let after = after.map_or_else(Vec::new, |index| index.to_vec());
        self.many(read::ALIASES, params![tenant_number(tenant), after, i64::from(limit)], read::alias)
    }

    fn aliases_of(&self, record: RecordId) -> Answer<Vec<([u8; 32], [u8; 16])>> {
        let rows = self.many(read::ALIASES_OF, params![id(record)], read::alias);
        Box::pin(async move { Ok(rows.await?.into_iter().map(|(index, _, tag)| (index, tag)).collect()) })
    }

    fn snapshot_part(&self, record: RecordId, stream: Stream, part: u32) -> Answer<Option<Bytes>> {
        let params = params![id(record), stream_number(stream), i64::from(part)];
        self.one(read::SNAPSHOT_PART, params, read::first_bytes)
    }

    fn put_snapshot(&self, record: RecordId, stream: Stream, put: Vec<SnapshotPart>, drop: Vec<u32>) -> Answer<()> {
        let fold = write::Fold { record, stream, put, drop };
        self.whole(move |sessions| async move { write::put_snapshot(&sessions, fold).await })
    }

    fn pending_leaves(&self, tenant: TenantId, limit: u32) -> Answer<Vec<PendingLeaf>> {
        self.many(read::PENDING, params![tenant_number(tenant), i64::from(limit)], read::pending)
    }

    fn log_size(&self, tenant: TenantId) -> Answer<u64> {
        let size = self.one(read::LOG_SIZE, params![tenant_number(tenant)], read::first_number);
        Box::pin(async move { Ok(size.await?.unwrap_or(0)) })
    }

    fn extend_log(&self, append: LogAppend) -> Answer<bool> {
        self.whole(move |sessions| async move { write::extend_log(&sessions, append).await })
    }

    fn log_tile(&self, tenant: TenantId, level: u8, number: u64) -> Answer<Option<Bytes>> {
        let params = params![tenant_number(tenant), i16::from(level), signed(number)];
        self.one(read::LOG_TILE, params, read::first_bytes)
    }

    fn checkpoint(&self, tenant: TenantId) -> Answer<Option<Bytes>> {
        self.one(read::CHECKPOINT, params![tenant_number(tenant)], read::first_bytes)
    }

    fn put_checkpoint(&self, tenant: TenantId, size: u64, note: Bytes) -> Answer<()> {
        let changed = self.change(write::PUT_CHECKPOINT, params![tenant_number(tenant), signed(size), note.to_vec()]);
        Box::pin(async move { changed.await.map(drop) })
    }

    fn side_put(&self, tenant: TenantId, table: u8, row: SideRow) -> Answer<()> {
        let (key, value) = (row.key.to_vec(), row.value.to_vec());
        let params = params![tenant_number(tenant), i16::from(table), key, value, row.expires];
        let changed = self.change(write::SIDE_PUT, params);
        Box::pin(async move { changed.await.map(drop) })
    }

    fn side_get(&self, tenant: TenantId, table: u8, key: [u8; 32]) -> Answer<Option<SideRow>> {
        self.one(read::SIDE_GET, params![tenant_number(tenant), i16::from(table), key.to_vec()], read::side)
    }

    fn side_delete(&self, tenant: TenantId, table: u8, key: [u8; 32]) -> Answer<bool> {
        self.whole(move |sessions| async move {
            let params = params![tenant_number(tenant), i16::from(table), key.to_vec()];
            write::once(&sessions, write::SIDE_DELETE, params).await
        })
    }

    fn side_list(&self, tenant: TenantId, table: u8) -> Answer<Vec<SideRow>> {
        self.many(read::SIDE_LIST, params![tenant_number(tenant), i16::from(table)], read::side)
    }

    fn purge(&self, now: i64) -> Answer<u64> {
        let sides = self.change(write::PURGE_SIDE, params![now]);
        let keys = self.change(write::PURGE_KEYS, params![now.div_euclid(86_400_000_000)]);
        Box::pin(async move { Ok(sides.await? + keys.await?) })
    }

    fn stats(&self) -> Answer<StoreStats> {
        self.whole(move |sessions| async move { Ok(check::stats(&sessions).await?) })
    }

    fn check(&self) -> Answer<Vec<String>> {
        self.whole(move |sessions| async move { Ok(check::check(&sessions).await?) })
    }

    fn backup(&self, to: PathBuf) -> Answer<()> {
        self.whole(move |sessions| async move { Ok(archive::write(&sessions, to).await?) })
    }

    fn restore(&self, from: PathBuf) -> Answer<()> {
        self.whole(move |sessions| async move { archive::read(&sessions, from).await })
    }
}
