//! What a resident sees, one use case a file.

mod add_blood_pressure;
mod home;
mod measurements;
mod paging;
mod performers;
mod test_history;
mod test_results;

pub(crate) use paging::paged;
