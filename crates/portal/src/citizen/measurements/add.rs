//! `/record/measurements/add`: one blood pressure reading.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keepwell_model::Random;
use keepwell_service::{BloodPressureForm, FieldError, Measurement, Problem, ServiceError};
use serde::Deserialize;

use crate::display;
use crate::errors::PageError;
use crate::session::Resident;
use crate::shell::{Section, Shell, page, page_with};
use crate::texts::Texts;
use crate::{Portal, routes};

/// The page.
#[derive(Template)]
#[template(path = "citizen/measurements/add.html")]
pub(crate) struct AddPage {
    shell: Shell,
    csrf: String,
    filled: Filled,
    errors: Vec<Mistake>,
}

/// A mistake in a field, in words.
struct Mistake {
    field: &'static str,
    /// The control that the summary links to.
    anchor: &'static str,
    text: String,
}

/// The form as the person filled it in.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Filled {
    csrf: String,
    form_key: String,
    systolic: String,
    diastolic: String,
    pulse: String,
    day: String,
    month: String,
    year: String,
    time: String,
}

/// Nothing that a person types here is longer.
const LONGEST: usize = 64;

impl Filled {
    /// An empty form that says "now", with a key of its own, so that sending it twice adds one reading.
    fn fresh(portal: &Portal) -> Self {
        let now = display::clock_fields(portal.calendar(), portal.config().clock.now());
        Self {
            form_key: form_key(&*portal.config().random),
            day: now.day,
            month: now.month,
            year: now.year,
            time: now.time,
            ..Self::default()
        }
    }

    fn is_sane(&self) -> bool {
        [&self.form_key, &self.systolic, &self.diastolic, &self.pulse, &self.day, &self.month, &self.year, &self.time]
            .iter()
            .all(|field| field.len() <= LONGEST)
    }

    fn to_service(&self, t: Texts) -> BloodPressureForm {
        BloodPressureForm {
            systolic: self.systolic.trim().to_owned(),
            diastolic: self.diastolic.trim().to_owned(),
            pulse: self.pulse.trim().to_owned(),
            date: date(t, &self.day, &self.month, &self.year),
            time: self.time.trim().to_owned(),
            form_key: self.form_key.clone(),
        }
    }
}

fn form_key(random: &dyn Random) -> String {
    let mut key = [0; 16];
    random.fill(&mut key);
    URL_SAFE_NO_PAD.encode(key)
}

/// The three fields of a date as one text. A month may be a number or its name; two-digit years are not guessed.
fn date(t: Texts, day: &str, month: &str, year: &str) -> String {
    let (day, month, year) = (day.trim(), month.trim().to_lowercase(), year.trim());
    if day.is_empty() && month.is_empty() && year.is_empty() {
        return String::new();
    }
    let named = |n: &usize| {
        month.chars().count() >= 3 && t.say(&format!("month-{n}")).to_lowercase().starts_with(month.as_str())
    };
    let month = (1..=12).find(named).map_or(month.clone(), |n| n.to_string());
    format!("{year:0>4}-{month:0>2}-{day:0>2}")
}

fn mistakes(t: Texts, errors: &[FieldError]) -> Vec<Mistake> {
    errors
        .iter()
        .map(|error| {
            let key = format!("add-error-{}-{}", error.field.replace('_', "-"), key_of(error.problem));
            let text = if t.has(&key) { t.say(&key) } else { t.say("add-error-other") };
            let anchor = match error.field {
                "diastolic" => "diastolic",
                "pulse" => "pulse",
                "date" => "date-day",
                "time" => "time",
                _ => "systolic",
            };
            Mistake { field: error.field, anchor, text }
        })
        .collect()
}

fn key_of(problem: Problem) -> &'static str {
    match problem {
        Problem::Missing => "missing",
        Problem::NotANumber => "not-a-number",
        Problem::TooLow => "too-low",
        Problem::TooHigh => "too-high",
        Problem::NotAbove => "not-above",
        Problem::NotADate => "not-a-date",
        Problem::NotATime => "not-a-time",
        Problem::SkippedByClocks => "skipped-by-clocks",
        Problem::InTheFuture => "in-the-future",
        Problem::BeforeBirth => "before-birth",
        Problem::BadForm => "bad-form",
    }
}

impl AddPage {
    fn new(mut shell: Shell, csrf: String, filled: Filled, errors: &[FieldError]) -> Self {
        shell.error = !errors.is_empty();
        Self { errors: mistakes(shell.t, errors), csrf, filled, shell }
    }

    /// What is wrong with a field.
    fn error(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|mistake| mistake.field == field).map(|mistake| mistake.text.as_str())
    }
}

/// The empty form.
pub(crate) async fn form(State(portal): State<Portal>, resident: Resident) -> Response {
    let csrf = resident.csrf(&portal);
    page(&AddPage::new(resident.shell(&portal, Section::Measurements), csrf, Filled::fresh(&portal), &[]))
}

/// Adds the reading, or shows what to put right.
pub(crate) async fn save(
    State(portal): State<Portal>,
    resident: Resident,
    Form(filled): Form<Filled>,
) -> Result<Response, PageError> {
    resident.check_form(&filled.csrf)?;
    if !filled.is_sane() {
        return Err(PageError::BadRequest);
    }
    let shell = resident.shell(&portal, Section::Measurements);
    match portal.service().add_blood_pressure(&resident.session, &filled.to_service(shell.t)).await {
        Ok(added) => {
            let page = page_of(&portal, &resident, &added.reading).await?;
            Ok(Redirect::to(&routes::measurements_added(&added.reading.id, page)).into_response())
        }
        Err(ServiceError::Invalid(errors)) => {
            let view = AddPage::new(shell, resident.csrf(&portal), filled, &errors);
            Ok(page_with(StatusCode::UNPROCESSABLE_ENTITY, &view))
        }
        Err(error) => Err(error.into()),
    }
}

/// For so many seconds a reading is taken to be on the first page of the list.
const RECENT: i64 = 24 * 3_600;

/// The page of the list that shows a reading. One of an earlier day may not be on the first, and a safety message that
/// goes with it must be seen. A recent one is not looked for, because each look leaves a line.
async fn page_of(portal: &Portal, resident: &Resident, reading: &Measurement) -> Result<usize, PageError> {
    let now = portal.config().clock.now();
    if reading.when.as_ref().is_some_and(|when| now < when.at.plus_seconds(RECENT)) {
        return Ok(1);
    }
    let mut number = 1;
    loop {
        let found = portal.service().measurements(&resident.session, number).await?;
        if found.items.iter().any(|item| item.id == reading.id) {
            return Ok(number);
        }
        if number >= found.pages {
            return Ok(1);
        }
        number += 1;
    }
}

#[cfg(test)]
impl crate::quality::Samples for AddPage {
    fn samples(t: Texts) -> Vec<Self> {
        let shell = || crate::quality::shell(t, Section::Measurements, true);
        let filled = || Filled {
            day: "23".into(),
            month: "11".into(),
            year: "2026".into(),
            time: "17:30".into(),
            ..Filled::default()
        };
        let error = |field, problem| FieldError { field, problem, message: String::new() };
        let all = [
            error("systolic", Problem::Missing),
            error("diastolic", Problem::TooHigh),
            error("pulse", Problem::NotANumber),
            error("date", Problem::InTheFuture),
            error("time", Problem::NotATime),
        ];
        let one = [error("systolic", Problem::NotAbove)];
        vec![
            Self::new(shell(), "token".into(), filled(), &[]),
            Self::new(shell(), "token".into(), filled(), &one),
            Self::new(shell(), "token".into(), Filled::default(), &all),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_may_be_a_number_or_a_name() {
        let t = Texts::of("en");
        for (day, month, year, joined) in [
            ("9", "10", "2026", "2026-10-09"),
            ("09", "October", "2026", "2026-10-09"),
            (" 9 ", "oct", "2026", "2026-10-09"),
            ("9", "o", "2026", "2026-0o-09"),
            ("9", "10", "26", "0026-10-09"),
            ("", "", "", ""),
            ("9", "", "", "0000-00-09"),
        ] {
            assert_eq!(date(t, day, month, year), joined);
        }
    }

    #[test]
    fn every_mistake_that_the_service_can_find_has_its_own_words() {
        let t = Texts::of("en");
        let numbers = [Problem::NotANumber, Problem::TooLow, Problem::TooHigh];
        let mut pairs: Vec<(&'static str, Problem)> = Vec::new();
        for field in ["systolic", "diastolic", "pulse"] {
            pairs.extend(numbers.map(|problem| (field, problem)));
        }
        for field in ["systolic", "diastolic", "date", "time"] {
            pairs.push((field, Problem::Missing));
        }
        pairs.extend([
            ("systolic", Problem::NotAbove),
            ("date", Problem::NotADate),
            ("date", Problem::InTheFuture),
            ("date", Problem::BeforeBirth),
            ("time", Problem::NotATime),
            ("time", Problem::InTheFuture),
            ("time", Problem::SkippedByClocks),
            ("form_key", Problem::BadForm),
        ]);
        for (field, problem) in pairs {
            let found = mistakes(t, &[FieldError { field, problem, message: String::new() }]);
            assert_ne!(found[0].text, t.say("add-error-other"), "{field} {problem:?}");
        }
    }
}
