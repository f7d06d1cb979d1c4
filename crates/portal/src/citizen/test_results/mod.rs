//! Test results: list, item, history, file.

pub(crate) mod csv;
pub(crate) mod history;
pub(crate) mod list;
pub(crate) mod show;
