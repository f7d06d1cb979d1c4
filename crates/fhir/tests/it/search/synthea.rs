//! Searches over whole records against filters written by hand over serde_json.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Items;
use crate::synthea::bundles;

pub(super) struct Record {
    items: Items,
    pub(super) resources: Vec<Value>,
}

pub(super) fn record(bundle: &[u8]) -> Record {
    let bundle: Value = serde_json::from_slice(bundle).unwrap();
    let resources: Vec<Value> = bundle["entry"].as_array().unwrap().iter().map(|it| it["resource"].clone()).collect();
    let mut items = Items::default();
    resources.iter().for_each(|resource| items.add(resource.to_string().as_bytes()));
    Record { items, resources }
}

impl Record {
    /// The ids of the resources of a type for which `keep` says yes.
    fn by_hand(&self, resource_type: &str, keep: impl Fn(&Value) -> bool) -> BTreeSet<&str> {
        let all = self.resources.iter().filter(|it| it["resourceType"] == resource_type && keep(it));
        all.map(|it| it["id"].as_str().unwrap()).collect()
    }

    fn check(&self, resource_type: &str, query: &str, keep: impl Fn(&Value) -> bool) -> usize {
        let by_hand = self.by_hand(resource_type, keep);
        let found = self.items.find(resource_type, &format!("{query}&_count=1000"));
        let answer: BTreeSet<&str> = found.iter().copied().collect();
        assert_eq!(answer.len(), found.len());
        assert_eq!(answer, by_hand, "{query}");
        by_hand.len()
    }

    fn by_url(&self, url: &Value) -> Option<&Value> {
        let id = url.as_str()?.strip_prefix("urn:uuid:")?;
        self.resources.iter().find(|it| it["id"] == id)
    }
}

fn has_code(concept: &Value, code: &str) -> bool {
    concept["coding"].as_array().is_some_and(|codings| codings.iter().any(|it| it["code"] == code))
}

#[test]
fn search_over_synthea_records_finds_what_filters_by_hand_find() {
    let Some(bundles) = bundles() else { return };
    let mut found = [0; 13];
    for bundle in bundles.iter().take(6) {
        let record = record(bundle);
        let patient = record.resources[0]["id"].as_str().unwrap().to_owned();
        let of_patient = format!("urn:uuid:{patient}");
        let day = |it: &Value, name: &str| it[name].as_str().map(|text| text[..10].to_owned());
        found[0] += record.check("Observation", "code=8302-2", |it| has_code(&it["code"], "8302-2"));
        found[1] += record.check("Observation", "code=http://loinc.org|8302-2&date=ge2015-06-01", |it| {
            has_code(&it["code"], "8302-2") && day(it, "effectiveDateTime").is_some_and(|it| &*it >= "2015-06-01")
        });
        found[2] += record.check("Observation", &format!("patient=Patient/{patient}"), |it| {
            it["subject"]["reference"] == *of_patient
        });
        found[3] += record.check("Observation", "code=29463-7&value-quantity=gt80||kg", |it| {
            has_code(&it["code"], "29463-7") && it["valueQuantity"]["value"].as_f64().is_some_and(|it| it > 80.0)
        });
        found[4] += record.check("Condition", "clinical-status=active", |it| has_code(&it["clinicalStatus"], "active"));
        found[5] += record.check("Encounter", "class=AMB&date=lt2012", |it| {
            // Half a day's leeway is not needed: no encounter of these starts in the last hours of 2011 in UTC.
            it["class"]["code"] == "AMB" && day(&it["period"], "start").is_some_and(|it| &*it < "2012")
        });
        found[6] += record.check("MedicationRequest", "status:not=stopped", |it| it["status"] != "stopped");
        found[7] += record.check("Procedure", "encounter.class=AMB", |it| {
            record.by_url(&it["encounter"]["reference"]).is_some_and(|it| it["class"]["code"] == "AMB")
        });
        found[8] += record.check("Encounter", "_has:Observation:encounter:code=8302-2", |it| {
            let url = format!("urn:uuid:{}", it["id"].as_str().unwrap());
            record.resources.iter().any(|other| {
                other["resourceType"] == "Observation"
                    && other["encounter"]["reference"] == *url
                    && has_code(&other["code"], "8302-2")
            })
        });
        found[9] += record.check("Patient", "birthdate=le1970&gender=female,male", |it| {
            it["birthDate"].as_str().unwrap()[..4] <= *"1970"
        });
        found[10] += record.check("Observation", "component-code-value-quantity=8480-6$ge120", |it| {
            it["component"].as_array().is_some_and(|parts| {
                parts.iter().any(|it| {
                    has_code(&it["code"], "8480-6") && it["valueQuantity"]["value"].as_f64().unwrap() >= 120.0
                })
            })
        });
        found[11] += record.check("Claim", "insurer:missing=true", |it| it.get("insurer").is_none());
        found[12] += record.check("DiagnosticReport", "result.code=2339-0", |it| {
            it["result"].as_array().is_some_and(|all| {
                all.iter().any(|it| record.by_url(&it["reference"]).is_some_and(|it| has_code(&it["code"], "2339-0")))
            })
        });
    }
    assert!(found.iter().all(|count| *count > 0), "each query is tried on something: {found:?}");
}

#[test]
fn search_over_synthea_records_sorts_by_date() {
    let Some(bundles) = bundles() else { return };
    let record = record(&bundles[0]);
    let found = record.items.find("Observation", "_sort=-date&_count=1000");
    let date = |id: &str| {
        let all = record.resources.iter().find(|it| it["id"] == id).unwrap();
        keepwell_fhir::date::Moment::parse(all["effectiveDateTime"].as_str().unwrap()).unwrap().earliest()
    };
    assert!(found.iter().map(|id| date(id)).is_sorted_by(|a, b| a >= b));
    assert!(found.len() > 20);
}

#[test]
fn search_includes_over_a_synthea_record_bring_every_reference() {
    let Some(bundles) = bundles() else { return };
    let record = record(&bundles[3]);
    let referred: BTreeSet<String> = record
        .resources
        .iter()
        .filter(|it| it["resourceType"] == "Procedure")
        .flat_map(|it| {
            [&it["subject"]["reference"], &it["encounter"]["reference"], &it["reasonReference"][0]["reference"]]
        })
        .filter_map(|url| record.by_url(url))
        .map(|it| format!("{}/{}", it["resourceType"].as_str().unwrap(), it["id"].as_str().unwrap()))
        .collect();
    let included = record.items.included("Procedure", "_include=*&_count=1000");
    assert_eq!(included.iter().cloned().collect::<BTreeSet<_>>(), referred);
}
