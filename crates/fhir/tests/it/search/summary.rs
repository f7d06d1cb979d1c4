//! `_summary` and `_elements` (FHIR R4 §3.1.1.5.17 and §3.1.1.5.18).

use keepwell_fhir::definitions::r4;
use keepwell_fhir::json::compact;
use keepwell_fhir::search::{Summary, summarise};

use super::parsed;

const MARK: &str = r#"{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}"#;

const DOCUMENT: &str = r#"{"resourceType":"DocumentReference","id":"d","meta":{"versionId":"3"},
    "text":{"status":"generated","div":"<div>x</div>"},"status":"current","_status":{"id":"s"},"description":"Letter",
    "custodian":{"reference":"Organization/1"},"securityLabel":[{"text":"R"}],
    "modifierExtension":[{"url":"http://m.example","valueBoolean":true}],"extension":[{"url":"http://e.example"}],
    "content":[{"attachment":{"contentType":"text/plain","data":"aGVsbG8=","size":5},"format":{"code":"x"}}],
    "unknownElement":1}"#;

fn shaped(query: &str) -> String {
    let body = compact(DOCUMENT.as_bytes()).unwrap();
    let out = parsed("DocumentReference", query).shape(&body, r4()).into_owned();
    assert_eq!(compact(&out).unwrap(), out);
    String::from_utf8(out).unwrap()
}

#[test]
fn search_summary_true_keeps_the_elements_marked_for_it() {
    let expected = format!(
        r#"{{"resourceType":"DocumentReference","id":"d","meta":{{"versionId":"3","tag":[{MARK}]}},"status":"current","_status":{{"id":"s"}},"description":"Letter","securityLabel":[{{"text":"R"}}],"modifierExtension":[{{"url":"http://m.example","valueBoolean":true}}],"content":[{{"attachment":{{"contentType":"text/plain","size":5}},"format":{{"code":"x"}}}}]}}"#
    );
    assert_eq!(shaped("_summary=true"), expected);
}

#[test]
fn search_summary_text_keeps_the_narrative_and_what_is_mandatory() {
    let text = shaped("_summary=text");
    for kept in ["\"text\":", "\"status\":\"current\"", "\"content\":", "SUBSETTED", "\"id\":\"d\""] {
        assert!(text.contains(kept), "{kept}");
    }
    assert!(!text.contains("description") && !text.contains("custodian"));
}

#[test]
fn search_summary_data_leaves_out_the_narrative_alone() {
    let data = shaped("_summary=data");
    assert!(!data.contains("<div>") && data.contains("custodian") && data.contains("unknownElement"));
    assert!(data.contains("SUBSETTED"));
}

#[test]
fn search_summary_false_and_count_change_nothing() {
    let body = compact(DOCUMENT.as_bytes()).unwrap();
    for summary in [Summary::False, Summary::Count] {
        assert_eq!(*summarise(&body, summary, &[], r4()), *body);
    }
}

#[test]
fn search_elements_keeps_what_is_named_mandatory_or_changes_the_meaning() {
    let out = shaped("_elements=description");
    assert_eq!(shaped("_elements=resourceType,description"), out);
    for kept in ["description", "\"status\"", "content", "aGVsbG8=", "modifierExtension", "SUBSETTED", "versionId"] {
        assert!(out.contains(kept), "{kept}");
    }
    assert!(!out.contains("custodian") && !out.contains("<div>") && !out.contains("unknownElement"));
    let choice =
        compact(br#"{"resourceType":"Observation","status":"final","code":{},"valueString":"x","issued":"2020"}"#)
            .unwrap();
    let out = summarise(&choice, Summary::False, &["value"], r4()).into_owned();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        format!(
            r#"{{"resourceType":"Observation","meta":{{"tag":[{MARK}]}},"status":"final","code":{{}},"valueString":"x"}}"#
        )
    );
}

#[test]
fn search_summary_marks_a_part_once() {
    for (meta, expected) in [
        (r#"{"tag":[{"code":"x"}]}"#, format!(r#"{{"tag":[{{"code":"x"}},{MARK}]}}"#)),
        (r#"{"tag":[]}"#, format!(r#"{{"tag":[{MARK}]}}"#)),
        (r#"{"tag":[{"code":"SUBSETTED"}]}"#, r#"{"tag":[{"code":"SUBSETTED"}]}"#.to_owned()),
        ("{}", format!(r#"{{"tag":[{MARK}]}}"#)),
        ("null", format!(r#"{{"tag":[{MARK}]}}"#)),
    ] {
        let body = format!(r#"{{"resourceType":"Patient","meta":{meta}}}"#);
        let out = summarise(body.as_bytes(), Summary::Data, &[], r4()).into_owned();
        assert_eq!(String::from_utf8(out).unwrap(), format!(r#"{{"resourceType":"Patient","meta":{expected}}}"#));
    }
}

#[test]
fn search_summary_of_what_is_no_resource_is_itself() {
    for body in ["[]", "{}", "null", r#"{"resourceType":"Nothing"}"#, "", "{\"a"] {
        assert_eq!(*summarise(body.as_bytes(), Summary::True, &[], r4()), *body.as_bytes());
    }
}
