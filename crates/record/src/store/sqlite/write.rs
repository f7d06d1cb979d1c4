//! The writes other than appending. Each runs inside the writer's transaction.

use keepwell_model::{RecordId, Stream, TenantId};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::RecordError;
use crate::store::{LogAppend, SideRow, SnapshotPart};

pub(super) fn put_tenant(
    c: &Connection,
    tenant: TenantId,
    name: &str,
    old: Option<&[u8]>,
    new: &[u8],
) -> rusqlite::Result<bool> {
    let changed = match old {
        None => c.execute(
            "INSERT OR IGNORE INTO tenant (tenant, name, wrapped) VALUES (?1, ?2, ?3)",
            params![tenant.0, name, new],
        )?,
        Some(old) => c.execute(
            "UPDATE tenant SET wrapped = ?3, name = ?4 WHERE tenant = ?1 AND wrapped = ?2",
            params![tenant.0, old, new, name],
        )?,
    };
    Ok(changed == 1)
}

pub(super) fn rewrap(c: &Connection, record: RecordId, old: &[u8], new: &[u8]) -> rusqlite::Result<bool> {
    let changed = c
        .prepare_cached("UPDATE record SET wrapped = ?3 WHERE record = ?1 AND wrapped = ?2 AND NOT erased")?
        .execute(params![record.as_bytes(), old, new])?;
    Ok(changed == 1)
}

pub(super) fn erase(c: &Connection, tenant: TenantId, record: RecordId, stub: &[u8]) -> rusqlite::Result<()> {
    let id = record.as_bytes();
    for table in ["block", "snapshot", "alias"] {
        c.execute(&format!("DELETE FROM {table} WHERE record = ?1"), [id])?;
    }
    c.execute(
        "UPDATE record SET wrapped = x'', erased = 1, merged = NULL, merged_tag = NULL WHERE record = ?1 AND tenant = ?2",
        params![id, tenant.0],
    )?;
    c.execute(
        "INSERT OR REPLACE INTO erasure (record, tenant, stub) VALUES (?1, ?2, ?3)",
        params![id, tenant.0, stub],
    )?;
    Ok(())
}

/// After an erasure: free pages go back to the file system. Emptying the log, which still holds older pages, is next.
pub(super) fn give_back_space(c: &Connection) -> Result<(), RecordError> {
    let mut statement = c.prepare("PRAGMA incremental_vacuum")?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}

pub(super) fn put_snapshot(
    c: &Connection,
    record: RecordId,
    stream: Stream,
    put: &[SnapshotPart],
    drop: &[u32],
) -> rusqlite::Result<()> {
    // The record may have been erased since the snapshot was made; then nothing of it may come back.
    let live: Option<bool> = c
        .prepare_cached("SELECT NOT erased FROM record WHERE record = ?1")?
        .query_row([record.as_bytes()], |row| row.get(0))
        .optional()?;
    if live != Some(true) {
        return Ok(());
    }
    for part in drop {
        c.prepare_cached("DELETE FROM snapshot WHERE record = ?1 AND stream = ?2 AND part = ?3")?.execute(params![
            record.as_bytes(),
            stream.code(),
            part
        ])?;
    }
    for part in put {
        c.prepare_cached("INSERT OR REPLACE INTO snapshot (record, stream, part, bytes) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![record.as_bytes(), stream.code(), part.part, &part.bytes[..]])?;
    }
    Ok(())
}

pub(super) fn extend_log(c: &Connection, append: &LogAppend) -> rusqlite::Result<bool> {
    let size = super::read::log_size(c, append.tenant)?;
    if size != append.from {
        return Ok(false);
    }
    for (leaf, index) in append.leaves.iter().zip(append.from..) {
        c.prepare_cached("DELETE FROM log_pending WHERE row = ?1")?.execute([leaf.row])?;
        c.prepare_cached("INSERT INTO log_leaf (record, stream, seq, leaf) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![leaf.record.as_bytes(), leaf.stream.code(), leaf.seq.0, index])?;
    }
    for (level, number, bytes) in &append.tiles {
        c.prepare_cached("INSERT OR REPLACE INTO log_tile (tenant, level, number, bytes) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![append.tenant.0, level, number, &bytes[..]])?;
    }
    c.prepare_cached("UPDATE tenant SET log_size = ?2 WHERE tenant = ?1")?
        .execute(params![append.tenant.0, append.from + append.leaves.len() as u64])?;
    Ok(true)
}

pub(super) fn put_checkpoint(c: &Connection, tenant: TenantId, size: u64, note: &[u8]) -> rusqlite::Result<()> {
    c.prepare_cached(
        "UPDATE tenant SET checkpoint = ?3, checkpoint_size = ?2 WHERE tenant = ?1 AND checkpoint_size <= ?2",
    )?
    .execute(params![tenant.0, size, note])?;
    Ok(())
}

pub(super) fn side_put(c: &Connection, tenant: TenantId, table: u8, row: &SideRow) -> rusqlite::Result<()> {
    c.prepare_cached("INSERT OR REPLACE INTO side (tenant, side, key, value, expires) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![tenant.0, table, row.key, &row.value[..], row.expires])?;
    Ok(())
}

pub(super) fn side_delete(c: &Connection, tenant: TenantId, table: u8, key: [u8; 32]) -> rusqlite::Result<bool> {
    let changed = c
        .prepare_cached("DELETE FROM side WHERE tenant = ?1 AND side = ?2 AND key = ?3")?
        .execute(params![tenant.0, table, key])?;
    Ok(changed == 1)
}

pub(super) fn purge(c: &Connection, now: i64) -> rusqlite::Result<u64> {
    let sides = c.execute("DELETE FROM side WHERE expires < ?1", [now])?;
    let day = now.div_euclid(86_400_000_000);
    let keys = c.execute("DELETE FROM idempotency WHERE forget_after < ?1", [day])?;
    Ok((sides + keys) as u64)
}
