//! The targets are those of the short run in CI.
#![allow(dead_code, reason = "each binary uses one of them")]

#[path = "../crates/fhir/examples/fuzz/corpus.rs"]
pub(crate) mod corpus;
#[path = "../crates/fhir/examples/fuzz/targets.rs"]
pub(crate) mod targets;
#[path = "../crates/fhir/examples/fuzz/world.rs"]
pub(crate) mod world;
