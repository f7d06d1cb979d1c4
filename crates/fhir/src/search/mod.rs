//! FHIR R4 search (§3.1.1) over items that the caller holds.
//!
//! [`Query::parse`] reads what stands after the question mark: each parameter is known from the definitions, and what is
//! not understood is refused with what may have been meant. [`Search`] runs a query over a [`World`]: the items that its
//! caller may see, and how references between them lead to each other. What the parameters find in the items is kept in
//! [`Columns`], so that a second search need not look into them again. [`summarise`] gives the part of a resource that
//! `_summary` and `_elements` ask for.
//!
//! Not supported, and refused with words: `_filter`, `_query`, `_contained`, `near`. `phonetic` looks for the start of a
//! name as `name` does. A date or a time without a zone counts as UTC.

mod column;
mod dates;
mod fold;
mod parameter;
mod parse;
mod path;
mod query;
mod raw;
mod run;
mod suggest;
mod summarise;
mod test;
mod value;
mod world;
mod written;

pub use column::Columns;
pub(crate) use parameter::Catalogue;
pub use parameter::offered;
pub use path::walk::Finder;
use query::Rule;
pub use query::{Handling, Limits, Query, Settings, Summary, Total};
pub use raw::push_encoded;
pub use run::{Answer, Rank, Search, SearchError};
pub use summarise::summarise;
pub use world::{Handle, Terminology, World};
