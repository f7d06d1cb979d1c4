//! Strings (FHIR R4 §3.1.1.5.6).

use super::{Items, check, problem};

fn patients() -> Items {
    Items::of(&[
        r#"{"resourceType":"Patient","id":"a","name":[{"family":"Rodríguez","given":["Mayte","Ana María"]}],
            "address":[{"line":["1 High Street"],"city":"Leeds","postalCode":"LS1 1AA","country":"GB"}]}"#,
        r#"{"resourceType":"Patient","id":"b","name":[{"text":"O'Neil, Peter","family":"O'Neil","suffix":["Jr."]}]}"#,
        r#"{"resourceType":"Patient","id":"c","name":[{"family":"rodriguez"},{"use":"old","family":"Comma, Inc"}]}"#,
        r#"{"resourceType":"Patient","id":"d","address":[{"text":"Leeds"}]}"#,
    ])
}

#[test]
fn search_string_plain_finds_the_start_without_case_accents_and_punctuation() {
    check(
        &patients(),
        "Patient",
        &[
            ("family=RODRI", &["a", "c"]),
            ("family=rodríguez", &["a", "c"]),
            ("family=oneil", &["b"]),
            ("family=O%27Neil", &["b"]),
            ("family=driguez", &[]),
            ("given=ana+maria", &["a"]),
            ("given=maria", &[]),
            ("family=rod,one", &["a", "b", "c"]),
        ],
    );
}

#[test]
fn search_string_plain_looks_at_each_part_of_names_and_addresses() {
    check(
        &patients(),
        "Patient",
        &[
            ("name=mayte", &["a"]),
            ("name=jr", &["b"]),
            ("name=peter", &[]),
            ("name=oneil+peter", &["b"]),
            ("address=leeds", &["a", "d"]),
            ("address=ls1", &["a"]),
            ("address-city=leeds", &["a"]),
            ("address-country=gb", &["a"]),
        ],
    );
}

#[test]
fn search_string_plain_takes_an_escaped_comma_as_part_of_the_value() {
    check(&patients(), "Patient", &[("family=Comma%5C,%20Inc", &["c"]), ("family:exact=Comma%5C,%20Inc", &["c"])]);
}

#[test]
fn search_string_plain_takes_bare_punctuation_as_it_is() {
    let items = Items::of(&[
        r#"{"resourceType":"Patient","id":"a","name":[{"family":"-"}]}"#,
        r#"{"resourceType":"Patient","id":"b","name":[{"family":"Lee"}]}"#,
    ]);
    check(&items, "Patient", &[("family=-", &["a"]), ("family:contains=-", &["a"])]);
}

#[test]
fn search_string_contains_finds_it_anywhere() {
    check(
        &patients(),
        "Patient",
        &[("family:contains=drigu", &["a", "c"]), ("name:contains=MARIA", &["a"]), ("name:contains=x", &[])],
    );
}

#[test]
fn search_string_exact_minds_case_accents_and_length() {
    check(
        &patients(),
        "Patient",
        &[
            ("family:exact=Rodr%C3%ADguez", &["a"]),
            ("family:exact=rodriguez", &["c"]),
            ("family:exact=Rodr%C3%ADgue", &[]),
        ],
    );
}

#[test]
fn search_string_missing_tells_those_without() {
    check(&patients(), "Patient", &[("name:missing=true", &["d"]), ("address:missing=false", &["a", "d"])]);
}

#[test]
fn search_string_refuses_modifiers_of_other_kinds() {
    let words = problem("Patient", "family:exat=x");
    assert!(words.contains("Did you mean ':exact'?"), "{words}");
    assert!(problem("Patient", "family:above=x").contains(":missing, :exact, :contains"));
}
