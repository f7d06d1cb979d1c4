//! The writes of more than one statement, other than appending.

use bytes::Bytes;
use deadpool_postgres::Object;
use futures_util::FutureExt as _;
use keepwell_model::{RecordId, Stream, TenantId};

use super::fault::Fault;
use super::session::{BEGIN, Outcome, Param, Sessions, params, refs};
use crate::RecordError;
use crate::store::{LogAppend, SnapshotPart};

pub(super) const NEW_TENANT: &str =
    "INSERT INTO tenant (tenant, name, wrapped) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
pub(super) const CHANGE_TENANT: &str = "UPDATE tenant SET wrapped = $4, name = $2 WHERE tenant = $1 AND wrapped = $3";
pub(super) const REWRAP: &str = "UPDATE record SET wrapped = $3 WHERE record = $1 AND wrapped = $2 AND NOT erased";
pub(super) const PUT_CHECKPOINT: &str =
    "UPDATE tenant SET checkpoint = $3, checkpoint_size = $2 WHERE tenant = $1 AND checkpoint_size <= $2";
pub(super) const SIDE_PUT: &str = "INSERT INTO side (tenant, side, key, value, expires) VALUES ($1, $2, $3, $4, $5) \
    ON CONFLICT (tenant, side, key) DO UPDATE SET value = EXCLUDED.value, expires = EXCLUDED.expires";
pub(super) const SIDE_DELETE: &str = "DELETE FROM side WHERE tenant = $1 AND side = $2 AND key = $3";
pub(super) const PURGE_SIDE: &str = "DELETE FROM side WHERE expires < $1";
pub(super) const PURGE_KEYS: &str = "DELETE FROM idempotency WHERE forget_after < $1";

async fn run(session: &Object, sql: &str, params: Vec<Param<'_>>) -> Result<u64, Fault> {
    let statement = session.prepare_cached(sql).await?;
    Ok(session.execute(&statement, &refs(&params)).await?)
}

/// A single statement that must not run twice: its answer says whether it was this call that changed something.
pub(super) async fn once(
    sessions: &Sessions,
    sql: &'static str,
    params: Vec<Param<'static>>,
) -> Result<bool, RecordError> {
    sessions.transaction(&(sql, params), |session, (sql, params)| change(session, sql, params).boxed()).await
}

async fn change(session: &Object, sql: &str, params: &[Param<'_>]) -> Result<Outcome<bool>, Fault> {
    session.batch_execute(BEGIN).await?;
    let statement = session.prepare_cached(sql).await?;
    let changed = session.execute(&statement, &refs(params)).await?;
    Ok(if changed == 1 { Outcome::Commit(true) } else { Outcome::Undo(false) })
}

/// Destroys a record in one transaction, then gives the space back. What was deleted stays in the write-ahead log and in
/// backups until those age out, unreadable: its keys are gone.
pub(super) async fn erase(
    sessions: &Sessions,
    tenant: TenantId,
    record: RecordId,
    stub: Bytes,
) -> Result<(), RecordError> {
    let context = (tenant, record, stub);
    let mut tables = sessions
        .transaction(&context, |session, (tenant, record, stub)| erase_rows(session, *tenant, *record, stub).boxed())
        .await?;
    tables.extend(["snapshot", "alias", "record"].map(str::to_owned));
    if let Err(fault) = vacuum(sessions, &tables).await {
        // The erasure stands; the server's own vacuum comes round later.
        tracing::warn!(record.id = %record, "after an erasure: {}", RecordError::from(fault));
    }
    Ok(())
}

/// Answers the partitions that held the record's blocks.
async fn erase_rows(
    session: &Object,
    tenant: TenantId,
    record: RecordId,
    stub: &Bytes,
) -> Result<Outcome<Vec<String>>, Fault> {
    let (id, tenant) = (record.as_bytes(), i64::from(tenant.0));
    session.batch_execute(BEGIN).await?;
    // Whoever appends to the record or folds it waits here, and then finds it erased.
    run(session, "SELECT 1 FROM record WHERE record = $1 FOR UPDATE", params![&id[..]]).await?;
    let sql = "WITH gone AS (DELETE FROM block WHERE record = $1 RETURNING tableoid) \
               SELECT DISTINCT tableoid::regclass::text FROM gone";
    let rows = session.query(&session.prepare_cached(sql).await?, &[&&id[..]]).await?;
    let partitions = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?;
    for sql in ["DELETE FROM snapshot WHERE record = $1", "DELETE FROM alias WHERE record = $1"] {
        run(session, sql, params![&id[..]]).await?;
    }
    let sql = "UPDATE record SET wrapped = '', erased = true, merged = NULL, merged_tag = NULL \
               WHERE record = $1 AND tenant = $2";
    run(session, sql, params![&id[..], tenant]).await?;
    let sql = "INSERT INTO erasure (record, tenant, stub) VALUES ($1, $2, $3) \
               ON CONFLICT (record) DO UPDATE SET tenant = EXCLUDED.tenant, stub = EXCLUDED.stub";
    run(session, sql, params![&id[..], tenant, &stub[..]]).await?;
    Ok(Outcome::Commit(partitions))
}

async fn vacuum(sessions: &Sessions, tables: &[String]) -> Result<(), Fault> {
    let session = sessions.get().await?;
    for table in tables {
        // Where another vacuum is at work already, that one will do.
        session.batch_execute(&format!("VACUUM (SKIP_LOCKED) {table}")).await?;
    }
    Ok(())
}

/// A snapshot's change.
pub(super) struct Fold {
    pub(super) record: RecordId,
    pub(super) stream: Stream,
    pub(super) put: Vec<SnapshotPart>,
    pub(super) drop: Vec<u32>,
}

pub(super) async fn put_snapshot(sessions: &Sessions, fold: Fold) -> Result<(), RecordError> {
    sessions.transaction(&fold, |session, fold| fold_rows(session, fold).boxed()).await
}

async fn fold_rows(session: &Object, fold: &Fold) -> Result<Outcome<()>, Fault> {
    let (record, stream) = (&fold.record.as_bytes()[..], i16::from(fold.stream.code()));
    session.batch_execute(BEGIN).await?;
    // The record may have been erased since the snapshot was made; then nothing of it may come back. This lock keeps an
    // erasure out until the end, but no append.
    let sql = "SELECT 1 FROM record WHERE record = $1 AND NOT erased FOR KEY SHARE";
    if run(session, sql, params![record]).await? == 0 {
        return Ok(Outcome::Undo(()));
    }
    let drop: Vec<i64> = fold.drop.iter().map(|&part| i64::from(part)).collect();
    let sql = "DELETE FROM snapshot WHERE record = $1 AND stream = $2 AND part = ANY ($3::bigint[])";
    run(session, sql, params![record, stream, drop]).await?;
    let mut put: Vec<&SnapshotPart> = fold.put.iter().collect();
    // Part 0 first: of two nodes that fold at once, one waits there for the other's whole snapshot.
    put.sort_unstable_by_key(|part| part.part);
    for part in put {
        let sql = "INSERT INTO snapshot (record, stream, part, bytes) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (record, stream, part) DO UPDATE SET bytes = EXCLUDED.bytes";
        run(session, sql, params![record, stream, i64::from(part.part), &part.bytes[..]]).await?;
    }
    Ok(Outcome::Commit(()))
}

/// Takes leaves into the log. The lock on the tenant's row lets one node at a time do it; rows of transactions that
/// committed meanwhile are simply not in this batch. Only what still waits can be taken, so nothing is taken twice.
pub(super) async fn extend_log(sessions: &Sessions, append: LogAppend) -> Result<bool, RecordError> {
    sessions.transaction(&append, |session, append| extend_rows(session, append).boxed()).await
}

async fn extend_rows(session: &Object, append: &LogAppend) -> Result<Outcome<bool>, Fault> {
    let tenant = i64::from(append.tenant.0);
    let from = i64::try_from(append.from).expect("a log is far below 2^63 leaves");
    session.batch_execute(BEGIN).await?;
    let sql = "SELECT 1 FROM tenant WHERE tenant = $1 AND log_size = $2 FOR NO KEY UPDATE";
    if run(session, sql, params![tenant, from]).await? == 0 {
        return Ok(Outcome::Undo(false));
    }
    let leaves = &append.leaves;
    let rows: Vec<i64> = leaves.iter().map(|leaf| leaf.row).collect();
    let sql = "DELETE FROM log_pending WHERE tenant = $1 AND row = ANY ($2::bigint[])";
    if run(session, sql, params![tenant, rows]).await? != leaves.len() as u64 {
        return Ok(Outcome::Undo(false));
    }
    let records: Vec<&[u8]> = leaves.iter().map(|leaf| &leaf.record.as_bytes()[..]).collect();
    let streams: Vec<i16> = leaves.iter().map(|leaf| i16::from(leaf.stream.code())).collect();
    let seqs: Vec<i64> = leaves.iter().map(|leaf| i64::try_from(leaf.seq.0).unwrap_or(i64::MAX)).collect();
    let sql = "INSERT INTO log_leaf (record, stream, seq, leaf) \
               SELECT n.record, n.stream, n.seq, $4::bigint + n.at - 1 \
               FROM unnest($1::bytea[], $2::smallint[], $3::bigint[]) WITH ORDINALITY AS n (record, stream, seq, at)";
    run(session, sql, params![records, streams, seqs, from]).await?;
    for (level, number, bytes) in &append.tiles {
        let number = i64::try_from(*number).expect("tiles are fewer than leaves");
        let sql = "INSERT INTO log_tile (tenant, level, number, bytes) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (tenant, level, number) DO UPDATE SET bytes = EXCLUDED.bytes";
        run(session, sql, params![tenant, i16::from(*level), number, &bytes[..]]).await?;
    }
    let size = from + i64::try_from(leaves.len()).expect("a batch is small");
    run(session, "UPDATE tenant SET log_size = $2 WHERE tenant = $1", params![tenant, size]).await?;
    Ok(Outcome::Commit(true))
}
