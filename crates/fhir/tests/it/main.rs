//! Rules of the FHIR documents crate, tested from outside.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking and says what it skips")]

mod attachment;
mod bundle;
mod definitions;
mod fhirpath;
mod fhirpath_patch;
mod json;
mod observation;
mod outputs;
mod packages;
mod patch;
mod person;
mod project;
mod search;
mod shared;
mod stats;
mod summary;
mod synthea;
mod terminology;
mod validate;
mod xml;
