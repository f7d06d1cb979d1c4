//! Conditional writes and references by search.

use bytes::Bytes;
use keepwell_service::{BundleRequest, CareSetting, Change, Client, FhirError, Patch, WriteRequest, Written};
use serde_json::{Value, json};

use crate::fixture::{Fixture, amina, bundle, observation, patient, post, put};
use crate::search::BASE;

fn known_as(mut resource: Value, identifier: &str) -> Value {
    resource["identifier"] = json!([{ "system": "http://x.example", "value": identifier }]);
    resource.as_object_mut().unwrap().remove("id");
    resource
}

async fn write(
    f: &Fixture,
    client: &Client,
    kind: &str,
    change: Change,
    condition: &str,
) -> Result<Written, FhirError> {
    let request = WriteRequest { condition: Some(condition), ..WriteRequest::new(kind, None, change) };
    f.service.write(client, &request).await
}

fn create(resource: &Value) -> Change {
    Change::Create(Bytes::from(resource.to_string()))
}

fn update(resource: &Value) -> Change {
    Change::Update(Bytes::from(resource.to_string()))
}

/// Amina's record, and her id.
async fn house() -> (Fixture, Client, String) {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    let sent = f.send(&gp, &bundle(vec![put(amina("1"))])).await.unwrap();
    (f, gp, sent.locations[0].strip_prefix("Patient/").unwrap().to_owned())
}

#[tokio::test]
async fn what_is_there_is_not_created_again() {
    let (f, gp, _) = house().await;
    let result = known_as(observation("x", "Patient/1", "1"), "k1");
    let condition = "identifier=http://x.example|k1";
    let first = write(&f, &gp, "Observation", create(&result), condition).await.unwrap();
    let again = write(&f, &gp, "Observation", create(&result), condition).await.unwrap();
    assert_eq!((first.status, again.status), (201, 200));
    assert_eq!((again.id, again.version), (first.id, first.version));
    let other = write(&f, &gp, "Observation", create(&known_as(result.clone(), "k2")), "identifier=k2").await.unwrap();
    assert_eq!(other.status, 201);
    let two = write(&f, &gp, "Observation", create(&result), "identifier=http://x.example|").await;
    assert_eq!(two.unwrap_err().status, 412);
    for (condition, status) in [("identfier=k1", 400), ("_count=1", 412)] {
        assert_eq!(write(&f, &gp, "Observation", create(&result), condition).await.unwrap_err().status, status);
    }
}

#[tokio::test]
async fn an_update_by_search_changes_the_one_match_or_creates() {
    let (f, gp, _) = house().await;
    let result = |value: &str| known_as(observation("x", "Patient/1", value), "k1");
    let first = write(&f, &gp, "Observation", update(&result("1")), "identifier=k1").await.unwrap();
    let second = write(&f, &gp, "Observation", update(&result("2")), "identifier=k1").await.unwrap();
    assert_eq!((first.status, second.status), (201, 200));
    assert!(second.id == first.id && second.version > first.version);
    let mut wrong = result("3");
    wrong["id"] = json!("other");
    assert_eq!(write(&f, &gp, "Observation", update(&wrong), "identifier=k1").await.unwrap_err().status, 400);
    write(&f, &gp, "Observation", create(&result("4")), "identifier=none").await.unwrap();
    let several = write(&f, &gp, "Observation", update(&result("5")), "identifier=k1").await.unwrap_err();
    assert_eq!(several.status, 412);
}

#[tokio::test]
async fn a_patch_and_a_deletion_by_search_are_of_the_one_match() {
    let (f, gp, id) = house().await;
    for key in ["k1", "k2"] {
        let result = known_as(observation("x", "Patient/1", "1"), key);
        write(&f, &gp, "Observation", create(&result), &format!("identifier={key}")).await.unwrap();
    }
    let patch =
        || Change::Patch(Patch::Json(Bytes::from_static(br#"[{"op":"replace","path":"/status","value":"amended"}]"#)));
    let of = |key: &str| format!("patient={id}&identifier={key}");
    let patched = write(&f, &gp, "Observation", patch(), &of("k1")).await.unwrap();
    let read = f.read(&gp, &format!("Observation/{}", patched.id.unwrap())).await.unwrap();
    assert_eq!(read["status"], "amended");
    assert_eq!(write(&f, &gp, "Observation", patch(), &of("k3")).await.unwrap_err().status, 404);
    assert_eq!(write(&f, &gp, "Observation", patch(), "identifier=k1").await.unwrap_err().status, 422);
    assert_eq!(
        write(&f, &gp, "Observation", Change::Delete, &format!("patient={id}&status:not=x")).await.unwrap_err().status,
        412
    );
    for _ in 0..2 {
        assert_eq!(write(&f, &gp, "Observation", Change::Delete, &of("k1")).await.unwrap().status, 204);
    }
    // A person who is not there, and one who may not be seen.
    let lab = f.client("lab").await;
    assert_eq!(write(&f, &lab, "Observation", Change::Delete, &of("k2")).await.unwrap().status, 204);
    assert_eq!(write(&f, &lab, "Observation", patch(), &of("k2")).await.unwrap_err().status, 404);
    assert_eq!(write(&f, &gp, "Observation", patch(), &of("k2")).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_patient_created_on_a_condition_is_the_same_person_next_time() {
    let (f, gp, id) = house().await;
    let ben = known_as(patient("x", None, "Ben", "Moss", "1990-01-01"), "mrn1");
    let condition = "identifier=http://x.example|mrn1";
    let first = write(&f, &gp, "Patient", create(&ben), condition).await.unwrap();
    let again = write(&f, &gp, "Patient", create(&ben), condition).await.unwrap();
    assert_eq!((first.status, again.status), (201, 200));
    assert_eq!(first.id, again.id);
    // With an NHS number he is matched as ever: here to nobody else's details.
    let number = "identifier=https://fhir.nhs.uk/Id/nhs-number|9000000009";
    let mut her = amina("x");
    her.as_object_mut().unwrap().remove("id");
    let known = write(&f, &gp, "Patient", create(&her), number).await.unwrap();
    assert_eq!((known.status, known.id), (200, Some(id)));
    let mut wrong = her.clone();
    wrong["birthDate"] = json!("1999-09-09");
    assert_eq!(write(&f, &gp, "Patient", create(&wrong), number).await.unwrap_err().status, 422);
}

#[tokio::test]
async fn a_condition_never_finds_what_its_sender_may_not_see() {
    let (f, gp, _) = house().await;
    let clinic = f.client_of("clinic", CareSetting::SexualHealth).await;
    let mut hidden = observation("h", "Patient/c", "1");
    hidden["identifier"] = json!([{ "value": "k1" }]);
    f.send(&clinic, &bundle(vec![put(amina("c")), put(hidden)])).await.unwrap();
    let result = known_as(observation("x", "Patient/1", "1"), "k1");
    let made = write(&f, &gp, "Observation", create(&result), "identifier=k1").await.unwrap();
    assert_eq!(made.status, 201);
    assert_eq!(write(&f, &gp, "Observation", update(&result), "identifier=k1").await.unwrap().id, made.id);
}

#[tokio::test]
async fn in_a_bundle_conditions_and_references_by_search_lead_to_what_is_there() {
    let (f, gp, _) = house().await;
    let doctor = known_as(json!({ "resourceType": "Practitioner", "name": [{ "family": "Ward" }] }), "gmc1");
    let conditional = |full_url: &str| {
        let mut entry = post(full_url, doctor.clone());
        entry["request"]["ifNoneExist"] = json!("identifier=http://x.example|gmc1");
        entry
    };
    let result = |id: &str, performer: &str| {
        let mut result = observation(id, "Patient/1", "1");
        result["performer"] = json!([{ "reference": performer }]);
        put(result)
    };
    let early = f.send(&gp, &bundle(vec![result("0", "Practitioner?identifier=gmc1")])).await.unwrap();
    let first = f.send(&gp, &bundle(vec![conditional("urn:uuid:d1"), result("1", "urn:uuid:d1")])).await.unwrap();
    let second = f.send(&gp, &bundle(vec![conditional("urn:uuid:d2"), result("2", "urn:uuid:d2")])).await.unwrap();
    let by_search = f.send(&gp, &bundle(vec![result("3", "Practitioner?identifier=gmc1")])).await.unwrap();
    assert_eq!((&*first.statuses[0], &*second.statuses[0]), ("201 Created", "200 OK"));
    assert_eq!(first.locations[0], second.locations[0]);
    for place in [&first.locations[1], &second.locations[1], &by_search.locations[0]] {
        let read = f.read(&gp, place).await.unwrap();
        assert_eq!(read["performer"][0]["reference"], *first.locations[0], "{place}");
    }
    // What was not there yet is still said as its sender said it.
    let waiting = f.read(&gp, &early.locations[0]).await.unwrap();
    assert_eq!(waiting["performer"][0]["reference"], "Practitioner?identifier=gmc1");
}

#[tokio::test]
async fn a_condition_may_call_the_person_as_its_sender_does() {
    let (f, gp, id) = house().await;
    let result = |condition: &str, full_url: &str| {
        let mut entry = post(full_url, known_as(observation("x", "Patient/1", "1"), "k1"));
        entry["request"]["ifNoneExist"] = json!(condition);
        entry
    };
    let mut person = put(amina("1"));
    person["fullUrl"] = json!("https://gp.example/fhir/Patient/1");
    let send = async |entry: Value| f.send(&gp, &bundle(vec![person.clone(), entry])).await.unwrap();
    let first = send(result("patient=Patient/1&identifier=k1", "urn:uuid:a")).await;
    assert_eq!(first.statuses[1], "201 Created");
    for condition in [
        "patient=Patient/1&identifier=k1",
        "patient=1&identifier=k1",
        "subject:Patient=1&identifier=k1",
        "subject=https://gp.example/fhir/Patient/1&identifier=k1",
        &format!("patient={id}&identifier=k1"),
    ] {
        let again = send(result(condition, "urn:uuid:b")).await;
        assert_eq!(
            (&again.statuses[1], &again.locations[1]),
            (&"200 OK".to_owned(), &first.locations[1]),
            "{condition}"
        );
    }
    // Also where the person's Patient is only referred to, and in references by search.
    let again = f.send(&gp, &bundle(vec![result("patient=Patient/1&identifier=k1", "urn:uuid:c")])).await.unwrap();
    assert_eq!(again.locations[0], first.locations[1]);
    let mut derived = observation("d", "Patient/1", "2");
    derived["derivedFrom"] = json!([{ "reference": "Observation?patient=Patient/1&identifier=k1" }]);
    let sent = send(put(derived)).await;
    let read = f.read(&gp, &sent.locations[1]).await.unwrap();
    assert_eq!(read["derivedFrom"][0]["reference"], *first.locations[1]);
    // A person who comes with the Bundle has nothing yet, whatever others are called.
    let stranger = patient("2", None, "Bo", "Lee", "1970-01-01");
    let mut theirs = result("patient=Patient/2&identifier=k1", "urn:uuid:e");
    theirs["resource"]["subject"] = json!({ "reference": "Patient/2" });
    let other = f.send(&gp, &bundle(vec![put(stranger), theirs])).await.unwrap();
    assert_eq!(other.statuses[1], "201 Created");
}

#[tokio::test]
async fn a_bundle_may_search_too() {
    let (f, gp, id) = house().await;
    let get = |url: &str| json!({ "request": { "method": "GET", "url": url } });
    let query = format!("Observation?patient={id}&_summary=count");
    for kind in ["batch", "transaction"] {
        let entries =
            vec![put(observation("1", "Patient/1", "1")), get(&query), get(&format!("Patient/{id}/Observation"))];
        let sent = json!({ "resourceType": "Bundle", "type": kind, "entry": entries });
        let request = BundleRequest { base: BASE, ..BundleRequest::default() };
        let answer = f.service.bundle(&gp, Bytes::from(sent.to_string()), request).await.unwrap();
        let answer: Value = serde_json::from_slice(&answer.json).unwrap();
        assert_eq!(answer["entry"][1]["resource"]["total"], 1, "{answer}");
        assert_eq!(
            answer["entry"][2]["resource"]["entry"][0]["resource"]["id"].as_str().map(|id| id.contains('-')),
            Some(true)
        );
    }
    let wrong = bundle(vec![put(observation("2", "Patient/1", "1")), get(&format!("Observation?patient={id}&cdoe=1"))]);
    assert_eq!(f.send(&gp, &wrong).await.unwrap_err().status, 400);
}

#[tokio::test]
async fn t30_whoever_asks_by_a_condition_whether_something_is_there_leaves_a_line() {
    let (f, gp, id) = house().await;
    let record = id.parse().unwrap();
    let lines = async || f.tenant.count(record, keepwell_model::Stream::Access).await.unwrap().unwrap();
    let result = known_as(observation("x", "Patient/1", "1"), "k1");
    let condition = "identifier=http://x.example|k1";
    write(&f, &gp, "Observation", create(&result), condition).await.unwrap();
    let before = lines().await;
    // Nothing is written, yet it was told that something is there.
    assert_eq!(write(&f, &gp, "Observation", create(&result), condition).await.unwrap().status, 200);
    assert_eq!(lines().await, before + 1);
    // Nor is anything written where two match, or none.
    let two = known_as(observation("y", "Patient/1", "1"), "k1");
    f.send(&gp, &bundle(vec![post("Observation", two)])).await.unwrap();
    let before = lines().await;
    assert_eq!(write(&f, &gp, "Observation", create(&result), condition).await.unwrap_err().status, 412);
    assert_eq!(lines().await, before + 1);
    let missing = format!("patient={id}&identifier=nothing");
    drop(write(&f, &gp, "Observation", Change::Delete, &missing).await);
    assert_eq!(lines().await, before + 2);
    let session = f.session().await;
    let told = f.service.who_looked(&session, 1).await.unwrap();
    let told = told.items.iter().find(|line| line.who == "gp").unwrap();
    assert_eq!((told.action.as_str(), told.what.len()), ("read-record", 0));
}

#[tokio::test]
async fn t30_a_patch_that_changes_nothing_or_is_refused_is_a_look() {
    let (f, gp, id) = house().await;
    let record = id.parse().unwrap();
    let sent = f.send(&gp, &bundle(vec![put(observation("a", "Patient/1", "1"))])).await.unwrap();
    let id = sent.locations[0].split_once('/').unwrap().1;
    let lines = async || f.tenant.count(record, keepwell_model::Stream::Access).await.unwrap().unwrap();
    let patch = async |patch: &str, representation: bool| {
        let change = Change::Patch(Patch::Json(Bytes::from(patch.to_owned())));
        f.service
            .write(&gp, &WriteRequest { representation, ..WriteRequest::new("Observation", Some(id), change) })
            .await
    };
    let test = r#"[{"op":"test","path":"/status","value":"final"}]"#;
    for (patch_text, representation) in [("[]", false), ("[]", true), (test, false)] {
        let before = lines().await;
        assert!(patch(patch_text, representation).await.is_ok());
        assert_eq!(lines().await, before + 1, "{patch_text}");
    }
    let before = lines().await;
    assert!(patch(&test.replace("final", "amended"), false).await.is_err());
    assert_eq!(lines().await, before + 1, "a test that does not hold tells something too");
    let before = lines().await;
    let mut strict = gp.clone();
    strict.validation = keepwell_service::Validation::Strict;
    let invalid = test.replace("test", "replace").replace("final", "no-such-status");
    let change = Change::Patch(Patch::Json(Bytes::from(invalid)));
    assert!(f.service.write(&strict, &WriteRequest::new("Observation", Some(id), change)).await.is_err());
    assert_eq!(lines().await, before + 1, "so does what makes a resource that is not valid");
    // One that changes something is in the record itself.
    let before = lines().await;
    let change = r#"[{"op":"replace","path":"/status","value":"amended"}]"#;
    assert_eq!(patch(change, false).await.unwrap().status, 200);
    assert_eq!(lines().await, before);
}

#[tokio::test]
async fn a_file_is_as_sensitive_as_what_it_belongs_to() {
    let f = Fixture::new().await;
    let (gp, lab) = (f.client("gp").await, f.client("lab").await);
    let security = json!({ "security": [{ "system": "urn:keepwell:label", "code": "safeguarding" }] });
    let document = json!({
        "resourceType": "DocumentReference", "id": "d", "meta": security, "status": "current",
        "subject": { "reference": "Patient/1" }, "content": [{ "attachment": { "url": "Binary/b" } }],
    });
    let file = |id: &str, context: &str| {
        put(json!({
            "resourceType": "Binary", "id": id, "contentType": "text/plain", "data": "aGk=",
            "securityContext": { "reference": context },
        }))
    };
    let first = [
        put(amina("1")),
        put(document),
        file("b", "Patient/1"),
        file("c", "DocumentReference/d"),
        file("e", "Patient/1"),
    ];
    let first = f.send(&gp, &bundle(first.to_vec())).await.unwrap();
    f.send(&lab, &bundle(vec![put(amina("L"))])).await.unwrap();
    // Later, of a document that is there already: by its source's name, and by ours.
    let later = [file("f", "DocumentReference/d"), file("g", &first.locations[1])];
    let later = f.send(&gp, &bundle(later.to_vec())).await.unwrap();
    let guarded =
        [&first.locations[1], &first.locations[2], &first.locations[3], &later.locations[0], &later.locations[1]];
    for place in guarded {
        assert_eq!(f.read(&lab, place).await, Err(404), "{place}");
        assert!(f.read(&gp, place).await.is_ok());
    }
    assert!(f.read(&lab, &first.locations[4]).await.is_ok(), "an ordinary file");
}
