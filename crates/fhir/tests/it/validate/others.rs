//! The documents of others have no false errors.

use keepwell_fhir::bundle::Bundle;
use keepwell_fhir::definitions::r4;
use keepwell_fhir::json::check;
use keepwell_fhir::validate::{Options, Validator};

use crate::shared::shared;
use crate::synthea::bundles;

#[test]
fn no_resource_made_with_synthea_is_wrong() {
    let Some(bundles) = bundles() else { return };
    let validator = Validator::new(r4());
    let mut seen = 0;
    let mut wrong = std::collections::BTreeMap::new();
    for bundle in &bundles {
        let checked = check(bundle).unwrap();
        let read = Bundle::read(&checked.bytes, &checked.outline).unwrap();
        for entry in &read.entries {
            let (_, range) = entry.resource.as_ref().unwrap();
            let report = validator.validate(&checked.bytes[range.clone()], &Options::default());
            for issue in &report.issues {
                *wrong.entry(format!("{} {}", issue.expression, issue.words)).or_insert(0) += 1;
            }
            seen += 1;
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen > 100);
}

#[test]
fn no_bundle_made_with_synthea_is_wrong() {
    let Some(bundles) = bundles() else { return };
    let validator = Validator::new(r4());
    for bundle in &bundles {
        let checked = check(bundle).unwrap();
        let report = validator.validate(&checked.bytes, &Options::default());
        let told: Vec<_> = report.issues.iter().map(|it| (&it.expression, &it.words)).collect();
        assert!(told.is_empty() && !report.truncated, "{told:#?}");
    }
}

/// What is wrong with UK Core's own examples by the base rules: file, path, words.
const UK_CORE_FAULTS: &[(&str, &str, &str)] = &[
    (
        "Extension-UKCore-ConditionEpisode-Example",
        "Condition.extension[0]",
        "Only one kind of 'value[x]' may be there, and here are 'valueCode' and 'valueCodeableConcept'; keep one.",
    ),
    (
        "UKCore-MedicationDispense-Amoxicillin-Example",
        "MedicationDispense.authorizingPrescription[0]",
        "'UKCore-MedicationRequest-Amoxicillin-Example' does not name a resource type; write Type/id, such as Patient/1.",
    ),
    (
        "UKCore-MedicationDispense-CiprofloxacinOral-Example",
        "MedicationDispense.authorizingPrescription[0]",
        "'UKCore-MedicationRequest-CiprofloxacinOral-Example' does not name a resource type; write Type/id, such as Patient/1.",
    ),
];

#[test]
fn the_examples_of_uk_core_have_their_known_faults_only() {
    let Some(folder) = shared("uk-core-examples") else { return };
    let validator = Validator::new(r4());
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    paths.sort();
    let mut found = Vec::new();
    for path in &paths {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let bytes =
            keepwell_fhir::xml::read(&std::fs::read(path).unwrap(), r4()).unwrap_or_else(|it| panic!("{name}: {it}"));
        let report = validator.validate(&bytes, &Options::default());
        found.extend(report.errors().map(|it| (name.clone(), it.expression.clone(), it.words.clone())));
    }
    let found: Vec<(&str, &str, &str)> = found.iter().map(|(name, path, words)| (&**name, &**path, &**words)).collect();
    assert_eq!(found, UK_CORE_FAULTS, "{found:#?}");
    assert!(paths.len() > 100);
}
