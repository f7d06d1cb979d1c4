//! The only place that formats for people: dates and times, NHS numbers, quantities, names. Each value comes as plain
//! text and as markup that keeps its order whatever the direction of the page: in a right-to-left page a bare
//! `48 mmol/mol` is drawn `mmol/mol 48`.

mod date;
mod value;

pub(crate) use date::{
    Calendar, at, civil_date, clock_fields, day, day_and_month, moment, moment_at, month_and_year, month_of, when,
    when_date, year_of,
};
pub(crate) use value::{blood_pressure, interpretation, name, nhs_number, quantity, range, spoken_digits, text};

use std::fmt;

use crate::html::Html;
use crate::texts::unmarked;

/// A value as people read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    text: String,
    direction: &'static str,
    nowrap: bool,
}

impl Shown {
    fn new(text: impl Into<String>, direction: &'static str) -> Self {
        Self { text: unmarked(text.into()), direction, nowrap: false }
    }

    fn nowrap(text: impl Into<String>, direction: &'static str) -> Self {
        Self { text: unmarked(text.into()), direction, nowrap: true }
    }

    /// Without markup, for titles of drawings, attributes and files.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// With markup.
    pub(crate) fn html(&self) -> Html {
        Html::isolated(&self.text, self.direction, self.nowrap)
    }

    /// Whether there is nothing to show.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.html().fmt(f)
    }
}

impl askama::filters::HtmlSafe for Shown {}
