//! The blood pressure form.

use keepwell_clinical::{BloodPressure, FieldError, Problem, RawBloodPressure, read_form};
use keepwell_model::Timestamp;
use proptest::prelude::*;

/// 2026-11-23T09:30:00Z.
const NOW: Timestamp = Timestamp::from_micros(1_795_426_200_000_000);
const BORN: Option<&str> = Some("1958-02-11");

fn good() -> RawBloodPressure<'static> {
    RawBloodPressure { systolic: "128", diastolic: "76", pulse: "", date: "2026-11-23", time: "08:15" }
}

fn problems(raw: RawBloodPressure<'_>) -> Vec<(&'static str, Problem)> {
    read_form(raw, NOW, BORN)
        .map_or_else(|errors| errors.iter().map(|e| (e.field, e.problem)).collect(), |_| Vec::new())
}

fn taken(date: &str, time: &str) -> Result<String, Vec<(&'static str, Problem)>> {
    let raw = RawBloodPressure { date, time, ..good() };
    read_form(raw, NOW, BORN)
        .map(|reading: BloodPressure| reading.taken.fhir)
        .map_err(|errors: Vec<FieldError>| errors.iter().map(|e| (e.field, e.problem)).collect())
}

#[test]
fn a_reading_as_people_type_it_is_taken() {
    let raw = RawBloodPressure { systolic: " 128 ", pulse: "68", date: "2026-11-3", time: "8.15 PM", ..good() };
    let reading = read_form(raw, NOW, BORN).unwrap();
    assert_eq!((reading.systolic, reading.diastolic, reading.pulse), (128, 76, Some(68)));
    assert_eq!(reading.taken.fhir, "2026-11-03T20:15:00+00:00");
}

#[test]
fn an_empty_form_asks_for_every_field_that_is_needed_in_plain_words() {
    let errors = read_form(RawBloodPressure::default(), NOW, BORN).unwrap_err();
    let said: Vec<_> = errors.iter().map(|error| (error.field, error.message.as_str())).collect();
    assert_eq!(
        said,
        [
            ("systolic", "Enter the top number (systolic)"),
            ("diastolic", "Enter the bottom number (diastolic)"),
            ("date", "Enter the date you took the reading"),
            ("time", "Enter the time you took the reading"),
        ]
    );
}

#[test]
fn numbers_that_cannot_be_are_refused_at_their_exact_bounds() {
    for (systolic, diastolic, expected) in [
        ("39", "30", vec![("systolic", Problem::TooLow)]),
        ("40", "20", vec![]),
        ("300", "200", vec![]),
        ("301", "200", vec![("systolic", Problem::TooHigh)]),
        ("300", "201", vec![("diastolic", Problem::TooHigh)]),
        ("120", "19", vec![("diastolic", Problem::TooLow)]),
        ("99999999999999999999", "80", vec![("systolic", Problem::TooHigh)]),
        ("120.5", "80", vec![("systolic", Problem::NotANumber)]),
        ("-120", "80", vec![("systolic", Problem::NotANumber)]),
        ("120mmHg", "8O", vec![("systolic", Problem::NotANumber), ("diastolic", Problem::NotANumber)]),
        ("80", "80", vec![("systolic", Problem::NotAbove)]),
        ("76", "128", vec![("systolic", Problem::NotAbove)]),
    ] {
        assert_eq!(problems(RawBloodPressure { systolic, diastolic, ..good() }), expected, "{systolic}/{diastolic}");
    }
    assert_eq!(problems(RawBloodPressure { pulse: "19", ..good() }), [("pulse", Problem::TooLow)]);
    assert_eq!(problems(RawBloodPressure { pulse: "fast", ..good() }), [("pulse", Problem::NotANumber)]);
}

#[test]
fn the_future_begins_ten_minutes_from_now() {
    assert_eq!(taken("2026-11-23", "09:40").unwrap(), "2026-11-23T09:40:00+00:00");
    assert_eq!(taken("2026-11-23", "09:41"), Err(vec![("time", Problem::InTheFuture)]));
    assert_eq!(taken("2026-11-24", "00:00"), Err(vec![("date", Problem::InTheFuture)]));
}

#[test]
fn just_before_midnight_a_reading_of_the_next_minute_is_still_taken() {
    let almost = Timestamp::from_micros(NOW.micros() + (14 * 60 + 25) * 60_000_000);
    let raw = RawBloodPressure { date: "2026-11-24", time: "00:01", ..good() };
    assert!(read_form(raw, almost, BORN).is_ok());
}

#[test]
fn before_birth_is_refused_and_the_day_of_birth_is_not() {
    assert_eq!(taken("1958-02-10", "12:00"), Err(vec![("date", Problem::BeforeBirth)]));
    assert!(taken("1958-02-11", "12:00").is_ok());
    assert_eq!(problems(RawBloodPressure { date: "1899-12-31", ..good() }), [("date", Problem::NotADate)]);
}

#[test]
fn bp_9_clock_changes() {
    assert_eq!(taken("2026-03-29", "01:30"), Err(vec![("time", Problem::SkippedByClocks)]));
    assert_eq!(taken("2026-03-29", "02:30").unwrap(), "2026-03-29T02:30:00+01:00");
    assert_eq!(taken("2026-10-25", "01:30").unwrap(), "2026-10-25T01:30:00+01:00");
    assert_eq!(taken("2026-10-25", "02:00").unwrap(), "2026-10-25T02:00:00+00:00");
}

#[test]
fn dates_and_times_that_are_none_are_refused() {
    for date in ["2026-02-29", "2026-13-01", "23-11-2026", "2026-11", "2026-11-23-1", "2026/11/23", "yesterday"] {
        assert_eq!(problems(RawBloodPressure { date, ..good() }), [("date", Problem::NotADate)], "{date}");
    }
    for time in ["24:00", "8", "8:5", "13pm", "0am", "08:60", "8:15:00", "noon", "١٢:٠٠"] {
        assert_eq!(problems(RawBloodPressure { time, ..good() }), [("time", Problem::NotATime)], "{time}");
    }
    for (time, local) in [("12am", "00:00"), ("12:05pm", "12:05"), ("8am", "08:00"), ("8:05 pm", "20:05")] {
        let reading = read_form(RawBloodPressure { date: "2026-11-22", time, ..good() }, NOW, BORN).unwrap();
        assert_eq!(reading.taken.time, local);
    }
}

#[test]
fn bp_6_either_number_alone_makes_a_reading_severe() {
    for (systolic, diastolic, severe) in
        [("179", "119", false), ("180", "80", true), ("150", "120", true), ("220", "130", true)]
    {
        let reading = read_form(RawBloodPressure { systolic, diastolic, ..good() }, NOW, BORN).unwrap();
        assert_eq!(reading.is_severe(), severe, "{systolic}/{diastolic}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_form_panic(systolic in "\\PC{0,8}", diastolic in "\\PC{0,8}", pulse in "\\PC{0,8}", date in "[0-9-]{0,12}", time in "[0-9:.apm ]{0,8}") {
        let raw = RawBloodPressure { systolic: &systolic, diastolic: &diastolic, pulse: &pulse, date: &date, time: &time };
        if let Err(errors) = read_form(raw, NOW, BORN) {
            prop_assert!(!errors.is_empty());
        }
    }
}
