//! What the paths of search parameters find, against what evaluating their FHIRPath finds.

use std::collections::BTreeSet;

use keepwell_fhir::definitions::{Definitions, SearchKind, TypeKind, r4};
use keepwell_fhir::fhirpath::{Context, Expression};
use keepwell_fhir::json::Node;
use keepwell_fhir::search::Finder;
use serde_json::{Map, Value, json};

use super::synthea::record;
use crate::synthea::bundles;

/// Compares all parameters of a resource's type whose expressions do not ask where a reference leads; answers how many
/// values were found.
fn compare(name: &str, body: &str) -> usize {
    let mut compared = 0;
    for parameter in r4().search_parameters(name) {
        let text = &*parameter.expression;
        // A yes or no is made of what the paths find; `value.ofType(DateTime)` in one composite is spelt wrong.
        if text.is_empty()
            || text.contains("resolve()")
            || text.contains(" and ")
            || parameter.kind == SearchKind::Special
        {
            continue;
        }
        let node = Node::of_text(body);
        let mut ours: BTreeSet<&str> = BTreeSet::new();
        Finder::new(r4(), name, &[&parameter.code]).over(node, &mut |_, node| {
            ours.insert(node.raw());
        });
        let mut context = Context::of(r4(), node);
        context.as_filters = true;
        let found = Expression::parse(text).unwrap().evaluate(&context).unwrap();
        // FHIRPath leaves out what a union has twice.
        let theirs: BTreeSet<&str> = found.as_slice().iter().map(|it| it.node().unwrap().raw()).collect();
        assert_eq!(ours, theirs, "{name} {}", parameter.code);
        compared += ours.len();
    }
    compared
}

#[test]
fn search_expressions_find_in_synthea_records_what_fhirpath_finds() {
    let Some(bundles) = bundles() else { return };
    let mut compared = 0;
    for bundle in bundles.iter().take(3) {
        for resource in record(bundle).resources.iter().step_by(5) {
            compared += compare(resource["resourceType"].as_str().unwrap(), &resource.to_string());
        }
    }
    assert!(compared > 500, "{compared}");
}

/// A resource of a type with every element in it, down to some depth, each value another. Of a choice it has the type of
/// that turn.
fn full(definitions: &Definitions, type_name: &str, depth: u8, turn: usize, count: &mut usize) -> Option<Value> {
    let definition = definitions.type_named(type_name)?;
    *count += 1;
    if definition.kind == TypeKind::Primitive {
        return Some(match type_name {
            "boolean" => json!(true),
            "integer" | "positiveInt" | "unsignedInt" | "decimal" => json!(*count),
            _ => json!(format!("v{count}")),
        });
    }
    if definition.is_abstract || depth == 0 {
        return None;
    }
    let mut members = Map::new();
    if definition.kind == TypeKind::Resource {
        members.insert("resourceType".to_owned(), json!(type_name));
    }
    for element in &definition.elements {
        if matches!(&*element.name, "extension" | "modifierExtension" | "contained" | "id") {
            continue;
        }
        let Some(of) = element.types.get(turn % element.types.len().max(1)) else { continue };
        let Some(value) = full(definitions, &of.name, depth - 1, turn, count) else { continue };
        let name = if element.is_choice {
            let (first, rest) = of.name.split_at(1);
            format!("{}{}{rest}", element.name, first.to_ascii_uppercase())
        } else {
            element.name.to_string()
        };
        let again = full(definitions, &of.name, depth - 1, turn, count);
        members.insert(name, if element.repeats() { json!([value, again?]) } else { value });
    }
    Some(Value::Object(members))
}

#[test]
fn search_expressions_find_in_every_type_what_fhirpath_finds() {
    let mut compared = 0;
    for definition in r4().types().filter(|it| it.kind == TypeKind::Resource && !it.is_abstract) {
        for turn in 0..6 {
            let body = full(r4(), &definition.name, 4, turn, &mut 0).unwrap().to_string();
            compared += compare(&definition.name, &body);
        }
    }
    assert!(compared > 10_000, "{compared}");
}
