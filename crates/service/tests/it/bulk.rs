//! Exports: who may, what is in them, what they leave behind.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use keepwell_model::{RecordId, SeededRandom, Stream};
use keepwell_record::{EngineConfig, Limits};
use keepwell_service::{
    Client, ExportOf, ExportRequest, FhirError, Grant, JobStatus, OperationRequest, Service, ServiceConfig,
};
use serde_json::{Value, json};

use crate::fixture::{Fixture, OTHER, amina, bundle, delete, observation, patient, put};

const BASE: &str = "https://x.example/fhir";

async fn start(f: &Fixture, client: &Client, of: ExportOf<'_>, query: &[(&str, &str)]) -> Result<String, FhirError> {
    start_at(&f.service, client, of, query, false).await
}

async fn start_at(
    service: &Service,
    client: &Client,
    of: ExportOf<'_>,
    query: &[(&str, &str)],
    lenient: bool,
) -> Result<String, FhirError> {
    let parameters: Vec<_> = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let with = OperationRequest { parameters: &parameters, body: None, base: BASE };
    let address = "https://x.example/fhir/$export";
    service.export(client, ExportRequest { of, with: &with, lenient, address }).await
}

/// The manifest of a job, once it is done.
pub(crate) async fn manifest(f: &Fixture, client: &Client, job: &str) -> Value {
    manifest_at(&f.service, client, job).await
}

async fn manifest_at(service: &Service, client: &Client, job: &str) -> Value {
    for _ in 0..5_000 {
        match service.bulk_status(client, job, BASE).await.unwrap() {
            JobStatus::Done { manifest, .. } => return serde_json::from_slice(&manifest).unwrap(),
            JobStatus::Working(_) => tokio::time::sleep(std::time::Duration::from_millis(2)).await,
        }
    }
    panic!("the job does not end");
}

/// The resources of a file of a manifest.
pub(crate) async fn download(f: &Fixture, client: &Client, url: &str) -> Result<Vec<Value>, u16> {
    let place: Vec<_> = url.strip_prefix(&format!("{BASE}/$bulk-file/")).unwrap().split('/').collect();
    let file = f.service.bulk_file(client, place[0], place[1], place[2]).await.map_err(|error| error.status)?;
    let (sink, mut pieces) = tokio::sync::mpsc::channel(1);
    let sending = tokio::spawn(async move { file.send(&sink).await });
    let mut bytes = Vec::new();
    while let Some(piece) = pieces.recv().await {
        bytes.extend_from_slice(&piece.unwrap());
    }
    sending.await.unwrap().unwrap();
    Ok(bytes.split(|b| *b == b'\n').filter(|it| !it.is_empty()).map(|it| serde_json::from_slice(it).unwrap()).collect())
}

async fn all(f: &Fixture, client: &Client, manifest: &Value, kind: &str) -> Vec<Value> {
    let mut found = Vec::new();
    for file in manifest["output"].as_array().unwrap().iter().filter(|file| file["type"] == kind) {
        let resources = download(f, client, file["url"].as_str().unwrap()).await.unwrap();
        assert_eq!(file["count"], resources.len());
        found.extend(resources);
    }
    found
}

async fn lines(f: &Fixture, record: RecordId) -> u64 {
    f.tenant.head(record, Stream::Access).await.unwrap().unwrap().seq.0
}

/// Amina and Ben, fed by `gp`; Ben also by `lab`; `gp` may export.
async fn house(f: &Fixture) -> (Client, Client, RecordId, RecordId) {
    let (mut gp, lab) = (f.client("gp").await, f.client("lab").await);
    gp.grants = BTreeSet::from([Grant::ExportRecords]);
    let surgery = json!({ "resourceType": "Organization", "id": "s", "name": "Surgery" });
    let sent = vec![put(amina("1")), put(observation("a", "Patient/1", "1.50")), put(surgery)];
    let amina = f.send(&gp, &bundle(sent)).await.unwrap().response.record.unwrap();
    let ben = |id: &str| patient(id, Some(OTHER), "Ben", "Moss", "1990-01-01");
    let sent = vec![put(ben("2")), put(observation("b", "Patient/2", "2"))];
    let record = f.send(&gp, &bundle(sent)).await.unwrap().response.record.unwrap();
    let mut guarded = observation("c", "Patient/L", "3");
    guarded["meta"] = json!({ "security": [{ "system": "urn:keepwell:label", "code": "safeguarding" }] });
    f.send(&lab, &bundle(vec![put(ben("L")), put(guarded)])).await.unwrap();
    (gp, lab, amina, record)
}

#[tokio::test]
async fn an_export_holds_what_its_system_may_see_and_leaves_a_line_in_each_record_that_goes_out() {
    let f = Fixture::new().await;
    let (gp, _, amina, ben) = house(&f).await;
    let job = start(&f, &gp, ExportOf::System, &[]).await.unwrap();
    let manifest = manifest(&f, &gp, &job).await;
    assert_eq!((&manifest["requiresAccessToken"], &manifest["error"]), (&json!(true), &json!([])));
    assert_eq!((lines(&f, amina).await, lines(&f, ben).await), (0, 0), "nothing has left yet");
    let observations = all(&f, &gp, &manifest, "Observation").await;
    assert_eq!(observations.len(), 2, "the guarded one of the lab is not there");
    assert!(observations.iter().all(|it| it["subject"]["reference"].as_str().unwrap().len() == "Patient/".len() + 16));
    assert_eq!((lines(&f, amina).await, lines(&f, ben).await), (1, 1));
    assert_eq!(all(&f, &gp, &manifest, "Patient").await.len(), 2);
    assert_eq!(all(&f, &gp, &manifest, "Organization").await.len(), 1);
    assert_eq!((lines(&f, amina).await, lines(&f, ben).await), (2, 2));
}

#[tokio::test]
async fn an_export_is_of_one_moment_whatever_is_written_or_erased_meanwhile() {
    let f = Fixture::new().await;
    let (gp, _, _, ben) = house(&f).await;
    f.clock.advance(10);
    let job = start(&f, &gp, ExportOf::People, &[("_type", "Observation")]).await.unwrap();
    let manifest = manifest(&f, &gp, &job).await;
    f.clock.advance(10);
    f.send(&gp, &bundle(vec![put(observation("a", "Patient/1", "99")), put(observation("d", "Patient/1", "4"))]))
        .await
        .unwrap();
    let values = |all: &[Value]| all.iter().map(|it| it["valueQuantity"]["value"].to_string()).collect::<BTreeSet<_>>();
    let found = all(&f, &gp, &manifest, "Observation").await;
    assert_eq!(values(&found), BTreeSet::from(["1.5".to_owned(), "2".to_owned()]));
    assert!(manifest["output"].as_array().unwrap().iter().all(|file| file["type"] == "Observation"));
    f.service.erase(ben, "the person").await.unwrap();
    let url = manifest["output"][0]["url"].as_str().unwrap();
    assert_eq!(values(&download(&f, &gp, url).await.unwrap()), BTreeSet::from(["1.5".to_owned()]));
    // What was changed since is in the next one.
    let since = [("_since", manifest["transactionTime"].as_str().unwrap())];
    let job = start(&f, &gp, ExportOf::People, &since).await.unwrap();
    let next = self::manifest(&f, &gp, &job).await;
    let found = all(&f, &gp, &next, "Observation").await;
    assert_eq!(values(&found), BTreeSet::from(["99".to_owned(), "4".to_owned()]));
}

#[tokio::test]
async fn only_a_system_that_was_granted_it_exports_and_its_job_is_its_own() {
    let f = Fixture::new().await;
    let (gp, lab, ..) = house(&f).await;
    assert_eq!(start(&f, &lab, ExportOf::System, &[]).await.unwrap_err().status, 403);
    assert_eq!(start(&f, &gp, ExportOf::System, &[("_outputFormat", "csv")]).await.unwrap_err().status, 400);
    for query in [("_typeFilter", "x"), ("_type", "Patients"), ("_type", "Patient,Bundle"), ("_since", "yesterday")] {
        assert_eq!(start(&f, &gp, ExportOf::System, &[query]).await.unwrap_err().status, 400, "{query:?}");
    }
    assert_eq!(start(&f, &gp, ExportOf::Group("nonsense"), &[]).await.unwrap_err().status, 404);
    let job = start(&f, &gp, ExportOf::System, &[("_outputFormat", "ndjson")]).await.unwrap();
    let manifest = manifest(&f, &gp, &job).await;
    let url = manifest["output"][0]["url"].as_str().unwrap();
    assert_eq!(f.service.bulk_status(&lab, &job, BASE).await.unwrap_err().status, 404);
    assert_eq!(download(&f, &lab, url).await, Err(404));
    assert_eq!(f.service.bulk_forget(&lab, &job).await.unwrap_err().status, 404);
    // A grant that was taken away holds for what was exported before.
    let mut without = gp.clone();
    without.grants.clear();
    assert_eq!(download(&f, &without, url).await, Err(403));
    assert_eq!(f.service.bulk_status(&without, &job, BASE).await.unwrap_err().status, 403);
    f.service.bulk_forget(&gp, &job).await.unwrap();
    assert_eq!(f.service.bulk_status(&gp, &job, BASE).await.unwrap_err().status, 404);
    assert_eq!(download(&f, &gp, url).await, Err(404));
    let job = start(&f, &gp, ExportOf::System, &[]).await.unwrap();
    self::manifest(&f, &gp, &job).await;
    f.clock.advance(25 * 3_600);
    assert_eq!(f.service.bulk_status(&gp, &job, BASE).await.unwrap_err().status, 404, "it is kept for a day");
}

#[tokio::test]
async fn a_download_that_nobody_takes_stops_and_leaves_no_more_lines() {
    let f = Fixture::new().await;
    let (gp, _, amina, ben) = house(&f).await;
    let job = start(&f, &gp, ExportOf::People, &[("_type", "Observation")]).await.unwrap();
    manifest(&f, &gp, &job).await;
    let file = f.service.bulk_file(&gp, &job, "0", "Observation.ndjson").await.unwrap();
    let (sink, pieces) = tokio::sync::mpsc::channel(1);
    drop(pieces);
    file.send(&sink).await.unwrap();
    assert_eq!(lines(&f, amina).await + lines(&f, ben).await, 0);
}

#[tokio::test]
async fn what_is_not_understood_is_passed_over_if_that_is_asked_for_and_never_widens_an_export() {
    let f = Fixture::new().await;
    let (gp, ..) = house(&f).await;
    let types = async |query: &[(&str, &str)]| {
        let job = start_at(&f.service, &gp, ExportOf::System, query, true).await.unwrap();
        let manifest = manifest(&f, &gp, &job).await;
        f.service.bulk_forget(&gp, &job).await.unwrap();
        let files = manifest["output"].as_array().unwrap().clone();
        files.iter().map(|file| file["type"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(types(&[("_type", "Patient,Nonsense"), ("_elements", "id")]).await, ["Patient"]);
    assert!(types(&[("_type", "Nonsense,Bundle")]).await.is_empty());
    assert!(types(&[("_type", "")]).await.is_empty());
    assert_eq!(types(&[("_type", "Patient"), ("_type", "Organization")]).await, ["Patient", "Organization"]);
}

#[tokio::test]
async fn a_group_export_holds_its_member_and_nobody_else() {
    let f = Fixture::new().await;
    let (gp, lab, _, ben) = house(&f).await;
    let group = |inactive: bool| {
        let member = json!([{ "entity": { "reference": "Patient/2" }, "inactive": inactive }]);
        put(json!({ "resourceType": "Group", "id": "g", "type": "person", "actual": true, "member": member }))
    };
    let answer = f.send(&gp, &bundle(vec![group(false)])).await.unwrap();
    let id = answer.locations[0].split('/').nth(1).unwrap().to_owned();
    assert!(id.starts_with(&ben.to_string()));
    let job = start(&f, &gp, ExportOf::Group(&id), &[]).await.unwrap();
    let found = manifest(&f, &gp, &job).await;
    assert_eq!(all(&f, &gp, &found, "Patient").await[0]["id"], ben.to_string());
    assert_eq!(all(&f, &gp, &found, "Patient").await.len(), 1);
    assert_eq!(all(&f, &gp, &found, "Organization").await.len(), 0);
    for unknown in ["nonsense", &format!("{ben}-99"), &format!("{ben}-1"), &format!("{}-1", f.tenant.directory())] {
        assert_eq!(start(&f, &gp, ExportOf::Group(unknown), &[]).await.unwrap_err().status, 404, "{unknown}");
    }
    let (mut other, mut lab) = (f.client("other").await, lab);
    for client in [&mut other, &mut lab] {
        client.grants = BTreeSet::from([Grant::ExportRecords]);
    }
    assert_eq!(start(&f, &other, ExportOf::Group(&id), &[]).await.unwrap_err().status, 404, "it does not feed it");
    assert!(start(&f, &lab, ExportOf::Group(&id), &[]).await.is_ok());
    f.send(&gp, &bundle(vec![group(true)])).await.unwrap();
    let before = lines(&f, ben).await;
    assert_eq!(start(&f, &gp, ExportOf::Group(&id), &[]).await.unwrap_err().status, 422);
    assert_eq!(lines(&f, ben).await, before + 1, "who is in a Group is in it too");
}

#[tokio::test]
async fn what_was_guarded_after_an_export_began_does_not_go_out_with_it() {
    let f = Fixture::new().await;
    let (gp, lab, ..) = house(&f).await;
    let sent = |label: Option<&str>| {
        let mut it = observation("d", "Patient/L", "7");
        if let Some(code) = label {
            it["meta"] = json!({ "security": [{ "system": "urn:keepwell:label", "code": code }] });
        }
        bundle(vec![put(it)])
    };
    f.send(&lab, &sent(None)).await.unwrap();
    let job = start(&f, &gp, ExportOf::People, &[("_type", "Observation")]).await.unwrap();
    let manifest = manifest(&f, &gp, &job).await;
    assert_eq!(all(&f, &gp, &manifest, "Observation").await.len(), 3);
    f.clock.advance(10);
    f.send(&lab, &sent(Some("safeguarding"))).await.unwrap();
    let url = manifest["output"][0]["url"].as_str().unwrap();
    let found = download(&f, &gp, url).await.unwrap();
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|it| it["valueQuantity"]["value"] != 7));
}

#[tokio::test]
async fn what_a_system_may_not_see_makes_no_difference_to_its_export() {
    let (plain, hiding) = (Fixture::new().await, Fixture::new().await);
    let mut seen = Vec::new();
    for (f, secret) in [(&plain, false), (&hiding, true)] {
        let (gp, lab, ..) = house(f).await;
        if secret {
            let mut sent = Vec::new();
            for id in ["s", "t"] {
                let mut guarded = observation(id, "Patient/L", "8");
                guarded["meta"] = json!({ "security": [{ "system": "urn:keepwell:label", "code": "safeguarding" }] });
                sent.push(put(guarded));
            }
            f.send(&lab, &bundle(sent)).await.unwrap();
            f.send(&lab, &bundle(vec![put(patient("Z", None, "Zoe", "Ash", "1970-01-01"))])).await.unwrap();
            f.send(
                &lab,
                &bundle(vec![put(patient("L", Some(OTHER), "Ben", "Moss", "1990-01-01")), delete("Observation/t")]),
            )
            .await
            .unwrap();
        }
        f.clock.advance(5);
        let job = start(f, &gp, ExportOf::System, &[("_since", "2020-01-01")]).await.unwrap();
        let manifest = manifest(f, &gp, &job).await;
        let counts = |list: &str| {
            let files = manifest[list].as_array().unwrap().iter();
            files.map(|file| (file["type"].clone().to_string(), file["count"].clone())).collect::<Vec<_>>()
        };
        seen.push((counts("output"), counts("deleted")));
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test]
async fn what_was_deleted_since_is_told_as_deletions() {
    let f = Fixture::new().await;
    let (gp, _, amina_record, _) = house(&f).await;
    f.clock.advance(10);
    let since = {
        use keepwell_model::Clock as _;
        f.clock.now().to_string()
    };
    f.clock.advance(10);
    let sent = f.send(&gp, &bundle(vec![put(amina("1")), delete("Observation/a")])).await;
    sent.unwrap();
    let job = start(&f, &gp, ExportOf::System, &[("_since", &since)]).await.unwrap();
    let found = manifest(&f, &gp, &job).await;
    let types = found["output"].as_array().unwrap().iter().map(|file| file["type"].clone());
    assert_eq!(types.collect::<Vec<_>>(), ["Provenance"], "of the deletion");
    let deleted = found["deleted"].as_array().unwrap();
    assert_eq!((deleted.len(), &deleted[0]["type"]), (1, &json!("Bundle")));
    let bundles = download(&f, &gp, deleted[0]["url"].as_str().unwrap()).await.unwrap();
    assert_eq!((bundles.len(), &bundles[0]["type"]), (1, &json!("transaction")));
    let request = &bundles[0]["entry"][0]["request"];
    let url = request["url"].as_str().unwrap();
    assert_eq!(request["method"], "DELETE");
    assert!(url.starts_with(&format!("Observation/{amina_record}-")), "{url}");
    assert_eq!(lines(&f, amina_record).await, 1, "that something was there is told too, and so there is a line");
    let job = start(&f, &gp, ExportOf::System, &[("_since", &since), ("_type", "Patient")]).await.unwrap();
    assert_eq!(manifest(&f, &gp, &job).await["deleted"], json!([]));
    let job = start(&f, &gp, ExportOf::System, &[]).await.unwrap();
    assert_eq!(manifest(&f, &gp, &job).await.get("deleted"), None);
}

#[tokio::test]
async fn a_system_runs_and_keeps_so_many_jobs_and_no_more() {
    let config = ServiceConfig { export_wait: 60_000, ..ServiceConfig::demonstration() };
    let f = Fixture::with(EngineConfig::default(), config).await;
    let (gp, mut lab, ..) = house(&f).await;
    lab.grants = BTreeSet::from([Grant::ExportRecords]);
    for client in [&gp, &lab] {
        start(&f, client, ExportOf::System, &[]).await.unwrap();
        start(&f, client, ExportOf::System, &[]).await.unwrap();
        let third = start(&f, client, ExportOf::System, &[]).await.unwrap_err();
        assert_eq!((third.status, third.issues[0].code.code()), (429, "throttled"));
    }
    let f = Fixture::new().await;
    let (gp, ..) = house(&f).await;
    let mut jobs = Vec::new();
    for _ in 0..32 {
        let job = start(&f, &gp, ExportOf::System, &[]).await.unwrap();
        manifest(&f, &gp, &job).await;
        jobs.push(job);
    }
    assert_eq!(start(&f, &gp, ExportOf::System, &[]).await.unwrap_err().status, 429);
    f.service.bulk_forget(&gp, &jobs[0]).await.unwrap();
    let job = start(&f, &gp, ExportOf::System, &[]).await.unwrap();
    manifest(&f, &gp, &job).await;
    f.clock.advance(24 * 3_600 + 1);
    assert!(start(&f, &gp, ExportOf::System, &[]).await.is_ok(), "what has expired does not count");
}

#[tokio::test]
async fn a_job_that_was_forgotten_while_it_ran_does_not_come_back() {
    let config = ServiceConfig { export_wait: 30, ..ServiceConfig::demonstration() };
    let f = Fixture::with(EngineConfig::default(), config).await;
    let (gp, ..) = house(&f).await;
    let job = start(&f, &gp, ExportOf::System, &[]).await.unwrap();
    assert!(matches!(f.service.bulk_status(&gp, &job, BASE).await, Ok(JobStatus::Working(_))));
    f.service.bulk_forget(&gp, &job).await.unwrap();
    for _ in 0..20 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        assert_eq!(f.service.bulk_status(&gp, &job, BASE).await.unwrap_err().status, 404);
    }
    assert_eq!(f.service.bulk_forget(&gp, &job).await.unwrap_err().status, 404);
}

/// The same installation in a process that has just begun.
fn restarted(f: &Fixture) -> Service {
    Service::new(f.tenant.clone(), f.clock.clone(), Arc::new(SeededRandom::new(9)), ServiceConfig::demonstration())
}

#[tokio::test]
async fn an_export_outlives_its_process() {
    let config = ServiceConfig { export_wait: 600_000, ..ServiceConfig::demonstration() };
    let f = Fixture::with(EngineConfig::default(), config).await;
    let (gp, ..) = house(&f).await;
    let job = start(&f, &gp, ExportOf::System, &[]).await.unwrap();
    let next = restarted(&f);
    assert!(matches!(next.bulk_status(&gp, &job, BASE).await, Ok(JobStatus::Working(words)) if words == "0 done"));
    f.clock.advance(61);
    assert!(
        matches!(next.bulk_status(&gp, &job, BASE).await, Ok(JobStatus::Working(words)) if words == "begins again")
    );
    let found = manifest_at(&next, &gp, &job).await;
    assert_eq!(found["transactionTime"], crate::fixture::NOW.to_string(), "of the moment when it was asked for");
    let after = restarted(&f);
    assert_eq!(manifest_at(&after, &gp, &job).await, found, "what is done stays done");
    let gone = after.bulk_status(&gp, "AAAAAAAAAAAAAAAAAAAAAAAAAAA", BASE).await.unwrap_err();
    assert_eq!(gone.status, 404);
    assert!(gone.to_string().contains("Start it again"), "{gone}");
}

#[tokio::test]
async fn a_large_export_is_read_no_faster_than_it_is_taken() {
    let f = Fixture::new().await;
    let mut gp = f.client("gp").await;
    gp.grants = BTreeSet::from([Grant::ExportRecords]);
    let mut records = Vec::new();
    for person in 0..30 {
        let id = person.to_string();
        let mut sent = vec![put(patient(&id, None, "Ada", "Many", "1980-01-01"))];
        let subject = format!("Patient/{id}");
        sent.extend((0..100).map(|n| put(observation(&format!("{id}-{n}"), &subject, "1.5"))));
        records.push(f.send(&gp, &bundle(sent)).await.unwrap().response.record.unwrap());
    }
    let job = start(&f, &gp, ExportOf::People, &[("_type", "Observation")]).await.unwrap();
    let found = manifest(&f, &gp, &job).await;
    assert_eq!(found["output"][0]["count"], 3_000);
    let touched = async || {
        let mut count = 0;
        for record in &records {
            count += lines(&f, *record).await;
        }
        count
    };
    // Whoever takes one piece and goes has looked at few.
    let file = f.service.bulk_file(&gp, &job, "0", "Observation.ndjson").await.unwrap();
    let (sink, mut pieces) = tokio::sync::mpsc::channel(1);
    let sending = tokio::spawn(async move { file.send(&sink).await });
    assert!(!pieces.recv().await.unwrap().unwrap().is_empty());
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert!((1..=3).contains(&touched().await), "it waits");
    drop(pieces);
    sending.await.unwrap().unwrap();
    assert!((1..=3).contains(&touched().await), "it stops");
    // Whoever takes all of it gets all of it, in pieces.
    let file = f.service.bulk_file(&gp, &job, "0", "Observation.ndjson").await.unwrap();
    let (sink, mut pieces) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move { file.send(&sink).await });
    let (mut count, mut largest) = (0, 0);
    while let Some(piece) = pieces.recv().await {
        let piece = piece.unwrap();
        count += piece.iter().filter(|byte| **byte == b'\n').count();
        largest = largest.max(piece.len());
    }
    assert_eq!(count, 3_000);
    assert!(largest < 160 << 10, "{largest}");
    assert!(touched().await <= 33);
}

#[tokio::test]
async fn an_id_with_something_behind_it_leads_nowhere() {
    let f = Fixture::new().await;
    let (gp, ..) = house(&f).await;
    let job = start(&f, &gp, ExportOf::System, &[]).await.unwrap();
    manifest(&f, &gp, &job).await;
    for id in [format!("{job}:0"), "of gp".to_owned(), String::new(), "\0".to_owned(), "jobs of gp".to_owned()] {
        assert_eq!(f.service.bulk_status(&gp, &id, BASE).await.unwrap_err().status, 404, "{id}");
    }
    for (part, name) in [("1", "Patient.ndjson"), ("0", "Patient"), ("0", "Bundle.ndjson"), ("-1", "Patient.ndjson")] {
        assert_eq!(f.service.bulk_file(&gp, &job, part, name).await.unwrap_err().status, 404, "{part} {name}");
    }
}

#[tokio::test]
async fn an_export_has_the_provenance_of_what_is_in_it() {
    let f = Fixture::new().await;
    let (gp, lab, _, ben) = house(&f).await;
    f.clock.advance(10);
    let sent = json!({ "resourceType": "Provenance", "id": "p", "target": [{ "reference": "Observation/b" }],
        "recorded": "2026-11-01T00:00:00Z", "agent": [{ "who": { "display": "x" } }] });
    f.send(&gp, &bundle(vec![put(patient("2", Some(OTHER), "Ben", "Moss", "1990-01-01")), put(sent)])).await.unwrap();
    f.clock.advance(10);
    // What is written later, and what is only about guarded things, has none here.
    let mut guarded = observation("e", "Patient/L", "3");
    guarded["meta"] = json!({ "security": [{ "system": "urn:keepwell:label", "code": "safeguarding" }] });
    f.send(&lab, &bundle(vec![put(guarded)])).await.unwrap();
    let job = start(&f, &gp, ExportOf::People, &[("_type", "Provenance")]).await.unwrap();
    let found = manifest(&f, &gp, &job).await;
    f.clock.advance(10);
    f.send(&gp, &bundle(vec![put(observation("b", "Patient/2", "4"))])).await.unwrap();
    let all = all(&f, &gp, &found, "Provenance").await;
    let of_ben: Vec<_> = all.iter().filter(|it| it["id"].as_str().unwrap().starts_with(&ben.to_string())).collect();
    let made = of_ben.iter().filter(|it| it["id"].as_str().unwrap().contains('.'));
    assert_eq!((made.count(), of_ben.len()), (3, 4), "two of gp, one of lab's Patient, and the one that was sent");
    let text = Value::from(all).to_string();
    let head = f.tenant.head(ben, Stream::Care).await.unwrap().unwrap().seq.0;
    for late in [head, head - 1] {
        assert!(!text.contains(&format!("{ben}.{late}")) && !text.contains(&format!("_history/{late}")), "{late}");
    }
    assert_eq!(lines(&f, ben).await, 1);
}

#[tokio::test]
async fn a_grant_that_is_taken_away_ends_a_download_within_a_second() {
    let f = Fixture::new().await;
    let (gp, ..) = house(&f).await;
    f.service.grant("gp", BTreeSet::from([Grant::ExportRecords])).await.unwrap();
    let job = start(&f, &gp, ExportOf::People, &[("_type", "Observation")]).await.unwrap();
    manifest(&f, &gp, &job).await;
    for (grants, ends_well, count) in [(gp.grants.clone(), true, 2), (BTreeSet::new(), false, 1)] {
        let file = f.service.bulk_file(&gp, &job, "0", "Observation.ndjson").await.unwrap();
        let (sink, mut pieces) = tokio::sync::mpsc::channel(1);
        f.service.grant("gp", grants).await.unwrap();
        let sending = tokio::spawn(async move { file.send(&sink).await });
        // It waits with the second record until the first is taken.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        f.clock.advance(2);
        let mut found = 0;
        while let Some(piece) = pieces.recv().await {
            found += usize::from(piece.is_ok());
        }
        assert_eq!((sending.await.unwrap().is_ok(), found), (ends_well, count));
    }
}

#[tokio::test]
async fn a_system_takes_so_many_files_at_once_and_no_more() {
    let f = Fixture::new().await;
    let (gp, ..) = house(&f).await;
    let job = start(&f, &gp, ExportOf::People, &[("_type", "Patient")]).await.unwrap();
    manifest(&f, &gp, &job).await;
    let mut files = Vec::new();
    for _ in 0..8 {
        files.push(f.service.bulk_file(&gp, &job, "0", "Patient.ndjson").await.unwrap());
    }
    assert_eq!(f.service.bulk_file(&gp, &job, "0", "Patient.ndjson").await.unwrap_err().status, 429);
    files.pop();
    assert!(f.service.bulk_file(&gp, &job, "0", "Patient.ndjson").await.is_ok());
}

#[tokio::test]
async fn no_job_leaves_anything_readable_on_the_disk() {
    let f = Fixture::new().await;
    let (gp, _, record, _) = house(&f).await;
    let job = start(&f, &gp, ExportOf::System, &[("_type", "Patient")]).await.unwrap();
    let found = manifest(&f, &gp, &job).await;
    let patients = all(&f, &gp, &found, "Patient").await;
    let family = patients[0]["name"][0]["family"].as_str().unwrap().to_owned();
    let refused = Bytes::from_static(b"{\"resourceType\":\"Observation\",\"id\":\"Wetherby\"}\n\"Wetherby\"");
    let upload = f.service.import(&gp, refused, "https://x.example/fhir/$import").await.unwrap();
    manifest(&f, &gp, &upload).await;
    let disk = f.on_disk();
    assert!(disk.len() > 10_000);
    let record = record.to_string();
    for secret in [&*family, "Wetherby", "fhir/$export", "fhir/$import", "OperationOutcome", &record, &job, "\"gp\""] {
        assert!(!disk.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()), "{secret}");
    }
}

#[tokio::test]
async fn when_the_line_cannot_be_written_no_byte_of_a_file_leaves() {
    // The access stream takes so many lines and no more.
    let limits = Limits { access_entries: 4, ..Limits::default() };
    let f = Fixture::with(EngineConfig { limits, ..EngineConfig::default() }, ServiceConfig::demonstration()).await;
    let mut gp = f.client("gp").await;
    gp.grants = BTreeSet::from([Grant::ExportRecords]);
    f.send(&gp, &bundle(vec![put(amina("1")), put(observation("a", "Patient/1", "1"))])).await.unwrap();
    let job = start(&f, &gp, ExportOf::People, &[("_type", "Observation")]).await.unwrap();
    manifest(&f, &gp, &job).await;
    let take = async || {
        let file = f.service.bulk_file(&gp, &job, "0", "Observation.ndjson").await.unwrap();
        let (sink, mut pieces) = tokio::sync::mpsc::channel(8);
        let sent = file.send(&sink).await.is_ok();
        drop(sink);
        (sent, pieces.recv().await.is_some())
    };
    for _ in 0..4 {
        assert_eq!(take().await, (true, true));
    }
    assert_eq!(take().await, (false, false));
}
