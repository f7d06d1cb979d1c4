//! A part of a resource: `_summary` and `_elements` (FHIR R4 §3.1.1.5.17 and §3.1.1.5.18).

use std::borrow::Cow;

use super::query::{Query, Summary};
use crate::definitions::{Definitions, TypeDef, TypeKind};
use crate::json::{Kind, Node, push_string};

/// What a resource that is not whole is marked with, so that nobody takes it for the whole and sends it back.
const MARK: &str = r#"{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}"#;

impl Query {
    /// The part of a resource (compact JSON) that this search asked for; as it is, if it asked for all of it.
    #[must_use]
    pub fn shape<'b>(&self, body: &'b [u8], definitions: &Definitions) -> Cow<'b, [u8]> {
        let elements: Vec<&str> = self.elements().collect();
        summarise(body, self.summary(), &elements, definitions)
    }
}

/// The part of a resource (compact JSON) that `_summary` or `_elements` ask for, marked as a part; as it is, if they ask for
/// all of it. `_elements` goes before `_summary`. What is mandatory is always in it, and so is what may change the meaning
/// of the rest: without it, a resource could be taken to say the opposite.
#[must_use]
pub fn summarise<'b>(body: &'b [u8], summary: Summary, elements: &[&str], definitions: &Definitions) -> Cow<'b, [u8]> {
    if elements.is_empty() && matches!(summary, Summary::False | Summary::Count) {
        return Cow::Borrowed(body);
    }
    let whole = || Cow::Borrowed(body);
    let Some(resource) = Node::new(body).filter(|node| node.kind() == Kind::Object) else { return whole() };
    let name = resource.get_text("resourceType").unwrap_or_default();
    let Some(definition) = definitions.type_named(&name) else { return whole() };
    let mut out = Vec::with_capacity(body.len());
    let has_meta = resource.get("meta").is_some_and(|meta| meta.kind() == Kind::Object);
    for (name, value) in resource.members() {
        let stem = name.strip_prefix('_').unwrap_or(name);
        if stem == "meta" {
            if has_meta {
                member(&mut out, name, &marked(value));
            }
            continue;
        }
        if matches!(stem, "resourceType" | "id") {
            member(&mut out, name, value.raw().as_bytes());
        } else if keeps(definition, stem, summary, elements) {
            let mut text = Vec::new();
            if elements.is_empty() && summary == Summary::True {
                let type_name = definition.element(stem).map_or("", |(_, type_name)| type_name);
                summarised(value, type_name, definitions, &mut text);
            } else {
                text.extend_from_slice(value.raw().as_bytes());
            }
            member(&mut out, name, &text);
        }
        if stem == "resourceType" && !has_meta {
            member(&mut out, "meta", format!(r#"{{"tag":[{MARK}]}}"#).as_bytes());
        }
    }
    if out.is_empty() {
        out.push(b'{');
    }
    out.push(b'}');
    Cow::Owned(out)
}

fn keeps(definition: &TypeDef, stem: &str, summary: Summary, elements: &[&str]) -> bool {
    let Some((element, _)) = definition.element(stem) else {
        // Not in the definitions: no part of a summary, but of the data.
        return elements.is_empty() && summary == Summary::Data;
    };
    if !elements.is_empty() {
        return element.min > 0 || element.is_modifier || elements.contains(&&*element.name);
    }
    match summary {
        Summary::True => element.is_summary || element.min > 0 || element.is_modifier,
        Summary::Text => element.name == "text" || element.min > 0 || element.is_modifier,
        Summary::Data => element.name != "text",
        Summary::False | Summary::Count => true,
    }
}

/// Appends a member, and what opens the object or parts it from the one before.
fn member(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.push(if out.is_empty() { b'{' } else { b',' });
    push_string(out, name);
    out.push(b':');
    out.extend_from_slice(value);
}

/// A value without what its type keeps out of summaries, such as the data of an attachment.
fn summarised(value: Node<'_>, type_name: &str, definitions: &Definitions, out: &mut Vec<u8>) {
    let definition = definitions.type_named(type_name).filter(|it| {
        let has_parts = matches!(it.kind, TypeKind::Backbone | TypeKind::Complex);
        has_parts && it.elements.iter().any(|element| element.is_summary)
    });
    let Some(definition) = definition else {
        out.extend_from_slice(value.raw().as_bytes());
        return;
    };
    match value.kind() {
        Kind::Array => {
            out.push(b'[');
            for (at, item) in value.items().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                summarised(item, type_name, definitions, out);
            }
            out.push(b']');
        }
        Kind::Object => {
            let mut parts = Vec::new();
            for (name, part) in value.members() {
                let stem = name.strip_prefix('_').unwrap_or(name);
                let Some((element, type_name)) = definition.element(stem) else { continue };
                if element.is_summary || element.min > 0 || element.is_modifier {
                    let mut text = Vec::new();
                    summarised(part, type_name, definitions, &mut text);
                    member(&mut parts, name, &text);
                }
            }
            if parts.is_empty() {
                parts.push(b'{');
            }
            parts.push(b'}');
            out.extend(parts);
        }
        _ => out.extend_from_slice(value.raw().as_bytes()),
    }
}

/// A `meta` with the mark among its tags.
fn marked(meta: Node<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(meta.raw().len() + MARK.len() + 16);
    let mut has_tags = false;
    for (name, value) in meta.members() {
        if name != "tag" {
            member(&mut out, name, value.raw().as_bytes());
            continue;
        }
        has_tags = true;
        let is_marked = value.items().any(|tag| tag.get_text("code").as_deref() == Some("SUBSETTED"));
        let tags = match value.raw().strip_suffix(']') {
            Some(_) if is_marked => value.raw().to_owned(),
            Some("[") => format!("[{MARK}]"),
            Some(open) => format!("{open},{MARK}]"),
            None => format!("[{MARK}]"),
        };
        member(&mut out, name, tags.as_bytes());
    }
    if !has_tags {
        member(&mut out, "tag", format!("[{MARK}]").as_bytes());
    }
    out.push(b'}');
    out
}
