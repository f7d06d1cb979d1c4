//! Leaks that were found in other servers (threats T1, T2, T3, T5 of the threat model), asked of two worlds that differ
//! only in what the asker may not see. Every answer is the same, byte for byte.

use keepwell_service::{CareSetting, Client, HistoryOf, HistoryRequest, SearchIn, SearchRequest};
use serde_json::{Value, json};

use crate::fixture::{Fixture, amina, bundle, observation, put};
use crate::search::BASE;

struct House {
    f: Fixture,
    gp: Client,
    id: String,
    results: Vec<String>,
}

fn encounter(id: &str, subject: &str, status: &str) -> Value {
    json!({
        "resourceType": "Encounter", "id": id, "status": status, "subject": { "reference": subject },
        "class": { "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB" }
    })
}

fn dated(mut resource: Value, day: &str, encounter: &str) -> Value {
    resource["effectiveDateTime"] = json!(day);
    resource["encounter"] = json!({ "reference": encounter });
    resource
}

/// Amina's record as her practice fills it; with `hidden`, a sexual health clinic has added to it since.
async fn house(hidden: bool) -> House {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    let clinic = f.client_of("clinic", CareSetting::SexualHealth).await;
    let mut entries = vec![put(amina("1")), put(encounter("e", "Patient/1", "finished"))];
    entries.extend((1..=4).map(|n| {
        put(dated(observation(&n.to_string(), "Patient/1", &n.to_string()), &format!("2026-01-0{n}"), "Encounter/e"))
    }));
    let list = json!({
        "resourceType": "List", "id": "l", "status": "current", "mode": "working",
        "subject": { "reference": "Patient/1" }, "entry": [{ "item": { "reference": "Observation/1" } }]
    });
    entries.push(put(list));
    let sent = f.send(&gp, &bundle(entries)).await.unwrap();
    if hidden {
        let mut secret = dated(observation("h", "Patient/c", "99"), "2026-01-09", "Encounter/he");
        secret["code"]["coding"][0]["code"] = json!("hidden-code");
        let derived = json!([{ "reference": "Observation/h" }]);
        let mut second = dated(observation("h2", "Patient/c", "0.1"), "2025-12-01", "Encounter/he");
        second["derivedFrom"] = derived;
        let entries = vec![put(amina("c")), put(encounter("he", "Patient/c", "planned")), put(secret), put(second)];
        f.send(&clinic, &bundle(entries)).await.unwrap();
    }
    let id = sent.locations[0].strip_prefix("Patient/").unwrap().to_owned();
    House { f, gp, id, results: sent.locations }
}

impl House {
    /// An answer as bytes, but for the sealed addresses of other pages, which no two answers share.
    async fn ask(&self, of: SearchIn<'_>, query: &str, lenient: bool) -> String {
        let request = SearchRequest { of, query, base: BASE, lenient };
        match self.f.service.search(&self.gp, &request).await {
            Ok(bytes) => without_pages(std::str::from_utf8(&bytes).unwrap()),
            Err(error) => format!("{} {}", error.status, String::from_utf8_lossy(&error.outcome())),
        }
    }
}

fn without_pages(answer: &str) -> String {
    let mut out = String::new();
    let mut rest = answer;
    while let Some((before, after)) = rest.split_once("_page=") {
        out.push_str(before);
        out.push_str("_page");
        rest = after.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    }
    out + rest
}

async fn same(queries: &[(&str, &str)]) {
    let (with, without) = (house(true).await, house(false).await);
    assert_eq!(with.id, without.id);
    for (kind, query) in queries {
        let query = query.replace("{id}", &with.id).replace("{first}", with.results[2].split_once('/').unwrap().1);
        for lenient in [false, true] {
            let of = SearchIn::Type(kind);
            let (one, other) = (with.ask(of, &query, lenient).await, without.ask(of, &query, lenient).await);
            assert_eq!(one, other, "{kind}?{query}");
            // The question itself is said back.
            assert!(query.contains("hidden-code") || !one.contains("hidden-code"), "{kind}?{query}");
        }
    }
}

#[tokio::test]
async fn t2_what_is_hidden_comes_with_no_include_as_it_did_in_ms_fhir_server_5683() {
    same(&[
        ("Patient", "_id={id}&_revinclude=Observation:subject&_revinclude=Encounter:subject"),
        ("Patient", "_id={id}&_revinclude=Observation:subject&_revinclude:iterate=Observation:derived-from"),
        ("Observation", "patient={id}&_include=Observation:encounter&_include:iterate=Encounter:subject"),
        ("Observation", "patient={id}&_include=*&_count=1"),
        ("Encounter", "patient={id}&_revinclude=Observation:encounter&_count=1"),
    ])
    .await;
}

#[tokio::test]
async fn t3_nothing_can_be_inferred_by_has_chains_and_counts_as_it_could_in_hapi_fhir_6065() {
    same(&[
        ("Patient", "_id={id}&_has:Observation:subject:code=hidden-code"),
        ("Patient", "_id={id}&_has:Observation:subject:value-quantity=gt50"),
        ("Patient", "_id={id}&_has:Encounter:subject:status=planned"),
        ("Encounter", "patient={id}&_has:Observation:encounter:date=2026-01-09"),
        ("Observation", "patient={id}&encounter.status=planned"),
        ("Observation", "patient={id}&encounter:Encounter.status=planned,finished"),
        ("Observation", "patient={id}&code=hidden-code"),
        ("Observation", "patient={id}&code:not=1005671000000105"),
        ("Observation", "patient={id}&_summary=count"),
        ("Observation", "patient={id}&_count=0&_total=accurate"),
        ("Encounter", "patient={id}&_total=accurate&_elements=status"),
        ("Observation", "patient={id}&derived-from:missing=false"),
        ("Observation", "patient={id}&_content=hidden"),
        ("Observation", "patient={id}&_lastUpdated=ge2026-11-23"),
    ])
    .await;
}

#[tokio::test]
async fn t3_order_and_pages_show_no_gap_where_something_is_hidden() {
    same(&[
        ("Observation", "patient={id}&_sort=-date&_count=2"),
        ("Observation", "patient={id}&_sort=value-quantity&_count=1"),
        ("Observation", "patient={id}&_sort=-_lastUpdated,_id&_count=3"),
        ("Observation", "patient={id}&_list={first}"),
    ])
    .await;
}

#[tokio::test]
async fn t5_lenient_handling_never_shows_more_of_people_as_in_ms_fhir_server_5817() {
    same(&[
        ("Observation", "patient={id}&unknown=1"),
        ("Observation", "pacient={id}"),
        ("Observation", "patient:nonsense={id}"),
        ("Observation", "code=hidden-code"),
    ])
    .await;
}

#[tokio::test]
async fn t1_an_id_that_is_hidden_is_like_one_that_was_never_given() {
    let (with, without) = (house(true).await, house(false).await);
    let clinic = with.f.service.client("clinic").await.unwrap().unwrap();
    let request = SearchRequest {
        of: SearchIn::Type("Observation"),
        query: &format!("patient={}&code=hidden-code", with.id),
        base: BASE,
        lenient: false,
    };
    let own: Value = serde_json::from_slice(&with.f.service.search(&clinic, &request).await.unwrap()).unwrap();
    let hidden = own["entry"][0]["resource"]["id"].as_str().unwrap();
    let mut answers = Vec::new();
    for house in [&with, &without] {
        let mut said = vec![
            house.ask(SearchIn::Type("Observation"), &format!("_id={hidden}"), false).await,
            house
                .ask(SearchIn::Type("Observation"), &format!("patient={}&derived-from={hidden}", house.id), false)
                .await,
            house.ask(SearchIn::Compartment(&house.id, None), "", false).await,
            house.ask(SearchIn::Compartment(&house.id, Some("Encounter")), "_summary=text", false).await,
        ];
        let read = house.f.service.read_resource(&house.gp, "Observation", hidden).await.unwrap_err();
        said.push(String::from_utf8(read.outcome().to_vec()).unwrap());
        let patient = house.f.service.read_resource(&house.gp, "Patient", &house.id).await.unwrap();
        said.push(format!("{} {}", patient.version, String::from_utf8(patient.json.to_vec()).unwrap()));
        let parameters = [("patient".to_owned(), house.id.clone())];
        let request = HistoryRequest { of: HistoryOf::Record, parameters: &parameters, base: BASE };
        let history = house.f.service.history(&house.gp, &request).await.unwrap();
        said.push(String::from_utf8(history.to_vec()).unwrap());
        answers.push(said);
    }
    assert_eq!(answers[0], answers[1]);
}
