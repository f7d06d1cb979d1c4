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
