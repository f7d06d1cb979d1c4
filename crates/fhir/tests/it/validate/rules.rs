//! Invariants.

use super::{fine, only};

fn observation(more: &str) -> String {
    format!(r#"{{"resourceType":"Observation","status":"final","code":{{"text":"x"}},{more}}}"#)
}

#[test]
fn rules_about_presence() {
    let absent = r#""dataAbsentReason":{"text":"x"}"#;
    only(&observation(&format!(r#""valueString":"x",{absent}"#)), "Observation", "obs-6: ");
    fine(&observation(absent));
    only(
        &observation(r#""referenceRange":[{"appliesTo":[{"text":"x"}]}]"#),
        "Observation.referenceRange[0]",
        "obs-3: ",
    );
    only(r#"{"resourceType":"Patient","contact":[{"gender":"male"}]}"#, "Patient.contact[0]", "pat-1: ");
    only(r#"{"resourceType":"Patient","extension":[{"url":"http://a"}]}"#, "Patient.extension[0]", "ext-1: ");
    only(
        r#"{"resourceType":"Patient","extension":[{"url":"http://a","valueCode":"x","extension":[{"url":"b","valueCode":"x"}]}]}"#,
        "Patient.extension[0]",
        "ext-1: ",
    );
    only(r#"{"resourceType":"Patient","photo":[{"data":"AAAA"}]}"#, "Patient.photo[0]", "att-1: ");
    only(&observation(r#""valueQuantity":{"value":1,"code":"mg"}"#), "Observation.value", "qty-3: ");
    only(r#"{"resourceType":"Organization","active":true}"#, "Organization", "org-1: ");
    only(&observation(r#""valueRatio":{"numerator":{"value":1}}"#), "Observation.value", "rat-1: ");
}

#[test]
fn a_simple_quantity_has_no_comparator() {
    let range = r#""referenceRange":[{"low":{"comparator":"<","value":1}}]"#;
    only(&observation(range), "Observation.referenceRange[0].low", "sqt-1");
    fine(&observation(r#""valueQuantity":{"comparator":"<","value":1}"#));
}

#[test]
fn rules_about_order() {
    let period =
        |start: &str, end: &str| observation(&format!(r#""effectivePeriod":{{"start":"{start}","end":"{end}"}}"#));
    only(&period("2026-02-01", "2026-01-01"), "Observation.effective", "per-1: ");
    only(&period("2026-01-01T00:00:00Z", "2026-01-01T00:30:00+01:00"), "Observation.effective", "per-1: ");
    fine(&period("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"));
    fine(&period("2026", "2026-01-01"));
    fine(&period("2026-03", "2026"));
    let range = |low: &str, high: &str| {
        observation(&format!(r#""valueRange":{{"low":{{"value":{low}}},"high":{{"value":{high}}}}}"#))
    };
    only(&range("2", "1.5"), "Observation.value", "rng-2: ");
    fine(&range("1.5", "2"));
}

#[test]
fn rules_that_only_the_fhirpath_engine_can_decide() {
    let same = r#"{"coding":[{"system":"http://loinc.org","code":"1-8"}]}"#;
    let twice = format!(
        r#"{{"resourceType":"Observation","status":"final","code":{same},"valueString":"x","component":[{{"code":{same}}}]}}"#
    );
    only(&twice, "Observation", "obs-7: ");
    let condition = |status: &str, more: &str| {
        let system = "http://terminology.hl7.org/CodeSystem/condition-clinical";
        format!(
            r#"{{"resourceType":"Condition","clinicalStatus":{{"coding":[{{"system":"{system}","code":"{status}"}}]}},"subject":{{"display":"x"}}{more}}}"#
        )
    };
    only(&condition("active", r#","abatementDateTime":"2026""#), "Condition", "con-4: ");
    fine(&condition("resolved", r#","abatementDateTime":"2026""#));
    only(
        r#"{"resourceType":"Organization","name":"x","address":[{"use":"work","city":"y"},{"use":"home","city":"y"}]}"#,
        "Organization.address[1]",
        "org-2: ",
    );
    only(r#"{"resourceType":"ValueSet","name":"not a name","status":"draft"}"#, "ValueSet", "vsd-0: ");
    let count = |value: &str| {
        observation(&format!(
            r#""extension":[{{"url":"http://a","valueCount":{{"value":{value},"code":"1","system":"http://unitsofmeasure.org"}}}}]"#
        ))
    };
    only(&count("1.5"), "Observation.extension[0].value", "cnt-3: ");
    fine(&count("2"));
}

#[test]
fn a_rule_of_a_profile_is_held() {
    let profile = r#"{"resourceType":"StructureDefinition","url":"https://example.org/r","name":"r","kind":"resource","type":"Patient","derivation":"constraint",
        "baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient","differential":{"element":[
        {"path":"Patient","constraint":[{"key":"r-1","severity":"error","human":"Says who","expression":"name.exists() or identifier.exists()"}]},
        {"path":"Patient.name.family","constraint":[{"key":"r-2","severity":"warning","human":"Short","expression":"$this.length() < 4"}]}]}}"#;
    let definitions = keepwell_fhir::definitions::r4().with_package(std::iter::once(profile.as_bytes())).unwrap();
    let validator = keepwell_fhir::validate::Validator::new(std::sync::Arc::new(definitions));
    let told = |text: &str| {
        let options = keepwell_fhir::validate::Options { profiles: &["https://example.org/r"], ..Default::default() };
        let report = validator.validate(text.as_bytes(), &options);
        report.issues.iter().map(|it| (it.expression.clone(), it.words.clone())).collect::<Vec<_>>()
    };
    assert_eq!(told(r#"{"resourceType":"Patient"}"#), [("Patient".to_owned(), "r-1: Says who".to_owned())]);
    assert_eq!(told(r#"{"resourceType":"Patient","name":[{"family":"Li"}]}"#), []);
    let long = told(r#"{"resourceType":"Patient","name":[{"family":"Longer"}]}"#);
    assert_eq!(long, [("Patient.name[0].family".to_owned(), "r-2: Short".to_owned())]);
}

#[test]
fn the_work_over_rules_is_bounded() {
    let same = r#"{"coding":[{"system":"http://loinc.org","code":"1-8"}]}"#;
    let other = r#"{"code":{"coding":[{"system":"http://loinc.org","code":"1-9"}]}}"#;
    let text = format!(
        r#"{{"resourceType":"Observation","status":"final","code":{same},"valueString":"x","component":[{}]}}"#,
        vec![other; 20_000].join(",")
    );
    let bundle = format!(
        r#"{{"resourceType":"Bundle","type":"collection","entry":[{}]}}"#,
        vec![format!(r#"{{"resource":{text}}}"#); 4].join(",")
    );
    assert!(super::report(&bundle).is_valid());
}
