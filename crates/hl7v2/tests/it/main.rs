//! Rules of the HL7 v2 crate, tested from outside.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod ack;
mod build;
mod message;
mod mllp;
