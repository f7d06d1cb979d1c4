//! Bundles with all kinds of requests in them.

use axum::http::header;
use base64::Engine as _;
use serde_json::{Value, json};

use crate::house::{Answer, FHIR_JSON, House};

async fn send(house: &House, kind: &str, entries: Vec<Value>, prefer: &str) -> Answer {
    let bundle = json!({ "resourceType": "Bundle", "type": kind, "entry": entries });
    let request = house.authorised("POST", "/fhir").header(header::CONTENT_TYPE, FHIR_JSON).header("prefer", prefer);
    house.send(request.body(bundle.to_string().into()).unwrap()).await
}

fn entry(method: &str, url: &str, resource: Value) -> Value {
    let mut entry = json!({ "request": { "method": method, "url": url } });
    if !resource.is_null() {
        entry["resource"] = resource;
    }
    entry
}

fn weight(id: &str, patient: &str) -> Value {
    json!({
        "resourceType": "Observation", "id": id, "status": "final", "code": { "text": "Weight" },
        "subject": { "reference": patient }, "valueQuantity": { "value": 70.5, "unit": "kg" }
    })
}

fn patch(operations: &Value) -> Value {
    let data = base64::engine::general_purpose::STANDARD.encode(operations.to_string());
    json!({ "resourceType": "Binary", "contentType": "application/json-patch+json", "data": data })
}

/// The statuses of a response Bundle's entries.
fn statuses(answer: &Answer) -> Vec<u16> {
    let json = answer.json();
    let entries = json["entry"].as_array().cloned().unwrap_or_default();
    entries.iter().map(|entry| entry["response"]["status"].as_str().unwrap()[..3].parse().unwrap()).collect()
}

#[tokio::test]
async fn in_a_batch_each_entry_is_taken_or_refused_by_itself() {
    let house = House::new().await;
    let (patient, observation) = house.amina().await;
    let (patient, observation) = (patient.replace("/fhir/", ""), observation.replace("/fhir/", ""));
    let answer = send(
        &house,
        "batch",
        vec![
            entry("GET", &observation, Value::Null),
            entry("PUT", "Observation/w1", weight("w1", "Patient/p1")),
            entry("PUT", "Observation/w2", weight("other", "Patient/p1")),
            entry("POST", "Observation", weight("w1", &patient)),
            entry("POST", "Observation", weight("w1", "Patient/nobody")),
            entry("DELETE", "Observation/0123456789abcdef-2", Value::Null),
            entry("GET", "Observation/0123456789abcdef-2", Value::Null),
            entry("GET", &format!("{observation}/_history/1"), Value::Null),
            entry("GET", &format!("/{patient}/_history"), Value::Null),
            entry("HEAD", "metadata", Value::Null),
            entry(
                "PATCH",
                &observation,
                patch(&json!([{ "op": "add", "path": "/issued", "value": "2026-11-20T09:00:00Z" }])),
            ),
            json!({ "resource": weight("x", "Patient/p1") }),
            entry("BREW", "Coffee", Value::Null),
        ],
        "",
    )
    .await;
    assert_eq!(answer.json()["type"], "batch-response", "{}", answer.text());
    assert_eq!(statuses(&answer), [200, 201, 400, 201, 422, 404, 404, 200, 200, 200, 200, 400, 400]);
    let json = answer.json();
    for (at, entry) in json["entry"].as_array().unwrap().iter().enumerate() {
        let refused = entry["response"]["status"].as_str().unwrap().starts_with('4');
        assert_eq!(refused, entry["response"]["outcome"]["resourceType"] == "OperationOutcome", "{at}");
    }
    // What reads comes after what writes.
    assert_eq!(json["entry"][0]["resource"]["issued"], "2026-11-20T09:00:00Z");
    assert_eq!(json["entry"][8]["resource"]["type"], "history");
    assert!(json["entry"][1].get("resource").is_none());
}

#[tokio::test]
async fn a_person_and_what_is_about_them_may_come_in_one_batch() {
    let house = House::new().await;
    let person =
        json!({ "resourceType": "Patient", "id": "q", "name": [{ "family": "Reed" }], "birthDate": "1980-05-06" });
    let answer = send(
        &house,
        "batch",
        vec![entry("PUT", "Observation/w", weight("w", "Patient/q")), entry("PUT", "Patient/q", person)],
        "return=representation",
    )
    .await;
    assert_eq!(statuses(&answer), [201, 201]);
    let json = answer.json();
    let id = json["entry"][1]["resource"]["id"].as_str().unwrap();
    assert_eq!(json["entry"][0]["resource"]["subject"]["reference"], format!("Patient/{id}"));
}

#[tokio::test]
async fn a_transaction_may_read_and_patch_and_is_answered_in_the_order_of_its_entries() {
    let house = House::new().await;
    let (patient, observation) = house.amina().await;
    let (patient, observation) = (patient.replace("/fhir/", ""), observation.replace("/fhir/", ""));
    let entries = || {
        vec![
            entry("GET", &observation, Value::Null),
            entry("PATCH", &observation, patch(&json!([{ "op": "replace", "path": "/status", "value": "amended" }]))),
            entry("GET", &patient, Value::Null),
            entry("PUT", "Observation/w1", weight("w1", "Patient/p1")),
        ]
    };
    let answer = send(&house, "transaction", entries(), "return=representation").await;
    assert_eq!(statuses(&answer), [200, 200, 200, 201], "{}", answer.text());
    let json = answer.json();
    assert_eq!(json["entry"][0]["resource"]["status"], "amended");
    assert_eq!(json["entry"][1]["resource"], json["entry"][0]["resource"]);
    assert_eq!(json["entry"][3]["resource"]["subject"]["reference"], patient);
    let again = send(&house, "transaction", entries(), "return=OperationOutcome").await;
    assert_eq!(again.json()["entry"][1]["response"]["outcome"]["issue"][0]["severity"], "information");
    let mut failing = entries();
    failing[3] = entry("PUT", "Observation/w3", weight("w3", "Patient/p1"));
    failing.push(entry("GET", "Observation/0123456789abcdef-2", Value::Null));
    let refused = send(&house, "transaction", failing, "").await;
    assert_eq!(refused.refusal().0, 404);
    assert_eq!(refused.json()["issue"][0]["expression"][0], "Bundle.entry[4].request.url");
    let history = house.ask("GET", &format!("/fhir/Observation/_history?patient={patient}")).await.json();
    assert_eq!(history["total"], 3, "nothing of it was taken");
}
