//! Single interactions: ids, versions, histories, and what of them stays hidden.

use bytes::Bytes;
use keepwell_service::{CareSetting, Change, Client, FhirError, HistoryOf, HistoryRequest, WriteRequest, Written};
use serde_json::{Value, json};

use crate::fixture::{Fixture, OTHER, amina, bundle, delete, observation, patient, put};

async fn put_alone(f: &Fixture, client: &Client, id: &str, resource: &Value) -> Result<Written, FhirError> {
    let kind = resource["resourceType"].as_str().unwrap();
    let change = Change::Update(Bytes::from(resource.to_string()));
    f.service.write(client, &WriteRequest::new(kind, Some(id), change)).await
}

async fn history(f: &Fixture, client: &Client, of: HistoryOf<'_>, patient: Option<&str>) -> Result<Value, u16> {
    let parameters: Vec<_> = patient.map(|id| ("patient".to_owned(), id.to_owned())).into_iter().collect();
    let request = HistoryRequest { of, parameters: &parameters, base: "https://x.example/fhir" };
    let answer = f.service.history(client, &request).await.map_err(|error| error.status)?;
    Ok(serde_json::from_slice(&answer).unwrap())
}

fn named(mut resource: Value, id: &str) -> Value {
    resource["id"] = json!(id);
    resource
}

#[tokio::test]
async fn content_never_crosses_into_another_persons_record_by_keepwells_ids() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    let first = f.send(&gp, &bundle(vec![put(amina("1")), put(observation("k", "Patient/1", "1"))])).await.unwrap();
    let ben = patient("2", Some(OTHER), "Ben", "Moss", "1990-01-01");
    let second = f.send(&gp, &bundle(vec![put(ben), put(observation("b", "Patient/2", "2"))])).await.unwrap();
    let hers = first.locations[1].split('/').nth(1).unwrap();
    let (her_patient, his_patient) = (&first.locations[0], &second.locations[0]);
    // An entry of hers that is said to be about him, by his source id and by his Keepwell id.
    for subject in ["Patient/2", his_patient] {
        let moved = named(observation("x", subject, "3"), hers);
        assert_eq!(put_alone(&f, &gp, hers, &moved).await.unwrap_err().status, 422, "{subject}");
    }
    // Both names of one person are that person; names of two are two people.
    let both =
        |one: &str, other: &str| bundle(vec![put(observation("m", one, "1")), put(observation("n", other, "1"))]);
    assert!(f.send(&gp, &both("Patient/1", her_patient)).await.is_ok());
    assert_eq!(f.send(&gp, &both("Patient/1", his_patient)).await.unwrap_err().status, 422);
    // What names no patient goes where its links lead, and only if they all lead there.
    let provenance = |targets: &[&str]| {
        let targets: Vec<_> = targets.iter().map(|target| json!({ "reference": target })).collect();
        json!({ "resourceType": "Provenance", "id": "p", "target": targets, "recorded": "2026-11-23T09:30:00Z" })
    };
    let kept = f.send(&gp, &bundle(vec![put(provenance(&[&first.locations[1]]))])).await.unwrap();
    assert!(kept.locations[0].contains(her_patient.strip_prefix("Patient/").unwrap()));
    let two = bundle(vec![put(provenance(&[&first.locations[1], &second.locations[1]]))]);
    assert_eq!(f.send(&gp, &two).await.unwrap_err().status, 422);
}

#[tokio::test]
async fn the_same_entry_by_two_names_in_one_bundle_is_refused() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    let first = f.send(&gp, &bundle(vec![put(amina("1")), put(observation("k", "Patient/1", "1"))])).await.unwrap();
    let id = first.locations[1].split('/').nth(1).unwrap();
    let twice = vec![put(observation("k", "Patient/1", "2")), put(named(observation("k", "Patient/1", "3"), id))];
    assert_eq!(f.send(&gp, &bundle(twice)).await.unwrap_err().status, 400);
    let gone = vec![put(observation("k", "Patient/1", "2")), delete(&first.locations[1])];
    assert_eq!(f.send(&gp, &bundle(gone)).await.unwrap_err().status, 400);
}

#[tokio::test]
async fn a_deletion_by_keepwells_id_needs_nothing_else() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    let first = f.send(&gp, &bundle(vec![put(amina("1")), put(observation("k", "Patient/1", "1"))])).await.unwrap();
    let gone = f.send(&gp, &bundle(vec![delete(&first.locations[1])])).await.unwrap();
    assert_eq!((gone.statuses[0].as_str(), gone.response.record), ("204 No Content", first.response.record));
    assert_eq!(f.read(&gp, &first.locations[1]).await, Err(410));
}

#[tokio::test]
async fn what_was_guarded_later_is_hidden_in_its_history_too() {
    let f = Fixture::new().await;
    let (gp, lab) = (f.client("gp").await, f.client("lab").await);
    let plain = observation("k", "Patient/1", "1");
    let first = f.send(&gp, &bundle(vec![put(amina("1")), put(plain.clone())])).await.unwrap();
    f.send(&lab, &bundle(vec![put(amina("L"))])).await.unwrap();
    let id = first.locations[1].split('/').nth(1).unwrap();
    let record = first.response.record.unwrap().to_string();
    let of = HistoryOf::Resource("Observation", id);
    assert_eq!(history(&f, &lab, of, None).await.unwrap()["total"], 1);
    let before = history(&f, &lab, HistoryOf::Record, Some(&record)).await.unwrap();
    let mut guarded = plain;
    guarded["meta"] = json!({ "security": [{ "system": "urn:keepwell:label", "code": "safeguarding" }] });
    put_alone(&f, &gp, "k", &guarded).await.unwrap();
    assert_eq!(history(&f, &lab, of, None).await, Err(404));
    assert_eq!(f.service.read_version(&lab, "Observation", id, "1").await.unwrap_err().status, 404);
    let after = history(&f, &lab, HistoryOf::Record, Some(&record)).await.unwrap();
    let (before, after) = (before["entry"].as_array().unwrap(), after["entry"].as_array().unwrap());
    assert_eq!(after.len(), before.len() - 1);
    assert!(after.iter().all(|entry| !entry["fullUrl"].as_str().unwrap().contains("Observation")));
    assert_eq!(history(&f, &gp, of, None).await.unwrap()["total"], 2);
    // And what became general is still hidden as it was before.
    put_alone(&f, &gp, "k", &observation("k", "Patient/1", "2")).await.unwrap();
    let seen = history(&f, &lab, of, None).await.unwrap();
    assert_eq!(seen["total"], 2, "the guarded version in between leaves no gap that tells");
    assert_eq!(f.service.read_version(&lab, "Observation", id, "3").await.unwrap_err().status, 404);
}

#[tokio::test]
async fn each_read_leaves_one_line_whatever_kind_it_is_and_a_write_leaves_none() {
    let f = Fixture::new().await;
    let gp = f.client_of("mind", CareSetting::MentalHealth).await;
    let first = f.send(&gp, &bundle(vec![put(amina("1")), put(observation("k", "Patient/1", "1"))])).await.unwrap();
    let record = first.response.record.unwrap();
    let id = first.locations[1].split('/').nth(1).unwrap();
    let lines = async || f.tenant.head(record, keepwell_model::Stream::Access).await.unwrap().unwrap().seq.0;
    put_alone(&f, &gp, "k", &observation("k", "Patient/1", "2")).await.unwrap();
    assert_eq!(lines().await, 0);
    f.service.read_resource(&gp, "Observation", id).await.unwrap();
    f.service.read_version(&gp, "Observation", id, "1").await.unwrap();
    history(&f, &gp, HistoryOf::Resource("Observation", id), None).await.unwrap();
    history(&f, &gp, HistoryOf::Record, Some(&record.to_string())).await.unwrap();
    assert_eq!(lines().await, 4);
    history(&f, &gp, HistoryOf::Type("Organization"), None).await.unwrap();
    assert_eq!(lines().await, 4);
}

#[tokio::test]
async fn many_writes_of_one_thing_at_once_all_arrive() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    f.send(&gp, &bundle(vec![put(amina("1"))])).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..24 {
        let (service, gp) = (f.service.clone(), gp.clone());
        tasks.spawn(async move {
            let body = Bytes::from(observation("k", "Patient/1", &n.to_string()).to_string());
            let update = WriteRequest::new("Observation", Some("k"), Change::Update(body.clone()));
            let one = service.write(&gp, &update).await.unwrap().id.unwrap();
            let create = WriteRequest::new("Observation", None, Change::Create(body));
            (one, service.write(&gp, &create).await.unwrap().id.unwrap())
        });
    }
    let all = tasks.join_all().await;
    let updated: std::collections::BTreeSet<_> = all.iter().map(|(one, _)| one.clone()).collect();
    let created: std::collections::BTreeSet<_> = all.iter().map(|(_, one)| one.clone()).collect();
    assert_eq!((updated.len(), created.len()), (1, 24));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_creations_in_a_few_records_at_once_all_arrive() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    for id in ["a", "b", "c"] {
        let patient = json!({ "resourceType": "Patient", "id": id, "name": [{ "family": id }] });
        f.send(&gp, &bundle(vec![put(patient)])).await.unwrap();
    }
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..48 {
        let (service, gp) = (f.service.clone(), gp.clone());
        tasks.spawn(async move {
            for n in 0..12 {
                let whose = ["Patient/a", "Patient/b", "Patient/c"][(task + n) % 3];
                let body = Bytes::from(observation("k", whose, &n.to_string()).to_string());
                let create = WriteRequest::new("Observation", None, Change::Create(body));
                assert_eq!(service.write(&gp, &create).await.unwrap().status, 201);
            }
        });
    }
    tasks.join_all().await;
}
