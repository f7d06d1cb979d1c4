//! The real binary on real folders, as an operator uses it.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

mod backups;
mod definitions;
mod hostile;
mod keys;
mod log;
mod machine;
mod moves;
mod one_door;
mod serving;
mod start;
