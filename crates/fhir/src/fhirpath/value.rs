//! What expressions are evaluated to.

use std::fmt;

use super::element::Element;
use super::quantity::Quantity;
use super::temporal::{Temporal, TemporalKind};
use super::text::Text;
use crate::decimal::Decimal;
use crate::json::Node;

/// One item of a collection.
#[derive(Clone)]
pub enum Value<'a> {
    /// A part of a document.
    Element(Element<'a>),
    /// `System.Boolean`
    Boolean(bool),
    /// `System.Integer`
    Integer(i32),
    /// `System.Decimal`
    Decimal(Decimal),
    /// `System.String`
    String(Text<'a>),
    /// `System.Date`, `System.DateTime` or `System.Time`
    Temporal(Temporal),
    /// `System.Quantity`
    Quantity(Box<Quantity<'a>>),
    /// What `type()` answers: a namespace and a name.
    Type(&'a str, &'a str),
}

impl<'a> Value<'a> {
    /// The part of the document that it is, if it is one.
    #[must_use]
    pub fn element(&self) -> Option<&Element<'a>> {
        match self {
            Self::Element(element) => Some(element),
            _ => None,
        }
    }

    /// The JSON of the part of the document that it is; `None` for a computed value, and for an element that has
    /// extensions and no value.
    #[must_use]
    pub fn node(&self) -> Option<Node<'a>> {
        self.element().and_then(Element::node)
    }

    /// The namespace and the name of its type: `FHIR` and `dateTime`, or `System` and `Integer`. An element that the
    /// definitions do not know has an empty name.
    #[must_use]
    pub fn type_name(&self) -> (&'static str, &'a str) {
        match self {
            Self::Element(element) => ("FHIR", element.type_name()),
            Self::Boolean(_) => ("System", "Boolean"),
            Self::Integer(_) => ("System", "Integer"),
            Self::Decimal(_) => ("System", "Decimal"),
            Self::String(_) => ("System", "String"),
            Self::Temporal(moment) => match moment.kind() {
                TemporalKind::Date => ("System", "Date"),
                TemporalKind::DateTime => ("System", "DateTime"),
                TemporalKind::Time => ("System", "Time"),
            },
            Self::Quantity(_) => ("System", "Quantity"),
            Self::Type(..) => ("System", "TypeInfo"),
        }
    }

    /// As a System value: an element's value where it is a primitive or a Quantity, anything else as it is. `None` for
    /// other elements, and for primitives without a value (R4 §2.9.6.1, "using FHIR types in expressions").
    #[must_use]
    pub fn system(&self) -> Option<Value<'a>> {
        match self {
            Self::Element(element) => element.system(),
            other => Some(other.clone()),
        }
    }

    /// Whether it is a primitive without a value: an element that has only extensions.
    pub(super) fn is_blank(&self) -> bool {
        self.element().is_some_and(|element| element.is_primitive() && !element.has_value())
    }

    /// The text, for a string or an element whose value is one.
    #[must_use]
    pub fn text(&self) -> Option<Text<'a>> {
        match self {
            Self::String(text) => Some(text.clone()),
            Self::Element(element) => element.text(),
            _ => None,
        }
    }

    /// The boolean, for one or an element whose value is one.
    #[must_use]
    pub fn boolean(&self) -> Option<bool> {
        match self {
            Self::Boolean(boolean) => Some(*boolean),
            Self::Element(element) => element.node()?.boolean(),
            _ => None,
        }
    }

    /// The number, for an integer or decimal or an element whose value is one.
    #[must_use]
    pub fn number(&self) -> Option<Decimal> {
        match self {
            Self::Integer(number) => Some((*number).into()),
            Self::Decimal(number) => Some(*number),
            Self::Element(element) => element.node()?.number().and_then(Decimal::parse),
            _ => None,
        }
    }

    /// As a quantity: a number counts as one of unit `1` (N1 §5.5, conversion).
    #[must_use]
    pub fn quantity(&self) -> Option<Quantity<'a>> {
        match self.system()? {
            Self::Quantity(quantity) => Some(*quantity),
            Self::Integer(number) => Some(Quantity::of_number(number.into())),
            Self::Decimal(number) => Some(Quantity::of_number(number)),
            _ => None,
        }
    }
}

impl fmt::Debug for Value<'_> {
    /// The type only: the value is health data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (namespace, name) = self.type_name();
        write!(f, "{namespace}.{name}(…)")
    }
}

/// An ordered collection of values. One value, the usual case, takes no memory of its own.
#[derive(Clone, Default)]
pub struct Collection<'a>(Items<'a>);

#[derive(Clone, Default)]
enum Items<'a> {
    #[default]
    None,
    One(Value<'a>),
    Many(Vec<Value<'a>>),
}

impl<'a> Collection<'a> {
    /// Without a value.
    #[must_use]
    pub const fn new() -> Self {
        Self(Items::None)
    }

    /// Adds a value at the end.
    pub fn push(&mut self, value: Value<'a>) {
        match &mut self.0 {
            Items::Many(values) => values.push(value),
            one => {
                *one = match std::mem::take(one) {
                    Items::One(first) => Items::Many(vec![first, value]),
                    _ => Items::One(value),
                };
            }
        }
    }

    /// Adds all values of another collection at the end.
    pub fn append(&mut self, other: Self) {
        match (&mut self.0, other.0) {
            (_, Items::None) => {}
            (_, Items::One(value)) => self.push(value),
            (ours @ Items::None, Items::Many(values)) => *ours = Items::Many(values),
            (Items::Many(ours), Items::Many(values)) => ours.extend(values),
            (_, Items::Many(values)) => values.into_iter().for_each(|value| self.push(value)),
        }
    }

    /// The values.
    #[must_use]
    pub fn as_slice(&self) -> &[Value<'a>] {
        match &self.0 {
            Items::None => &[],
            Items::One(value) => std::slice::from_ref(value),
            Items::Many(values) => values,
        }
    }

    /// The only value there is.
    #[must_use]
    pub fn into_single(self) -> Option<Value<'a>> {
        match self.0 {
            Items::One(value) => Some(value),
            Items::Many(mut values) if values.len() == 1 => values.pop(),
            _ => None,
        }
    }
}

impl<'a> std::ops::Deref for Collection<'a> {
    type Target = [Value<'a>];

    fn deref(&self) -> &[Value<'a>] {
        self.as_slice()
    }
}

impl<'a> From<Value<'a>> for Collection<'a> {
    fn from(value: Value<'a>) -> Self {
        Self(Items::One(value))
    }
}

impl From<bool> for Collection<'_> {
    fn from(boolean: bool) -> Self {
        Self(Items::One(Value::Boolean(boolean)))
    }
}

impl<'a> From<Option<Value<'a>>> for Collection<'a> {
    fn from(value: Option<Value<'a>>) -> Self {
        value.map_or(Self::new(), Self::from)
    }
}

impl<'a> FromIterator<Value<'a>> for Collection<'a> {
    fn from_iter<I: IntoIterator<Item = Value<'a>>>(values: I) -> Self {
        let mut collection = Self::new();
        values.into_iter().for_each(|value| collection.push(value));
        collection
    }
}

impl<'a> IntoIterator for Collection<'a> {
    type Item = Value<'a>;
    type IntoIter = IntoIter<'a>;

    fn into_iter(self) -> IntoIter<'a> {
        match self.0 {
            Items::None => IntoIter(None, Vec::new().into_iter()),
            Items::One(value) => IntoIter(Some(value), Vec::new().into_iter()),
            Items::Many(values) => IntoIter(None, values.into_iter()),
        }
    }
}

impl<'c, 'a> IntoIterator for &'c Collection<'a> {
    type Item = &'c Value<'a>;
    type IntoIter = std::slice::Iter<'c, Value<'a>>;

    fn into_iter(self) -> Self::IntoIter {
        self.as_slice().iter()
    }
}

/// The values of a collection, one after the other.
pub struct IntoIter<'a>(Option<Value<'a>>, std::vec::IntoIter<Value<'a>>);

impl<'a> Iterator for IntoIter<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        self.0.take().or_else(|| self.1.next())
    }
}

impl fmt::Debug for Collection<'_> {
    /// The types only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.as_slice()).finish()
    }
}
