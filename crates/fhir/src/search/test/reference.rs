//! References (FHIR R4 §3.1.1.5.10).

use super::{Context, TokenTest};
use crate::reference::Target;
use crate::search::value::Link;
use crate::search::world::Handle;

/// Where a reference leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::search) enum Resolved {
    /// To an item of the world.
    Item(Handle),
    /// To nothing that is known.
    Nothing,
}

/// What is asked of a reference.
#[derive(Clone)]
pub(in crate::search) enum ReferenceTest {
    /// It leads to the item of that id, of one of these types; none means any.
    Item {
        /// The types.
        types: Vec<Box<str>>,
        /// The id.
        id: String,
    },
    /// It is that absolute or canonical address; a version only counts if one is asked for.
    Address {
        /// The address, without a version.
        address: String,
        /// The version of a canonical address.
        version: Option<String>,
        /// The types that it may lead to; none means any.
        types: Vec<Box<str>>,
    },
    /// `:identifier`: it has that identifier.
    Identifier(TokenTest),
}

impl std::fmt::Debug for ReferenceTest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReferenceTest(…)")
    }
}

impl ReferenceTest {
    pub(super) fn accepts(&self, link: &Link, resolved: Resolved, context: &Context<'_>) -> bool {
        if !leads_to_its_type(link, resolved, context) {
            return false;
        }
        match self {
            Self::Identifier(test) => link.identifier.as_ref().is_some_and(|it| test.accepts(it, context)),
            Self::Item { types, id } => is_item(types, id, link, resolved, context),
            Self::Address { address, version, types } => {
                let base = context.world.base();
                if let Some(own) = address.strip_prefix(&*base).and_then(|rest| rest.strip_prefix('/')) {
                    return match Target::of(own) {
                        Target::Relative { resource_type, id, .. } => {
                            let types = if types.is_empty() || types.iter().any(|it| **it == *resource_type) {
                                &[resource_type.into()][..]
                            } else {
                                return false;
                            };
                            is_item(types, id, link, resolved, context)
                        }
                        _ => is_address(address, version.as_deref(), types, link),
                    };
                }
                is_address(address, version.as_deref(), types, link)
            }
        }
    }
}

/// Whether a reference leads to the type that the search parameter is about (`.where(resolve() is Patient)`).
pub(in crate::search) fn leads_to_its_type(link: &Link, resolved: Resolved, context: &Context<'_>) -> bool {
    link.only.as_ref().is_none_or(|only| type_of(link, resolved, context).is_some_and(|it| *it == **only))
}

/// The type that a reference leads to: what it resolves to, what its text says, what its `type` says.
fn type_of(link: &Link, resolved: Resolved, context: &Context<'_>) -> Option<Box<str>> {
    if let Resolved::Item(item) = resolved {
        return Some((&*context.world.resource_type(item)).into());
    }
    let by_text = link.text.as_deref().and_then(|text| Target::of(text).resource_type());
    by_text.map(Into::into).or_else(|| link.type_name.clone())
}

fn is_type(types: &[Box<str>], name: &str) -> bool {
    types.is_empty() || types.iter().any(|it| **it == *name)
}

fn is_item(types: &[Box<str>], id: &str, link: &Link, resolved: Resolved, context: &Context<'_>) -> bool {
    if let Resolved::Item(item) = resolved {
        return context.world.id(item) == id && is_type(types, &context.world.resource_type(item));
    }
    let Some(text) = link.text.as_deref() else { return false };
    match Target::of(text) {
        Target::Relative { resource_type, id: theirs, .. } => theirs == id && is_type(types, resource_type),
        Target::Absolute { base, resource_type, id: theirs } => {
            theirs == id && is_type(types, resource_type) && base == context.world.base()
        }
        _ => false,
    }
}

fn is_address(address: &str, version: Option<&str>, types: &[Box<str>], link: &Link) -> bool {
    let Some(text) = link.text.as_deref() else { return false };
    if Target::of(text).resource_type().is_some_and(|name| !is_type(types, name)) {
        return false;
    }
    if link.is_canonical {
        let (plain, theirs) = text.split_once('|').map_or((text, None), |(plain, version)| (plain, Some(version)));
        return plain == address && version.is_none_or(|version| theirs == Some(version));
    }
    text.split_once("/_history/").map_or(text, |(place, _)| place) == address && version.is_none()
}
