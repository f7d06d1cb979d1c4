//! Reading back, and who looked.

use keepwell_model::Purpose;
use keepwell_record::{EngineConfig, Limits};
use keepwell_service::{Category, Looked, ServiceConfig, ServiceError};

use crate::fixture::{Fixture, OTHER, amina, bundle, observation, patient, put};

#[tokio::test]
async fn every_look_leaves_a_line_that_the_person_can_read() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    let sent = bundle(vec![put(amina("1")), put(observation("k", "Patient/1", "4.2"))]);
    let answer = f.send(&gp, &sent).await.unwrap();
    f.read(&gp, &answer.locations[1]).await.unwrap();
    let session = f.session().await;
    f.clock.advance(60);
    f.service.test_results(&session, 1).await.unwrap();
    let lines = f.service.who_looked(&session, 1).await.unwrap();
    assert_eq!((lines.total, lines.pages), (3, 1));
    let said: Vec<_> = lines.items.iter().map(|line| (line.who.as_str(), line.role.as_str(), line.own)).collect();
    assert_eq!(said, [("", "resident", true), ("", "resident", true), ("gp", "system", false)]);
    let looked = Looked { category: Category::TestResults, count: 1 };
    assert_eq!((&lines.items[0].what, &lines.items[2].what), (&vec![looked.clone()], &vec![looked]));
    assert_eq!(
        (lines.items[2].organisation.as_str(), lines.items[2].purpose),
        ("gp organisation", Purpose::DirectCare)
    );
    assert!(lines.items[0].when > lines.items[2].when);
    let again = f.service.who_looked(&session, 1).await.unwrap();
    assert_eq!((again.total, again.items[0].what[0].category), (4, Category::AccessLines));
}

#[tokio::test]
async fn the_lines_are_cut_into_pages_without_losing_one() {
    let config = ServiceConfig { page_size: 3, ..ServiceConfig::demonstration() };
    let f = Fixture::with(EngineConfig::default(), config).await;
    let (_, session) = f.amina().await;
    for _ in 0..6 {
        f.service.measurements(&session, 1).await.unwrap();
    }
    let mut seen = Vec::new();
    for (page, count) in [(1, 3), (2, 3), (3, 3), (4, 1)] {
        let lines = f.service.who_looked(&session, page).await.unwrap();
        // Each look adds a line at the front.
        assert_eq!((lines.items.len(), lines.total), (count, 6 + page), "page {page}");
        seen.extend(lines.items.iter().map(|line| line.number));
    }
    assert_eq!(seen, [7, 6, 5, 5, 4, 3, 3, 2, 1, 1]);
}

#[tokio::test]
async fn when_the_line_cannot_be_written_nothing_is_shown() {
    // The access stream takes so many lines and no more, which stands for any reason why a line is not written.
    let limits = Limits { access_entries: 5, ..Limits::default() };
    let f = Fixture::with(EngineConfig { limits, ..EngineConfig::default() }, ServiceConfig::demonstration()).await;
    let gp = f.client("gp").await;
    let sent = bundle(vec![put(amina("1")), put(observation("k", "Patient/1", "4.2"))]);
    let answer = f.send(&gp, &sent).await.unwrap();
    let session = f.session().await;
    for _ in 0..4 {
        assert!(f.read(&gp, &answer.locations[1]).await.is_ok());
    }
    assert_eq!(f.read(&gp, &answer.locations[1]).await, Err(503));
    assert_eq!(f.read(&gp, &answer.locations[0]).await, Err(503));
    let unavailable = Some(ServiceError::Unavailable);
    assert_eq!(f.service.home(&session).await.err(), unavailable);
    assert_eq!(f.service.test_results(&session, 1).await.err(), unavailable);
    assert_eq!(f.service.measurements(&session, 1).await.err(), unavailable);
    assert_eq!(f.service.test_history(&session, "sct-1005671000000105").await.err(), unavailable);
    assert_eq!(f.service.who_looked(&session, 1).await.err(), unavailable);
    assert_eq!(
        f.sign_in(crate::fixture::AMINA, "1958-02-11", "Khan").await.err(),
        Some(keepwell_service::SignInError::Unavailable)
    );
}

#[tokio::test]
async fn a_system_reads_back_from_records_that_it_feeds_and_from_no_other() {
    let f = Fixture::new().await;
    let (gp, lab) = (f.client("gp").await, f.client("lab").await);
    let answer = f.send(&gp, &bundle(vec![put(amina("1")), put(observation("k", "Patient/1", "4.2"))])).await.unwrap();
    for location in &answer.locations {
        assert_eq!(f.read(&lab, location).await, Err(404), "{location}");
    }
    f.send(&lab, &bundle(vec![put(amina("L"))])).await.unwrap();
    assert!(f.read(&lab, &answer.locations[1]).await.is_ok());
    let (own, theirs) =
        (f.read(&lab, &answer.locations[0]).await.unwrap(), f.read(&gp, &answer.locations[0]).await.unwrap());
    assert_eq!((own["id"].clone(), own["meta"]["versionId"].as_str()), (theirs["id"].clone(), Some("2")));
}

#[tokio::test]
async fn an_id_of_another_type_or_of_nothing_is_not_found() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    let answer = f.send(&gp, &bundle(vec![put(amina("1")), put(observation("k", "Patient/1", "4.2"))])).await.unwrap();
    let record = answer.response.record.unwrap();
    let number = answer.locations[1].split('/').nth(1).unwrap().to_owned();
    for place in [
        format!("Condition/{number}"),
        format!("Patient/{number}"),
        format!("Observation/{record}"),
        format!("Observation/{record}-zz"),
        format!("Observation/{record}-0"),
        "Patient/0000000000000000".to_owned(),
        "Patient/1".to_owned(),
        "Observation/k".to_owned(),
        format!("Patient/{}", f.tenant.directory()),
        format!("Observation/{}", number.to_uppercase()),
    ] {
        assert_eq!(f.read(&gp, &place).await, Err(404), "{place}");
    }
}

#[tokio::test]
async fn what_is_read_back_is_what_was_sent_number_text_and_unknown_fields_included() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    let body = r#"{"resourceType":"Bundle","type":"transaction","entry":[
        {"resource":{"resourceType":"Patient","id":"1"},"request":{"method":"PUT","url":"Patient/1"}},
        {"resource":{"resourceType":"Observation","id":"k","zzz":{"deep":[1.0,1e-7,-0]},"subject":{"reference":"Patient/1"},
         "valueQuantity":{"value":1.500}},"request":{"method":"PUT","url":"Observation/k"}}]}"#;
    let answer = f.service.transaction(&gp, bytes::Bytes::from(body)).await.unwrap();
    let record = answer.record.unwrap();
    let read = f.service.read_resource(&gp, "Observation", &format!("{record}-2")).await.unwrap();
    let text = std::str::from_utf8(&read.json).unwrap();
    assert!(text.contains(r#""zzz":{"deep":[1.0,1e-7,-0]}"#) && text.contains(r#""value":1.500"#), "{text}");
}

#[tokio::test]
async fn the_capability_statement_says_what_the_door_takes() {
    let f = Fixture::new().await;
    let json: serde_json::Value =
        serde_json::from_slice(&f.service.capability_statement("https://k.example/fhir")).unwrap();
    assert_eq!(
        (json["resourceType"].as_str(), json["fhirVersion"].as_str()),
        (Some("CapabilityStatement"), Some("4.0.1"))
    );
    assert_eq!(json["rest"][0]["interaction"][0]["code"], "transaction");
    assert!(json["rest"][0]["resource"].as_array().unwrap().iter().any(|it| it["type"] == "Patient"));
}

#[tokio::test]
async fn one_persons_session_shows_nothing_of_another() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    let (_, amina_session) = f.amina().await;
    let other = bundle(vec![
        put(patient("2", Some(OTHER), "Ben", "Moss", "1990-01-01")),
        put(observation("b", "Patient/2", "9.9")),
    ]);
    let answer = f.send(&gp, &other).await.unwrap();
    let id = answer.locations[1].split('/').nth(1).unwrap();
    assert_eq!(f.service.test_result(&amina_session, id).await, Err(ServiceError::NotFound));
    assert_eq!(f.service.test_results(&amina_session, 1).await.unwrap().total, 0);
    // A session put together by hand still meets the policy.
    let mut forged = amina_session;
    forged.record = answer.response.record.unwrap();
    assert_eq!(f.service.test_results(&forged, 1).await, Err(ServiceError::NotFound));
    assert_eq!(f.service.who_looked(&forged, 1).await, Err(ServiceError::NotFound));
    let form = keepwell_service::BloodPressureForm {
        systolic: "128".into(),
        diastolic: "76".into(),
        date: "2026-11-23".into(),
        time: "08:00".into(),
        form_key: "form-key-1".into(),
        ..Default::default()
    };
    assert_eq!(f.service.add_blood_pressure(&forged, &form).await, Err(ServiceError::NotFound));
}
