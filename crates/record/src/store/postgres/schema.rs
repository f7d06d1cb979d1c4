//! The tables: made and brought up to date, forward only.

use deadpool_postgres::Object;

use super::fault::{Fault, store_error};
use super::session::{BEGIN, Outcome, Sessions};
use crate::RecordError;

/// The migrations, in order; each file has one purpose and is never edited once released. The format of a store is the
/// number of migrations it has seen, the same number for the same tables in both stores.
const MIGRATIONS: &[(&str, &str)] = &[("0001_first", include_str!("migrations/0001_first.sql"))];
/// The format that this program writes.
pub(super) const FORMAT: usize = MIGRATIONS.len();
/// First half of the advisory lock: "KWst". The second half is the schema's own.
const LOCK: &str = "SELECT pg_advisory_xact_lock(1264022388, hashtext(current_schema()))";

fn refused<T>(words: impl Into<String>) -> Result<T, RecordError> {
    Err(RecordError::Migration(words.into()))
}

/// Accepts a schema's name only if it needs no quoting.
pub(super) fn check_name(name: &str) -> Result<(), RecordError> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let plain = name.bytes().all(fits) && name.bytes().next().is_some_and(|first| !first.is_ascii_digit());
    if plain && name.len() <= 63 && !name.starts_with("pg_") {
        return Ok(());
    }
    refused(format!("{name:?} cannot be the name of a schema here: use a-z, 0-9 and _, at most 63 of them"))
}

/// Brings the schema up to date in one transaction, one process at a time.
pub(super) async fn migrate(sessions: &Sessions, allowed: bool) -> Result<(), RecordError> {
    sessions
        .transaction(&allowed, |session, &allowed| {
            Box::pin(async move {
                session.batch_execute(BEGIN).await?;
                make_schema(session, allowed).await?;
                session.batch_execute(LOCK).await?;
                let version = version(session).await?;
                if version.is_none() && !allowed {
                    refused("the database holds no Keepwell tables yet: run `keepwell migrate`")?;
                }
                let from = version.unwrap_or(0);
                if from > MIGRATIONS.len() {
                    refused(format!(
                        "the store has format {from}; this program knows up to {}. Use the newer keepwell that wrote it",
                        MIGRATIONS.len()
                    ))?;
                }
                if from == MIGRATIONS.len() {
                    return Ok(Outcome::Undo(()));
                }
                if !allowed {
                    refused(format!(
                        "the store has format {from}, this program needs {}: run `keepwell migrate` (make a backup first)",
                        MIGRATIONS.len()
                    ))?;
                }
                if version.is_none() {
                    session
                        .batch_execute("CREATE TABLE migration (version bigint PRIMARY KEY, name text NOT NULL)")
                        .await?;
                }
                for (number, (name, sql)) in (1i64..).zip(MIGRATIONS).skip(from) {
                    session.batch_execute(sql).await?;
                    session.execute("INSERT INTO migration (version, name) VALUES ($1, $2)", &[&number, name]).await?;
                }
                Ok(Outcome::Commit(()))
            })
        })
        .await
}

/// The schema may be named before it exists, by the option or in the URL's search path.
async fn make_schema(session: &Object, allowed: bool) -> Result<(), Fault> {
    let row = session.query_one("SELECT current_schema()::text, current_setting('search_path')", &[]).await?;
    if row.try_get::<_, Option<String>>(0)?.is_some() {
        return Ok(());
    }
    let path: String = row.try_get(1)?;
    let name = path.trim_matches('"');
    check_name(name)?;
    if !allowed {
        refused(format!("the database has no schema {name} yet: run `keepwell migrate`"))?;
    }
    session.batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS \"{name}\"")).await?;
    Ok(())
}

/// The format of the store; `None` if there is none.
async fn version(session: &Object) -> Result<Option<usize>, Fault> {
    let sql = "SELECT to_regclass(quote_ident(current_schema()) || '.migration') IS NOT NULL, \
               to_regclass(quote_ident(current_schema()) || '.record') IS NOT NULL";
    let row = session.query_one(sql, &[]).await?;
    let (migration, record): (bool, bool) = (row.try_get(0)?, row.try_get(1)?);
    if !migration {
        if record {
            refused("the database has a table named record that is not Keepwell's: give Keepwell a schema of its own")?;
        }
        return Ok(None);
    }
    let row = session.query_one("SELECT coalesce(max(version), 0) FROM migration", &[]).await.map_err(|error| {
        RecordError::Migration(format!("the table named migration is not Keepwell's: {}", store_error(&error)))
    })?;
    Ok(Some(usize::try_from(row.try_get::<_, i64>(0)?).unwrap_or(usize::MAX)))
}
