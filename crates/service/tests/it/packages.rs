//! What a package of definitions brings counts wherever definitions do.

use bytes::Bytes;
use keepwell_service::{
    Change, Client, CodesOf, OperationRequest, Packages, SearchIn, SearchRequest, Validation, WriteRequest,
};
use serde_json::{Value, json};

use crate::fixture::{Fixture, amina, bundle, observation, put};

const BASE: &str = "https://x.example/fhir";
const PROFILE: &str = "https://example.org/StructureDefinition/measured-by-somebody";
const CODES: &str = "https://example.org/CodeSystem/rooms";
const SET: &str = "https://example.org/ValueSet/rooms";

/// A profile that wants a performer, codes, and a search by the room.
fn package() -> Vec<Value> {
    vec![
        json!({ "resourceType": "ImplementationGuide", "url": "https://example.org/ImplementationGuide/x", "version": "1.2.0" }),
        json!({
            "resourceType": "StructureDefinition", "url": PROFILE, "name": "Measured", "kind": "resource",
            "abstract": false, "type": "Observation", "derivation": "constraint",
            "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Observation",
            "differential": { "element": [{ "path": "Observation" }, { "path": "Observation.performer", "min": 1 }] },
        }),
        json!({
            "resourceType": "CodeSystem", "url": CODES, "status": "active", "content": "complete",
            "concept": [{ "code": "ward", "display": "Ward", "concept": [{ "code": "bay", "display": "Bay" }] }],
        }),
        json!({
            "resourceType": "ValueSet", "url": SET, "status": "active",
            "compose": { "include": [{ "system": CODES, "filter": [{ "property": "concept", "op": "is-a", "value": "ward" }] }] },
        }),
        json!({
            "resourceType": "SearchParameter", "url": "https://example.org/SearchParameter/room", "code": "room",
            "base": ["Observation"], "type": "token",
            "expression": "Observation.extension.where(url = 'https://example.org/room').value",
        }),
    ]
}

fn packages() -> Packages {
    let resources: Vec<String> = package().iter().map(Value::to_string).collect();
    Packages::of(resources.iter().map(String::as_bytes)).unwrap()
}

async fn fixture() -> (Fixture, Client) {
    let f = Fixture::new().await;
    f.service.use_packages(packages());
    let mut gp = f.client("gp").await;
    gp.validation = Validation::Strict;
    (f, gp)
}

fn measured(id: &str, room: &str) -> Value {
    let mut it = observation(id, "Patient/1", "1");
    it["meta"] = json!({ "profile": [PROFILE] });
    it["extension"] = json!([{ "url": "https://example.org/room", "valueCode": room }]);
    it
}

/// Calls an operation and reads its answer.
fn asked<E>(answer: Result<Bytes, E>) -> Result<Value, E> {
    answer.map(|bytes| serde_json::from_slice(&bytes).unwrap())
}

fn parameters(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn part<'a>(answer: &'a Value, name: &str) -> &'a Value {
    answer["parameter"].as_array().unwrap().iter().find(|it| it["name"] == name).unwrap()
}

#[tokio::test]
async fn a_write_is_held_to_the_profiles_of_a_package() {
    let (f, gp) = fixture().await;
    f.send(&gp, &bundle(vec![put(amina("1"))])).await.unwrap();
    let create = |resource: &Value| Change::Create(Bytes::from(resource.to_string()));
    let mut it = measured("a", "bay");
    let error = f.service.write(&gp, &WriteRequest::new("Observation", None, create(&it))).await.unwrap_err();
    assert_eq!(error.status, 422);
    assert!(error.issues[0].diagnostics.contains("performer"), "{}", error.issues[0].diagnostics);
    it["performer"] = json!([{ "display": "Nurse" }]);
    f.service.write(&gp, &WriteRequest::new("Observation", None, create(&it))).await.unwrap();
    // A service without the package takes the first one.
    let f = Fixture::new().await;
    let mut gp = f.client("gp").await;
    gp.validation = Validation::Strict;
    f.send(&gp, &bundle(vec![put(amina("1")), put(measured("a", "bay"))])).await.unwrap();
}

#[tokio::test]
async fn validate_holds_a_resource_to_a_profile_of_a_package_by_its_claim_and_by_the_parameter() {
    let (f, gp) = fixture().await;
    let claims = measured("a", "bay");
    let mut asked_for = measured("a", "bay");
    asked_for.as_object_mut().unwrap().remove("meta");
    for (resource, pairs) in [(&claims, &[][..]), (&asked_for, &[("profile", PROFILE)][..])] {
        let (body, parameters) = (Bytes::from(resource.to_string()), parameters(pairs));
        let request = OperationRequest { parameters: &parameters, body: Some(body), base: BASE };
        let outcome = asked(f.service.validate(&gp, Some("Observation"), None, &request).await).unwrap();
        let issues = outcome["issue"].as_array().unwrap();
        let about = issues.iter().find(|it| it["diagnostics"].as_str().unwrap().contains("performer")).unwrap();
        assert_eq!(about["severity"], "error");
    }
}

#[tokio::test]
async fn the_codes_of_a_package_are_expanded_looked_up_checked_and_compared() {
    let (f, _) = fixture().await;
    let call = |pairs: &[(&str, &str)], of: fn(&keepwell_service::Service, &OperationRequest<'_>) -> _| {
        let parameters = parameters(pairs);
        asked(of(&f.service, &OperationRequest { parameters: &parameters, body: None, base: BASE })).unwrap()
    };
    let set = call(&[("url", SET)], |service, request| service.expand_value_set(request));
    assert_eq!(set["expansion"]["contains"].as_array().unwrap().len(), 2);
    let bay = call(&[("system", CODES), ("code", "bay")], |service, request| service.look_up_code(request));
    assert_eq!(part(&bay, "display")["valueString"], "Bay");
    for (code, is_in) in [("bay", true), ("roof", false)] {
        let answer = call(&[("url", SET), ("system", CODES), ("code", code)], |service, request| {
            service.validate_code(CodesOf::ValueSet, request)
        });
        assert_eq!(part(&answer, "result")["valueBoolean"], is_in);
    }
    let answer =
        call(&[("system", CODES), ("codeA", "ward"), ("codeB", "bay")], |service, request| service.subsumes(request));
    assert_eq!(part(&answer, "outcome")["valueCode"], "subsumes");
}

#[tokio::test]
async fn a_search_parameter_of_a_package_is_searched_with_and_conditions_take_it() {
    let (f, gp) = fixture().await;
    let performed = |id: &str, room: &str| {
        let mut it = measured(id, room);
        it["performer"] = json!([{ "display": "Nurse" }]);
        put(it)
    };
    let sent =
        f.send(&gp, &bundle(vec![put(amina("1")), performed("a", "bay"), performed("b", "ward")])).await.unwrap();
    let person = sent.locations[0].strip_prefix("Patient/").unwrap();
    let search = async |query: String| {
        let of = SearchIn::Type("Observation");
        let request = SearchRequest { of, query: &query, base: BASE, lenient: false };
        asked(f.service.search(&gp, &request).await)
    };
    let found = search(format!("patient={person}&room=bay")).await.unwrap();
    let ids: Vec<&Value> = found["entry"].as_array().unwrap().iter().map(|it| &it["resource"]["id"]).collect();
    assert_eq!(ids, [sent.locations[1].strip_prefix("Observation/").unwrap()]);
    let in_the_set = search(format!("patient={person}&room:in={SET}")).await.unwrap();
    assert_eq!(in_the_set["total"], 2, "a code without a system is of any system");
    let error = search(format!("patient={person}&rooms=bay")).await.unwrap_err();
    assert_eq!(error.status, 400);
    let mut once_more = performed("c", "bay");
    once_more["request"] =
        json!({ "method": "POST", "url": "Observation", "ifNoneExist": format!("patient={person}&room=bay") });
    let again = f.send(&gp, &bundle(vec![put(amina("1")), once_more])).await.unwrap();
    assert_eq!((&again.locations[1], again.response.changed), (&sent.locations[1], 0));
}

#[tokio::test]
async fn the_capability_statement_names_what_packages_bring() {
    let (f, _) = fixture().await;
    let statement: Value = serde_json::from_slice(&f.service.capability_statement(BASE)).unwrap();
    assert_eq!(statement["implementationGuide"], json!(["https://example.org/ImplementationGuide/x|1.2.0"]));
    let resources = statement["rest"][0]["resource"].as_array().unwrap();
    let of = |name: &str| resources.iter().find(|it| it["type"] == name).unwrap();
    assert_eq!(of("Observation")["supportedProfile"], json!([PROFILE]));
    assert!(of("Patient").get("supportedProfile").is_none());
    let named = |kind: &str| of(kind)["searchParam"].as_array().unwrap().iter().any(|it| it["name"] == "room");
    assert!(named("Observation") && !named("Patient"));
    let plain = Fixture::new().await;
    let statement: Value = serde_json::from_slice(&plain.service.capability_statement(BASE)).unwrap();
    assert!(statement.get("implementationGuide").is_none());
}
