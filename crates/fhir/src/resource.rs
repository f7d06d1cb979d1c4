//! What every resource has: a type, perhaps an id, and its fields.

use std::borrow::Cow;

use crate::json::{Fields, Node};
use crate::types;

/// A resource inside checked bytes.
#[derive(Debug, Clone)]
pub struct Resource<'a> {
    /// The R4 type.
    pub resource_type: &'static str,
    /// The id that the document carries.
    pub id: Option<Cow<'a, str>>,
    /// Its members.
    pub fields: Fields<'a>,
}

/// Why an object is not a resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotResource {
    /// Not an object, or an object without a type.
    #[error("this is not a resource: a resource is an object with a 'resourceType'")]
    NoType,
    /// A type that R4 does not have.
    #[error("'{0}' is not a resource type of FHIR R4; check the spelling, upper case matters")]
    UnknownType(String),
    /// An id that FHIR does not allow.
    #[error("the id is not a FHIR id: use 1 to 64 letters, digits, '-' and '.'")]
    BadId,
}

impl<'a> Resource<'a> {
    /// The resource in compact bytes, as stored.
    ///
    /// # Errors
    /// [`NotResource`] if the bytes hold no R4 resource.
    pub fn new(compact: &'a [u8]) -> Result<Self, NotResource> {
        Self::of(Node::new(compact).ok_or(NotResource::NoType)?.fields())
    }

    /// The resource that has these fields.
    ///
    /// # Errors
    /// [`NotResource`] if they are not those of an R4 resource.
    pub fn of(fields: Fields<'a>) -> Result<Self, NotResource> {
        let named = fields.get_text("resourceType").ok_or(NotResource::NoType)?;
        let Some(resource_type) = types::known(&named) else {
            return Err(NotResource::UnknownType(named.chars().take(64).collect()));
        };
        let id = match fields.get("id") {
            None => None,
            Some(node) => Some(node.text().filter(|id| is_id(id)).ok_or(NotResource::BadId)?),
        };
        Ok(Self { resource_type, id, fields })
    }
}

/// Whether a text is a FHIR id: 1 to 64 letters, digits, dashes and dots.
#[must_use]
pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
}
