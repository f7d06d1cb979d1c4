//! Provenance of every write and AuditEvents of every look, as they follow from the streams; and asking for a match.

use bytes::Bytes;
use keepwell_model::Stream;
use keepwell_service::{Client, OperationRequest, SearchIn, SearchRequest};
use serde_json::{Value, json};

use crate::fixture::{AMINA, Fixture, OTHER, amina, bundle, observation, patient, put};

const BASE: &str = "https://x.example/fhir";

async fn find(f: &Fixture, client: &Client, kind: &str, query: &[(&str, &str)]) -> Result<Value, u16> {
    let query: Vec<_> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    search(f, client, kind, &query.join("&")).await
}

async fn search(f: &Fixture, client: &Client, kind: &str, query: &str) -> Result<Value, u16> {
    let request = SearchRequest { of: SearchIn::Type(kind), query, base: BASE, lenient: false };
    let answer = f.service.search(client, &request).await.map_err(|error| error.status)?;
    Ok(serde_json::from_slice(&answer).unwrap())
}

fn entries(bundle: &Value) -> Vec<Value> {
    bundle["entry"].as_array().cloned().unwrap_or_default().into_iter().map(|it| it["resource"].clone()).collect()
}

fn guarded(mut resource: Value) -> Value {
    resource["meta"] = json!({ "security": [{ "system": "urn:keepwell:label", "code": "safeguarding" }] });
    resource
}

#[tokio::test]
async fn every_write_has_its_provenance_and_shows_only_what_its_reader_may_see() {
    let f = Fixture::new().await;
    let (gp, lab) = (f.client("gp").await, f.client("lab").await);
    let first = f.send(&gp, &bundle(vec![put(amina("1")), put(observation("a", "Patient/1", "1"))])).await.unwrap();
    f.clock.advance(86_400);
    f.send(&gp, &bundle(vec![put(guarded(observation("b", "Patient/1", "2")))])).await.unwrap();
    f.send(&gp, &bundle(vec![put(observation("a", "Patient/1", "3"))])).await.unwrap();
    f.send(&lab, &bundle(vec![put(amina("L"))])).await.unwrap();
    let record = first.response.record.unwrap().to_string();
    let all = find(&f, &gp, "Provenance", &[("patient", &record)]).await.unwrap();
    assert_eq!(all["total"], 4);
    let all = entries(&all);
    assert_eq!(all[0]["agent"][0]["who"]["display"], "lab organisation");
    assert_eq!(all[1]["activity"]["coding"][0]["code"], "UPDATE");
    assert_eq!(all[3]["activity"]["coding"][0]["code"], "CREATE");
    assert_eq!(all[3]["target"][1]["reference"], format!("{}/_history/1", first.locations[1]));
    let of = find(&f, &gp, "Provenance", &[("target", &first.locations[1])]).await.unwrap();
    assert_eq!(
        entries(&of).iter().map(|it| it["id"].clone()).collect::<Vec<_>>(),
        [format!("{record}.3"), format!("{record}.1")]
    );
    let early = find(&f, &gp, "Provenance", &[("patient", &record), ("recorded", "lt2026-11-24")]).await.unwrap();
    assert_eq!(early["total"], 1);
    // Each is read by its id, and what is hidden has no provenance.
    assert_eq!(f.read(&gp, &format!("Provenance/{record}.2")).await.unwrap()["recorded"], "2026-11-24T09:30:00.000Z");
    assert_eq!(f.read(&lab, &format!("Provenance/{record}.2")).await, Err(404));
    assert_eq!(find(&f, &lab, "Provenance", &[("patient", &record)]).await.unwrap()["total"], 3);
    let stranger = f.client("stranger").await;
    assert_eq!(find(&f, &stranger, "Provenance", &[("patient", &record)]).await.unwrap()["total"], 0);
    assert_eq!(find(&f, &gp, "Provenance", &[]).await, Err(422));
    assert_eq!(find(&f, &gp, "Provenance", &[("agnet", "x")]).await, Err(400));
}

#[tokio::test]
async fn a_trail_is_read_page_by_page() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    let record = f.send(&gp, &bundle(vec![put(amina("1"))])).await.unwrap().response.record.unwrap().to_string();
    for value in 1..5 {
        f.send(&gp, &bundle(vec![put(observation("a", "Patient/1", &value.to_string()))])).await.unwrap();
    }
    let mut query = format!("patient={record}&_count=2");
    let mut seen = Vec::new();
    loop {
        let page = search(&f, &gp, "Provenance", &query).await.unwrap();
        seen.extend(entries(&page).into_iter().map(|it| it["id"].as_str().unwrap().to_owned()));
        let links = page["link"].as_array().unwrap();
        let Some(next) = links.iter().find(|link| link["relation"] == "next") else { break };
        query = next["url"].as_str().unwrap().split_once('?').unwrap().1.to_owned();
    }
    assert_eq!(seen, (1..6).rev().map(|seq| format!("{record}.{seq}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_system_sees_the_lines_that_it_left_itself_and_no_others() {
    let f = Fixture::new().await;
    let (gp, lab) = (f.client("gp").await, f.client("lab").await);
    let first = f.send(&gp, &bundle(vec![put(amina("1")), put(observation("a", "Patient/1", "1"))])).await.unwrap();
    f.send(&lab, &bundle(vec![put(amina("L"))])).await.unwrap();
    let record = first.response.record.unwrap();
    let id = record.to_string();
    f.read(&gp, &first.locations[1]).await.unwrap();
    f.read(&lab, &first.locations[0]).await.unwrap();
    f.session().await;
    let own = find(&f, &gp, "AuditEvent", &[("patient", &id)]).await.unwrap();
    assert_eq!(own["total"], 1);
    let event = &entries(&own)[0];
    assert_eq!(
        (&event["type"]["code"], &event["action"], &event["outcome"], &event["agent"][0]["requestor"]),
        (&json!("rest"), &json!("R"), &json!("0"), &json!(true))
    );
    assert_eq!(event["entity"][0]["what"]["reference"], format!("Patient/{id}"));
    assert_eq!(event["agent"][0]["who"]["identifier"]["value"], "gp");
    // Looking at the lines leaves a line, which is there the next time.
    assert_eq!(find(&f, &gp, "AuditEvent", &[("patient", &id)]).await.unwrap()["total"], 2);
    let lines = f.tenant.head(record, Stream::Access).await.unwrap().unwrap().seq.0;
    assert_eq!(f.read(&gp, &format!("AuditEvent/{id}.1")).await.unwrap()["id"], format!("{id}.1"));
    assert_eq!(f.read(&gp, &format!("AuditEvent/{id}.2")).await, Err(404), "the lab's line");
    assert_eq!(
        f.read(&lab, &format!("AuditEvent/{id}.2")).await.unwrap()["agent"][0]["who"]["identifier"]["value"],
        "lab"
    );
    assert_eq!(f.tenant.head(record, Stream::Access).await.unwrap().unwrap().seq.0, lines + 2);
    let stranger = f.client("stranger").await;
    assert_eq!(find(&f, &stranger, "AuditEvent", &[("patient", &id)]).await.unwrap()["total"], 0);
}

#[tokio::test]
async fn nn_4_a_match_takes_number_and_details_and_says_nothing_else() {
    let f = Fixture::new().await;
    let (gp, stranger) = (f.client("gp").await, f.client("stranger").await);
    let record = f.send(&gp, &bundle(vec![put(amina("1"))])).await.unwrap().response.record.unwrap();
    let ask = async |client: &Client, patient: Value, more: &[(&str, &str)]| {
        let more: Vec<_> = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let body = Some(Bytes::from(patient.to_string()));
        let request = OperationRequest { parameters: &more, body, base: BASE };
        let answer = f.service.match_person(client, &request).await.map_err(|error| error.status)?;
        Ok::<Value, u16>(serde_json::from_slice(&answer).unwrap())
    };
    let grade = |answer: &Value| answer["entry"][0]["search"]["extension"][0]["valueCode"].clone();
    let lines = async || f.tenant.head(record, Stream::Access).await.unwrap().unwrap().seq.0;
    let found = ask(&gp, amina("x"), &[]).await.unwrap();
    assert_eq!((&found["total"], grade(&found)), (&json!(1), json!("certain")));
    assert_eq!((found["entry"][0]["resource"]["id"].as_str(), lines().await), (Some(&*record.to_string()), 1));
    let other_given = patient("x", Some(AMINA), "Mina", "Khan", "1958-02-11");
    let found = ask(&gp, other_given.clone(), &[]).await.unwrap();
    assert_eq!((grade(&found), &found["entry"][0]["search"]["score"]), (json!("probable"), &json!(0.8)));
    assert_eq!(ask(&gp, other_given, &[("onlyCertainMatches", "true")]).await.unwrap()["total"], 0);
    // Who does not feed the record gets a yes, and nothing that it did not say.
    let before = lines().await;
    let yes = ask(&stranger, amina("x"), &[]).await.unwrap();
    assert_eq!(yes["total"], 1);
    assert!(!yes.to_string().contains(&record.to_string()) && !yes.to_string().contains("Khan"));
    assert_eq!(lines().await, before);
    // Known and not agreeing, and not known: one answer.
    let wrong = ask(&stranger, patient("x", Some(AMINA), "Amina", "Khan", "1958-02-12"), &[]).await.unwrap();
    let unknown = ask(&stranger, patient("x", Some(OTHER), "Amina", "Khan", "1958-02-11"), &[]).await.unwrap();
    assert_eq!((&wrong, &wrong["total"]), (&unknown, &json!(0)));
    // A number alone, and details alone, are not enough to ask.
    let alone = json!({ "resourceType": "Patient", "identifier": amina("1")["identifier"] });
    assert_eq!(ask(&gp, alone, &[]).await, Err(422));
    assert_eq!(ask(&gp, patient("x", None, "Amina", "Khan", "1958-02-11"), &[]).await, Err(422));
    assert_eq!(ask(&gp, json!({ "resourceType": "Device" }), &[]).await, Err(400));
}

#[tokio::test]
async fn many_who_look_at_once_share_blocks_and_each_has_a_line_of_its_own() {
    let f = Fixture::new().await;
    let (gp, lab) = (f.client("gp").await, f.client("lab").await);
    let mut people = Vec::new();
    for (id, given) in [("a", "Ann"), ("b", "Ben"), ("c", "Cy")] {
        let patient = json!({ "resourceType": "Patient", "id": id, "name": [{ "family": "Many", "given": [given] }] });
        let sent = [put(patient.clone()), put(observation(&format!("o{id}"), &format!("Patient/{id}"), "1"))];
        let answer = f.send(&gp, &bundle(sent.to_vec())).await.unwrap();
        people.push((answer.response.record.unwrap(), answer.locations[1].clone()));
    }
    let (_, amina) = f.amina().await;
    f.send(&lab, &bundle(vec![put(crate::fixture::amina("L"))])).await.unwrap();
    let lab_patient = format!("Patient/{}", amina.record);
    let looks = (0..120).map(|i| {
        let (f, gp, lab, people, lab_patient) = (&f, &gp, &lab, &people, &lab_patient);
        async move {
            match i % 4 {
                3 => f.read(lab, lab_patient).await.unwrap(),
                at => f.read(gp, &people[at].1).await.unwrap(),
            }
        }
    });
    futures_util::future::join_all(looks).await;
    for (record, _) in &people {
        let head = f.tenant.head(*record, Stream::Access).await.unwrap().unwrap().seq.0;
        assert!(head < 30, "the lines of one record go together: {head} blocks");
        assert_eq!(f.tenant.count(*record, Stream::Access).await.unwrap(), Some(30));
        // Page by page, each once, the newest first, and each is read by its id.
        let (mut query, mut ids) = (format!("patient={record}&_count=7"), Vec::new());
        loop {
            let page = search(&f, &gp, "AuditEvent", &query).await.unwrap();
            let found = entries(&page);
            assert!(found.len() <= 7);
            ids.extend(found.into_iter().map(|it| it["id"].as_str().unwrap().to_owned()));
            let links = page["link"].as_array().unwrap();
            let Some(next) = links.iter().find(|link| link["relation"] == "next") else { break };
            query = next["url"].as_str().unwrap().split_once('?').unwrap().1.to_owned();
        }
        assert_eq!(ids, (1..=30).rev().map(|number| format!("{record}.{number}")).collect::<Vec<_>>());
        for id in ids {
            assert_eq!(f.read(&gp, &format!("AuditEvent/{id}")).await.unwrap()["id"], id);
        }
        assert_eq!(f.read(&gp, &format!("AuditEvent/{record}.0")).await, Err(404));
        assert_eq!(f.read(&gp, &format!("AuditEvent/{record}.99999999999")).await, Err(404));
    }
    let lines = f.service.who_looked(&amina, 1).await.unwrap();
    assert_eq!(lines.items.iter().filter(|line| line.who == "lab").count(), 30.min(lines.items.len()));
    let numbers: Vec<u32> = lines.items.iter().map(|line| line.number).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] == pair[1] + 1), "{numbers:?}");
}

#[tokio::test]
async fn a_line_that_cannot_be_written_keeps_back_its_own_look_and_nobody_elses() {
    let limits = keepwell_record::Limits { access_entries: 5, ..keepwell_record::Limits::default() };
    let engine = keepwell_record::EngineConfig { limits, ..keepwell_record::EngineConfig::default() };
    let f = Fixture::with(engine, keepwell_service::ServiceConfig::demonstration()).await;
    let gp = f.client("gp").await;
    let mut places = Vec::new();
    for id in ["1", "2"] {
        let patient = json!({ "resourceType": "Patient", "id": id, "name": [{ "family": "Full" }] });
        places.push(f.send(&gp, &bundle(vec![put(patient)])).await.unwrap().locations[0].clone());
    }
    for _ in 0..5 {
        f.read(&gp, &places[0]).await.unwrap();
    }
    // The first record takes no line any more. Those who look at the other one beside it are not held up by that.
    let looks = (0..10).map(|i| f.read(&gp, &places[i % 2]));
    let answers = futures_util::future::join_all(looks).await;
    for (i, answer) in answers.into_iter().enumerate() {
        match i % 2 {
            0 => assert_eq!(answer, Err(503)),
            _ => assert!(answer.is_ok(), "{answer:?}"),
        }
    }
}

#[tokio::test]
async fn who_gives_up_waiting_for_a_line_holds_nobody_up() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    let sent = f.send(&gp, &bundle(vec![put(amina("1"))])).await.unwrap();
    let place = sent.locations[0].clone();
    for round in 0..50 {
        let gone = f.read(&gp, &place);
        // Polled once or twice, then dropped in the middle.
        drop(tokio::time::timeout(std::time::Duration::from_micros(round), gone).await);
        f.read(&gp, &place).await.unwrap();
    }
    let lines = f.tenant.count(sent.response.record.unwrap(), Stream::Access).await.unwrap().unwrap();
    assert!((50..=100).contains(&lines), "{lines}");
}

#[tokio::test]
async fn what_sources_sent_about_origins_is_counted_paged_and_noted() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    let sent = |id: &str| {
        let target = json!([{ "reference": "Observation/a" }]);
        put(json!({
            "resourceType": "Provenance", "id": id, "target": target, "recorded": "2026-01-01T00:00:00Z",
            "agent": [{ "who": { "display": "x" } }],
        }))
    };
    let all = [put(amina("1")), put(observation("a", "Patient/1", "1")), sent("p"), sent("q")];
    let record = f.send(&gp, &bundle(all.to_vec())).await.unwrap().response.record.unwrap();
    let whole = find(&f, &gp, "Provenance", &[("patient", &record.to_string())]).await.unwrap();
    assert_eq!((&whole["total"], entries(&whole).len()), (&json!(3), 3), "two that were sent and the one of the block");
    let (mut query, mut ids) = (format!("patient={record}&_count=1"), Vec::new());
    loop {
        let page = search(&f, &gp, "Provenance", &query).await.unwrap();
        assert!(entries(&page).len() <= 1);
        ids.extend(entries(&page).into_iter().map(|it| it["id"].as_str().unwrap().to_owned()));
        let links = page["link"].as_array().unwrap();
        let Some(next) = links.iter().find(|link| link["relation"] == "next") else { break };
        query = next["url"].as_str().unwrap().split_once('?').unwrap().1.to_owned();
    }
    let expected: Vec<_> = entries(&whole).into_iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, expected);
}
