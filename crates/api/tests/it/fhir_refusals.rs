//! What the FHIR door refuses, and how.

use axum::body::Body;
use axum::http::{Request, header};
use keepwell_service::ServiceConfig;

use crate::house::{FHIR_JSON, House, bundle};

#[tokio::test]
async fn nobody_gets_in_without_a_token() {
    let house = House::new().await;
    let (patient, _) = house.amina().await;
    for (method, path) in [("GET", patient.as_str()), ("POST", "/fhir"), ("GET", "/fhir/Patient/nonsense")] {
        let answer = house.stranger(method, path).await;
        assert_eq!(answer.refusal(), (401, "login".to_owned()), "{method} {path}");
        assert_eq!(answer.header(header::WWW_AUTHENTICATE), "Bearer realm=\"keepwell\"");
    }
    let unknown = format!("Bearer kw_{}", "A".repeat(43));
    for (value, challenge) in [
        (unknown.as_str(), "Bearer realm=\"keepwell\", error=\"invalid_token\""),
        ("Bearer x", "Bearer realm=\"keepwell\", error=\"invalid_token\""),
        ("Bearer ", "Bearer realm=\"keepwell\""),
        ("Basic eDp5", "Bearer realm=\"keepwell\""),
    ] {
        let request = Request::get(&patient).header(header::AUTHORIZATION, value).body(Body::empty()).unwrap();
        let answer = house.send(request).await;
        assert_eq!(answer.refusal().0, 401, "{value}");
        assert_eq!(answer.header(header::WWW_AUTHENTICATE), challenge, "{value}");
    }
    let twice =
        house.authorised("GET", &patient).header(header::AUTHORIZATION, "Bearer x").body(Body::empty()).unwrap();
    assert_eq!(house.send(twice).await.refusal().0, 401);
}

#[tokio::test]
async fn only_fhir_is_taken_and_given() {
    let house = House::new().await;
    for (name, value, status) in [
        (header::CONTENT_TYPE, "text/plain", 415),
        (header::CONTENT_TYPE, "application/fhir+turtle", 415),
        (header::CONTENT_TYPE, "", 415),
        (header::CONTENT_ENCODING, "br", 415),
        (header::CONTENT_ENCODING, "gzip, gzip", 415),
        (header::ACCEPT, "application/fhir+turtle", 406),
    ] {
        let mut request = house.authorised("POST", "/fhir").header(&name, value);
        if name != header::CONTENT_TYPE {
            request = request.header(header::CONTENT_TYPE, FHIR_JSON);
        }
        let answer = house.send(request.body(bundle("5").to_string().into()).unwrap()).await;
        assert_eq!(answer.refusal(), (status, "not-supported".to_owned()), "{name}: {value}");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_however_it_is_sent() {
    let house = House::with(ServiceConfig { max_bundle: 500, ..ServiceConfig::demonstration() }).await;
    let long = bundle("5").to_string();
    assert!(long.len() > 500);
    let announced = house.authorised("POST", "/fhir").header(header::CONTENT_TYPE, FHIR_JSON);
    let announced = announced.header(header::CONTENT_LENGTH, long.len()).body(long.clone().into()).unwrap();
    assert_eq!(house.send(announced).await.refusal(), (413, "too-long".to_owned()));
    assert_eq!(house.post(long).await.refusal(), (413, "too-long".to_owned()));
}

#[tokio::test]
async fn unknown_places_and_methods_are_outcomes_too() {
    let house = House::new().await;
    for path in ["/fhir/Patient/1/Observation/2", "/fhir/Patient/", "/fhir/Patient/1/_history/2/3"] {
        assert_eq!(house.ask("GET", path).await.refusal(), (404, "not-supported".to_owned()), "{path}");
    }
    for (method, path, allow) in [
        ("PUT", "/fhir", "POST,GET,HEAD"),
        ("DELETE", "/fhir/", "POST,GET,HEAD"),
        ("POST", "/fhir/Patient/1", "GET,HEAD,PUT,PATCH,DELETE"),
        ("PUT", "/fhir/Patient/1/_history", "GET,HEAD"),
        ("POST", "/fhir/metadata", "GET,HEAD"),
    ] {
        let answer = house.ask(method, path).await;
        assert_eq!(answer.refusal(), (405, "not-supported".to_owned()), "{method} {path}");
        assert_eq!(answer.header(header::ALLOW), allow, "{method} {path}");
    }
}

#[tokio::test]
async fn every_answer_is_hardened() {
    let house = House::new().await;
    let (patient, _) = house.amina().await;
    for path in [patient.as_str(), "/fhir/metadata", "/fhir/nothing", "/fhir"] {
        let answer = house.ask("GET", path).await;
        assert_eq!(answer.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff", "{path}");
        assert!(answer.header(header::CONTENT_SECURITY_POLICY).starts_with("default-src 'none'"), "{path}");
    }
}
