//! References (FHIR R4 §3.1.1.5.10).

use super::{BASE, Items, check, problem};

fn record() -> Items {
    let mut items = Items::of(&[
        r#"{"resourceType":"Patient","id":"p1"}"#,
        r#"{"resourceType":"Group","id":"p1","type":"person","actual":true}"#,
        r#"{"resourceType":"Observation","id":"plain","status":"final","subject":{"reference":"Patient/p1"}}"#,
        r#"{"resourceType":"Observation","id":"theirs","status":"final","subject":{"reference":"Patient/their-own"}}"#,
        r#"{"resourceType":"Observation","id":"urn","status":"final","subject":{"reference":"urn:uuid:p1"}}"#,
        r#"{"resourceType":"Observation","id":"version","status":"final","subject":{"reference":"Patient/p1/_history/3"}}"#,
        r#"{"resourceType":"Observation","id":"group","status":"final","subject":{"reference":"Group/p1"}}"#,
        r#"{"resourceType":"Observation","id":"gone","status":"final","subject":{"reference":"Patient/gone"}}"#,
        r#"{"resourceType":"Observation","id":"far","status":"final","subject":{"reference":"https://far.example/fhir/Patient/p1"}}"#,
        r#"{"resourceType":"Observation","id":"number","status":"final","subject":{"type":"Patient","identifier":{
            "system":"https://fhir.nhs.uk/Id/nhs-number","value":"9000000009"}}}"#,
        r##"{"resourceType":"Observation","id":"inside","status":"final","subject":{"reference":"#c"},
            "contained":[{"resourceType":"Patient","id":"c"}]}"##,
        r#"{"resourceType":"Observation","id":"none","status":"final"}"#,
    ]);
    items.add(
        format!(r#"{{"resourceType":"Observation","id":"own","status":"final","subject":{{"reference":"{BASE}/Patient/p1"}}}}"#)
            .as_bytes(),
    );
    items.aliases.insert("urn:uuid:p1".to_owned(), 0);
    // A source's own id that the service has given another.
    items.aliases.insert("Patient/their-own".to_owned(), 0);
    items.places.insert(("Patient".to_owned(), "their-own".to_owned()), 0);
    items
}

const P1: [&str; 5] = ["plain", "theirs", "urn", "version", "own"];

#[test]
fn search_reference_plain_finds_what_leads_to_the_item() {
    check(
        &record(),
        "Observation",
        &[
            ("subject=Patient/p1", &P1),
            ("subject=Patient/p1/_history/7", &P1),
            (&format!("subject={BASE}/Patient/p1"), &P1),
            ("subject=Group/p1", &["group"]),
            ("subject=Patient/their-own", &[]),
        ],
    );
}

#[test]
fn search_reference_plain_takes_an_id_alone() {
    check(
        &record(),
        "Observation",
        &[
            ("subject=p1", &["plain", "theirs", "urn", "version", "group", "own"]),
            ("patient=p1", &P1),
            ("subject=p1,gone", &["plain", "theirs", "urn", "version", "group", "gone", "own"]),
        ],
    );
}

#[test]
fn search_reference_plain_compares_texts_that_lead_nowhere() {
    check(
        &record(),
        "Observation",
        &[
            ("subject=Patient/gone", &["gone"]),
            ("subject=https://far.example/fhir/Patient/p1", &["far"]),
            ("subject=https://far.example/fhir/Patient/p2", &[]),
        ],
    );
}

#[test]
fn search_reference_plain_minds_the_type_that_the_parameter_is_about() {
    check(&record(), "Observation", &[("patient=Patient/p1", &P1)]);
    let words = problem("Observation", "patient=Device/p1");
    assert!(words.contains("never refers to a Device"), "{words}");
}

#[test]
fn search_reference_type_names_the_type_of_an_id() {
    check(&record(), "Observation", &[("subject:Patient=p1", &P1), ("subject:Group=p1", &["group"])]);
    assert!(problem("Observation", "subject:Encounter=1").contains("never refers to a Encounter"));
    assert!(problem("Observation", "subject:Patent=1").contains("Did you mean ':Patient'?"));
}

#[test]
fn search_reference_identifier_finds_references_by_identifier() {
    check(
        &record(),
        "Observation",
        &[
            ("subject:identifier=https://fhir.nhs.uk/Id/nhs-number|9000000009", &["number"]),
            ("subject:identifier=9000000009", &["number"]),
            ("patient:identifier=9000000009", &["number"]),
            ("subject:identifier=https://other.example|9000000009", &[]),
        ],
    );
}

#[test]
fn search_reference_missing_tells_those_without() {
    check(
        &record(),
        "Observation",
        &[("subject:missing=true", &["none"]), ("patient:missing=true", &["group", "none"])],
    );
}

#[test]
fn search_reference_plain_finds_canonical_addresses_of_any_version() {
    let items = Items::of(&[
        r#"{"resourceType":"QuestionnaireResponse","id":"a","status":"completed","questionnaire":"http://q.example/one|1.0"}"#,
        r#"{"resourceType":"QuestionnaireResponse","id":"b","status":"completed","questionnaire":"http://q.example/one|2.0"}"#,
        r#"{"resourceType":"QuestionnaireResponse","id":"c","status":"completed","questionnaire":"http://q.example/one"}"#,
    ]);
    check(
        &items,
        "QuestionnaireResponse",
        &[
            ("questionnaire=http://q.example/one", &["a", "b", "c"]),
            ("questionnaire=http://q.example/one|2.0", &["b"]),
            ("questionnaire=http://q.example/two", &[]),
        ],
    );
}

fn places() -> Items {
    Items::of(&[
        r#"{"resourceType":"Location","id":"site"}"#,
        r#"{"resourceType":"Location","id":"wing","partOf":{"reference":"Location/site"}}"#,
        r#"{"resourceType":"Location","id":"ward","partOf":{"reference":"Location/wing"}}"#,
        r#"{"resourceType":"Location","id":"loop","partOf":{"reference":"Location/loop"}}"#,
        r#"{"resourceType":"Procedure","id":"at-site","status":"completed","location":{"reference":"Location/site"}}"#,
        r#"{"resourceType":"Procedure","id":"at-ward","status":"completed","location":{"reference":"Location/ward"}}"#,
        r#"{"resourceType":"Procedure","id":"at-loop","status":"completed","location":{"reference":"Location/loop"}}"#,
    ])
}

#[test]
fn search_reference_below_finds_what_is_part_of_it() {
    check(
        &places(),
        "Procedure",
        &[
            ("location:below=Location/site", &["at-site", "at-ward"]),
            ("location:below=wing", &["at-ward"]),
            ("location:below=loop", &["at-loop"]),
        ],
    );
    assert!(problem("Observation", "device:below=1").contains("nothing above or below"));
}

#[test]
fn search_reference_above_finds_what_it_is_part_of() {
    check(
        &places(),
        "Procedure",
        &[("location:above=Location/ward", &["at-site", "at-ward"]), ("location:above=Location/site", &["at-site"])],
    );
}

#[test]
fn search_reference_plain_takes_many_ids() {
    let ids: Vec<String> = (0..1_900).map(|n| format!("Patient/x{n}")).chain(["Patient/p1".to_owned()]).collect();
    check(&record(), "Observation", &[(&format!("subject={}", ids.join(",")), &P1)]);
}

#[test]
fn search_reference_refuses_what_is_no_reference() {
    for value in ["Patiens/1", "a b", "Patient/", "/"] {
        let words = problem("Observation", &format!("subject={value}"));
        assert!(words.contains("is not a reference"), "{value}: {words}");
    }
}
