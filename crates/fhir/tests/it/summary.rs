//! The patient summary and other documents.

use std::collections::BTreeMap;

use keepwell_fhir::bundle::Bundle;
use keepwell_fhir::document::{Document, Frame, Item, assemble};
use keepwell_fhir::json::{Node, check, compact};
use keepwell_fhir::project::with_references;
use keepwell_fhir::summary::{Order, summary};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::outputs::assert_valid;
use crate::shared::shared;

const DEVICE: &str =
    r#"{"resourceType":"Device","id":"keepwell","deviceName":[{"name":"Keepwell","type":"manufacturer-name"}]}"#;
const AT: &str = "2026-11-23T09:30:00Z";

fn url(reference: &str) -> String {
    format!("https://phr.example/fhir/{reference}")
}

fn urn(reference: &str) -> String {
    let number = reference.bytes().fold(7u64, |number, byte| number.wrapping_mul(31).wrapping_add(u64::from(byte)));
    format!("urn:uuid:00000000-0000-4000-8000-{:012x}", number & 0xffff_ffff_ffff)
}

fn summarised(record: &[(String, String)], full_url: &dyn Fn(&str) -> String) -> Document {
    let items: Vec<Item<'_>> =
        record.iter().map(|(reference, text)| Item { reference, resource: Node::of_text(text) }).collect();
    let patient = items.iter().find(|item| item.reference.starts_with("Patient/")).copied().unwrap();
    let author = Item { reference: "Device/keepwell", resource: Node::of_text(DEVICE) };
    let order = Order {
        uuid: "11111111-1111-4111-8111-111111111111",
        composition_uuid: "22222222-2222-4222-8222-222222222222",
        timestamp: AT,
        title: "Patient summary",
        author,
        custodian: None,
        full_url,
    };
    summary(&order, patient, &items)
}

/// A record of a patient and these resources, which get ids `1`, `2` …
fn record(resources: &[Value]) -> Vec<(String, String)> {
    let patient =
        json!({"resourceType": "Patient", "id": "p", "name": [{"family": "Brook"}], "birthDate": "1970-01-01"});
    let mut all = vec![("Patient/p".to_owned(), patient.to_string())];
    for (index, resource) in resources.iter().enumerate() {
        let mut resource = resource.clone();
        let id = (index + 1).to_string();
        resource["id"] = id.clone().into();
        resource["subject"] = json!({"reference": "Patient/p"});
        all.push((format!("{}/{id}", resource["resourceType"].as_str().unwrap()), resource.to_string()));
    }
    all
}

/// The document as JSON, and its sections by LOINC code.
fn read(document: &Document) -> (Value, BTreeMap<String, Value>) {
    assert_eq!(compact(&document.bytes).unwrap(), document.bytes);
    let bundle: Value = serde_json::from_slice(&document.bytes).unwrap();
    let composition = &bundle["entry"][0]["resource"];
    assert_eq!(composition["resourceType"], "Composition");
    let sections = composition["section"].as_array().unwrap().iter();
    let sections =
        sections.map(|it| (it["code"]["coding"][0]["code"].as_str().unwrap().to_owned(), it.clone())).collect();
    (bundle, sections)
}

fn of_resources(resources: &[Value]) -> BTreeMap<String, Value> {
    read(&summarised(&record(resources), &url)).1
}

fn entries(section: &Value) -> Vec<&str> {
    section["entry"]
        .as_array()
        .map_or(Vec::new(), |all| all.iter().map(|it| it["reference"].as_str().unwrap()).collect())
}

#[test]
fn an_empty_section_says_that_nothing_is_known_and_is_never_left_out() {
    let document = summarised(&record(&[]), &urn);
    assert_valid(&document.bytes);
    let (bundle, sections) = read(&summarised(&record(&[]), &url));
    let codes: Vec<_> = sections.keys().map(String::as_str).collect();
    assert_eq!(codes, ["10160-0", "11369-6", "11450-4", "30954-2", "46264-8", "47519-4", "48765-2"]);
    for section in sections.values() {
        assert_eq!(section["emptyReason"]["coding"][0]["code"], "unavailable");
        assert!(section.get("entry").is_none());
        let text = section["text"]["div"].as_str().unwrap();
        assert!(text.contains("holds no information about") && text.contains("does not mean that there is none"));
    }
    assert_eq!(bundle["type"], "document");
    assert_eq!(bundle["identifier"]["value"], "urn:uuid:11111111-1111-4111-8111-111111111111");
    assert_eq!(bundle["timestamp"], AT);
    let composition = &bundle["entry"][0]["resource"];
    assert_eq!(composition["type"]["coding"][0]["code"], "60591-5");
    assert_eq!(composition["date"], AT);
    let urls: Vec<_> = bundle["entry"].as_array().unwrap().iter().map(|it| it["fullUrl"].as_str().unwrap()).collect();
    assert_eq!(urls[1..], [url("Patient/p"), url("Device/keepwell")]);
}

#[test]
fn what_is_current_is_there_and_what_is_wrong_is_not() {
    let status = |code: &str| json!({"coding": [{"system": "s", "code": code}]});
    let condition = |clinical: &str, verified: &str| json!({"resourceType": "Condition", "clinicalStatus": status(clinical), "verificationStatus": status(verified), "code": {"text": "Gout"}});
    let allergy = |clinical: &str, verified: &str| json!({"resourceType": "AllergyIntolerance", "clinicalStatus": status(clinical), "verificationStatus": status(verified), "code": {"text": "Nuts"}});
    let simple = |kind: &str, status: &str| json!({"resourceType": kind, "status": status});
    let sections = of_resources(&[
        condition("active", "confirmed"),
        condition("resolved", "confirmed"),
        condition("active", "entered-in-error"),
        condition("active", "refuted"),
        allergy("active", "confirmed"),
        allergy("resolved", "confirmed"),
        allergy("active", "refuted"),
        json!({"resourceType": "AllergyIntolerance", "code": {"text": "Cats"}}),
        simple("MedicationRequest", "active"),
        simple("MedicationRequest", "stopped"),
        simple("MedicationStatement", "entered-in-error"),
        simple("MedicationStatement", "active"),
        simple("Immunization", "completed"),
        simple("Immunization", "entered-in-error"),
        simple("Procedure", "completed"),
        simple("Procedure", "not-done"),
        simple("DeviceUseStatement", "active"),
        simple("Flag", "active"),
        simple("CarePlan", "revoked"),
    ]);
    assert_eq!(entries(&sections["11450-4"]), ["Condition/1"]);
    assert_eq!(entries(&sections["11348-0"]), ["Condition/2"]);
    assert_eq!(entries(&sections["48765-2"]), ["AllergyIntolerance/5", "AllergyIntolerance/8"]);
    assert_eq!(entries(&sections["10160-0"]), ["MedicationRequest/9", "MedicationStatement/12"]);
    assert_eq!(entries(&sections["11369-6"]), ["Immunization/13"]);
    assert_eq!(entries(&sections["47519-4"]), ["Procedure/15"]);
    assert_eq!(entries(&sections["46264-8"]), ["DeviceUseStatement/17"]);
    assert_eq!(entries(&sections["104605-1"]), ["Flag/18"]);
    assert!(!sections.contains_key("18776-5"));
    assert!(sections.values().all(|it| it.get("entry").is_some() != it.get("emptyReason").is_some()));
}

#[test]
fn the_newest_measurement_of_each_kind_is_there() {
    let measured = |category: &str, code: &str, day: u8| {
        let category = json!([{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": category}]}]);
        json!({"resourceType": "Observation", "status": "final", "category": category, "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "effectiveDateTime": format!("2026-01-{day:02}T08:00:00Z"), "valueQuantity": {"value": 5.10, "unit": "mmol/L"}})
    };
    let mut unsorted = measured("x", "9-9", 4);
    unsorted.as_object_mut().unwrap().remove("category");
    let sections = of_resources(&[
        measured("laboratory", "1-1", 1),
        measured("laboratory", "1-1", 3),
        measured("laboratory", "2-2", 2),
        measured("vital-signs", "8867-4", 1),
        measured("social-history", "72166-2", 1),
        measured("social-history", "82810-3", 1),
        unsorted,
        measured("survey", "3-3", 1),
    ]);
    assert_eq!(entries(&sections["30954-2"]), ["Observation/7", "Observation/2", "Observation/3"]);
    assert_eq!(entries(&sections["8716-3"]), ["Observation/4"]);
    assert_eq!(entries(&sections["29762-2"]), ["Observation/5"]);
    assert_eq!(entries(&sections["10162-6"]), ["Observation/6"]);
    let text = sections["30954-2"]["text"]["div"].as_str().unwrap();
    assert!(text.contains("<td>5.1 mmol/L</td><td>2026-01-03</td>"), "{text}");
    assert!(text.contains("earlier ones are in the record"));
}

#[test]
fn a_long_section_says_how_much_it_leaves_out() {
    let shot = |day: usize| json!({"resourceType": "Immunization", "status": "completed", "vaccineCode": {"text": format!("No {day}")}, "occurrenceDateTime": format!("{}-01-01", 1900 + day)});
    let sections = of_resources(&(0..120).map(shot).collect::<Vec<_>>());
    let section = &sections["11369-6"];
    assert_eq!(entries(section).len(), 100);
    assert_eq!(entries(section)[0], "Immunization/120");
    assert!(section["text"]["div"].as_str().unwrap().contains("The newest 100 of 120"));
}

#[test]
fn no_markup_of_a_record_becomes_markup_of_the_summary() {
    let evil = "</td><script>alert('&')</script>\u{1}\n\"";
    let sections = of_resources(&[
        json!({"resourceType": "Condition", "code": {"text": evil}, "severity": {"text": evil}, "onsetString": evil, "recordedDate": evil}),
        json!({"resourceType": "MedicationRequest", "status": "active", "medicationReference": {"display": evil}, "dosageInstruction": [{"text": evil}], "authoredOn": evil}),
    ]);
    for section in sections.values() {
        let text = section["text"]["div"].as_str().unwrap();
        assert!(!text.contains("<script") && !text.contains('\u{1}') && !text.contains('\n'));
    }
    let text = sections["11450-4"]["text"]["div"].as_str().unwrap();
    assert!(text.contains("&lt;/td&gt;&lt;script&gt;alert('&amp;')&lt;/script&gt; &quot;"));
}

#[test]
fn a_medication_comes_along_and_gives_its_name() {
    let mut record = record(&[
        json!({"resourceType": "MedicationRequest", "status": "active", "medicationReference": {"reference": "Medication/m"}, "requester": {"reference": "Practitioner/gone"}, "encounter": {"reference": "Encounter/e"}}),
    ]);
    record.push(("Medication/m".into(), json!({"resourceType": "Medication", "id": "m", "code": {"text": "Aspirin 75 mg"}, "manufacturer": {"reference": "Organization/o"}}).to_string()));
    record.push(("Organization/o".into(), json!({"resourceType": "Organization", "id": "o"}).to_string()));
    record.push(("Encounter/e".into(), json!({"resourceType": "Encounter", "id": "e"}).to_string()));
    let document = summarised(&record, &urn);
    let (bundle, sections) = read(&document);
    assert!(sections["10160-0"]["text"]["div"].as_str().unwrap().contains("<td>Aspirin 75 mg</td>"));
    let urls: Vec<_> = bundle["entry"].as_array().unwrap().iter().map(|it| it["fullUrl"].as_str().unwrap()).collect();
    assert_eq!(
        urls[1..],
        ["Patient/p", "Device/keepwell", "MedicationRequest/1", "Medication/m", "Organization/o"].map(urn)
    );
    let request = &bundle["entry"][3]["resource"];
    // What is in the document is referred to by its URN, what is not keeps its reference.
    assert_eq!(request["medicationReference"]["reference"], urn("Medication/m"));
    assert_eq!(request["subject"]["reference"], urn("Patient/p"));
    assert_eq!(request["encounter"]["reference"], "Encounter/e");
    assert!(document.missing.is_empty());
}

#[test]
fn a_composition_takes_all_it_refers_to_into_the_document() {
    let text = json!({"resourceType": "Composition", "id": "c", "subject": {"reference": "Patient/p"}, "author": [{"reference": "Practitioner/d/_history/2"}],
        "section": [{"entry": [{"reference": "Condition/a"}, {"reference": "Condition/b"}, {"reference": "https://other.example/Condition/z"}, {"reference": "#x"}]}]})
    .to_string();
    let condition = json!({"resourceType": "Condition", "id": "a", "subject": {"reference": "Patient/p"}, "encounter": {"reference": "Encounter/e"}, "asserter": {"reference": "Practitioner/d"}}).to_string();
    let plain = |kind: &str, id: &str| json!({"resourceType": kind, "id": id}).to_string();
    let (patient, doctor, encounter) = (plain("Patient", "p"), plain("Practitioner", "d"), plain("Encounter", "e"));
    let item = |reference, text| Item { reference, resource: Node::of_text(text) };
    let available = [
        item("Condition/a", &condition),
        item("Encounter/e", &encounter),
        item("Practitioner/d", &doctor),
        item("Patient/p", &patient),
    ];
    let frame = Frame { uuid: "u", timestamp: AT, full_url: &url, profile: None };
    let document = assemble(&frame, item("Composition/c", &text), &available);
    let bundle: Value = serde_json::from_slice(&document.bytes).unwrap();
    let urls: Vec<_> = bundle["entry"].as_array().unwrap().iter().map(|it| it["fullUrl"].as_str().unwrap()).collect();
    assert_eq!(urls, ["Composition/c", "Practitioner/d", "Condition/a", "Patient/p"].map(url));
    assert_eq!(document.missing, ["Condition/b"]);
    assert_eq!(bundle["entry"][2]["resource"]["encounter"]["reference"], "Encounter/e");
    assert_eq!(format!("{document:?}"), format!("Document({} bytes, 1 missing)", document.bytes.len()));
}

/// The records of others: each Synthea Bundle with its URNs made into references.
fn synthea() -> Vec<Vec<(String, String)>> {
    let Some(folder) = shared("synthea-r4") else { return Vec::new() };
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|it| it == "json"));
    paths.sort();
    let record = |path: &std::path::PathBuf| {
        let checked = check(&std::fs::read(path).unwrap()).unwrap();
        let bundle = Bundle::read(&checked.bytes, &checked.outline).unwrap();
        let mut names = BTreeMap::new();
        for entry in &bundle.entries {
            let (resource, _) = entry.resource.as_ref().unwrap();
            let name = format!("{}/{}", resource.resource_type, resource.id.as_deref().unwrap());
            names.insert(entry.full_url.clone().unwrap().into_owned(), name);
        }
        let entries = bundle.entries.iter().map(|entry| {
            let bytes = &checked.bytes[entry.resource.as_ref().unwrap().1.clone()];
            let bytes = with_references(bytes, |text| names.get(text).cloned());
            (names[&**entry.full_url.as_ref().unwrap()].clone(), String::from_utf8(bytes).unwrap())
        });
        entries.collect()
    };
    paths.iter().take(6).map(record).collect()
}

#[test]
fn every_record_gives_a_whole_document_and_always_the_same_one() {
    for record in synthea() {
        let document = summarised(&record, &urn);
        assert_eq!(document.bytes, summarised(&record, &urn).bytes);
        assert!(document.missing.is_empty(), "{:?}", document.missing);
        assert_valid(&document.bytes);
        let (bundle, sections) = read(&document);
        let all = bundle["entry"].as_array().unwrap();
        let urls: Vec<_> = all.iter().map(|it| it["fullUrl"].as_str().unwrap()).collect();
        assert_eq!(all[1]["resource"]["resourceType"], "Patient");
        for section in sections.values() {
            assert!(section.get("entry").is_some() != section.get("emptyReason").is_some());
            assert!(entries(section).iter().all(|it| urls.contains(it)));
            let text = section["text"]["div"].as_str().unwrap();
            assert_eq!(text.matches("<tr>").count(), text.matches("</tr>").count());
            assert!(entries(section).is_empty() || text.matches("<tr>").count() == entries(section).len() + 1);
        }
        assert!(!entries(&sections["11369-6"]).is_empty());
        assert!(document.bytes.len() < 1 << 20);
    }
}

proptest! {
    #[test]
    fn no_record_panics(texts in prop::collection::vec("[\\[\\]{}\":,a1]{0,30}", 0..6), name in ".{0,12}") {
        let kinds = ["Condition", "Observation", "MedicationRequest", "Device", "CarePlan", "AllergyIntolerance"];
        let mut all = record(&[]);
        for (text, kind) in texts.iter().zip(kinds) {
            // Odd values where concepts, quantities and times are expected.
            let odd = compact(text.as_bytes()).map_or("\"x\"".into(), |it| String::from_utf8(it).unwrap());
            all.push((format!("{kind}/x"), format!(
                r#"{{"resourceType":"{kind}","status":"active","code":{odd},"valueQuantity":{odd},"component":{odd},"onsetPeriod":{odd},"period":{odd},"patient":{odd},"category":{odd},"dosageInstruction":{odd},"reaction":{odd},"title":{}}}"#,
                keepwell_fhir::json::quoted(&name)
            )));
        }
        let document = summarised(&all, &urn);
        prop_assert_eq!(&compact(&document.bytes).unwrap(), &document.bytes);
    }
}
