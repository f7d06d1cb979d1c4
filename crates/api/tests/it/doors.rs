//! The public log, health, metrics, and what the router leaves to others.

use axum::http::{StatusCode, header};

use crate::house::House;

#[tokio::test]
async fn anybody_may_keep_the_log() {
    let house = House::new().await;
    let checkpoint = house.stranger("GET", "/.well-known/keepwell-log/checkpoint").await;
    assert_eq!((checkpoint.status, checkpoint.text()), (StatusCode::OK, "keepwell/1\n"));
    assert_eq!(checkpoint.header(header::CONTENT_TYPE), "text/plain; charset=utf-8");
    assert_eq!(checkpoint.header(header::CACHE_CONTROL), "no-cache");
    assert_eq!(checkpoint.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "*");
    let tile = house.stranger("GET", "/.well-known/keepwell-log/tile/0/000.p/1").await;
    assert_eq!((tile.status, tile.body.len()), (StatusCode::OK, 32));
    assert!(tile.header(header::CACHE_CONTROL).ends_with("immutable"));
    for (path, status) in [("tile/0/002", 404), ("tile/0/001", 503), ("../healthz", 404)] {
        let answer = house.stranger("GET", &format!("/.well-known/keepwell-log/{path}")).await;
        assert_eq!((answer.status.as_u16(), answer.header(header::CACHE_CONTROL)), (status, "no-store"), "{path}");
    }
}

#[tokio::test]
async fn health_asks_the_store() {
    let house = House::new().await;
    let answer = house.stranger("GET", "/healthz").await;
    assert_eq!((answer.status, answer.text()), (StatusCode::OK, "ok\n"));
}

#[tokio::test]
async fn metrics_name_routes_and_never_what_was_asked_for() {
    let house = House::new().await;
    let (patient, _) = house.amina().await;
    house.ask("GET", &patient).await;
    house.ask("GET", "/fhir/Patient/9000000009").await;
    house.ask("BREW", "/fhir").await;
    let answer = house.stranger("GET", "/metrics").await;
    assert!(answer.header(header::CONTENT_TYPE).starts_with("text/plain; version=0.0.4"));
    let text = answer.text();
    for line in [
        "keepwell_http_requests_total{route=\"/fhir\",method=\"POST\",status=\"200\"} 1",
        "keepwell_http_requests_total{route=\"/fhir/{type}/{id}\",method=\"GET\",status=\"200\"} 1",
        "keepwell_http_requests_total{route=\"/fhir/{type}/{id}\",method=\"GET\",status=\"404\"} 1",
        "keepwell_http_requests_total{route=\"/fhir\",method=\"other\",status=\"405\"} 1",
        "# TYPE keepwell_records_open gauge",
        "keepwell_records_open 3",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}\n{text}");
    }
    assert!(!text.contains("9000000009") && !text.contains(patient.rsplit('/').next().unwrap()));
}

#[tokio::test]
async fn the_demonstration_is_not_there_unless_it_is_wanted() {
    let house = House::new().await;
    for path in ["/demo-id/authorize", "/demo-id/.well-known/openid-configuration", "/", "/sign-in"] {
        assert_eq!(house.stranger("GET", path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn the_demonstration_stands_beside_the_other_doors() {
    let house = House::demonstration().await;
    let discovery = house.stranger("GET", "/demo-id/.well-known/openid-configuration").await;
    assert_eq!(discovery.json()["issuer"], "https://keepwell.example/demo-id");
    assert_eq!(house.stranger("GET", "/demo-id/authorize").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(house.stranger("GET", "/fhir/metadata").await.status, StatusCode::OK);
}
