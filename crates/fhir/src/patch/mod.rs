//! Patches: a few changes to a resource instead of the whole of it (FHIR R4 §3.1.0.9).
//!
//! [`json_patch`] takes RFC 6902, [`fhirpath_patch`] the Parameters of FHIR R4 §3.1.0.9.1. A patch is applied to the bytes
//! of the resource, and every byte that it does not name stays as it was: number text, unknown fields, order. All of it is
//! done, or nothing.
//!
//! XML Patch is not offered.

mod build;
mod element;
mod error;
mod fhirpath;
mod json;
mod place;
mod splice;
mod value;

pub use error::{PatchError, Reason};
pub use fhirpath::fhirpath_patch;
pub use json::json_patch;

/// How many operations one patch may have.
pub const MAX_OPERATIONS: usize = 1_000;
/// How many bytes a resource may have after a patch. Copies could otherwise double it with each operation.
pub const MAX_RESULT: usize = 16 << 20;
/// How many bytes all operations of a patch may walk over. Each walks over the whole document at worst, so a resource of
/// 1 MiB can take a hundred operations and a usual one all of [`MAX_OPERATIONS`].
const MAX_WORK: usize = 128 << 20;

/// A document while it is patched, and how much was done to it.
struct Draft {
    bytes: Vec<u8>,
    work: usize,
}

impl Draft {
    fn new(resource: &[u8]) -> Self {
        Self { bytes: resource.to_vec(), work: 0 }
    }

    /// Counts one more walk over the document.
    fn walk(&mut self) -> Result<(), Reason> {
        self.work = self.work.saturating_add(self.bytes.len());
        if self.work > MAX_WORK { Err(Reason::TooCostly) } else { Ok(()) }
    }

    /// Puts `text` where `place` was.
    fn put(&mut self, splice: splice::Splice) -> Result<(), Reason> {
        let (place, text) = splice;
        let gone = place.end.saturating_sub(place.start);
        if self.bytes.len().saturating_sub(gone).saturating_add(text.len()) > MAX_RESULT {
            return Err(Reason::TooLarge);
        }
        if place.start <= place.end && place.end <= self.bytes.len() {
            self.bytes.splice(place, text);
        }
        Ok(())
    }

    /// The patched document, checked: well formed, and still the resource that it was.
    fn finish(self, resource: &[u8]) -> Result<Vec<u8>, Reason> {
        let checked = crate::json::compact(&self.bytes).map_err(Reason::Result)?;
        let (before, after) = (crate::json::Node::new(resource), crate::json::Node::new(&checked));
        let (Some(before), Some(after)) = (before, after) else { return Err(Reason::Identity) };
        let (before, after) = (before.fields(), after.fields());
        let same = |name| before.get_text(name) == after.get_text(name);
        let kept = after.node().raw().starts_with('{') && same("resourceType") && same("id");
        if kept { Ok(checked) } else { Err(Reason::Identity) }
    }
}
