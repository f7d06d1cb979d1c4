//! Tokens (FHIR R4 §3.1.1.5.8).

use keepwell_fhir::search::{Columns, Handling, Query, Search, SearchError};

use super::{Items, NOW, check, problem, with_colours};

fn observations() -> Items {
    Items::of(&[
        r#"{"resourceType":"Observation","id":"pulse","status":"final","code":{"coding":[
            {"system":"http://loinc.org","code":"8867-4","display":"Heart rate"},
            {"system":"http://local.example","code":"HR"}],"text":"Pulse of the patient"}}"#,
        r#"{"resourceType":"Observation","id":"weight","status":"amended","code":{"coding":[
            {"system":"http://loinc.org","code":"29463-7","display":"Body weight"}]}}"#,
        r#"{"resourceType":"Observation","id":"bare","status":"final","code":{"coding":[{"code":"8867-4"}]}}"#,
        r#"{"resourceType":"Observation","id":"words","status":"unknown","code":{"text":"Blood Préssure"}}"#,
        r#"{"resourceType":"Observation","id":"none","status":"final"}"#,
    ])
}

#[test]
fn search_token_plain_finds_a_code_of_any_system() {
    check(
        &observations(),
        "Observation",
        &[
            ("code=8867-4", &["pulse", "bare"]),
            ("code=hr", &["pulse"]),
            ("code=8867-4,29463-7", &["pulse", "weight", "bare"]),
            ("code=8867-4&code=HR", &["pulse"]),
            ("code=8867", &[]),
        ],
    );
}

#[test]
fn search_token_plain_minds_the_system_that_is_asked_for() {
    check(
        &observations(),
        "Observation",
        &[
            ("code=http://loinc.org|8867-4", &["pulse"]),
            ("code=|8867-4", &["bare"]),
            ("code=http://loinc.org|", &["pulse", "weight"]),
            ("code=http://snomed.info/sct|8867-4", &[]),
        ],
    );
}

#[test]
fn search_token_plain_knows_the_system_that_a_code_implies() {
    check(
        &observations(),
        "Observation",
        &[
            ("status=final", &["pulse", "bare", "none"]),
            ("status=http://hl7.org/fhir/observation-status|amended", &["weight"]),
            ("status=|amended", &["weight"]),
            ("status=http://hl7.org/fhir/other|amended", &[]),
        ],
    );
}

#[test]
fn search_token_plain_finds_booleans_and_refuses_other_words() {
    let patients = Items::of(&[
        r#"{"resourceType":"Patient","id":"a","active":true,"gender":"female"}"#,
        r#"{"resourceType":"Patient","id":"b","active":false,"deceasedDateTime":"2020-01-01"}"#,
        r#"{"resourceType":"Patient","id":"c","deceasedBoolean":true}"#,
        r#"{"resourceType":"Patient","id":"d","deceasedBoolean":false}"#,
    ]);
    check(
        &patients,
        "Patient",
        &[
            ("active=true", &["a"]),
            ("active=false", &["b"]),
            ("deceased=true", &["b", "c"]),
            ("deceased=false", &["a", "d"]),
            ("gender=FEMALE", &[]),
            ("gender=female", &["a"]),
        ],
    );
    assert!(problem("Patient", "active=yes").contains("true or false"));
}

#[test]
fn search_token_plain_finds_identifiers_and_telephone_numbers() {
    let patients = Items::of(&[
        r#"{"resourceType":"Patient","id":"a","identifier":[
            {"system":"https://fhir.nhs.uk/Id/nhs-number","value":"9000000009"},{"value":"X|1"}],
            "telecom":[{"system":"phone","use":"mobile","value":"+44 (0113) 555-0101"},
            {"system":"email","value":"Ann.Lee@example.org"}]}"#,
        r#"{"resourceType":"Patient","id":"b","telecom":[{"system":"email","value":"annlee@example.org"}]}"#,
    ]);
    check(
        &patients,
        "Patient",
        &[
            ("identifier=9000000009", &["a"]),
            ("identifier=https://fhir.nhs.uk/Id/nhs-number|9000000009", &["a"]),
            ("identifier=X%5C%7C1", &["a"]),
            ("phone=%2B4401135550101", &["a"]),
            ("email=ann.lee@example.org", &["a"]),
            ("telecom=phone|%2B44-0113-5550101", &["a"]),
            ("telecom=mobile|%2B44-0113-5550101", &["a"]),
            ("telecom=email|%2B44-0113-5550101", &[]),
            ("phone=ann.lee@example.org", &[]),
        ],
    );
}

#[test]
fn search_token_plain_minds_case_only_where_the_system_does() {
    let colours = with_colours();
    let items = Items::of(&[
        r#"{"resourceType":"Observation","id":"a","code":{"coding":[{"system":"http://colours.example","code":"Red"}]}}"#,
        r#"{"resourceType":"Observation","id":"b","code":{"coding":[
            {"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}}"#,
    ]);
    for (query, expected) in [("code=red", 1), ("code=RED", 1), ("code=Vital-Signs", 0), ("code=vital-signs", 1)] {
        let query = Query::parse(&colours, "Observation", query, Handling::Strict).unwrap();
        let columns = Columns::default();
        assert_eq!(Search::new(&items, &colours, &columns, NOW).matches(&query).unwrap().len(), expected, "{query:?}");
    }
}

#[test]
fn search_token_text_finds_what_a_code_says() {
    check(
        &observations(),
        "Observation",
        &[
            ("code:text=heart", &["pulse"]),
            ("code:text=patient", &["pulse"]),
            ("code:text=BLOOD pres", &["words"]),
            ("code:text=atient", &[]),
        ],
    );
}

#[test]
fn search_token_not_finds_what_has_none_of_the_codes_or_no_code() {
    check(
        &observations(),
        "Observation",
        &[
            ("code:not=8867-4", &["weight", "words", "none"]),
            ("code:not=8867-4,29463-7", &["words", "none"]),
            ("status:not=final", &["weight", "words"]),
        ],
    );
}

#[test]
fn search_token_missing_tells_those_without_a_code() {
    check(
        &observations(),
        "Observation",
        &[("code:missing=true", &["none"]), ("code:missing=false", &["pulse", "weight", "bare", "words"])],
    );
    assert!(problem("Observation", "code:missing=1").contains("true or false"));
}

#[test]
fn search_token_of_type_finds_an_identifier_of_a_type() {
    let patients = Items::of(&[
        r#"{"resourceType":"Patient","id":"a","identifier":[{"type":{"coding":[
            {"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}]},"value":"446053"}]}"#,
        r#"{"resourceType":"Patient","id":"b","identifier":[{"type":{"coding":[
            {"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"SB"}]},"value":"446053"}]}"#,
    ]);
    check(
        &patients,
        "Patient",
        &[
            ("identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|446053", &["a"]),
            ("identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|44605", &[]),
        ],
    );
    assert!(problem("Patient", "identifier:of-type=MR|446053").contains("system|code|value"));
    assert!(problem("Patient", "gender:of-type=a|b|c").contains("identifiers"));
}

fn colours() -> Items {
    let item = |id: &str, code: &str| {
        format!(
            r#"{{"resourceType":"Observation","id":"{id}","code":{{"coding":[{{"system":"http://colours.example","code":"{code}"}}]}}}}"#
        )
    };
    let all = [item("warm", "warm"), item("red", "red"), item("crimson", "crimson"), item("blue", "blue")];
    let mut items = Items::of(&all.each_ref().map(String::as_str));
    items.add(br#"{"resourceType":"Observation","id":"none"}"#);
    items
}

fn check_colours(cases: &[(&str, &[&str])]) {
    let (definitions, items) = (with_colours(), colours());
    for (query, expected) in cases {
        let query = Query::parse(&definitions, "Observation", query, Handling::Strict).unwrap();
        let columns = Columns::default();
        let found = Search::new(&items, &definitions, &columns, NOW).matches(&query).unwrap();
        assert_eq!(found.iter().map(|&it| &*items.item(it).id).collect::<Vec<_>>(), *expected, "{}", query.self_link());
    }
}

#[test]
fn search_token_in_finds_the_codes_of_a_value_set() {
    check_colours(&[("code:in=http://colours.example/vs/warm", &["warm", "red", "crimson"])]);
}

#[test]
fn search_token_not_in_finds_what_has_no_code_of_a_value_set() {
    check_colours(&[("code:not-in=http://colours.example/vs/warm", &["blue", "none"])]);
}

#[test]
fn search_token_below_finds_a_code_and_those_under_it() {
    check_colours(&[
        ("code:below=http://colours.example|red", &["red", "crimson"]),
        ("code:below=http://colours.example|cold,http://colours.example|crimson", &["crimson", "blue"]),
    ]);
    assert!(problem("Observation", "code:below=red").contains("system|code"));
}

#[test]
fn search_token_above_finds_a_code_and_those_over_it() {
    check_colours(&[("code:above=http://colours.example|red", &["warm", "red"])]);
}

#[test]
fn search_token_in_is_refused_where_the_answer_is_not_known() {
    let (definitions, mut items) = (with_colours(), colours());
    let run = |items: &Items, query: &str| {
        let query = Query::parse(&definitions, "Observation", query, Handling::Strict).unwrap();
        Search::new(items, &definitions, &Columns::default(), NOW).run(&query, 0)
    };
    let words = |outcome: Result<_, SearchError>| match outcome {
        Err(SearchError::Refused(outcome)) => outcome.issues[0].diagnostics.clone(),
        other => panic!("{:?}", other.map(|_: keepwell_fhir::search::Answer| ())),
    };
    assert!(words(run(&items, "code:in=http://nowhere.example/vs")).contains("not known here"));
    assert!(words(run(&items, "code:below=http://nowhere.example|x")).contains("not known here"));
    // As long as no code of the unknown system turns up, the set has none of those that do.
    assert!(run(&items, "code:in=http://colours.example/vs/open").unwrap().matches.is_empty());
    items.add(
        br#"{"resourceType":"Observation","id":"x","code":{"coding":[{"system":"http://unknown.example","code":"q"}]}}"#,
    );
    assert!(words(run(&items, "code:in=http://colours.example/vs/open")).contains("not loaded"));
    assert!(words(run(&items, "code:not-in=http://colours.example/vs/open")).contains("not loaded"));
}

#[test]
fn search_token_plain_takes_thousands_of_codes() {
    let codes: Vec<String> = (0..1_990).map(|n| format!("c{n}")).chain(["29463-7".to_owned()]).collect();
    check(&observations(), "Observation", &[(&format!("code={}", codes.join(",")), &["weight"])]);
}
