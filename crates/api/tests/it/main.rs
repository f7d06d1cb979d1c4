//! Rules of the machine doors, driven through the real router on a real store.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod doors;
mod fhir_binary;
mod fhir_bulk;
mod fhir_bundle;
mod fhir_content;
mod fhir_history;
mod fhir_operations;
mod fhir_read;
mod fhir_refusals;
mod fhir_search;
mod fhir_transaction;
mod fhir_write;
mod house;
