//! A test result as lists and pages show it.

use keepwell_service::{TestItem, TestResult};

use crate::display::{self, Shown};
use crate::routes;
use crate::texts::{Arg, Texts};

/// One line of a report.
pub(crate) struct ResultLine {
    /// Name of the test.
    pub(crate) name: Shown,
    /// Address of its history.
    pub(crate) history: Option<String>,
    /// The result, or why there is none.
    pub(crate) value: Shown,
    /// Whether `value` says why there is none.
    pub(crate) missing: bool,
    /// The usual range as sent.
    pub(crate) range: Option<Shown>,
    /// How it compares, in words.
    pub(crate) compared: Option<String>,
    /// Whether it is outside.
    pub(crate) outside: bool,
    /// Comments as sent.
    pub(crate) notes: Vec<Shown>,
    /// Its parts: name and value.
    pub(crate) parts: Vec<(Shown, Shown)>,
}

impl ResultLine {
    pub(crate) fn new(t: Texts, item: &TestItem) -> Self {
        let value = display::quantity(&item.value_text, &item.unit);
        let missing = value.is_empty() && item.parts.is_empty();
        let unit_range = item.range.as_deref().filter(|range| !range.trim().is_empty());
        Self {
            name: display::text(&item.name),
            history: item.test.as_deref().map(routes::test_history),
            value: match (&item.absent, missing) {
                (Some(reason), true) => display::text(reason),
                (None, true) => display::text(&t.say("result-missing")),
                _ => value,
            },
            missing,
            range: unit_range.map(display::range),
            compared: compared(t, item.outside),
            outside: item.outside == Some(true),
            notes: item.notes.iter().map(|note| display::text(note)).collect(),
            parts: item
                .parts
                .iter()
                .map(|part| (display::text(&part.name), display::quantity(&part.value_text, &part.unit)))
                .collect(),
        }
    }
}

/// How a result compares with its usual range.
pub(crate) fn compared(t: Texts, outside: Option<bool>) -> Option<String> {
    outside.map(|outside| t.say(if outside { "range-outside" } else { "range-inside" }))
}

/// One sentence about a report: its result if it has one, or how many it has.
pub(crate) fn summary(t: Texts, result: &TestResult) -> crate::html::Html {
    if let [item] = result.items.as_slice() {
        let line = ResultLine::new(t, item);
        let value = Arg::from(line.value);
        return match line.compared {
            Some(compared) if !line.missing => {
                t.html("result-one-compared", &[("value", value), ("compared", Arg::from(display::text(&compared)))])
            }
            _ => t.html("result-one", &[("value", value)]),
        };
    }
    let outside = result.items.iter().filter(|item| item.outside == Some(true)).count();
    let told = result.items.iter().any(|item| item.outside.is_some());
    let count = ("count", Arg::from(result.items.len()));
    match (outside, told) {
        (_, false) => t.html("result-many", &[count]),
        (0, true) => t.html("result-many-inside", &[count]),
        (outside, true) => t.html("result-many-outside", &[count, ("outside", Arg::from(outside))]),
    }
}

/// What the status means for the reader, where it means something.
pub(crate) fn status(t: Texts, status: &str) -> Option<String> {
    let key = match status {
        "registered" | "partial" | "preliminary" | "unknown" => "status-preliminary",
        "amended" | "corrected" | "appended" => "status-corrected",
        "cancelled" => "status-cancelled",
        "entered-in-error" => "status-error",
        _ => return None,
    };
    Some(t.say(key))
}
