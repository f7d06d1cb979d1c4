//! London time, with its two odd hours a year (BP-9).

use std::ops::RangeInclusive;

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use keepwell_model::Timestamp;

/// A local date and time that exists, with its offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalTime {
    /// The moment.
    pub at: Timestamp,
    /// As FHIR writes it, `2026-03-29T08:15:00+01:00`.
    pub fhir: String,
    /// The local date, `2026-03-29`.
    pub date: String,
    /// The local time of day, `08:15`.
    pub time: String,
}

/// Why a local time is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LocalTimeError {
    /// The clocks went forward over it.
    #[error("the clocks went forward on that day, so that time did not happen")]
    Skipped,
    /// Too far from now for a calendar.
    #[error("that date is out of range")]
    OutOfRange,
}

fn zone() -> TimeZone {
    TimeZone::get("Europe/London").expect("the time zone database is built in")
}

/// The years 1 to 9999, which is what FHIR can write.
const CALENDAR: RangeInclusive<i64> = -62_135_596_800_000_000..=253_402_207_200_000_000;

/// The local time in London of a moment.
///
/// A moment outside the calendar is shown as the nearest one inside.
#[must_use]
pub fn in_london(at: Timestamp) -> LocalTime {
    let clamped = at.micros().clamp(*CALENDAR.start(), *CALENDAR.end());
    let moment = jiff::Timestamp::from_microsecond(clamped).expect("clamped into range");
    written(&moment.to_zoned_datetime(zone()))
}

/// The moment of a local time in London. In the hour that happens twice in autumn it is the first of the two.
///
/// # Errors
/// [`LocalTimeError::Skipped`] for a time in the hour that spring leaves out.
pub fn london(local: DateTime) -> Result<LocalTime, LocalTimeError> {
    let ambiguous = zone().into_ambiguous_zoned_datetime(local);
    if matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. }) {
        return Err(LocalTimeError::Skipped);
    }
    let zoned = ambiguous.compatible().map_err(|_| LocalTimeError::OutOfRange)?;
    Ok(written(&zoned))
}

fn written(zoned: &jiff::ZonedDateTime) -> LocalTime {
    LocalTime {
        at: Timestamp::from_micros(zoned.timestamp().as_microsecond()),
        fhir: zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        date: zoned.strftime("%Y-%m-%d").to_string(),
        time: zoned.strftime("%H:%M").to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn bp_9_the_hour_that_spring_leaves_out_is_refused() {
        for minute in [0, 30, 59] {
            assert_eq!(london(date(2026, 3, 29).at(1, minute, 0, 0)), Err(LocalTimeError::Skipped));
        }
        assert_eq!(london(date(2026, 3, 29).at(0, 59, 0, 0)).unwrap().fhir, "2026-03-29T00:59:00+00:00");
        assert_eq!(london(date(2026, 3, 29).at(2, 0, 0, 0)).unwrap().fhir, "2026-03-29T02:00:00+01:00");
    }

    #[test]
    fn bp_9_the_hour_that_autumn_repeats_is_the_first_of_the_two() {
        let local = london(date(2026, 10, 25).at(1, 30, 0, 0)).unwrap();
        assert_eq!(local.fhir, "2026-10-25T01:30:00+01:00");
        assert_eq!(in_london(local.at.plus_seconds(3_600)).fhir, "2026-10-25T01:30:00+00:00");
    }

    #[test]
    fn a_summer_evening_belongs_to_its_local_day() {
        let late = in_london("2026-07-01T23:30:00Z".parse::<jiff::Timestamp>().map(micros).unwrap());
        assert_eq!((late.date.as_str(), late.time.as_str()), ("2026-07-02", "00:30"));
    }

    fn micros(at: jiff::Timestamp) -> Timestamp {
        Timestamp::from_micros(at.as_microsecond())
    }

    #[test]
    fn a_moment_beyond_the_calendar_does_not_panic() {
        for micros in [i64::MIN, i64::MAX] {
            assert!(!in_london(Timestamp::from_micros(micros)).fhir.is_empty());
        }
    }
}
