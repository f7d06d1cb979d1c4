//! Names, JSON kinds, arrays, nulls, cardinalities and choices.

use keepwell_fhir::definitions::r4;
use keepwell_fhir::json::compact;
use keepwell_fhir::outcome::Severity;
use keepwell_fhir::validate::{Options, Validator};
use proptest::prelude::*;

use super::{VALIDATOR, fine, only, report, said};

#[test]
fn what_fhir_allows_is_fine() {
    for text in [
        r#"{"resourceType":"Patient"}"#,
        r#"{"id":"1","resourceType":"Patient","active":true,"birthDate":"1990-02-03"}"#,
        r#"{"resourceType":"Patient","_birthDate":{"extension":[{"url":"http://a.b","valueCode":"x"}]}}"#,
        r#"{"resourceType":"Patient","name":[{"given":["A",null,"C"],"_given":[null,{"id":"x","extension":[{"url":"http://a","valueBoolean":true}]},null]}]}"#,
        r#"{"resourceType":"Patient","name":[{"_given":[{"extension":[{"url":"http://a","valueString":"x"}]}]}]}"#,
        r#"{"resourceType":"Patient","deceasedBoolean":false,"_deceasedBoolean":{"id":"a"}}"#,
        r#"{"resourceType":"Patient","multipleBirthInteger":2}"#,
        r#"{"resourceType":"Patient","extension":[{"url":"http://a","extension":[{"url":"b","valueDecimal":1.50}]}]}"#,
        r#"{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1E-2}}"#,
        r#"{"resourceType":"Parameters","parameter":[{"name":"a","resource":{"resourceType":"Patient"}}]}"#,
    ] {
        fine(text);
    }
}

#[test]
fn an_unknown_name_is_told_with_the_one_that_was_probably_meant() {
    only(r#"{"resourceType":"Patient","brithDate":"1990"}"#, "Patient", "did you mean 'birthDate'?");
    only(r#"{"resourceType":"Patient","BirthDate":"1990"}"#, "Patient", "did you mean 'birthDate'?");
    only(
        r#"{"resourceType":"Patient","name":[{"famly":"x"},{"text":"y"}]}"#,
        "Patient.name[0]",
        "did you mean 'family'?",
    );
    only(r#"{"resourceType":"Patient","shoeSize":43}"#, "Patient", "'shoeSize' is not an element of Patient.");
    only(r#"{"resourceType":"Patient","_name":[{"id":"x"}]}"#, "Patient", "only simple values");
    only(
        r#"{"resourceType":"Patient","name":[{"resourceType":"HumanName","text":"x"}]}"#,
        "Patient.name[0]",
        "not a resource",
    );
    only(r#"{"resourceType":"Patient","fhir_comments":["x"]}"#, "Patient", "fhir_comments");
    only(r#"{"resourceType":"Patient","deceased":true}"#, "Patient", "one of deceasedBoolean, deceasedDateTime");
    only(r#"{"resourceType":"Patient","deceasedDatetime":"2020"}"#, "Patient", "did you mean 'deceasedDateTime'?");
    only(r#"{"resourceType":"Patient","deceasedString":"x"}"#, "Patient", "one of deceasedBoolean, deceasedDateTime");
    only(r#"{"resourceType":"Patint"}"#, "Resource", "did you mean 'Patient'?");
    only(r#"{"resourceType":"DomainResource"}"#, "Resource", "not a resource type");
    only(r#"{"resourceType":"HumanName"}"#, "Resource", "not a resource type");
    only(r#"{"name":[]}"#, "Resource", "needs a resourceType");
    only("[]", "Resource", "this is an array");
    only(r#"{"resourceType":5}"#, "Resource", "needs a resourceType");
}

#[test]
fn the_wrong_kind_of_json_is_told() {
    only(r#"{"resourceType":"Patient","active":"true"}"#, "Patient.active", "true or false without quotes");
    only(r#"{"resourceType":"Patient","birthDate":1990}"#, "Patient.birthDate", "in quotes");
    only(r#"{"resourceType":"Patient","multipleBirthInteger":"2"}"#, "Patient.multipleBirth", "leave the quotes out");
    only(r#"{"resourceType":"Patient","multipleBirthInteger":2.0}"#, "Patient.multipleBirth", "whole number");
    only(
        r#"{"resourceType":"Patient","maritalStatus":"M"}"#,
        "Patient.maritalStatus",
        "An object is wanted here, and this is a string",
    );
    only(
        r#"{"resourceType":"Patient","birthDate":{"value":"1990"}}"#,
        "Patient.birthDate",
        "one value and not an object",
    );
    only(r#"{"resourceType":"Patient","birthDate":null}"#, "Patient.birthDate", "null says nothing");
    only(r#"{"resourceType":"Patient","name":{"text":"x"}}"#, "Patient.name", "put it into brackets");
    only(r#"{"resourceType":"Patient","birthDate":["1990"]}"#, "Patient.birthDate", "leave the brackets out");
    only(r#"{"resourceType":"Patient","name":[[{"text":"x"}]]}"#, "Patient.name[0]", "arrays inside arrays");
    only(r#"{"resourceType":"Patient","name":[null,{"text":"x"}]}"#, "Patient.name[0]", "this is null");
    only(r#"{"resourceType":"Patient","contained":["x"]}"#, "Patient.contained[0]", "An object is wanted here");
}

#[test]
fn what_says_nothing_is_told() {
    only(r#"{"resourceType":"Patient","name":[]}"#, "Patient.name", "empty array");
    only(r#"{"resourceType":"Patient","name":[{}]}"#, "Patient.name[0]", "empty object");
    only(r#"{"resourceType":"Patient","name":[{"id":"x"}]}"#, "Patient.name[0]", "ele-1");
    only(r#"{"resourceType":"Patient","name":[{"text":""}]}"#, "Patient.name[0].text", "empty");
}

#[test]
fn values_and_what_stands_beside_them_fit_together() {
    let name = |inside: &str| format!(r#"{{"resourceType":"Patient","name":[{{{inside}}}]}}"#);
    only(&name(r#""given":["A",null]"#), "Patient.name[0].given[1]", "null says nothing");
    only(&name(r#""given":["A"],"_given":[null,{"id":"x"}]"#), "Patient.name[0].given", "the same length");
    only(&name(r#""given":[null,"B"],"_given":[null,{"id":"x"}]"#), "Patient.name[0].given[0]", "null says nothing");
    only(&name(r#""_given":[null]"#), "Patient.name[0].given[0]", "null says nothing");
    only(&name(r#""given":["A"],"_given":{"id":"x"}"#), "Patient.name[0].given", "array of the same length");
    only(&name(r#""family":"A","_family":"x""#), "Patient.name[0].family", "holds the id and the extensions");
    only(&name(r#""family":"A","_family":{"value":"x"}"#), "Patient.name[0].family", "not an element of Element");
    only(&name(r#""_family":{"id":"x"}"#), "Patient.name[0].family", "an id alone says nothing");
    only(&name(r#""_given":[{"id":"x"}]"#), "Patient.name[0].given[0]", "an id alone says nothing");
}

#[test]
fn what_must_be_there_is_told_and_what_may_be_there_once_only() {
    only(r#"{"resourceType":"Observation","code":{"text":"x"}}"#, "Observation", "'status' is missing");
    only(
        r#"{"resourceType":"MedicationRequest","status":"active","intent":"order","subject":{"display":"x"}}"#,
        "MedicationRequest",
        "'medication[x]' is missing",
    );
    only(
        r#"{"resourceType":"Patient","communication":[{"preferred":true}]}"#,
        "Patient.communication[0]",
        "'language' is missing",
    );
    fine(
        r#"{"resourceType":"Observation","_status":{"extension":[{"url":"http://a","valueCode":"unknown"}]},"code":{"text":"x"}}"#,
    );
}

#[test]
fn a_choice_is_made_once() {
    only(
        r#"{"resourceType":"Patient","deceasedBoolean":true,"deceasedDateTime":"2020"}"#,
        "Patient",
        "here are 'deceasedBoolean' and 'deceasedDateTime'",
    );
    only(
        r#"{"resourceType":"Patient","_deceasedDateTime":{"extension":[{"url":"http://a","valueCode":"x"}]},"deceasedBoolean":true}"#,
        "Patient",
        "Only one kind of 'deceased[x]'",
    );
}

#[test]
fn a_code_of_a_required_value_set_is_one_of_them() {
    only(r#"{"resourceType":"Patient","gender":"femal"}"#, "Patient.gender", "did you mean 'female'?");
    only(r#"{"resourceType":"Patient","gender":"F"}"#, "Patient.gender", "it is one of male, female, other, unknown");
    let condition = |status: &str| {
        format!(r#"{{"resourceType":"Condition","clinicalStatus":{status},"subject":{{"display":"x"}}}}"#)
    };
    let system = "http://terminology.hl7.org/CodeSystem/condition-clinical";
    fine(&condition(&format!(
        r#"{{"coding":[{{"system":"x:y","code":"z"}},{{"system":"{system}","code":"active"}}]}}"#
    )));
    only(
        &condition(&format!(r#"{{"coding":[{{"system":"{system}","code":"actve"}}]}}"#)),
        "Condition.clinicalStatus",
        "did you mean 'active'?",
    );
    only(&condition(r#"{"coding":[{"code":"active"}]}"#), "Condition.clinicalStatus", "of no system");
    only(&condition(r#"{"text":"active"}"#), "Condition.clinicalStatus", "Words alone");
}

#[test]
fn a_weaker_binding_is_for_information_only() {
    let text = r#"{"resourceType":"Patient","maritalStatus":{"coding":[{"system":"http://a","code":"x"}]}}"#;
    fine(text);
    let options = Options { level: Severity::Information, ..Options::default() };
    let report = VALIDATOR.validate(text.as_bytes(), &options);
    let told: Vec<_> = report.issues.iter().map(|it| (it.severity, &*it.expression)).collect();
    assert_eq!(told, [(Severity::Information, "Patient"), (Severity::Information, "Patient.maritalStatus")]);
    assert_eq!(report.issues[0].rule.as_deref(), Some("dom-6"));
}

#[test]
fn there_are_no_more_issues_than_were_asked_for() {
    let names: Vec<String> = (0..500).map(|_| r#"{"famly":"x"}"#.to_owned()).collect();
    let text = format!(r#"{{"resourceType":"Patient","name":[{}]}}"#, names.join(","));
    let report = report(&text);
    assert_eq!((report.issues.len(), report.truncated), (100, true));
    assert_eq!(report.outcome(Some(text.as_bytes())).issues.len(), 101);
    let one = VALIDATOR.validate(text.as_bytes(), &Options { limit: 1, ..Options::default() });
    assert_eq!((one.issues.len(), one.truncated), (1, true));
}

#[test]
fn an_issue_says_its_line_and_column() {
    let text = "{\n \"resourceType\": \"Patient\",\n \"gender\": \"x\"\n}";
    let outcome = report(text).outcome(Some(text.as_bytes()));
    assert!(outcome.issues[0].diagnostics.ends_with("(line 3, column 12)"), "{outcome:?}");
    assert!(!format!("{:?}", report(text)).contains("'x'"));
}

#[test]
fn a_nested_resource_is_told_at_its_place() {
    only(
        r##"{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient"}},{"resource":{"resourceType":"Patient","contained":[{"resourceType":"Patient","id":"a","link":[{"other":{"reference":"\u0023"},"type":"seealso"}],"active":1}],"link":[{"other":{"reference":"#a"},"type":"seealso"}]}}]}"##,
        "Bundle.entry[1].resource.contained[0].active",
        "true or false",
    );
}

#[test]
fn the_deepest_document_is_walked_and_an_unchecked_one_ends() {
    let deep = |levels: usize| {
        let (open, close) = (r#"{"url":"http://a","extension":["#.repeat(levels), "]}".repeat(levels));
        format!(r#"{{"resourceType":"Patient","extension":[{open}{{"url":"http://a","valueBoolean":true}}{close}]}}"#)
    };
    fine(&deep(29));
    assert!(!VALIDATOR.validate(deep(10_000).as_bytes(), &Options::default()).is_valid());
    for text in ["", "{", "{\"", "{\"resourceType\":\"Patient\"", "{\"resourceType\":\"Patient\",\"name\":[", "\u{1}"] {
        assert!(!VALIDATOR.validate(text.as_bytes(), &Options::default()).is_valid(), "{text}");
    }
    assert!(!VALIDATOR.validate(b"\xff", &Options::default()).is_valid());
}

#[test]
fn a_validator_may_share_its_definitions() {
    let shared = std::sync::Arc::new(r4().with_package(std::iter::empty()).unwrap());
    let validator = Validator::new(shared);
    assert!(validator.validate(br#"{"resourceType":"Patient"}"#, &Options::default()).is_valid());
}

proptest! {
    #[test]
    fn no_document_panics(text in r#"(\{|\}|\[|\]|"|:|,|null|true|1|"resourceType":"Patient"|"name"|"_given"|"given"|"extension"|"url"|"id"|"contained"|"a"|é){0,40}"#) {
        let _ = VALIDATOR.validate(text.as_bytes(), &Options::default());
        let inside = format!(r#"{{"resourceType":"Patient","name":[{text}]}}"#);
        let _ = VALIDATOR.validate(inside.as_bytes(), &Options::default());
        if let Ok(bytes) = compact(inside.as_bytes()) {
            let options = Options { level: Severity::Information, ..Options::default() };
            let report = VALIDATOR.validate(&bytes, &options);
            for issue in &report.issues {
                prop_assert!(issue.place.end <= bytes.len() && !issue.words.is_empty());
            }
        }
    }
}

#[test]
fn said_is_in_plain_words() {
    // Each sentence ends, and starts as one.
    for text in [r#"{"resourceType":"Patient","gender":"x","birthDate":"1","name":[{}],"a":1}"#] {
        for line in said(text) {
            assert!(line.ends_with(['.', '?', ')']) && !line.contains("  "), "{line}");
        }
    }
}
