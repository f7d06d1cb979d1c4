//! Statistics of observations.

use keepwell_fhir::document::Item;
use keepwell_fhir::json::{Node, compact};
use keepwell_fhir::stats::{Question, Statistic, stats};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::outputs::assert_valid;

const LOINC: &str = "http://loinc.org";

fn code(code: &str) -> Value {
    json!({"coding": [{"system": LOINC, "code": code, "display": format!("Name of {code}")}]})
}

fn quantity(value: &str, unit: &str) -> Value {
    let text = format!(r#"{{"value":{value},"unit":"{unit}","system":"http://unitsofmeasure.org","code":"{unit}"}}"#);
    serde_json::from_str(&text).unwrap()
}

fn measured(of: &str, value: &str, unit: &str) -> Value {
    json!({"resourceType": "Observation", "status": "final", "code": code(of), "valueQuantity": quantity(value, unit)})
}

fn pressure(systolic: &str, diastolic: &str) -> Value {
    json!({"resourceType": "Observation", "status": "final", "code": code("85354-9"), "component": [
        {"code": code("8480-6"), "valueQuantity": quantity(systolic, "mm[Hg]")},
        {"code": code("8462-4"), "valueQuantity": quantity(diastolic, "mm[Hg]")},
    ]})
}

fn ask(observations: &[Value], codes: &[&str], statistics: &str, sources: Option<usize>) -> Value {
    let texts: Vec<(String, String)> =
        observations.iter().enumerate().map(|(at, it)| (format!("Observation/{at}"), it.to_string())).collect();
    let items: Vec<Item<'_>> =
        texts.iter().map(|(reference, text)| Item { reference, resource: Node::of_text(text) }).collect();
    let codes: Vec<_> = codes.iter().map(|code| (Some(LOINC), *code)).collect();
    let statistics: Vec<_> = statistics.split(' ').map(|code| Statistic::of(code).unwrap()).collect();
    let period = (Some("2026-01-01"), None);
    let question = Question { subject: "Patient/p", codes: &codes, statistics: &statistics, period, sources };
    let bytes = stats(&items, &question);
    assert_eq!(compact(&bytes).unwrap(), bytes);
    assert_valid(&bytes);
    serde_json::from_slice(&bytes).unwrap()
}

/// Each series as its code and unit and the numbers.
fn numbers(parameters: &Value) -> Vec<String> {
    let all = parameters["parameter"].as_array().unwrap().iter().filter(|it| it["name"] == "statistics");
    let one = |it: &Value| {
        let observation = &it["resource"];
        let components = observation["component"].as_array().unwrap();
        let unit = components[0]["valueQuantity"]["code"].as_str().unwrap_or("?");
        let values = components.iter().map(|it| match &it["valueQuantity"]["value"] {
            Value::Null => it["dataAbsentReason"]["coding"][0]["code"].as_str().unwrap().to_owned(),
            value => value.to_string(),
        });
        format!(
            "{} {unit}: {}",
            observation["code"]["coding"][0]["code"].as_str().unwrap(),
            values.collect::<Vec<_>>().join(" ")
        )
    };
    all.map(one).collect()
}

#[test]
fn measurements_of_a_code_are_summed_up() {
    let all =
        [measured("1", "1.5", "kg"), measured("2", "9", "kg"), measured("1", "2.5", "kg"), measured("1", "3.6", "kg")];
    let result = ask(&all, &["1"], "average maximum median std-dev count variance", Some(2));
    assert_eq!(numbers(&result), ["1 kg: 2.533 3.6 2.5 1.05 3 1.103"]);
    let observation = &result["parameter"][0]["resource"];
    assert_eq!(observation["subject"]["reference"], "Patient/p");
    assert_eq!(observation["effectivePeriod"], json!({"start": "2026-01-01"}));
    assert_eq!(observation["code"]["coding"][0]["display"], "Name of 1");
    let component = |at: usize| &observation["component"][at];
    assert_eq!(component(0)["code"]["coding"][0]["system"], Statistic::SYSTEM);
    assert_eq!(component(4)["valueQuantity"]["code"], "1");
    assert_eq!(component(5)["valueQuantity"]["code"], "(kg)2");
    let sources: Vec<_> = result["parameter"].as_array().unwrap().iter().filter(|it| it["name"] == "source").collect();
    assert_eq!(sources.len(), 2);
    assert_eq!(sources[1]["resource"], all[2]);
}

#[test]
fn units_are_never_mixed() {
    let all = [measured("1", "70", "kg"), measured("1", "154", "[lb_av]"), measured("1", "72", "kg")];
    assert_eq!(numbers(&ask(&all, &["1"], "average count", None)), ["1 kg: 71 2", "1 [lb_av]: 154 1"]);
}

#[test]
fn a_panel_stands_for_its_parts_and_a_part_is_found_in_panels() {
    let mut panel = json!({"resourceType": "Observation", "status": "final", "code": code("24323-8"), "hasMember": [{"reference": "Observation/0"}, {"reference": "Observation/1"}, {"reference": "Observation/9"}]});
    let all = [
        measured("2345-7", "5", "mmol/L"),
        measured("2160-0", "80", "umol/L"),
        panel.clone(),
        pressure("120", "80"),
        pressure("130", "90"),
    ];
    assert_eq!(
        numbers(&ask(&all, &["24323-8"], "average count", None)),
        ["24323-8 ?: not-a-number 0", "2345-7 mmol/L: 5 1", "2160-0 umol/L: 80 1"]
    );
    assert_eq!(
        numbers(&ask(&all, &["85354-9"], "max count", None)),
        ["85354-9 ?: not-a-number 0", "8480-6 mm[Hg]: 130 2", "8462-4 mm[Hg]: 90 2"]
    );
    assert_eq!(numbers(&ask(&all, &["8480-6"], "average", None)), ["8480-6 mm[Hg]: 125"]);
    // Asked for twice, by way of the panel and itself, a value counts once.
    assert_eq!(numbers(&ask(&all, &["8480-6", "85354-9"], "sum", None))[0], "8480-6 mm[Hg]: 250");
    panel["valueQuantity"] = quantity("1", "1");
    assert_eq!(numbers(&ask(&[panel], &["24323-8"], "sum count", None)), ["24323-8 1: 1 1"]);
}

#[test]
fn what_is_no_exact_number_is_only_counted() {
    let mut below = measured("1", "5", "kg");
    below["valueQuantity"]["comparator"] = "<".into();
    let mut wrong = measured("1", "500", "kg");
    wrong["status"] = "entered-in-error".into();
    let words = json!({"resourceType": "Observation", "status": "final", "code": code("1"), "valueString": "heavy"});
    let all = [measured("1", "7", "kg"), below, wrong, words];
    assert_eq!(numbers(&ask(&all, &["1"], "sum count total-count std-dev", None)), ["1 kg: 7 1 3 not-a-number"]);
    assert_eq!(numbers(&ask(&[], &["1"], "average count total-count", None)), ["1 ?: not-a-number 0 0"]);
}

proptest! {
    #[test]
    fn the_average_lies_between_the_ends(values in prop::collection::vec(-99_999i32..99_999, 1..12), scale in 0usize..4) {
        let shown = |it: &i32| format!("{:.*}", scale, f64::from(*it) / 10f64.powi(scale as i32));
        let all: Vec<Value> = values.iter().map(|it| measured("1", &shown(it), "kg")).collect();
        let result = ask(&all, &["1"], "minimum 20-percent 4-lower median average 4-upper 80-percent maximum count", None);
        let value = |at: usize| result["parameter"][0]["resource"]["component"][at]["valueQuantity"]["value"].as_f64().unwrap();
        prop_assert!((1..8).all(|at| at == 4 || at == 5 || value(at - 1) <= value(at)));
        prop_assert!(value(0) <= value(4) && value(4) <= value(7));
        prop_assert_eq!(value(8), values.len() as f64);
    }

    #[test]
    fn no_observation_panics(text in "[\\[\\]{}\":,a1.e]{0,30}", number in "-?(0|[1-9][0-9]{0,39})(\\.[0-9]{1,40})?(e[0-9]{1,3})?") {
        let odd = compact(text.as_bytes()).map_or("1".into(), |it| String::from_utf8(it).unwrap());
        let all = [
            format!(r#"{{"code":{{"coding":[{{"code":"1"}}]}},"valueQuantity":{odd},"component":{odd},"hasMember":{odd}}}"#),
            format!(r#"{{"code":{{"coding":[{{"code":"1"}}]}},"valueQuantity":{{"value":{number}}}}}"#),
            format!(r#"{{"code":{odd},"status":{odd}}}"#),
        ];
        let items: Vec<_> = all.iter().map(|text| Item { reference: "Observation/1", resource: Node::of_text(text) }).collect();
        let statistics: Vec<_> = ["average", "std-dev", "median", "4-dev", "skew", "kurtosis", "sum"].iter().map(|it| Statistic::of(it).unwrap()).collect();
        let question = Question { subject: "Patient/p", codes: &[(None, "1")], statistics: &statistics, period: (None, None), sources: Some(9) };
        let bytes = stats(&items, &question);
        prop_assert!(compact(&bytes).is_ok());
    }
}
