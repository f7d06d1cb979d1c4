//! Single writes: `POST`, `PUT`, `PATCH` and `DELETE`.

use axum::http::{HeaderName, StatusCode, header};
use serde_json::{Value, json};

use crate::house::{Answer, FHIR_JSON, House, bundle};

const PREFER: HeaderName = HeaderName::from_static("prefer");

async fn send(house: &House, method: &str, path: &str, body: &Value, headers: &[(HeaderName, &str)]) -> Answer {
    let media = if method == "PATCH" { "application/json-patch+json" } else { FHIR_JSON };
    let mut request = house.authorised(method, path).header(header::CONTENT_TYPE, media);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    house.send(request.body(body.to_string().into()).unwrap()).await
}

fn weight(id: Option<&str>, patient: &str, kilograms: f64) -> Value {
    let mut it = json!({
        "resourceType": "Observation", "status": "final", "code": { "text": "Weight" },
        "subject": { "reference": patient }, "valueQuantity": { "value": kilograms, "unit": "kg" }
    });
    if let Some(id) = id {
        it["id"] = json!(id);
    }
    it
}

/// Where an answer says that its resource is, without the version.
fn place(answer: &Answer) -> String {
    let location = answer.header(header::LOCATION).strip_prefix("https://keepwell.example").unwrap();
    location.split("/_history").next().unwrap().to_owned()
}

#[tokio::test]
async fn what_is_put_under_the_sources_id_is_created_then_updated_and_stays_the_same_if_it_is() {
    let house = House::new().await;
    house.amina().await;
    let created = send(&house, "PUT", "/fhir/Observation/w1", &weight(Some("w1"), "Patient/p1", 70.5), &[]).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.text());
    let at = place(&created);
    assert_eq!(format!("/fhir/Observation/{}", created.json()["id"].as_str().unwrap()), at);
    assert!(created.header(header::ETAG).starts_with("W/\"") && !created.header(header::LAST_MODIFIED).is_empty());
    let same = send(&house, "PUT", "/fhir/Observation/w1", &weight(Some("w1"), "Patient/p1", 70.5), &[]).await;
    assert_eq!((same.status, same.header(header::ETAG)), (StatusCode::OK, created.header(header::ETAG)));
    let changed = send(&house, "PUT", "/fhir/Observation/w1", &weight(Some("w1"), "Patient/p1", 71.0), &[]).await;
    assert_eq!((changed.status, place(&changed)), (StatusCode::OK, at.clone()));
    assert_ne!(changed.header(header::ETAG), created.header(header::ETAG));
    assert_eq!(house.ask("GET", &at).await.json()["valueQuantity"]["value"], json!(71.0));
}

#[tokio::test]
async fn what_was_read_here_can_be_put_back_with_keepwells_ids_in_it() {
    let house = House::new().await;
    let (patient, observation) = house.amina().await;
    let read = house.ask("GET", &observation).await;
    let mut resource = read.json();
    assert_eq!(format!("/fhir/{}", resource["subject"]["reference"].as_str().unwrap()), patient);
    let same = send(&house, "PUT", &observation, &resource, &[]).await;
    assert_eq!((same.status, same.header(header::ETAG)), (StatusCode::OK, read.header(header::ETAG)));
    resource["valueQuantity"]["value"] = json!(5.5);
    let etag = read.header(header::ETAG).to_owned();
    let changed = send(&house, "PUT", &observation, &resource, &[(header::IF_MATCH, &etag)]).await;
    assert_eq!((changed.status, place(&changed)), (StatusCode::OK, observation.clone()), "{}", changed.text());
    let stale = send(&house, "PUT", &observation, &resource, &[(header::IF_MATCH, &etag)]).await;
    assert_eq!(stale.refusal(), (412, "conflict".to_owned()));
    // It is still the entry that its source knows as o1.
    let by_source = send(&house, "PUT", "/fhir/Observation/o1", &weight(Some("o1"), "Patient/p1", 3.0), &[]).await;
    assert_eq!((by_source.status, place(&by_source)), (StatusCode::OK, observation));
}

#[tokio::test]
async fn what_is_posted_is_always_new_whatever_its_id() {
    let house = House::new().await;
    let (patient, observation) = house.amina().await;
    let subject = patient.strip_prefix("/fhir/").unwrap();
    let mut places = vec![observation];
    for id in [None, Some("o1"), Some("o1")] {
        let answer = send(&house, "POST", "/fhir/Observation", &weight(id, subject, 70.5), &[]).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        assert!(!places.contains(&place(&answer)));
        places.push(place(&answer));
    }
}

#[tokio::test]
async fn the_history_says_post_of_what_its_source_gave_no_id() {
    let house = House::new().await;
    let (patient, _) = house.amina().await;
    let resource = weight(None, patient.trim_start_matches("/fhir/"), 70.5);
    let made = send(&house, "POST", "/fhir/Observation", &resource, &[]).await;
    send(&house, "PUT", &place(&made), &made.json(), &[]).await;
    let mut changed = made.json();
    changed["status"] = json!("amended");
    send(&house, "PUT", &place(&made), &changed, &[]).await;
    let history = house.ask("GET", &format!("{}/_history", place(&made))).await.json();
    let requests = history["entry"].as_array().unwrap().iter().map(|entry| &entry["request"]);
    let put = json!({ "method": "PUT", "url": place(&made).trim_start_matches("/fhir/") });
    assert!(requests.eq([&put, &json!({ "method": "POST", "url": "Observation" })]), "{history}");
}

#[tokio::test]
async fn a_patient_who_is_posted_is_matched_by_the_rules_of_a_transaction() {
    let house = House::new().await;
    let (patient, _) = house.amina().await;
    let of = |birth_date: &str, number: Option<&str>| {
        let mut it = json!({
            "resourceType": "Patient", "birthDate": birth_date, "name": [{ "family": "Khan", "given": ["Amina"] }]
        });
        if let Some(number) = number {
            it["identifier"] = json!([{ "system": "https://fhir.nhs.uk/Id/nhs-number", "value": number }]);
        }
        it
    };
    let known = send(&house, "POST", "/fhir/Patient", &of("1958-02-11", Some("9000000009")), &[]).await;
    assert_eq!(place(&known), patient);
    let wrong = send(&house, "POST", "/fhir/Patient", &of("1958-02-12", Some("9000000009")), &[]).await;
    assert_eq!(wrong.refusal(), (422, "business-rule".to_owned()));
    let new = send(&house, "POST", "/fhir/Patient", &of("1958-02-11", None), &[]).await;
    assert_eq!(new.status, StatusCode::CREATED);
    assert_ne!(place(&new), patient);
    // The record's id is all the name that this person has, and it is enough.
    let subject = place(&new).replace("/fhir/", "");
    let result = send(&house, "PUT", "/fhir/Observation/w9", &weight(Some("w9"), &subject, 80.0), &[]).await;
    assert_eq!(result.status, StatusCode::CREATED, "{}", result.text());
    assert!(place(&result).contains(subject.strip_prefix("Patient/").unwrap()));
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_nothing_else() {
    let house = House::new().await;
    let (_, observation) = house.amina().await;
    house.post(bundle("777").to_string().replace("777", "4.10")).await;
    let before = house.ask("GET", &observation).await;
    let patch = json!([
        { "op": "test", "path": "/status", "value": "final" },
        { "op": "replace", "path": "/status", "value": "amended" }
    ]);
    let patched = send(&house, "PATCH", &observation, &patch, &[]).await;
    assert_eq!(patched.status, StatusCode::OK, "{}", patched.text());
    let mut expected = before.json();
    expected["status"] = json!("amended");
    expected["meta"] = patched.json()["meta"].clone();
    assert_eq!(patched.json(), expected);
    assert!(patched.text().contains("4.10"), "number text survives");
    assert_eq!(send(&house, "PATCH", &observation, &patch, &[]).await.refusal().0, 422, "the test does not hold now");
    let empty = send(&house, "PATCH", &observation, &json!([]), &[]).await;
    assert_eq!(empty.header(header::ETAG), patched.header(header::ETAG));
    let to_another = json!([{ "op": "replace", "path": "/subject/reference", "value": "Patient/p2" }]);
    assert_eq!(send(&house, "PATCH", &observation, &to_another, &[]).await.refusal().0, 422);
    let nobodys = json!([{ "op": "remove", "path": "/subject" }]);
    assert_eq!(send(&house, "PATCH", &observation, &nobodys, &[]).await.refusal().0, 422);
    assert_eq!(send(&house, "PATCH", "/fhir/Observation/o1", &json!([]), &[]).await.refusal().0, 404);
    for (content_type, status) in [(FHIR_JSON, 400), ("application/json", 415), ("text/plain", 415)] {
        let wrong_type = house.authorised("PATCH", &observation).header(header::CONTENT_TYPE, content_type);
        assert_eq!(house.send(wrong_type.body("[]".into()).unwrap()).await.refusal().0, status, "{content_type}");
    }
}

#[tokio::test]
async fn what_is_deleted_is_gone_and_deleting_it_again_changes_nothing() {
    let house = House::new().await;
    let (patient, observation) = house.amina().await;
    let deleted = house.ask("DELETE", &observation).await;
    assert_eq!((deleted.status, deleted.body.len()), (StatusCode::NO_CONTENT, 0));
    assert_eq!(house.ask("GET", &observation).await.refusal(), (410, "deleted".to_owned()));
    assert_eq!(house.ask("DELETE", &observation).await.status, StatusCode::NO_CONTENT);
    assert_eq!(house.ask("DELETE", "/fhir/Observation/o1").await.refusal().0, 404);
    assert_eq!(house.ask("GET", &patient).await.status, StatusCode::OK);
    let back = send(&house, "PUT", "/fhir/Observation/o1", &weight(Some("o1"), "Patient/p1", 3.0), &[]).await;
    assert_eq!(place(&back), observation);
}

#[tokio::test]
async fn the_answer_is_as_long_as_the_caller_prefers() {
    let house = House::new().await;
    house.amina().await;
    for (prefer, kind) in [("return=minimal", ""), ("return=OperationOutcome", "OperationOutcome"), ("", "Observation")]
    {
        let answer =
            send(&house, "PUT", "/fhir/Observation/w1", &weight(Some("w1"), "Patient/p1", 7.0), &[(PREFER, prefer)])
                .await;
        assert!(!answer.header(header::LOCATION).is_empty());
        match kind {
            "" => assert!(answer.body.is_empty()),
            kind => assert_eq!(answer.json()["resourceType"], kind),
        }
    }
}

#[tokio::test]
async fn what_does_not_fit_together_is_refused_with_its_place() {
    let house = House::new().await;
    house.amina().await;
    let of = |id: Option<&str>| weight(id, "Patient/p1", 1.0);
    for (method, path, body, status) in [
        ("PUT", "/fhir/Observation/w1", of(None), 400),
        ("PUT", "/fhir/Observation/w1", of(Some("w2")), 400),
        ("PUT", "/fhir/Condition/w1", of(Some("w1")), 400),
        ("PUT", "/fhir/Nonsense/w1", of(Some("w1")), 404),
        ("POST", "/fhir/Nonsense", of(None), 404),
        ("POST", "/fhir/Condition", of(None), 400),
        ("POST", "/fhir/Observation", json!([]), 400),
        ("POST", "/fhir/Observation", weight(None, "Patient/nobody", 1.0), 422),
        ("POST", "/fhir/Bundle", json!({ "resourceType": "Bundle", "type": "collection" }), 422),
    ] {
        let answer = send(&house, method, path, &body, &[]).await;
        assert_eq!(answer.refusal().0, status, "{method} {path} {body}: {}", answer.text());
        assert!(!answer.text().contains("Bundle.entry"), "{}", answer.text());
    }
    let only_new = [(header::IF_NONE_MATCH, "*")];
    let twice = send(&house, "PUT", "/fhir/Observation/o1", &of(Some("o1")), &only_new).await;
    assert_eq!(twice.refusal().0, 412);
}

#[tokio::test]
async fn another_systems_resource_can_be_seen_and_not_changed_and_one_out_of_reach_is_not_there() {
    let house = House::new().await;
    let (patient, observation) = house.amina().await;
    let lab = house.another("lab").await;
    let subject = patient.replace("/fhir/", "");
    let body = |id: &str| weight(Some(id), &subject, 1.0);
    let id = observation.rsplit('/').next().unwrap().to_owned();
    let refused = |method: &'static str| {
        let request = lab.authorised(method, &observation).header(header::CONTENT_TYPE, FHIR_JSON);
        request.body(if method == "PUT" { body(&id).to_string().into() } else { axum::body::Body::empty() }).unwrap()
    };
    // It does not feed the record: as if nothing had that id.
    let nothing = observation.replace(&id, "0123456789abcdef-2");
    for method in ["PUT", "DELETE", "GET"] {
        let hidden = lab.send(refused(method)).await;
        let request = lab.authorised(method, &nothing).header(header::CONTENT_TYPE, FHIR_JSON);
        let body =
            if method == "PUT" { body("0123456789abcdef-2").to_string().into() } else { axum::body::Body::empty() };
        let absent = lab.send(request.body(body).unwrap()).await;
        assert_eq!((hidden.refusal(), &hidden.body), (absent.refusal(), &absent.body), "{method}");
        let status = if method == "PUT" { 422 } else { 404 };
        assert_eq!(hidden.refusal().0, status, "{method} {}", hidden.text());
    }
    // Once it feeds the record it sees the other's result, and still cannot change it.
    lab.amina().await;
    assert_eq!(lab.ask("GET", &observation).await.status, StatusCode::OK);
    for method in ["PUT", "DELETE"] {
        assert_eq!(lab.send(refused(method)).await.refusal(), (403, "forbidden".to_owned()), "{method}");
    }
}

#[tokio::test]
async fn a_search_in_the_address_of_one_resource_is_refused_and_not_passed_over() {
    let house = House::new().await;
    let (patient, observation) = house.amina().await;
    let resource = weight(None, patient.trim_start_matches("/fhir/"), 70.5);
    for (method, path) in [
        ("POST", "/fhir/Observation?identifier=a"),
        ("PUT", &*format!("{observation}?identifier=a")),
        ("DELETE", &*format!("{observation}?identifier=a")),
        ("PATCH", &*format!("{observation}?identifier=a")),
    ] {
        let answer = send(&house, method, path, &resource, &[]).await;
        assert_eq!(answer.refusal(), (400, "invalid".to_owned()), "{method} {path}");
    }
    let shaped = send(&house, "POST", "/fhir/Observation?_format=json&_pretty=true", &resource, &[]).await;
    assert_eq!(shaped.status, StatusCode::CREATED, "{}", shaped.text());
    // Leniency is for what is found, not for what is written.
    let lenient = send(&house, "POST", "/fhir/Observation?x=1", &resource, &[(PREFER, "handling=lenient")]).await;
    assert_eq!(lenient.refusal().0, 400);
}
