//! The elements that pages read: codings, quantities, ranges, periods. Each borrows from the resource's bytes.

use std::borrow::Cow;

use crate::date::Moment;
use crate::json::Node;

/// A Coding.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Coding<'a> {
    /// `system`.
    pub system: Option<Cow<'a, str>>,
    /// `code`.
    pub code: Option<Cow<'a, str>>,
    /// `display`.
    pub display: Option<Cow<'a, str>>,
}

impl<'a> Coding<'a> {
    /// Reads a Coding element.
    #[must_use]
    pub fn of(node: Node<'a>) -> Self {
        Self { system: node.get_text("system"), code: node.get_text("code"), display: node.get_text("display") }
    }

    /// Whether it is that code of that system.
    #[must_use]
    pub fn is(&self, system: &str, code: &str) -> bool {
        self.system.as_deref() == Some(system) && self.code.as_deref() == Some(code)
    }
}

/// A CodeableConcept.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Concept<'a> {
    /// `coding`, in order.
    pub codings: Vec<Coding<'a>>,
    /// `text`.
    pub text: Option<Cow<'a, str>>,
}

impl<'a> Concept<'a> {
    /// Reads a CodeableConcept element.
    #[must_use]
    pub fn of(node: Node<'a>) -> Self {
        Self { codings: node.all("coding").into_iter().map(Coding::of).collect(), text: node.get_text("text") }
    }

    /// The code under that system.
    #[must_use]
    pub fn code(&self, system: &str) -> Option<&str> {
        let coding = self.codings.iter().find(|coding| coding.system.as_deref() == Some(system))?;
        coding.code.as_deref()
    }

    /// Whether one of the codings is that code of that system.
    #[must_use]
    pub fn is(&self, system: &str, code: &str) -> bool {
        self.codings.iter().any(|coding| coding.is(system, code))
    }

    /// What to call it: the text that its author chose, else the first display, else the first code.
    #[must_use]
    pub fn words(&self) -> Option<&str> {
        let displays = self.codings.iter().filter_map(|coding| coding.display.as_deref());
        let codes = self.codings.iter().filter_map(|coding| coding.code.as_deref());
        self.text.as_deref().into_iter().chain(displays).chain(codes).find(|words| !words.trim().is_empty())
    }
}

/// A Quantity, its number as it was sent.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Quantity<'a> {
    /// `value`, exactly as sent: `1.50` is not `1.5`.
    pub value: Option<&'a str>,
    /// `comparator`: `<`, `<=`, `>=`, `>`.
    pub comparator: Option<Cow<'a, str>>,
    /// `unit`, for people.
    pub unit: Option<Cow<'a, str>>,
    /// `system` of the unit's code.
    pub system: Option<Cow<'a, str>>,
    /// `code` of the unit.
    pub code: Option<Cow<'a, str>>,
}

impl<'a> Quantity<'a> {
    /// Reads a Quantity element.
    #[must_use]
    pub fn of(node: Node<'a>) -> Self {
        Self {
            value: node.get("value").and_then(Node::number),
            comparator: node.get_text("comparator"),
            unit: node.get_text("unit"),
            system: node.get_text("system"),
            code: node.get_text("code"),
        }
    }

    /// The number, for charts and comparisons only: what people see is [`Self::value`].
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        self.value?.parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// The unit to show: `unit`, else its code.
    #[must_use]
    pub fn unit_words(&self) -> Option<&str> {
        self.unit.as_deref().or(self.code.as_deref())
    }
}

/// A Range or a reference range.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Range<'a> {
    /// `low`.
    pub low: Option<Quantity<'a>>,
    /// `high`.
    pub high: Option<Quantity<'a>>,
    /// `text` of a reference range.
    pub text: Option<Cow<'a, str>>,
    /// `type` of a reference range, such as `normal`.
    pub kind: Option<Concept<'a>>,
}

impl<'a> Range<'a> {
    /// Reads a Range or a referenceRange element.
    #[must_use]
    pub fn of(node: Node<'a>) -> Self {
        Self {
            low: node.get("low").map(Quantity::of),
            high: node.get("high").map(Quantity::of),
            text: node.get_text("text"),
            kind: node.get("type").map(Concept::of),
        }
    }
}

/// A Period; either end may be open.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Period<'a> {
    /// `start`, as sent.
    pub start: Option<Cow<'a, str>>,
    /// `end`, as sent.
    pub end: Option<Cow<'a, str>>,
}

impl<'a> Period<'a> {
    /// Reads a Period element.
    #[must_use]
    pub fn of(node: Node<'a>) -> Self {
        Self { start: node.get_text("start"), end: node.get_text("end") }
    }
}

/// When something was, as one of FHIR's choice elements says it (`effective[x]`, `performed[x]`, `onset[x]` …).
#[derive(Clone, PartialEq, Eq)]
pub enum Timing<'a> {
    /// A date or a time, as sent.
    At(Cow<'a, str>),
    /// A period.
    During(Period<'a>),
    /// Something else: an age, a timing schedule, words.
    Other(Node<'a>),
}

impl<'a> Timing<'a> {
    /// The choice element of that stem: for `effective` it reads `effectiveDateTime`, `effectivePeriod` and so on.
    #[must_use]
    pub fn of(node: Node<'a>, stem: &str) -> Option<Self> {
        let (kind, value) = choice(node.members(), stem)?;
        Some(match kind {
            "DateTime" | "Date" | "Instant" => Self::At(value.text()?),
            "Period" => Self::During(Period::of(value)),
            _ => Self::Other(value),
        })
    }

    /// The moment to sort and chart by: the point in time, or the start of the period (its end, if the start is open).
    #[must_use]
    pub fn moment(&self) -> Option<Moment> {
        match self {
            Self::At(text) => Moment::parse(text),
            Self::During(period) => Moment::parse(period.start.as_deref().or(period.end.as_deref())?),
            Self::Other(_) => None,
        }
    }
}

/// The member of a choice element: what follows the stem in its name, and its value.
pub fn choice<'a>(members: impl Iterator<Item = (&'a str, Node<'a>)>, stem: &str) -> Option<(&'a str, Node<'a>)> {
    members.filter_map(|(name, value)| Some((name.strip_prefix(stem)?, value))).find(|(kind, _)| {
        // `value` must not find `valueless`: a type's name starts with a capital.
        kind.starts_with(|first: char| first.is_ascii_uppercase())
    })
}

macro_rules! silent_debug {
    ($($name:ident)*) => {$(
        impl std::fmt::Debug for $name<'_> {
            /// Never the content: it is health data.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )*};
}

silent_debug!(Coding Concept Quantity Range Period Timing);
