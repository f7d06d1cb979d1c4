//! `POST /fhir`.

use axum::http::{StatusCode, header};

use crate::house::{FHIR_JSON, House, bundle};

#[tokio::test]
async fn a_transaction_is_kept_and_read_back_as_it_was_sent() {
    let house = House::new().await;
    let body = bundle("4.1").to_string().replace("4.1}", "4.10}").replace(",\"id\"", ",\n  \"id\"");
    let answer = house.post(body).await;
    assert_eq!((answer.status, answer.header(header::CONTENT_TYPE)), (StatusCode::OK, FHIR_JSON));
    let json = answer.json();
    assert_eq!(json["type"], "transaction-response");
    assert_eq!(json["entry"][0]["response"]["status"], "201 Created");
    let location = json["entry"][1]["response"]["location"].as_str().unwrap();
    let read = house.ask("GET", &format!("/fhir/{}", location.split("/_history").next().unwrap())).await;
    assert!(read.text().contains("\"value\":4.10"), "{}", read.text());
    assert_eq!(read.json()["effectiveDateTime"], "2026-11-20");
}

#[tokio::test]
async fn sending_the_same_again_changes_nothing() {
    let house = House::new().await;
    let first = house.post(bundle("5").to_string()).await.json();
    let again = house.post(bundle("5").to_string()).await.json();
    for index in 0..2 {
        assert_eq!(again["entry"][index]["response"]["etag"], first["entry"][index]["response"]["etag"]);
        assert_eq!(again["entry"][index]["response"]["status"], "200 OK");
    }
    let changed = house.post(bundle("6").to_string()).await.json();
    assert_ne!(changed["entry"][1]["response"]["etag"], first["entry"][1]["response"]["etag"]);
}

#[tokio::test]
async fn the_slash_after_the_base_does_not_matter() {
    let house = House::new().await;
    let request =
        house.authorised("POST", "/fhir/").header(header::CONTENT_TYPE, "application/fhir+json; charset=utf-8");
    let answer = house.send(request.body(bundle("5").to_string().into()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
}

#[tokio::test]
async fn what_is_wrong_with_a_bundle_is_said_with_its_place() {
    let house = House::new().await;
    let answer = house.post("{\"resourceType\":\"Bundle\",\n\"type\":}").await;
    assert_eq!(answer.refusal(), (400, "structure".to_owned()));
    assert!(answer.text().contains("line 2, column 8"));
    let mut bad = bundle("5");
    bad["entry"][1]["resource"]["resourceType"] = "Observatoin".into();
    let answer = house.post(bad.to_string()).await;
    assert_eq!(answer.refusal().0, 400);
    assert_eq!(answer.json()["issue"][0]["expression"][0], "Bundle.entry[1].resource");
}
