//! Settings and migrations of the SQLite file.

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::RecordError;

/// The migrations, in order; each file has one purpose and is never edited once released.
const MIGRATIONS: &[(&str, &str)] = &[("0001_first", include_str!("migrations/0001_first.sql"))];
/// The format that this program writes.
pub(super) const FORMAT: usize = MIGRATIONS.len();
/// `application_id` of a Keepwell store: "KWst".
const APPLICATION_ID: i64 = 0x4b57_7374;

/// Sets what must hold before anything else is done with a connection that writes.
pub(super) fn prepare(connection: &Connection) -> Result<(), RecordError> {
    let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
    if pages == 0 {
        // Free pages can then be given back after an erasure. An existing file would only have its first page rewritten,
        // and with it whatever is damaged there.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if !mode.eq_ignore_ascii_case("wal") {
        return Err(RecordError::ReadOnly);
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    // What is deleted is overwritten with zeros, so that an erased record leaves nothing in free pages.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "cache_size", super::CACHE_KIB * 4)?;
    // Checkpoints are made by `page_sums` only, which knows what they write.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // Otherwise a statement with a bound LIMIT is compiled anew each time it runs.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    Ok(())
}

/// Brings the file up to date, forward only.
pub(super) fn migrate(connection: &mut Connection, allowed: bool) -> Result<(), RecordError> {
    let application: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version: usize = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let fresh = tables == 0 && version == 0;
    if application != APPLICATION_ID && !fresh {
        return Err(RecordError::Migration("this file is a database, but not one of Keepwell's".into()));
    }
    if version > MIGRATIONS.len() {
        return Err(RecordError::Migration(format!(
            "the store has format {version}; this program knows up to {}. Use the newer keepwell that wrote it",
            MIGRATIONS.len()
        )));
    }
    if version < MIGRATIONS.len() && !fresh && !allowed {
        return Err(RecordError::Migration(format!(
            "the store has format {version}, this program needs {}: run `keepwell migrate` (make a backup first)",
            MIGRATIONS.len()
        )));
    }
    for (done, (_, sql)) in MIGRATIONS.iter().enumerate().skip(version) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", done + 1)?;
        transaction.commit()?;
    }
    Ok(())
}
