//! The words every crate shares: record and entry ids, NHS numbers, actors and purposes, privacy labels, source keys,
//! and time and randomness as traits. It must not know how anything is stored, shown or sent: no I/O, no async, no
//! clock and no random source of its own.

mod actor;
mod base32;
mod entry;
mod ids;
mod nhs_number;
mod time;

pub use actor::{Actor, Author, Purpose};
pub use entry::{Kind, KindError, Label, Labels, SourceKey, Stream};
pub use ids::{EntryNumber, IdError, RecordId, ResourceId, Seq, TenantId};
pub use nhs_number::{NhsNumber, NhsNumberError};
pub use time::{Clock, ManualClock, Random, SeededRandom, Timestamp};
