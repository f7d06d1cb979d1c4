//! `_include` and `_revinclude` (FHIR R4 §3.1.1.5.15).

use keepwell_fhir::definitions::r4;
use keepwell_fhir::search::{Columns, Search, SearchError};

use super::{Items, NOW, parsed, problem};

fn record() -> Items {
    Items::of(&[
        r#"{"resourceType":"Patient","id":"ann","managingOrganization":{"reference":"Organization/trust"},
            "link":[{"other":{"reference":"Patient/ann"},"type":"seealso"}]}"#,
        r#"{"resourceType":"Organization","id":"trust","partOf":{"reference":"Organization/region"}}"#,
        r#"{"resourceType":"Organization","id":"region"}"#,
        r#"{"resourceType":"Practitioner","id":"gp"}"#,
        r#"{"resourceType":"Observation","id":"o1","status":"final","subject":{"reference":"Patient/ann"},
            "performer":[{"reference":"Practitioner/gp"},{"reference":"Organization/trust"}]}"#,
        r#"{"resourceType":"Observation","id":"o2","status":"final","subject":{"reference":"Patient/ann"},
            "hasMember":[{"reference":"Observation/o1"}]}"#,
        r#"{"resourceType":"Provenance","id":"pv","target":[{"reference":"Observation/o1"}],
            "agent":[{"who":{"reference":"Practitioner/gp"}}]}"#,
    ])
}

#[test]
fn search_include_brings_what_matches_refer_to_once() {
    let items = record();
    assert_eq!(items.included("Observation", "_include=Observation:subject"), ["Patient/ann"]);
    assert_eq!(
        items.included("Observation", "_include=Observation:patient&_include=Observation:subject"),
        ["Patient/ann"]
    );
    assert_eq!(
        items.included("Observation", "_include=Observation:performer"),
        ["Practitioner/gp", "Organization/trust"]
    );
    assert!(items.included("Observation", "_include=Observation:encounter").is_empty());
    assert!(items.included("Observation", "_include=Patient:organization").is_empty());
}

#[test]
fn search_include_of_a_type_brings_that_type_alone() {
    let items = record();
    assert_eq!(items.included("Observation", "_include=Observation:performer:Practitioner"), ["Practitioner/gp"]);
}

#[test]
fn search_include_never_repeats_a_match() {
    let items = record();
    assert!(items.included("Observation", "_include=Observation:has-member").is_empty());
    assert_eq!(items.included("Observation", "_id=o2&_include=Observation:has-member"), ["Observation/o1"]);
    assert!(items.included("Patient", "_include=Patient:link").is_empty());
}

#[test]
fn search_include_iterate_follows_what_was_included() {
    let items = record();
    let query = "_id=o1&_include=Observation:subject&_include:iterate=Patient:organization&_include:iterate=Organization:partof";
    assert_eq!(items.included("Observation", query), ["Patient/ann", "Organization/trust", "Organization/region"]);
    let once = "_id=o1&_include=Observation:subject&_include=Patient:organization";
    assert_eq!(items.included("Observation", once), ["Patient/ann"]);
}

#[test]
fn search_include_wildcard_brings_all_references() {
    let items = record();
    let expected = ["Patient/ann", "Practitioner/gp", "Organization/trust"];
    for query in ["_id=o1&_include=*", "_id=o1&_include=Observation:*"] {
        let mut found = items.included("Observation", query);
        found.sort_by_key(|name| expected.iter().position(|it| it == name));
        assert_eq!(found, expected, "{query}");
    }
    let all = items.included("Observation", "_id=o1&_include:iterate=*");
    assert_eq!(all.len(), 4);
}

#[test]
fn search_revinclude_brings_what_refers_to_matches() {
    let items = record();
    assert_eq!(items.included("Observation", "_revinclude=Provenance:target"), ["Provenance/pv"]);
    assert_eq!(items.included("Patient", "_revinclude=Observation:subject"), ["Observation/o1", "Observation/o2"]);
    assert!(items.included("Observation", "_id=o2&_revinclude=Provenance:target").is_empty());
    assert!(items.included("Observation", "_revinclude=Provenance:target:Patient").is_empty());
}

#[test]
fn search_revinclude_iterate_follows_what_was_included() {
    let items = record();
    let query = "_revinclude=Observation:patient&_revinclude:iterate=Provenance:target";
    assert_eq!(items.included("Patient", query), ["Observation/o1", "Observation/o2", "Provenance/pv"]);
}

#[test]
fn search_revinclude_wildcard_brings_all_that_refers() {
    let mut found = record().included("Observation", "_id=o1&_revinclude=*");
    found.sort();
    assert_eq!(found, ["Observation/o2", "Provenance/pv"]);
    assert_eq!(record().included("Observation", "_id=o1&_revinclude=Provenance:*"), ["Provenance/pv"]);
}

#[test]
fn search_include_refuses_what_is_no_reference() {
    assert!(problem("Observation", "_include=Observation:code").contains("is not a reference"));
    assert!(problem("Observation", "_include=Observation:subjet").contains("Did you mean 'subject'?"));
    assert!(problem("Observation", "_include=Observatio:subject").contains("Did you mean 'Observation'?"));
    assert!(problem("Observation", "_include=subject").contains("Write it as"));
    assert!(problem("Observation", "_include:recurse=Observation:subject").contains(":iterate"));
    assert!(problem("Observation", "_include=Observation:subject:Patient:x").contains("Write it as"));
    assert!(problem("Observation", "_summary=text&_include=Observation:subject").contains("_include"));
}

#[test]
fn search_include_of_too_much_is_refused_and_not_cut_short() {
    let items = record();
    let columns = Columns::default();
    let search = Search { most_included: 2, ..Search::new(&items, r4(), &columns, NOW) };
    let refused = search.run(&parsed("Observation", "_include=*"), 0);
    assert!(
        matches!(refused, Err(SearchError::Refused(outcome)) if outcome.issues[0].diagnostics.contains("'_count'"))
    );
}
