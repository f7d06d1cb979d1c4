//! What becomes of resources that do not keep the rules of R4: refused, kept with their issues beside them, or just kept.

use bytes::Bytes;
use keepwell_service::{Change, Client, FhirError, OperationRequest, Patch, Validation, WriteRequest, Written};
use serde_json::{Value, json};

use crate::fixture::{Fixture, amina, bundle, delete, observation, put};

async fn client(f: &Fixture, validation: Validation) -> Client {
    let token = f.service.add_client("gp", "Surgery", keepwell_service::CareSetting::General).await.unwrap();
    f.service.set_validation("gp", validation).await.unwrap();
    f.clock.advance(2);
    let client = f.service.client_by_token(&token).await.unwrap().unwrap();
    assert_eq!(client.validation, validation);
    Client::clone(&client)
}

fn wrong(id: &str) -> Value {
    let mut wrong = observation(id, "Patient/1", "1");
    wrong["status"] = json!("finished");
    wrong
}

async fn write(f: &Fixture, gp: &Client, id: Option<&str>, change: Change) -> Result<Written, FhirError> {
    f.service.write(gp, &WriteRequest::new("Observation", id, change)).await
}

/// The issues that `$validate` tells of a kept resource, as severity and words.
async fn issues(f: &Fixture, gp: &Client, id: &str) -> Vec<(String, String)> {
    let request = OperationRequest { parameters: &[], body: None, base: "https://x.example/fhir" };
    let outcome = f.service.validate(gp, Some("Observation"), Some(id), &request).await.unwrap();
    let outcome: Value = serde_json::from_slice(&outcome).unwrap();
    let text = |issue: &Value, name: &str| issue[name].as_str().unwrap_or_default().to_owned();
    let issues = outcome["issue"].as_array().unwrap();
    issues.iter().map(|issue| (text(issue, "severity"), text(issue, "diagnostics"))).collect()
}

#[tokio::test]
async fn a_new_system_is_held_to_the_rules_and_told_where_it_broke_them() {
    let f = Fixture::new().await;
    let gp = client(&f, Validation::Strict).await;
    f.send(&gp, &bundle(vec![put(amina("1"))])).await.unwrap();
    let body = |resource: Value| Bytes::from(resource.to_string());
    let error = write(&f, &gp, None, Change::Create(body(wrong("a")))).await.unwrap_err();
    assert_eq!((error.status, error.issues[0].expression.as_deref()), (422, Some("Observation.status")));
    let error = f.send(&gp, &bundle(vec![put(observation("a", "Patient/1", "1")), put(wrong("b"))])).await.unwrap_err();
    assert_eq!((error.status, error.issues[0].expression.as_deref()), (422, Some("Bundle.entry[1].resource.status")));
    let right = write(&f, &gp, Some("a"), Change::Update(body(observation("a", "Patient/1", "1")))).await.unwrap();
    let patch =
        Patch::Json(Bytes::from(json!([{ "op": "replace", "path": "/status", "value": "finished" }]).to_string()));
    let error = write(&f, &gp, right.id.as_deref(), Change::Patch(patch)).await.unwrap_err();
    assert_eq!((error.status, error.issues[0].expression.as_deref()), (422, Some("Observation.status")));
    let id = right.id.unwrap();
    assert_eq!(
        f.read(&gp, &format!("Observation/{id}")).await.unwrap()["meta"]["versionId"],
        "2",
        "nothing was changed"
    );
}

#[tokio::test]
async fn a_legacy_feed_is_kept_as_it_came_with_its_issues_beside_it() {
    let f = Fixture::new().await;
    let gp = client(&f, Validation::Record).await;
    let sent = f.send(&gp, &bundle(vec![put(amina("1")), put(wrong("a"))])).await.unwrap();
    let id = sent.locations[1].split('/').nth(1).unwrap();
    assert_eq!(f.read(&gp, &sent.locations[1]).await.unwrap()["status"], "finished");
    let told = issues(&f, &gp, id).await;
    assert_eq!(told.iter().map(|(severity, _)| severity.as_str()).filter(|it| *it == "error").count(), 1);
    assert!(told.iter().any(|(severity, words)| severity == "information" && words.starts_with("Found when it came")));
    let again = f.send(&gp, &bundle(vec![put(amina("1")), put(wrong("a"))])).await.unwrap();
    assert_eq!((again.response.changed, &again.versions), (0, &sent.versions), "a repeated Bundle changes nothing");
    // What is mended has no issues any more, and what is deleted takes them along.
    f.send(&gp, &bundle(vec![put(observation("a", "Patient/1", "1"))])).await.unwrap();
    assert!(issues(&f, &gp, id).await.iter().all(|(_, words)| !words.starts_with("Found when it came")));
    f.send(&gp, &bundle(vec![put(wrong("a"))])).await.unwrap();
    f.send(&gp, &bundle(vec![delete(&sent.locations[1])])).await.unwrap();
    let record = f.tenant.open(sent.response.record.unwrap()).await.unwrap().unwrap();
    assert!(record.entries().all(|entry| entry.kind().as_str() != "validation"));
}

#[tokio::test]
async fn issues_are_hidden_where_their_resource_is() {
    let f = Fixture::new().await;
    let gp = client(&f, Validation::Record).await;
    let mut guarded = wrong("a");
    guarded["meta"] = json!({ "security": [{ "system": "urn:keepwell:label", "code": "safeguarding" }] });
    let sent = f.send(&gp, &bundle(vec![put(amina("1")), put(guarded)])).await.unwrap();
    let record = f.tenant.open(sent.response.record.unwrap()).await.unwrap().unwrap();
    let labels: Vec<_> = record.entries().skip(1).map(|entry| entry.labels()).collect();
    assert_eq!(labels.len(), 2);
    assert_eq!(labels[0], labels[1]);
}

#[tokio::test]
async fn whoever_wants_no_look_gets_none() {
    let f = Fixture::new().await;
    let gp = client(&f, Validation::Off).await;
    let sent = f.send(&gp, &bundle(vec![put(amina("1")), put(wrong("a"))])).await.unwrap();
    let record = f.tenant.open(sent.response.record.unwrap()).await.unwrap().unwrap();
    assert_eq!(record.entries().count(), 2);
}
