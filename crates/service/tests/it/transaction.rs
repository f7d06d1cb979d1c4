//! Taking Bundles.

use keepwell_service::{CareSetting, ServiceConfig};
use serde_json::json;

use crate::fixture::{AMINA, Answer, Fixture, amina, bundle, delete, observation, patient, post, put};

#[tokio::test]
async fn a_bundle_becomes_one_record_with_every_thing_where_its_answer_says() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    let answer = f
        .send(
            &gp,
            &bundle(vec![
                put(amina("1")),
                put(json!({ "resourceType": "Organization", "id": "o", "name": "Leeds surgery" })),
                put(observation("k", "Patient/1", "4.20")),
            ]),
        )
        .await
        .unwrap();
    assert_eq!(answer.statuses, ["201 Created", "201 Created", "201 Created"]);
    let record = answer.response.record.unwrap();
    assert_eq!(answer.locations[0], format!("Patient/{record}"));
    assert!(answer.locations[1].starts_with(&format!("Organization/{}-", f.tenant.directory())));
    assert!(answer.locations[2].starts_with(&format!("Observation/{record}-")));
    let read = f.read(&gp, &answer.locations[2]).await.unwrap();
    assert_eq!(read["subject"]["reference"], format!("Patient/{record}"));
    assert_eq!(read["meta"]["versionId"], "1");
    assert_eq!(f.read(&gp, &answer.locations[1]).await.unwrap()["name"], "Leeds surgery");
}

#[tokio::test]
async fn a_bundle_sent_again_changes_nothing_and_answers_with_the_same_versions() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    let sent = bundle(vec![
        put(amina("1")),
        put(json!({ "resourceType": "Organization", "id": "o", "name": "Leeds surgery" })),
        post("urn:uuid:0b7e7c5e-6c5b-4b7e-8f0e-1f2c3d4e5f60", {
            let mut it = observation("x", "Patient/1", "4.20");
            it.as_object_mut().unwrap().remove("id");
            it
        }),
        {
            let mut entry = post("", observation("x", "Patient/1", "1.0"));
            entry.as_object_mut().unwrap().remove("fullUrl");
            entry["resource"].as_object_mut().unwrap().remove("id");
            entry
        },
    ]);
    let first = f.send(&gp, &sent).await.unwrap();
    let again = f.send(&gp, &sent).await.unwrap();
    assert_eq!(again.statuses, ["200 OK"; 4]);
    assert_eq!((&again.locations, &again.versions), (&first.locations, &first.versions));
    assert_eq!((first.response.changed, again.response.changed), (4, 0));
    let record = f.tenant.open(first.response.record.unwrap()).await.unwrap().unwrap();
    assert_eq!((record.head().seq.0, record.entries().count()), (1, 3));
}

#[tokio::test]
async fn a_changed_item_updates_its_entry_and_an_older_content_may_come_back() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    let of = |value: &str| bundle(vec![put(amina("1")), put(observation("k", "Patient/1", value))]);
    // Only the text of the number differs, which is a difference.
    let text = |value: &str| bytes::Bytes::from(of("777").to_string().replace("777", value));
    let first = Answer::of(f.service.transaction(&gp, text("4.2")).await.unwrap());
    let changed = Answer::of(f.service.transaction(&gp, text("4.20")).await.unwrap());
    assert_eq!(changed.statuses, ["200 OK", "200 OK"]);
    assert_eq!((first.versions[1].as_str(), changed.versions[1].as_str()), ("W/\"1\"", "W/\"2\""));
    assert_eq!((changed.versions[0].as_str(), changed.response.changed), ("W/\"1\"", 1));
    let back = Answer::of(f.service.transaction(&gp, text("4.2")).await.unwrap());
    assert_eq!((back.versions[1].as_str(), back.response.changed), ("W/\"3\"", 1));
    assert_eq!(back.locations, first.locations);
}

#[tokio::test]
async fn what_the_source_deletes_is_gone_and_may_come_back_under_its_old_id() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    let whole = bundle(vec![put(amina("1")), put(observation("k", "Patient/1", "4.2"))]);
    let first = f.send(&gp, &whole).await.unwrap();
    let gone = f.send(&gp, &bundle(vec![put(amina("1")), delete("Observation/k")])).await.unwrap();
    assert_eq!(gone.statuses, ["200 OK", "204 No Content"]);
    assert_eq!(f.read(&gp, &first.locations[1]).await, Err(410));
    let nothing =
        f.send(&gp, &bundle(vec![put(amina("1")), delete("Observation/k"), delete("Observation/never")])).await;
    assert_eq!(nothing.unwrap().response.changed, 0);
    let back = f.send(&gp, &whole).await.unwrap();
    assert_eq!((back.statuses[1].as_str(), &back.locations), ("200 OK", &first.locations));
    assert!(f.read(&gp, &first.locations[1]).await.is_ok());
}

#[tokio::test]
async fn references_between_items_resolve_through_the_names_that_the_source_gave() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    // One urn is the resource's own id, one stands for another id, one is all the name there is.
    let mut report = json!({
        "resourceType": "DiagnosticReport", "status": "final", "code": { "text": "Bloods" },
        "subject": { "reference": "urn:uuid:11111111-1111-4111-8111-111111111111" },
        "result": [
            { "reference": "urn:uuid:22222222-2222-4222-8222-222222222222" },
            { "reference": "urn:uuid:33333333-3333-4333-8333-333333333333" },
            { "reference": "Observation/elsewhere" },
        ],
    });
    report["performer"] =
        json!([{ "reference": "Organization/o" }, { "reference": "https://x.example/Organization/o" }]);
    let answer = f
        .send(
            &gp,
            &bundle(vec![
                post("urn:uuid:11111111-1111-4111-8111-111111111111", amina("pat-1")),
                post(
                    "urn:uuid:22222222-2222-4222-8222-222222222222",
                    observation(
                        "22222222-2222-4222-8222-222222222222",
                        "urn:uuid:11111111-1111-4111-8111-111111111111",
                        "1.0",
                    ),
                ),
                post(
                    "urn:uuid:33333333-3333-4333-8333-333333333333",
                    observation("obs-3", "urn:uuid:11111111-1111-4111-8111-111111111111", "2.0"),
                ),
                post("urn:uuid:44444444-4444-4444-8444-444444444444", report),
                put(json!({ "resourceType": "Organization", "id": "o", "name": "Lab" })),
            ]),
        )
        .await
        .unwrap();
    let read = f.read(&gp, &answer.locations[3]).await.unwrap();
    assert_eq!(read["subject"]["reference"], answer.locations[0]);
    assert_eq!(read["result"][0]["reference"], answer.locations[1]);
    assert_eq!(read["result"][1]["reference"], answer.locations[2]);
    assert_eq!(read["result"][2]["reference"], "Observation/elsewhere");
    assert_eq!(read["performer"][0]["reference"], answer.locations[4]);
    assert_eq!(read["performer"][1]["reference"], "https://x.example/Organization/o");
}

#[tokio::test]
async fn later_bundles_may_leave_the_patient_out_once_the_source_has_sent_it() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    let alone = bundle(vec![put(observation("k", "Patient/1", "4.2"))]);
    assert_eq!(f.send(&gp, &alone).await.unwrap_err().status, 422);
    let first = f.send(&gp, &bundle(vec![put(amina("1"))])).await.unwrap();
    assert_eq!(f.send(&gp, &alone).await.unwrap().response.record, first.response.record);
}

#[tokio::test]
async fn a_condition_on_the_version_is_kept() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    f.send(&gp, &bundle(vec![put(amina("1")), put(observation("k", "Patient/1", "4.2"))])).await.unwrap();
    let mut change = put(observation("k", "Patient/1", "5.0"));
    change["request"]["ifMatch"] = json!("W/\"7\"");
    let refused = f.send(&gp, &bundle(vec![put(amina("1")), change.clone()])).await.unwrap_err();
    assert_eq!(refused.status, 412);
    change["request"]["ifMatch"] = json!("W/\"1\"");
    assert_eq!(f.send(&gp, &bundle(vec![put(amina("1")), change])).await.unwrap().response.changed, 1);
}

#[tokio::test]
async fn all_of_a_bundle_is_taken_or_none_of_it() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    let odd = json!({ "resourceType": "Observation", "id": "odd", "status": "final" });
    let organisation = json!({ "resourceType": "Organization", "id": "o" });
    let sent = bundle(vec![put(amina("1")), put(organisation), put(odd)]);
    let refused = f.send(&gp, &sent).await.unwrap_err();
    assert_eq!((refused.status, refused.issues[0].expression.as_deref()), (422, Some("Bundle.entry[2].resource")));
    assert_eq!(f.tenant.records(None, 10).await.unwrap(), []);
    assert_eq!(f.tenant.open(f.tenant.directory()).await.unwrap().unwrap().entries().count(), 0);
}

#[tokio::test]
async fn what_is_not_a_transaction_is_refused_with_words() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    for (body, status) in [
        (&b"{"[..], 400),
        (b"[]", 400),
        (br#"{"resourceType":"Bundle","type":"batch"}"#, 400),
        (br#"{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"GET","url":"Patient/1"}}]}"#, 404),
        (br#"{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"DELETE","url":"Observation?code=x"}}]}"#, 422),
    ] {
        let error = f.service.transaction(&gp, bytes::Bytes::from_static(body)).await.unwrap_err();
        assert_eq!(error.status, status, "{}", String::from_utf8_lossy(body));
        let outcome: serde_json::Value = serde_json::from_slice(&error.outcome()).unwrap();
        assert_eq!(outcome["resourceType"], "OperationOutcome");
    }
    let empty = f.send(&gp, &bundle(Vec::new())).await.unwrap();
    assert_eq!((empty.response.entries, empty.response.record), (0, None));
}

#[tokio::test]
async fn what_is_too_large_is_refused_and_the_limit_named() {
    let config = ServiceConfig { max_bundle: 400, max_entries: 1, ..ServiceConfig::demonstration() };
    let f = Fixture::with(keepwell_record::EngineConfig::default(), config).await;
    let gp = f.client("gp").await;
    let organisation = |id: &str| put(json!({ "resourceType": "Organization", "id": id }));
    let many = f.send(&gp, &bundle(vec![organisation("a"), organisation("b")])).await.unwrap_err();
    assert_eq!(many.status, 413);
    let large = bundle(vec![put(json!({ "resourceType": "Organization", "id": "a", "name": "x".repeat(400) }))]);
    assert!(f.send(&gp, &large).await.unwrap_err().issues[0].diagnostics.contains("400 bytes"));
}

#[tokio::test]
async fn a_source_whose_care_is_sensitive_labels_what_it_sends() {
    let f = Fixture::new().await;
    let (gp, mind) = (f.client("gp").await, f.client_of("mind", CareSetting::MentalHealth).await);
    f.send(&gp, &bundle(vec![put(amina("1"))])).await.unwrap();
    let answer =
        f.send(&mind, &bundle(vec![put(amina("m")), put(observation("k", "Patient/m", "1.0"))])).await.unwrap();
    assert_eq!(f.read(&gp, &answer.locations[1]).await, Err(404));
    assert!(f.read(&mind, &answer.locations[1]).await.is_ok());
    assert_eq!(f.service.test_results(&f.session().await, 1).await.unwrap().total, 1);
}

#[tokio::test]
async fn nn_5_test_numbers_are_refused_where_people_are_real() {
    let f = Fixture::with(keepwell_record::EngineConfig::default(), ServiceConfig::default()).await;
    let gp = f.client("gp").await;
    assert_eq!(f.send(&gp, &bundle(vec![put(amina("1"))])).await.unwrap_err().status, 422);
    let real = patient("2", Some("9434765919"), "Amina", "Khan", "1958-02-11");
    assert_eq!(f.send(&gp, &bundle(vec![put(real)])).await.unwrap_err().status, 422);
    let real = patient("3", Some("4010232137"), "Amina", "Khan", "1958-02-11");
    assert!(f.send(&gp, &bundle(vec![put(real)])).await.is_ok());
}

#[tokio::test]
async fn nn_1_a_number_whose_check_digit_is_wrong_is_refused() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    for number in ["9991234567", "900000000", "x"] {
        let wrong = patient("1", Some(number), "Amina", "Khan", "1958-02-11");
        assert_eq!(f.send(&gp, &bundle(vec![put(wrong)])).await.unwrap_err().status, 422, "{number}");
    }
    let spaced = patient("1", Some("900 000 0009"), "Amina", "Khan", "1958-02-11");
    f.send(&gp, &bundle(vec![put(spaced)])).await.unwrap();
    assert!(f.sign_in(AMINA, "1958-02-11", "Khan").await.is_ok());
}

#[tokio::test]
async fn many_bundles_at_once_all_arrive_and_make_one_record() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    let lab = f.client("lab").await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..12 {
        let client = if n % 2 == 0 { gp.clone() } else { lab.clone() };
        let sent = bundle(vec![
            put(amina("1")),
            put(json!({ "resourceType": "Organization", "id": format!("o{}", n % 3), "name": "O" })),
            put(observation(&format!("k{n}"), "Patient/1", "4.2")),
        ]);
        let service = f.service.clone();
        tasks.spawn(
            async move { service.transaction(&client, serde_json::to_vec(&sent).unwrap().into()).await.unwrap() },
        );
    }
    let records: std::collections::BTreeSet<_> = tasks.join_all().await.iter().map(|answer| answer.record).collect();
    assert_eq!(records.len(), 1);
    let record = f.tenant.open(records.into_iter().next().unwrap().unwrap()).await.unwrap().unwrap();
    assert_eq!(record.entries().count(), 14);
    assert_eq!(f.tenant.open(f.tenant.directory()).await.unwrap().unwrap().entries().count(), 6);
}
