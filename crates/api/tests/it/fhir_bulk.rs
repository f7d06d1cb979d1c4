//! Bulk Data through the router and over a socket: started, asked about, taken out, forgotten.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::time::Duration;

use axum::body::Body;
use axum::http::{StatusCode, header};
use http_body_util::BodyExt as _;
use keepwell_service::{Grant, ServiceConfig};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tower::ServiceExt as _;

use crate::house::{Answer, FHIR_JSON, House};

fn path(address: &str) -> &str {
    address.strip_prefix("https://keepwell.example").unwrap()
}

async fn kick_off(house: &House, path: &str, prefer: &str) -> Answer {
    let request = house.authorised("GET", path).header("prefer", prefer).header(header::ACCEPT, FHIR_JSON);
    house.send(request.body(Body::empty()).unwrap()).await
}

async fn done(house: &House, started: &Answer) -> Value {
    assert_eq!(started.status, StatusCode::ACCEPTED, "{}", started.text());
    let place = path(started.header(header::CONTENT_LOCATION)).to_owned();
    for _ in 0..2_000 {
        let status = house.ask("GET", &place).await;
        if status.status == StatusCode::OK {
            assert_eq!(status.header(header::CONTENT_TYPE), "application/json");
            assert_eq!(status.header(header::EXPIRES).len(), "Tue, 24 Nov 2026 09:30:00 GMT".len());
            return status.json();
        }
        assert_eq!(status.status, StatusCode::ACCEPTED);
        assert!(status.headers.contains_key("x-progress") && status.headers.contains_key(header::RETRY_AFTER));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("the job does not end");
}

/// A house whose system may export.
async fn granted(house: &House) {
    house.scratch.service.grant("gp", BTreeSet::from([Grant::ExportRecords])).await.unwrap();
    house.scratch.clock.advance(2);
}

#[tokio::test]
async fn an_export_is_started_asked_about_downloaded_and_forgotten() {
    let house = House::new().await;
    house.amina().await;
    for path in ["/fhir/$export", "/fhir/Patient/$export"] {
        assert_eq!(kick_off(&house, path, "respond-async").await.refusal().0, 403);
    }
    granted(&house).await;
    let address = "/fhir/$export?_type=Patient,Observation&_outputFormat=application/fhir%2Bndjson";
    let started = kick_off(&house, address, "respond-async").await;
    let manifest = done(&house, &started).await;
    assert_eq!(manifest["request"], format!("https://keepwell.example{address}"));
    assert_eq!((&manifest["requiresAccessToken"], &manifest["error"]), (&json!(true), &json!([])));
    let files = manifest["output"].as_array().unwrap();
    assert_eq!(files.iter().map(|file| file["type"].clone()).collect::<Vec<_>>(), ["Observation", "Patient"]);
    for file in files {
        let request = house.authorised("GET", path(file["url"].as_str().unwrap()));
        let request = request.header(header::ACCEPT, "application/fhir+ndjson");
        let answer = house.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status, answer.header(header::CONTENT_TYPE)), (StatusCode::OK, "application/fhir+ndjson"));
        assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");
        let resource: Value = serde_json::from_str(answer.text().strip_suffix('\n').unwrap()).unwrap();
        assert_eq!(resource["resourceType"], file["type"]);
    }
    let url = path(files[0]["url"].as_str().unwrap());
    let place = path(started.header(header::CONTENT_LOCATION)).to_owned();
    let other = house.another("other").await;
    house.scratch.service.grant("other", BTreeSet::from([Grant::ExportRecords])).await.unwrap();
    for (method, path) in [("GET", url), ("GET", &place), ("DELETE", &place)] {
        assert_eq!(house.stranger(method, path).await.refusal().0, 401);
        assert_eq!(other.ask(method, path).await.refusal().0, 404);
    }
    assert_eq!(house.ask("DELETE", &place).await.status, StatusCode::ACCEPTED);
    for (method, path) in [("GET", url), ("GET", &place), ("DELETE", &place)] {
        assert_eq!(house.ask(method, path).await.refusal().0, 404);
    }
}

#[tokio::test]
async fn an_export_is_asked_for_as_bulk_data_says_or_refused() {
    let house = House::new().await;
    let (patient, _) = house.amina().await;
    granted(&house).await;
    assert_eq!(house.ask("GET", "/fhir/$export").await.refusal(), (400, "required".to_owned()));
    assert_eq!(kick_off(&house, "/fhir/$export", "return=minimal").await.refusal().0, 400);
    for query in ["_type=Nonsense", "_outputFormat=text/csv", "_since=soon", "_typeFilter=x", "_type=Patient,Bundle"] {
        let path = format!("/fhir/$export?{query}");
        assert_eq!(kick_off(&house, &path, "respond-async").await.refusal().0, 400, "{query}");
    }
    for path in ["/fhir/$export?_typeFilter=x", "/fhir/Patient/$export?_type=Patient,Nonsense"] {
        let started = kick_off(&house, path, "respond-async, handling=lenient").await;
        done(&house, &started).await;
    }
    let id = patient.rsplit('/').next().unwrap();
    for path in
        [format!("/fhir/Group/{id}/$export"), format!("/fhir/Group/{id}-2/$export"), "/fhir/Group/x/$export".to_owned()]
    {
        assert_eq!(kick_off(&house, &path, "respond-async").await.refusal().0, 404, "{path}");
    }
    for path in ["/fhir/Observation/$export", "/fhir/Patient/x/$export"] {
        assert_eq!(kick_off(&house, path, "respond-async").await.refusal().0, 404, "{path}");
    }
    let request =
        house.authorised("GET", "/fhir/$export").header("prefer", "respond-async").header("accept", "text/csv");
    assert_eq!(house.send(request.body(Body::empty()).unwrap()).await.refusal().0, 406);
    // The same by POST, with parameters in the body.
    let list = json!({ "resourceType": "Parameters", "parameter": [
        { "name": "_type", "valueString": "Patient" }, { "name": "_since", "valueInstant": "2026-11-23T00:00:00Z" }] });
    let request = house.authorised("POST", "/fhir/$export").header("prefer", "respond-async");
    let request = request.header(header::CONTENT_TYPE, FHIR_JSON);
    let started = house.send(request.body(list.to_string().into()).unwrap()).await;
    let manifest = done(&house, &started).await;
    assert_eq!((&manifest["output"][0]["type"], &manifest["output"][1]), (&json!("Patient"), &Value::Null));
    assert_eq!(manifest["deleted"], json!([]));
}

#[tokio::test]
async fn a_file_is_packed_for_whoever_takes_it_so() {
    let house = House::new().await;
    house.amina().await;
    granted(&house).await;
    let started = kick_off(&house, "/fhir/$export", "respond-async").await;
    let manifest = done(&house, &started).await;
    let url = path(manifest["output"][0]["url"].as_str().unwrap()).to_owned();
    let ask = async |coding: &str| {
        let request = house.authorised("GET", &url).header(header::ACCEPT_ENCODING, coding);
        house.send(request.body(Body::empty()).unwrap()).await
    };
    let plain = ask("identity").await;
    assert!(plain.text().ends_with("}\n") && !plain.headers.contains_key(header::CONTENT_ENCODING));
    let gzip = ask("gzip").await;
    assert_eq!(gzip.header(header::CONTENT_ENCODING), "gzip");
    let mut unpacked = Vec::new();
    // One member: some clients read no more.
    flate2::read::GzDecoder::new(&gzip.body[..]).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain.body);
    let zstd = ask("zstd, gzip").await;
    assert_eq!(zstd.header(header::CONTENT_ENCODING), "zstd");
    assert_eq!(zstd::stream::decode_all(&zstd.body[..]).unwrap(), plain.body);
}

/// How many looks of its own a system finds in a person's record.
async fn looks(house: &House, patient: &str) -> usize {
    let id = patient.rsplit('/').next().unwrap();
    let answer = house.ask("GET", &format!("/fhir/AuditEvent?patient={id}&_count=100")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let found = answer.json();
    let entries = found["entry"].as_array().map_or(&[][..], Vec::as_slice).iter();
    // To ask who looked is a look too, and not one at what the record holds.
    let what = entries.map(|entry| &entry["resource"]["entity"][0]["detail"][0]["type"]);
    what.filter(|what| what.is_string() && **what != "access-lines").count()
}

#[tokio::test]
async fn whoever_asks_for_the_headers_of_a_file_has_looked_at_nothing() {
    let house = House::new().await;
    let (patient, _) = house.amina().await;
    granted(&house).await;
    let started = kick_off(&house, "/fhir/Patient/$export", "respond-async").await;
    let manifest = done(&house, &started).await;
    let url = path(manifest["output"][0]["url"].as_str().unwrap()).to_owned();
    let before = looks(&house, &patient).await;
    assert_eq!(house.ask("HEAD", &url).await.status, StatusCode::OK);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(looks(&house, &patient).await, before);
    house.ask("GET", &url).await;
    assert_eq!(looks(&house, &patient).await, before + 1);
}

/// Somebody with much in the record.
async fn many(house: &House, id: usize) -> String {
    let note = "word ".repeat(40_000);
    let observation = |number: usize| {
        json!({ "request": { "method": "PUT", "url": format!("Observation/{id}-{number}") }, "resource": {
            "resourceType": "Observation", "id": format!("{id}-{number}"), "status": "final",
            "subject": { "reference": format!("Patient/p{id}") }, "code": { "text": "x" }, "note": [{ "text": note }] } })
    };
    let patient = json!({ "request": { "method": "PUT", "url": format!("Patient/p{id}") }, "resource": {
        "resourceType": "Patient", "id": format!("p{id}"), "birthDate": "1958-02-11", "name": [{ "family": "Many" }] } });
    let entries: Vec<_> = std::iter::once(patient).chain((0..5).map(observation)).collect();
    let answer =
        house.post(json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries }).to_string()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let location = answer.json()["entry"][0]["response"]["location"].as_str().unwrap().to_owned();
    format!("/fhir/{}", location.split("/_history").next().unwrap())
}

#[tokio::test]
async fn over_a_socket_two_systems_take_their_files_and_whoever_hangs_up_has_looked_at_few() {
    const PEOPLE: usize = 30;
    let house = House::limited(1).await;
    granted(&house).await;
    let mut people = Vec::new();
    for id in 0..PEOPLE {
        people.push(many(&house, id).await);
    }
    let started = kick_off(&house, "/fhir/Patient/$export?_type=Observation", "respond-async").await;
    let manifest = done(&house, &started).await;
    assert_eq!(manifest["output"][0]["count"], PEOPLE * 5);
    let url = path(manifest["output"][0]["url"].as_str().unwrap()).to_owned();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let doors = house.doors();
    tokio::spawn(async move { axum::serve(listener, doors).await });
    let open = async |token: &str, url: &str| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let words =
            format!("GET {url} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n");
        stream.write_all(words.as_bytes()).await.unwrap();
        stream
    };
    let other = house.another("other").await;
    let mut refused = String::new();
    open(&other.token, &url).await.read_to_string(&mut refused).await.unwrap();
    assert!(refused.starts_with("HTTP/1.1 404"), "{refused}");

    let mut stream = open(&house.token, &url).await;
    let mut first = [0; 1_000];
    stream.read_exact(&mut first).await.unwrap();
    assert!(first.starts_with(b"HTTP/1.1 200"));
    // It still counts as a request under way.
    let second = open(&house.token, &url).await.read_u64().await;
    assert!(second.is_ok());
    let waiting = house.ask("GET", "/fhir/metadata").await;
    assert_eq!(waiting.status, StatusCode::OK);
    assert_eq!(house.ask("GET", &people[0]).await.refusal().0, 429);
    drop(stream);
    let mut free = false;
    for _ in 0..200 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        free = free || house.ask("GET", &people[0]).await.status == StatusCode::OK;
    }
    assert!(free, "the place is free again");
    let mut looked_at = 0;
    for person in &people[1..] {
        looked_at += usize::from(looks(&house, person).await > 0);
    }
    assert!(looked_at < PEOPLE - 5, "{looked_at} of {PEOPLE}");

    let mut whole = Vec::new();
    open(&house.token, &url).await.read_to_end(&mut whole).await.unwrap();
    assert!(whole.ends_with(b"\r\n0\r\n\r\n"), "it ends as whole bodies end");
    assert_eq!(whole.windows(15).filter(|it| it == b"\"resourceType\":").count(), PEOPLE * 5);
}

#[tokio::test]
async fn a_file_that_breaks_off_does_not_look_whole() {
    let house = House::new().await;
    granted(&house).await;
    for id in 0..10 {
        many(&house, id).await;
    }
    let started = kick_off(&house, "/fhir/Patient/$export?_type=Observation", "respond-async").await;
    let manifest = done(&house, &started).await;
    let url = path(manifest["output"][0]["url"].as_str().unwrap()).to_owned();
    for coding in ["identity", "gzip", "zstd"] {
        granted(&house).await;
        let request = house.authorised("GET", &url).header(header::ACCEPT_ENCODING, coding);
        let response = house.doors().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let mut body = response.into_body();
        assert!(body.frame().await.unwrap().is_ok());
        // In the meantime its registration changes.
        house.scratch.service.grant("gp", BTreeSet::new()).await.unwrap();
        house.scratch.clock.advance(5);
        let mut last = None;
        while let Some(frame) = body.frame().await {
            last = Some(frame.is_ok());
        }
        assert_eq!(last, Some(false), "{coding}");
    }
}

#[tokio::test]
async fn an_address_of_a_job_may_have_its_dollar_sign_escaped_and_one_that_is_none_leads_nowhere() {
    let house = House::new().await;
    house.amina().await;
    granted(&house).await;
    let started = kick_off(&house, "/fhir/%24export", "respond-async").await;
    let manifest = done(&house, &started).await;
    let place = path(started.header(header::CONTENT_LOCATION)).replace('$', "%24");
    assert_eq!(house.ask("GET", &place).await.status, StatusCode::OK);
    let url = path(manifest["output"][0]["url"].as_str().unwrap()).replace('$', "%24");
    let request = house.authorised("GET", &url).header(header::ACCEPT, "application/fhir+ndjson");
    assert_eq!(house.send(request.body(Body::empty()).unwrap()).await.status, StatusCode::OK);
    for wrong in ["%ff", "a%2f0", "%00", "a:0", "..", "%24"] {
        assert_eq!(house.ask("GET", &format!("/fhir/$bulk-status/{wrong}")).await.refusal().0, 404, "{wrong}");
        let file = format!("/fhir/$bulk-file/{wrong}/0/Patient.ndjson");
        assert_eq!(house.ask("GET", &file).await.refusal().0, 404, "{wrong}");
        assert_eq!(house.ask("DELETE", &format!("/fhir/$bulk-status/{wrong}")).await.refusal().0, 404, "{wrong}");
    }
    assert_eq!(house.ask("DELETE", &place).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn t26_an_upload_is_taken_and_no_address_is_fetched() {
    let house = House::new().await;
    let send = async |content_type: &str, body: String| {
        let request = house.authorised("POST", "/fhir/$import").header(header::CONTENT_TYPE, content_type);
        house.send(request.body(body.into()).unwrap()).await
    };
    let line = json!({ "resourceType": "Organization", "id": "o", "name": "Surgery" }).to_string();
    let started = send("Application/FHIR+ndjson; charset=utf-8", format!("{line}\nnonsense\n")).await;
    let manifest = done(&house, &started).await;
    assert_eq!(manifest["extension"]["urn:keepwell:lines"], json!({ "taken": 1, "refused": 1 }));
    assert_eq!((&manifest["output"], &manifest["error"][0]["type"]), (&json!([]), &json!("OperationOutcome")));
    let url = path(manifest["error"][0]["url"].as_str().unwrap());
    let told = house.ask("GET", url).await;
    assert!(told.text().contains("line 2"), "{}", told.text());
    assert_eq!(house.another("other").await.ask("GET", url).await.refusal().0, 404);
    let url = json!({ "name": "input", "part": [{ "name": "url", "valueUrl": "http://169.254.169.254/" }] });
    let list = json!({ "resourceType": "Parameters", "parameter": [url] });
    assert_eq!(send(FHIR_JSON, list.to_string()).await.refusal().0, 422);
    assert_eq!(send("text/csv", "x".to_owned()).await.refusal().0, 415);
    assert_eq!(send("application/fhir+ndjson", "\n".to_owned()).await.refusal().0, 400);
    assert_eq!(house.stranger("POST", "/fhir/$import").await.refusal().0, 401);
}

#[tokio::test]
async fn an_upload_is_bounded_however_it_is_packed() {
    let house = House::with(ServiceConfig { max_bundle: 1_000, ..ServiceConfig::demonstration() }).await;
    let send = async |body: Vec<u8>, coding: &str| {
        let request = house.authorised("POST", "/fhir/$import").header(header::CONTENT_TYPE, "application/fhir+ndjson");
        house.send(request.header(header::CONTENT_ENCODING, coding).body(body.into()).unwrap()).await
    };
    assert_eq!(send(vec![b'\n'; 1_001], "identity").await.refusal().0, 413);
    let packed = zstd::stream::encode_all(&vec![b' '; 1 << 20][..], 3).unwrap();
    assert_eq!(send(packed, "zstd").await.refusal().0, 413);
    let line = json!({ "resourceType": "Organization", "id": "o", "name": "Surgery" }).to_string();
    let started = send(zstd::stream::encode_all(line.as_bytes(), 3).unwrap(), "zstd").await;
    assert_eq!(done(&house, &started).await["extension"]["urn:keepwell:lines"]["taken"], 1);
}
