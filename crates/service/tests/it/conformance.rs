//! The capability statement beside the table of what is proved.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::fixture::Fixture;

/// What the table says that the statement may say.
fn proved() -> BTreeSet<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/fhir-conformance.toml");
    let table: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
    let parts = table["part"].as_array().unwrap();
    let claims = parts.iter().flat_map(|part| part["claim"].as_array().unwrap());
    let states = claims.flat_map(|claim| claim.get("states").and_then(|it| it.as_array()).into_iter().flatten());
    states.map(|it| it.as_str().unwrap().to_owned()).collect()
}

/// What the statement says, in the words of the table.
fn stated(statement: &Value) -> BTreeSet<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut said = BTreeSet::new();
    let mut say = |kind: &str, what: &Value| said.insert(format!("{kind}/{}", what.as_str().unwrap()));
    for field in ["format", "patchFormat", "instantiates"] {
        list(&statement[field]).iter().for_each(|it| _ = say(field, it));
    }
    let mut flags = BTreeSet::new();
    let rest = &statement["rest"][0];
    list(&rest["interaction"]).iter().for_each(|it| _ = say("system", &it["code"]));
    list(&rest["operation"]).iter().for_each(|it| _ = say("operation", &it["name"]));
    list(&rest["searchParam"]).iter().for_each(|it| _ = say("result", &it["name"]));
    for resource in list(&rest["resource"]) {
        list(&resource["interaction"]).iter().for_each(|it| _ = say("type", &it["code"]));
        list(&resource["operation"]).iter().for_each(|it| _ = say("operation", &it["name"]));
        list(&resource["searchParam"]).iter().for_each(|it| _ = say("searchParam", &it["type"]));
        for (name, value) in resource.as_object().unwrap() {
            match name.as_str() {
                "type" | "profile" | "supportedProfile" | "documentation" | "interaction" | "operation"
                | "searchParam" => {}
                "searchInclude" | "searchRevInclude" => _ = flags.insert(name.clone()),
                "referencePolicy" => list(value).iter().for_each(|it| _ = say(name, it)),
                _ if value == true => _ = flags.insert(name.clone()),
                _ if value == false || value == "no-version" || value == "not-supported" => {}
                _ => _ = say(name, value),
            }
        }
    }
    said.extend(flags);
    said
}

#[tokio::test]
async fn the_capability_statement_says_what_the_conformance_table_proves() {
    let f = Fixture::new().await;
    let bytes = f.service.capability_statement("https://k.example/fhir");
    let stated = stated(&serde_json::from_slice(&bytes).unwrap());
    let proved = proved();
    let unproved: Vec<_> = stated.difference(&proved).collect();
    assert!(unproved.is_empty(), "stated, and no claim of docs/fhir-conformance.toml says so: {unproved:?}");
    let unsaid: Vec<_> = proved.difference(&stated).collect();
    assert!(unsaid.is_empty(), "proved by docs/fhir-conformance.toml, and not stated: {unsaid:?}");
}
