//! What fuzzing calls: one function for each door through which a stranger's bytes come in. A target may refuse its
//! input in any way it likes; it must not panic, and what it makes must hold together.

use std::sync::LazyLock;

use keepwell_fhir::compare::same;
use keepwell_fhir::definitions::r4;
use keepwell_fhir::fhirpath::{Context, Expression};
use keepwell_fhir::json::{Node, compact};
use keepwell_fhir::outcome::Severity;
use keepwell_fhir::patch::{fhirpath_patch, json_patch};
use keepwell_fhir::search::{Columns, Handling, Query, Search};
use keepwell_fhir::validate::{Options, Validator, lines_and_columns};
use keepwell_fhir::xml;

use keepwell_model::Timestamp;

use super::corpus;
use super::world::Two;

/// A target: its name, its function, the documents to start from, and words that its inputs are made of.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    /// The name.
    pub(crate) name: &'static str,
    /// What is called.
    pub(crate) run: fn(&[u8]),
    /// Where mutations start.
    pub(crate) seeds: &'static [&'static str],
    /// What mutations put in.
    pub(crate) words: &'static [&'static str],
}

/// All targets.
pub(crate) const TARGETS: &[Target] = &[
    Target { name: "json", run: json, seeds: corpus::RESOURCES, words: corpus::JSON_WORDS },
    Target { name: "xml", run: xml, seeds: corpus::XML, words: corpus::XML_WORDS },
    Target { name: "fhirpath", run: fhirpath, seeds: corpus::EXPRESSIONS, words: corpus::EXPRESSION_WORDS },
    Target { name: "search", run: search, seeds: corpus::QUERIES, words: corpus::QUERY_WORDS },
    Target { name: "json-patch", run: patch, seeds: corpus::PATCHES, words: corpus::PATCH_WORDS },
    Target { name: "fhirpath-patch", run: path_patch, seeds: corpus::PATH_PATCHES, words: corpus::PATCH_WORDS },
];

static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| Validator::new(r4()));

/// JSON: the compactor and the validator; bytes that were never checked do not make the validator panic either.
pub(crate) fn json(input: &[u8]) {
    let profiles = ["http://hl7.org/fhir/StructureDefinition/bp", "http://hl7.org/fhir/StructureDefinition/vitalsigns"];
    let options = Options { level: Severity::Information, profiles: &profiles, ..Options::default() };
    let _ = VALIDATOR.validate(input, &options);
    let Ok(bytes) = compact(input) else { return };
    assert_eq!(compact(&bytes).as_deref(), Ok(&bytes[..]), "what is compact stays");
    let report = VALIDATOR.validate(&bytes, &options);
    let places: Vec<usize> = report.issues.iter().map(|it| it.place.start).collect();
    assert!(report.issues.iter().all(|it| it.place.end <= bytes.len() && !it.words.is_empty()));
    assert_eq!(lines_and_columns(input, &places).len(), places.len());
    let _ = Node::new(&bytes).map(|node| xml::write(node, r4()));
    let outcome = report.outcome(Some(input)).to_json();
    assert!(compact(&outcome).is_ok(), "the outcome is JSON");
}

/// XML: what is read can be written, and read again as the same.
pub(crate) fn xml(input: &[u8]) {
    let Ok(json) = xml::read(input, r4()) else { return };
    assert_eq!(compact(&json).as_deref(), Ok(&json[..]), "what is read is compact");
    let _ = VALIDATOR.validate(&json, &Options::default());
    let Some(node) = Node::new(&json) else { return };
    let Ok(written) = xml::write(node, r4()) else { return };
    // The order of attributes means nothing in XML, so that of an extension's id and url may change.
    let again = xml::read(&written, r4());
    let again = again.as_deref().ok().and_then(Node::new);
    assert!(again.is_some_and(|again| same(node, again)), "what is written is read as the same");
}

/// FHIRPath: parsed, and evaluated on two resources.
pub(crate) fn fhirpath(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(expression) = Expression::parse(text) else { return };
    for resource in [corpus::OBSERVATION, corpus::PATIENT] {
        let node = Node::of_text(resource);
        let _ = expression.evaluate(&Context::of(r4(), node));
    }
}

/// Search: a query is read in both ways of handling, and run; the link to itself is read as a query again.
pub(crate) fn search(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let columns = Columns::default();
    for resource_type in [Some("Observation"), Some("Patient"), None] {
        for handling in [Handling::Strict, Handling::Lenient] {
            let Ok(query) = Query::parse(r4(), resource_type, text, handling) else { continue };
            let search = Search::new(&Two, r4(), &columns, Timestamp::from_micros(1_795_000_000_000_000));
            let _ = search.run(&query, 0);
            let again = Query::parse(r4(), resource_type, &query.self_link(), handling);
            assert!(again.is_ok(), "the link of an answer to itself can be followed");
        }
    }
}

/// JSON Patch: what comes out is JSON.
pub(crate) fn patch(input: &[u8]) {
    for resource in [corpus::OBSERVATION, corpus::PATIENT] {
        if let Ok(patched) = json_patch(resource.as_bytes(), input) {
            assert!(compact(&patched).is_ok(), "the result is JSON");
        }
    }
}

/// FHIRPath Patch: what comes out is JSON.
pub(crate) fn path_patch(input: &[u8]) {
    for resource in [corpus::OBSERVATION, corpus::PATIENT] {
        if let Ok(patched) = fhirpath_patch(resource.as_bytes(), input, r4()) {
            assert!(compact(&patched).is_ok(), "the result is JSON");
        }
    }
}
