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

/// FNV-1a: enough to see that nothing moved.
fn fingerprint(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let print = |seed| {
        let (mut hash, mut bytes) = (0xcbf2_9ce4_8422_2325, 0);
        for person in city(seed, 60).people() {
            for text in person.feeds.iter().map(|f| &f.bundle).chain(person.hl7.iter().map(|m| &m.text)) {
                hash = fingerprint(hash, text.as_bytes());
                bytes += text.len();
            }
        }
        format!("{hash:016x} over {bytes} bytes")
    };
    assert_eq!(print(1), print(1));
    assert_ne!(print(1), print(2));
    insta::assert_snapshot!(print(1), @"af43fab5b0362a43 over 13001003 bytes");
}

#[test]
fn no_resource_lacks_what_it_needs() {
    let has = |resource: &Value, pointers: &[&str]| {
        assert!(pointers.iter().any(|p| resource.pointer(p).is_some()), "{pointers:?} is missing in {resource}");
    };
    for person in city(2, 120).people() {
        for feed in &person.feeds {
            let bundle: Value = serde_json::from_str(&feed.bundle).unwrap();
            for entry in bundle["entry"].as_array().unwrap() {
                let resource = &entry["resource"];
                if resource["resourceType"] != "Goal" {
                    has(resource, &["/meta/profile/0"]);
                }
                match resource["resourceType"].as_str().unwrap() {
                    "Patient" => {
                        assert_eq!(resource["identifier"][0]["system"], "https://fhir.nhs.uk/Id/nhs-number");
                        assert_eq!(resource["identifier"][0]["value"], person.nhs_number.digits());
                        assert_eq!(resource["birthDate"], person.birth_date.to_string());
                        has(resource, &["/name/0/family"]);
                        has(resource, &["/address/0/postalCode"]);
                    }
                    "Observation" => {
                        has(resource, &["/code/coding/0/code"]);
                        has(resource, &["/category/0/coding/0/code"]);
                        has(
                            resource,
                            &[
                                "/valueQuantity/code",
                                "/valueCodeableConcept/coding/0/code",
                                "/component/1/valueQuantity/code",
                            ],
                        );
                        has(resource, &["/effectiveDateTime"]);
                        has(resource, &["/performer/0/reference"]);
                    }
                    "DiagnosticReport" => {
                        has(resource, &["/code/coding/0/code"]);
                        has(resource, &["/result/0/reference", "/conclusion"]);
                        has(resource, &["/performer/0/reference"]);
                    }
                    "Condition" | "AllergyIntolerance" => {
                        has(resource, &["/code/coding/0/code"]);
                        has(resource, &["/clinicalStatus/coding/0/code"]);
                    }
                    "MedicationRequest" => {
                        has(resource, &["/medicationCodeableConcept/coding/0/code"]);
                        has(resource, &["/dosageInstruction/0/text"]);
                    }
                    "Immunization" => has(resource, &["/vaccineCode/coding/0/code"]),
                    "Procedure" => has(resource, &["/code/coding/0/code"]),
                    "Encounter" => has(resource, &["/class/code"]),
                    "DocumentReference" => {
                        has(resource, &["/type/coding/0/code"]);
                        has(resource, &["/content/0/attachment/data"]);
                    }
                    "Flag" => has(resource, &["/code/text"]),
                    "CarePlan" => has(resource, &["/activity/0/detail/status"]),
                    "Appointment" => has(resource, &["/participant/0/actor/reference"]),
                    "Goal" | "Specimen" | "RelatedPerson" | "Organization" | "Practitioner" | "PractitionerRole" => {}
                    other => panic!("unexpected {other}"),
                }
            }
        }
    }
}

#[test]
fn ages_reach_from_0_to_past_95_and_some_have_died_or_moved() {
    let (mut bands, mut dead, mut moved, mut delegates) = ([0; 11], 0, 0, 0);
    for person in city(6, 1_000).people() {
        bands[usize::try_from(person.age / 10).unwrap()] += 1;
        dead += u32::from(person.death_date.is_some());
        moved += u32::from(person.moved.is_some());
        delegates += u32::from(!person.delegates.is_empty());
        assert!((0..=103).contains(&person.age));
    }
    assert!(bands[..10].iter().all(|count| *count >= 8), "{bands:?}");
    assert!(dead > 5 && moved > 50 && delegates > 50, "{dead} dead, {moved} moved, {delegates} with delegates");
}

#[test]
fn the_first_ten_people_have_rich_records() {
    for seed in 1..5 {
        for person in city(seed, 10).people() {
            let resources: usize = person.feeds.iter().map(|f| f.bundle.matches("\"fullUrl\"").count()).sum();
            assert!(resources >= 75, "person {} of seed {seed} has {resources} resources", person.index);
            assert!(person.feeds.len() >= 2 && person.death_date.is_none() && !person.story.is_empty());
        }
    }
}

#[test]
fn weeks_at_home_have_two_readings_a_minute_apart_twice_a_day() {
    let mut weeks = 0;
    for person in city(1, 200).people() {
        for week in &person.blood_pressure_weeks {
            weeks += 1;
            assert!(week.readings.len() >= 16 && week.readings.len() % 2 == 0);
            for pair in week.readings.chunks(2) {
                let apart = pair[1].at.since(pair[0].at).unwrap().get_minutes();
                assert!((1..=2).contains(&apart));
            }
        }
    }
    assert!(weeks > 10);
}

#[test]
fn a_folder_holds_what_the_summary_says() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { seed: 1, people: 12, today: date(2026, 11, 23) };
    let summary = keepwell_synth::write(config, folder.path()).unwrap();
    let people: Value = serde_json::from_slice(&std::fs::read(folder.path().join("people.json")).unwrap()).unwrap();
    assert_eq!(people.as_array().unwrap().len(), 12);
    assert!(summary.bundles > 24 && summary.messages > 50 && summary.bytes > 500_000);
    assert!(folder.path().join("feeds/leeds-hospital/0000000.json").exists());
}
