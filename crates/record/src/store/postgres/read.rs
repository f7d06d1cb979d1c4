//! The queries, and rows turned into what they mean.

use bytes::Bytes;
use keepwell_model::{RecordId, Seq, Stream, TenantId};
use tokio_postgres::Row;

use super::fault::Fault;
use crate::RecordError;
use crate::commit::Head;
use crate::store::{AliasRow, BlockRow, HeadRow, PendingLeaf, RecordRow, SideRow};

macro_rules! record_columns {
    () => {
        "record, tenant, wrapped, care_seq, care_hash, care_next, care_tag, access_seq, access_hash, access_next, \
         access_tag, merged, merged_tag, erased"
    };
}

pub(super) const TENANT: &str = "SELECT wrapped, name FROM tenant WHERE tenant = $1";
pub(super) const TENANTS: &str = "SELECT tenant FROM tenant ORDER BY tenant";
pub(super) const RECORD: &str = concat!("SELECT ", record_columns!(), " FROM record WHERE record = $1");
pub(super) const RECORDS: &str = concat!(
    "SELECT ",
    record_columns!(),
    " FROM record WHERE record > $1 AND tenant = $2 ORDER BY record LIMIT $3::bigint"
);
pub(super) const BLOCKS: &str = "SELECT b.seq, b.block, l.leaf FROM block b \
    LEFT JOIN log_leaf l ON l.record = b.record AND l.stream = b.stream AND l.seq = b.seq \
    WHERE b.record = $1 AND b.stream = $2 AND b.seq >= $3 ORDER BY b.seq LIMIT $4::bigint";
pub(super) const MERGED_INTO: &str = "SELECT record FROM record WHERE merged = $1 ORDER BY record";
pub(super) const STUBS: &str = "SELECT record, stub FROM erasure WHERE tenant = $1 ORDER BY record";
pub(super) const ALIAS: &str = "SELECT idx, record, tag FROM alias WHERE tenant = $1 AND idx = $2";
pub(super) const ALIASES: &str =
    "SELECT idx, record, tag FROM alias WHERE tenant = $1 AND idx > $2 ORDER BY idx LIMIT $3::bigint";
pub(super) const ALIASES_OF: &str = "SELECT idx, record, tag FROM alias WHERE record = $1 ORDER BY idx";
pub(super) const SNAPSHOT_PART: &str = "SELECT bytes FROM snapshot WHERE record = $1 AND stream = $2 AND part = $3";
pub(super) const PENDING: &str =
    "SELECT row, record, stream, seq, hash FROM log_pending WHERE tenant = $1 ORDER BY row LIMIT $2::bigint";
pub(super) const LOG_SIZE: &str = "SELECT log_size FROM tenant WHERE tenant = $1";
pub(super) const LOG_TILE: &str = "SELECT bytes FROM log_tile WHERE tenant = $1 AND level = $2 AND number = $3";
pub(super) const CHECKPOINT: &str = "SELECT checkpoint FROM tenant WHERE tenant = $1 AND checkpoint IS NOT NULL";
pub(super) const SIDE_GET: &str = "SELECT key, value, expires FROM side WHERE tenant = $1 AND side = $2 AND key = $3";
pub(super) const SIDE_LIST: &str = "SELECT key, value, expires FROM side WHERE tenant = $1 AND side = $2 ORDER BY key";

fn odd(why: &str) -> Fault {
    Fault::Record(RecordError::DamagedStore { what: "row", why: why.to_owned() })
}

pub(super) fn bytes(row: &Row, column: usize) -> Result<Bytes, Fault> {
    Ok(Bytes::copy_from_slice(row.try_get(column)?))
}

pub(super) fn array<const N: usize>(row: &Row, column: usize) -> Result<[u8; N], Fault> {
    let bytes: &[u8] = row.try_get(column)?;
    bytes.try_into().map_err(|_| odd("a column of fixed length has another one"))
}

fn array_or_none<const N: usize>(row: &Row, column: usize) -> Result<Option<[u8; N]>, Fault> {
    let bytes: Option<&[u8]> = row.try_get(column)?;
    bytes.map(|bytes| bytes.try_into().map_err(|_| odd("a column of fixed length has another one"))).transpose()
}

pub(super) fn number<T: TryFrom<i64>>(row: &Row, column: usize) -> Result<T, Fault> {
    T::try_from(row.try_get(column)?).map_err(|_| odd("a number is out of its range"))
}

fn stream(row: &Row, column: usize) -> Result<Stream, Fault> {
    let code: i16 = row.try_get(column)?;
    u8::try_from(code).ok().and_then(Stream::from_code).ok_or_else(|| odd("there is no stream of this number"))
}

pub(super) fn id(row: &Row) -> Result<RecordId, Fault> {
    Ok(RecordId::from_bytes(array(row, 0)?))
}

pub(super) fn first_bytes(row: &Row) -> Result<Bytes, Fault> {
    bytes(row, 0)
}

pub(super) fn first_number(row: &Row) -> Result<u64, Fault> {
    number(row, 0)
}

pub(super) fn tenant(row: &Row) -> Result<(Bytes, String), Fault> {
    Ok((bytes(row, 0)?, row.try_get(1)?))
}

pub(super) fn tenant_id(row: &Row) -> Result<TenantId, Fault> {
    Ok(TenantId(number(row, 0)?))
}

fn head(row: &Row, at: usize) -> Result<HeadRow, Fault> {
    Ok(HeadRow {
        head: Head { seq: Seq(number(row, at)?), hash: array_or_none(row, at + 1)?.unwrap_or_default() },
        next_number: number(row, at + 2)?,
        tag: array_or_none(row, at + 3)?.unwrap_or_default(),
    })
}

pub(super) fn record(row: &Row) -> Result<(RecordId, RecordRow), Fault> {
    let merged: Option<[u8; 10]> = array_or_none(row, 11)?;
    let merged_tag: Option<[u8; 16]> = array_or_none(row, 12)?;
    let record = RecordRow {
        tenant: TenantId(number(row, 1)?),
        wrapped: bytes(row, 2)?,
        care: head(row, 3)?,
        access: head(row, 7)?,
        merged: merged.map(|record| (RecordId::from_bytes(record), merged_tag.unwrap_or_default())),
        erased: row.try_get(13)?,
    };
    Ok((id(row)?, record))
}

pub(super) fn block(row: &Row) -> Result<BlockRow, Fault> {
    let leaf: Option<i64> = row.try_get(2)?;
    let leaf = leaf.map(|leaf| u64::try_from(leaf).map_err(|_| odd("a number is out of its range"))).transpose()?;
    Ok(BlockRow { seq: Seq(number(row, 0)?), block: bytes(row, 1)?, leaf })
}

pub(super) fn stub(row: &Row) -> Result<(RecordId, Bytes), Fault> {
    Ok((id(row)?, bytes(row, 1)?))
}

pub(super) fn alias(row: &Row) -> Result<AliasRow, Fault> {
    Ok((array(row, 0)?, RecordId::from_bytes(array(row, 1)?), array(row, 2)?))
}

pub(super) fn pending(row: &Row) -> Result<PendingLeaf, Fault> {
    Ok(PendingLeaf {
        row: row.try_get(0)?,
        record: RecordId::from_bytes(array(row, 1)?),
        stream: stream(row, 2)?,
        seq: Seq(number(row, 3)?),
        hash: array(row, 4)?,
    })
}

pub(super) fn side(row: &Row) -> Result<SideRow, Fault> {
    Ok(SideRow { key: array(row, 0)?, value: bytes(row, 1)?, expires: row.try_get(2)? })
}
