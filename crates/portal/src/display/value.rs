//! Numbers, quantities, NHS numbers and names.

use keepwell_model::NhsNumber;

use super::Shown;
use crate::texts::Texts;

/// `999 000 0018`, never broken over two lines (NN-3).
pub(crate) fn nhs_number(number: &NhsNumber) -> Shown {
    Shown::nowrap(number.to_string(), "ltr")
}

/// The digits one by one, for `aria-label`: a screen reader would say "nine hundred and ninety-nine".
pub(crate) fn spoken_digits(number: &NhsNumber) -> String {
    number.digits().chars().map(String::from).collect::<Vec<_>>().join(" ")
}

/// A value and its unit, digit for digit as the laboratory sent it. A short one is never broken over two lines.
pub(crate) fn quantity(value: &str, unit: &str) -> Shown {
    let unit = unit_in_words(unit);
    let text = match (value.is_empty(), unit.is_empty()) {
        (true, _) => String::new(),
        (false, true) => value.to_owned(),
        // No space before a percent sign, as in running text.
        (false, false) if unit == "%" => format!("{value}%"),
        (false, false) => format!("{value} {unit}"),
    };
    if text.chars().count() <= 24 {
        Shown::nowrap(text, direction_of(value))
    } else {
        Shown::new(text, direction_of(value))
    }
}

/// A usual range as sent, in the words of the house where its shape is known: `4.0 to 11.0 ×10⁹/L`.
pub(crate) fn range(sent: &str) -> Shown {
    let sent = sent.trim();
    let is_number = |text: &str| text.parse::<f64>().is_ok();
    let spaced = sent.replace(['\u{2013}', '\u{2212}'], "-");
    let (bounds, unit) = match spaced.split_once(|c: char| c.is_ascii_alphabetic() || c == '%' || c == '{') {
        Some((bounds, _)) => spaced.split_at(bounds.trim_end().len()),
        None => (spaced.as_str(), ""),
    };
    // In `4.0 - 11.0 10*9/L` the unit begins with a digit.
    let (bounds, unit) = match spaced.find("10*") {
        Some(at) if at > 0 => (spaced[..at].trim_end(), &spaced[at..]),
        _ => (bounds, unit),
    };
    match bounds.split_once('-') {
        Some((low, high)) if is_number(low.trim()) && is_number(high.trim()) => {
            quantity(&format!("{} to {}", low.trim(), high.trim()), unit.trim())
        }
        _ => quantity(sent, ""),
    }
}

/// `128/82 mmHg`.
pub(crate) fn blood_pressure(systolic: &str, diastolic: &str, unit: &str) -> Shown {
    quantity(&format!("{systolic}/{diastolic}"), unit)
}

/// Units as people meet them on letters, where the code that machines use differs.
fn unit_in_words(unit: &str) -> &str {
    match unit.trim() {
        "mm[Hg]" => "mmHg",
        "{score}" | "{Score}" | "1" => "",
        "/min" | "{beats}/min" => "a minute",
        "Cel" => "°C",
        "10*9/L" => "×10⁹/L",
        "10*12/L" => "×10¹²/L",
        other => other,
    }
}

/// A result may be a number, which reads left to right, or words, which read as their letters say.
fn direction_of(value: &str) -> &'static str {
    if value.contains(|c: char| c.is_ascii_digit()) { "ltr" } else { "auto" }
}

/// A person's or organisation's name, as it was written.
pub(crate) fn name(name: &str) -> Shown {
    Shown::new(name, "auto")
}

/// Words as a source sent them, in the language in which they were written.
pub(crate) fn text(words: &str) -> Shown {
    Shown::new(words, "auto")
}

/// How a result compares with its usual range, in words: key of the text.
pub(crate) fn interpretation(
    t: Texts,
    outside: Option<bool>,
    value: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
) -> Option<String> {
    let key = match (outside?, value, low, high) {
        (false, ..) => "range-inside",
        (true, Some(value), Some(low), _) if value < low => "range-below",
        (true, Some(value), _, Some(high)) if value > high => "range-above",
        (true, ..) => "range-outside",
    };
    Some(t.say(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nn_3_an_nhs_number_is_grouped_kept_together_and_isolated() {
        let number: NhsNumber = "9434765919".parse().unwrap();
        assert_eq!(nhs_number(&number).to_string(), "<bdi dir=\"ltr\" class=\"nhsuk-u-nowrap\">943 476 5919</bdi>");
        assert_eq!(spoken_digits(&number), "9 4 3 4 7 6 5 9 1 9");
    }

    #[test]
    fn a_quantity_keeps_the_digits_that_were_sent() {
        assert_eq!(quantity("4.50", "mmol/L").text(), "4.50 mmol/L");
        assert_eq!(quantity("128", "mm[Hg]").text(), "128 mmHg");
        assert_eq!(quantity("48", "%").text(), "48%");
        assert_eq!(quantity("Not detected", "").text(), "Not detected");
        assert_eq!(quantity("", "mmol/L").text(), "");
        assert_eq!(quantity("<5", "mg/L").to_string(), "<bdi dir=\"ltr\" class=\"nhsuk-u-nowrap\">&lt;5 mg/L</bdi>");
    }

    #[test]
    fn a_range_of_a_known_shape_is_told_with_to_and_any_other_as_sent() {
        for (sent, shown) in [
            ("20 - 41 mmol/mol", "20 to 41 mmol/mol"),
            ("4.0-11.0 10*9/L", "4.0 to 11.0 ×10⁹/L"),
            ("3.5–5.3", "3.5 to 5.3"),
            ("<5 mg/L", "<5 mg/L"),
            ("-2 - 3", "-2 - 3"),
            ("Negative", "Negative"),
            ("10*9/L", "10*9/L"),
        ] {
            assert_eq!(range(sent).text(), shown);
        }
    }

    #[test]
    fn a_result_outside_its_range_is_told_neutrally_and_with_its_direction_where_known() {
        let t = Texts::of("en");
        let say = |outside, value, low, high| interpretation(t, outside, value, low, high);
        assert_eq!(say(None, Some(1.0), None, None), None);
        assert_eq!(say(Some(false), None, None, None).unwrap(), t.say("range-inside"));
        assert_eq!(say(Some(true), Some(1.0), Some(2.0), Some(3.0)).unwrap(), t.say("range-below"));
        assert_eq!(say(Some(true), Some(4.0), Some(2.0), Some(3.0)).unwrap(), t.say("range-above"));
        assert_eq!(say(Some(true), None, Some(2.0), Some(3.0)).unwrap(), t.say("range-outside"));
    }
}
