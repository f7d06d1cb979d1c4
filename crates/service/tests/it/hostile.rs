//! Attempts to get something into, or out of, a record that it does not belong to.

use keepwell_service::{Client, Session};
use serde_json::{Value, json};

use crate::fixture::{AMINA, Fixture, OTHER, amina, bundle, delete, observation, patient, post, put};

struct Two {
    f: Fixture,
    gp: Client,
    lab: Client,
    amina: Session,
    ben_record: keepwell_model::RecordId,
}

/// Amina and Ben, both sent by the GP.
async fn two() -> Two {
    let f = Fixture::new().await;
    let (gp, lab) = (f.client("gp").await, f.client("lab").await);
    f.send(&gp, &bundle(vec![put(amina("1")), put(observation("k", "Patient/1", "4.2"))])).await.unwrap();
    let ben = f.send(&gp, &bundle(vec![put(ben("2")), put(observation("b", "Patient/2", "9.9"))])).await.unwrap();
    let amina = f.session().await;
    Two { f, gp, lab, amina, ben_record: ben.response.record.unwrap() }
}

fn ben(id: &str) -> Value {
    patient(id, Some(OTHER), "Ben", "Moss", "1990-01-01")
}

impl Two {
    async fn refused(&self, client: &Client, entries: Vec<Value>) -> u16 {
        let before = self.heads().await;
        let status = match self.f.send(client, &bundle(entries.clone())).await {
            Err(error) => error.status,
            Ok(answer) => panic!("taken: {:?} {entries:?}", answer.statuses),
        };
        assert_eq!(self.heads().await, before, "something was written");
        status
    }

    async fn heads(&self) -> Vec<u64> {
        let mut heads = Vec::new();
        for record in [self.amina.record, self.ben_record, self.f.tenant.directory()] {
            heads.push(self.f.tenant.open(record).await.unwrap().unwrap().head().seq.0);
        }
        heads
    }
}

#[tokio::test]
async fn a_bundle_about_two_people_is_refused_however_they_are_named() {
    let two = two().await;
    let two_subjects = json!({
        "resourceType": "Appointment", "id": "a", "status": "booked",
        "participant": [{ "actor": { "reference": "Patient/1" } }, { "actor": { "reference": "Patient/2" } }],
    });
    for entries in [
        vec![put(amina("1")), put(ben("2"))],
        vec![put(amina("1")), put(observation("x", "Patient/2", "1"))],
        vec![put(observation("x", "Patient/1", "1")), put(observation("y", "Patient/2", "1"))],
        vec![put(amina("1")), delete("Patient/2")],
        vec![put(amina("1")), put(two_subjects)],
        vec![put(amina("1")), put(observation("x", "Patient/2/_history/1", "1"))],
        vec![put(amina("1")), put(observation("x", "https://elsewhere.example/fhir/Patient/1", "1"))],
        vec![
            post("urn:uuid:aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa", amina("1")),
            put(observation("x", "Patient/2", "1")),
        ],
    ] {
        assert_eq!(two.refused(&two.gp, entries).await, 422);
    }
}

#[tokio::test]
async fn a_person_named_by_identifier_alone_is_refused_unless_the_patient_is_in_the_bundle() {
    let two = two().await;
    let by = |subject: Value| {
        let mut it = observation("x", "Patient/1", "1");
        it["subject"] = subject;
        it
    };
    let system = "https://fhir.nhs.uk/Id/nhs-number";
    let identifier = |number: &str| json!({ "type": "Patient", "identifier": { "system": system, "value": number } });
    let search = |number: &str| json!({ "reference": format!("Patient?identifier={system}|{number}") });
    for subject in [identifier(OTHER), search(OTHER)] {
        assert_eq!(two.refused(&two.gp, vec![put(by(subject.clone()))]).await, 422);
        assert_eq!(two.refused(&two.gp, vec![put(amina("1")), put(by(subject))]).await, 422);
    }
    for subject in [identifier(AMINA), search(AMINA)] {
        assert!(two.f.send(&two.gp, &bundle(vec![put(amina("1")), put(by(subject))])).await.is_ok());
    }
}

#[tokio::test]
async fn things_that_say_nobody_or_hide_somebody_are_refused() {
    let two = two().await;
    let with = |change: fn(&mut Value)| {
        let mut it = observation("x", "Patient/1", "1");
        change(&mut it);
        it
    };
    for resource in [
        with(|it| drop(it.as_object_mut().unwrap().remove("subject"))),
        with(|it| it["subject"] = json!({ "display": "Ben Moss" })),
        with(|it| it["subject"] = json!({ "reference": "Group/1" })),
        with(|it| it["subject"] = json!({ "reference": "#p" })),
        with(|it| it["subject"] = json!({ "reference": "urn:uuid:00000000-0000-4000-8000-000000000000" })),
        with(|it| {
            // Somebody else inside the resource, and a link to something of hers to make it look like hers.
            it["contained"] = json!([{ "resourceType": "Patient", "id": "p", "name": [{ "family": "Moss" }] }]);
            it["subject"] = json!({ "reference": "#p" });
            it["derivedFrom"] = json!([{ "reference": "Observation/k" }]);
        }),
        json!({ "resourceType": "Provenance", "id": "x", "target": [{ "reference": "Observation/b" }] }),
        json!({ "resourceType": "Binary", "id": "x", "contentType": "text/plain", "data": "QQ==" }),
        json!({ "resourceType": "Parameters", "id": "x" }),
    ] {
        assert_eq!(two.refused(&two.gp, vec![put(amina("1")), put(resource)]).await, 422);
    }
    // The same kind of thing about something of hers is taken.
    let hers = json!({ "resourceType": "Provenance", "id": "x", "target": [{ "reference": "Observation/k" }] });
    assert!(two.f.send(&two.gp, &bundle(vec![put(amina("1")), put(hers)])).await.is_ok());
}

#[tokio::test]
async fn the_same_id_twice_in_a_bundle_is_refused() {
    let two = two().await;
    for entries in [
        vec![put(amina("1")), put(observation("x", "Patient/1", "1")), put(observation("x", "Patient/1", "2"))],
        vec![put(amina("1")), put(observation("x", "Patient/1", "1")), delete("Observation/x")],
        vec![
            put(amina("1")),
            put(observation("x", "Patient/1", "1")),
            post("urn:uuid:bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb", observation("x", "Patient/1", "2")),
        ],
    ] {
        assert_eq!(two.refused(&two.gp, entries).await, 400);
    }
    let twice = br#"{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Patient","id":"1","id":"2"},
        "request":{"method":"PUT","url":"Patient/1"}}]}"#;
    assert_eq!(two.f.service.transaction(&two.gp, bytes::Bytes::from_static(twice)).await.unwrap_err().status, 400);
}

#[tokio::test]
async fn one_source_cannot_change_delete_or_claim_what_another_sent() {
    let two = two().await;
    two.f.send(&two.lab, &bundle(vec![put(amina("1"))])).await.unwrap();
    let before = two.f.service.test_results(&two.amina, 1).await.unwrap().items;
    // The same id under another source's name is another thing.
    two.f.send(&two.lab, &bundle(vec![put(amina("1")), delete("Observation/k")])).await.unwrap();
    assert_eq!(two.f.service.test_results(&two.amina, 1).await.unwrap().items, before);
    two.f.send(&two.lab, &bundle(vec![put(amina("1")), put(observation("k", "Patient/1", "66"))])).await.unwrap();
    let after = two.f.service.test_results(&two.amina, 1).await.unwrap();
    assert_eq!((after.total, after.items.iter().filter(|it| it.source == "gp organisation").count()), (2, 1));
    // A source says in its content that it is somebody else: the name on the page is still its own.
    let mut spoof = observation("s", "Patient/1", "1");
    spoof["meta"] = json!({ "source": "gp", "tag": [{ "code": "gp" }] });
    two.f.send(&two.lab, &bundle(vec![put(amina("1")), put(spoof)])).await.unwrap();
    let all = two.f.service.test_results(&two.amina, 1).await.unwrap().items;
    assert_eq!(all.iter().filter(|it| it.source == "lab organisation").count(), 2);
}

#[tokio::test]
async fn the_patients_of_two_people_cannot_be_swapped() {
    let two = two().await;
    for entries in [
        vec![put(patient("1", Some(OTHER), "Ben", "Moss", "1990-01-01"))],
        vec![put(patient("2", Some(AMINA), "Amina", "Khan", "1958-02-11"))],
        vec![put(patient("1", None, "Ben", "Moss", "1990-01-01"))],
        vec![put(patient("1", Some(OTHER), "Amina", "Khan", "1958-02-11"))],
        vec![put(patient("1", Some(AMINA), "Ben", "Moss", "1990-01-01"))],
        vec![put(patient("9", Some(AMINA), "Ben", "Moss", "1990-01-01"))],
    ] {
        assert_eq!(two.refused(&two.gp, entries).await, 422);
    }
    let mut both = amina("1");
    both["identifier"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "system": "https://fhir.nhs.uk/Id/nhs-number", "value": OTHER }));
    assert_eq!(two.refused(&two.gp, vec![put(both)]).await, 422);
}

#[tokio::test]
async fn keepwells_own_ids_open_nothing_to_a_source_that_writes_them() {
    let two = two().await;
    // A source that has learnt the id of Ben's record and of a thing in it gets what an id that was never given gets.
    let record = two.ben_record;
    for record in [record.to_string(), "0123456789abcdef".to_owned()] {
        let as_subject = put(observation("x", &format!("Patient/{record}"), "1"));
        assert_eq!(two.refused(&two.lab, vec![as_subject]).await, 422);
        let mut into = observation("x", "Patient/1", "1");
        into["id"] = json!(format!("{record}-2"));
        assert_eq!(two.refused(&two.lab, vec![put(amina("1")), put(into)]).await, 404);
        assert_eq!(two.refused(&two.lab, vec![put(amina("1")), delete(&format!("Observation/{record}-2"))]).await, 404);
        assert_eq!(two.refused(&two.lab, vec![delete(&format!("Observation/{record}-2"))]).await, 404);
    }
    // A reference to it is given out as it came in, and reading it back is refused.
    let mut points = observation("y", "Patient/1", "1");
    points["derivedFrom"] = json!([{ "reference": format!("Observation/{record}-2") }]);
    two.f.send(&two.lab, &bundle(vec![put(amina("1")), put(points)])).await.unwrap();
    assert_eq!(two.f.read(&two.lab, &format!("Observation/{record}-2")).await, Err(404));
    assert_eq!(two.f.read(&two.lab, &format!("Patient/{record}")).await, Err(404));
}

#[tokio::test]
async fn a_reference_never_resolves_into_another_persons_record_or_to_another_sources_thing() {
    let two = two().await;
    let mut points = observation("y", "Patient/1", "1");
    points["derivedFrom"] = json!([{ "reference": "Observation/b" }, { "reference": "Observation/k" }]);
    let gp = two.f.send(&two.gp, &bundle(vec![put(amina("1")), put(points.clone())])).await.unwrap();
    let lab = two.f.send(&two.lab, &bundle(vec![put(amina("1")), put(points)])).await.unwrap();
    let read = two.f.read(&two.gp, &gp.locations[1]).await.unwrap();
    assert_eq!(read["derivedFrom"][0]["reference"], "Observation/b");
    assert_ne!(read["derivedFrom"][1]["reference"], "Observation/k");
    let read = two.f.read(&two.lab, &lab.locations[1]).await.unwrap();
    assert_eq!(read["derivedFrom"][1]["reference"], "Observation/k");
}

#[tokio::test]
async fn a_reference_to_a_hidden_thing_does_not_tell_that_it_is_there() {
    let f = Fixture::new().await;
    let mind = f.client_of("mind", keepwell_service::CareSetting::MentalHealth).await;
    let gp = f.client("gp").await;
    f.send(&mind, &bundle(vec![put(amina("1")), put(observation("h", "Patient/1", "1"))])).await.unwrap();
    f.send(&gp, &bundle(vec![put(amina("1"))])).await.unwrap();
    // The hidden thing is the mental health service's own Patient entry too: the GP sees its own.
    let record = f.session().await.record;
    let read = f.read(&gp, &format!("Patient/{record}")).await.unwrap();
    assert_eq!(read["meta"]["versionId"], "2");
    assert_eq!(f.read(&gp, &format!("Observation/{record}-2")).await, Err(404));
    assert_eq!(f.read(&gp, &format!("Observation/{record}-7")).await, Err(404));
}

#[tokio::test]
async fn deletions_that_say_nobody_are_refused_and_deletions_of_strangers_do_nothing() {
    let two = two().await;
    assert_eq!(two.refused(&two.gp, vec![delete("Observation/b")]).await, 422);
    assert_eq!(two.refused(&two.lab, vec![put(amina("1")), delete("Patient/2")]).await, 422);
    let before = two.heads().await;
    two.f.send(&two.lab, &bundle(vec![delete("Patient/2")])).await.unwrap();
    two.f.send(&two.lab, &bundle(vec![delete("Organization/o"), delete("Device/d")])).await.unwrap();
    assert_eq!(two.heads().await, before);
    // A deletion inside one person's Bundle does not reach into another person's record.
    two.f.send(&two.gp, &bundle(vec![put(amina("1")), delete("Observation/b")])).await.unwrap();
    assert_eq!(two.heads().await, before);
}

#[tokio::test]
async fn nothing_about_a_person_reaches_the_directory_that_every_system_reads() {
    let two = two().await;
    let urn = "urn:uuid:cccccccc-cccc-4ccc-8ccc-cccccccccccc";
    let of = |reference: &str| {
        let extension = json!([{ "url": "urn:x", "valueReference": { "reference": reference } }]);
        put(json!({ "resourceType": "Organization", "id": "o", "extension": extension }))
    };
    for resource in [
        put(json!({ "resourceType": "Group", "id": "g", "member": [{ "entity": { "reference": "Patient/2" } }] })),
        put(json!({ "resourceType": "Group", "id": "g", "name": "People of Amina's street" })),
        put(json!({ "resourceType": "Person", "id": "p", "name": [{ "family": "Khan" }] })),
        put(json!({ "resourceType": "Location", "id": "l", "contained": [{ "id": "p", "resourceType": "Patient" }] })),
        of("Patient/1"),
        of("https://elsewhere.example/fhir/Patient/7"),
        of("Patient?identifier=x|y"),
        of(urn),
    ] {
        assert_eq!(two.refused(&two.gp, vec![post(urn, amina("1")), resource]).await, 422);
    }
    let organisation = json!({ "resourceType": "Organization", "id": "o", "contact": [{ "name": { "family": "X" } }] });
    let answer = two.f.send(&two.gp, &bundle(vec![put(amina("1")), put(organisation)])).await.unwrap();
    assert!(answer.locations[1].contains(&two.f.tenant.directory().to_string()));
}

#[tokio::test]
async fn names_that_only_look_like_the_patients_are_refused() {
    let two = two().await;
    let with = |subject: Value| {
        let mut it = observation("x", "Patient/1", "1");
        it["subject"] = subject;
        it
    };
    for subject in [
        json!([{ "reference": "Patient/1" }, { "reference": "Patient/2" }]),
        json!({ "reference": "patient/1" }),
        json!({ "reference": "Patient/1#x" }),
        json!({ "reference": "/Patient/1" }),
        json!({ "reference": "Patient/1/Patient/2" }),
        json!({ "reference": "https://a.example/Observation/1/Patient/2" }),
    ] {
        assert_eq!(two.refused(&two.gp, vec![put(amina("1")), put(with(subject))]).await, 422);
    }
    // An entry that says of itself that it is on another server does not make that server's Patient ours.
    let mut fake = put(with(json!({ "reference": "https://a.example/Patient/2" })));
    fake["fullUrl"] = json!("https://a.example/Observation/x");
    assert_eq!(two.refused(&two.gp, vec![put(amina("1")), fake]).await, 422);
}
