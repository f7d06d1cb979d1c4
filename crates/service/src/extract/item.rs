//! One Observation as a test result or as a measurement.

use keepwell_fhir::element::Concept;
use keepwell_fhir::observation::Observation;
use keepwell_model::{Labels, Timestamp};

use super::coded::{name_of, slug_of};
use super::value::{Shown, bounds, key_of, measure, range_words};
use super::when::when_of;
use crate::views::{Measure, Measurement, TestItem};

/// HL7's interpretation codes that say "outside what is usual", and the one that says "inside".
const OUTSIDE: [&str; 10] = ["A", "AA", "H", "HH", "HU", "L", "LL", "LU", "HX", "LX"];
const INSIDE: &str = "N";

/// A test result.
pub(crate) fn test_item(id: String, observation: &Observation<'_>) -> TestItem {
    let code = observation.code();
    let shown = observation.value().as_ref().map(Shown::of).unwrap_or_default();
    let ranges = observation.reference_range();
    let outside = outside(&observation.interpretation(), &shown, bounds(&ranges, &shown.unit));
    let words: Vec<String> = ranges.iter().map(range_words).filter(|words| !words.is_empty()).collect();
    TestItem {
        id,
        name: name_of(&code),
        test: slug_of(&code),
        range: Some(words.join("; ")).filter(|words| !words.is_empty()),
        outside,
        absent: observation.data_absent().map(|reason| name_of(&reason)),
        status: observation.status().unwrap_or_default().into_owned(),
        when: when_of(observation.effective().as_ref(), observation.issued().as_deref()),
        notes: observation.notes().into_iter().map(|note| note.into_owned()).collect(),
        parts: observation.components().iter().map(Measure::from).collect(),
        value_text: shown.text,
        unit: shown.unit,
        value: shown.number,
    }
}

/// What the laboratory says counts; the bounds are compared only where it says nothing.
fn outside(said: &[Concept<'_>], shown: &Shown, bounds: Option<(Option<f64>, Option<f64>)>) -> Option<bool> {
    let codes = || said.iter().flat_map(|concept| &concept.codings).filter_map(|coding| coding.code.as_deref());
    if codes().any(|code| OUTSIDE.contains(&code)) {
        return Some(true);
    }
    if codes().any(|code| code == INSIDE) {
        return Some(false);
    }
    let (number, (low, high)) = (shown.number?, bounds?);
    Some(low.is_some_and(|low| number < low) || high.is_some_and(|high| number > high))
}

/// Who sent a thing and when it came.
pub(crate) struct Arrival {
    pub(crate) id: String,
    pub(crate) received: Timestamp,
    pub(crate) source: String,
    pub(crate) own: bool,
    pub(crate) labels: Labels,
}

/// A measurement.
pub(crate) fn measurement(observation: &Observation<'_>, arrival: Arrival) -> Measurement {
    let code = observation.code();
    let mut values: Vec<Measure> = observation.components().iter().map(Measure::from).collect();
    if let Some(value) = observation.value() {
        values.insert(0, measure(&code, Some(&value)));
    }
    // Top before bottom, whatever the sender's order.
    values.sort_by_key(|value| match value.key {
        "systolic" => 0,
        "diastolic" => 1,
        _ => 2,
    });
    let number =
        |key| values.iter().find(|value| value.key == key && value.unit == "mmHg").and_then(|value| value.value);
    let severe = keepwell_clinical::is_severe(number("systolic").unwrap_or(0.0), number("diastolic").unwrap_or(0.0));
    Measurement {
        key: key_of(&code),
        name: name_of(&code),
        values,
        when: when_of(observation.effective().as_ref(), observation.issued().as_deref()),
        status: observation.status().unwrap_or_default().into_owned(),
        severe,
        id: arrival.id,
        received: arrival.received,
        source: arrival.source,
        own: arrival.own,
        labels: arrival.labels,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keepwell_fhir::resource::Resource;

    fn item(rest: &str) -> TestItem {
        let json = format!(r#"{{"resourceType":"Observation","status":"final","code":{{"text":"Potassium"}},{rest}}}"#);
        let resource = Resource::new(json.as_bytes()).unwrap();
        test_item("id".to_owned(), &Observation::of(&resource).unwrap())
    }

    const RANGE: &str =
        r#""referenceRange":[{"low":{"value":3.5,"unit":"mmol/L"},"high":{"value":5.30,"unit":"mmol/L"}}]"#;

    #[test]
    fn a_value_keeps_its_digits_and_is_compared_with_its_range() {
        let result = item(&format!(r#""valueQuantity":{{"value":5.40,"unit":"mmol/L"}},{RANGE}"#));
        assert_eq!((result.value_text.as_str(), result.unit.as_str(), result.value), ("5.40", "mmol/L", Some(5.4)));
        assert_eq!((result.range.as_deref(), result.outside), (Some("3.5 – 5.30 mmol/L"), Some(true)));
        let inside = item(&format!(r#""valueQuantity":{{"value":5.30,"unit":"mmol/L"}},{RANGE}"#));
        assert_eq!(inside.outside, Some(false));
    }

    #[test]
    fn what_the_laboratory_says_counts_more_than_the_range() {
        let normal = r#""interpretation":[{"coding":[{"code":"N"}]}]"#;
        let result = item(&format!(r#""valueQuantity":{{"value":9,"unit":"mmol/L"}},{RANGE},{normal}"#));
        assert_eq!(result.outside, Some(false));
        let high = r#""interpretation":[{"coding":[{"code":"HH"}]}]"#;
        assert_eq!(item(&format!(r#""valueString":"see note",{high}"#)).outside, Some(true));
    }

    #[test]
    fn nothing_is_compared_that_cannot_be() {
        let other_unit = item(&format!(r#""valueQuantity":{{"value":9,"unit":"mg/dL"}},{RANGE}"#));
        assert_eq!(other_unit.outside, None);
        let below = item(&format!(r#""valueQuantity":{{"value":3,"comparator":"<","unit":"mmol/L"}},{RANGE}"#));
        assert_eq!((below.value_text.as_str(), below.value, below.outside), ("<3", None, None));
        let two = r#""referenceRange":[{"low":{"value":1}},{"low":{"value":2}}]"#;
        assert_eq!(item(&format!(r#""valueQuantity":{{"value":0}},{two}"#)).outside, None);
    }

    #[test]
    fn a_result_without_a_value_says_why() {
        let result = item(r#""dataAbsentReason":{"text":"Sample haemolysed"}"#);
        assert_eq!((result.value_text.as_str(), result.absent.as_deref()), ("", Some("Sample haemolysed")));
    }
}
