//! Chains and `_has` (FHIR R4 §3.1.1.5.7).

use super::{Items, check, problem};

fn record() -> Items {
    let mut items = Items::of(&[
        r#"{"resourceType":"Patient","id":"ann","name":[{"family":"Lee"}],"generalPractitioner":[{"reference":"Practitioner/gp"}]}"#,
        r#"{"resourceType":"Patient","id":"bob","name":[{"family":"Ray"}]}"#,
        r#"{"resourceType":"Practitioner","id":"gp","name":[{"family":"Shah"}],"identifier":[{"value":"G123"}]}"#,
        r#"{"resourceType":"Encounter","id":"e1","status":"finished","subject":{"reference":"Patient/ann"}}"#,
        r#"{"resourceType":"Observation","id":"o1","status":"final","code":{"coding":[{"code":"1234-5"}]},
            "subject":{"reference":"Patient/ann"},"encounter":{"reference":"Encounter/e1"}}"#,
        r#"{"resourceType":"Observation","id":"o2","status":"final","code":{"coding":[{"code":"9999-9"}]},
            "subject":{"reference":"Patient/bob"}}"#,
        r#"{"resourceType":"Observation","id":"o3","status":"final","subject":{"reference":"Group/g"}}"#,
        r#"{"resourceType":"Group","id":"g","type":"person","actual":true,"code":{"text":"crew"},"identifier":[{"value":"G123"}]}"#,
        r#"{"resourceType":"AuditEvent","id":"a1","agent":[{"who":{"reference":"Practitioner/gp"}}],
            "entity":[{"what":{"reference":"Observation/o1"}}]}"#,
        r##"{"resourceType":"MedicationRequest","id":"m1","status":"active","medicationReference":{"reference":"#med"},
            "contained":[{"resourceType":"Medication","id":"med","code":{"coding":[{"code":"319775004"}]},
            "manufacturer":{"reference":"Organization/maker"}}]}"##,
        r#"{"resourceType":"Organization","id":"maker","name":"Acme"}"#,
    ]);
    // A directory, found by references alone.
    items.elsewhere = vec!["Practitioner", "Organization"];
    items
}

#[test]
fn search_chain_looks_at_what_a_reference_leads_to() {
    check(
        &record(),
        "Observation",
        &[
            ("subject:Patient.name=lee", &["o1"]),
            ("patient.family=ray", &["o2"]),
            ("subject.name=lee", &["o1"]),
            ("subject:Patient.name=lee,ray", &["o1", "o2"]),
            ("subject:Patient.name:exact=lee", &[]),
            ("patient._id=bob", &["o2"]),
            ("patient.name:missing=false&code=1234-5", &["o1"]),
        ],
    );
}

#[test]
fn search_chain_tries_each_type_that_knows_the_condition() {
    check(
        &record(),
        "Observation",
        &[
            ("subject.identifier=G123", &["o3"]),
            ("subject:Group.identifier=G123", &["o3"]),
            ("subject:Patient.identifier=G123", &[]),
        ],
    );
}

#[test]
fn search_chain_goes_along_several_references() {
    check(
        &record(),
        "Observation",
        &[
            ("encounter.subject:Patient.name=lee", &["o1"]),
            ("patient.general-practitioner:Practitioner.family=shah", &["o1"]),
            ("encounter.patient.general-practitioner.identifier=G123", &["o1"]),
        ],
    );
}

#[test]
fn search_chain_looks_into_contained_resources() {
    check(
        &record(),
        "MedicationRequest",
        &[
            ("medication.code=319775004", &["m1"]),
            ("medication:Medication.manufacturer:Organization.name=acme", &["m1"]),
            ("medication.code=1", &[]),
            ("medication._id=med", &["m1"]),
        ],
    );
}

#[test]
fn search_chain_refuses_what_cannot_be_followed() {
    assert!(problem("Observation", "code.text=x").contains("is not a reference"));
    assert!(problem("Observation", "subject:Patient.nam=x").contains("Did you mean 'name'?"));
    assert!(problem("Observation", "subject.nam=x").contains("Did you mean 'name'?"));
    assert!(problem("Observation", "subject.shoesize=x").contains("is not a search parameter"));
    assert!(problem("Observation", "subject:exact.name=x").contains("':exact'"));
    assert!(problem("Observation", "subject:identifier.name=x").contains("a type as its modifier"));
    assert!(problem("Observation", "subject:Patient.name=").contains("no value"));
}

#[test]
fn search_has_looks_at_what_refers_here() {
    check(
        &record(),
        "Patient",
        &[
            ("_has:Observation:patient:code=1234-5", &["ann"]),
            ("_has:Observation:patient:code:not=1234-5", &["bob"]),
            ("_has:Observation:subject:status=final", &["ann", "bob"]),
            ("_has:Observation:patient:code=7", &[]),
            ("_has:Encounter:patient:_id=e1&_has:Observation:patient:code=1234-5", &["ann"]),
        ],
    );
}

#[test]
fn search_has_may_be_nested_and_chained() {
    check(
        &record(),
        "Patient",
        &[
            ("_has:Observation:patient:_has:AuditEvent:entity:agent:Practitioner.family=shah", &["ann"]),
            ("_has:Observation:patient:_has:AuditEvent:entity:agent:Practitioner.family=x", &[]),
        ],
    );
    check(&record(), "Encounter", &[("patient._has:Observation:patient:code=1234-5", &["e1"])]);
}

#[test]
fn search_has_refuses_what_never_refers_here() {
    assert!(problem("Patient", "_has:Observation:code:x=1").contains("is not a reference"));
    assert!(problem("Practitioner", "_has:Observation:patient:code=1").contains("never refers to a Practitioner"));
    assert!(problem("Patient", "_has:Observation:patient=1").contains("_has:Observation:patient:code"));
    assert!(problem("Patient", "_has:Observatio:patient:code=1").contains("Did you mean 'Observation'?"));
    assert!(problem("Patient", "_has=1").contains("_has:Observation:patient:code"));
}
