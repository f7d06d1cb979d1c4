//! Who may do what to which entry, for what purpose: one pure function, [`permit`], and the [`Permit`] that only it can
//! make. Everything not allowed here by name is denied. It must not know how a record is stored, nor read one: the facts
//! that it decides on are handed in.

mod action;
mod decide;
mod permit;

pub use action::{Action, Facts, Request, Target};
pub use decide::permit;
pub use permit::{Denied, Filter, Obligation, Permit, Reason};
