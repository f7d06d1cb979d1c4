//! Tests that look at the portal as a whole.

mod pages;
mod router;
pub(crate) mod samples;
mod words;
