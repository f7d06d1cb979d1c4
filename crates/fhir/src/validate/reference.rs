//! References: their form, what they may lead to, and contained resources.

use std::borrow::Cow;
use std::ops::Range;

use super::primitive::{oid, uuid};
use super::rules::{ElementRule, TypeRule};
use super::walk::{Frame, Seen, Walk};
use super::words::{did_you_mean, shown};
use crate::json::Node;
use crate::outcome::{IssueCode, Severity};
use crate::reference::Target;

/// The contained resources of one resource, ordered by id.
pub(super) struct Contained<'a>(Vec<Inner<'a>>);

/// A contained resource.
struct Inner<'a> {
    id: Cow<'a, str>,
    resource_type: Cow<'a, str>,
    range: Range<usize>,
    index: usize,
    is_referenced: bool,
}

impl<'a> Contained<'a> {
    fn of(resource: Node<'a>, text: &str) -> Self {
        let items = resource.get("contained").into_iter().flat_map(Node::items).enumerate();
        let mut inner: Vec<Inner<'a>> = items
            .map(|(index, it)| Inner {
                id: it.get_text("id").unwrap_or_default(),
                resource_type: it.get_text("resourceType").unwrap_or_default(),
                range: it.place_in(text.as_bytes()).unwrap_or_default(),
                index,
                is_referenced: false,
            })
            .collect();
        inner.sort_by(|a, b| a.id.cmp(&b.id));
        Self(inner)
    }

    /// The first resource with that id.
    fn find(&mut self, id: &str) -> Option<&mut Inner<'a>> {
        let at = self.0.partition_point(|it| *it.id < *id);
        self.0.get_mut(at).filter(|it| it.id == id)
    }

    /// Marks the resource with that id as referenced, and answers its type.
    fn refer(&mut self, id: &str) -> Option<&str> {
        let found = self.find(id)?;
        found.is_referenced = true;
        Some(&found.resource_type)
    }
}

impl<'a, 'v> Walk<'a, 'v> {
    fn contained(&mut self) -> Option<&mut Contained<'a>> {
        if self.root.contained.is_none() {
            let (node, text) = (self.root_node()?, self.text);
            self.root.contained = Some(Contained::of(node, text));
        }
        self.root.contained.as_mut()
    }

    /// The contained resource with that id.
    pub(super) fn contained_resource(&mut self, id: &str) -> Option<Node<'a>> {
        let text = self.text;
        let found = self.contained()?.find(id)?;
        text.get(found.range.clone()).map(Node::of_text)
    }

    /// The root resource as a node.
    pub(super) fn root_node(&mut self) -> Option<Node<'a>> {
        if self.root.node.is_none() {
            self.root.node = self.node(self.root.start);
        }
        self.root.node
    }

    /// Notes that something refers to a contained resource.
    pub(super) fn refer_to_contained(&mut self, id: &str) {
        let _ = self.contained().and_then(|it| it.refer(id).map(drop));
    }

    /// A Reference that was walked over.
    pub(super) fn reference(&mut self, owner: Option<&'v ElementRule>, seen: &Seen, here: &Frame<'_>) -> Option<()> {
        let noted = |note: &Range<u32>| self.text.get(note.start as usize..note.end as usize).map(Node::of_text);
        let text = noted(&seen.notes[1]).and_then(Node::text);
        let said = noted(&seen.notes[2]).and_then(Node::text);
        let place = if text.is_some() { range(&seen.notes[1]) } else { seen.range.clone() };
        let mut names: Option<Cow<'_, str>> = None;
        if let Some(text) = &text {
            match Target::of(text) {
                Target::Contained(id) => names = self.contained_target(id, here, &place)?.map(Cow::Owned),
                Target::Urn(urn) => {
                    self.urn(urn, here, place.clone())?;
                    names = self.in_bundle(urn, here, &place)?;
                }
                Target::Other(other) => self.odd_reference(other, here, &place)?,
                target => names = target.resource_type().map(Cow::Borrowed),
            }
        }
        if let Some(said) = &said
            && let Some(named) = names.as_ref().filter(|named| *named != said)
        {
            let words = || format!("The reference leads to {named}, and its type says '{}'.", shown(said));
            self.tell(Severity::Error, IssueCode::Value, Some(here), place.clone(), words)?;
        }
        let names = names.or(said.filter(|said| self.rules.named(said).is_some()));
        if let (Some(owner), Some(named)) = (owner, names)
            && !owner.targets.is_empty()
            && !owner.targets.iter().any(|it| **it == *named)
        {
            let words = || {
                let allowed: Vec<&str> = owner.targets.iter().map(|it| &**it).collect();
                format!("'{}' leads to {}, not to {}.", owner.name, allowed.join(" or "), shown(&named))
            };
            self.tell(Severity::Error, IssueCode::Value, Some(here), place, words)?;
        }
        Some(())
    }

    /// A reference to a contained resource; answers its type.
    fn contained_target(&mut self, id: &str, here: &Frame<'_>, place: &Range<usize>) -> Option<Option<String>> {
        if id.is_empty() {
            // `#` alone is the resource that contains the one that says so.
            self.resource.refers_out = true;
            let container = Some(self.root.kind.to_owned());
            return Some(container);
        }
        let found = self.contained()?.refer(id).map(str::to_owned);
        if found.is_none() {
            let words = || format!("Nothing contained in this resource has the id '{}' (ref-1).", shown(id));
            self.tell(Severity::Error, IssueCode::Invariant, Some(here), place.clone(), words)?;
        }
        Some(found)
    }

    /// A reference that is no address of a resource as FHIR writes it.
    fn odd_reference(&mut self, text: &str, here: &Frame<'_>, place: &Range<usize>) -> Option<()> {
        if text.contains("://") || text.starts_with("mailto:") {
            return Some(());
        }
        let (name, _) = text.split_once(['/', '?']).unwrap_or((text, ""));
        let words = || {
            if self.rules.named(name).is_some() {
                return format!("'{}' is not a reference: write Type/id, such as Patient/1.", shown(text));
            }
            let nearest = super::names::nearest(name, self.rules.resource_types());
            format!(
                "'{}' does not name a resource type{}; write Type/id, such as Patient/1.",
                shown(text),
                did_you_mean(nearest)
            )
        };
        let words = words();
        self.tell(Severity::Error, IssueCode::Value, Some(here), place.clone(), || words)
    }

    /// A `urn:uuid:` or `urn:oid:` has its form.
    pub(super) fn urn(&mut self, text: &str, here: &Frame<'_>, place: Range<usize>) -> Option<()> {
        let fault = if text.starts_with("urn:uuid:") {
            // Upper case is common and harms nobody but those who compare the text.
            uuid(text.to_ascii_lowercase().as_bytes())
                .map(|fault| (Severity::Error, fault))
                .or_else(|| uuid(text.as_bytes()).map(|_| (Severity::Warning, "write its letters in lower case")))
        } else if text.starts_with("urn:oid:") {
            oid(text.as_bytes()).map(|fault| (Severity::Error, fault))
        } else {
            None
        };
        let Some((severity, fault)) = fault else { return Some(()) };
        self.tell(severity, IssueCode::Value, Some(here), place, || format!("'{}': {fault}.", shown(text)))
    }

    /// The rules about a resource inside another (dom-2, dom-4, dom-5).
    pub(super) fn contained_rules(&mut self, rule: &TypeRule, seen: &Seen, here: &Frame<'_>) -> Option<()> {
        let mut broken = |words: &str| {
            let words = words.to_owned();
            self.tell(Severity::Error, IssueCode::Invariant, Some(here), seen.range.clone(), || words)
        };
        if seen.bits & rule.bit("contained") != 0 {
            broken("A contained resource contains another; put all of them into the outermost resource (dom-2).")?;
        }
        if seen.bits & rule.bit("meta") != 0 {
            let object = Node::of_text(self.text.get(seen.range.clone())?);
            let meta = object.get("meta")?;
            if meta.get("versionId").is_some() || meta.get("lastUpdated").is_some() {
                let words = || {
                    "A contained resource has no version of its own; leave meta.versionId and meta.lastUpdated out (dom-4).".to_owned()
                };
                self.tell(Severity::Error, IssueCode::Invariant, Some(here), seen.range.clone(), words)?;
            }
            if meta.get("security").is_some() {
                let words = || {
                    "A contained resource has no security labels of its own; put them on the outer resource (dom-5)."
                        .to_owned()
                };
                self.tell(Severity::Error, IssueCode::Invariant, Some(here), seen.range.clone(), words)?;
            }
        }
        // So that one that nobody refers to is told even if nobody refers to any.
        let _ = self.contained();
        Some(())
    }

    /// Contained resources that nothing refers to (dom-3; R4 calls it an error, R5 no longer does).
    pub(super) fn unreferenced(&mut self, here: &Frame<'_>) -> Option<()> {
        let Some(contained) = self.root.contained.take() else { return Some(()) };
        for pair in contained.0.windows(2).filter(|pair| pair[0].id == pair[1].id && !pair[0].id.is_empty()) {
            let frame = Frame { name: "contained", index: Some(pair[1].index), above: Some(here), kind: here.kind };
            let words =
                || format!("Two contained resources have the id '{}'; each needs one of its own.", shown(&pair[1].id));
            self.tell(Severity::Error, IssueCode::Value, Some(&frame), pair[1].range.clone(), words)?;
        }
        let refers = |it: &Inner<'a>| self.root.referring.binary_search(&it.range.start).is_ok();
        let mut alone: Vec<&Inner<'a>> = contained.0.iter().filter(|it| !it.is_referenced && !refers(it)).collect();
        alone.sort_by_key(|it| it.index);
        for inner in alone {
            let frame = Frame { above: Some(here), name: "contained", index: Some(inner.index), kind: here.kind };
            let words = || {
                if inner.id.is_empty() {
                    return "This contained resource has no id, so nothing can refer to it (dom-3).".to_owned();
                }
                format!(
                    "Nothing refers to this contained resource; refer to it as '#{}' or leave it out (dom-3).",
                    shown(&inner.id)
                )
            };
            self.tell(Severity::Warning, IssueCode::Invariant, Some(&frame), inner.range.clone(), words)?;
        }
        self.root.contained = Some(contained);
        Some(())
    }
}

/// A noted place.
pub(super) fn range(note: &Range<u32>) -> Range<usize> {
    note.start as usize..note.end as usize
}
