//! Addresses (FHIR R4 §3.1.1.5.13).

use super::{Items, check, problem};

fn sets() -> Items {
    Items::of(&[
        r#"{"resourceType":"ValueSet","id":"a","status":"active","url":"http://acme.example/fhir/ValueSet/1"}"#,
        r#"{"resourceType":"ValueSet","id":"b","status":"active","url":"http://acme.example/fhir/ValueSet/123"}"#,
        r#"{"resourceType":"ValueSet","id":"c","status":"active","url":"urn:oid:1.2.3"}"#,
        r#"{"resourceType":"ValueSet","id":"d","status":"active"}"#,
    ])
}

#[test]
fn search_uri_plain_is_the_whole_address() {
    check(
        &sets(),
        "ValueSet",
        &[
            ("url=http://acme.example/fhir/ValueSet/1", &["a"]),
            ("url=urn:oid:1.2.3", &["c"]),
            ("url=http://ACME.example/fhir/ValueSet/1", &[]),
            ("url=http://acme.example/fhir", &[]),
            ("url=urn:oid:1.2.3,http://acme.example/fhir/ValueSet/1", &["a", "c"]),
        ],
    );
}

#[test]
fn search_uri_below_goes_by_the_steps_of_the_path() {
    check(
        &sets(),
        "ValueSet",
        &[
            ("url:below=http://acme.example/fhir/", &["a", "b"]),
            ("url:below=http://acme.example/fhir", &["a", "b"]),
            ("url:below=http://acme.example/fhir/ValueSet/1", &["a"]),
        ],
    );
    assert!(problem("ValueSet", "url:below=urn:oid:1.2").contains("nothing above or below"));
}

#[test]
fn search_uri_above_goes_by_the_steps_of_the_path() {
    check(&sets(), "ValueSet", &[("url:above=http://acme.example/fhir/ValueSet/123/_history/5", &["b"])]);
}

#[test]
fn search_uri_missing_tells_those_without() {
    check(&sets(), "ValueSet", &[("url:missing=true", &["d"])]);
}
