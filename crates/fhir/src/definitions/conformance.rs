//! Reading SearchParameter, CompartmentDefinition, CodeSystem and ValueSet resources.

use std::collections::HashMap;

use super::codes::{CodeSystem, Concept, Content, Filter, Include, Included, Property, ValueSet};
use super::model::{Component, SearchKind, SearchParameter, Text};
use super::structure::{owned, owned_all};
use crate::json::{Kind, Node};

/// How deep concepts may be nested in a code system; JSON's own limit is near.
const MAX_NESTING: usize = 64;

/// A search parameter; `None` if it has no code, address or known type.
pub(super) fn search_parameter(resource: Node<'_>) -> Option<SearchParameter> {
    let kind = match &*resource.get_text("type")? {
        "number" => SearchKind::Number,
        "date" => SearchKind::Date,
        "string" => SearchKind::String,
        "token" => SearchKind::Token,
        "reference" => SearchKind::Reference,
        "composite" => SearchKind::Composite,
        "quantity" => SearchKind::Quantity,
        "uri" => SearchKind::Uri,
        "special" => SearchKind::Special,
        _ => return None,
    };
    let components = resource.all("component").into_iter().filter_map(|it| {
        Some(Component {
            definition: owned(it, "definition")?,
            expression: owned(it, "expression").unwrap_or_default(),
        })
    });
    Some(SearchParameter {
        code: owned(resource, "code")?,
        url: owned(resource, "url")?,
        base: owned_all(resource, "base"),
        kind,
        expression: owned(resource, "expression").unwrap_or_default(),
        targets: owned_all(resource, "target"),
        components: components.collect(),
    })
}

/// For each type of the patient compartment the codes of the search parameters that lead to the patient.
pub(super) fn compartment(resource: Node<'_>) -> Vec<(Text, Vec<Text>)> {
    let entries = resource.all("resource").into_iter();
    entries
        .filter_map(|it| Some((owned(it, "code")?, owned_all(it, "param"))))
        .filter(|(_, parameters)| !parameters.is_empty())
        .collect()
}

/// A code system; `None` if it has no address.
pub(super) fn code_system(resource: Node<'_>) -> Option<CodeSystem> {
    let mut system = CodeSystem {
        url: owned(resource, "url")?,
        version: owned(resource, "version"),
        name: owned(resource, "name"),
        title: owned(resource, "title"),
        value_set: owned(resource, "valueSet"),
        content: match resource.get_text("content").as_deref() {
            Some("complete") => Content::Complete,
            Some("fragment") => Content::Fragment,
            Some("example") => Content::Example,
            Some("supplement") => Content::Supplement,
            _ => Content::NotPresent,
        },
        case_sensitive: resource.get("caseSensitive").and_then(Node::boolean).unwrap_or(true),
        concepts: Vec::new(),
        by_code: Vec::new(),
    };
    let mut below = Vec::new();
    concepts(resource, None, 0, &mut system.concepts, &mut below);
    let places: HashMap<String, usize> =
        system.concepts.iter().enumerate().rev().map(|(at, it)| (it.code.to_string(), at)).collect();
    for (parent, child) in below {
        if let Some(concept) = places.get(&*child).and_then(|&at| system.concepts.get_mut(at))
            && !concept.parents.contains(&parent)
        {
            concept.parents.push(parent);
        }
    }
    system.index();
    Some(system)
}

/// Collects the concepts of a level and below; `below` gets what the property `child` says: a parent's place, a code.
fn concepts(json: Node<'_>, parent: Option<u32>, depth: usize, all: &mut Vec<Concept>, below: &mut Vec<(u32, Text)>) {
    for concept in json.get("concept").into_iter().flat_map(Node::items).filter(|_| depth < MAX_NESTING) {
        let (Some(code), Ok(place)) = (owned(concept, "code"), u32::try_from(all.len())) else { continue };
        let mut properties = Vec::new();
        for json in concept.all("property") {
            let Some(property) = property(json) else { continue };
            match &*property.code {
                "child" => below.push((place, property.value)),
                _ => properties.push(property),
            }
        }
        all.push(Concept {
            code,
            display: owned(concept, "display"),
            definition: owned(concept, "definition"),
            parents: parent.into_iter().collect(),
            properties,
        });
        concepts(concept, Some(place), depth + 1, all, below);
    }
}

fn property(json: Node<'_>) -> Option<Property> {
    let (_, value) = json.members().find(|(name, _)| name.starts_with("value"))?;
    let value = match value.kind() {
        Kind::Object => owned(value, "code")?,
        Kind::String => value.text().map(|it| Text::Owned(it.into_owned()))?,
        _ => Text::Owned(value.raw().to_owned()),
    };
    Some(Property { code: owned(json, "code")?, value })
}

/// A value set; `None` if it has no address. One without a definition has what its expansion lists.
pub(super) fn value_set(resource: Node<'_>) -> Option<ValueSet> {
    let mut include: Vec<Include> = resource.all("compose.include").into_iter().map(part).collect();
    if include.is_empty() {
        for json in resource.all("expansion.contains") {
            listed(json, 0, &mut include);
        }
    }
    Some(ValueSet {
        url: owned(resource, "url")?,
        version: owned(resource, "version"),
        name: owned(resource, "name"),
        title: owned(resource, "title"),
        include,
        exclude: resource.all("compose.exclude").into_iter().map(part).collect(),
    })
}

fn part(json: Node<'_>) -> Include {
    let concepts = json.all("concept").into_iter();
    let filters = json.all("filter").into_iter();
    Include {
        system: owned(json, "system"),
        version: owned(json, "version"),
        concepts: concepts
            .filter_map(|it| Some(Included { code: owned(it, "code")?, display: owned(it, "display") }))
            .collect(),
        filters: filters
            .filter_map(|it| {
                Some(Filter { property: owned(it, "property")?, op: owned(it, "op")?, value: owned(it, "value")? })
            })
            .collect(),
        value_sets: owned_all(json, "valueSet"),
    }
}

/// What an expansion lists, gathered by code system.
fn listed(json: Node<'_>, depth: usize, include: &mut Vec<Include>) {
    if let Some(code) = owned(json, "code") {
        let (system, display) = (owned(json, "system"), owned(json, "display"));
        if include.last().is_none_or(|it| it.system != system) {
            include.push(Include { system, ..Include::default() });
        }
        if let Some(part) = include.last_mut() {
            part.concepts.push(Included { code, display });
        }
    }
    for below in json.get("contains").into_iter().flat_map(Node::items).filter(|_| depth < MAX_NESTING) {
        listed(below, depth + 1, include);
    }
}
