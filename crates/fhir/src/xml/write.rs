//! JSON to XML.

use std::borrow::Cow;

use super::text::{first_forbidden, push_attribute};
use super::{FHIR, narrative, shown};
use crate::definitions::{Definitions, ElementDef, TypeDef, TypeKind};
use crate::json::{Kind, MAX_DEPTH, Node};

/// Why a resource cannot be written as XML, and where. The words name elements, never what they hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {words}")]
pub struct Unwritable {
    /// The element's path: `Patient.name[1].given`.
    pub path: String,
    /// What is wrong and what to do, for people.
    pub words: String,
}

/// Writes a resource in compact JSON as FHIR XML, its elements in the order of the definitions.
///
/// # Errors
/// [`Unwritable`] if the resource has what the definitions do not know: XML has no way to spell that.
pub fn write(resource: Node<'_>, definitions: &Definitions) -> Result<Vec<u8>, Unwritable> {
    written(resource, definitions, false)
}

/// As [`write()`], each element on a line of its own, for people.
///
/// # Errors
/// As [`write()`].
pub fn write_pretty(resource: Node<'_>, definitions: &Definitions) -> Result<Vec<u8>, Unwritable> {
    written(resource, definitions, true)
}

fn written(resource: Node<'_>, definitions: &Definitions, is_pretty: bool) -> Result<Vec<u8>, Unwritable> {
    let mut out = Vec::with_capacity(resource.raw().len() * 2);
    out.extend_from_slice(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    let mut pen = Pen { definitions, out, path: Vec::new(), is_pretty, depth: 0 };
    match pen.resource(resource, true) {
        Ok(()) => Ok(pen.out),
        Err(words) => Err(Unwritable { path: pen.path.concat(), words }),
    }
}

struct Pen<'d> {
    definitions: &'d Definitions,
    out: Vec<u8>,
    /// The steps to here, for the error; left as they are when one happens.
    path: Vec<String>,
    /// Whether each element starts a line.
    is_pretty: bool,
    /// How many elements are open.
    depth: usize,
}

/// What is said about one element: its property and its companion.
struct Said<'a, 'd> {
    /// The element's place in the definition.
    rank: usize,
    element: &'d ElementDef,
    type_name: &'d str,
    name: &'a str,
    value: Option<Node<'a>>,
    companion: Option<Node<'a>>,
}

impl<'d> Pen<'d> {
    fn resource(&mut self, node: Node<'_>, is_root: bool) -> Result<(), String> {
        let name = node.get_text("resourceType").ok_or("there is no resourceType")?;
        let known = self.definitions.type_named(&name).filter(|it| it.kind == TypeKind::Resource && !it.is_abstract);
        let definition = known.ok_or_else(|| format!("'{}' is not a resource type of FHIR R4", shown(&name)))?;
        self.open(&definition.name);
        if is_root {
            self.path.push(definition.name.to_string());
            self.attribute("xmlns", FHIR)?;
        }
        let inside = self.content(node, definition)?;
        self.close(&definition.name, inside);
        Ok(())
    }

    /// The rest of a start tag and what follows up to the end tag. Returns where the children start.
    fn content(&mut self, node: Node<'_>, definition: &'d TypeDef) -> Result<usize, String> {
        if self.path.len() > MAX_DEPTH {
            return Err(format!("elements are nested deeper than {MAX_DEPTH} levels"));
        }
        if node.kind() != Kind::Object {
            return Err("FHIR R4 has an object here".to_owned());
        }
        let said = said(node, definition)?;
        for it in said.iter().filter(|it| it.element.is_attribute) {
            let value = it.value.and_then(Node::text).filter(|_| it.companion.is_none());
            self.attribute(it.name, &value.ok_or_else(|| format!("'{}' is not a string", it.name))?)?;
        }
        self.out.push(b'>');
        let inside = self.out.len();
        for it in said.iter().filter(|it| !it.element.is_attribute) {
            self.elements(it)?;
        }
        Ok(inside)
    }

    /// All elements of a name.
    fn elements(&mut self, said: &Said<'_, 'd>) -> Result<(), String> {
        let (values, companions) = (each(said.value)?, each(said.companion)?);
        let is_list = [said.value, said.companion].iter().flatten().any(|it| it.kind() == Kind::Array);
        for at in 0..values.len().max(companions.len()) {
            self.path.push(if is_list { format!(".{}[{at}]", said.name) } else { format!(".{}", said.name) });
            if at > 0 && !said.element.repeats() {
                return Err("this element may not repeat".to_owned());
            }
            let value = values.get(at).filter(|it| it.kind() != Kind::Null);
            let companion = companions.get(at).filter(|it| it.kind() != Kind::Null);
            if value.is_some() || companion.is_some() {
                self.item(said, value.copied(), companion.copied())?;
            } else if is_list {
                return Err("there is nothing at this place of the list".to_owned());
            }
            self.path.pop();
        }
        Ok(())
    }

    fn item(
        &mut self,
        said: &Said<'_, 'd>,
        value: Option<Node<'_>>,
        companion: Option<Node<'_>>,
    ) -> Result<(), String> {
        let known = self.definitions.type_named(said.type_name);
        let definition = known.ok_or_else(|| format!("the type {} is not defined", said.type_name))?;
        if definition.kind == TypeKind::Primitive {
            return self.primitive(said, definition, value, companion);
        }
        let (Some(value), None) = (value, companion) else {
            return Err(format!("'_{}' is for elements with a single value", shown(said.name)));
        };
        self.open(said.name);
        let inside = if definition.kind == TypeKind::Resource {
            self.out.push(b'>');
            let inside = self.out.len();
            self.resource(value, false)?;
            inside
        } else {
            self.content(value, definition)?
        };
        self.close(said.name, inside);
        Ok(())
    }

    fn primitive(
        &mut self,
        said: &Said<'_, 'd>,
        definition: &'d TypeDef,
        value: Option<Node<'_>>,
        companion: Option<Node<'_>>,
    ) -> Result<(), String> {
        if said.type_name == "xhtml" {
            let text = value.and_then(Node::text).filter(|_| companion.is_none()).ok_or("a narrative is a string")?;
            let narrative = narrative::written(&text)?;
            self.line();
            self.out.extend_from_slice(narrative.as_bytes());
            return Ok(());
        }
        self.open(said.name);
        if let Some(value) = value {
            self.attribute("value", &spelt(value, said.type_name)?)?;
        }
        let inside = if let Some(companion) = companion {
            self.content(companion, definition)?
        } else {
            self.out.push(b'>');
            self.out.len()
        };
        self.close(said.name, inside);
        Ok(())
    }

    /// Starts a line, if the document is to have lines.
    fn line(&mut self) {
        if self.is_pretty {
            self.out.push(b'\n');
            self.out.resize(self.out.len() + 2 * self.depth, b' ');
        }
    }

    fn open(&mut self, name: &str) {
        self.line();
        self.depth += 1;
        self.out.push(b'<');
        self.out.extend_from_slice(name.as_bytes());
    }

    fn attribute(&mut self, name: &str, value: &str) -> Result<(), String> {
        if first_forbidden(value).is_some() {
            return Err("there is a character that XML does not allow".to_owned());
        }
        self.out.push(b' ');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"=\"");
        push_attribute(&mut self.out, value);
        self.out.push(b'"');
        Ok(())
    }

    /// An end tag, or an empty element if there was nothing inside.
    fn close(&mut self, name: &str, inside: usize) {
        self.depth -= 1;
        if self.out.len() == inside {
            self.out.pop();
            self.out.extend_from_slice(b"/>");
        } else {
            self.line();
            self.out.extend_from_slice(b"</");
            self.out.extend_from_slice(name.as_bytes());
            self.out.push(b'>');
        }
    }
}

/// What an object says about each element, in the order of the definition.
fn said<'a, 'd>(node: Node<'a>, definition: &'d TypeDef) -> Result<Vec<Said<'a, 'd>>, String> {
    let mut all: Vec<Said<'a, 'd>> = Vec::new();
    for (property, node) in node.members() {
        if property == "resourceType" && definition.kind == TypeKind::Resource {
            continue;
        }
        let name = property.strip_prefix('_').unwrap_or(property);
        let place = match all.iter().position(|it| it.name == name) {
            Some(place) => place,
            None => {
                let mut elements = definition.elements.iter().enumerate();
                let found = elements.find_map(|(rank, it)| Some((rank, it, it.type_behind(name)?)));
                let (rank, element, type_name) = found.ok_or_else(|| {
                    format!("'{}' is not an element of {} in FHIR R4", shown(property), definition.name)
                })?;
                all.push(Said { rank, element, type_name, name, value: None, companion: None });
                all.len() - 1
            }
        };
        let target = if property.len() == name.len() { &mut all[place].value } else { &mut all[place].companion };
        *target = Some(node);
    }
    all.sort_by_key(|it| it.rank);
    Ok(all)
}

/// The items of a list, or the one thing there is.
fn each(node: Option<Node<'_>>) -> Result<Vec<Node<'_>>, String> {
    let items: Vec<Node<'_>> = node.into_iter().flat_map(Node::each).collect();
    let nested = items.iter().any(|it| it.kind() == Kind::Array);
    if nested { Err("FHIR R4 has no lists of lists".to_owned()) } else { Ok(items) }
}

/// A primitive's value as XML spells it.
fn spelt<'a>(value: Node<'a>, type_name: &str) -> Result<Cow<'a, str>, String> {
    let (expected, words) = match type_name {
        "boolean" => (Kind::Bool, "the value is neither true nor false"),
        "integer" | "positiveInt" | "unsignedInt" | "decimal" => (Kind::Number, "the value is not a number"),
        _ => (Kind::String, "the value is not a string"),
    };
    if value.kind() != expected {
        return Err(words.to_owned());
    }
    Ok(value.text().unwrap_or(Cow::Borrowed(value.raw())))
}
