//! The form of what comes and goes: packed, laid out, asked for by a web page.

use std::io::{Read as _, Write as _};

use axum::body::Body;
use axum::http::{HeaderName, Request, StatusCode, header};
use keepwell_service::ServiceConfig;

use crate::house::{FHIR_JSON, House, bundle};

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_body_may_come_packed() {
    let house = House::new().await;
    let plain = bundle("5").to_string();
    for (coding, packed) in
        [("gzip", gzip(plain.as_bytes())), ("zstd", zstd::bulk::compress(plain.as_bytes(), 3).unwrap())]
    {
        let request = house.authorised("POST", "/fhir").header(header::CONTENT_TYPE, FHIR_JSON);
        let request = request.header(header::CONTENT_ENCODING, coding).body(packed.into()).unwrap();
        let answer = house.send(request).await;
        assert_eq!(answer.status, StatusCode::OK, "{coding} {}", answer.text());
        let broken = house.authorised("POST", "/fhir").header(header::CONTENT_TYPE, FHIR_JSON);
        let broken = broken.header(header::CONTENT_ENCODING, coding).body(plain.clone().into()).unwrap();
        assert_eq!(house.send(broken).await.refusal().0, 400);
    }
}

#[tokio::test]
async fn t37_a_small_body_that_unpacks_to_a_huge_one_is_refused() {
    let house = House::with(ServiceConfig { max_bundle: 100_000, ..ServiceConfig::demonstration() }).await;
    let zeros = vec![b' '; 50_000_000];
    for (coding, packed) in [("gzip", gzip(&zeros)), ("zstd", zstd::bulk::compress(&zeros, 3).unwrap())] {
        assert!(packed.len() < 100_000);
        let request = house.authorised("POST", "/fhir").header(header::CONTENT_TYPE, FHIR_JSON);
        let request = request.header(header::CONTENT_ENCODING, coding).body(packed.into()).unwrap();
        assert_eq!(house.send(request).await.refusal(), (413, "too-long".to_owned()), "{coding}");
    }
}

#[tokio::test]
async fn an_answer_is_packed_for_whoever_takes_it_so() {
    let house = House::new().await;
    for coding in ["gzip", "zstd"] {
        let request = Request::get("/fhir/metadata").header(header::ACCEPT_ENCODING, coding);
        let answer = house.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.header(header::CONTENT_ENCODING), coding);
        let plain = match coding {
            "gzip" => {
                let mut plain = Vec::new();
                flate2::read::GzDecoder::new(&answer.body[..]).read_to_end(&mut plain).unwrap();
                plain
            }
            _ => zstd::decode_all(&answer.body[..]).unwrap(),
        };
        assert_eq!(plain, house.stranger("GET", "/fhir/metadata").await.body);
    }
    assert!(house.stranger("GET", "/fhir/metadata").await.header(header::VARY).contains("Accept-Encoding"));
}

#[tokio::test]
async fn the_form_may_be_asked_for_in_the_address() {
    let house = House::new().await;
    let (patient, _) = house.amina().await;
    for (format, status) in [
        ("json", 200),
        ("application/fhir%2Bjson", 200),
        ("application/fhir+json", 200),
        ("application/json", 200),
        ("xml", 200),
        ("application/fhir%2Bxml", 200),
        ("text/turtle", 406),
    ] {
        let request = house.authorised("GET", &format!("{patient}?_format={format}"));
        let answer = house.send(request.header(header::ACCEPT, "text/html").body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status.as_u16(), status, "{format}");
    }
    let pretty = house.ask("GET", &format!("{patient}?_pretty=true")).await;
    assert!(pretty.text().starts_with("{\n  \"birthDate\": \"1958-02-11\",\n"), "{}", pretty.text());
}

#[tokio::test]
async fn what_came_as_json_goes_out_as_xml_and_comes_back_the_same() {
    let house = House::new().await;
    let (patient, observation) = house.amina().await;
    let xml = |path: &str| house.authorised("GET", path).header(header::ACCEPT, "application/fhir+xml");
    let mut documents = Vec::new();
    for path in [&patient, &observation, &"/fhir/metadata".to_owned()] {
        let answer = house.send(xml(path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{path} {}", answer.text());
        assert_eq!(answer.header(header::CONTENT_TYPE), "application/fhir+xml");
        assert!(answer.text().contains("xmlns=\"http://hl7.org/fhir\""), "{path}");
        documents.push(answer.text().to_owned());
    }
    let version = house.ask("GET", &observation).await.header(header::ETAG).to_owned();
    let put = house.authorised("PUT", &observation).header(header::CONTENT_TYPE, "application/fhir+xml");
    let answer = house.send(put.body(documents[1].clone().into()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let before =
        house.ask("GET", &format!("{observation}/_history/{}", version.trim_matches(['W', '/', '"']))).await.json();
    let mut after = house.ask("GET", &observation).await.json();
    after["meta"] = before["meta"].clone();
    assert_eq!(after, before);
    let missing = house.send(xml("/fhir/Patient/0000000000000000").body(Body::empty()).unwrap()).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert!(missing.text().contains("<OperationOutcome xmlns"), "{}", missing.text());
}

#[tokio::test]
async fn t37_xml_with_a_document_type_or_no_end_is_refused_with_its_line() {
    let house = House::new().await;
    let bomb =
        "<?xml version=\"1.0\"?>\n<!DOCTYPE lolz [<!ENTITY lol \"lol\">]>\n<Patient xmlns=\"http://hl7.org/fhir\"/>";
    let deep = format!("<Patient xmlns=\"http://hl7.org/fhir\">{}", "<extension>".repeat(100_000));
    for document in [bomb.to_owned(), deep, "<Patient".to_owned(), String::new()] {
        let post = house.authorised("POST", "/fhir/Patient").header(header::CONTENT_TYPE, "application/fhir+xml");
        let answer = house.send(post.body(document.into()).unwrap()).await;
        assert_eq!(answer.refusal().0, 400);
        assert!(answer.text().contains("line "), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_fhirpath_patch_changes_one_element() {
    let house = House::new().await;
    let (_, observation) = house.amina().await;
    let part = |name: &str, kind: &str, value: &str| serde_json::json!({ "name": name, kind: value });
    let parts = [
        part("type", "valueCode", "replace"),
        part("path", "valueString", "Observation.status"),
        part("value", "valueCode", "amended"),
    ];
    let patch =
        serde_json::json!({ "resourceType": "Parameters", "parameter": [{ "name": "operation", "part": parts }] });
    let request = house.authorised("PATCH", &observation).header(header::CONTENT_TYPE, FHIR_JSON);
    let answer = house.send(request.body(patch.to_string().into()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(house.ask("GET", &observation).await.json()["status"], "amended");
}

#[tokio::test]
async fn any_web_page_may_ask_and_none_with_the_browsers_credentials() {
    let house = House::new().await;
    let (patient, _) = house.amina().await;
    let preflight = Request::options(&patient)
        .header(header::ORIGIN, "https://app.example")
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "PUT")
        .body(Body::empty());
    let answer = house.send(preflight.unwrap()).await;
    assert_eq!((answer.status, answer.body.len()), (StatusCode::NO_CONTENT, 0));
    assert_eq!(answer.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "*");
    assert!(answer.header(header::ACCESS_CONTROL_ALLOW_METHODS).contains("PUT"));
    assert!(answer.header(header::ACCESS_CONTROL_ALLOW_HEADERS).contains("Authorization"));
    let stranger = Request::get(&patient).header(header::ORIGIN, "https://app.example").body(Body::empty());
    let answers = [answer, house.send(stranger.unwrap()).await];
    for answer in &answers {
        assert_eq!(answer.header(header::ACCESS_CONTROL_ALLOW_CREDENTIALS), "");
    }
    assert_eq!(answers[1].refusal().0, 401);
    assert!(answers[1].header(header::ACCESS_CONTROL_EXPOSE_HEADERS).contains("ETag"));
    let no_page = house.ask("GET", &patient).await;
    assert_eq!(no_page.header(HeaderName::from_static("access-control-allow-origin")), "");
}

#[tokio::test]
async fn a_caller_who_knows_the_time_is_spared_the_body() {
    let house = House::new().await;
    let (patient, _) = house.amina().await;
    for (since, status) in [
        ("Mon, 23 Nov 2026 09:30:00 GMT", StatusCode::NOT_MODIFIED),
        ("Mon, 23 Nov 2026 09:29:59 GMT", StatusCode::OK),
        ("yesterday", StatusCode::OK),
    ] {
        let request = house.authorised("GET", &patient).header(header::IF_MODIFIED_SINCE, since);
        assert_eq!(house.send(request.body(Body::empty()).unwrap()).await.status, status, "{since}");
    }
    let strong = house.authorised("GET", &patient).header(header::IF_NONE_MATCH, "\"1\"");
    assert_eq!(house.send(strong.body(Body::empty()).unwrap()).await.status, StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn a_system_with_too_many_requests_at_once_is_told_to_wait() {
    let house = House::limited(0).await;
    let answer = house.ask("GET", "/fhir/Patient/x").await;
    assert_eq!(answer.refusal(), (429, "throttled".to_owned()));
    assert_eq!(answer.header(header::RETRY_AFTER), "1");
    assert_eq!(house.stranger("GET", "/fhir/metadata").await.status, StatusCode::OK);
}
