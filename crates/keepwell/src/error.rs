//! Errors of the command line: plain words and an exit code that scripts can tell apart.

use std::process::ExitCode;

use keepwell_record::RecordError;
use keepwell_service::{FhirError, HousekeepingError, ServiceError};

/// What went wrong, in words for the person at the terminal.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct CliError {
    message: String,
    code: u8,
}

impl CliError {
    /// Something failed.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 1 }
    }

    /// The words on the command line do not fit together.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 2 }
    }

    /// A check found faults.
    pub(crate) fn faults(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 3 }
    }

    pub(crate) fn with_code(message: impl Into<String>, code: u8) -> Self {
        Self { message: message.into(), code }
    }

    pub(crate) const fn number(&self) -> u8 {
        self.code
    }

    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

/// The table of exit codes, as `keepwell --help` prints it.
pub(crate) const EXIT_CODES: &str = "Exit codes:
  0  done
  1  failed; the message says why
  2  the command line does not make sense
  3  a check found faults (verify, check-proof)
  4  the store is in use by another process
  5  a key is missing, wrong or readable by others
  6  stored data does not verify
  7  the disk is full or cannot be written
  8  the store needs a migration, or is newer than this program";

impl From<RecordError> for CliError {
    fn from(error: RecordError) -> Self {
        let code = match &error {
            RecordError::InUse(_) => 4,
            RecordError::Key(_) => 5,
            RecordError::Damaged { .. } | RecordError::DamagedStore { .. } => 6,
            RecordError::Full | RecordError::ReadOnly => 7,
            RecordError::Migration(_) => 8,
            _ => 1,
        };
        Self { message: error.to_string(), code }
    }
}

impl From<ServiceError> for CliError {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Invalid(fields) => {
                let words: Vec<String> = fields.into_iter().map(|field| field.message).collect();
                Self::failed(words.join("; "))
            }
            other => Self::failed(other.to_string()),
        }
    }
}

impl From<HousekeepingError> for CliError {
    fn from(error: HousekeepingError) -> Self {
        match error {
            HousekeepingError::Engine(error) => error.into(),
            other => Self::failed(other.to_string()),
        }
    }
}

impl From<FhirError> for CliError {
    fn from(error: FhirError) -> Self {
        Self::failed(error.to_string())
    }
}

impl From<std::io::Error> for CliError {
    fn from(error: std::io::Error) -> Self {
        let code = if error.kind() == std::io::ErrorKind::StorageFull { 7 } else { 1 };
        Self { message: error.to_string(), code }
    }
}

impl CliError {
    /// An error that means the words given do not fit.
    pub(crate) fn usage_of(error: impl std::fmt::Display) -> Self {
        Self::usage(error.to_string())
    }
}
