//! Patches: read where they come, applied to a resource as its reader sees it, Keepwell's ids in it.

use base64::Engine as _;
use bytes::Bytes;
use keepwell_fhir::bundle::Entry;
use keepwell_fhir::definitions::r4;
use keepwell_fhir::outcome::{Issue, IssueCode, Outcome};
use keepwell_fhir::patch::{fhirpath_patch, json_patch};
use keepwell_fhir::resource::Resource;

use super::alone::Patch;
use crate::FhirError;

impl Patch {
    /// The patch that a transaction's entry carries: a Parameters resource, or a Binary with a JSON Patch (R4 §3.1.0.11.2).
    pub(crate) fn inside(resource: &Resource<'_>, entry: &Entry<'_>) -> Result<Self, Issue> {
        let refuse = |words: &str| Err(Issue::error(IssueCode::NotSupported, words).at(entry.resource_expression()));
        if resource.resource_type == "Parameters" {
            return Ok(Self::Path(Bytes::copy_from_slice(resource.fields.node().raw().as_bytes())));
        }
        if resource.resource_type != "Binary" {
            return refuse("A patch is a Parameters resource with a FHIRPath Patch, or a Binary with a JSON Patch.");
        }
        let content_type = resource.fields.get_text("contentType").unwrap_or_default();
        if content_type != "application/json-patch+json" {
            return refuse("The patch's 'contentType' has to be 'application/json-patch+json'.");
        }
        let data = resource.fields.get_text("data").unwrap_or_default();
        match base64::engine::general_purpose::STANDARD.decode(data.as_bytes()) {
            Ok(patch) => Ok(Self::Json(patch.into())),
            Err(_) => refuse("The patch's 'data' is not base64."),
        }
    }

    /// The patched resource.
    pub(super) fn apply(&self, resource: &[u8]) -> Result<Bytes, FhirError> {
        let patched = match self {
            Self::Json(patch) => json_patch(resource, patch),
            Self::Path(patch) => fhirpath_patch(resource, patch, r4()),
        };
        match patched {
            Ok(patched) => Ok(patched.into()),
            Err(error) => {
                let status = if error.is_mismatch() { 422 } else { 400 };
                Err(FhirError::of(status, Outcome::from(error)))
            }
        }
    }
}
