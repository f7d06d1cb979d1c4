//! What a Bundle as a whole must keep: the rules bdl-3, bdl-4 and bdl-7, which would cost the square of its entries in
//! FHIRPath, and those that FHIR R4 §2.36 says in words.

use std::borrow::Cow;
use std::ops::Range;

use super::walk::{Frame, Seen, Walk};
use super::words::shown;
use crate::json::Node;
use crate::outcome::{IssueCode, Severity};
use crate::reference::Target;

/// The Bundle around the walk.
pub(super) struct BundleScope<'a> {
    /// Where it starts.
    pub(super) start: usize,
    /// Its entries by fullUrl, gathered when a reference needs them.
    pub(super) index: Option<BundleIndex<'a>>,
}

/// The entries of a Bundle, ordered by fullUrl.
pub(super) struct BundleIndex<'a> {
    entries: Vec<(Cow<'a, str>, Option<Node<'a>>)>,
    /// Places in `entries`, ordered by `Type/id`.
    by_id: Vec<(String, usize)>,
    /// Whether what is not in it is nowhere: a transaction is, a page of results is not.
    is_closed: bool,
}

/// A fullUrl, the version of its resource, the entry's number and place.
type FullUrl<'a> = (Cow<'a, str>, Cow<'a, str>, usize, Range<usize>);

impl<'a> BundleIndex<'a> {
    fn of(bundle: Node<'a>) -> Self {
        let entries = bundle.get("entry").into_iter().flat_map(Node::items);
        let entries = entries.map(|entry| (entry.get_text("fullUrl").unwrap_or_default(), entry.get("resource")));
        let mut entries: Vec<_> = entries.collect();
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        let named = entries.iter().enumerate().filter_map(|(at, (_, resource))| {
            let resource = (*resource)?;
            Some((format!("{}/{}", resource.get_text("resourceType")?, resource.get_text("id")?), at))
        });
        let mut by_id: Vec<_> = named.collect();
        by_id.sort();
        let kind = bundle.get_text("type").unwrap_or_default();
        Self { entries, by_id, is_closed: matches!(&*kind, "transaction" | "document" | "message") }
    }

    fn find(&self, url: &str) -> Option<Node<'a>> {
        if url.is_empty() {
            return None;
        }
        let by_url = self.entries.binary_search_by(|(other, _)| (**other).cmp(url)).ok();
        let by_id = || self.by_id.binary_search_by(|(other, _)| (**other).cmp(url)).ok().map(|at| self.by_id[at].1);
        self.entries[by_url.or_else(by_id)?].1
    }
}

impl<'a, 'v> Walk<'a, 'v> {
    /// The type of the entry that a `urn:` reference leads to.
    pub(super) fn in_bundle(
        &mut self,
        urn: &str,
        here: &Frame<'_>,
        place: &Range<usize>,
    ) -> Option<Option<Cow<'a, str>>> {
        let Some(index) = self.bundle_index() else { return Some(None) };
        let (found, is_closed) = (index.find(urn), index.is_closed);
        if let Some(found) = found {
            return Some(found.get_text("resourceType"));
        }
        if is_closed {
            let words = || format!("No entry of this Bundle has the fullUrl '{}'.", shown(urn));
            self.tell(Severity::Warning, IssueCode::NotFound, Some(here), place.clone(), words)?;
        }
        Some(None)
    }

    /// The entries of the Bundle around.
    fn bundle_index(&mut self) -> Option<&BundleIndex<'a>> {
        let scope = self.bundle.as_ref()?;
        if scope.index.is_none() {
            let index = BundleIndex::of(self.node(scope.start)?);
            self.bundle.as_mut()?.index = Some(index);
        }
        self.bundle.as_ref()?.index.as_ref()
    }

    /// The resource that a reference leads to in the Bundle around.
    pub(super) fn bundled_resource(&mut self, reference: &str) -> Option<Node<'a>> {
        self.bundle_index()?.find(reference)
    }

    /// A Bundle that was walked over.
    pub(super) fn bundle_rules(&mut self, seen: &Seen, here: &Frame<'_>) -> Option<()> {
        let bundle = Node::of_text(self.text.get(seen.range.clone())?);
        let kind = bundle.get_text("type").unwrap_or_default();
        let with_request = matches!(&*kind, "batch" | "transaction" | "history");
        let with_response = matches!(&*kind, "batch-response" | "transaction-response" | "history");
        let mut urls: Vec<FullUrl<'a>> = Vec::new();
        for (index, entry) in bundle.get("entry").into_iter().flat_map(Node::items).enumerate() {
            let frame = Frame { above: Some(here), name: "entry", index: Some(index), kind: here.kind };
            let place = entry.place_in(self.text.as_bytes()).unwrap_or_default();
            let fields = entry.fields();
            let mut parts = [("request", with_request, "bdl-3"), ("response", with_response, "bdl-4")].into_iter();
            parts.try_for_each(|(part, wanted, rule)| match (fields.get(part).is_some(), wanted) {
                (false, true) => self.bundle_error(&frame, &place, || {
                    format!("Each entry of a {} needs a '{part}' ({rule}).", shown(&kind))
                }),
                (true, false) => self.bundle_error(&frame, &place, || {
                    format!("An entry of a {} has no '{part}'; leave it out ({rule}).", shown(&kind))
                }),
                _ => Some(()),
            })?;
            let Some(url) = fields.get_text("fullUrl") else { continue };
            let resource = fields.get("resource");
            self.full_url(&url, resource, &frame, &place)?;
            let version = resource.and_then(|it| it.first("meta.versionId")).and_then(Node::text).unwrap_or_default();
            if kind != "history" {
                urls.push((url, version, index, place));
            }
        }
        urls.sort_by(|a, b| (&a.0, &a.1, a.2).cmp(&(&b.0, &b.1, b.2)));
        for pair in urls.windows(2).filter(|pair| pair[0].0 == pair[1].0 && pair[0].1 == pair[1].1) {
            let (url, _, index, place) = &pair[1];
            let frame = Frame { above: Some(here), name: "entry", index: Some(*index), kind: here.kind };
            self.bundle_error(&frame, place, || {
                format!("Two entries have the fullUrl '{}'; each needs one of its own (bdl-7).", shown(url))
            })?;
        }
        Some(())
    }

    /// A fullUrl is absolute and agrees with the id of the resource.
    fn full_url(
        &mut self,
        url: &str,
        resource: Option<Node<'a>>,
        frame: &Frame<'_>,
        place: &Range<usize>,
    ) -> Option<()> {
        if !url.contains(':') {
            return self.bundle_error(frame, place, || {
                format!("The fullUrl '{}' is not absolute; write https://…/Type/id or urn:uuid:….", shown(url))
            });
        }
        let id = resource.and_then(|it| it.get_text("id"));
        if let (Target::Absolute { resource_type, id: in_url, .. }, Some(id)) = (Target::of(url), id)
            && (in_url != id || resource.and_then(|it| it.get_text("resourceType")).as_deref() != Some(resource_type))
        {
            return self.bundle_error(frame, place, || {
                format!("The fullUrl '{}' names another resource than the one in the entry.", shown(url))
            });
        }
        Some(())
    }

    fn bundle_error(&mut self, frame: &Frame<'_>, place: &Range<usize>, words: impl FnOnce() -> String) -> Option<()> {
        self.tell(Severity::Error, IssueCode::Invariant, Some(frame), place.clone(), words)
    }
}
