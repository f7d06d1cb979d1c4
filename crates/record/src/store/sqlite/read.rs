//! The queries.

use bytes::Bytes;
use keepwell_model::{RecordId, Seq, Stream, TenantId};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::commit::Head;
use crate::store::{AliasRow, BlockRow, HeadRow, PendingLeaf, RecordRow, SideRow, StoreStats};

const RECORD: &str = "tenant, wrapped, care_seq, care_hash, care_next, care_tag, access_seq, access_hash, access_next, \
                      access_tag, merged, merged_tag, erased";

fn bytes(row: &Row<'_>, column: usize) -> rusqlite::Result<Bytes> {
    Ok(Bytes::from(row.get::<_, Vec<u8>>(column)?))
}

fn id(row: &Row<'_>, column: usize) -> rusqlite::Result<RecordId> {
    Ok(RecordId::from_bytes(row.get(column)?))
}

fn head(row: &Row<'_>, at: usize) -> rusqlite::Result<HeadRow> {
    let hash: Option<[u8; 32]> = row.get(at + 1)?;
    let tag: Option<[u8; 16]> = row.get(at + 3)?;
    Ok(HeadRow {
        head: Head { seq: Seq(row.get(at)?), hash: hash.unwrap_or_default() },
        next_number: row.get(at + 2)?,
        tag: tag.unwrap_or_default(),
    })
}

fn record_row(row: &Row<'_>, at: usize) -> rusqlite::Result<RecordRow> {
    let merged: Option<[u8; 10]> = row.get(at + 10)?;
    let merged_tag: Option<[u8; 16]> = row.get(at + 11)?;
    Ok(RecordRow {
        tenant: TenantId(row.get(at)?),
        wrapped: bytes(row, at + 1)?,
        care: head(row, at + 2)?,
        access: head(row, at + 6)?,
        merged: merged.map(|record| (RecordId::from_bytes(record), merged_tag.unwrap_or_default())),
        erased: row.get(at + 12)?,
    })
}

pub(super) fn tenant(c: &Connection, tenant: TenantId) -> rusqlite::Result<Option<(Bytes, String)>> {
    c.prepare_cached("SELECT wrapped, name FROM tenant WHERE tenant = ?1")?
        .query_row([tenant.0], |row| Ok((bytes(row, 0)?, row.get(1)?)))
        .optional()
}

pub(super) fn tenants(c: &Connection) -> rusqlite::Result<Vec<TenantId>> {
    c.prepare_cached("SELECT tenant FROM tenant ORDER BY tenant")?
        .query_map([], |row| Ok(TenantId(row.get(0)?)))?
        .collect()
}

pub(super) fn record(c: &Connection, record: RecordId) -> rusqlite::Result<Option<RecordRow>> {
    c.prepare_cached(&format!("SELECT {RECORD} FROM record WHERE record = ?1"))?
        .query_row([record.as_bytes()], |row| record_row(row, 0))
        .optional()
}

pub(super) fn records(
    c: &Connection,
    tenant: TenantId,
    after: Option<RecordId>,
    limit: u32,
) -> rusqlite::Result<Vec<(RecordId, RecordRow)>> {
    let after = after.map_or_else(Vec::new, |record| record.as_bytes().to_vec());
    c.prepare_cached(&format!(
        "SELECT record, {RECORD} FROM record WHERE record > ?1 AND tenant = ?2 ORDER BY record LIMIT ?3"
    ))?
    .query_map(params![after, tenant.0, limit], |row| Ok((id(row, 0)?, record_row(row, 1)?)))?
    .collect()
}

pub(super) fn blocks(
    c: &Connection,
    record: RecordId,
    stream: Stream,
    from: Seq,
    limit: u32,
) -> rusqlite::Result<Vec<BlockRow>> {
    c.prepare_cached(
        "SELECT b.seq, b.block, l.leaf FROM block b LEFT JOIN log_leaf l USING (record, stream, seq) \
         WHERE b.record = ?1 AND b.stream = ?2 AND b.seq >= ?3 ORDER BY b.seq LIMIT ?4",
    )?
    .query_map(params![record.as_bytes(), stream.code(), from.0, limit], |row| {
        Ok(BlockRow { seq: Seq(row.get(0)?), block: bytes(row, 1)?, leaf: row.get(2)? })
    })?
    .collect()
}

pub(super) fn merged_into(c: &Connection, record: RecordId) -> rusqlite::Result<Vec<RecordId>> {
    c.prepare_cached("SELECT record FROM record WHERE merged = ?1 ORDER BY record")?
        .query_map([record.as_bytes()], |row| id(row, 0))?
        .collect()
}

pub(super) fn stubs(c: &Connection, tenant: TenantId) -> rusqlite::Result<Vec<(RecordId, Bytes)>> {
    c.prepare_cached("SELECT record, stub FROM erasure WHERE tenant = ?1 ORDER BY record")?
        .query_map([tenant.0], |row| Ok((id(row, 0)?, bytes(row, 1)?)))?
        .collect()
}

pub(super) fn alias(
    c: &Connection,
    tenant: TenantId,
    index: [u8; 32],
) -> rusqlite::Result<Option<(RecordId, [u8; 16])>> {
    c.prepare_cached("SELECT record, tag FROM alias WHERE tenant = ?1 AND idx = ?2")?
        .query_row(params![tenant.0, index], |row| Ok((id(row, 0)?, row.get(1)?)))
        .optional()
}

pub(super) fn aliases(
    c: &Connection,
    tenant: TenantId,
    after: Option<[u8; 32]>,
    limit: u32,
) -> rusqlite::Result<Vec<AliasRow>> {
    let after = after.map_or_else(Vec::new, |index| index.to_vec());
    c.prepare_cached("SELECT idx, record, tag FROM alias WHERE tenant = ?1 AND idx > ?2 ORDER BY idx LIMIT ?3")?
        .query_map(params![tenant.0, after, limit], |row| Ok((row.get(0)?, id(row, 1)?, row.get(2)?)))?
        .collect()
}

pub(super) fn aliases_of(c: &Connection, record: RecordId) -> rusqlite::Result<Vec<([u8; 32], [u8; 16])>> {
    c.prepare_cached("SELECT idx, tag FROM alias WHERE record = ?1 ORDER BY idx")?
        .query_map([record.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

pub(super) fn snapshot_part(
    c: &Connection,
    record: RecordId,
    stream: Stream,
    part: u32,
) -> rusqlite::Result<Option<Bytes>> {
    c.prepare_cached("SELECT bytes FROM snapshot WHERE record = ?1 AND stream = ?2 AND part = ?3")?
        .query_row(params![record.as_bytes(), stream.code(), part], |row| bytes(row, 0))
        .optional()
}

pub(super) fn pending_leaves(c: &Connection, tenant: TenantId, limit: u32) -> rusqlite::Result<Vec<PendingLeaf>> {
    c.prepare_cached("SELECT row, record, stream, seq, hash FROM log_pending WHERE tenant = ?1 ORDER BY row LIMIT ?2")?
        .query_map(params![tenant.0, limit], |row| {
            let stream: u8 = row.get(2)?;
            Ok(PendingLeaf {
                row: row.get(0)?,
                record: id(row, 1)?,
                stream: Stream::from_code(stream)
                    .ok_or(rusqlite::Error::IntegralValueOutOfRange(2, i64::from(stream)))?,
                seq: Seq(row.get(3)?),
                hash: row.get(4)?,
            })
        })?
        .collect()
}

pub(super) fn log_size(c: &Connection, tenant: TenantId) -> rusqlite::Result<u64> {
    let size: Option<u64> = c
        .prepare_cached("SELECT log_size FROM tenant WHERE tenant = ?1")?
        .query_row([tenant.0], |row| row.get(0))
        .optional()?;
    Ok(size.unwrap_or(0))
}

pub(super) fn log_tile(c: &Connection, tenant: TenantId, level: u8, number: u64) -> rusqlite::Result<Option<Bytes>> {
    c.prepare_cached("SELECT bytes FROM log_tile WHERE tenant = ?1 AND level = ?2 AND number = ?3")?
        .query_row(params![tenant.0, level, number], |row| bytes(row, 0))
        .optional()
}

pub(super) fn checkpoint(c: &Connection, tenant: TenantId) -> rusqlite::Result<Option<Bytes>> {
    let note: Option<Option<Vec<u8>>> = c
        .prepare_cached("SELECT checkpoint FROM tenant WHERE tenant = ?1")?
        .query_row([tenant.0], |row| row.get(0))
        .optional()?;
    Ok(note.flatten().map(Bytes::from))
}

fn side_row(row: &Row<'_>) -> rusqlite::Result<SideRow> {
    Ok(SideRow { key: row.get(0)?, value: bytes(row, 1)?, expires: row.get(2)? })
}

pub(super) fn side_get(
    c: &Connection,
    tenant: TenantId,
    table: u8,
    key: [u8; 32],
) -> rusqlite::Result<Option<SideRow>> {
    c.prepare_cached("SELECT key, value, expires FROM side WHERE tenant = ?1 AND side = ?2 AND key = ?3")?
        .query_row(params![tenant.0, table, key], side_row)
        .optional()
}

pub(super) fn side_list(c: &Connection, tenant: TenantId, table: u8) -> rusqlite::Result<Vec<SideRow>> {
    c.prepare_cached("SELECT key, value, expires FROM side WHERE tenant = ?1 AND side = ?2 ORDER BY key")?
        .query_map(params![tenant.0, table], side_row)?
        .collect()
}

pub(super) fn stats(c: &Connection) -> rusqlite::Result<StoreStats> {
    let one = |sql: &str| c.query_row(sql, [], |row| row.get::<_, u64>(0));
    let (pages, size): (u64, u64) = (one("PRAGMA page_count")?, one("PRAGMA page_size")?);
    Ok(StoreStats {
        records: one("SELECT count(*) FROM record WHERE NOT erased")?,
        erased: one("SELECT count(*) FROM record WHERE erased")?,
        blocks: one("SELECT count(*) FROM block")?,
        block_bytes: one("SELECT coalesce(sum(length(block)), 0) FROM block")?,
        snapshot_bytes: one("SELECT coalesce(sum(length(bytes)), 0) FROM snapshot")?,
        aliases: one("SELECT count(*) FROM alias")?,
        disk_bytes: pages * size,
    })
}

pub(super) fn check(c: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = c.prepare("PRAGMA integrity_check(50)")?;
    let lines: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(lines.into_iter().filter(|line| line != "ok").collect())
}
