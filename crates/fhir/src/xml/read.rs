//! XML to JSON.

use super::narrative;
use super::place::Places;
use super::text::{attribute_value, first_forbidden};
use super::tokens::{Attribute, Namespace, Tag, Token, Tokens};
use super::{FHIR, Fault, XmlError, shown};
use crate::definitions::{Definitions, ElementDef, TypeDef, TypeKind};
use crate::json::{MAX_DEPTH, is_number, push_string};

/// Reads a resource in FHIR XML as compact JSON.
///
/// # Errors
/// [`XmlError`] with the place of the first fault: the document is not well-formed XML in UTF-8, has a document type, or
/// has what the definitions do not know.
pub fn read(input: &[u8], definitions: &Definitions) -> Result<Vec<u8>, XmlError> {
    read_with(input, definitions, None).map(|(json, _)| json)
}

/// The same, with the way back from the JSON to the XML.
///
/// # Errors
/// As [`read`].
pub fn read_placed(input: &[u8], definitions: &Definitions) -> Result<(Vec<u8>, Places), XmlError> {
    read_with(input, definitions, Some(Vec::new()))
}

fn read_with(input: &[u8], definitions: &Definitions, marks: Marks) -> Result<(Vec<u8>, Places), XmlError> {
    if u32::try_from(input.len()).is_err() {
        return Err(Fault::new(0, "the document is longer than 4 GiB").placed(input));
    }
    let body = input.strip_prefix("\u{feff}".as_bytes()).unwrap_or(input);
    let skipped = input.len() - body.len();
    let resource = std::str::from_utf8(body)
        .map_err(|fault| Fault::new(fault.valid_up_to(), "this is not UTF-8 text; FHIR XML is always UTF-8"))
        .and_then(|text| read_text(text, definitions, marks));
    let placed = |(json, marks): (_, Marks)| (json, Places { marks: marks.unwrap_or_default(), skipped });
    resource.map(placed).map_err(|fault| Fault { at: fault.at + skipped, ..fault }.placed(input))
}

/// Where in the JSON what began, and where in the text its tag stands; `None` if nobody asks.
type Marks = Option<Vec<(usize, usize)>>;

fn read_text(text: &str, definitions: &Definitions, marks: Marks) -> Result<(Vec<u8>, Marks), Fault> {
    if let Some(at) = first_forbidden(text) {
        return Err(Fault::new(at, "this is a character that XML does not allow"));
    }
    let mut scan = Scan { tokens: Tokens::of(text), definitions, out: Vec::with_capacity(text.len()), depth: 0, marks };
    match scan.tokens.next()? {
        Token::Open(tag) => scan.resource(&tag)?,
        Token::End => return Err(Fault::new(0, "there is nothing here; send an XML document")),
        _ => return Err(Fault::new(0, "an XML document starts with a tag")),
    }
    let after = scan.tokens.at();
    match scan.tokens.next()? {
        Token::End => Ok((scan.out, scan.marks)),
        _ => Err(Fault::new(after, "there is something after the end of the document")),
    }
}

struct Scan<'a, 'd> {
    tokens: Tokens<'a>,
    definitions: &'d Definitions,
    out: Vec<u8>,
    /// How deep the JSON is nested here.
    depth: usize,
    marks: Marks,
}

/// The elements of one name, which stand together.
struct Group<'a, 'd> {
    name: &'a str,
    element: &'d ElementDef,
    type_name: &'d str,
    /// Where its property starts in the output.
    start: usize,
    /// Where its first tag starts.
    at: usize,
    count: usize,
    /// Whether a primitive among them has a value.
    has_values: bool,
    /// What primitives have beside their values, an item each.
    companions: Vec<Option<Vec<u8>>>,
}

impl<'a, 'd> Scan<'a, 'd> {
    /// A resource, whose start tag was just read.
    fn resource(&mut self, tag: &Tag<'a>) -> Result<(), Fault> {
        if tag.namespace != Namespace::Fhir {
            let words = format!("the element '{}' is not in FHIR's namespace; write xmlns=\"{FHIR}\"", shown(tag.name));
            return Err(Fault::new(tag.start, words));
        }
        let known = self.definitions.type_named(tag.name).filter(|it| it.kind == TypeKind::Resource && !it.is_abstract);
        let Some(definition) = known else {
            return Err(Fault::new(tag.start, format!("'{}' is not a resource type of FHIR R4", shown(tag.name))));
        };
        self.enter(tag.start)?;
        self.mark(tag.start);
        self.out.extend_from_slice(b"{\"resourceType\":");
        push_string(&mut self.out, tag.name);
        for attribute in &tag.attributes {
            if attribute.namespace != Namespace::SchemaInstance {
                return Err(unknown_attribute(tag, attribute));
            }
        }
        self.children(definition, true)?;
        self.out.push(b'}');
        self.depth -= 1;
        Ok(())
    }

    /// An element of a complex type, whose start tag was just read; `skip` names an attribute that was dealt with.
    fn object(&mut self, tag: &Tag<'a>, definition: &'d TypeDef, skip: &str) -> Result<(), Fault> {
        self.enter(tag.start)?;
        self.out.push(b'{');
        let mut has_members = false;
        for attribute in &tag.attributes {
            match attribute.namespace {
                Namespace::SchemaInstance => continue,
                Namespace::Nothing if attribute.name == skip => continue,
                _ => {}
            }
            let own = definition.element_named(attribute.name).filter(|it| it.is_attribute);
            if attribute.namespace != Namespace::Nothing || own.is_none() {
                return Err(unknown_attribute(tag, attribute));
            }
            self.member(attribute.name, has_members);
            let value = value_of(tag, attribute)?;
            push_string(&mut self.out, &value);
            has_members = true;
        }
        self.children(definition, has_members)?;
        self.out.push(b'}');
        self.depth -= 1;
        Ok(())
    }

    /// Notes that what comes now is from the tag there.
    fn mark(&mut self, at: usize) {
        if let Some(marks) = &mut self.marks {
            marks.push((self.out.len(), at));
        }
    }

    /// Counts a level of JSON.
    fn enter(&mut self, at: usize) -> Result<(), Fault> {
        if self.depth == MAX_DEPTH {
            return Err(Fault::new(at, format!("elements are nested deeper than JSON's {MAX_DEPTH} levels")));
        }
        self.depth += 1;
        Ok(())
    }

    /// A member's name and colon.
    fn member(&mut self, name: &str, has_members: bool) {
        if has_members {
            self.out.push(b',');
        }
        push_string(&mut self.out, name);
        self.out.push(b':');
    }

    /// The child elements up to the end tag.
    fn children(&mut self, definition: &'d TypeDef, mut has_members: bool) -> Result<(), Fault> {
        let mut group: Option<Group<'a, 'd>> = None;
        let mut seen: Vec<&'a str> = Vec::new();
        loop {
            let at = self.tokens.at();
            let tag = match self.tokens.next()? {
                Token::Open(tag) => tag,
                Token::Close => break,
                Token::Text | Token::Reference(..) => {
                    return Err(Fault::new(
                        at,
                        format!("there is text in '{}'; FHIR puts values into attributes", shown(&definition.name)),
                    ));
                }
                Token::End => return Err(Fault::new(at, "the document ends too early")),
            };
            let mut open = match group.take() {
                Some(open) if open.name == tag.name => open,
                other => {
                    if let Some(other) = other {
                        self.close(other);
                        has_members = true;
                    }
                    let (element, type_name) = child(definition, &tag)?;
                    if seen.contains(&tag.name) {
                        return Err(Fault::new(
                            tag.start,
                            format!("the elements '{}' must stand together", shown(tag.name)),
                        ));
                    }
                    seen.push(tag.name);
                    self.begin(&tag, element, type_name, has_members)?
                }
            };
            self.item(&mut open, &tag)?;
            group = Some(open);
        }
        if let Some(open) = group {
            self.close(open);
        }
        Ok(())
    }

    /// Begins a property.
    fn begin(
        &mut self,
        tag: &Tag<'a>,
        element: &'d ElementDef,
        type_name: &'d str,
        has_members: bool,
    ) -> Result<Group<'a, 'd>, Fault> {
        let start = self.out.len();
        self.mark(tag.start);
        self.member(tag.name, has_members);
        if element.repeats() {
            self.enter(tag.start)?;
            self.out.push(b'[');
        }
        let (count, has_values, companions) = (0, false, Vec::new());
        Ok(Group { name: tag.name, element, type_name, start, at: tag.start, count, has_values, companions })
    }

    /// One element of a group, whose start tag was just read.
    fn item(&mut self, group: &mut Group<'a, 'd>, tag: &Tag<'a>) -> Result<(), Fault> {
        if group.count > 0 {
            if !group.element.repeats() {
                return Err(Fault::new(tag.start, format!("the element '{}' may not repeat", shown(tag.name))));
            }
            self.out.push(b',');
        }
        group.count += 1;
        self.mark(tag.start);
        let definition = self.definitions.type_named(group.type_name);
        let Some(definition) = definition else {
            return Err(Fault::new(tag.start, format!("the type of '{}' is not defined", shown(tag.name))));
        };
        match definition.kind {
            TypeKind::Resource => self.nested(tag),
            TypeKind::Primitive if group.type_name == "xhtml" => {
                group.has_values = true;
                let text = narrative::read(&mut self.tokens, tag)?;
                push_string(&mut self.out, &text);
                Ok(())
            }
            TypeKind::Primitive => self.primitive(group, tag, definition),
            TypeKind::Complex | TypeKind::Backbone => self.object(tag, definition, ""),
        }
    }

    /// The resource inside an element such as `contained`.
    fn nested(&mut self, tag: &Tag<'a>) -> Result<(), Fault> {
        if let Some(attribute) = tag.attributes.iter().find(|it| it.namespace != Namespace::SchemaInstance) {
            return Err(unknown_attribute(tag, attribute));
        }
        let one = || Fault::new(tag.start, format!("there must be one resource in '{}'", shown(tag.name)));
        match self.tokens.next()? {
            Token::Open(inner) => self.resource(&inner)?,
            _ => return Err(one()),
        }
        match self.tokens.next()? {
            Token::Close => Ok(()),
            _ => Err(one()),
        }
    }

    /// A primitive: its value goes where its property is, the rest becomes its companion.
    fn primitive(&mut self, group: &mut Group<'a, 'd>, tag: &Tag<'a>, definition: &'d TypeDef) -> Result<(), Fault> {
        let value = tag.attributes.iter().find(|it| it.namespace == Namespace::Nothing && it.name == "value");
        let value = value.map(|attribute| value_of(tag, attribute)).transpose()?;
        match &value {
            Some(value) => {
                group.has_values = true;
                push_value(&mut self.out, tag, group.type_name, value)?;
            }
            None => self.out.extend_from_slice(b"null"),
        }
        let (values, marks) = (std::mem::take(&mut self.out), self.marks.take());
        let written = self.object(tag, definition, "value");
        let companion = std::mem::replace(&mut self.out, values);
        self.marks = marks;
        written?;
        let companion = (companion.len() > 2).then_some(companion);
        if value.is_none() && companion.is_none() {
            let words = format!("the element '{}' has neither a value nor an extension", shown(tag.name));
            return Err(Fault::new(tag.start, words));
        }
        group.companions.push(companion);
        Ok(())
    }

    /// Ends a property and adds its companion, `_name`.
    fn close(&mut self, group: Group<'a, 'd>) {
        let repeats = group.element.repeats();
        if repeats {
            self.out.push(b']');
            self.depth -= 1;
        }
        if group.companions.iter().all(Option::is_none) {
            return;
        }
        let is_first = self.out.get(group.start) != Some(&b',');
        if !group.has_values {
            self.out.truncate(group.start);
            while self.marks.as_mut().is_some_and(|marks| marks.pop_if(|(start, _)| *start >= group.start).is_some()) {}
        }
        self.mark(group.at);
        self.member(&format!("_{}", group.name), group.has_values || !is_first);
        if repeats {
            self.out.push(b'[');
        }
        for (at, companion) in group.companions.iter().enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            self.out.extend_from_slice(companion.as_deref().unwrap_or(b"null"));
        }
        if repeats {
            self.out.push(b']');
        }
    }
}

/// The element that a tag is, and its type.
fn child<'d>(definition: &'d TypeDef, tag: &Tag<'_>) -> Result<(&'d ElementDef, &'d str), Fault> {
    let known = definition.element(tag.name).filter(|(element, _)| !element.is_attribute);
    let Some((element, type_name)) = known else {
        let words = format!("'{}' is not an element of {} in FHIR R4", shown(tag.name), definition.name);
        return Err(Fault::new(tag.start, words));
    };
    if tag.namespace != Namespace::Fhir && type_name != "xhtml" {
        let words = format!("the element '{}' is not in FHIR's namespace; write xmlns=\"{FHIR}\"", shown(tag.name));
        return Err(Fault::new(tag.start, words));
    }
    Ok((element, type_name))
}

fn unknown_attribute(tag: &Tag<'_>, attribute: &Attribute<'_>) -> Fault {
    let words = format!("the element '{}' has no attribute '{}' in FHIR R4", shown(tag.name), shown(attribute.name));
    Fault::new(tag.start, words)
}

fn value_of<'a>(tag: &Tag<'a>, attribute: &Attribute<'a>) -> Result<std::borrow::Cow<'a, str>, Fault> {
    attribute_value(attribute.raw).map_err(|words| Fault::new(tag.start, words))
}

/// A primitive's value in JSON: a boolean, a number with its text, or a string.
fn push_value(out: &mut Vec<u8>, tag: &Tag<'_>, type_name: &str, value: &str) -> Result<(), Fault> {
    let fault = |what| Err(Fault::new(tag.start, format!("the value of '{}' is not {what}", shown(tag.name))));
    match type_name {
        "boolean" if matches!(value, "true" | "false") => out.extend_from_slice(value.as_bytes()),
        "boolean" => return fault("true or false"),
        "integer" | "positiveInt" | "unsignedInt" | "decimal" if is_number(value) => {
            out.extend_from_slice(value.as_bytes());
        }
        "integer" | "positiveInt" | "unsignedInt" | "decimal" => return fault("a number"),
        _ => push_string(out, value),
    }
    Ok(())
}
