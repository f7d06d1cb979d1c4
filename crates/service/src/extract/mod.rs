//! From resources to what pages show. Pure: bytes in, view structs out; every text as the record says it.

mod category;
mod coded;
mod item;
mod value;
mod when;

pub(crate) use category::{Class, category_of, category_of_type, class_of, is_laboratory};
pub(crate) use coded::{name_of, slugs_of};
pub(crate) use item::{Arrival, measurement, test_item};
pub(crate) use value::bounds;
pub(crate) use when::{sort_key, when_of};
