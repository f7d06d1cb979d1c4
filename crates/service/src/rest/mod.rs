//! The interactions of the FHIR door that read, and what reading and writing share. Each interaction has a file of its own.

mod across;
mod bundle;
mod conditions;
mod cursor;
mod get;
mod history;
mod interaction;
mod out;
mod query;
mod read;
mod search;
mod seen;
mod sought;
mod whose;
mod world;
mod xml;

pub use bundle::BundleRequest;
pub use history::{HistoryOf, HistoryRequest};
pub use interaction::Interaction;
pub use query::query_parameters;
pub use search::{PartOf, SearchIn, SearchRequest, part_of};
pub use xml::{json_of_xml, xml_of_json};

pub(crate) use bundle::Answered;
pub(crate) use conditions::Precondition;
pub(crate) use out::Out;
pub(crate) use query::written;
pub(crate) use seen::{Names, Place, Seen, Version, not_found, or_not_found};
pub(crate) use sought::{Sought, condition, only};
pub(crate) use whose::{Whose, is_in_directory, say_whose};
pub(crate) use world::Patience;
