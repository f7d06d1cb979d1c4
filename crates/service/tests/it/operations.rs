//! Operations that read: what they show, what they hide, and that each leaves one line.

use bytes::Bytes;
use keepwell_model::{RecordId, Stream};
use keepwell_service::{Client, CodesOf, FhirError, OperationRequest};
use serde_json::{Value, json};

use crate::fixture::{Fixture, amina, bundle, observation, put};

pub(crate) const BASE: &str = "https://x.example/fhir";

fn pairs(query: &[(&str, &str)]) -> Vec<(String, String)> {
    query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Calls with parameters of the address.
macro_rules! call {
    ($query:expr, |$request:ident| $call:expr) => {{
        let parameters = pairs($query);
        let $request = OperationRequest { parameters: &parameters, body: None, base: BASE };
        read($call)
    }};
}

fn read(answer: Result<Bytes, FhirError>) -> Result<Value, u16> {
    let answer = answer.map_err(|error| error.status)?;
    Ok(serde_json::from_slice(&answer).unwrap())
}

fn references(bundle: &Value) -> Vec<String> {
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    let url = |entry: &Value| entry["fullUrl"].as_str().unwrap().trim_start_matches(&format!("{BASE}/")).to_owned();
    entries.iter().map(url).collect()
}

async fn lines(f: &Fixture, record: RecordId) -> u64 {
    f.tenant.head(record, Stream::Access).await.unwrap().unwrap().seq.0
}

fn guarded(mut resource: Value) -> Value {
    resource["meta"] = json!({ "security": [{ "system": "urn:keepwell:label", "code": "safeguarding" }] });
    resource
}

fn dated(id: &str, value: &str, date: &str) -> Value {
    let mut observation = observation(id, "Patient/1", value);
    observation["effectiveDateTime"] = json!(date);
    observation
}

/// Amina with three results, one of them guarded, and a surgery that belongs to another organisation.
async fn house(f: &Fixture) -> (Client, Client, RecordId) {
    let (gp, lab) = (f.client("gp").await, f.client("lab").await);
    let mut first = dated("a", "1", "2026-01-01");
    first["performer"] = json!([{ "reference": "Organization/surgery" }]);
    let trust = json!({ "resourceType": "Organization", "id": "trust", "name": "Trust" });
    let surgery = json!({
        "resourceType": "Organization", "id": "surgery", "name": "Surgery", "partOf": { "reference": "Organization/trust" },
    });
    let sent = vec![
        put(amina("1")),
        put(first),
        put(dated("b", "2", "2026-02-01")),
        put(guarded(dated("c", "3", "2026-03-01"))),
        put(surgery),
        put(trust),
        put(json!({ "resourceType": "Organization", "id": "unrelated", "name": "Unrelated" })),
    ];
    let record = f.send(&gp, &bundle(sent)).await.unwrap().response.record.unwrap();
    f.send(&lab, &bundle(vec![put(amina("L"))])).await.unwrap();
    (gp, lab, record)
}

#[tokio::test]
async fn everything_is_the_record_with_what_of_the_directory_it_refers_to_and_one_line() {
    let f = Fixture::new().await;
    let (gp, _, record) = house(&f).await;
    let id = record.to_string();
    let all = call!(&[], |request| f.service.everything(&gp, &id, &request).await).unwrap();
    let found = references(&all);
    assert_eq!(found[0], format!("Patient/{id}"));
    assert_eq!(found.iter().filter(|it| it.starts_with("Observation/")).count(), 3);
    assert_eq!(found.iter().filter(|it| it.starts_with("Organization/")).count(), 2, "the surgery and its trust");
    assert_eq!((all["total"].clone(), found.len()), (json!(4), 6));
    let modes: Vec<_> = all["entry"].as_array().unwrap().iter().map(|it| it["search"]["mode"].clone()).collect();
    assert_eq!(modes, ["match", "match", "match", "match", "include", "include"]);
    let performer = all["entry"][1]["resource"]["performer"][0]["reference"].as_str().unwrap();
    assert!(found.contains(&performer.to_owned()), "references lead to what is in the Bundle");
    assert_eq!(lines(&f, record).await, 1);
    for query in [[("_count", "x")], [("_type", "Observatoin")], [("start", "soon")], [("since", "2026")]] {
        let refused = call!(&query, |request| f.service.everything(&gp, &id, &request).await);
        assert_eq!(refused, Err(400), "{query:?}");
    }
    assert_eq!(lines(&f, record).await, 1, "what is refused shows nothing");
}

#[tokio::test]
async fn everything_is_narrowed_by_type_time_of_care_and_time_of_change() {
    let f = Fixture::new().await;
    let (gp, _, record) = house(&f).await;
    let id = record.to_string();
    let ask = async |query: &[(&str, &str)]| {
        let all = call!(query, |request| f.service.everything(&gp, &id, &request).await).unwrap();
        let mut kinds: Vec<_> = references(&all).iter().map(|it| it.split('/').next().unwrap().to_owned()).collect();
        kinds.dedup();
        (references(&all).len(), kinds.join(" "))
    };
    assert_eq!(ask(&[("_type", "Observation")]).await, (3, "Observation".to_owned()));
    assert_eq!(ask(&[("_type", "Patient,Organization")]).await, (1, "Patient".to_owned()));
    assert_eq!(ask(&[("start", "2026-02")]).await, (3, "Patient Observation".to_owned()));
    assert_eq!(ask(&[("start", "2026-02"), ("end", "2026-02")]).await, (2, "Patient Observation".to_owned()));
    assert_eq!(ask(&[("_since", "2026-11-23T09:30:00Z")]).await.0, 6);
    f.clock.advance(60);
    f.send(&gp, &bundle(vec![put(dated("b", "9", "2026-02-01"))])).await.unwrap();
    assert_eq!(ask(&[("_since", "2026-11-23T09:30:30Z")]).await, (1, "Observation".to_owned()));
}

#[tokio::test]
async fn everything_hides_what_the_permit_hides() {
    let f = Fixture::new().await;
    let (_, lab, record) = house(&f).await;
    let id = record.to_string();
    let all = call!(&[], |request| f.service.everything(&lab, &id, &request).await).unwrap();
    assert_eq!(all["total"], 3);
    assert!(!all.to_string().contains("2026-03-01"));
    let stranger = f.client("stranger").await;
    let hidden = call!(&[], |request| f.service.everything(&stranger, &id, &request).await);
    let nobody = call!(&[], |request| f.service.everything(&stranger, "0000000000000000", &request).await);
    assert_eq!((hidden, nobody), (Err(404), Err(404)));
}

#[tokio::test]
async fn pages_of_everything_show_one_version_of_the_record_whatever_is_written_meanwhile() {
    let f = Fixture::new().await;
    let (gp, lab, record) = house(&f).await;
    let id = record.to_string();
    let first = call!(&[("_count", "2")], |request| f.service.everything(&gp, &id, &request).await).unwrap();
    assert_eq!(first["total"], 4);
    let next = |page: &Value| {
        let link = page["link"].as_array().unwrap().iter().find(|link| link["relation"] == "next")?;
        Some(link["url"].as_str().unwrap().split_once("?_page=").unwrap().1.to_owned())
    };
    let cursor = next(&first).unwrap();
    let changed = vec![put(dated("b", "200", "2026-02-01")), put(dated("d", "4", "2026-04-01"))];
    f.send(&gp, &bundle(changed)).await.unwrap();
    let second = call!(&[("_page", &cursor)], |request| f.service.everything(&gp, &id, &request).await).unwrap();
    assert_eq!(next(&second), None);
    let text = second.to_string();
    assert!(text.contains("\"value\":2}") && !text.contains("\"value\":200") && !text.contains("2026-04-01"), "{text}");
    assert_eq!(references(&first).len() + references(&second).len() - 2, 4, "two organisations came along");
    // A page belongs to its list, its reader and its record.
    let foreign = call!(&[("_page", &cursor)], |request| f.service.everything(&lab, &id, &request).await);
    assert_eq!(foreign, Err(400));
    // What has been guarded since is not shown any more, in whatever version.
    f.send(&gp, &bundle(vec![put(guarded(dated("b", "2", "2026-02-01")))])).await.unwrap();
    let first = call!(&[("_count", "2")], |request| f.service.everything(&lab, &id, &request).await).unwrap();
    let cursor = next(&first).unwrap();
    f.send(&gp, &bundle(vec![put(guarded(dated("d", "4", "2026-04-01")))])).await.unwrap();
    let second = call!(&[("_page", &cursor)], |request| f.service.everything(&lab, &id, &request).await).unwrap();
    assert!(!second.to_string().contains("2026-04-01"));
}

#[tokio::test]
async fn a_summary_says_of_empty_sections_that_they_are_empty_and_hides_what_is_hidden() {
    let f = Fixture::new().await;
    let (gp, lab, record) = house(&f).await;
    let id = record.to_string();
    let document = call!(&[], |request| f.service.summary(&gp, &id, &request).await).unwrap();
    assert_eq!(
        (&document["type"], &document["entry"][0]["resource"]["resourceType"]),
        (&json!("document"), &json!("Composition"))
    );
    assert!(document["entry"][0]["resource"]["section"].to_string().contains("emptyReason"));
    assert!(document.to_string().contains("2026-03-01"));
    assert_eq!(lines(&f, record).await, 1);
    let less = call!(&[], |request| f.service.summary(&lab, &id, &request).await).unwrap();
    assert!(!less.to_string().contains("2026-03-01"));
    let kept = call!(&[("persist", "true")], |request| f.service.summary(&gp, &id, &request).await);
    assert_eq!(kept, Err(400));
}

#[tokio::test]
async fn a_document_is_whole_or_refused() {
    let f = Fixture::new().await;
    let (gp, lab, _) = house(&f).await;
    let composition = |id: &str, entry: &str| {
        json!({
            "resourceType": "Composition", "id": id, "status": "final", "date": "2026-11-01", "title": "Letter",
            "type": { "text": "Letter" }, "subject": { "reference": "Patient/1" },
            "author": [{ "reference": "Organization/surgery" }],
            "section": [{ "title": "Results", "entry": [{ "reference": entry }] }],
        })
    };
    let sent = vec![put(composition("one", "Observation/a")), put(composition("two", "Observation/c"))];
    let sent = f.send(&gp, &bundle(sent)).await.unwrap();
    let ids: Vec<_> = sent.locations.iter().map(|at| at.split('/').nth(1).unwrap().to_owned()).collect();
    let document = call!(&[], |request| f.service.document(&gp, &ids[0], &request).await).unwrap();
    let kinds: Vec<_> =
        document["entry"].as_array().unwrap().iter().map(|it| it["resource"]["resourceType"].clone()).collect();
    assert_eq!(kinds[0], "Composition");
    for kind in ["Patient", "Organization", "Observation"] {
        assert!(kinds.contains(&json!(kind)), "{kind}");
    }
    assert!(call!(&[], |request| f.service.document(&gp, &ids[1], &request).await).is_ok());
    assert_eq!(call!(&[], |request| f.service.document(&lab, &ids[1], &request).await), Err(422));
    assert_eq!(call!(&[], |request| f.service.document(&gp, "nonsense", &request).await), Err(404));
}

#[tokio::test]
async fn the_newest_observations_and_figures_are_those_of_what_may_be_seen() {
    let f = Fixture::new().await;
    let (gp, lab, record) = house(&f).await;
    let id = record.to_string();
    let newest = async |client: &Client, query: &[(&str, &str)]| {
        let mut query = query.to_vec();
        query.push(("patient", &id));
        let found = call!(&query, |request| f.service.last_observations(client, &request).await).unwrap();
        let values = found["entry"].as_array().cloned().unwrap_or_default();
        values.iter().map(|it| it["resource"]["valueQuantity"]["value"].to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(newest(&gp, &[]).await, "3");
    assert_eq!(newest(&gp, &[("max", "2")]).await, "3 2");
    assert_eq!(newest(&lab, &[("max", "9")]).await, "2 1");
    assert_eq!(newest(&gp, &[("code", "http://snomed.info/sct|1005671000000105")]).await, "3");
    assert_eq!(newest(&gp, &[("code", "1,2")]).await, "");
    assert_eq!(newest(&gp, &[("category", "laboratory")]).await, "3");
    assert_eq!(newest(&gp, &[("category", "vital-signs")]).await, "");
    assert_eq!(call!(&[], |request| f.service.last_observations(&gp, &request).await), Err(422));
    let before = lines(&f, record).await;
    let query = [
        ("subject", id.as_str()),
        ("code", "1005671000000105"),
        ("system", "http://snomed.info/sct"),
        ("duration", "10000"),
        ("statistic", "average,count,maximum"),
        ("include", "true"),
    ];
    let stats = call!(&query, |request| f.service.observation_stats(&gp, &request).await).unwrap();
    let figures = &stats["parameter"][0]["resource"]["component"];
    let value = |index: usize| figures[index]["valueQuantity"]["value"].to_string();
    assert_eq!([value(0), value(1), value(2)], ["2", "3", "3"]);
    assert_eq!(stats["parameter"].as_array().unwrap().len(), 4, "the figures and their three sources");
    assert_eq!(lines(&f, record).await, before + 1);
    let less = call!(&query, |request| f.service.observation_stats(&lab, &request).await).unwrap();
    assert_eq!(less["parameter"][0]["resource"]["component"][1]["valueQuantity"]["value"], 2);
    let odd = [("patient", id.as_str()), ("code", "x"), ("duration", "1"), ("statistic", "regression")];
    assert_eq!(call!(&odd, |request| f.service.observation_stats(&gp, &request).await), Err(400));
}

#[tokio::test]
async fn a_difference_is_told_between_versions_that_may_be_seen() {
    let f = Fixture::new().await;
    let (gp, lab, record) = house(&f).await;
    let sent = f.send(&gp, &bundle(vec![put(dated("b", "2.50", "2026-02-01"))])).await.unwrap();
    let id = sent.locations[0].split('/').nth(1).unwrap();
    let before = lines(&f, record).await;
    let diff = async |client: &Client, query: &[(&str, &str)]| {
        call!(query, |request| f.service.difference(client, "Observation", id, &request).await)
    };
    let told = diff(&gp, &[]).await.unwrap();
    assert_eq!(told["resourceType"], "Parameters");
    assert!(told.to_string().contains("2.5") && told["parameter"].as_array().unwrap().len() == 1, "{told}");
    assert_eq!(told, diff(&gp, &[("from", "1"), ("to", "3")]).await.unwrap());
    assert_eq!(lines(&f, record).await, before + 2);
    assert_eq!(diff(&gp, &[("from", "2")]).await, Err(404), "the second block holds no version of it");
    f.send(&gp, &bundle(vec![put(guarded(dated("b", "7", "2026-02-01")))])).await.unwrap();
    assert_eq!(diff(&lab, &[("from", "1"), ("to", "3")]).await, Err(404));
}

#[tokio::test]
async fn meta_tells_of_what_may_be_seen_and_of_one_person_only() {
    let f = Fixture::new().await;
    let (gp, lab, record) = house(&f).await;
    let id = record.to_string();
    let whole = |client: Client| {
        let (f, id) = (&f, id.clone());
        async move { call!(&[("patient", &id)], |request| f.service.record_meta(&client, None, &request).await).unwrap() }
    };
    assert!(whole(gp.clone()).await.to_string().contains("safeguarding"));
    assert!(!whole(lab).await.to_string().contains("safeguarding"));
    assert_eq!(call!(&[], |request| f.service.record_meta(&gp, Some("Observation"), &request).await), Err(422));
    let own = call!(&[], |request| f.service.resource_meta(&gp, "Patient", &id, &request).await).unwrap();
    assert_eq!(own["parameter"][0]["valueMeta"]["versionId"], "1", "its own Patient, not the lab's");
}

#[tokio::test]
async fn documents_are_those_of_the_time_or_the_newest_of_each_kind() {
    let f = Fixture::new().await;
    let (gp, _, record) = house(&f).await;
    let document = |id: &str, kind: &str, date: &str, status: &str| {
        json!({
            "resourceType": "DocumentReference", "id": id, "status": status, "date": format!("{date}T10:00:00Z"),
            "type": { "coding": [{ "system": "http://loinc.org", "code": kind }] },
            "subject": { "reference": "Patient/1" }, "content": [{ "attachment": { "url": "urn:x" } }],
        })
    };
    let sent = vec![
        put(document("old", "34133-9", "2026-01-05", "current")),
        put(document("new", "34133-9", "2026-06-05", "current")),
        put(document("letter", "11488-4", "2026-03-05", "current")),
        put(document("wrong", "11488-4", "2026-07-05", "entered-in-error")),
    ];
    f.send(&gp, &bundle(sent)).await.unwrap();
    let id = record.to_string();
    let ask = async |query: &[(&str, &str)]| {
        let mut query = query.to_vec();
        query.push(("patient", &id));
        let found = call!(&query, |request| f.service.document_references(&gp, &request).await).unwrap();
        let all = found["entry"].as_array().cloned().unwrap_or_default();
        all.iter().map(|it| it["resource"]["date"].as_str().unwrap()[..7].to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ask(&[]).await, "2026-06 2026-03");
    assert_eq!(ask(&[("start", "2026-01")]).await, "2026-06 2026-03 2026-01");
    assert_eq!(ask(&[("start", "2026-02"), ("end", "2026-04")]).await, "2026-03");
    assert_eq!(ask(&[("type", "http://loinc.org|34133-9")]).await, "2026-06");
}

#[tokio::test]
async fn codes_are_expanded_looked_up_and_checked() {
    let f = Fixture::new().await;
    let set = "http://hl7.org/fhir/ValueSet/administrative-gender";
    let system = "http://hl7.org/fhir/administrative-gender";
    let codes = call!(&[("url", set)], |request| f.service.expand_value_set(&request)).unwrap();
    assert_eq!(codes["expansion"]["contains"].as_array().unwrap().len(), 4);
    let few = call!(&[("url", set), ("count", "1"), ("filter", "fem")], |request| f.service.expand_value_set(&request));
    assert_eq!(few.unwrap()["expansion"]["contains"][0]["code"], "female");
    assert_eq!(call!(&[("url", "urn:none")], |request| f.service.expand_value_set(&request)), Err(404));
    let meaning = call!(&[("system", system), ("code", "female")], |request| f.service.look_up_code(&request)).unwrap();
    assert!(meaning.to_string().contains("\"Female\""));
    for (place, url) in [(CodesOf::ValueSet, set), (CodesOf::CodeSystem, system)] {
        for (code, belongs) in [("male", true), ("mail", false)] {
            let query = [("url", url), ("system", system), ("code", code)];
            let answer = call!(&query, |request| f.service.validate_code(place, &request)).unwrap();
            assert_eq!(answer["parameter"][0]["valueBoolean"], belongs, "{place:?} {code}");
        }
    }
    let same = [("system", system), ("codeA", "male"), ("codeB", "male")];
    let same = call!(&same, |request| f.service.subsumes(&request)).unwrap();
    assert_eq!(same["parameter"][0]["valueCode"], "equivalent");
}

#[tokio::test]
async fn validation_answers_with_an_outcome_and_a_kept_resource_leaves_a_line() {
    let f = Fixture::new().await;
    let (gp, lab, record) = house(&f).await;
    let validate = async |resource: Value, query: &[(&str, &str)]| {
        let parameters = pairs(query);
        let body = Some(Bytes::from(resource.to_string()));
        let request = OperationRequest { parameters: &parameters, body, base: BASE };
        read(f.service.validate(&gp, Some("Observation"), None, &request).await)
    };
    let worst = |outcome: &Value| {
        let all: Vec<_> = outcome["issue"].as_array().unwrap().iter().map(|it| it["severity"].clone()).collect();
        ["error", "warning", "information"].into_iter().find(|it| all.contains(&json!(it))).unwrap()
    };
    let good = json!({ "resourceType": "Observation", "status": "final", "code": { "text": "x" } });
    assert_ne!(worst(&validate(good.clone(), &[]).await.unwrap()), "error");
    let bad = json!({ "resourceType": "Observation", "status": "finished", "code": { "text": "x" } });
    assert_eq!(worst(&validate(bad.clone(), &[]).await.unwrap()), "error");
    let wrapped = json!({ "resourceType": "Parameters", "parameter": [{ "name": "mode", "valueCode": "create" }, { "name": "resource", "resource": bad }] });
    assert_eq!(worst(&validate(wrapped, &[]).await.unwrap()), "error");
    let other = json!({ "resourceType": "Patient" });
    assert_eq!(worst(&validate(other, &[]).await.unwrap()), "error", "another type than the address says");
    assert_eq!(validate(good, &[("mode", "guess")]).await, Err(400));
    let id = record.to_string();
    let before = lines(&f, record).await;
    let kept = call!(&[], |request| f.service.validate(&gp, Some("Patient"), Some(&id), &request).await).unwrap();
    assert_eq!(kept["resourceType"], "OperationOutcome");
    assert_eq!(lines(&f, record).await, before + 1);
    let guarded = call!(&[("_type", "Observation")], |request| f.service.everything(&gp, &id, &request).await).unwrap();
    let guarded = references(&guarded)[2].split('/').nth(1).unwrap().to_owned();
    let hidden = call!(&[], |request| f.service.validate(&lab, Some("Observation"), Some(&guarded), &request).await);
    assert_eq!(hidden, Err(404));
}
