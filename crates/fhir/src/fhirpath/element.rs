//! Parts of a document, each with the type that the definitions give it.

use std::fmt;

use super::quantity::Quantity;
use super::temporal::Temporal;
use super::text::Text;
use super::value::Value;
use crate::decimal::Decimal;
use crate::definitions::{Definitions, ElementDef, TypeDef};
use crate::json::{Items, Kind, Node};

/// A part of a document: a resource, an element, or a primitive with what stands beside it (`_birthDate`). It borrows
/// from the document; copying it copies references.
#[derive(Clone, Copy)]
pub struct Element<'a> {
    node: Option<Node<'a>>,
    beside: Beside<'a>,
    type_name: &'a str,
}

/// Where a primitive's id and extensions are (FHIR R4 §2.6.2, primitives in JSON).
#[derive(Clone, Copy)]
enum Beside<'a> {
    /// Nowhere: it is no primitive.
    Nothing,
    /// In this object.
    Known(Node<'a>),
    /// In the companion of the property of this object that the value is, if there is one. It is looked for only when it
    /// is asked for.
    In(Node<'a>),
}

impl<'a> Element<'a> {
    /// A resource. Its type is the one that it names, if the definitions know it.
    #[must_use]
    pub fn resource(definitions: &'a Definitions, node: Node<'a>) -> Self {
        Self { node: Some(node), beside: Beside::Nothing, type_name: named_type(definitions, node).unwrap_or_default() }
    }

    /// An element of that type: `HumanName`, or `Observation.component` for a part of one resource.
    #[must_use]
    pub const fn typed(node: Node<'a>, type_name: &'a str) -> Self {
        Self { node: Some(node), beside: Beside::Nothing, type_name }
    }

    /// A primitive of that type: its value, and the object beside it with its id and extensions.
    #[must_use]
    pub const fn primitive(value: Option<Node<'a>>, companion: Option<Node<'a>>, type_name: &'a str) -> Self {
        let beside = match companion {
            Some(companion) => Beside::Known(companion),
            None => Beside::Nothing,
        };
        Self { node: value, beside, type_name }
    }

    /// A resource of which only the type is known: what a reference leads to, where it was not fetched.
    pub(super) const fn only_type(type_name: &'a str) -> Self {
        Self { node: None, beside: Beside::Nothing, type_name }
    }

    /// Its JSON: an object, or a primitive's value; `None` for a primitive that has only extensions.
    #[must_use]
    pub const fn node(&self) -> Option<Node<'a>> {
        self.node
    }

    /// The object beside a primitive, with its id and extensions.
    #[must_use]
    pub fn companion(&self) -> Option<Node<'a>> {
        match self.beside {
            Beside::Nothing => None,
            Beside::Known(companion) => Some(companion),
            Beside::In(parent) => companion_in(parent, self.node?),
        }
    }

    /// The name of its type; empty if the definitions do not know it.
    #[must_use]
    pub const fn type_name(&self) -> &'a str {
        self.type_name
    }

    /// Whether it is a primitive: a single JSON value, or none.
    #[must_use]
    pub fn is_primitive(&self) -> bool {
        match self.node {
            Some(node) => !matches!(node.kind(), Kind::Object | Kind::Array),
            None => !matches!(self.beside, Beside::Nothing),
        }
    }

    /// Whether it is a primitive with a value.
    #[must_use]
    pub fn has_value(&self) -> bool {
        self.node.is_some() && self.is_primitive()
    }

    /// The object that its children are in.
    pub(super) fn object(&self) -> Option<Node<'a>> {
        match self.node {
            Some(node) if node.kind() == Kind::Object => Some(node),
            _ => self.companion(),
        }
    }

    /// How long its JSON is: a measure of the work to go through it.
    pub(super) fn size(&self) -> usize {
        self.node.map_or(0, |node| node.raw().len())
    }

    /// How much JSON is gone through to find its children.
    pub(super) fn reach(&self) -> usize {
        match self.beside {
            Beside::In(parent) => parent.raw().len(),
            Beside::Known(companion) => companion.raw().len(),
            Beside::Nothing => self.size(),
        }
    }

    pub(super) fn text(&self) -> Option<Text<'a>> {
        self.node?.text().map(Text::from)
    }

    /// Its value as a System type.
    pub(super) fn system(&self) -> Option<Value<'a>> {
        let node = self.node?;
        match node.kind() {
            Kind::Bool => node.boolean().map(Value::Boolean),
            Kind::Number => number(node, self.type_name),
            Kind::String => {
                let text = Text::from(node.text()?);
                let moment = match self.type_name {
                    "date" => Temporal::date(&text),
                    "dateTime" | "instant" => Temporal::date_time(&text),
                    "time" => Temporal::time(&text),
                    _ => None,
                };
                Some(moment.map_or(Value::String(text), Value::Temporal))
            }
            Kind::Object => Quantity::of_element(self).map(|quantity| Value::Quantity(Box::new(quantity))),
            Kind::Array | Kind::Null => None,
        }
    }

    /// Whether its type is one of the Quantity family.
    pub(super) fn is_quantity(&self) -> bool {
        matches!(
            self.type_name,
            "Quantity" | "SimpleQuantity" | "Age" | "Count" | "Distance" | "Duration" | "MoneyQuantity"
        )
    }

    /// The children of that name, each given to `found`.
    pub(super) fn member(&self, definitions: &'a Definitions, name: &str, found: &mut impl FnMut(Element<'a>)) {
        let Some(object) = self.object() else { return };
        let Some(definition) = definitions.type_named(self.type_name) else {
            // Nothing is known of the type: properties are what they seem.
            return property(definitions, object, name, "", found);
        };
        let Some(element) = definition.element_named(name) else { return };
        if element.is_choice {
            choice(definitions, object, element, found);
        } else {
            property(definitions, object, name, element.types.first().map_or("", |it| &*it.name), found);
        }
    }

    /// All children, in the order of the document, each given to `found`.
    pub(super) fn children(&self, definitions: &'a Definitions, found: &mut impl FnMut(Element<'a>)) {
        let Some(object) = self.object() else { return };
        let definition = definitions.type_named(self.type_name);
        let beside = object.members().any(|(name, _)| name.starts_with('_'));
        for (name, value) in object.members() {
            if name == "resourceType" {
                continue;
            }
            let (plain, companion) = match name.strip_prefix('_') {
                // Beside a value: it comes along with that.
                Some(plain) if object.get(plain).is_some() => continue,
                Some(plain) => (plain, true),
                None => (name, false),
            };
            let type_name = child_type(definition, plain);
            if companion {
                flatten(definitions, object, None, Some(value), type_name, found);
            } else {
                let parent = if beside { object } else { EMPTY };
                flatten(definitions, parent, Some(value), None, type_name, found);
            }
        }
    }
}

/// Stands for an object in which nothing stands beside a primitive.
const EMPTY: Node<'static> = Node::of_text("{}");

fn child_type<'a>(definition: Option<&'a TypeDef>, name: &str) -> &'a str {
    definition.and_then(|it| it.element(name)).map_or("", |(_, type_name)| type_name)
}

/// The type that a resource names, if the definitions know it.
fn named_type<'a>(definitions: &'a Definitions, node: Node<'a>) -> Option<&'a str> {
    let named = node.get_text("resourceType")?;
    definitions.type_named(&named).map(|it| &*it.name)
}

/// A property's values, and those of its companion where the property is not there.
fn property<'a>(
    definitions: &'a Definitions,
    object: Node<'a>,
    name: &str,
    type_name: &'a str,
    found: &mut impl FnMut(Element<'a>),
) {
    let mut companion = None;
    for (other, value) in object.members() {
        if other == name {
            return flatten(definitions, object, Some(value), None, type_name, found);
        }
        if other.strip_prefix('_') == Some(name) {
            companion = Some(value);
        }
    }
    if companion.is_some() {
        flatten(definitions, object, None, companion, type_name, found);
    }
}

/// The value of a choice element: `value` is any of `valueString`, `valueQuantity` and so on.
fn choice<'a>(
    definitions: &'a Definitions,
    object: Node<'a>,
    element: &'a ElementDef,
    found: &mut impl FnMut(Element<'a>),
) {
    let mut companion = None;
    for (name, value) in object.members() {
        if let Some(type_name) = element.type_behind(name) {
            return flatten(definitions, object, Some(value), None, type_name, found);
        }
        if let Some(type_name) = name.strip_prefix('_').and_then(|name| element.type_behind(name)) {
            companion = Some((value, type_name));
        }
    }
    if let Some((companion, type_name)) = companion {
        flatten(definitions, object, None, Some(companion), type_name, found);
    }
}

/// Gives each value of a property: an array's items one by one.
fn flatten<'a>(
    definitions: &'a Definitions,
    parent: Node<'a>,
    value: Option<Node<'a>>,
    companion: Option<Node<'a>>,
    type_name: &'a str,
    found: &mut impl FnMut(Element<'a>),
) {
    let Some(value) = value else {
        // Only the companion is there: of one value, or of several.
        for companion in companion.into_iter().flat_map(Node::each).filter(|it| it.kind() == Kind::Object) {
            found(Element { node: None, beside: Beside::Known(companion), type_name });
        }
        return;
    };
    if value.kind() != Kind::Array {
        return single(definitions, value, Beside::In(parent), type_name, found);
    }
    let mut companions: Option<Option<Items<'a>>> = None;
    for item in value.items() {
        if item.kind() == Kind::Object {
            single(definitions, item, Beside::Nothing, type_name, found);
            continue;
        }
        // The companions of an array's primitives stand in an array of their own, at the same places.
        let companions = companions.get_or_insert_with(|| companions_of(parent, value));
        let companion = companions.as_mut().and_then(Iterator::next).filter(|it| it.kind() == Kind::Object);
        match (item.kind(), companion) {
            // A null stands for a value that has only extensions.
            (Kind::Null, Some(companion)) => {
                found(Element { node: None, beside: Beside::Known(companion), type_name });
            }
            (Kind::Null, None) => {}
            (_, companion) => {
                single(definitions, item, companion.map_or(Beside::Nothing, Beside::Known), type_name, found);
            }
        }
    }
}

fn single<'a>(
    definitions: &'a Definitions,
    node: Node<'a>,
    beside: Beside<'a>,
    type_name: &'a str,
    found: &mut impl FnMut(Element<'a>),
) {
    match node.kind() {
        Kind::Object => {
            let is_any = matches!(type_name, "Resource" | "DomainResource" | "");
            let named = if is_any { named_type(definitions, node) } else { None };
            let type_name = named.unwrap_or(type_name);
            found(Element { node: Some(node), beside: Beside::Nothing, type_name });
        }
        // An array in an array, and a null alone, are nothing that FHIR knows.
        Kind::Array => {}
        Kind::Null => {
            if let Some(companion) = (Element { node: Some(node), beside, type_name }).companion() {
                found(Element { node: None, beside: Beside::Known(companion), type_name });
            }
        }
        _ => found(Element { node: Some(node), beside, type_name }),
    }
}

/// The items of the companion of the property that holds `array`.
fn companions_of<'a>(parent: Node<'a>, array: Node<'a>) -> Option<Items<'a>> {
    let (name, _) = parent.members().find(|(_, value)| value.raw().as_ptr() == array.raw().as_ptr())?;
    let (_, companion) = parent.members().find(|(other, _)| other.strip_prefix('_') == Some(name))?;
    Some(companion.items())
}

/// The object beside a primitive that is a property of `parent`.
fn companion_in<'a>(parent: Node<'a>, value: Node<'a>) -> Option<Node<'a>> {
    let (name, _) = parent.members().find(|(_, other)| other.raw().as_ptr() == value.raw().as_ptr())?;
    let (_, companion) = parent.members().find(|(other, _)| other.strip_prefix('_') == Some(name))?;
    Some(companion).filter(|it| it.kind() == Kind::Object)
}

/// A number as the type has it: a whole one, unless the type says that it is a decimal or it is none.
fn number<'a>(node: Node<'a>, type_name: &str) -> Option<Value<'a>> {
    let text = node.number()?;
    if type_name != "decimal"
        && let Ok(number) = text.parse()
    {
        return Some(Value::Integer(number));
    }
    Decimal::parse(text).map(Value::Decimal)
}

impl fmt::Debug for Element<'_> {
    /// The type only: the content is health data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Element({})", self.type_name)
    }
}
