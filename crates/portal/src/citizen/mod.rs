//! Pages of a signed-in resident.

pub(crate) mod home;
pub(crate) mod measurements;
pub(crate) mod sharing;
pub(crate) mod test_results;
