//! As much XML as HL7's suite needs: its own file, and its example resources turned into JSON.

use std::fmt::Write as _;

use keepwell_fhir::definitions::{Definitions, TypeKind};
use keepwell_fhir::json::quoted;

/// An element.
pub(super) struct Tag<'t> {
    pub(super) name: &'t str,
    attributes: Vec<(&'t str, String)>,
    pub(super) children: Vec<Tag<'t>>,
    /// The text inside, without that of its children.
    pub(super) text: String,
    /// The element as it is spelt.
    source: &'t str,
}

impl<'t> Tag<'t> {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Tag<'t>> + 'a {
        self.children.iter().filter(move |child| child.name == name)
    }
}

/// Reads a document.
pub(super) fn read(text: &str) -> Tag<'_> {
    let mut rest = text.trim_start_matches('\u{feff}');
    loop {
        rest = rest.trim_start();
        rest = if let Some(after) = rest.strip_prefix("<?") {
            after.split_once("?>").unwrap().1
        } else if let Some(after) = rest.strip_prefix("<!--") {
            after.split_once("-->").unwrap().1
        } else {
            return element(&mut rest);
        };
    }
}

fn element<'t>(rest: &mut &'t str) -> Tag<'t> {
    let start = *rest;
    *rest = rest.strip_prefix('<').unwrap();
    let end = rest.find(|c: char| c.is_whitespace() || c == '>' || c == '/').unwrap();
    let name = &rest[..end];
    *rest = &rest[end..];
    let mut tag = Tag { name, attributes: Vec::new(), children: Vec::new(), text: String::new(), source: "" };
    loop {
        *rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix("/>") {
            *rest = after;
            tag.source = &start[..start.len() - rest.len()];
            return tag;
        }
        if let Some(after) = rest.strip_prefix('>') {
            *rest = after;
            break;
        }
        let (name, after) = rest.split_once('=').unwrap();
        let quote = after.trim_start().chars().next().unwrap();
        let (value, after) = after.trim_start()[1..].split_once(quote).unwrap();
        tag.attributes.push((name.trim(), plain(value)));
        *rest = after;
    }
    loop {
        if let Some(after) = rest.strip_prefix("<!--") {
            *rest = after.split_once("-->").unwrap().1;
        } else if let Some(after) = rest.strip_prefix("</") {
            *rest = after.split_once('>').unwrap().1;
            tag.source = &start[..start.len() - rest.len()];
            return tag;
        } else if rest.starts_with('<') {
            tag.children.push(element(rest));
        } else {
            let end = rest.find('<').unwrap();
            tag.text.push_str(&plain(&rest[..end]));
            *rest = &rest[end..];
        }
    }
}

/// Text with its entities resolved.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut parts = text.split('&');
    out.push_str(parts.next().unwrap());
    for part in parts {
        let (name, rest) = part.split_once(';').unwrap();
        out.push(match name {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            _ => match name.strip_prefix("#x") {
                Some(hex) => char::from_u32(u32::from_str_radix(hex, 16).unwrap()).unwrap(),
                None => char::from_u32(name.strip_prefix('#').unwrap().parse().unwrap()).unwrap(),
            },
        });
        out.push_str(rest);
    }
    out
}

/// A resource as JSON.
pub(super) fn resource(tag: &Tag<'_>, definitions: &Definitions) -> String {
    let inside = members(tag, tag.name, definitions);
    format!("{{\"resourceType\":{}{inside}}}", quoted(tag.name))
}

/// The properties of an element of that type, each after a comma.
fn members(tag: &Tag<'_>, type_name: &str, definitions: &Definitions) -> String {
    let mut out = String::new();
    for attribute in ["id", "url"] {
        if let Some(value) = tag.attribute(attribute).filter(|_| tag.attribute("value").is_none()) {
            write!(out, ",{}:{}", quoted(attribute), quoted(value)).unwrap();
        }
    }
    let definition = definitions.type_named(type_name).unwrap_or_else(|| panic!("{type_name}"));
    let mut done: Vec<&str> = Vec::new();
    for child in &tag.children {
        if done.contains(&child.name) {
            continue;
        }
        done.push(child.name);
        let (element, child_type) = definition.element(child.name).unwrap_or_else(|| panic!("{}", child.name));
        let all: Vec<(String, String)> =
            tag.all(child.name).map(|child| value(child, child_type, definitions)).collect();
        let (values, beside): (Vec<String>, Vec<String>) = all.into_iter().unzip();
        for (name, values) in [(child.name.to_owned(), values), (format!("_{}", child.name), beside)] {
            if values.iter().all(|value| value == "null") {
                continue;
            }
            let joined = values.join(",");
            let joined = if element.repeats() { format!("[{joined}]") } else { joined };
            write!(out, ",{}:{joined}", quoted(&name)).unwrap();
        }
    }
    out
}

/// An element's value, and what stands beside it.
fn value(tag: &Tag<'_>, type_name: &str, definitions: &Definitions) -> (String, String) {
    let none = || "null".to_owned();
    let object = |inside: String| format!("{{{}}}", inside.trim_start_matches(','));
    match (type_name, definitions.type_named(type_name).map(|it| it.kind)) {
        ("xhtml", _) => (quoted(tag.source), none()),
        ("Resource", _) => (resource(&tag.children[0], definitions), none()),
        (_, Some(TypeKind::Primitive)) => {
            let value = tag.attribute("value").map_or_else(none, |value| match type_name {
                "boolean" | "integer" | "unsignedInt" | "positiveInt" | "decimal" => value.to_owned(),
                _ => quoted(value),
            });
            let beside = if tag.children.is_empty() { none() } else { object(members(tag, type_name, definitions)) };
            (value, beside)
        }
        _ => (object(members(tag, type_name, definitions)), none()),
    }
}
