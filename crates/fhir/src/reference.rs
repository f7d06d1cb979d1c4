//! References between resources, as text and taken apart.

use std::borrow::Cow;

use crate::json::Node;
use crate::resource::is_id;
use crate::types;

/// A Reference element, borrowed.
#[derive(Clone, PartialEq, Eq)]
pub struct Reference<'a> {
    /// `reference`, exactly as sent.
    pub reference: Option<Cow<'a, str>>,
    /// `type`.
    pub resource_type: Option<Cow<'a, str>>,
    /// `identifier.system` and `identifier.value`, for a reference by business identifier.
    pub identifier: Option<(Cow<'a, str>, Cow<'a, str>)>,
    /// `display`.
    pub display: Option<Cow<'a, str>>,
}

impl<'a> Reference<'a> {
    /// Reads a Reference element.
    #[must_use]
    pub fn of(node: Node<'a>) -> Self {
        let identifier = node.get("identifier");
        Self {
            reference: node.get_text("reference"),
            resource_type: node.get_text("type"),
            identifier: identifier.and_then(|it| Some((it.get_text("system")?, it.get_text("value")?))),
            display: node.get_text("display"),
        }
    }

    /// Where the reference text points.
    #[must_use]
    pub fn target(&self) -> Option<Target<'_>> {
        self.reference.as_deref().map(Target::of)
    }
}

impl std::fmt::Debug for Reference<'_> {
    /// The reference text only: the identifier and the display are personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reference({:?})", self.reference)
    }
}

/// Where a reference text points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// `Type/id`, perhaps with `/_history/version`.
    Relative {
        /// The type.
        resource_type: &'static str,
        /// The id.
        id: &'a str,
        /// The version, where one is named.
        version: Option<&'a str>,
    },
    /// `https://server/Type/id`: `base` is everything before the type, without the slash.
    Absolute {
        /// The other server.
        base: &'a str,
        /// The type.
        resource_type: &'static str,
        /// The id.
        id: &'a str,
    },
    /// `urn:uuid:…` or `urn:oid:…`: an entry of the same Bundle.
    Urn(&'a str),
    /// `#…`: a contained resource.
    Contained(&'a str),
    /// `Type?search`: whatever the search finds.
    Conditional {
        /// The type.
        resource_type: &'static str,
        /// The search, after the question mark.
        query: &'a str,
    },
    /// Something else.
    Other(&'a str),
}

impl<'a> Target<'a> {
    /// Takes a reference text apart.
    #[must_use]
    pub fn of(text: &'a str) -> Self {
        if let Some(fragment) = text.strip_prefix('#') {
            return Self::Contained(fragment);
        }
        if text.starts_with("urn:") {
            return Self::Urn(text);
        }
        if let Some((name, query)) = text.split_once('?') {
            return types::known(name)
                .map_or(Self::Other(text), |resource_type| Self::Conditional { resource_type, query });
        }
        let (place, version) = text.split_once("/_history/").map_or((text, None), |(place, v)| (place, Some(v)));
        let Some((rest, id)) = place.rsplit_once('/') else { return Self::Other(text) };
        let (base, name) = rest.rsplit_once('/').map_or((None, rest), |(base, name)| (Some(base), name));
        match (types::known(name), base) {
            (Some(resource_type), None) if is_id(id) => Self::Relative { resource_type, id, version },
            (Some(resource_type), Some(base)) if is_id(id) && base.contains("://") => {
                Self::Absolute { base, resource_type, id }
            }
            _ => Self::Other(text),
        }
    }

    /// The type that the text names, where it names one.
    #[must_use]
    pub const fn resource_type(&self) -> Option<&'static str> {
        match self {
            Self::Relative { resource_type, .. }
            | Self::Absolute { resource_type, .. }
            | Self::Conditional { resource_type, .. } => Some(resource_type),
            Self::Urn(_) | Self::Contained(_) | Self::Other(_) => None,
        }
    }
}
