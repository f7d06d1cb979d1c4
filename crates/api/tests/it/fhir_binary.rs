//! Files: sent and given out as bytes or as FHIR, and never shown where they could do harm.

use axum::body::Body;
use axum::http::{StatusCode, header};
use serde_json::json;

use crate::house::{Answer, FHIR_JSON, House};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";

async fn send(house: &House, content_type: &str, context: Option<&str>, bytes: &[u8]) -> Answer {
    let mut request = house.authorised("POST", "/fhir/Binary").header(header::CONTENT_TYPE, content_type);
    if let Some(context) = context {
        request = request.header("X-Security-Context", context);
    }
    house.send(request.body(Body::from(bytes.to_vec())).unwrap()).await
}

async fn get(house: &House, path: &str, accept: &str) -> Answer {
    let request = house.authorised("GET", path).header(header::ACCEPT, accept);
    house.send(request.body(Body::empty()).unwrap()).await
}

fn place(answer: &Answer) -> String {
    let at = answer.header(header::LOCATION).split("/_history").next().unwrap();
    format!("/fhir{}", at.split_once("/fhir").unwrap().1)
}

#[tokio::test]
async fn a_file_comes_back_byte_for_byte_and_as_fhir_if_that_is_asked_for() {
    let house = House::new().await;
    let (patient, _) = house.amina().await;
    let patient = patient.trim_start_matches("/fhir/");
    let sent = send(&house, "image/png", Some(patient), PNG).await;
    assert_eq!(sent.status, StatusCode::CREATED, "{}", sent.text());
    let place = place(&sent);
    for accept in ["*/*", "image/png", "text/html, image/*"] {
        let file = get(&house, &place, accept).await;
        assert_eq!((file.status, file.header(header::CONTENT_TYPE)), (StatusCode::OK, "image/png"), "{accept}");
        assert_eq!(file.body, PNG);
        assert!(file.header(header::ETAG).starts_with("W/"));
    }
    for accept in [FHIR_JSON, "application/json"] {
        let resource = get(&house, &place, accept).await;
        assert_eq!(resource.header(header::CONTENT_TYPE), FHIR_JSON);
        assert_eq!(resource.json()["securityContext"]["reference"], patient);
    }
    // The same bytes are kept once.
    let again = send(&house, "image/png", Some(patient), PNG).await;
    assert_eq!((again.status, self::place(&again)), (StatusCode::OK, place));
}

#[tokio::test]
async fn what_could_hold_script_is_for_download_only() {
    let house = House::new().await;
    let (patient, _) = house.amina().await;
    let patient = Some(patient.trim_start_matches("/fhir/"));
    for (content_type, bytes, disposition) in [
        ("text/html", &b"<html><script>alert(1)</script></html>"[..], "attachment"),
        ("image/svg+xml", b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script/></svg>", "attachment"),
        ("image/png", PNG, "inline"),
        ("text/plain", b"words", "inline"),
        ("application/x-unheard-of", b"bytes", "attachment"),
    ] {
        let sent = send(&house, content_type, patient, bytes).await;
        assert_eq!(sent.status, StatusCode::CREATED, "{content_type}: {}", sent.text());
        let file = get(&house, &place(&sent), "*/*").await;
        assert_eq!(file.header(header::CONTENT_DISPOSITION), disposition, "{content_type}");
        assert_eq!(file.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        assert!(file.header(header::CONTENT_SECURITY_POLICY).contains("sandbox"));
    }
}

#[tokio::test]
async fn a_file_is_what_it_says_and_belongs_to_somebody() {
    let house = House::new().await;
    let (patient, _) = house.amina().await;
    let patient = patient.trim_start_matches("/fhir/");
    assert_eq!(send(&house, "image/png", Some(patient), b"<html>").await.refusal().0, 422);
    assert_eq!(send(&house, "nonsense", Some(patient), b"x").await.refusal().0, 422);
    assert_eq!(send(&house, "image/png", None, PNG).await.refusal().0, 422);
    assert_eq!(send(&house, "image/png", Some("Patient/nobody"), PNG).await.refusal().0, 422);
    let lie = json!({ "resourceType": "Binary", "contentType": "image/png", "data": "PGh0bWw+", "securityContext": { "reference": patient } });
    let request = house.authorised("POST", "/fhir/Binary").header(header::CONTENT_TYPE, FHIR_JSON);
    assert_eq!(house.send(request.body(lie.to_string().into()).unwrap()).await.refusal().0, 422);
}

#[tokio::test]
async fn a_document_and_its_file_come_in_one_transaction_and_its_address_leads_to_the_file() {
    let house = House::new().await;
    house.amina().await;
    let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": [
        {
            "fullUrl": "urn:uuid:7", "request": { "method": "POST", "url": "Binary" },
            "resource": { "resourceType": "Binary", "contentType": "text/plain", "data": "d29yZHM=" },
        },
        {
            "request": { "method": "PUT", "url": "DocumentReference/d1" },
            "resource": {
                "resourceType": "DocumentReference", "id": "d1", "status": "current", "subject": { "reference": "Patient/p1" },
                "content": [{ "attachment": { "contentType": "text/plain", "url": "urn:uuid:7" } }],
            },
        },
    ] });
    let sent = house.post(bundle.to_string()).await;
    assert_eq!(sent.status, StatusCode::OK, "{}", sent.text());
    let location = |at: usize| {
        let json = sent.json();
        json["entry"][at]["response"]["location"].as_str().unwrap().split("/_history").next().unwrap().to_owned()
    };
    let document = house.ask("GET", &format!("/fhir/{}", location(1))).await.json();
    assert_eq!(document["content"][0]["attachment"]["url"], location(0));
    assert_eq!(get(&house, &format!("/fhir/{}", location(0)), "*/*").await.body, b"words");
    let mut alone = bundle;
    alone["entry"].as_array_mut().unwrap().truncate(1);
    assert_eq!(house.post(alone.to_string()).await.refusal().0, 422, "nobody's file");
}
