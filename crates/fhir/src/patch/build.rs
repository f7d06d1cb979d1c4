//! Values out of the parameters of a FHIRPath Patch: the JSON that an element of a given type has for them.

use super::Reason;
use super::element::{Field, changes, rewritten};
use crate::definitions::{Definitions, ElementDef, TypeKind};
use crate::element::choice;
use crate::json::{Kind, Node};

/// A value for an element.
pub(super) struct Built {
    /// The name of the JSON property: for a choice element with its type.
    pub(super) name: String,
    /// The value.
    pub(super) value: Option<String>,
    /// What stands beside a primitive.
    pub(super) companion: Option<String>,
}

/// The value that a part of the parameters gives for an element: in `value[x]`, in `resource`, or, for a type that has no
/// name of its own, in parts of parts.
pub(super) fn build(definitions: &Definitions, element: &ElementDef, part: Node<'_>) -> Result<Built, Reason> {
    let stated = element.types.first().map_or("", |it| &*it.name);
    let plain = |value: String| Built { name: element.name.to_string(), value: Some(value), companion: None };
    if let Some(parts) = part.get("part") {
        let named = element.is_choice || definitions.type_named(stated).is_none_or(|it| it.kind == TypeKind::Primitive);
        return if named { Err(Reason::WrongType) } else { object(definitions, stated, parts).map(plain) };
    }
    if let Some(resource) = part.get("resource") {
        let takes = !element.is_choice && matches!(stated, "Resource" | "DomainResource");
        let fits = takes && resource.get_text("resourceType").is_some();
        return if fits { Ok(plain(resource.raw().to_owned())) } else { Err(Reason::WrongType) };
    }
    let value = choice(part.members(), "value");
    let companion = choice(part.members(), "_value");
    let type_name = value.or(companion).map(|(type_name, _)| type_name).ok_or(Reason::Missing("value"))?;
    let (value, companion) = (value.map(|(_, value)| value), companion.map(|(_, value)| value));
    let name = format!("{}{type_name}", element.name);
    let (name, target) = match element.type_behind(&name) {
        Some(target) if element.is_choice => (name, target),
        _ if element.is_choice => return Err(Reason::WrongType),
        _ => (element.name.to_string(), stated),
    };
    if !fits(definitions, target, type_name, value, companion) {
        return Err(Reason::WrongType);
    }
    let text = |node: Node<'_>| node.raw().to_owned();
    Ok(Built { name, value: value.map(text), companion: companion.map(text) })
}

/// Whether a value that is called `value<given>` may stand in an element of that type. Among primitives the kind of JSON
/// value decides, so that a `string` may become a `code`.
fn fits(
    definitions: &Definitions,
    target: &str,
    given: &str,
    value: Option<Node<'_>>,
    companion: Option<Node<'_>>,
) -> bool {
    let Some(definition) = definitions.type_named(target) else { return false };
    if definition.kind == TypeKind::Primitive {
        let kind = match target {
            "boolean" => Kind::Bool,
            "decimal" | "integer" | "positiveInt" | "unsignedInt" => Kind::Number,
            _ => Kind::String,
        };
        return value.is_none_or(|it| it.kind() == kind) && companion.is_none_or(|it| it.kind() == Kind::Object);
    }
    let same = given == target || definitions.is_a(given, target) || definitions.is_a(target, given);
    same && companion.is_none() && value.is_some_and(|it| it.kind() == Kind::Object)
}

/// An object of that type, out of parts: the elements of one name come together in a list.
fn object(definitions: &Definitions, type_name: &str, parts: Node<'_>) -> Result<String, Reason> {
    let mut fields: Vec<(&ElementDef, String, Field)> = Vec::new();
    for part in parts.items() {
        let name = part.get_text("name").ok_or(Reason::Missing("name"))?;
        let element = element_of(definitions, type_name, &name)?;
        let built = build(definitions, element, part)?;
        let there = fields.iter().position(|(other, ..)| std::ptr::eq(*other, element));
        if there.is_some() && !element.repeats() {
            return Err(Reason::AlreadyThere);
        }
        let at = there.unwrap_or_else(|| {
            fields.push((element, built.name, Field::default()));
            fields.len() - 1
        });
        let field = &mut fields[at].2;
        field.insert(field.len(), built.value, built.companion)?;
    }
    if fields.is_empty() {
        return Err(Reason::Missing("part"));
    }
    let all = fields.iter().flat_map(|(element, name, field)| changes(name, name, field, element.repeats()));
    Ok(rewritten(Node::of_text("{}"), all.collect()))
}

/// The element of a type with that name. A choice is named by its stem; its name in JSON, with a type, is understood too.
fn element_of<'a>(definitions: &'a Definitions, type_name: &str, name: &str) -> Result<&'a ElementDef, Reason> {
    let definition = definitions.type_named(type_name).ok_or(Reason::NoElement)?;
    let element = definition.element_named(name).or_else(|| definition.element(name).map(|(element, _)| element));
    element.ok_or(Reason::NoElement)
}

/// An object with one more element: a new property, or a new item at the end of a list.
pub(super) fn with_element(
    definitions: &Definitions,
    object: Node<'_>,
    type_name: &str,
    name: &str,
    part: Node<'_>,
) -> Result<String, Reason> {
    let element = element_of(definitions, type_name, name)?;
    let built = build(definitions, element, part)?;
    let repeats = element.repeats();
    let is_there = |(name, _): (&str, Node<'_>)| element.type_behind(name.strip_prefix('_').unwrap_or(name)).is_some();
    if !repeats && object.members().any(is_there) {
        return Err(Reason::AlreadyThere);
    }
    let mut field = Field::read(object, &built.name);
    field.insert(field.len(), built.value, built.companion)?;
    Ok(rewritten(object, changes(&built.name, &built.name, &field, repeats)))
}
