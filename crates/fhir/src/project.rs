//! A stored resource as it goes out: with the ids and the version that Keepwell gave, and nothing else touched.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memmem;

use crate::json::{Node, push_string};

/// What Keepwell knows about a resource and writes into it on the way out.
#[derive(Debug, Clone, Copy)]
pub struct Stamp<'a> {
    /// The id.
    pub id: &'a str,
    /// `meta.versionId`.
    pub version_id: &'a str,
    /// `meta.lastUpdated`, a FHIR instant.
    pub last_updated: &'a str,
}

/// How `"reference":"` is spelt in compact JSON. It cannot occur inside a string: there a quote is escaped, and property
/// names with escapes are refused at the door.
const REFERENCE: &[u8] = br#""reference":""#;

/// Writes a stored (checked, compact) resource for output: sets `id`, `meta.versionId` and `meta.lastUpdated`, and
/// replaces each `reference` for which `resolve` knows a new text. References to contained resources (`#…`) are not
/// asked for. Everything else keeps its bytes and its order; bytes that hold no object come back as they are.
pub fn project(stored: &[u8], stamp: Stamp<'_>, resolve: impl FnMut(&str) -> Option<String>) -> Vec<u8> {
    let mut out = Vec::with_capacity(stored.len() + 160);
    project_into(stored, stamp, resolve, &mut out);
    out
}

/// As [`project`], written to the end of a buffer that may hold more: a Bundle, say.
pub fn project_into(
    stored: &[u8],
    stamp: Stamp<'_>,
    mut resolve: impl FnMut(&str) -> Option<String>,
    out: &mut Vec<u8>,
) {
    let Some(node) = Node::new(stored).filter(|node| node.raw().starts_with('{')) else {
        return out.extend_from_slice(stored);
    };
    let mut edits = stamp_edits(stored, node, stamp);
    edits.extend(reference_edits(stored, &mut resolve));
    edits.extend(attachment_edits(stored, node, &mut resolve));
    // Stable, so that edits at one place keep their order.
    edits.sort_by_key(|edit| edit.place.start);
    apply(stored, edits, out);
}

/// Replaces each `reference` of a checked, compact document for which `resolve` knows a new text, and nothing else.
pub fn with_references(stored: &[u8], mut resolve: impl FnMut(&str) -> Option<String>) -> Vec<u8> {
    let mut out = Vec::with_capacity(stored.len() + 160);
    let mut edits = reference_edits(stored, &mut resolve);
    if let Some(node) = Node::new(stored) {
        edits.extend(attachment_edits(stored, node, &mut resolve));
        edits.sort_by_key(|edit| edit.place.start);
    }
    apply(stored, edits, &mut out);
    out
}

/// Makes edits that are ordered by their places.
fn apply(stored: &[u8], edits: Vec<Edit>, out: &mut Vec<u8>) {
    let mut from = 0;
    for edit in edits {
        // Inside something that was replaced already.
        if edit.place.start < from {
            continue;
        }
        if let Some(kept) = stored.get(from..edit.place.start) {
            out.extend_from_slice(kept);
        }
        out.extend_from_slice(&edit.text);
        from = edit.place.end;
    }
    out.extend_from_slice(stored.get(from..).unwrap_or_default());
}

/// Puts `text` where `place` was.
struct Edit {
    place: Range<usize>,
    text: Vec<u8>,
}

fn member(name: &str, value: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len() + value.len() + 6);
    push_string(&mut out, name);
    out.push(b':');
    push_string(&mut out, value);
    out
}

fn quoted(value: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len() + 2);
    push_string(&mut out, value);
    out
}

/// Sets a member of an object: in place where it exists; otherwise it is added to `new`.
fn set(stored: &[u8], object: Node<'_>, name: &str, value: &str, edits: &mut Vec<Edit>, new: &mut Vec<u8>) {
    match object.get(name).and_then(|node| node.place_in(stored)) {
        Some(place) => edits.push(Edit { place, text: quoted(value) }),
        None => {
            if !new.is_empty() {
                new.push(b',');
            }
            new.extend(member(name, value));
        }
    }
}

fn stamp_edits(stored: &[u8], node: Node<'_>, stamp: Stamp<'_>) -> Vec<Edit> {
    let mut edits = Vec::with_capacity(8);
    let mut new = Vec::new();
    set(stored, node, "id", stamp.id, &mut edits, &mut new);
    let meta = node.get("meta").and_then(|meta| Some((meta, meta.place_in(stored)?)));
    match meta.filter(|(meta, _)| meta.raw().starts_with('{')) {
        Some((meta, place)) => {
            let mut inside = Vec::new();
            set(stored, meta, "versionId", stamp.version_id, &mut edits, &mut inside);
            set(stored, meta, "lastUpdated", stamp.last_updated, &mut edits, &mut inside);
            if !inside.is_empty() {
                if meta.raw() != "{}" {
                    inside.push(b',');
                }
                let start = place.start + 1;
                edits.push(Edit { place: start..start, text: inside });
            }
        }
        None => {
            if !new.is_empty() {
                new.push(b',');
            }
            let mut text = br#""meta":{"#.to_vec();
            text.extend(member("versionId", stamp.version_id));
            text.push(b',');
            text.extend(member("lastUpdated", stamp.last_updated));
            text.push(b'}');
            match node.get("meta").and_then(|odd| odd.place_in(stored)) {
                // A `meta` that is no object says nothing worth keeping beside the real one.
                Some(place) => edits.push(Edit { place, text: text[7..].to_vec() }),
                None => new.extend(text),
            }
            if new.last() == Some(&b',') {
                new.pop();
            }
        }
    }
    if !new.is_empty() {
        edits.push(insertion(stored, node, new));
    }
    edits
}

/// New members go right after `resourceType`, where readers expect them; without one, to the front.
fn insertion(stored: &[u8], node: Node<'_>, mut new: Vec<u8>) -> Edit {
    match node.get("resourceType").and_then(|value| value.place_in(stored)) {
        Some(place) => {
            new.insert(0, b',');
            Edit { place: place.end..place.end, text: new }
        }
        None => {
            if node.raw() != "{}" {
                new.push(b',');
            }
            Edit { place: 1..1, text: new }
        }
    }
}

fn reference_edits(stored: &[u8], resolve: &mut dyn FnMut(&str) -> Option<String>) -> Vec<Edit> {
    let mut edits = Vec::new();
    for place in references(stored) {
        let Some(raw) = stored.get(place.clone()).and_then(Node::new) else { continue };
        let Some(text) = raw.text() else { continue };
        if text.starts_with('#') {
            continue;
        }
        if let Some(resolved) = resolve(&text) {
            edits.push(Edit { place, text: quoted(&resolved) });
        }
    }
    edits
}

/// A document's attachments lie in Binaries, which it names by address and not by reference (R4 §2.41.4.24).
fn attachment_edits(stored: &[u8], node: Node<'_>, resolve: &mut dyn FnMut(&str) -> Option<String>) -> Vec<Edit> {
    if node.get_text("resourceType").as_deref() != Some("DocumentReference") {
        return Vec::new();
    }
    let urls = node.all("content.attachment.url").into_iter();
    let edit = |url: Node<'_>| Some(Edit { place: url.place_in(stored)?, text: quoted(&resolve(&url.text()?)?) });
    urls.filter_map(edit).collect()
}

/// The places of the strings, quotes included, that are the values of members called `reference`.
fn references(stored: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    memmem::find_iter(stored, REFERENCE).filter_map(|at| {
        let start = at + REFERENCE.len() - 1;
        Some(start..crate::json::string_end(stored, start)?)
    })
}

/// Every reference text in a checked, compact document, in order; those to contained resources left out.
pub fn reference_texts(stored: &[u8]) -> impl Iterator<Item = Cow<'_, str>> + '_ {
    references(stored).filter_map(|place| Node::new(stored.get(place)?)?.text()).filter(|text| !text.starts_with('#'))
}
