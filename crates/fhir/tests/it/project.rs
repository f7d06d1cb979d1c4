//! Stored resources on their way out.

use keepwell_fhir::project::{Stamp, project, reference_texts};

const STAMP: Stamp<'_> = Stamp { id: "new", version_id: "3", last_updated: "2026-11-23T09:30:00.000Z" };

fn out(stored: &str) -> String {
    let resolve = |text: &str| {
        text.strip_prefix("Patient/").or(text.strip_prefix("urn:uuid:")).map(|id| format!("Patient/k-{id}"))
    };
    String::from_utf8(project(stored.as_bytes(), STAMP, resolve)).unwrap()
}

#[test]
fn ids_and_version_are_set_and_nothing_else_is_touched() {
    for (stored, expected) in [
        (
            r#"{"resourceType":"Observation","id":"theirs","valueQuantity":{"value":1.50}}"#,
            r#"{"resourceType":"Observation","meta":{"versionId":"3","lastUpdated":"2026-11-23T09:30:00.000Z"},"id":"new","valueQuantity":{"value":1.50}}"#,
        ),
        (
            r#"{"id":"theirs","meta":{"profile":["p"],"versionId":"9","tag":[]},"x":{"id":"kept","meta":{}},"resourceType":"Basic"}"#,
            r#"{"id":"new","meta":{"lastUpdated":"2026-11-23T09:30:00.000Z","profile":["p"],"versionId":"3","tag":[]},"x":{"id":"kept","meta":{}},"resourceType":"Basic"}"#,
        ),
        (
            r#"{"resourceType":"Basic","meta":{}}"#,
            r#"{"resourceType":"Basic","id":"new","meta":{"versionId":"3","lastUpdated":"2026-11-23T09:30:00.000Z"}}"#,
        ),
        (
            r#"{"resourceType":"Basic","meta":null}"#,
            r#"{"resourceType":"Basic","id":"new","meta":{"versionId":"3","lastUpdated":"2026-11-23T09:30:00.000Z"}}"#,
        ),
        (
            r#"{"resourceType":"Basic","meta":[{"reference":"Patient/1"}],"x":{"reference":"Patient/1"}}"#,
            r#"{"resourceType":"Basic","id":"new","meta":{"versionId":"3","lastUpdated":"2026-11-23T09:30:00.000Z"},"x":{"reference":"Patient/k-1"}}"#,
        ),
        ("{}", r#"{"id":"new","meta":{"versionId":"3","lastUpdated":"2026-11-23T09:30:00.000Z"}}"#),
        ("[]", "[]"),
    ] {
        assert_eq!(out(stored), expected, "{stored}");
        keepwell_fhir::json::compact(out(stored).as_bytes()).unwrap();
    }
}

#[test]
fn references_are_rewritten_wherever_they_stand() {
    let stored = r##"{"resourceType":"Observation","id":"a","meta":{"versionId":"1","lastUpdated":"x"},"subject":{"reference":"Patient\/1","display":"Patient/1"},"performer":[{"reference":"urn:uuid:2"},{"reference":"#c"},{"reference":"Practitioner/3"}],"note":[{"text":"say \"reference\":\"Patient/9\""}],"contained":[{"subject":{"reference":"Patient/4"}}]}"##;
    let expected = r##"{"resourceType":"Observation","id":"new","meta":{"versionId":"3","lastUpdated":"2026-11-23T09:30:00.000Z"},"subject":{"reference":"Patient/k-1","display":"Patient/1"},"performer":[{"reference":"Patient/k-2"},{"reference":"#c"},{"reference":"Practitioner/3"}],"note":[{"text":"say \"reference\":\"Patient/9\""}],"contained":[{"subject":{"reference":"Patient/k-4"}}]}"##;
    assert_eq!(out(stored), expected);
    let texts: Vec<_> = reference_texts(stored.as_bytes()).collect();
    assert_eq!(texts, ["Patient/1", "urn:uuid:2", "Practitioner/3", "Patient/4"]);
}
