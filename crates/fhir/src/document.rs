//! Documents: a Composition and what it refers to, frozen in one Bundle (FHIR R4 §3.3, `Composition/$document`).

use std::collections::{HashMap, HashSet};

use crate::json::{Node, push_string};
use crate::project::{reference_texts, with_references};
use crate::reference::Target;

/// A resource that may become part of a document.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// How others refer to it: `Type/id`.
    pub reference: &'a str,
    /// The resource as it goes out, compact.
    pub resource: Node<'a>,
}

/// What a document has besides its content. All of it is given, so that the same input makes the same bytes.
pub struct Frame<'a> {
    /// A new UUID: the document's id and, as `urn:uuid:…`, its identifier for good (Bundle.identifier, bdl-9).
    pub uuid: &'a str,
    /// When it was put together: an instant.
    pub timestamp: &'a str,
    /// Names the entry of a resource `Type/id`: the absolute address of the resource here, or `urn:uuid:…`. With the
    /// latter, references between entries are rewritten to follow.
    pub full_url: &'a dyn Fn(&str) -> String,
    /// The profile that the document claims.
    pub profile: Option<&'a str>,
}

/// A document.
pub struct Document {
    /// The Bundle.
    pub bytes: Vec<u8>,
    /// What the Composition refers to and was not at hand, each once: `Type/id`. References to other servers do not count.
    pub missing: Vec<String>,
}

impl std::fmt::Debug for Document {
    /// Never the content.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Document({} bytes, {} missing)", self.bytes.len(), self.missing.len())
    }
}

/// What comes along when something in the document refers to it: without these, an entry says less than it should.
/// Following every reference would pull the whole record in.
const COMES_ALONG: [&str; 12] = [
    "Device",
    "HealthcareService",
    "ImagingStudy",
    "Location",
    "Medication",
    "Observation",
    "Organization",
    "Practitioner",
    "PractitionerRole",
    "RelatedPerson",
    "Specimen",
    "Substance",
];

/// Puts a document together: the Composition, all it refers to in the order it does, and of what those refer to the things
/// that an entry cannot be read without (medications, people, organisations, members of a panel). `available` is what
/// the caller may see; the first of several items with one reference counts.
#[must_use]
pub fn assemble(frame: &Frame<'_>, composition: Item<'_>, available: &[Item<'_>]) -> Document {
    let mut by_reference: HashMap<&str, Node<'_>> = HashMap::new();
    for item in available {
        by_reference.entry(item.reference).or_insert(item.resource);
    }
    let (entries, missing) = gather(composition, &by_reference);
    let urls: HashMap<&str, String> =
        entries.iter().map(|item| (item.reference, (frame.full_url)(item.reference))).collect();
    let mut out = br#"{"resourceType":"Bundle","id":"#.to_vec();
    push_string(&mut out, frame.uuid);
    if let Some(profile) = frame.profile {
        out.extend_from_slice(br#","meta":{"profile":["#);
        push_string(&mut out, profile);
        out.extend_from_slice(b"]}");
    }
    out.extend_from_slice(br#","identifier":{"system":"urn:ietf:rfc:3986","value":"#);
    push_string(&mut out, &format!("urn:uuid:{}", frame.uuid));
    out.extend_from_slice(br#"},"type":"document","timestamp":"#);
    push_string(&mut out, frame.timestamp);
    out.extend_from_slice(br#","entry":["#);
    for (index, item) in entries.iter().enumerate() {
        let url = urls.get(item.reference).map_or("", String::as_str);
        out.extend_from_slice(if index == 0 { br#"{"fullUrl":"# } else { br#",{"fullUrl":"# });
        push_string(&mut out, url);
        out.extend_from_slice(br#","resource":"#);
        out.extend(with_references(item.resource.raw().as_bytes(), |text| {
            // An address of ours leads where a relative reference leads; a URN does not.
            urls.get(local(text)?.as_str()).filter(|url| url.starts_with("urn:")).cloned()
        }));
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    Document { bytes: out, missing }
}

/// The entries of a document, the Composition first, and what is missing.
fn gather<'a>(composition: Item<'a>, available: &HashMap<&'a str, Node<'a>>) -> (Vec<Item<'a>>, Vec<String>) {
    let mut entries = vec![composition];
    let mut seen: HashSet<String> = HashSet::from([composition.reference.to_owned()]);
    let mut missing = Vec::new();
    let mut next = 0;
    while let Some(item) = entries.get(next).copied() {
        for text in reference_texts(item.resource.raw().as_bytes()) {
            let Some(reference) = local(&text) else { continue };
            let comes = next == 0 || reference.split_once('/').is_some_and(|(kind, _)| COMES_ALONG.contains(&kind));
            if !comes || !seen.insert(reference.clone()) {
                continue;
            }
            match available.get_key_value(reference.as_str()) {
                Some((&reference, &resource)) => entries.push(Item { reference, resource }),
                None if next == 0 => missing.push(reference),
                None => {}
            }
        }
        next += 1;
    }
    (entries, missing)
}

/// What a reference text calls a resource of this server: `Type/id`.
fn local(text: &str) -> Option<String> {
    match Target::of(text) {
        Target::Relative { resource_type, id, .. } => Some(format!("{resource_type}/{id}")),
        _ => None,
    }
}
