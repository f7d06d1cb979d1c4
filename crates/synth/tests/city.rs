//! Rules of a city as a whole.

use std::collections::{HashMap, HashSet};

use jiff::civil::date;
use keepwell_synth::{City, Config};
use serde_json::Value;

fn city(seed: u64, people: u32) -> City {
    City::new(Config { seed, people, today: date(2026, 11, 23) })
}

#[test]
fn numbers_are_valid_unique_and_of_the_test_range() {
    let mut seen = HashSet::new();
    for person in city(3, 400).people() {
        assert!(person.nhs_number.is_test_range());
        assert!(seen.insert(person.nhs_number));
    }
}

#[test]
fn every_reference_resolves_inside_its_bundle_and_ids_are_unique() {
    for person in city(1, 150).people() {
        for feed in &person.feeds {
            let bundle: Value = serde_json::from_str(&feed.bundle).unwrap();
            let entries = bundle["entry"].as_array().unwrap();
            let mut known = HashSet::new();
            for entry in entries {
                let url = entry["request"]["url"].as_str().unwrap();
                let resource = &entry["resource"];
                assert_eq!(
                    url,
                    format!("{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap())
                );
                assert!(known.insert(url.to_owned()), "{url} twice in {}", feed.source);
            }
            let mut wanted = Vec::new();
            references(&bundle, &mut wanted);
            for reference in wanted {
                assert!(known.contains(&reference), "{reference} is not in the bundle of {}", feed.source);
            }
        }
    }
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                match member {
                    Value::String(text) if key == "reference" => found.push(text.clone()),
                    other => references(other, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn a_person_does_not_depend_on_the_size_of_the_city() {
    let (small, large) = (city(9, 60), city(9, 5_000));
    for index in [0, 7, 33, 59] {
        let (mut a, mut b) = (small.person(index), large.person(index));
        a.delegates.clear();
        b.delegates.clear();
        assert_eq!(a, b);
    }
}

#[test]
fn a_thousand_people_have_twins_and_strangers_with_one_name_and_birth_date() {
    let mut same: HashMap<_, Vec<_>> = HashMap::new();
    let mut births: HashMap<_, u32> = HashMap::new();
    for person in city(5, 1_000).people() {
        let name = (person.given.clone(), person.family.clone(), person.birth_date);
        same.entry(name).or_default().push(person.address.postcode.clone());
        *births.entry((person.family, person.address.line, person.birth_date)).or_default() += 1;
    }
    assert!(same.values().any(|homes| homes.len() > 1 && homes[0] != homes[1]));
    assert!(births.values().any(|count| *count == 2));
}
