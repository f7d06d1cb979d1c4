//! Counts, and what the server itself can tell of damage.

use deadpool_postgres::Object;
use tokio_postgres::Row;

use super::fault::{Fault, store_error};
use super::read::number;
use super::session::{BEGIN_READING, Sessions, undo};
use crate::RecordError;
use crate::store::StoreStats;
use crate::store::archive::TABLES;

const STATS: &str = "SELECT (SELECT count(*) FROM record WHERE NOT erased), (SELECT count(*) FROM record WHERE erased), \
    (SELECT count(*) FROM block), (SELECT coalesce(sum(octet_length(block)), 0)::bigint FROM block), \
    (SELECT coalesce(sum(octet_length(bytes)), 0)::bigint FROM snapshot), (SELECT count(*) FROM alias), \
    (SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c \
     JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND c.relkind = 'r')";

pub(super) async fn stats(sessions: &Sessions) -> Result<StoreStats, Fault> {
    let session = sessions.get().await?;
    let counted = count(&session).await;
    undo(session).await;
    let row = &counted?;
    Ok(StoreStats {
        records: number(row, 0)?,
        erased: number(row, 1)?,
        blocks: number(row, 2)?,
        block_bytes: number(row, 3)?,
        snapshot_bytes: number(row, 4)?,
        aliases: number(row, 5)?,
        disk_bytes: number(row, 6)?,
    })
}

async fn count(session: &Object) -> Result<Row, tokio_postgres::Error> {
    session.batch_execute(BEGIN_READING).await?;
    session.query_one(STATS, &[]).await
}

const INVALID_INDEXES: &str = "SELECT i.indexrelid::regclass::text FROM pg_index i \
    JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
    WHERE n.nspname = current_schema() AND NOT (i.indisvalid AND i.indisready)";
const BAD_PAGES: &str =
    "SELECT coalesce(checksum_failures, 0) FROM pg_stat_database WHERE datname = current_database()";
const TREES: &str = "SELECT c.oid, c.relname::text, c.relkind = 'i' FROM pg_class c \
    JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_am a ON a.oid = c.relam \
    WHERE n.nspname = current_schema() AND c.relpersistence = 'p' \
    AND (c.relkind = 'r' OR c.relkind = 'i' AND a.amname = 'btree') ORDER BY c.relname";

/// One line for each fault that PostgreSQL knows of or finds.
pub(super) async fn check(sessions: &Sessions) -> Result<Vec<String>, Fault> {
    let session = sessions.get().await?;
    let mut lines = Vec::new();
    for table in TABLES {
        let sql = "SELECT to_regclass(quote_ident(current_schema()) || '.' || quote_ident($1)) IS NOT NULL";
        if !session.query_one(sql, &[&table.name]).await?.try_get::<_, bool>(0)? {
            lines.push(format!("the table {} is missing", table.name));
        }
    }
    for row in session.query(INVALID_INDEXES, &[]).await? {
        lines.push(format!("the index {} is not valid", row.try_get::<_, String>(0)?));
    }
    let bad: i64 = session.query_one(BAD_PAGES, &[]).await?.try_get(0)?;
    if bad > 0 {
        lines.push(format!("PostgreSQL has met {bad} pages whose checksum does not hold"));
    }
    let found = check_trees(&session, &mut lines).await;
    // Undoes the extension, too, if it was made for this.
    undo(session).await;
    found?;
    Ok(lines)
}

/// Lets `amcheck` look through every table and index, where the server has it and the user may.
async fn check_trees(session: &Object, lines: &mut Vec<String>) -> Result<(), Fault> {
    let installed = "SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace \
                     WHERE e.extname = 'amcheck'";
    session.batch_execute("BEGIN").await?;
    if session.query_opt(installed, &[]).await?.is_none() {
        let made = session.batch_execute("SAVEPOINT made; CREATE EXTENSION amcheck").await;
        if made.is_err() {
            tracing::info!("amcheck is not there for this user; PostgreSQL's pages are not checked one by one");
            return Ok(());
        }
    }
    let schema: String = session.query_one(installed, &[]).await?.try_get(0)?;
    for row in session.query(TREES, &[]).await? {
        let (oid, name, index): (u32, String, bool) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        session.batch_execute("SAVEPOINT one").await?;
        let sql = if index {
            format!("SELECT {schema}.bt_index_check($1::oid::regclass, true)::text")
        } else {
            format!("SELECT msg FROM {schema}.verify_heapam($1::oid::regclass) LIMIT 20")
        };
        match session.query(&sql, &[&oid]).await {
            Ok(rows) if index => drop(rows),
            Ok(rows) => {
                for row in rows {
                    lines.push(format!("table {name}: {}", row.try_get::<_, String>(0)?));
                }
            }
            Err(error) if error.code() == Some(&tokio_postgres::error::SqlState::INSUFFICIENT_PRIVILEGE) => {
                tracing::info!("this user may not run amcheck; PostgreSQL's pages are not checked one by one");
                return Ok(());
            }
            Err(error) if error.as_db_error().is_some() => lines.push(match store_error(&error) {
                RecordError::DamagedStore { why, .. } => format!("{name}: {why}"),
                other => format!("{name}: {other}"),
            }),
            Err(error) => return Err(error.into()),
        }
        session.batch_execute("ROLLBACK TO one").await?;
    }
    Ok(())
}
