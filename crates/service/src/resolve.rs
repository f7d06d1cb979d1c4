//! References of a source's items to each other, resolved through the names that the source gave: in the same record, or in
//! the directory. A reference is never resolved into another person's record.

use keepwell_fhir::reference::Target;
use keepwell_model::ResourceId;
use keepwell_record::{Entry, OpenRecord};

/// Resolves references inside one open record.
pub(crate) struct Resolver<'r> {
    record: &'r OpenRecord,
}

impl<'r> Resolver<'r> {
    pub(crate) const fn new(record: &'r OpenRecord) -> Self {
        Self { record }
    }

    /// The entry that a reference of a source's item leads to.
    pub(crate) fn entry(&self, source: &str, reference: &str) -> Option<Entry<'r>> {
        self.within(source, reference, &|_| true)
    }

    /// The same for somebody to whom only some entries are there: the others make no difference.
    pub(crate) fn within(
        &self,
        source: &str,
        reference: &str,
        reaches: &dyn Fn(&Entry<'_>) -> bool,
    ) -> Option<Entry<'r>> {
        match Target::of(reference) {
            Target::Relative { resource_type, id, .. } => {
                self.record.named(source, resource_type, id).filter(|entry| reaches(entry))
            }
            Target::Urn(urn) => self.by_urn(source, urn, reaches),
            Target::Absolute { .. } | Target::Contained(_) | Target::Conditional { .. } | Target::Other(_) => None,
        }
    }

    /// A `urn:` says no type: it is looked for among all that the source has named. Two finds are none.
    fn by_urn(&self, source: &str, urn: &str, reaches: &dyn Fn(&Entry<'_>) -> bool) -> Option<Entry<'r>> {
        let mut found = None;
        for id in [urn.strip_prefix("urn:uuid:"), Some(urn)].into_iter().flatten() {
            let named = self.record.by_source_id(source, id);
            for entry in named.filter(|entry| entry.kind().fhir_type().is_some() && reaches(entry)) {
                if found.replace(entry).is_some() {
                    return None;
                }
            }
        }
        found
    }
}

/// The FHIR id of an entry.
pub(crate) fn id_of(record: &OpenRecord, entry: &Entry<'_>) -> String {
    if entry.kind().fhir_type() == Some("Patient") {
        return record.id().to_string();
    }
    ResourceId { record: record.id(), entry: entry.number() }.to_string()
}

/// The FHIR reference to an entry.
pub(crate) fn reference_to(record: &OpenRecord, entry: &Entry<'_>) -> Option<String> {
    Some(format!("{}/{}", entry.kind().fhir_type()?, id_of(record, entry)))
}
