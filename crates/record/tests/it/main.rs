//! The engine on real stores. Each rule of the contract runs on every store.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

mod backup;
mod contract;
mod embedded;
mod faults;
mod fixture;
mod format;
mod hostile;
mod pg_cluster;
mod pg_crash;
mod pg_database;
mod plaintext;
mod postgres;
