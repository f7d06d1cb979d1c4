//! Searches in one record and in the directory.

use keepwell_service::{Client, SearchIn, SearchRequest};
use serde_json::{Value, json};

use crate::fixture::{AMINA, Fixture, OTHER, amina, bundle, observation, patient, put};

pub(crate) const BASE: &str = "https://x.example/fhir";

pub(crate) async fn ask(f: &Fixture, client: &Client, of: SearchIn<'_>, query: &str) -> Result<Value, u16> {
    let request = SearchRequest { of, query, base: BASE, lenient: false };
    let answer = f.service.search(client, &request).await.map_err(|error| error.status)?;
    Ok(serde_json::from_slice(&answer).unwrap())
}

async fn find(f: &Fixture, client: &Client, kind: &str, query: &str) -> Vec<String> {
    let answer = ask(f, client, SearchIn::Type(kind), query).await.unwrap();
    let none = Vec::new();
    let entries = answer["entry"].as_array().unwrap_or(&none).iter();
    entries.map(|entry| entry["fullUrl"].as_str().unwrap().strip_prefix(BASE).unwrap()[1..].to_owned()).collect()
}

fn at(mut resource: Value, when: &str) -> Value {
    resource["effectiveDateTime"] = json!(when);
    resource
}

/// Amina with three results, newest last.
async fn house() -> (Fixture, Client, Vec<String>) {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    let results =
        (1..=3).map(|n| at(observation(&n.to_string(), "Patient/1", &format!("{n}.5")), &format!("2026-0{n}-01")));
    let entries = std::iter::once(amina("1")).chain(results).map(put).collect();
    let places = f.send(&gp, &bundle(entries)).await.unwrap().locations;
    (f, gp, places)
}

#[tokio::test]
async fn a_search_by_keepwells_id_finds_what_is_in_that_record() {
    let (f, gp, places) = house().await;
    let id = places[0].strip_prefix("Patient/").unwrap();
    let newest = find(&f, &gp, "Observation", &format!("patient={id}&_sort=-date&_count=2")).await;
    assert_eq!(newest, [places[3].as_str(), &places[2]]);
    for whose in [
        format!("patient=Patient/{id}"),
        format!("subject:Patient={id}"),
        format!("subject={BASE}/Patient/{id}"),
        format!("patient.identifier=https://fhir.nhs.uk/Id/nhs-number|{AMINA}"),
    ] {
        let query = format!("{whose}&code=http://snomed.info/sct|1005671000000105&date=ge2026-02");
        assert_eq!(find(&f, &gp, "Observation", &query).await.len(), 2, "{whose}");
    }
    let by_id = format!("_id={}", places[1].split_once('/').unwrap().1);
    assert_eq!(find(&f, &gp, "Observation", &by_id).await, [places[1].as_str()]);
    for query in [format!("_id={id}"), format!("identifier=https://fhir.nhs.uk/Id/nhs-number|{AMINA}")] {
        assert_eq!(find(&f, &gp, "Patient", &query).await, [places[0].as_str()]);
    }
    let all = ask(&f, &gp, SearchIn::Compartment(id, None), "").await.unwrap();
    assert_eq!(all["total"], 4);
    let own = ask(&f, &gp, SearchIn::Compartment(id, Some("Observation")), "_summary=count").await.unwrap();
    assert_eq!((&own["total"], own.get("entry")), (&json!(3), None));
    let some = ask(&f, &gp, SearchIn::All, &format!("_type=Observation&patient={id}")).await.unwrap();
    assert_eq!(some["total"], 3);
}

#[tokio::test]
async fn a_search_that_does_not_say_whose_or_what_is_refused() {
    let (f, gp, places) = house().await;
    let id = places[0].strip_prefix("Patient/").unwrap();
    for (kind, query, status) in [
        ("Observation", "code=1".to_owned(), 422),
        ("Patient", "name=Khan".to_owned(), 422),
        ("Observation", format!("patient={id}&cod=1"), 400),
        ("Observation", format!("patient={id}&date=yesterday"), 400),
        ("Observations", format!("patient={id}"), 404),
    ] {
        assert_eq!(ask(&f, &gp, SearchIn::Type(kind), &query).await, Err(status), "{kind}?{query}");
    }
    let wrong = ask(&f, &gp, SearchIn::Compartment(id, Some("Organization")), "").await;
    assert_eq!(wrong, Err(404));
    let request = SearchRequest {
        of: SearchIn::Type("Observation"),
        query: &format!("patient={id}&cod=1"),
        base: BASE,
        lenient: true,
    };
    let lenient: Value = serde_json::from_slice(&f.service.search(&gp, &request).await.unwrap()).unwrap();
    assert_eq!((&lenient["total"], &lenient["entry"][0]["search"]["mode"]), (&json!(3), &json!("outcome")));
    assert!(!lenient["link"][0]["url"].as_str().unwrap().contains("cod="));
}

#[tokio::test]
async fn a_record_that_is_hidden_is_searched_as_one_that_is_not_there() {
    let (f, gp, places) = house().await;
    let stranger = f.client("stranger").await;
    let hidden = places[0].strip_prefix("Patient/").unwrap();
    let absent = keepwell_model::RecordId::from_bytes([7; 10]).to_string();
    let raw = async |query: &str| {
        let request = SearchRequest { of: SearchIn::Type("Observation"), query, base: BASE, lenient: false };
        f.service.search(&stranger, &request).await.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()).unwrap()
    };
    let (one, other) = (raw(&format!("patient={hidden}")).await, raw(&format!("patient={absent}")).await);
    assert_eq!(one.replace(hidden, "X"), other.replace(&absent, "X"));
    for number in [AMINA, OTHER] {
        assert!(find(&f, &stranger, "Patient", &format!("identifier={number}")).await.is_empty());
    }
    assert_eq!(find(&f, &gp, "Patient", &format!("identifier={AMINA}")).await.len(), 1);
}

#[tokio::test]
async fn pages_stay_as_they_were_when_the_first_was_asked_for() {
    let (f, gp, places) = house().await;
    let id = places[0].strip_prefix("Patient/").unwrap();
    let mut seen = Vec::new();
    let mut query = format!("patient={id}&_sort=date&_count=1");
    for round in 0..3 {
        let page = ask(&f, &gp, SearchIn::Type("Observation"), &query).await.unwrap();
        assert_eq!(page["total"], 3);
        seen.push(page["entry"][0]["fullUrl"].as_str().unwrap().rsplit('/').next().unwrap().to_owned());
        // What comes between the pages shifts nothing.
        let more = at(observation(&format!("new{round}"), "Patient/1", "9"), "2026-01-15");
        f.send(&gp, &bundle(vec![put(more)])).await.unwrap();
        let links = page["link"].as_array().unwrap();
        let url = |relation: &str| {
            let link = links.iter().find(|link| link["relation"] == relation)?;
            Some(link["url"].as_str().unwrap().split_once('?').unwrap().1.to_owned())
        };
        assert_eq!(url("previous").is_some(), round > 0);
        match url("next") {
            Some(next) => query = next,
            None => assert_eq!(round, 2),
        }
    }
    let expected: Vec<&str> = places[1..].iter().map(|place| place.split_once('/').unwrap().1).collect();
    assert_eq!(seen, expected);
    // Nobody else gets anywhere with such an address.
    let another = f.client("another").await;
    assert_eq!(ask(&f, &another, SearchIn::Type("Observation"), &query).await, Err(400));
}

#[tokio::test]
async fn the_directory_is_searched_by_its_types_and_follows_includes() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    let surgery = json!({ "resourceType": "Organization", "id": "s", "name": "Fictional Surgery" });
    let mut result = observation("k", "Patient/1", "1");
    result["performer"] = json!([{ "reference": "Organization/s" }]);
    let sent = f.send(&gp, &bundle(vec![put(surgery), put(amina("1")), put(result)])).await.unwrap();
    assert_eq!(find(&f, &gp, "Organization", "name=fictional").await, [sent.locations[0].as_str()]);
    let id = sent.locations[1].strip_prefix("Patient/").unwrap();
    let query = format!("patient={id}&performer:Organization.name=fict&_include=Observation:performer");
    let both = find(&f, &gp, "Observation", &query).await;
    assert_eq!(both, [sent.locations[2].as_str(), &sent.locations[0]]);
    let part = ask(&f, &gp, SearchIn::Type("Observation"), &format!("patient={id}&_elements=code")).await.unwrap();
    assert_eq!(part["entry"][0]["resource"]["meta"]["tag"][0]["code"], "SUBSETTED");
    assert!(part["entry"][0]["resource"].get("valueQuantity").is_none());
}

#[tokio::test]
async fn each_search_in_a_persons_record_leaves_a_line() {
    let (f, gp, places) = house().await;
    let id = places[0].strip_prefix("Patient/").unwrap();
    let session = f.session().await;
    let before = f.service.who_looked(&session, 1).await.unwrap().total;
    find(&f, &gp, "Observation", &format!("patient={id}")).await;
    find(&f, &gp, "Condition", &format!("patient={id}")).await;
    let ben = patient("2", Some(OTHER), "Ben", "Moss", "1990-01-01");
    f.send(&gp, &bundle(vec![put(ben)])).await.unwrap();
    find(&f, &gp, "Patient", &format!("identifier={OTHER}")).await;
    let lines = f.service.who_looked(&session, 1).await.unwrap();
    // The look at the lines themselves is one too.
    assert_eq!(lines.total, before + 3);
    assert_eq!(lines.items[1].what[0].count, 3);
}

#[tokio::test]
async fn an_address_under_our_own_base_is_what_it_names() {
    let (f, gp, places) = house().await;
    let id = places[0].strip_prefix("Patient/").unwrap();
    let mut derived = observation("9", "Patient/1", "9");
    derived["derivedFrom"] = json!([
        { "reference": format!("{BASE}/{}", places[1]) },
        { "reference": format!("https://other.example/fhir/{}", places[2]) },
    ]);
    let sent = f.send(&gp, &bundle(vec![put(derived)])).await.unwrap();
    let by = async |query: String| find(&f, &gp, "Observation", &query).await;
    assert_eq!(by(format!("patient={BASE}/Patient/{id}&derived-from={}", places[1])).await, sent.locations);
    assert_eq!(by(format!("patient={id}&derived-from={BASE}/{}", places[1])).await, sent.locations);
    assert!(by(format!("patient={id}&derived-from={}", places[2])).await.is_empty(), "another server's is another");
    let included = by(format!("patient={id}&_id={}&_include=Observation:derived-from", &sent.locations[0][12..])).await;
    assert_eq!(included, [sent.locations[0].clone(), places[1].clone()]);
    let chained = by(format!("patient={id}&derived-from.date=2026-01")).await;
    assert_eq!(chained, sent.locations);
    let back = by(format!("patient={id}&_id={}&_revinclude=Observation:derived-from", &places[1][12..])).await;
    assert_eq!(back, [places[1].clone(), sent.locations[0].clone()]);
}
