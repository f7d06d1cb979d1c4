//! Measurements, the form and the average, tried out.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod average;
mod form;
mod measurement;
mod observation;
