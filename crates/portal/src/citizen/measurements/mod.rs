//! Measurements: list and add.

pub(crate) mod add;
pub(crate) mod list;
