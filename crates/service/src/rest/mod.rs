//! The interactions of the FHIR door that read, and what reading and writing share. Each interaction has a file of its own.

mod conditions;
mod cursor;
mod history;
mod out;
mod read;
mod seen;

pub use history::{HistoryOf, HistoryRequest};

pub(crate) use conditions::Precondition;
pub(crate) use seen::{Names, Version, not_found};
