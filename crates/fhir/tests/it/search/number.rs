//! Numbers and quantities (FHIR R4 §3.1.1.5.4 and §3.1.1.5.9).

use super::{Items, check, problem};

fn risks() -> Items {
    let of = |id: &str, probability: &str| {
        format!(r#"{{"resourceType":"RiskAssessment","id":"{id}","status":"final","prediction":[{{{probability}}}]}}"#)
    };
    let all = [
        of("a", r#""probabilityDecimal":0.8"#),
        of("b", r#""probabilityDecimal":0.80001"#),
        of("c", r#""probabilityDecimal":0.85"#),
        of("d", r#""probabilityRange":{"low":{"value":0.75},"high":{"value":0.84}}"#),
        of("e", r#""probabilityRange":{"low":{"value":0.9}}"#),
        of("f", r#""qualitativeRisk":{"text":"high"}"#),
    ];
    Items::of(&all.each_ref().map(String::as_str))
}

#[test]
fn search_number_eq_is_as_precise_as_it_was_written() {
    check(
        &risks(),
        "RiskAssessment",
        &[
            ("probability=0.8", &["a", "b", "d"]),
            ("probability=0.80", &["a", "b"]),
            ("probability=0.800", &["a", "b"]),
            ("probability=0.80001", &["b"]),
            ("probability=0.8000000", &["a"]),
            ("probability=8e-1", &["a", "b"]),
            ("probability=0.8,0.85", &["a", "b", "c", "d"]),
        ],
    );
}

#[test]
fn search_number_ne_is_what_lies_outside() {
    check(&risks(), "RiskAssessment", &[("probability=ne0.80", &["c", "d", "e"])]);
}

#[test]
fn search_number_gt_is_exact() {
    check(&risks(), "RiskAssessment", &[("probability=gt0.8", &["b", "c", "d", "e"])]);
}

#[test]
fn search_number_lt_is_exact() {
    check(&risks(), "RiskAssessment", &[("probability=lt0.8", &["d"]), ("probability=lt0.80001", &["a", "d"])]);
}

#[test]
fn search_number_ge_is_exact() {
    check(&risks(), "RiskAssessment", &[("probability=ge0.85", &["c", "e"])]);
}

#[test]
fn search_number_le_is_exact() {
    check(&risks(), "RiskAssessment", &[("probability=le0.8", &["a", "d"])]);
}

#[test]
fn search_number_sa_is_above_as_a_whole() {
    check(&risks(), "RiskAssessment", &[("probability=sa0.8", &["b", "c", "e"])]);
}

#[test]
fn search_number_eb_is_below_as_a_whole() {
    check(&risks(), "RiskAssessment", &[("probability=eb0.85", &["a", "b", "d"])]);
}

#[test]
fn search_number_ap_is_within_a_tenth() {
    check(&risks(), "RiskAssessment", &[("probability=ap0.8", &["a", "b", "c", "d"]), ("probability=ap0.7", &["d"])]);
}

#[test]
fn search_number_missing_tells_those_without() {
    check(&risks(), "RiskAssessment", &[("probability:missing=true", &["f"])]);
}

#[test]
fn search_number_refuses_what_is_no_number() {
    for value in ["high", "1,5x", "", "0x1", "1e99999", "gt"] {
        let words = problem("RiskAssessment", &format!("probability={value}"));
        assert!(words.contains("not a number") || words.contains("no value"), "{value}: {words}");
    }
}

fn weights() -> Items {
    let of = |id: &str, quantity: &str| {
        format!(r#"{{"resourceType":"Observation","id":"{id}","status":"final","valueQuantity":{{{quantity}}}}}"#)
    };
    let all = [
        of("kg", r#""value":72.5,"unit":"kg","system":"http://unitsofmeasure.org","code":"kg""#),
        of("g", r#""value":72500,"unit":"gram","system":"http://unitsofmeasure.org","code":"g""#),
        of("lb", r#""value":159.835,"unit":"lbs","system":"http://unitsofmeasure.org","code":"[lb_av]""#),
        of("bare", r#""value":72.5"#),
        of("words", r#""value":72.5,"unit":"kilos""#),
        of("less", r#""value":70,"comparator":"<","unit":"kg","system":"http://unitsofmeasure.org","code":"kg""#),
        of("more", r#""value":70,"comparator":">=","unit":"kg","system":"http://unitsofmeasure.org","code":"kg""#),
    ];
    let mut items = Items::of(&all.each_ref().map(String::as_str));
    items.add(br#"{"resourceType":"Observation","id":"none","status":"final","valueString":"heavy"}"#);
    items
}

const UCUM: &str = "http://unitsofmeasure.org";

#[test]
fn search_quantity_eq_without_a_unit_looks_at_the_number() {
    check(&weights(), "Observation", &[("value-quantity=72.5", &["kg", "bare", "words"])]);
}

#[test]
fn search_quantity_eq_converts_units_of_ucum() {
    check(
        &weights(),
        "Observation",
        &[
            (&format!("value-quantity=72.5|{UCUM}|kg"), &["kg", "g", "lb"]),
            (&format!("value-quantity=72500|{UCUM}|g"), &["kg", "g", "lb"]),
            (&format!("value-quantity=72.50|{UCUM}|kg"), &["kg", "g", "lb"]),
            (&format!("value-quantity=72.5000|{UCUM}|kg"), &["kg", "g"]),
            (&format!("value-quantity=72.5|{UCUM}|L"), &[]),
        ],
    );
}

#[test]
fn search_quantity_eq_without_a_system_takes_a_code_or_a_unit() {
    check(
        &weights(),
        "Observation",
        &[
            ("value-quantity=72.5||kg", &["kg", "g", "lb"]),
            ("value-quantity=72.5||kilos", &["words"]),
            ("value-quantity=72.5|http://other.example|kg", &[]),
        ],
    );
}

#[test]
fn search_quantity_ne_is_another_amount_of_the_unit() {
    check(&weights(), "Observation", &[(&format!("value-quantity=ne72.5|{UCUM}|kg"), &["less", "more"])]);
}

#[test]
fn search_quantity_gt_minds_the_comparator_of_what_is_found() {
    check(
        &weights(),
        "Observation",
        &[
            (&format!("value-quantity=gt72|{UCUM}|kg"), &["kg", "g", "lb", "more"]),
            (&format!("value-quantity=gt69|{UCUM}|kg"), &["kg", "g", "lb", "less", "more"]),
        ],
    );
}

#[test]
fn search_quantity_lt_minds_the_comparator_of_what_is_found() {
    check(
        &weights(),
        "Observation",
        &[
            (&format!("value-quantity=lt70|{UCUM}|kg"), &["less"]),
            (&format!("value-quantity=lt71|{UCUM}|kg"), &["less", "more"]),
        ],
    );
}

#[test]
fn search_quantity_ge_minds_whether_the_end_belongs_to_it() {
    check(
        &weights(),
        "Observation",
        &[
            (&format!("value-quantity=ge70|{UCUM}|kg"), &["kg", "g", "lb", "more"]),
            (&format!("value-quantity=ge72500|{UCUM}|g"), &["kg", "g", "more"]),
        ],
    );
}

#[test]
fn search_quantity_le_minds_whether_the_end_belongs_to_it() {
    check(&weights(), "Observation", &[(&format!("value-quantity=le70|{UCUM}|kg"), &["less", "more"])]);
}

#[test]
fn search_quantity_sa_is_above_as_a_whole() {
    check(&weights(), "Observation", &[(&format!("value-quantity=sa69.9|{UCUM}|kg"), &["kg", "g", "lb", "more"])]);
}

#[test]
fn search_quantity_eb_is_below_as_a_whole() {
    check(&weights(), "Observation", &[(&format!("value-quantity=eb70|{UCUM}|kg"), &["less"])]);
}

#[test]
fn search_quantity_ap_is_within_a_tenth() {
    check(
        &weights(),
        "Observation",
        &[(&format!("value-quantity=ap75|{UCUM}|kg"), &["kg", "g", "lb", "less", "more"])],
    );
}

#[test]
fn search_quantity_missing_tells_those_without() {
    check(&weights(), "Observation", &[("value-quantity:missing=true", &["none"])]);
}

#[test]
fn search_quantity_eq_finds_ranges_ages_money_and_samples() {
    let items = Items::of(&[
        r#"{"resourceType":"Condition","id":"a","onsetRange":{"low":{"value":40,"unit":"a","system":"http://unitsofmeasure.org","code":"a"},"high":{"value":45,"unit":"a","system":"http://unitsofmeasure.org","code":"a"}}}"#,
        r#"{"resourceType":"Condition","id":"b","onsetAge":{"value":43,"unit":"a","system":"http://unitsofmeasure.org","code":"a"}}"#,
        r#"{"resourceType":"Invoice","id":"c","status":"issued","totalNet":{"value":48,"currency":"GBP"}}"#,
        r#"{"resourceType":"Observation","id":"d","status":"final","valueSampledData":{"origin":{"value":100,"system":"http://unitsofmeasure.org","code":"mm"},"period":10,"factor":0.5,"dimensions":1,"data":"-10 E 20 U 4"}}"#,
    ]);
    check(
        &items,
        "Condition",
        &[("onset-age=gt44||a", &["a"]), ("onset-age=43||a", &["b"]), ("onset-age=sa39||a", &["a", "b"])],
    );
    check(&items, "Invoice", &[("totalnet=48|urn:iso:std:iso:4217|GBP", &["c"]), ("totalnet=48||EUR", &[])]);
    check(
        &items,
        "Observation",
        &[
            ("value-quantity=ge110||mm", &["d"]),
            ("value-quantity=gt110||mm", &[]),
            ("value-quantity=le9.5||cm", &["d"]),
            ("value-quantity=lt9.5||cm", &[]),
        ],
    );
}

#[test]
fn search_quantity_refuses_what_is_no_quantity() {
    for value in ["heavy", "5|mg", "5|a|b|c", "|http://unitsofmeasure.org|mg"] {
        let words = problem("Observation", &format!("value-quantity={value}"));
        assert!(words.contains("number"), "{value}: {words}");
    }
}
