//! Pages that anybody may read.

pub(crate) mod accessibility;
pub(crate) mod files;
pub(crate) mod privacy;
pub(crate) mod sign_in;
pub(crate) mod signed_out;
pub(crate) mod start;
