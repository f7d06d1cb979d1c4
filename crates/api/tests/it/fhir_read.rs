//! `GET /fhir/{type}/{id}` and `GET /fhir/metadata`.

use axum::body::Body;
use axum::http::{StatusCode, header};

use crate::house::{FHIR_JSON, House, bundle};

#[tokio::test]
async fn a_patient_is_read_with_version_and_time() {
    let house = House::new().await;
    let (patient, observation) = house.amina().await;
    let answer = house.ask("GET", &patient).await;
    assert_eq!((answer.status, answer.header(header::CONTENT_TYPE)), (StatusCode::OK, FHIR_JSON));
    let json = answer.json();
    assert_eq!(format!("/fhir/Patient/{}", json["id"].as_str().unwrap()), patient);
    assert_eq!(answer.header(header::ETAG), format!("W/\"{}\"", json["meta"]["versionId"].as_str().unwrap()));
    assert_eq!(answer.header(header::LAST_MODIFIED), "Mon, 23 Nov 2026 09:30:00 GMT");
    assert_eq!(json["meta"]["lastUpdated"], "2026-11-23T09:30:00.000Z");
    assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");
    let json = house.ask("GET", &observation).await.json();
    assert_eq!(format!("/fhir/{}", json["subject"]["reference"].as_str().unwrap()), patient);
}

#[tokio::test]
async fn a_caller_who_knows_the_version_is_spared_the_body() {
    let house = House::new().await;
    let (_, observation) = house.amina().await;
    let etag = house.ask("GET", &observation).await.header(header::ETAG).to_owned();
    let ask = async || {
        let request = house.authorised("GET", &observation).header(header::IF_NONE_MATCH, format!("W/\"x\", {etag}"));
        house.send(request.body(Body::empty()).unwrap()).await
    };
    let answer = ask().await;
    assert_eq!((answer.status, answer.body.len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(answer.header(header::ETAG), etag);
    house.post(bundle("7").to_string()).await;
    assert_eq!(ask().await.status, StatusCode::OK);
}

#[tokio::test]
async fn head_answers_like_get_without_the_body() {
    let house = House::new().await;
    let (patient, _) = house.amina().await;
    let answer = house.ask("HEAD", &patient).await;
    assert_eq!((answer.status, answer.body.len()), (StatusCode::OK, 0));
    assert!(answer.header(header::ETAG).starts_with("W/"));
}

#[tokio::test]
async fn what_is_not_there_and_what_another_system_may_not_see_look_the_same() {
    let house = House::new().await;
    let (patient, observation) = house.amina().await;
    let service = &house.scratch.service;
    let token = service.add_client("other", "Another Place", keepwell_service::CareSetting::General).await.unwrap();
    let mut answers = Vec::new();
    for path in [&patient, &observation] {
        let request = axum::http::Request::get(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
        answers.push(house.send(request.body(Body::empty()).unwrap()).await);
    }
    for path in [
        "/fhir/Patient/0000000000000000",
        "/fhir/Patient/nonsense",
        "/fhir/Patient/%FF",
        "/fhir/Observation/0000000000000000-1",
        "/fhir/Nonsense/1",
        &observation.replace("Observation", "Condition"),
    ] {
        answers.push(house.ask("GET", path).await);
    }
    for answer in &answers {
        assert_eq!(answer.refusal(), (404, "not-found".to_owned()));
        assert_eq!(answer.body, answers[0].body);
    }
}

#[tokio::test]
async fn anybody_may_ask_what_is_offered() {
    let house = House::new().await;
    let answer = house.stranger("GET", "/fhir/metadata").await;
    assert_eq!((answer.status, answer.header(header::CONTENT_TYPE)), (StatusCode::OK, FHIR_JSON));
    let json = answer.json();
    assert_eq!(json["resourceType"], "CapabilityStatement");
    assert_eq!(json["fhirVersion"], "4.0.1");
    assert_eq!(json["implementation"]["url"], "https://keepwell.example/fhir");
    assert_eq!(json["rest"][0]["interaction"][0]["code"], "transaction");
}
