//! FHIR R4 documents as pure functions over their bytes.
//!
//! A resource is its bytes. It is checked once where it enters ([`json::compact`]) and never turned into typed structs:
//! number text, unknown fields and order survive because nothing touches them.
//!
//! This crate must not know how records are stored, who may read them, or how bytes travel: no I/O, no async, no clock.

pub mod attachment;
pub mod bundle;
pub mod compare;
pub mod compartment;
pub mod date;
pub mod decimal;
pub mod definitions;
pub mod diff;
pub mod document;
pub mod element;
pub mod fhirpath;
pub mod json;
pub mod lastn;
pub mod observation;
pub mod outcome;
pub mod patch;
pub mod person;
pub mod project;
pub mod reference;
pub mod resource;
pub mod search;
pub mod stats;
pub mod summary;
pub mod terminology;
pub mod types;
pub mod ucum;
pub mod validate;
pub mod xml;
