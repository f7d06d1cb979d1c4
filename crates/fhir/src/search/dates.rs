//! Dates as the stretch of time they may mean.
//!
//! FHIR R4 §3.1.1.5.5: every date, however precise, and every Period is an interval, and prefixes compare intervals.

use crate::date::Moment;

/// A stretch of time in microseconds since 1970: `from` included, `until` not. An open end is the farthest number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Interval {
    /// The first microsecond.
    pub(super) from: i64,
    /// The microsecond after the last.
    pub(super) until: i64,
}

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const DAY: i64 = 24 * 60 * MINUTE;

impl Interval {
    /// One microsecond.
    pub(super) const fn at(micros: i64) -> Self {
        Self { from: micros, until: micros.saturating_add(1) }
    }

    /// What a FHIR date, dateTime or instant may mean: `2026` the whole year, `2026-11-23T09:30Z` the whole minute. A time
    /// or a day without a zone counts as UTC.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let moment = Moment::parse(text)?;
        let from = moment.earliest().micros();
        let until = match (moment.month, moment.day, moment.time) {
            (None, ..) => Moment { year: moment.year + 1, ..moment }.earliest().micros(),
            (Some(12), None, _) => Moment { year: moment.year + 1, month: Some(1), ..moment }.earliest().micros(),
            (Some(month), None, _) => Moment { month: Some(month + 1), ..moment }.earliest().micros(),
            (_, Some(_), None) => from + DAY,
            (_, _, Some(_)) => from + width(text),
        };
        Some(Self { from, until })
    }

    /// From the start of one to the end of the other; an end that is not said is open.
    pub(super) fn between(start: Option<Self>, end: Option<Self>) -> Self {
        let from = start.map_or(i64::MIN, |it| it.from);
        let until = end.map_or(i64::MAX, |it| it.until);
        Self { from, until }
    }

    /// The shortest stretch that holds both.
    pub(super) fn with(self, other: Self) -> Self {
        Self { from: self.from.min(other.from), until: self.until.max(other.until) }
    }

    /// Whether all of `other` lies within.
    pub(super) const fn contains(self, other: Self) -> bool {
        self.from <= other.from && other.until <= self.until
    }

    /// Whether the two share a moment.
    pub(super) const fn overlaps(self, other: Self) -> bool {
        self.from < other.until && other.from < self.until
    }

    /// A tenth of the time between it and now on either side: what FHIR recommends for `ap`.
    pub(super) fn about(self, now: i64) -> Self {
        let away = if now < self.from {
            self.from.saturating_sub(now)
        } else if now > self.until {
            now.saturating_sub(self.until)
        } else {
            0
        };
        Self { from: self.from.saturating_sub(away / 10), until: self.until.saturating_add(away / 10) }
    }

    /// The moment to sort by: the start, or the end where the start is open.
    pub(super) const fn moment(self) -> i64 {
        if self.from == i64::MIN { self.until } else { self.from }
    }
}

/// How long the time that ends a checked text may be: a minute, a second, or a part of a second.
fn width(text: &str) -> i64 {
    // Up to the minute a date and time has sixteen characters, up to the second nineteen.
    let bytes = text.as_bytes();
    if bytes.get(16) != Some(&b':') {
        return MINUTE;
    }
    let Some(fraction) = bytes.get(20..).filter(|_| bytes.get(19) == Some(&b'.')) else { return SECOND };
    let digits = fraction.iter().take(6).take_while(|byte| byte.is_ascii_digit());
    digits.fold(SECOND, |width, _| width / 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use keepwell_model::Timestamp;

    #[test]
    fn a_date_is_as_long_as_what_was_not_said() {
        for (text, from, until) in [
            ("2024", "2024-01-01T00:00:00.000Z", "2025-01-01T00:00:00.000Z"),
            ("9999", "9999-01-01T00:00:00.000Z", "10000-01-01T00:00:00.000Z"),
            ("2024-02", "2024-02-01T00:00:00.000Z", "2024-03-01T00:00:00.000Z"),
            ("2024-12", "2024-12-01T00:00:00.000Z", "2025-01-01T00:00:00.000Z"),
            ("2024-02-29", "2024-02-29T00:00:00.000Z", "2024-03-01T00:00:00.000Z"),
            ("2024-02-29T10:15Z", "2024-02-29T10:15:00.000Z", "2024-02-29T10:16:00.000Z"),
            ("2024-02-29T10:15:30-05:00", "2024-02-29T15:15:30.000Z", "2024-02-29T15:15:31.000Z"),
            ("2024-02-29T10:15:30.5+01:00", "2024-02-29T09:15:30.500Z", "2024-02-29T09:15:30.600Z"),
            ("2024-02-29T10:15:30.123Z", "2024-02-29T10:15:30.123Z", "2024-02-29T10:15:30.124Z"),
        ] {
            let interval = Interval::parse(text).unwrap();
            assert_eq!(Timestamp::from_micros(interval.from).to_string(), from, "{text}");
            assert_eq!(Timestamp::from_micros(interval.until).to_string(), until, "{text}");
        }
        let precise = Interval::parse("2024-02-29T10:15:30.1234567Z").unwrap();
        assert_eq!(precise.until - precise.from, 1);
    }
}
