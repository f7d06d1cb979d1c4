//! References, contained resources, and the invariants about them.

use super::{fine, only, said};

fn observation(subject: &str, more: &str) -> String {
    format!(r#"{{"resourceType":"Observation","status":"final","code":{{"text":"x"}},"subject":{{{subject}}}{more}}}"#)
}

fn to(reference: &str) -> String {
    observation(&format!(r#""reference":"{reference}""#), "")
}

#[test]
fn the_forms_that_fhir_knows_are_fine() {
    for reference in [
        "Patient/1",
        "Patient/1/_history/2",
        "https://example.org/fhir/Patient/1",
        "http://example.org/anything",
        "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
        "urn:oid:1.2.3",
        "Patient?identifier=x|y",
        "Group/g",
    ] {
        fine(&to(reference));
    }
    fine(&observation(r#""display":"somebody""#, ""));
    fine(&observation(r#""reference":"Patient/1","type":"Patient""#, ""));
}

#[test]
fn other_forms_are_told() {
    only(&to("Patient"), "Observation.subject", "write Type/id");
    only(&to("Patient/a_b"), "Observation.subject", "write Type/id");
    only(&to("Patiant/1"), "Observation.subject", "did you mean 'Patient'?");
    only(&to("1"), "Observation.subject", "does not name a resource type");
    only(&to("urn:uuid:1"), "Observation.subject", "36 characters");
    only(&to("urn:uuid:C757873D-EC9A-4326-A141-556F43239520"), "Observation.subject", "lower case");
    only(&to("urn:oid:x"), "Observation.subject", "OID");
}

#[test]
fn the_target_is_of_an_allowed_type() {
    only(
        &to("Practitioner/1"),
        "Observation.subject",
        "leads to Patient or Group or Device or Location, not to Practitioner",
    );
    only(&to("https://example.org/Organization/1"), "Observation.subject", "not to Organization");
    only(&observation(r#""type":"Practitioner","display":"x""#, ""), "Observation.subject", "not to Practitioner");
    only(&observation(r#""type":"Group","reference":"Patient/1""#, ""), "Observation.subject", "its type says 'Group'");
    fine(
        r#"{"resourceType":"Provenance","target":[{"reference":"Account/1"}],"recorded":"2026-11-23T09:30:00Z","agent":[{"who":{"display":"x"}}]}"#,
    );
}

#[test]
fn a_contained_resource_is_found_by_those_who_refer_to_it() {
    let contained = |inside: &str| observation(r##""reference":"#p""##, &format!(r#","contained":[{inside}]"#));
    fine(&contained(r#"{"resourceType":"Patient","id":"p"}"#));
    only(&contained(r#"{"resourceType":"Practitioner","id":"p"}"#), "Observation.subject", "not to Practitioner");
    assert_eq!(
        said(&contained(r#"{"resourceType":"Patient","id":"q"}"#)),
        [
            "E Observation.subject: Nothing contained in this resource has the id 'p' (ref-1).",
            "W Observation.contained[0]: Nothing refers to this contained resource; refer to it as '#q' or leave it out (dom-3)."
        ]
    );
    only(
        &contained(r#"{"resourceType":"Patient","id":"p"},{"resourceType":"Patient"}"#),
        "Observation.contained[1]",
        "has no id",
    );
    // One that refers to its container belongs there.
    fine(&contained(
        r##"{"resourceType":"Patient","id":"p"},{"resourceType":"Provenance","id":"v","target":[{"reference":"#"}],"recorded":"2026-11-23T09:30:00Z","agent":[{"who":{"display":"x"}}]}"##,
    ));
}

#[test]
fn a_contained_resource_keeps_its_own_rules() {
    let contained = |inside: &str| {
        observation(
            r##""reference":"#p""##,
            &format!(r#","contained":[{{"resourceType":"Patient","id":"p",{inside}}}]"#),
        )
    };
    let place = "Observation.contained[0]";
    only(&contained(r#""meta":{"versionId":"1"}"#), place, "dom-4");
    only(&contained(r#""meta":{"security":[{"code":"R"}]}"#), place, "dom-5");
    fine(&contained(r#""meta":{"tag":[{"code":"R"}]}"#));
    let nested = said(&contained(r##""contained":[{"resourceType":"Patient","id":"q","active":true}]"##));
    assert!(nested.iter().any(|it| it.starts_with("E") && it.contains("dom-2")), "{nested:?}");
}

#[test]
fn two_contained_resources_have_two_ids() {
    let twice = r#"{"resourceType":"Patient","id":"p"},{"resourceType":"Patient","id":"p"}"#;
    let told = said(&observation(r##""reference":"#p""##, &format!(r#","contained":[{twice}]"#)));
    assert!(told.iter().any(|it| it.starts_with("E Observation.contained[1]: Two contained")), "{told:?}");
}

#[test]
fn many_references_to_many_contained_resources_are_walked_in_time() {
    let provenance = |id: usize| {
        format!(
            r##"{{"resourceType":"Provenance","id":"v{id}","target":[{{"reference":"#"}},{{"reference":"#v{id}"}}],"recorded":"2026-11-23T09:30:00Z","agent":[{{"who":{{"display":"x"}}}}]}}"##
        )
    };
    let all: Vec<String> = (0..5_000).map(|id| provenance(id % 4_999)).collect();
    let told = said(&observation(r#""display":"x""#, &format!(r#","contained":[{}]"#, all.join(","))));
    assert_eq!(told.len(), 1, "{told:?}");
}
