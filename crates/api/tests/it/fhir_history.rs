//! Versions and histories.

use axum::http::{StatusCode, header};

use crate::house::{House, bundle};

#[tokio::test]
async fn every_version_can_be_read_and_the_history_lists_them_newest_first() {
    let house = House::new().await;
    let (_, observation) = house.amina().await;
    house.scratch.clock.advance(3_600);
    house.post(bundle("5.5").to_string()).await;
    house.ask("DELETE", &observation).await;
    let asked = format!("{observation}/_history?_count=1&_since=2020-01-01T00:00:00%2B00:00&_format=json");
    let page = house.ask("GET", &asked).await.json();
    let link = |relation: &str| {
        let links = page["link"].as_array().unwrap();
        links.iter().find(|link| link["relation"] == relation).unwrap()["url"].as_str().unwrap().to_owned()
    };
    assert!(link("self").ends_with(&asked), "{} is what was asked", link("self"));
    assert!(link("next").ends_with("&_format=json"), "{}", link("next"));
    let answer = house.ask("GET", &format!("{observation}/_history")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let json = answer.json();
    assert_eq!((&json["type"], &json["total"]), (&"history".into(), &3.into()));
    let entries = json["entry"].as_array().unwrap();
    let of = |at: usize| (entries[at]["request"]["method"].clone(), entries[at]["response"]["status"].clone());
    assert_eq!(of(0), ("DELETE".into(), "204 No Content".into()));
    assert_eq!(of(1), ("PUT".into(), "200 OK".into()));
    assert_eq!(of(2), ("PUT".into(), "201 Created".into()));
    assert!(entries[0].get("resource").is_none());
    assert_eq!(entries[0]["fullUrl"], format!("https://keepwell.example{observation}"));
    for (at, status, value) in [(0, StatusCode::GONE, ""), (1, StatusCode::OK, "5.5"), (2, StatusCode::OK, "4.1")] {
        let etag = entries[at]["response"]["etag"].as_str().unwrap();
        let version = etag.trim_start_matches("W/").trim_matches('"');
        let read = house.ask("GET", &format!("{observation}/_history/{version}")).await;
        assert_eq!(read.status, status);
        assert!(read.text().contains(value), "{}", read.text());
        if status == StatusCode::OK {
            assert_eq!(read.header(header::ETAG), etag);
            assert_eq!(read.json(), entries[at]["resource"]);
        }
    }
    assert_eq!(entries[2]["request"]["url"], observation.trim_start_matches("/fhir/"));
    for version in ["0", "9", "x", "1x", ""] {
        let answer = house.ask("GET", &format!("{observation}/_history/{version}")).await;
        assert_eq!(answer.refusal().0, 404, "{version}");
    }
    let since = house.ask("GET", &format!("{observation}/_history?_since=2026-11-23T10:00:00Z")).await.json();
    assert_eq!(since["total"], 2);
    let at = house.ask("GET", &format!("{observation}/_history?_at=2026-11-23T09:45:00Z")).await.json();
    assert_eq!((&at["total"], &at["entry"][0]["response"]["status"]), (&1.into(), &"201 Created".into()));
}

#[tokio::test]
async fn the_history_of_a_record_is_cut_into_pages_that_new_versions_do_not_shift() {
    let house = House::new().await;
    let (patient, _) = house.amina().await;
    for value in ["5", "6", "7"] {
        house.post(bundle(value).to_string()).await;
    }
    let id = patient.rsplit('/').next().unwrap();
    let mut url = format!("/fhir/_history?patient=Patient/{id}&_count=2");
    let mut seen = Vec::new();
    loop {
        let page = house.ask("GET", &url).await.json();
        for entry in page["entry"].as_array().unwrap() {
            seen.push(format!("{} {}", entry["request"]["url"].as_str().unwrap(), entry["response"]["etag"]));
        }
        house.post(bundle(&seen.len().to_string()).to_string()).await;
        let Some(next) = page["link"].as_array().unwrap().iter().find(|link| link["relation"] == "next") else { break };
        url = next["url"].as_str().unwrap().strip_prefix("https://keepwell.example").unwrap().to_owned();
        assert!(!url.contains(id), "an address tells nothing");
    }
    assert_eq!(seen.len(), 5, "{seen:?}");
    let mut once = seen.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), 5);
    let of_type = house.ask("GET", &format!("/fhir/Patient/_history?patient={id}")).await.json();
    assert_eq!(of_type["total"], 1);
}

#[tokio::test]
async fn a_page_is_for_the_system_that_asked_for_it() {
    let house = House::new().await;
    let (patient, _) = house.amina().await;
    let id = patient.rsplit('/').next().unwrap();
    let page = house.ask("GET", &format!("/fhir/_history?patient={id}&_count=1")).await.json();
    let next = page["link"][1]["url"].as_str().unwrap().strip_prefix("https://keepwell.example").unwrap().to_owned();
    assert_eq!(house.ask("GET", &next).await.status, StatusCode::OK);
    let lab = house.another("lab").await;
    lab.amina().await;
    assert_eq!(lab.ask("GET", &next).await.refusal(), (400, "value".to_owned()));
    assert_eq!(house.ask("GET", &next.replace("_page=", "_page=A")).await.refusal().0, 400);
}

#[tokio::test]
async fn a_history_says_whose_it_is_or_is_the_directorys() {
    let house = House::new().await;
    let (patient, _) = house.amina().await;
    for (path, status) in [
        ("/fhir/_history", 422),
        ("/fhir/Observation/_history", 422),
        ("/fhir/Nonsense/_history", 404),
        ("/fhir/Patient/nonsense/_history", 404),
        ("/fhir/_history?patient=0123456789abcdef", 404),
        ("/fhir/_history?patient=p1", 404),
    ] {
        assert_eq!(house.ask("GET", path).await.refusal().0, status, "{path}");
    }
    assert_eq!(house.ask("GET", "/fhir/Organization/_history").await.json()["total"], 0);
    assert_eq!(house.ask("GET", &format!("{patient}/_history?nonsense=1")).await.refusal().0, 400);
    let lab = house.another("lab").await;
    for path in [
        format!("{patient}/_history"),
        format!("{patient}/_history/1"),
        patient.replace("/Patient/", "/_history?patient="),
    ] {
        assert_eq!(lab.ask("GET", &path).await.refusal(), (404, "not-found".to_owned()), "{path}");
    }
}
