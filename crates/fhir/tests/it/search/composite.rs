//! Composites (FHIR R4 §3.1.1.5.16).

use super::{Items, check, problem};

fn pressures() -> Items {
    let of = |id: &str, systolic: u32, diastolic: u32| {
        format!(
            r#"{{"resourceType":"Observation","id":"{id}","status":"final","code":{{"coding":[{{"system":"http://loinc.org","code":"85354-9"}}]}},
            "component":[{{"code":{{"coding":[{{"system":"http://loinc.org","code":"8480-6"}}]}},"valueQuantity":{{"value":{systolic},"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}}}},
            {{"code":{{"coding":[{{"system":"http://loinc.org","code":"8462-4"}}]}},"valueQuantity":{{"value":{diastolic},"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}}}}]}}"#
        )
    };
    let mut items = Items::of(&[&of("high", 160, 95), &of("low", 95, 60)]);
    items.add(
        br#"{"resourceType":"Observation","id":"weight","status":"final","code":{"coding":[{"code":"29463-7"}]},
            "valueQuantity":{"value":160,"unit":"kg"}}"#,
    );
    items.add(
        br#"{"resourceType":"Observation","id":"smoker","status":"final","code":{"coding":[{"code":"72166-2"}]},
            "valueCodeableConcept":{"coding":[{"code":"8517006"}]}}"#,
    );
    items.add(
        br#"{"resourceType":"Observation","id":"when","status":"final","code":{"coding":[{"code":"21112-8"}]},
            "valueDateTime":"1960-02-03"}"#,
    );
    items
}

#[test]
fn search_composite_plain_pairs_values_of_one_element() {
    check(
        &pressures(),
        "Observation",
        &[
            ("component-code-value-quantity=http://loinc.org|8480-6$gt150", &["high"]),
            ("component-code-value-quantity=8462-4$gt150", &[]),
            ("component-code-value-quantity=8480-6$lt100,8462-4$gt90||mm[Hg]", &["high", "low"]),
            ("code-value-quantity=29463-7$160", &["weight"]),
            ("code-value-quantity=85354-9$160", &[]),
            ("combo-code-value-quantity=29463-7$160||kg", &["weight"]),
            ("combo-code-value-quantity=8480-6$ge160", &["high"]),
            ("code-value-concept=72166-2$8517006", &["smoker"]),
            ("code-value-date=21112-8$lt1970", &["when"]),
        ],
    );
}

#[test]
fn search_composite_plain_finds_references_among_its_parts() {
    let items = Items::of(&[
        r#"{"resourceType":"DocumentReference","id":"a","status":"current","relatesTo":[
            {"code":"replaces","target":{"reference":"DocumentReference/old"}},
            {"code":"appends","target":{"reference":"DocumentReference/other"}}]}"#,
        r#"{"resourceType":"DocumentReference","id":"old","status":"superseded"}"#,
    ]);
    check(
        &items,
        "DocumentReference",
        &[("relationship=replaces$DocumentReference/old", &["a"]), ("relationship=appends$DocumentReference/old", &[])],
    );
    assert!(problem("DocumentReference", "relationship=DocumentReference/old$a$b").contains("2 values"));
}

#[test]
fn search_composite_refuses_modifiers_and_a_wrong_number_of_parts() {
    assert!(problem("Observation", "code-value-quantity=8480-6").contains("2 values joined by '$'"));
    assert!(problem("Observation", "code-value-quantity:missing=true").contains("':missing'"));
    assert!(problem("Observation", "code-value-quantity=8480-6$tall").contains("not a number"));
}
