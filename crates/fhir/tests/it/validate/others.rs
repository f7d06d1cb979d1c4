//! The documents of others have no false errors.

use keepwell_fhir::bundle::Bundle;
use keepwell_fhir::definitions::r4;
use keepwell_fhir::json::check;
use keepwell_fhir::validate::{Options, Validator};

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
