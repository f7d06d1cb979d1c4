//! Values as sent, with a number beside them where they are one.

use keepwell_clinical::definition_of;
use keepwell_fhir::element::{Concept, Quantity, Range};
use keepwell_fhir::observation::{Component, Value};

use super::coded::name_of;
use crate::views::Measure;

/// A value as it is shown.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Shown {
    pub(crate) text: String,
    pub(crate) unit: String,
    /// Only a plain number: `<5` is not 5 on a chart.
    pub(crate) number: Option<f64>,
}

impl Shown {
    pub(crate) fn of(value: &Value<'_>) -> Self {
        let words = |text: String| Self { text, ..Self::default() };
        match value {
            Value::Quantity(quantity) => Self::quantity(quantity),
            Value::Concept(concept) => words(name_of(concept)),
            Value::Text(text) | Value::Time(text) => words(text.to_string()),
            Value::Boolean(yes) => words(yes.to_string()),
            Value::Integer(digits) => {
                Self { text: (*digits).to_owned(), unit: String::new(), number: digits.parse().ok() }
            }
            Value::Range(range) => words(range_words(range)),
            Value::Ratio(one, other) => {
                let (one, other) = (Self::quantity(one), Self::quantity(other));
                let with_unit = |shown: &Self| format!("{} {}", shown.text, shown.unit).trim().to_owned();
                words(format!("{} : {}", with_unit(&one), with_unit(&other)))
            }
            Value::Period(period) => {
                let end = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().unwrap_or("…").to_owned();
                words(format!("{} – {}", end(&period.start), end(&period.end)))
            }
            Value::Other => Self::default(),
        }
    }

    fn quantity(quantity: &Quantity<'_>) -> Self {
        let comparator = quantity.comparator.as_deref().unwrap_or_default();
        let value = quantity.value.unwrap_or_default();
        Self {
            text: format!("{comparator}{value}"),
            unit: unit_words(quantity),
            number: quantity.number().filter(|_| comparator.is_empty()),
        }
    }
}

/// The unit for people: what the sender wrote, unless that is just the UCUM code of a unit that Keepwell has words for.
fn unit_words(quantity: &Quantity<'_>) -> String {
    let sent = quantity.unit_words().unwrap_or_default();
    let plain = keepwell_clinical::DEFINITIONS.iter().filter_map(|known| known.unit).find(|unit| unit.ucum == sent);
    match plain {
        // A rate is "/min" whether breaths or beats: only units with one meaning are put into words.
        Some(unit) if unit.ucum != "/min" => unit.display.to_owned(),
        _ => sent.to_owned(),
    }
}

/// One value with its name: the Observation's own, or a component's.
pub(crate) fn measure(code: &Concept<'_>, value: Option<&Value<'_>>) -> Measure {
    let shown = value.map(Shown::of).unwrap_or_default();
    Measure { key: key_of(code), name: name_of(code), value_text: shown.text, unit: shown.unit, value: shown.number }
}

impl From<&Component<'_>> for Measure {
    fn from(component: &Component<'_>) -> Self {
        measure(&component.code, component.value.as_ref())
    }
}

/// The key of the measurement that a code stands for.
pub(crate) fn key_of(code: &Concept<'_>) -> &'static str {
    let known =
        code.codings.iter().find_map(|coding| definition_of(coding.system.as_deref()?, coding.code.as_deref()?));
    known.map_or("other", |known| known.key)
}

/// A range as sent: its own words, else its bounds.
pub(crate) fn range_words(range: &Range<'_>) -> String {
    if let Some(text) = range.text.as_deref().filter(|text| !text.trim().is_empty()) {
        return text.to_owned();
    }
    let low = range.low.as_ref().and_then(|low| low.value);
    let high = range.high.as_ref().and_then(|high| high.value);
    let unit = range.high.as_ref().or(range.low.as_ref()).map(unit_words).unwrap_or_default();
    let bounds = match (low, high) {
        (Some(low), Some(high)) => format!("{low} – {high}"),
        (Some(low), None) => format!("≥ {low}"),
        (None, Some(high)) => format!("≤ {high}"),
        (None, None) => return String::new(),
    };
    format!("{bounds} {unit}").trim().to_owned()
}

/// The bounds of the one range that a result has, in the result's own unit; of several ranges none is known to be the
/// person's.
pub(crate) fn bounds(ranges: &[Range<'_>], unit: &str) -> Option<(Option<f64>, Option<f64>)> {
    let [range] = ranges else { return None };
    let side = |quantity: Option<&Quantity<'_>>| {
        let quantity = quantity?;
        let same_unit = quantity.unit_words().is_none() || unit_words(quantity) == unit;
        quantity.number().filter(|_| same_unit)
    };
    let (low, high) = (side(range.low.as_ref()), side(range.high.as_ref()));
    (low.is_some() || high.is_some()).then_some((low, high))
}
