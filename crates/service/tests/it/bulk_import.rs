//! Uploads: what is taken, what is refused, and how each line is told.

use bytes::Bytes;
use keepwell_model::{RecordId, Stream};
use keepwell_record::EngineConfig;
use keepwell_service::{Client, ServiceConfig, Validation};
use serde_json::{Value, json};

use crate::bulk::{download, manifest};
use crate::fixture::{AMINA, Fixture, OTHER, amina, bundle, observation, patient, put};

const ADDRESS: &str = "https://x.example/fhir/$import";

/// What became of an upload: how many lines were taken, and which were refused, with their words.
async fn upload(f: &Fixture, client: &Client, text: &str) -> (u64, Vec<(String, String)>) {
    let job = f.service.import(client, Bytes::copy_from_slice(text.as_bytes()), ADDRESS).await.unwrap();
    let manifest = manifest(f, client, &job).await;
    let lines = &manifest["extension"]["urn:keepwell:lines"];
    let mut told = Vec::new();
    for file in manifest["error"].as_array().unwrap() {
        let outcomes = download(f, client, file["url"].as_str().unwrap()).await.unwrap();
        assert_eq!(file["count"], outcomes.len());
        for outcome in outcomes {
            assert_eq!(outcome["resourceType"], "OperationOutcome");
            let issues = outcome["issue"].as_array().unwrap();
            let words = issues.iter().map(|issue| issue["diagnostics"].as_str().unwrap()).collect::<Vec<_>>();
            told.push((issues[0]["expression"][0].as_str().unwrap().to_owned(), words.join(" ")));
        }
    }
    assert_eq!(lines["refused"], told.len());
    (lines["taken"].as_u64().unwrap(), told)
}

fn text(resources: &[Value]) -> String {
    resources.iter().map(|it| it.to_string() + "\n").collect()
}

fn places(told: &[(String, String)]) -> Vec<&str> {
    told.iter().map(|(place, _)| place.as_str()).collect()
}

async fn head(f: &Fixture, record: RecordId) -> u64 {
    f.tenant.head(record, Stream::Care).await.unwrap().unwrap().seq.0
}

async fn record_of(f: &Fixture, client: &Client, patient: Value) -> RecordId {
    f.send(client, &bundle(vec![put(patient)])).await.unwrap().response.record.unwrap()
}

fn ben(id: &str) -> Value {
    patient(id, Some(OTHER), "Ben", "Moss", "1990-01-01")
}

#[tokio::test]
async fn an_upload_is_taken_in_person_by_person_and_what_is_refused_is_told_by_its_line() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    let sent = text(&[
        observation("a", "Patient/1", "1"),
        ben("2"),
        amina("1"),
        observation("x", "Patient/nobody", "9"),
        json!({ "resourceType": "Organization", "id": "s", "name": "Surgery" }),
        json!({ "resourceType": "Organization", "name": "Nameless" }),
    ]);
    let (taken, told) = upload(&f, &gp, &sent).await;
    assert_eq!(taken, 4, "{told:?}");
    assert_eq!(places(&told).iter().map(|place| &place[..6]).collect::<Vec<_>>(), ["line 4", "line 6"]);
    // Sent again it changes nothing.
    let (one, two) = (record_of(&f, &gp, amina("1")).await, record_of(&f, &gp, ben("2")).await);
    let heads = async || (head(&f, one).await, head(&f, two).await, head(&f, f.tenant.directory()).await);
    let before = heads().await;
    assert_eq!(upload(&f, &gp, &sent).await, (4, told));
    assert_eq!(heads().await, before);
    for nothing in ["", "\n", " \r\n\n"] {
        let refused = f.service.import(&gp, Bytes::copy_from_slice(nothing.as_bytes()), ADDRESS).await;
        assert_eq!(refused.unwrap_err().status, 400);
    }
}

#[tokio::test]
async fn one_bad_line_keeps_no_other_out() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    let mut unknown = observation("c", "Patient/1", "3");
    unknown["resourceType"] = json!("Observatoin");
    let sent = [
        amina("1").to_string(),
        observation("a", "Patient/1", "1").to_string(),
        unknown.to_string(),
        "{\"resourceType\":\"Observation\",\"id\":\"cut".to_owned(),
        observation("not an id!", "Patient/1", "1").to_string(),
        observation("b", "Patient/1", "2").to_string(),
        json!({ "resourceType": "Bundle", "id": "z", "type": "collection" }).to_string(),
        "[1,2]".to_owned(),
        "\u{0}".to_owned(),
    ];
    // As other systems write lines, and with a mark of byte order before the first.
    let (taken, told) = upload(&f, &gp, &format!("\u{feff}{}", sent.join("\r\n\r\n"))).await;
    assert_eq!(taken, 3, "{told:?}");
    let at: Vec<_> = places(&told).iter().map(|place| place.split(':').next().unwrap().to_owned()).collect();
    assert_eq!(at, ["line 5", "line 7", "line 9", "line 13", "line 15", "line 17"]);
    let record = record_of(&f, &gp, amina("1")).await;
    let open = f.tenant.open(record).await.unwrap().unwrap();
    assert_eq!(open.entries().filter(|entry| entry.kind().fhir_type() == Some("Observation")).count(), 2);
}

#[tokio::test]
async fn what_is_about_a_person_whose_patient_is_refused_goes_to_nobody() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    let record = record_of(&f, &gp, amina("1")).await;
    let before = head(&f, record).await;
    // The sender's number 1 is somebody else now.
    let sent = text(&[
        observation("new", "Patient/1", "9"),
        ben("1"),
        json!({ "resourceType": "Provenance", "id": "p", "target": [{ "reference": "Observation/new" }],
            "recorded": "2026-11-01T00:00:00Z", "agent": [{ "who": { "display": "x" } }] }),
        json!({ "resourceType": "Organization", "id": "s", "name": "Surgery" }),
        observation("new", "Patient/1", "10"),
    ]);
    let (taken, told) = upload(&f, &gp, &sent).await;
    assert_eq!((taken, told.len()), (1, 4), "{told:?}");
    assert_eq!(head(&f, record).await, before);
    assert!(told.iter().any(|(_, words)| words.contains("task")), "{told:?}");
}

#[tokio::test]
async fn a_resource_that_comes_twice_is_taken_as_it_came_last() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    let sent = text(&[
        observation("a", "Patient/1", "1"),
        observation("a", "Patient/1", "1"),
        observation("a", "Patient/1", "2"),
        amina("1"),
        observation("a", "Patient/1", "3"),
    ]);
    assert_eq!(upload(&f, &gp, &sent).await, (5, vec![]));
    let record = record_of(&f, &gp, amina("1")).await;
    let open = f.tenant.open(record).await.unwrap().unwrap();
    let entry = open.entries().find(|entry| entry.kind().fhir_type() == Some("Observation")).unwrap();
    let body: Value = serde_json::from_slice(&open.body(&entry).await.unwrap()).unwrap();
    assert_eq!(body["valueQuantity"]["value"], 3);
}

#[tokio::test]
async fn an_upload_reaches_no_further_than_its_sender() {
    let f = Fixture::new().await;
    let (gp, lab) = (f.client("gp").await, f.client("lab").await);
    let record = record_of(&f, &gp, amina("1")).await;
    let before = head(&f, record).await;
    // Another system's names, and Keepwell's own ids of a record that it does not feed.
    let sent = text(&[
        observation("a", "Patient/1", "1"),
        observation("b", &format!("Patient/{record}"), "1"),
        observation(&format!("{record}-1"), &format!("Patient/{record}"), "1"),
        json!({ "resourceType": "Organization", "id": "o", "extension": [{ "url": "urn:x", "valueReference": { "reference": "Patient/1" } }] }),
    ]);
    let (taken, told) = upload(&f, &lab, &sent).await;
    assert_eq!((taken, told.len()), (0, 4), "{told:?}");
    assert_eq!(head(&f, record).await, before);
    assert!(told.iter().all(|(_, words)| !words.contains(AMINA)));
}

#[tokio::test]
async fn an_id_that_would_say_something_else_in_an_address_is_refused() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    let mut sent = vec![amina("1"), amina("?identifier=https://fhir.nhs.uk/Id/nhs-number|9000000009")];
    for id in ["a/_history/1", "../Patient/1", "a?_id=b", "a#b", "a b", "", "\u{e9}", &"a".repeat(65)] {
        sent.push(observation(id, "Patient/1", "1"));
    }
    let (taken, told) = upload(&f, &gp, &text(&sent)).await;
    assert_eq!((taken, told.len()), (1, sent.len() - 1), "{told:?}");
}

#[tokio::test]
async fn resources_of_two_types_may_have_one_uuid() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    let (uuid, person) = ("aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa", "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb");
    let encounter = json!({ "resourceType": "Encounter", "id": uuid, "status": "finished",
        "class": { "code": "AMB" }, "subject": { "reference": format!("urn:uuid:{person}") } });
    let sent = text(&[observation(uuid, &format!("urn:uuid:{person}"), "1"), encounter, amina(person)]);
    assert_eq!(upload(&f, &gp, &sent).await, (3, vec![]));
}

/// A small generator, so that what fails fails again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

#[tokio::test]
async fn every_line_of_a_spoilt_upload_is_taken_or_told() {
    let f = Fixture::new().await;
    let mut gp = f.client("gp").await;
    let whole = text(&[
        amina("1"),
        observation("a", "Patient/1", "1"),
        json!({ "resourceType": "Organization", "id": "s", "name": "Surgery" }),
        observation("b", "Patient/2", "2"),
        ben("2"),
        json!({ "resourceType": "Provenance", "id": "p", "target": [{ "reference": "Observation/b" }],
            "recorded": "2026-11-01T00:00:00Z", "agent": [{ "who": { "display": "x" } }] }),
    ]);
    let mut dice = Dice(1);
    for round in 0..60 {
        gp.validation = if round % 2 == 0 { Validation::Off } else { Validation::Strict };
        let mut spoilt = whole.clone().into_bytes();
        for _ in 0..=dice.roll(4) {
            let at = dice.roll(spoilt.len());
            match dice.roll(5) {
                0 => spoilt[at] = u8::try_from(dice.roll(256)).unwrap(),
                1 => _ = spoilt.remove(at),
                2 => spoilt.insert(at, b"\n\r{}[]\",:0\\"[dice.roll(11)]),
                3 => spoilt.truncate(at + 1),
                _ => spoilt.extend_from_within(at..),
            }
        }
        let lines =
            spoilt.split(|byte| *byte == b'\n').filter(|line| !line.iter().all(u8::is_ascii_whitespace)).count();
        let job = match f.service.import(&gp, Bytes::from(spoilt), ADDRESS).await {
            Ok(job) => job,
            Err(error) => {
                assert_eq!((error.status, lines), (400, 0));
                continue;
            }
        };
        let manifest = manifest(&f, &gp, &job).await;
        let told = &manifest["extension"]["urn:keepwell:lines"];
        assert_eq!(told["taken"].as_u64().unwrap() + told["refused"].as_u64().unwrap(), lines as u64, "{round}");
        f.service.bulk_forget(&gp, &job).await.unwrap();
    }
}

#[tokio::test]
async fn an_upload_has_so_many_lines_and_no_more() {
    let config = ServiceConfig { max_entries: 3, ..ServiceConfig::demonstration() };
    let f = Fixture::with(EngineConfig::default(), config).await;
    let gp = f.client("gp").await;
    let refused = f.service.import(&gp, Bytes::from_static(b"a\n\nb\nc\nd"), ADDRESS).await.unwrap_err();
    assert_eq!(refused.status, 413);
    let (taken, told) = upload(&f, &gp, "a\n\n\n\n\nb\nc\n").await;
    assert_eq!((taken, places(&told)), (0, vec!["line 1", "line 6", "line 7"]));
}

#[test]
fn an_upload_whose_process_is_gone_says_so_and_can_be_sent_again() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let sent = text(&(0..200).map(|n| patient(&n.to_string(), None, "Ada", "Many", "1980-01-01")).collect::<Vec<_>>());
    let first = runtime();
    let (f, gp, job) = first.block_on(async {
        let f = Fixture::new().await;
        let gp = f.client("gp").await;
        let job = f.service.import(&gp, Bytes::from(sent.clone()), ADDRESS).await.unwrap();
        (f, gp, job)
    });
    // All that was under way goes with it.
    drop(first);
    runtime().block_on(async {
        f.clock.advance(61);
        let refused = f.service.bulk_status(&gp, &job, "x").await.unwrap_err();
        assert_eq!(refused.status, 500);
        assert!(refused.to_string().contains("Start it again"));
        assert_eq!(upload(&f, &gp, &sent).await, (200, vec![]));
    });
}
