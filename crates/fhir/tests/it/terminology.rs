//! Codes: expanding, looking up, checking.

use keepwell_fhir::definitions::{Definitions, r4};
use keepwell_fhir::json::compact;
use keepwell_fhir::outcome::{Issue, IssueCode};
use keepwell_fhir::terminology::{Asked, Expand, Place, expand, lookup, subsumes, validate_code};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::outputs::assert_valid;

const GENDER: &str = "http://hl7.org/fhir/administrative-gender";
const GENDERS: &str = "http://hl7.org/fhir/ValueSet/administrative-gender";
const ACT: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

fn read(bytes: Result<Vec<u8>, Issue>) -> Value {
    let bytes = bytes.unwrap();
    assert_eq!(compact(&bytes).unwrap(), bytes);
    assert_valid(&bytes);
    serde_json::from_slice(&bytes).unwrap()
}

fn asked<'a>(url: &'a str) -> Expand<'a> {
    Expand {
        url,
        timestamp: "2026-11-23T09:30:00Z",
        identifier: "urn:uuid:33333333-3333-4333-8333-333333333333",
        ..Expand::default()
    }
}

fn codes(set: &Value) -> Vec<&str> {
    set["expansion"]["contains"]
        .as_array()
        .map_or(Vec::new(), |all| all.iter().map(|it| it["code"].as_str().unwrap()).collect())
}

fn parameter<'a>(parameters: &'a Value, name: &str) -> &'a Value {
    assert_eq!(parameters["resourceType"], "Parameters");
    parameters["parameter"].as_array().unwrap().iter().find(|it| it["name"] == name).unwrap_or(&Value::Null)
}

fn one<'a>(system: Option<&'a str>, code: &'a str) -> Asked<'a> {
    Asked { system, version: None, code, display: None }
}

/// HL7's definitions and a code system of trees, with value sets over it.
fn wood() -> Definitions {
    let concept = |code: &str, display: &str, kind: &str, below: Value| json!({"code": code, "display": display, "property": [{"code": "kind", "valueCode": kind}], "concept": below});
    let trees = json!({"resourceType": "CodeSystem", "url": "urn:trees", "version": "2", "name": "Trees", "content": "complete", "caseSensitive": false, "concept": [
        concept("tree", "Tree", "group", json!([
            concept("broad", "Broad-leaved tree", "group", json!([concept("oak", "Oak", "wood", json!([])), concept("ash", "Ash", "wood", json!([]))])),
            concept("conifer", "Conifer", "group", json!([concept("yew", "Yew \"of old\"", "wood", json!([]))]))
        ])),
        {"code": "elm", "display": "Elm", "property": [{"code": "status", "valueCode": "retired"}, {"code": "notSelectable", "valueBoolean": true}]}
    ]});
    let set = |name: &str, compose: Value| json!({"resourceType": "ValueSet", "url": format!("urn:set:{name}"), "version": "1", "compose": compose});
    let filtered = |property: &str, op: &str, value: &str| json!({"include": [{"system": "urn:trees", "filter": [{"property": property, "op": op, "value": value}]}]});
    let sets = [
        set("all", json!({"include": [{"system": "urn:trees"}]})),
        set("is-a", filtered("concept", "is-a", "broad")),
        set("below", filtered("concept", "descendent-of", "broad")),
        set("wood", filtered("kind", "=", "wood")),
        set(
            "not-broad",
            json!({"include": [{"system": "urn:trees"}], "exclude": [{"system": "urn:trees", "filter": [{"property": "concept", "op": "is-a", "value": "broad"}]}]}),
        ),
        set("both", json!({"include": [{"system": "urn:trees", "valueSet": ["urn:set:is-a", "urn:set:wood"]}]})),
        set("short", filtered("code", "regex", "[a-z]{3}")),
        set("leaves", filtered("display", "regex", ".*leaved.*")),
        set("damaged", filtered("code", "regex", "(")),
        set(
            "snomed",
            json!({"include": [{"system": "http://snomed.info/sct", "filter": [{"property": "concept", "op": "is-a", "value": "195967001"}]}]}),
        ),
        set(
            "part",
            json!({"include": [{"system": "http://snomed.info/sct"}, {"system": "urn:trees", "concept": [{"code": "oak", "display": "The oak"}]}]}),
        ),
        set(
            "self",
            json!({"include": [{"valueSet": ["urn:set:self", "urn:set:self"]}, {"valueSet": ["urn:set:self"]}, {"system": "urn:trees"}]}),
        ),
        set("nowhere", json!({"include": [{"valueSet": ["urn:set:not here"]}]})),
    ];
    let texts: Vec<String> = sets.iter().chain([&trees]).map(Value::to_string).collect();
    r4().with_package(texts.iter().map(String::as_bytes)).unwrap()
}

#[test]
fn a_value_set_lists_its_codes_with_their_names() {
    let set = read(expand(r4(), &asked(GENDERS)));
    assert_eq!(codes(&set), ["male", "female", "other", "unknown"]);
    assert_eq!((&set["url"], &set["version"]), (&json!(GENDERS), &json!("4.0.1")));
    let expansion = &set["expansion"];
    assert_eq!(expansion["contains"][0], json!({"system": GENDER, "code": "male", "display": "Male"}));
    assert_eq!((&expansion["total"], &expansion["offset"]), (&json!(4), &json!(0)));
    assert_eq!(
        (&expansion["identifier"], &expansion["timestamp"]),
        (&json!("urn:uuid:33333333-3333-4333-8333-333333333333"), &json!("2026-11-23T09:30:00Z"))
    );
    assert!(expansion.get("extension").is_none());
}

#[test]
fn filters_of_a_value_set_follow_the_hierarchy_and_the_properties() {
    let wood = wood();
    for (name, expected) in [
        ("all", &["tree", "broad", "oak", "ash", "conifer", "yew", "elm"][..]),
        ("is-a", &["broad", "oak", "ash"]),
        ("below", &["oak", "ash"]),
        ("wood", &["oak", "ash", "yew"]),
        ("not-broad", &["tree", "conifer", "yew", "elm"]),
        ("both", &["oak", "ash"]),
        ("short", &["oak", "ash", "yew", "elm"]),
        ("leaves", &["broad"]),
    ] {
        assert_eq!(codes(&read(expand(&wood, &asked(&format!("urn:set:{name}"))))), expected, "{name}");
    }
}

#[test]
fn codes_are_given_page_by_page_and_by_words() {
    let wood = wood();
    let get = |offset, count, filter| {
        let set = read(expand(&wood, &Expand { offset, count, filter, ..asked("urn:set:all") }));
        let total = set["expansion"]["total"].as_u64().unwrap();
        (codes(&set).join(" "), total)
    };
    assert_eq!(get(0, Some(2), None), ("tree broad".into(), 7));
    assert_eq!(get(5, Some(9), None), ("yew elm".into(), 7));
    assert_eq!(get(0, Some(0), None), (String::new(), 7));
    assert_eq!(get(99, None, None), (String::new(), 7));
    assert_eq!(get(0, None, Some("TRE")), ("tree broad".into(), 2));
    assert_eq!(get(0, None, Some("tree bro")), ("broad".into(), 1));
    assert_eq!(get(0, None, Some("leaved")), ("broad".into(), 1));
    assert_eq!(get(0, None, Some("eaved")), (String::new(), 0));
    let set =
        read(expand(&wood, &Expand { active_only: true, filter: Some("e"), count: Some(3), ..asked("urn:set:all") }));
    assert_eq!(codes(&set), [""; 0]);
    assert_eq!(set["expansion"]["parameter"].as_array().unwrap().len(), 3);
    let elm = read(expand(&wood, &Expand { filter: Some("elm"), ..asked("urn:set:all") }));
    assert_eq!(
        elm["expansion"]["contains"][0],
        json!({"system": "urn:trees", "abstract": true, "inactive": true, "code": "elm", "display": "Elm"})
    );
}

#[test]
fn what_is_not_known_here_is_said_and_never_called_wrong() {
    let wood = wood();
    let fault = |url: &str| expand(&wood, &asked(url)).unwrap_err();
    assert_eq!(fault("urn:set:not here").code, IssueCode::NotFound);
    assert!(fault("urn:set:snomed").diagnostics.contains("'http://snomed.info/sct'"));
    assert!(fault("urn:set:damaged").diagnostics.contains("not known here"));
    assert!(fault("urn:set:nowhere").diagnostics.contains("not known here"));
    assert!(fault("urn:set:all|9").diagnostics.contains("only '1'"));
    assert_eq!(codes(&read(expand(&wood, &asked("urn:set:all|1")))).len(), 7);
    let part = read(expand(&wood, &asked("urn:set:part")));
    assert_eq!(codes(&part), ["oak"]);
    assert_eq!(part["expansion"]["contains"][0]["display"], "The oak");
    assert_eq!(part["expansion"]["extension"][0]["url"], "http://hl7.org/fhir/StructureDefinition/valueset-unclosed");

    let check =
        |set: &str, system: Option<&str>, code: &str| validate_code(&wood, Place::ValueSet(set), &[one(system, code)]);
    let snomed = Some("http://snomed.info/sct");
    assert!(check("urn:set:snomed", snomed, "195967001").unwrap_err().diagnostics.contains("nothing can be said"));
    assert!(check("urn:set:part", snomed, "1").is_err());
    assert!(check("urn:set:nowhere", None, "1").is_err());
    assert!(check("urn:set:not here", None, "1").is_err());
    // A code of a system that the set does not take from is not in it.
    let no = read(check("urn:set:snomed", Some("urn:trees"), "oak"));
    assert_eq!(parameter(&no, "result")["valueBoolean"], false);
    assert!(validate_code(&wood, Place::CodeSystem("http://loinc.org"), &[one(None, "1-8")]).is_err());
    assert!(lookup(&wood, "http://snomed.info/sct", None, "195967001", &[]).is_err());
    assert!(subsumes(&wood, "http://loinc.org", None, "a", "b").is_err());
}

#[test]
fn value_sets_that_include_each_other_end() {
    assert!(codes(&read(expand(&wood(), &asked("urn:set:self")))).len() == 7);
    // Each of these includes every other one many times.
    let set = |n: usize| {
        let others: Vec<Value> =
            (0..40).map(|other| json!({"valueSet": [format!("urn:many:{}", (n + other) % 20)]})).collect();
        json!({"resourceType": "ValueSet", "url": format!("urn:many:{n}"), "compose": {"include": others}}).to_string()
    };
    let texts: Vec<String> = (0..20).map(set).collect();
    let many = r4().with_package(texts.iter().map(String::as_bytes)).unwrap();
    assert!(expand(&many, &asked("urn:many:0")).is_err());
}

#[test]
fn a_code_is_in_a_value_set_or_not() {
    let check = |asked: Asked<'_>| read(validate_code(r4(), Place::ValueSet(GENDERS), &[asked]));
    let yes = check(one(Some(GENDER), "female"));
    assert_eq!(parameter(&yes, "result")["valueBoolean"], true);
    assert_eq!(parameter(&yes, "display")["valueString"], "Female");
    assert_eq!(parameter(&check(one(None, "female")), "result")["valueBoolean"], true);
    let no = check(one(Some(GENDER), "femal"));
    assert_eq!(parameter(&no, "result")["valueBoolean"], false);
    assert!(parameter(&no, "message")["valueString"].as_str().unwrap().contains("is not in the value set"));
    let other = check(Asked { display: Some("Frau"), ..one(Some(GENDER), "female") });
    assert_eq!(parameter(&other, "result")["valueBoolean"], true);
    assert!(parameter(&other, "message")["valueString"].as_str().unwrap().contains("'Female', not 'Frau'"));
    assert!(parameter(&check(Asked { display: Some("FEMALE"), ..one(None, "female") }), "message").is_null());
    let wood = wood();
    let set = |code| read(validate_code(&wood, Place::ValueSet("urn:set:all"), &[one(Some("urn:trees"), code)]));
    assert_eq!(parameter(&set("OAK"), "result")["valueBoolean"], true);
    assert_eq!(parameter(&set("PALM"), "result")["valueBoolean"], false);
}

#[test]
fn one_good_coding_of_a_concept_is_enough_and_an_unknown_one_is_no_reason_to_say_no() {
    let wood = wood();
    let check = |all: &[Asked<'_>]| validate_code(&wood, Place::ValueSet("urn:set:part"), all);
    let (oak, ash, asthma) =
        (one(Some("urn:trees"), "oak"), one(Some("urn:trees"), "ash"), one(Some("http://snomed.info/sct"), "1"));
    assert_eq!(parameter(&read(check(&[ash, asthma, oak])), "result")["valueBoolean"], true);
    assert!(check(&[ash, asthma]).is_err());
    assert_eq!(parameter(&read(check(&[ash])), "result")["valueBoolean"], false);
    assert_eq!(parameter(&read(check(&[])), "result")["valueBoolean"], false);
}

#[test]
fn a_code_is_in_a_code_system_or_not() {
    let check = |url: &str, asked: Asked<'_>| validate_code(r4(), Place::CodeSystem(url), &[asked]);
    assert_eq!(parameter(&read(check(GENDER, one(None, "male"))), "result")["valueBoolean"], true);
    assert_eq!(parameter(&read(check(GENDER, one(None, "man"))), "result")["valueBoolean"], false);
    assert_eq!(parameter(&read(check(GENDER, one(Some(ACT), "male"))), "result")["valueBoolean"], false);
    let pinned = format!("{GENDER}|4.0.1");
    assert_eq!(parameter(&read(check(&pinned, one(Some(&pinned), "male"))), "result")["valueBoolean"], true);
    assert!(check(&format!("{GENDER}|3"), one(None, "male")).is_err());
}

#[test]
fn a_code_is_looked_up_with_its_properties() {
    let wood = wood();
    let found = read(lookup(&wood, "urn:trees", None, "broad", &[]));
    assert_eq!(parameter(&found, "name")["valueString"], "Trees");
    assert_eq!(parameter(&found, "version")["valueString"], "2");
    assert_eq!(parameter(&found, "display")["valueString"], "Broad-leaved tree");
    let properties = |found: &Value| -> Vec<String> {
        let all = found["parameter"].as_array().unwrap().iter().filter(|it| it["name"] == "property");
        let text = |it: &Value| {
            let value = it["part"][1].as_object().unwrap().iter().find(|(name, _)| name.starts_with("value")).unwrap();
            format!("{} {}={}", it["part"][0]["valueCode"].as_str().unwrap(), value.0, value.1)
        };
        all.map(text).collect()
    };
    assert_eq!(
        properties(&found),
        [
            "parent valueCode=\"tree\"",
            "child valueCode=\"oak\"",
            "child valueCode=\"ash\"",
            "kind valueString=\"group\""
        ]
    );
    assert_eq!(properties(&read(lookup(&wood, "urn:trees", None, "broad", &["child"]))).len(), 2);
    assert_eq!(
        properties(&read(lookup(&wood, "urn:trees", Some("2"), "ELM", &[]))),
        ["status valueCode=\"retired\"", "notSelectable valueBoolean=true"]
    );
    let defined = read(lookup(r4(), GENDER, None, "other", &["definition"]));
    assert_eq!(properties(&defined).len(), 1);
    assert!(lookup(&wood, "urn:trees", None, "palm", &[]).unwrap_err().diagnostics.contains("has no code 'palm'"));
    assert!(lookup(&wood, "urn:trees", Some("3"), "oak", &[]).is_err());
}

#[test]
fn one_code_subsumes_another() {
    let wood = wood();
    let outcome = |a, b| parameter(&read(subsumes(&wood, "urn:trees", None, a, b)), "outcome")["valueCode"].clone();
    assert_eq!(outcome("tree", "oak"), "subsumes");
    assert_eq!(outcome("oak", "tree"), "subsumed-by");
    assert_eq!(outcome("oak", "OAK"), "equivalent");
    assert_eq!(outcome("oak", "yew"), "not-subsumed");
    assert!(subsumes(&wood, "urn:trees", None, "oak", "palm").is_err());
}

#[test]
fn every_value_set_of_r4_is_expanded_or_says_what_is_missing() {
    let (mut whole, mut part, mut none) = (0, 0, 0);
    for url in r4().value_set_urls() {
        match expand(r4(), &asked(url)) {
            Ok(bytes) if serde_json::from_slice::<Value>(&bytes).unwrap()["expansion"].get("extension").is_some() => {
                part += 1
            }
            Ok(_) => whole += 1,
            Err(issue) => {
                assert!(issue.diagnostics.contains("not known here"), "{url}: {}", issue.diagnostics);
                none += 1;
            }
        }
    }
    println!("{whole} whole, {part} in part, {none} not at all");
    assert!(whole > 1_000, "{whole} {part} {none}");
}

proptest! {
    #[test]
    fn no_question_panics(text in ".{0,20}", code in ".{0,8}", offset in any::<usize>(), count in prop::option::of(any::<usize>())) {
        for url in [&*text, "urn:trees", GENDERS, GENDER] {
            let filter = Some(&*code).filter(|it| !it.is_empty());
            let _ = expand(r4(), &Expand { filter, offset, count, ..asked(url) });
            let _ = validate_code(r4(), Place::ValueSet(url), &[one(Some(&text), &code)]);
            let _ = validate_code(r4(), Place::CodeSystem(url), &[one(None, &code)]);
            let _ = (lookup(r4(), url, Some(&text), &code, &[]), lookup(r4(), url, None, &code, &[&text]));
            let _ = subsumes(r4(), url, None, &code, &text);
        }
    }
}
