//! Operations through the router: addresses, methods, bodies.

use axum::http::{StatusCode, header};
use serde_json::json;

use crate::house::{FHIR_JSON, House};

#[tokio::test]
async fn operations_are_called_by_get_and_by_post_and_with_an_escaped_dollar_sign() {
    let house = House::new().await;
    let (patient, _) = house.amina().await;
    for (method, path) in [
        ("GET", format!("{patient}/$everything")),
        ("POST", format!("{patient}/$everything?_count=1")),
        ("GET", format!("{patient}/%24everything")),
        ("GET", format!("{patient}/$summary")),
        ("GET", format!("{patient}/$meta")),
        ("GET", format!("{patient}/$validate")),
        ("GET", format!("/fhir/Observation/$lastn?patient={}", patient.trim_start_matches("/fhir/"))),
        ("GET", "/fhir/ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender".to_owned()),
        ("GET", "/fhir/CodeSystem/$lookup?system=http://hl7.org/fhir/administrative-gender&code=male".to_owned()),
    ] {
        let answer = house.ask(method, &path).await;
        assert_eq!((answer.status, answer.header(header::CONTENT_TYPE)), (StatusCode::OK, FHIR_JSON), "{path}");
    }
    let parameters = json!({ "resourceType": "Parameters", "parameter": [{ "name": "_count", "valueInteger": 1 }] });
    let request = house.authorised("POST", &format!("{patient}/$everything")).header(header::CONTENT_TYPE, FHIR_JSON);
    let answer = house.send(request.body(parameters.to_string().into()).unwrap()).await;
    assert_eq!(answer.json()["entry"].as_array().unwrap().len(), 1);
    let form = house.authorised("POST", &format!("{patient}/$everything"));
    let form = form.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let answer = house.send(form.body("_count=1".into()).unwrap()).await;
    assert_eq!(answer.json()["entry"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn provenance_and_audit_events_are_found_and_provenance_is_still_taken() {
    let house = House::new().await;
    let (patient, observation) = house.amina().await;
    let id = patient.trim_start_matches("/fhir/");
    let found = house.ask("GET", &format!("/fhir/Provenance?patient={id}")).await;
    assert_eq!((found.status, found.json()["total"].clone()), (StatusCode::OK, json!(1)));
    let found = house.ask("GET", &format!("/fhir/AuditEvent?patient={id}")).await;
    assert_eq!((found.status, found.json()["total"].clone()), (StatusCode::OK, json!(1)));
    let own = json!({
        "resourceType": "Provenance", "target": [{ "reference": observation.trim_start_matches("/fhir/") }],
        "recorded": "2026-11-23T09:30:00Z", "agent": [{ "who": { "display": "A clinic" } }],
    });
    let request = house.authorised("POST", "/fhir/Provenance").header(header::CONTENT_TYPE, FHIR_JSON);
    let kept = house.send(request.body(own.to_string().into()).unwrap()).await;
    assert_eq!(kept.status, StatusCode::CREATED, "{}", kept.text());
    let at = kept.header(header::LOCATION).split("/_history").next().unwrap().split_once("/fhir").unwrap().1.to_owned();
    assert_eq!(house.ask("GET", &format!("/fhir{at}")).await.json()["agent"][0]["who"]["display"], "A clinic");
    let found = house.ask("GET", &format!("/fhir/Provenance?patient={id}")).await.json();
    assert_eq!(found["total"], 3, "what was sent, and that it was written");
}

#[tokio::test]
async fn an_operation_is_refused_where_it_does_not_belong() {
    let house = House::new().await;
    let (patient, observation) = house.amina().await;
    assert_eq!(house.ask("GET", &format!("{observation}/$everything")).await.refusal().0, 404);
    assert_eq!(house.ask("GET", &format!("{patient}/$nonsense")).await.refusal().0, 404);
    assert_eq!(house.ask("DELETE", &format!("{patient}/$everything")).await.refusal().0, 405);
    assert_eq!(house.ask("GET", &format!("{patient}/$everything?count=1")).await.refusal().0, 400);
    assert_eq!(house.stranger("GET", &format!("{patient}/$everything")).await.refusal().0, 401);
    let request = house.authorised("POST", "/fhir/Observation/$validate").header(header::CONTENT_TYPE, "text/plain");
    assert_eq!(house.send(request.body("{}".into()).unwrap()).await.refusal().0, 415);
}

#[tokio::test]
async fn issues_of_what_was_sent_as_xml_say_the_line_of_the_xml() {
    let house = House::new().await;
    let validate = |content_type: &str, body: &'static str| {
        let request = house.authorised("POST", "/fhir/Patient/$validate").header(header::CONTENT_TYPE, content_type);
        house.send(request.header(header::ACCEPT, "application/fhir+json").body(body.into()).unwrap())
    };
    let xml = "<Patient xmlns=\"http://hl7.org/fhir\">\n  <gender value=\"girl\"/>\n</Patient>";
    let outcome = validate("application/fhir+xml", xml).await.json();
    let of_gender = |outcome: &serde_json::Value| {
        let issues = outcome["issue"].as_array().unwrap();
        let issue = issues.iter().find(|it| it["expression"][0] == "Patient.gender").unwrap();
        issue["diagnostics"].as_str().unwrap().to_owned()
    };
    assert!(of_gender(&outcome).ends_with("(line 2, column 3)"), "{outcome}");
    let json = "{\"resourceType\":\"Patient\",\n \"gender\": \"girl\"}";
    let outcome = validate("application/fhir+json", json).await.json();
    assert!(of_gender(&outcome).ends_with("(line 2, column 12)"), "{outcome}");
    for (content_type, body) in [("application/fhir+json", xml), ("application/fhir+xml", json)] {
        assert_eq!(validate(content_type, body).await.refusal().0, 400);
    }
    assert_eq!(validate("application/fhir+xml", "<Patient/>").await.refusal().0, 400);
}

#[tokio::test]
async fn the_capability_statement_names_the_operations() {
    let house = House::new().await;
    let statement = house.stranger("GET", "/fhir/metadata").await.json();
    let resources = statement["rest"][0]["resource"].as_array().unwrap();
    let patient = resources.iter().find(|it| it["type"] == "Patient").unwrap();
    let names: Vec<_> =
        patient["operation"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["everything", "summary", "match", "validate", "diff", "meta", "export"]);
    let of_server = statement["rest"][0]["operation"].as_array().unwrap().iter();
    let definitions: Vec<_> = of_server.map(|it| it["definition"].as_str().unwrap()).collect();
    assert_eq!(
        definitions,
        [
            "http://hl7.org/fhir/OperationDefinition/Resource-meta",
            "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export",
            "urn:keepwell:operation:import",
        ]
    );
}
