//! Sharing and control.

pub(crate) mod activity;
