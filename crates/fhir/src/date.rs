//! FHIR dates and times: as much as was said, and no more.

use std::fmt;

use keepwell_model::Timestamp;

/// A FHIR `date`, `dateTime` or `instant`. A part that was not said is `None`; each part that is there has the ones above
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Moment {
    /// The year, 1 to 9999.
    pub year: u16,
    /// The month, 1 to 12.
    pub month: Option<u8>,
    /// The day, 1 to 31 as the month allows.
    pub day: Option<u8>,
    /// The time of day.
    pub time: Option<TimeOfDay>,
    /// Minutes east of UTC.
    pub offset: Option<i16>,
}

/// A time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeOfDay {
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 60: a leap second may be said.
    pub second: u8,
    /// Millionths of a second; what was said beyond them is not kept here.
    pub micros: u32,
}

impl Moment {
    /// Reads `YYYY`, `YYYY-MM`, `YYYY-MM-DD` or `YYYY-MM-DDThh:mm[:ss[.f…]][Z|±hh:mm]`. FHIR wants seconds and a zone with
    /// every time; feeds leave them out, so here they may be missing.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let mut moment = Self { year: 0, month: None, day: None, time: None, offset: None };
        moment.year = two(bytes, 0)? * 100 + two(bytes, 2)?;
        if moment.year == 0 {
            return None;
        }
        if bytes.len() == 4 {
            return Some(moment);
        }
        let month = after(bytes, 4, b'-').filter(|month| (1..=12).contains(month))?;
        moment.month = u8::try_from(month).ok();
        if bytes.len() == 7 {
            return Some(moment);
        }
        let day = after(bytes, 7, b'-').filter(|day| (1..=days_in(moment.year, month)).contains(day))?;
        moment.day = u8::try_from(day).ok();
        match bytes.get(10) {
            None => Some(moment),
            Some(b'T') => {
                (moment.time, moment.offset) = read_time(bytes.get(11..)?)?;
                Some(moment)
            }
            Some(_) => None,
        }
    }

    /// The first moment it may mean. A time without a zone counts as UTC; only its place in an order depends on that.
    #[must_use]
    pub fn earliest(&self) -> Timestamp {
        let days = day_number(self.year, self.month.unwrap_or(1), self.day.unwrap_or(1));
        let time = self.time.unwrap_or(TimeOfDay { hour: 0, minute: 0, second: 0, micros: 0 });
        let minutes = i64::from(time.hour) * 60 + i64::from(time.minute) - i64::from(self.offset.unwrap_or(0));
        let seconds = days * 86_400 + minutes * 60 + i64::from(time.second);
        Timestamp::from_micros(seconds * 1_000_000 + i64::from(time.micros))
    }

    /// The date part as `YYYY-MM-DD`, where all of it was said.
    #[must_use]
    pub fn whole_date(&self) -> Option<String> {
        Some(format!("{:04}-{:02}-{:02}", self.year, self.month?, self.day?))
    }
}

impl fmt::Display for Moment {
    /// As FHIR writes it, with as much as was said.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.year)?;
        if let Some(month) = self.month {
            write!(f, "-{month:02}")?;
        }
        if let Some(day) = self.day {
            write!(f, "-{day:02}")?;
        }
        if let Some(time) = self.time {
            write!(f, "T{:02}:{:02}:{:02}", time.hour, time.minute, time.second)?;
            match time.micros {
                0 => {}
                micros if micros % 1_000 == 0 => write!(f, ".{:03}", micros / 1_000)?,
                micros => write!(f, ".{micros:06}")?,
            }
        }
        match self.offset {
            None => Ok(()),
            Some(0) => f.write_str("Z"),
            Some(east) => {
                let sign = if east < 0 { '-' } else { '+' };
                write!(f, "{sign}{:02}:{:02}", east.unsigned_abs() / 60, east.unsigned_abs() % 60)
            }
        }
    }
}

/// The two digits at a place.
fn two(bytes: &[u8], at: usize) -> Option<u16> {
    let digit = |at: usize| bytes.get(at).filter(|byte| byte.is_ascii_digit()).map(|byte| u16::from(byte - b'0'));
    Some(digit(at)? * 10 + digit(at + 1)?)
}

/// The two digits behind a mark at a place.
fn after(bytes: &[u8], at: usize, mark: u8) -> Option<u16> {
    if bytes.get(at) == Some(&mark) { two(bytes, at + 1) } else { None }
}

fn read_time(bytes: &[u8]) -> Option<(Option<TimeOfDay>, Option<i16>)> {
    let small = |n: Option<u16>, most: u16| n.filter(|&n| n <= most).and_then(|n| u8::try_from(n).ok());
    let (hour, minute) = (small(two(bytes, 0), 23)?, small(after(bytes, 2, b':'), 59)?);
    let mut time = TimeOfDay { hour, minute, second: 0, micros: 0 };
    let mut at = 5;
    if bytes.get(at) == Some(&b':') {
        time.second = small(after(bytes, at, b':'), 60)?;
        at += 3;
        if bytes.get(at) == Some(&b'.') {
            let digits = bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            time.micros = micros(bytes.get(at + 1..at + 1 + digits).filter(|digits| !digits.is_empty())?);
            at += 1 + digits;
        }
    }
    let zone = bytes.get(at..)?;
    let offset = match zone {
        [] => None,
        b"Z" => Some(0),
        [sign @ (b'+' | b'-'), rest @ ..] if rest.len() == 5 => {
            let hours = two(rest, 0).filter(|&hours| hours <= 14)?;
            let minutes = i16::try_from(hours * 60 + after(rest, 2, b':').filter(|&minutes| minutes <= 59)?).ok()?;
            Some(if *sign == b'-' { -minutes } else { minutes })
        }
        _ => return None,
    };
    Some((Some(time), offset))
}

/// A fraction of a second in millionths.
fn micros(fraction: &[u8]) -> u32 {
    let padded = fraction.iter().copied().chain(std::iter::repeat(b'0')).take(6);
    padded.fold(0, |n, digit| n * 10 + u32::from(digit - b'0'))
}

fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in(year: u16, month: u16) -> u16 {
    match month {
        2 => 28 + u16::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01, counted by 400-year eras that start on 1 March.
fn day_number(year: u16, month: u8, day: u8) -> i64 {
    let (year, month) = (i64::from(year) - i64::from(month <= 2), i64::from(month));
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn as_much_as_was_said_is_read_and_written() {
        for (text, earliest) in [
            ("2026", "2026-01-01T00:00:00.000Z"),
            ("2026-11", "2026-11-01T00:00:00.000Z"),
            ("2024-02-29", "2024-02-29T00:00:00.000Z"),
            ("2026-11-23T09:30:00Z", "2026-11-23T09:30:00.000Z"),
            ("2026-11-23T09:30:00.250+01:00", "2026-11-23T08:30:00.250Z"),
            ("2016-12-31T23:59:60-05:30", "2017-01-01T05:30:00.000Z"),
            ("2026-11-23T09:30:00", "2026-11-23T09:30:00.000Z"),
            ("0001-01-01", "0001-01-01T00:00:00.000Z"),
        ] {
            let moment = Moment::parse(text).unwrap();
            assert_eq!(moment.to_string(), text);
            assert_eq!(moment.earliest().to_string(), earliest, "{text}");
        }
        assert_eq!(Moment::parse("2026-11-23T09:30Z").unwrap().to_string(), "2026-11-23T09:30:00Z");
        assert_eq!(Moment::parse("2026-11-23T09:30:00.1234567Z").unwrap().time.unwrap().micros, 123_456);
        assert_eq!(Moment::parse("2026-11").unwrap().whole_date(), None);
        assert_eq!(Moment::parse("2026-11-23T00:00Z").unwrap().whole_date().unwrap(), "2026-11-23");
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "26",
            "0000",
            "2026-13",
            "2026-00",
            "2026-02-29",
            "2100-02-29",
            "2026-1-1",
            "2026-11-23T",
            "2026-11T10:00Z",
            "2026-11-23T24:00:00Z",
            "2026-11-23T10:60:00Z",
            "2026-11-23T10Z",
            "2026-11-23T10:00:00+1:00",
            "2026-11-23 10:00",
            "2026-11-23T10:00:00.Z",
            "2026-11-23-01",
            "+026-11-23",
            "2026-11-23T10:00:00+15:00",
            "２０２６",
        ] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_moment_reads_back(micros in -62_135_596_800_000_000i64..253_402_300_799_000_000) {
            let text = Timestamp::from_micros(micros).to_string();
            let moment = Moment::parse(&text).unwrap();
            prop_assert_eq!(moment.earliest().micros(), micros.div_euclid(1_000) * 1_000);
        }

        #[test]
        fn no_text_panics(text in "[0-9TZ:.+-]{0,40}|.*") {
            let _ = Moment::parse(&text);
        }
    }
}
