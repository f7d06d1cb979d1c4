//! What an Observation or a DiagnosticReport says, read as pages need it.

use std::borrow::Cow;

use crate::element::{Concept, Period, Quantity, Range, Timing, choice};
use crate::json::{Fields, Node};
use crate::reference::Reference;
use crate::resource::Resource;

/// The code system of `Observation.category`.
pub const CATEGORY_SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/observation-category";

/// The value of an Observation or of one of its components.
#[derive(Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// A number with a unit.
    Quantity(Quantity<'a>),
    /// A coded answer.
    Concept(Concept<'a>),
    /// Words.
    Text(Cow<'a, str>),
    /// Yes or no.
    Boolean(bool),
    /// A whole number, as sent.
    Integer(&'a str),
    /// From, to.
    Range(Range<'a>),
    /// One quantity to another.
    Ratio(Quantity<'a>, Quantity<'a>),
    /// A date, a time or both, as sent.
    Time(Cow<'a, str>),
    /// A period.
    Period(Period<'a>),
    /// Something that pages do not show as one value, such as sampled data.
    Other,
}

impl<'a> Value<'a> {
    /// The `value[x]` among these members.
    fn of(members: impl Iterator<Item = (&'a str, Node<'a>)>) -> Option<Self> {
        let (kind, node) = choice(members, "value")?;
        Some(match kind {
            "Quantity" => Self::Quantity(Quantity::of(node)),
            "CodeableConcept" => Self::Concept(Concept::of(node)),
            "String" => Self::Text(node.text()?),
            "Boolean" => Self::Boolean(node.boolean()?),
            "Integer" => Self::Integer(node.number()?),
            "Range" => Self::Range(Range::of(node)),
            "Ratio" => {
                let part = |name| node.get(name).map(Quantity::of).unwrap_or_default();
                Self::Ratio(part("numerator"), part("denominator"))
            }
            "Time" | "DateTime" => Self::Time(node.text()?),
            "Period" => Self::Period(Period::of(node)),
            _ => Self::Other,
        })
    }
}

/// One part of an Observation, such as the systolic of a blood pressure.
#[derive(Clone, PartialEq, Eq)]
pub struct Component<'a> {
    /// What it is.
    pub code: Concept<'a>,
    /// Its value.
    pub value: Option<Value<'a>>,
    /// Why there is no value.
    pub data_absent: Option<Concept<'a>>,
    /// How it is to be read.
    pub interpretation: Vec<Concept<'a>>,
    /// What is usual.
    pub reference_range: Vec<Range<'a>>,
}

/// An Observation. Nothing is read before it is asked for.
#[derive(Debug, Clone)]
pub struct Observation<'a> {
    fields: Fields<'a>,
}

impl<'a> Observation<'a> {
    /// The Observation in a resource; `None` if it is something else.
    #[must_use]
    pub fn of(resource: &Resource<'a>) -> Option<Self> {
        (resource.resource_type == "Observation").then(|| Self { fields: resource.fields.clone() })
    }

    /// All its members.
    #[must_use]
    pub const fn fields(&self) -> &Fields<'a> {
        &self.fields
    }

    /// `status`.
    #[must_use]
    pub fn status(&self) -> Option<Cow<'a, str>> {
        self.fields.get_text("status")
    }

    /// `category`.
    #[must_use]
    pub fn categories(&self) -> Vec<Concept<'a>> {
        concepts(&self.fields, "category")
    }

    /// Whether it is of that category of HL7's list: `laboratory`, `vital-signs` …
    #[must_use]
    pub fn is_category(&self, code: &str) -> bool {
        self.categories().iter().any(|category| category.is(CATEGORY_SYSTEM, code))
    }

    /// `code`: what was observed.
    #[must_use]
    pub fn code(&self) -> Concept<'a> {
        self.fields.get("code").map(Concept::of).unwrap_or_default()
    }

    /// `effective[x]`: when it was so.
    #[must_use]
    pub fn effective(&self) -> Option<Timing<'a>> {
        Timing::of(self.fields.node(), "effective")
    }

    /// `issued`: when it was published, as sent.
    #[must_use]
    pub fn issued(&self) -> Option<Cow<'a, str>> {
        self.fields.get_text("issued")
    }

    /// `value[x]`.
    #[must_use]
    pub fn value(&self) -> Option<Value<'a>> {
        Value::of(self.fields.iter())
    }

    /// `dataAbsentReason`.
    #[must_use]
    pub fn data_absent(&self) -> Option<Concept<'a>> {
        self.fields.get("dataAbsentReason").map(Concept::of)
    }

    /// `interpretation`.
    #[must_use]
    pub fn interpretation(&self) -> Vec<Concept<'a>> {
        concepts(&self.fields, "interpretation")
    }

    /// `referenceRange`.
    #[must_use]
    pub fn reference_range(&self) -> Vec<Range<'a>> {
        self.fields.all("referenceRange").into_iter().map(Range::of).collect()
    }

    /// `component`.
    #[must_use]
    pub fn components(&self) -> Vec<Component<'a>> {
        self.fields.all("component").into_iter().map(component).collect()
    }

    /// `performer`.
    #[must_use]
    pub fn performers(&self) -> Vec<Reference<'a>> {
        self.fields.all("performer").into_iter().map(Reference::of).collect()
    }

    /// `hasMember`: the observations that this one is the panel of.
    #[must_use]
    pub fn members(&self) -> Vec<Reference<'a>> {
        self.fields.all("hasMember").into_iter().map(Reference::of).collect()
    }

    /// `note.text`.
    #[must_use]
    pub fn notes(&self) -> Vec<Cow<'a, str>> {
        self.fields.all("note.text").into_iter().filter_map(Node::text).collect()
    }
}

/// A DiagnosticReport: a heading over results.
#[derive(Debug, Clone)]
pub struct Report<'a> {
    fields: Fields<'a>,
}

impl<'a> Report<'a> {
    /// The DiagnosticReport in a resource; `None` if it is something else.
    #[must_use]
    pub fn of(resource: &Resource<'a>) -> Option<Self> {
        (resource.resource_type == "DiagnosticReport").then(|| Self { fields: resource.fields.clone() })
    }

    /// All its members.
    #[must_use]
    pub const fn fields(&self) -> &Fields<'a> {
        &self.fields
    }

    /// `status`.
    #[must_use]
    pub fn status(&self) -> Option<Cow<'a, str>> {
        self.fields.get_text("status")
    }

    /// `category`.
    #[must_use]
    pub fn categories(&self) -> Vec<Concept<'a>> {
        concepts(&self.fields, "category")
    }

    /// `code`: what was reported on.
    #[must_use]
    pub fn code(&self) -> Concept<'a> {
        self.fields.get("code").map(Concept::of).unwrap_or_default()
    }

    /// `effective[x]`: when it was so.
    #[must_use]
    pub fn effective(&self) -> Option<Timing<'a>> {
        Timing::of(self.fields.node(), "effective")
    }

    /// `issued`: when it was published, as sent.
    #[must_use]
    pub fn issued(&self) -> Option<Cow<'a, str>> {
        self.fields.get_text("issued")
    }

    /// `performer`.
    #[must_use]
    pub fn performers(&self) -> Vec<Reference<'a>> {
        self.fields.all("performer").into_iter().map(Reference::of).collect()
    }

    /// `result`: the observations.
    #[must_use]
    pub fn results(&self) -> Vec<Reference<'a>> {
        self.fields.all("result").into_iter().map(Reference::of).collect()
    }

    /// `conclusion`.
    #[must_use]
    pub fn conclusion(&self) -> Option<Cow<'a, str>> {
        self.fields.get_text("conclusion")
    }
}

fn concepts<'a>(fields: &Fields<'a>, path: &str) -> Vec<Concept<'a>> {
    fields.all(path).into_iter().map(Concept::of).collect()
}

fn component(node: Node<'_>) -> Component<'_> {
    Component {
        code: node.get("code").map(Concept::of).unwrap_or_default(),
        value: Value::of(node.members()),
        data_absent: node.get("dataAbsentReason").map(Concept::of),
        interpretation: node.all("interpretation").into_iter().map(Concept::of).collect(),
        reference_range: node.all("referenceRange").into_iter().map(Range::of).collect(),
    }
}

impl std::fmt::Debug for Value<'_> {
    /// Never the content: it is health data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Value(…)")
    }
}

impl std::fmt::Debug for Component<'_> {
    /// Never the content: it is health data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Component(…)")
    }
}
