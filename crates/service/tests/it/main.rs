//! The use cases on a real engine and a real SQLite file, with a clock that the test sets.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod across;
mod adding;
mod bulk;
mod bulk_import;
mod city;
mod clients;
mod conditions;
mod conformance;
mod fixture;
mod hostile;
mod leaks;
mod matching;
mod operations;
mod orders;
mod packages;
mod pages;
mod reading;
mod rest;
mod search;
mod sessions;
mod synthea;
mod trail;
mod transaction;
mod validation;
