//! Why a patch is refused.

use crate::fhirpath::{EvalError, ParseError};
use crate::json::JsonError;
use crate::outcome::{Issue, IssueCode, Outcome};

/// Why a patch is refused. Holds nothing of the resource, so that it may be logged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The patch is not JSON.
    #[error("the patch is not acceptable JSON: {0}")]
    Json(JsonError),
    /// A JSON Patch that is no array.
    #[error("a JSON Patch is an array of operations")]
    NotList,
    /// More than [`super::MAX_OPERATIONS`].
    #[error("a patch may have at most {} operations; send several patches", super::MAX_OPERATIONS)]
    TooMany,
    /// Not one of the operations that there are.
    #[error("unknown operation; use one of {0}")]
    UnknownOperation(&'static str),
    /// A part of the operation is missing, or is not what it should be.
    #[error("the operation needs '{0}'")]
    Missing(&'static str),
    /// A path that is no JSON Pointer.
    #[error("the path is not a JSON Pointer: it is empty or starts with '/', and '~' is written '~0' and '/' '~1'")]
    Pointer,
    /// Not a Parameters resource.
    #[error("a FHIRPath Patch is a Parameters resource")]
    NotParameters,
    /// A path that is no FHIRPath.
    #[error("the path is not FHIRPath: {0}")]
    Path(ParseError),
    /// A path that cannot be evaluated.
    #[error("the path cannot be followed: {0}")]
    Evaluation(EvalError),
    /// A path that leads to something computed.
    #[error("the path does not lead to an element of the resource")]
    NotElement,
    /// A path that leads to several elements where one is meant.
    #[error("the path leads to more than one element; add an index such as [0]")]
    Several,
    /// A path that leads to a part of a list, or to several lists, where one whole list is meant.
    #[error("the path does not lead to one whole list")]
    NotWholeList,
    /// A name that the type does not have.
    #[error("the type at the path has no element of that name")]
    NoElement,
    /// A second one of what can only be there once.
    #[error("the element is there already and does not repeat; replace it")]
    AlreadyThere,
    /// A value of a type that the element does not have.
    #[error("the value is not of a type that the element has")]
    WrongType,
    /// Nothing there.
    #[error("there is nothing at the path")]
    Nowhere,
    /// Nothing there that could take the new value.
    #[error("there is nothing at the path that could hold the value; what holds it must be there first")]
    NoHolder,
    /// Not a place in the array.
    #[error("the list has no such place")]
    NoPlace,
    /// A value moved into itself.
    #[error("a value cannot be moved into itself")]
    IntoItself,
    /// A `test` that the resource does not pass.
    #[error("the resource does not have the value that the patch tests for")]
    TestFailed,
    /// A name that no FHIR property has.
    #[error("the path names a property with a quote, a backslash or a control character; no FHIR property has one")]
    Name,
    /// `resourceType` or `id` would change.
    #[error("a patch cannot change what the resource is: 'resourceType' and 'id' stay as they are")]
    Identity,
    /// The result is no acceptable document.
    #[error("the patched resource would not be acceptable JSON: {0}")]
    Result(JsonError),
    /// The result is too large.
    #[error("the patched resource would have more than {} MiB", super::MAX_RESULT >> 20)]
    TooLarge,
    /// Too much work.
    #[error("the patch is too much work for a resource of this size; send fewer operations at once")]
    TooCostly,
}

/// A refused patch: nothing of it was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchError {
    /// The operation at fault, counted from 0; `None` if it is the patch as a whole.
    pub operation: Option<usize>,
    /// Why.
    pub reason: Reason,
}

impl PatchError {
    /// Whether the patch is fine and the resource is not as the patch expects it; otherwise the patch itself is at fault.
    #[must_use]
    pub const fn is_mismatch(&self) -> bool {
        matches!(
            self.reason,
            Reason::Nowhere
                | Reason::NoHolder
                | Reason::NoPlace
                | Reason::TestFailed
                | Reason::Several
                | Reason::NotWholeList
                | Reason::AlreadyThere
        )
    }

    pub(super) const fn whole(reason: Reason) -> Self {
        Self { operation: None, reason }
    }

    fn code(&self) -> IssueCode {
        match self.reason {
            Reason::Json(_) | Reason::NotList | Reason::NotParameters => IssueCode::Structure,
            Reason::Missing(_) => IssueCode::Required,
            Reason::UnknownOperation(_)
            | Reason::Pointer
            | Reason::Name
            | Reason::Path(_)
            | Reason::NoElement
            | Reason::WrongType => IssueCode::Value,
            Reason::TooMany | Reason::TooLarge | Reason::TooCostly => IssueCode::TooCostly,
            Reason::Identity => IssueCode::BusinessRule,
            _ => IssueCode::Processing,
        }
    }
}

impl std::fmt::Display for PatchError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.operation {
            Some(index) => write!(f, "operation {} of the patch: {}", index + 1, self.reason),
            None => self.reason.fmt(f),
        }
    }
}

impl std::error::Error for PatchError {}

impl From<&PatchError> for Issue {
    fn from(error: &PatchError) -> Self {
        Self::error(error.code(), format!("Nothing was changed; {error}."))
    }
}

impl From<PatchError> for Outcome {
    fn from(error: PatchError) -> Self {
        Issue::from(&error).into()
    }
}
