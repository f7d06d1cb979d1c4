//! Reading the blood pressure form: every field is looked at, so that the person sees all that needs another look at once.

use jiff::civil::{Date, Time};
use keepwell_model::Timestamp;

use crate::blood_pressure::BloodPressure;
use crate::local::{self, LocalTime, LocalTimeError};
use crate::measurement;
use crate::number::{Typed, typed};

/// Minutes by which a device's clock may be ahead of ours.
const AHEAD_SECONDS: i64 = 10 * 60;

/// The form as typed. Empty text is "not given".
#[derive(Debug, Clone, Copy, Default)]
pub struct RawBloodPressure<'a> {
    /// Top number.
    pub systolic: &'a str,
    /// Bottom number.
    pub diastolic: &'a str,
    /// Pulse; may be empty.
    pub pulse: &'a str,
    /// Local date, `YYYY-MM-DD`; leading zeros may be missing.
    pub date: &'a str,
    /// Local time of day: `08:15`, `8.15`, `8:15pm` or `8pm`.
    pub time: &'a str,
}

/// One field and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The form field, such as `systolic`.
    pub field: &'static str,
    /// What is wrong, as a key for translations.
    pub problem: Problem,
    /// The same in plain English.
    pub message: String,
}

/// What can be wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Problem {
    /// Nothing was given.
    Missing,
    /// Not a whole number.
    NotANumber,
    /// Lower than can be true.
    TooLow,
    /// Higher than can be true.
    TooHigh,
    /// The top number is not above the bottom number.
    NotAbove,
    /// Not a date.
    NotADate,
    /// Not a time of day.
    NotATime,
    /// A time that the clocks skipped on that day.
    SkippedByClocks,
    /// Later than now.
    InTheFuture,
    /// Before the person was born.
    BeforeBirth,
    /// The form itself is not one that we handed out.
    BadForm,
}

/// Reads the form. `born` is the person's date of birth, `YYYY-MM-DD`, where it is known.
///
/// # Errors
/// What is wrong, field by field in the order of the form; never empty.
pub fn read_form(
    raw: RawBloodPressure<'_>,
    now: Timestamp,
    born: Option<&str>,
) -> Result<BloodPressure, Vec<FieldError>> {
    let mut errors = Vec::new();
    let systolic = number("systolic", "the top number (systolic)", raw.systolic, &mut errors);
    let diastolic = number("diastolic", "the bottom number (diastolic)", raw.diastolic, &mut errors);
    if let (Some(top), Some(bottom)) = (systolic, diastolic)
        && top <= bottom
    {
        let message = "The top number must be higher than the bottom number".to_owned();
        errors.push(FieldError { field: "systolic", problem: Problem::NotAbove, message });
    }
    let pulse = match typed(raw.pulse) {
        Typed::Nothing => None,
        _ => number("pulse", "your pulse", raw.pulse, &mut errors),
    };
    let taken = when(&raw, now, born, &mut errors);
    match (systolic, diastolic, taken) {
        (Some(systolic), Some(diastolic), Some(taken)) if errors.is_empty() => {
            Ok(BloodPressure { systolic, diastolic, pulse, taken })
        }
        _ => Err(errors),
    }
}

fn number(field: &'static str, words: &str, text: &str, errors: &mut Vec<FieldError>) -> Option<u32> {
    let known = measurement::definition(field).expect("each number of the form is a known measurement");
    let (problem, message) = match typed(text) {
        Typed::Nothing => (Problem::Missing, format!("Enter {words}")),
        Typed::Other => (Problem::NotANumber, format!("Enter {words} as a whole number, such as {}", example(field))),
        Typed::Number(n) if known.is_plausible(f64::from(n)) => return Some(n),
        Typed::Number(n) => {
            let problem = if f64::from(n) < known.low { Problem::TooLow } else { Problem::TooHigh };
            let capital = words[..1].to_uppercase() + &words[1..];
            (problem, format!("{capital} must be between {} and {}", known.low, known.high))
        }
    };
    errors.push(FieldError { field, problem, message });
    None
}

fn example(field: &str) -> u32 {
    match field {
        "systolic" => 128,
        "diastolic" => 76,
        _ => 68,
    }
}

fn when(
    raw: &RawBloodPressure<'_>,
    now: Timestamp,
    born: Option<&str>,
    errors: &mut Vec<FieldError>,
) -> Option<LocalTime> {
    let mut wrong = |field, problem, message: &str| {
        errors.push(FieldError { field, problem, message: message.to_owned() });
    };
    let date = match day(raw.date) {
        Some(date) => Some(date),
        None if raw.date.trim_matches(['-', ' ']).is_empty() => {
            wrong("date", Problem::Missing, "Enter the date you took the reading");
            None
        }
        None => {
            wrong("date", Problem::NotADate, "Enter a real date, such as 27 3 2026");
            None
        }
    };
    let time = match time_of_day(raw.time) {
        Some(time) => Some(time),
        None if raw.time.trim().is_empty() => {
            wrong("time", Problem::Missing, "Enter the time you took the reading");
            None
        }
        None => {
            wrong("time", Problem::NotATime, "Enter a time, such as 8:15am or 20:15");
            None
        }
    };
    let date = date?;
    if born.and_then(day).is_some_and(|born| date < born) {
        wrong("date", Problem::BeforeBirth, "The date must be after your date of birth");
        return None;
    }
    if day(&local::in_london(now.plus_seconds(AHEAD_SECONDS)).date).is_some_and(|today| date > today) {
        wrong("date", Problem::InTheFuture, "The date must be today or in the past");
        return None;
    }
    match local::london(date.to_datetime(time?)) {
        Ok(taken) if taken.at > now.plus_seconds(AHEAD_SECONDS) => {
            wrong("time", Problem::InTheFuture, "The time must be in the past");
            None
        }
        Ok(taken) => Some(taken),
        Err(LocalTimeError::Skipped) => {
            let message = "The clocks went forward on that day, so this time did not happen. Check the time";
            wrong("time", Problem::SkippedByClocks, message);
            None
        }
        Err(LocalTimeError::OutOfRange) => {
            wrong("date", Problem::NotADate, "Enter a real date, such as 27 3 2026");
            None
        }
    }
}

/// `YYYY-MM-DD`, of this or the last century; leading zeros of month and day may be missing.
fn day(text: &str) -> Option<Date> {
    let mut parts = text.split('-').map(typed);
    let mut next = || match parts.next() {
        Some(Typed::Number(n)) => Some(n),
        _ => None,
    };
    let (year, month, day) = (next()?, next()?, next()?);
    if parts.next().is_some() || !(1900..=2200).contains(&year) {
        return None;
    }
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// `08:15`, `8.15`, `8:15pm`, `8 pm`.
fn time_of_day(text: &str) -> Option<Time> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
    let (clock, half) = match (text.strip_suffix("am"), text.strip_suffix("pm")) {
        (Some(clock), _) => (clock, Some(0)),
        (_, Some(clock)) => (clock, Some(12)),
        _ => (text.as_str(), None),
    };
    let (hour, minute) = match clock.split_once([':', '.']) {
        Some((hour, minute)) if minute.len() == 2 => (hour, minute),
        Some(_) => return None,
        // A bare number is an hour only when "am" or "pm" says so.
        None if half.is_some() => (clock, "00"),
        None => return None,
    };
    let (Typed::Number(hour), Typed::Number(minute)) = (typed(hour), typed(minute)) else { return None };
    let hour = match half {
        Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
        Some(_) => return None,
        None => hour,
    };
    Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0).ok()
}
