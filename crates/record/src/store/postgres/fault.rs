//! What can go wrong between here and the server, and what it means for the caller.

use deadpool_postgres::{HookError, PoolError};
use tokio_postgres::error::{Severity, SqlState};

use crate::RecordError;

/// Why something was not done.
#[derive(Debug)]
pub(super) enum Fault {
    /// The server's answer, or the connection's end.
    Db(tokio_postgres::Error),
    /// No connection could be had.
    Pool(PoolError),
    /// Somebody else was in the middle of something: the same once more.
    Again(&'static str),
    /// Decided already.
    Record(RecordError),
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Db(error)
    }
}

impl From<PoolError> for Fault {
    fn from(error: PoolError) -> Self {
        Self::Pool(error)
    }
}

impl From<RecordError> for Fault {
    fn from(error: RecordError) -> Self {
        Self::Record(error)
    }
}

impl From<Fault> for RecordError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Db(error) => store_error(&error),
            Fault::Pool(PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error))) => {
                store_error(&error)
            }
            Fault::Pool(PoolError::PostCreateHook(HookError::Message(words))) => Self::Store(words.into_owned()),
            Fault::Pool(PoolError::Timeout(_)) => {
                Self::Store("no connection to PostgreSQL became free or could be made in time".into())
            }
            Fault::Pool(error) => Self::Store(format!("no connection to PostgreSQL: {error}")),
            Fault::Again(what) => Self::Store(format!("{what} stayed in use by others for too long")),
            Fault::Record(error) => error,
        }
    }
}

impl Fault {
    /// Whether the server undid the transaction only because of what others did at the same time.
    pub(super) fn passes(&self) -> bool {
        match self {
            Self::Again(_) => true,
            Self::Db(error) => {
                matches!(error.code(), Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED))
            }
            _ => false,
        }
    }

    /// Whether the connection, rather than the statement, came to an end.
    pub(super) fn lost(&self) -> bool {
        matches!(self, Self::Db(error) if lost(error))
    }
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
}

fn lost(error: &tokio_postgres::Error) -> bool {
    match error.as_db_error() {
        None => error.is_closed() || is_io(error),
        Some(db) => {
            let (code, severity) = (db.code().code(), db.parsed_severity());
            // 57P01 to 57P03: the server is stopping, has crashed, or is starting. 08: connection errors.
            code.starts_with("57P")
                || code.starts_with("08")
                || matches!(severity, Some(Severity::Fatal | Severity::Panic))
        }
    }
}

/// Whether an error of `COMMIT` says for certain that nothing was committed.
pub(super) fn certainly_undone(error: &tokio_postgres::Error) -> bool {
    let Some(db) = error.as_db_error() else { return false };
    // 40003 is "statement completion unknown".
    !lost(error) && !db.code().code().starts_with("57") && db.code().code() != "40003"
}

/// Turns a PostgreSQL error into the engine's: what the caller can do about it decides. The server's `DETAIL` stays out:
/// it may quote values.
pub(super) fn store_error(error: &tokio_postgres::Error) -> RecordError {
    let Some(db) = error.as_db_error() else {
        let source = std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
        return RecordError::Store(format!("PostgreSQL: {error}{source}"));
    };
    match db.code() {
        &SqlState::DISK_FULL => RecordError::Full,
        &SqlState::READ_ONLY_SQL_TRANSACTION => RecordError::ReadOnly,
        &SqlState::DATA_CORRUPTED | &SqlState::INDEX_CORRUPTED => {
            RecordError::DamagedStore { what: "PostgreSQL database", why: db.message().to_owned() }
        }
        code => RecordError::Store(format!("PostgreSQL says: {} ({})", db.message(), code.code())),
    }
}
