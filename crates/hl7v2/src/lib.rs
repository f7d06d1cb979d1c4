//! HL7 v2 messages as pure functions over their bytes: splitting and reading them without copying, building them, framing
//! them for MLLP, and answering them.
//!
//! Mapping messages to FHIR is not here yet; it joins with the feeds. This crate must not know sockets, records, or who
//! sends what: no I/O, no async, no clock.

mod ack;
mod build;
mod charset;
mod delimiters;
mod error;
mod escape;
mod message;
pub mod mllp;

pub use ack::{AckCode, AckError, Reply, ack, ack_unreadable};
pub use build::{Builder, SegmentBuilder};
pub use charset::Charset;
pub use delimiters::Delimiters;
pub use error::ParseError;
pub use message::{Component, Field, Message, Part, Repetition, Segment, messages};
