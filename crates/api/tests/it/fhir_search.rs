//! Searching over HTTP.

use axum::body::Body;
use axum::http::{StatusCode, header};

use crate::house::House;

#[tokio::test]
async fn a_search_answers_a_searchset_with_links_and_modes() {
    let house = House::new().await;
    let (patient, observation) = house.amina().await;
    let id = patient.rsplit('/').next().unwrap();
    let answer = house.ask("GET", &format!("/fhir/Observation?patient={id}&_sort=-date&_format=json")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let json = answer.json();
    assert_eq!((&json["type"], &json["total"]), (&"searchset".into(), &1.into()));
    let base = "https://keepwell.example/fhir";
    assert_eq!(json["link"][0]["url"], format!("{base}/Observation?patient={id}&_sort=-date"));
    assert_eq!(json["entry"][0]["fullUrl"], format!("https://keepwell.example{observation}"));
    assert_eq!(json["entry"][0]["search"]["mode"], "match");
    assert_eq!(json["entry"][0]["resource"], house.ask("GET", &observation).await.json());
    for path in [
        format!("/fhir/Patient/{id}/Observation"),
        format!("/fhir/Patient/{id}/Observation?code=1005671000000105"),
        format!("/fhir?_type=Observation&patient={id}"),
        format!("/fhir/?_type=Observation&patient={id}"),
    ] {
        let found = house.ask("GET", &path).await;
        assert_eq!(found.json()["total"], 1, "{path} {}", found.text());
    }
    assert_eq!(house.ask("GET", &format!("/fhir/Patient/{id}/*")).await.json()["total"], 2);
}

#[tokio::test]
async fn a_form_asks_the_same_as_an_address() {
    let house = House::new().await;
    let (patient, _) = house.amina().await;
    let id = patient.rsplit('/').next().unwrap();
    let form = "application/x-www-form-urlencoded";
    for (path, body) in [
        ("/fhir/Observation/_search", format!("patient={id}")),
        (&*format!("/fhir/Observation/_search?patient={id}"), "code=1005671000000105".to_owned()),
        (&*format!("/fhir/Patient/{id}/Observation/_search"), String::new()),
        ("/fhir/_search", format!("_type=Observation&patient={id}")),
    ] {
        let request = house.authorised("POST", path).header(header::CONTENT_TYPE, form);
        let answer = house.send(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(answer.json()["total"], 1, "{path} {}", answer.text());
    }
    let bare = house.ask("POST", &format!("/fhir/Observation/_search?patient={id}")).await;
    assert_eq!(bare.json()["total"], 1, "{}", bare.text());
    let untyped = house.authorised("POST", "/fhir/Observation/_search").body(Body::from("patient=x")).unwrap();
    assert_eq!(house.send(untyped).await.refusal().0, 415);
    let request = house.authorised("POST", "/fhir/Observation/_search").header(header::CONTENT_TYPE, "text/plain");
    let answer = house.send(request.body(Body::from("patient=x")).unwrap()).await;
    assert_eq!(answer.refusal().0, 415);
}

#[tokio::test]
async fn what_is_not_understood_is_refused_unless_the_caller_is_lenient() {
    let house = House::new().await;
    let (patient, _) = house.amina().await;
    let id = patient.rsplit('/').next().unwrap();
    let path = format!("/fhir/Observation?patient={id}&cdoe=1");
    let refused = house.ask("GET", &path).await;
    assert_eq!(refused.refusal().0, 400);
    assert!(refused.text().contains("Did you mean 'code'"), "{}", refused.text());
    let request = house.authorised("GET", &path).header("prefer", "handling=lenient");
    let answer = house.send(request.body(Body::empty()).unwrap()).await.json();
    assert_eq!((&answer["total"], &answer["entry"][0]["search"]["mode"]), (&1.into(), &"outcome".into()));
    assert_eq!(house.ask("GET", "/fhir/Observation?code=1").await.refusal(), (422, "required".to_owned()));
    assert_eq!(house.ask("GET", "/fhir/Nonsense?code=1").await.refusal().0, 404);
    assert_eq!(house.stranger("GET", &format!("/fhir/Observation?patient={id}")).await.status, 401);
}

#[tokio::test]
async fn writes_may_say_by_a_search_what_they_are_about() {
    let house = House::new().await;
    let (patient, _) = house.amina().await;
    let id = patient.rsplit('/').next().unwrap();
    let body = format!(
        r#"{{"resourceType":"Condition","subject":{{"reference":"Patient/{id}"}},"identifier":[{{"value":"c1"}}]}}"#
    );
    let send = async |method: &str, path: &str, header: Option<&str>| {
        let mut request = house.authorised(method, path).header(header::CONTENT_TYPE, "application/fhir+json");
        if let Some(condition) = header {
            request = request.header("if-none-exist", condition);
        }
        house.send(request.body(Body::from(body.clone())).unwrap()).await
    };
    let first = send("POST", "/fhir/Condition", Some("identifier=c1")).await;
    let again = send("POST", "/fhir/Condition", Some("identifier=c1")).await;
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (201, 200), "{}", again.text());
    assert_eq!(first.header(header::LOCATION), again.header(header::LOCATION));
    assert_eq!(first.json(), again.json());
    assert_eq!(send("POST", "/fhir/Condition", Some(" ")).await.refusal().0, 400);
    assert_eq!(send("PUT", "/fhir/Condition?identifier=c1", None).await.status, StatusCode::OK);
    assert_eq!(send("PUT", "/fhir/Condition", None).await.refusal().0, 405);
    let gone = house.ask("DELETE", &format!("/fhir/Condition?patient={id}&identifier=c1")).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.text());
    assert_eq!(send("POST", "/fhir/Condition", Some("identifier=c1")).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_part_of_a_resource_can_be_read() {
    let house = House::new().await;
    let (_, observation) = house.amina().await;
    let part = house.ask("GET", &format!("{observation}?_elements=code")).await;
    assert_eq!(part.status, StatusCode::OK);
    assert!(part.json().get("valueQuantity").is_none() && part.text().contains("SUBSETTED"), "{}", part.text());
    let summary = house.ask("GET", &format!("{observation}?_summary=text")).await;
    assert!(summary.json().get("effectiveDateTime").is_none(), "{}", summary.text());
    assert_eq!(house.ask("GET", &format!("{observation}?_summary=some")).await.refusal().0, 400);
}
