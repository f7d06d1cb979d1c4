//! What a search looks at, as the caller shows it.

use std::borrow::Cow;

use crate::definitions::{Definitions, Membership};

/// A number by which the caller knows one version of one item.
pub type Handle = u32;

/// The items that may be found.
///
/// What a caller may not see is not in the world at all: not among the items, not by resolving, not in a list. So it
/// cannot show in results, counts, order or includes.
///
/// A handle stands for one version of one item for as long as the [`super::Columns`] live that it was used with.
pub trait World {
    /// The items of a type, ascending.
    fn items(&self, resource_type: &str) -> Cow<'_, [Handle]>;

    /// The types that there are items of: for a search over all types.
    fn types(&self) -> Vec<Cow<'_, str>>;

    /// An item's type.
    fn resource_type(&self, item: Handle) -> Cow<'_, str>;

    /// An item as compact JSON.
    fn body(&self, item: Handle) -> Cow<'_, [u8]>;

    /// An item's id: what it goes out with, whatever its body says.
    fn id(&self, item: Handle) -> Cow<'_, str>;

    /// When an item was last changed, in microseconds since 1970.
    fn last_updated(&self, item: Handle) -> i64;

    /// The item of that type and id.
    fn find(&self, resource_type: &str, id: &str) -> Option<Handle>;

    /// The item that a reference in another leads to. Not asked for references to contained resources.
    fn resolve(&self, from: Handle, reference: &str) -> Option<Handle>;

    /// A number for where an item came from: the same reference text in two items of one scope leads to the same item.
    fn scope(&self, item: Handle) -> u64 {
        u64::from(item)
    }

    /// The address that this server's own absolute references begin with, without a slash at the end.
    fn base(&self) -> Cow<'_, str>;

    /// The items that a List has; `None` if there is no such list. The id may be a functional one, `$current-problems`.
    fn list(&self, id: &str) -> Option<Vec<Handle>>;

    /// Whether the search should stop: asked now and then.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// What is known about codes: for `:in`, `:not-in`, `:above` and `:below`.
pub trait Terminology {
    /// Whether there is a value set of that address.
    fn knows_value_set(&self, url: &str) -> bool;

    /// Whether a value set has a code; without a system, a code of any system.
    fn has(&self, value_set: &str, system: Option<&str>, code: &str) -> Membership;

    /// Whether a code is another or lies below it; `None` if the system's order is not known.
    fn is_below(&self, system: &str, code: &str, ancestor: &str) -> Option<bool>;

    /// Whether `A` and `a` are two codes of a system. R4 asks to err on the side of finding more.
    fn is_case_sensitive(&self, system: &str) -> bool;
}

impl Terminology for Definitions {
    fn knows_value_set(&self, url: &str) -> bool {
        self.value_set(url).is_some()
    }

    fn has(&self, value_set: &str, system: Option<&str>, code: &str) -> Membership {
        self.expand(value_set).map_or(Membership::Unknown, |set| set.has(system, code))
    }

    fn is_below(&self, system: &str, code: &str, ancestor: &str) -> Option<bool> {
        let system = self.code_system(system)?;
        let ancestor = system.place(ancestor)?;
        Some(system.place(code).is_some_and(|place| system.is_a(place, ancestor)))
    }

    fn is_case_sensitive(&self, system: &str) -> bool {
        // HL7's own systems say so of themselves; of all others nothing is known for certain.
        self.code_system(system).is_some_and(|it| it.case_sensitive && !it.concepts.is_empty())
    }
}
