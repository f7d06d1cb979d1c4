//! Reading a StructureDefinition: the types that a snapshot defines.

use std::collections::HashMap;
use std::sync::Arc;

use super::PackageError;
use super::model::{Binding, ElementDef, Invariant, Strength, Text, TypeDef, TypeKind, TypeRef, ValueRule};
use crate::json::{Kind, Node};

/// Where the addresses of HL7's own types start.
pub(super) const BASE: &str = "http://hl7.org/fhir/StructureDefinition/";
const FHIR_TYPE: &str = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type";
const REGEX: &str = "http://hl7.org/fhir/StructureDefinition/regex";

/// The text of a member, owned.
pub(super) fn owned(node: Node<'_>, name: &str) -> Option<Text> {
    node.get_text(name).map(|text| Text::Owned(text.into_owned()))
}

/// The texts of an array's items, owned.
pub(super) fn owned_all(node: Node<'_>, name: &str) -> Vec<Text> {
    let items = node.get(name).into_iter().flat_map(Node::items);
    items.filter_map(Node::text).map(|text| Text::Owned(text.into_owned())).collect()
}

/// The types that a StructureDefinition with a snapshot defines: itself, and its backbone elements.
pub(super) fn types(resource: Node<'_>) -> Result<Vec<TypeDef>, PackageError> {
    let url = owned(resource, "url").unwrap_or_default();
    let incomplete = || PackageError::Incomplete(url.to_string());
    let kind = match resource.get_text("kind").as_deref() {
        Some("primitive-type") => TypeKind::Primitive,
        Some("complex-type") => TypeKind::Complex,
        _ => TypeKind::Resource,
    };
    let elements: Vec<Node<'_>> = resource.all("snapshot.element");
    let paths: Vec<Text> =
        elements.iter().map(|it| owned(*it, "path").ok_or_else(incomplete)).collect::<Result<_, _>>()?;
    let mut types: Vec<TypeDef> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (at, (element, path)) in elements.iter().zip(&paths).enumerate() {
        let has_children = paths.get(at + 1).is_some_and(|next| is_below(next, path));
        let Some((parent, name)) = path.rsplit_once('.') else {
            places.insert(path, types.len());
            types.push(root(resource, *element, kind, path.clone()));
            continue;
        };
        let place = *places.get(parent).ok_or_else(incomplete)?;
        if kind == TypeKind::Primitive && name == "value" {
            types[place].pattern = regex(*element);
            continue;
        }
        let mut definition = blank(name);
        apply(&mut definition, *element);
        if kind == TypeKind::Resource && name == "id" && !parent.contains('.') {
            // R4 says that a resource's id is a string, which its text and its regular expression contradict.
            definition.types = vec![TypeRef { name: "id".into(), ..TypeRef::default() }];
        }
        if has_children {
            places.insert(path, types.len());
            types.push(backbone(path.clone(), &mut definition));
        }
        types[place].elements.push(definition);
    }
    if types.is_empty() { Err(incomplete()) } else { Ok(types) }
}

/// Whether a path is right or further below another.
fn is_below(path: &str, parent: &str) -> bool {
    path.strip_prefix(parent).is_some_and(|rest| rest.starts_with('.'))
}

fn root(resource: Node<'_>, element: Node<'_>, kind: TypeKind, name: Text) -> TypeDef {
    let base = resource.get_text("baseDefinition").map(|url| Text::Owned(last_segment(&url).to_owned()));
    let is_abstract = resource.get("abstract").and_then(Node::boolean).unwrap_or(false);
    TypeDef { name, base, kind, is_abstract, pattern: None, elements: Vec::new(), invariants: invariants(element) }
}

/// A type for an element that has children of its own; the element then has that type, and its rules move there.
fn backbone(path: Text, element: &mut ElementDef) -> TypeDef {
    let base = element.types.first().map(|it| it.name.clone());
    element.types = vec![TypeRef { name: path.clone(), ..TypeRef::default() }];
    TypeDef {
        name: path,
        base,
        kind: TypeKind::Backbone,
        is_abstract: false,
        pattern: None,
        elements: Vec::new(),
        invariants: std::mem::take(&mut element.invariants),
    }
}

/// An element of which nothing is known but its name.
pub(super) fn blank(name: &str) -> ElementDef {
    let stem = name.strip_suffix("[x]");
    ElementDef {
        name: Text::Owned(stem.unwrap_or(name).to_owned()),
        is_choice: stem.is_some(),
        min: 0,
        max: None,
        types: Vec::new(),
        binding: None,
        invariants: Vec::new(),
        rules: Vec::new(),
        is_summary: false,
        is_modifier: false,
        must_support: false,
        is_attribute: false,
    }
}

/// Lets an ElementDefinition say about an element what it says; what it does not mention stays.
pub(super) fn apply(element: &mut ElementDef, json: Node<'_>) {
    for (name, value) in json.members() {
        match name {
            "min" => element.min = number(value).unwrap_or(element.min),
            "max" => element.max = value.text().map_or(element.max, |text| text.parse().ok()),
            "type" => element.types = value.items().map(type_ref).collect(),
            "contentReference" => {
                let path = value.text().and_then(|it| Some(it.rsplit_once('#')?.1.to_owned())).unwrap_or_default();
                element.types = vec![TypeRef { name: path.into(), ..TypeRef::default() }];
            }
            "binding" => element.binding = binding(value),
            "constraint" => {
                for invariant in invariants(json) {
                    element.invariants.retain(|it| it.key != invariant.key);
                    element.invariants.push(invariant);
                }
            }
            "isSummary" => element.is_summary = value.boolean().unwrap_or_default(),
            "isModifier" => element.is_modifier = value.boolean().unwrap_or_default(),
            "mustSupport" => element.must_support = value.boolean().unwrap_or_default(),
            "representation" => element.is_attribute = value.items().any(|it| it.text().as_deref() == Some("xmlAttr")),
            _ => value_rule(element, name, value),
        }
    }
}

/// Fixed values, patterns and limits: the new one takes the place of one of its kind.
fn value_rule(element: &mut ElementDef, name: &str, value: Node<'_>) {
    let text = || Text::Owned(value.raw().to_owned());
    let rule = if name == "maxLength" {
        number(value).map(ValueRule::MaxLength)
    } else if name.starts_with("fixed") {
        Some(ValueRule::Fixed(text()))
    } else if name.starts_with("pattern") {
        Some(ValueRule::Pattern(text()))
    } else if name.starts_with("minValue") {
        Some(ValueRule::Min(text()))
    } else if name.starts_with("maxValue") {
        Some(ValueRule::Max(text()))
    } else {
        None
    };
    if let Some(rule) = rule {
        element.rules.retain(|it| std::mem::discriminant(it) != std::mem::discriminant(&rule));
        element.rules.push(rule);
    }
}

fn number(value: Node<'_>) -> Option<u32> {
    value.number().and_then(|text| text.parse().ok())
}

fn type_ref(json: Node<'_>) -> TypeRef {
    let code = json.get_text("code").unwrap_or_default();
    // The ids and the attributes of elements have types of FHIRPath; an extension says which FHIR type that is.
    let name = if !code.starts_with("http://hl7.org/fhirpath/") {
        last_segment(&code).to_owned()
    } else {
        extension(json, FHIR_TYPE).map_or_else(|| "string".to_owned(), Text::into_owned)
    };
    let (profiles, target_profiles) = (owned_all(json, "profile"), owned_all(json, "targetProfile"));
    TypeRef { name: name.into(), profiles, target_profiles }
}

fn last_segment(url: &str) -> &str {
    url.strip_prefix(BASE).unwrap_or(url)
}

/// The value of an extension that holds one string.
fn extension(json: Node<'_>, url: &str) -> Option<Text> {
    let found = json.get("extension")?.items().find(|it| it.get_text("url").as_deref() == Some(url))?;
    let (_, value) = found.members().find(|(name, _)| name.starts_with("value"))?;
    value.text().map(|text| Text::Owned(text.into_owned()))
}

fn regex(element: Node<'_>) -> Option<Text> {
    element.get("type")?.items().find_map(|it| extension(it, REGEX))
}

fn binding(json: Node<'_>) -> Option<Binding> {
    let strength = match &*json.get_text("strength")? {
        "required" => Strength::Required,
        "extensible" => Strength::Extensible,
        "preferred" => Strength::Preferred,
        _ => Strength::Example,
    };
    Some(Binding { strength, value_set: owned(json, "valueSet") })
}

fn invariants(element: Node<'_>) -> Vec<Arc<Invariant>> {
    let constraints = element.get("constraint").filter(|it| it.kind() == Kind::Array);
    constraints.into_iter().flat_map(Node::items).filter_map(invariant).map(Arc::new).collect()
}

fn invariant(json: Node<'_>) -> Option<Invariant> {
    Some(Invariant {
        key: owned(json, "key")?,
        is_warning: json.get_text("severity").as_deref() == Some("warning"),
        human: owned(json, "human").unwrap_or_default(),
        expression: owned(json, "expression").unwrap_or_default(),
    })
}
