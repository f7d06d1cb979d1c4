//! Appending one commit inside the writer's transaction: first every condition, then every write, so that a refused
//! commit leaves nothing behind.

use keepwell_model::{RecordId, Seq, Stream};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::store::{Append, AppendPart, Appended};

pub(super) fn append(c: &Connection, append: &Append) -> rusqlite::Result<Appended> {
    if let Some((key, _)) = &append.idempotency {
        let found: Option<Vec<u8>> = c
            .prepare_cached("SELECT blocks FROM idempotency WHERE tenant = ?1 AND idx = ?2")?
            .query_row(params![append.tenant.0, key], |row| row.get(0))
            .optional()?;
        if let Some(blocks) = found {
            return Ok(Appended::Repeated(decode_blocks(&blocks)));
        }
    }
    if let Some(refused) = refusal(c, append)? {
        return Ok(refused);
    }
    for part in &append.parts {
        write_part(c, append, part)?;
    }
    if let Some((key, forget_after)) = &append.idempotency {
        c.prepare_cached("INSERT INTO idempotency (tenant, idx, forget_after, blocks) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![append.tenant.0, key, forget_after, encode_blocks(&append.parts)])?;
    }
    Ok(Appended::Done)
}

fn refusal(c: &Connection, append: &Append) -> rusqlite::Result<Option<Appended>> {
    for part in &append.parts {
        let (seq, hash) = match part.stream {
            Stream::Care => ("care_seq", "care_hash"),
            Stream::Access => ("access_seq", "access_hash"),
        };
        let sql = format!("SELECT tenant, {seq}, {hash}, erased, merged IS NOT NULL FROM record WHERE record = ?1");
        let row = c
            .prepare_cached(&sql)?
            .query_row([part.record.as_bytes()], |row| {
                let (tenant, seq): (u32, u64) = (row.get(0)?, row.get(1)?);
                let (hash, erased, merged): (Option<[u8; 32]>, bool, bool) = (row.get(2)?, row.get(3)?, row.get(4)?);
                Ok((tenant, (seq, hash.unwrap_or_default()), erased, merged))
            })
            .optional()?;
        let fits = match row {
            None => part.create.is_some(),
            Some((tenant, head, erased, merged)) => {
                part.create.is_none()
                    && tenant == append.tenant.0
                    && head == (part.expected.seq.0, part.expected.hash)
                    && !erased
                    && (!merged || part.closed_allowed)
            }
        };
        if !fits {
            return Ok(Some(Appended::Conflict(part.record)));
        }
        for (index, _) in &part.attach {
            let other: Option<[u8; 10]> = c
                .prepare_cached("SELECT record FROM alias WHERE tenant = ?1 AND idx = ?2")?
                .query_row(params![append.tenant.0, index], |row| row.get(0))
                .optional()?;
            if other.is_some_and(|other| other != *part.record.as_bytes()) {
                return Ok(Some(Appended::AliasTaken));
            }
        }
    }
    Ok(None)
}

fn write_part(c: &Connection, append: &Append, part: &AppendPart) -> rusqlite::Result<()> {
    let record = part.record.as_bytes();
    if let Some(wrapped) = &part.create {
        c.prepare_cached("INSERT INTO record (record, tenant, wrapped) VALUES (?1, ?2, ?3)")?.execute(params![
            record,
            append.tenant.0,
            &wrapped[..]
        ])?;
    }
    let sql = match part.stream {
        Stream::Care => {
            "UPDATE record SET care_seq = ?2, care_hash = ?3, care_next = ?4, care_tag = ?5 WHERE record = ?1"
        }
        Stream::Access => {
            "UPDATE record SET access_seq = ?2, access_hash = ?3, access_next = ?4, access_tag = ?5 WHERE record = ?1"
        }
    };
    let head = &part.head;
    c.prepare_cached(sql)?.execute(params![record, head.head.seq.0, head.head.hash, head.next_number, head.tag])?;
    let stream = part.stream.code();
    c.prepare_cached("INSERT INTO block (record, stream, seq, block) VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        record,
        stream,
        head.head.seq.0,
        &part.block[..]
    ])?;
    c.prepare_cached("INSERT INTO log_pending (tenant, record, stream, seq, hash) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![append.tenant.0, record, stream, head.head.seq.0, head.head.hash])?;
    if let Some(mark) = &part.merged {
        let (into, tag) = mark.as_ref().map(|(into, tag)| (*into.as_bytes(), *tag)).unzip();
        c.prepare_cached("UPDATE record SET merged = ?2, merged_tag = ?3 WHERE record = ?1")?
            .execute(params![record, into, tag])?;
    }
    for index in &part.detach {
        c.prepare_cached("DELETE FROM alias WHERE tenant = ?1 AND idx = ?2 AND record = ?3")?.execute(params![
            append.tenant.0,
            index,
            record
        ])?;
    }
    for (index, tag) in &part.attach {
        c.prepare_cached("INSERT OR IGNORE INTO alias (tenant, idx, record, tag) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![append.tenant.0, index, record, tag])?;
    }
    Ok(())
}

/// `record (10) ‖ stream (1) ‖ seq (8)` for each block.
pub(crate) fn encode_blocks(parts: &[AppendPart]) -> Vec<u8> {
    let mut out = Vec::with_capacity(parts.len() * 19);
    for part in parts {
        out.extend_from_slice(part.record.as_bytes());
        out.push(part.stream.code());
        out.extend_from_slice(&part.head.head.seq.0.to_be_bytes());
    }
    out
}

/// Reads what [`encode_blocks`] wrote; the engine opens each block named, so a damaged list is noticed there.
pub(crate) fn decode_blocks(bytes: &[u8]) -> Vec<(RecordId, Stream, Seq)> {
    bytes
        .chunks_exact(19)
        .filter_map(|chunk| {
            let record = RecordId::from_bytes(chunk[..10].try_into().ok()?);
            let seq = u64::from_be_bytes(chunk[11..].try_into().ok()?);
            Some((record, Stream::from_code(chunk[10])?, Seq(seq)))
        })
        .collect()
}
