//! Tests that look at the portal as a whole.

pub(crate) mod browser;
mod journeys;
mod pages;
pub(crate) mod provider;
mod router;
pub(crate) mod samples;
mod words;
