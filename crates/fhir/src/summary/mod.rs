//! The International Patient Summary of one person's record, as a document (HL7 IPS, `Patient/$summary`).
//!
//! The sections that every summary has are there even when the record holds nothing for them: an empty one says so, with
//! a reason that a program reads and words that a person reads, and never lets the reader take "nothing here" for "there
//! is none". Which resources may be shown is the caller's to decide beforehand.

mod narrative;
mod sections;

use crate::document::{Document, Frame, Item, assemble};
use crate::json::push_string;
use narrative::narrative;
use sections::{Chosen, SECTIONS, Section, choose};

/// What the Bundle claims to be.
const BUNDLE: &str = "http://hl7.org/fhir/uv/ips/StructureDefinition/Bundle-uv-ips";
/// What the Composition claims to be.
const COMPOSITION: &str = "http://hl7.org/fhir/uv/ips/StructureDefinition/Composition-uv-ips";

/// What a summary is made with. Time and ids are given, so that the same input makes the same bytes.
pub struct Order<'a> {
    /// A new UUID for the document.
    pub uuid: &'a str,
    /// A new UUID for its Composition.
    pub composition_uuid: &'a str,
    /// Now, as an instant.
    pub timestamp: &'a str,
    /// The document's title.
    pub title: &'a str,
    /// Who puts it together: a Device, an Organization, a Practitioner or the Patient.
    pub author: Item<'a>,
    /// Who looks after the record: an Organization.
    pub custodian: Option<Item<'a>>,
    /// As [`Frame::full_url`].
    pub full_url: &'a dyn Fn(&str) -> String,
}

/// The summary of a person's record. `patient` is the person; `items` is what else of the record, and of the directory
/// that it refers to, the caller may see, in any order.
#[must_use]
pub fn summary(order: &Order<'_>, patient: Item<'_>, items: &[Item<'_>]) -> Document {
    let chosen = choose(items);
    let reference = format!("Composition/{}", order.composition_uuid);
    let composition = composition(order, patient, items, &chosen);
    let text = String::from_utf8(composition).expect("it is made of UTF-8 text only");
    let mut available = vec![patient, order.author];
    available.extend(order.custodian);
    available.extend(items);
    let frame = Frame { uuid: order.uuid, timestamp: order.timestamp, full_url: order.full_url, profile: Some(BUNDLE) };
    let composition = Item { reference: &reference, resource: crate::json::Node::of_text(&text) };
    assemble(&frame, composition, &available)
}

/// The Composition that leads the document.
fn composition(order: &Order<'_>, patient: Item<'_>, items: &[Item<'_>], chosen: &[Chosen<'_>]) -> Vec<u8> {
    let mut out = br#"{"resourceType":"Composition","id":"#.to_vec();
    push_string(&mut out, order.composition_uuid);
    out.extend_from_slice(br#","meta":{"profile":["#);
    push_string(&mut out, COMPOSITION);
    out.extend_from_slice(br#"]},"language":"en","status":"final","type":"#);
    loinc(&mut out, "60591-5", "Patient summary Document");
    out.extend_from_slice(br#","subject":"#);
    referring(&mut out, patient.reference);
    out.extend_from_slice(br#","date":"#);
    push_string(&mut out, order.timestamp);
    out.extend_from_slice(br#","author":["#);
    referring(&mut out, order.author.reference);
    out.extend_from_slice(br#"],"title":"#);
    push_string(&mut out, order.title);
    if let Some(custodian) = order.custodian {
        out.extend_from_slice(br#","custodian":"#);
        referring(&mut out, custodian.reference);
    }
    out.extend_from_slice(br#","section":["#);
    let mut first = true;
    for (section, chosen) in SECTIONS.iter().zip(chosen) {
        if chosen.items.is_empty() && !section.always {
            continue;
        }
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        push_section(&mut out, section, items, chosen);
    }
    out.extend_from_slice(b"]}");
    out
}

/// One section. An empty one says why: the record has nothing, which is not the same as there being nothing.
fn push_section(out: &mut Vec<u8>, section: &Section, items: &[Item<'_>], chosen: &Chosen<'_>) {
    out.extend_from_slice(br#"{"title":"#);
    push_string(out, section.title);
    out.extend_from_slice(br#","code":"#);
    loinc(out, section.code, section.display);
    out.extend_from_slice(br#","text":{"status":"generated","div":"#);
    push_string(out, &narrative(section, items, chosen));
    out.push(b'}');
    if chosen.items.is_empty() {
        out.extend_from_slice(br#","emptyReason":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/list-empty-reason","code":"unavailable","display":"Unavailable"}],"text":"#);
        push_string(out, section.empty);
        out.push(b'}');
    } else {
        out.extend_from_slice(br#","entry":["#);
        for (index, item) in chosen.items.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            referring(out, item.reference);
        }
        out.push(b']');
    }
    out.push(b'}');
}

fn loinc(out: &mut Vec<u8>, code: &str, display: &str) {
    out.extend_from_slice(br#"{"coding":[{"system":"http://loinc.org","code":"#);
    push_string(out, code);
    out.extend_from_slice(br#","display":"#);
    push_string(out, display);
    out.extend_from_slice(b"}]}");
}

fn referring(out: &mut Vec<u8>, reference: &str) {
    out.extend_from_slice(br#"{"reference":"#);
    push_string(out, reference);
    out.push(b'}');
}
