//! Dates, dates with a time, and times of day: as much of each as was said, and no more.

mod arithmetic;
mod boundary;
mod compare;

use std::fmt;

pub use arithmetic::Calendar;
pub(super) use compare::Comparison;

/// Which of the three System types a value is (FHIRPath N1 §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TemporalKind {
    /// `@2026-11-23`
    Date,
    /// `@2026-11-23T09:30`
    DateTime,
    /// `@T09:30`
    Time,
}

/// How much was said. Seconds and fractions of a second count as one step, as FHIRPath has it (N1 §6.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Precision {
    /// A year alone.
    Year,
    /// A year and a month.
    Month,
    /// A whole date.
    Day,
    /// An hour.
    Hour,
    /// An hour and a minute.
    Minute,
    /// A second, perhaps with a fraction.
    Second,
}

/// A date, a date with a time, or a time of day.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Temporal {
    pub(super) kind: TemporalKind,
    pub(super) precision: Precision,
    pub(super) year: u16,
    pub(super) month: u8,
    pub(super) day: u8,
    pub(super) hour: u8,
    pub(super) minute: u8,
    pub(super) second: u8,
    pub(super) nanos: u32,
    /// How many digits the fraction of the second was written with.
    pub(super) digits: u8,
    /// Minutes east of UTC.
    pub(super) offset: Option<i16>,
    /// Whether UTC was written `Z`.
    pub(super) zulu: bool,
}

impl Temporal {
    const BLANK: Self = Self {
        kind: TemporalKind::Date,
        precision: Precision::Year,
        year: 1,
        month: 1,
        day: 1,
        hour: 0,
        minute: 0,
        second: 0,
        nanos: 0,
        digits: 0,
        offset: None,
        zulu: true,
    };

    /// Which System type it is.
    #[must_use]
    pub const fn kind(&self) -> TemporalKind {
        self.kind
    }

    /// How much was said.
    #[must_use]
    pub const fn precision(&self) -> Precision {
        self.precision
    }

    /// Minutes east of UTC, where that was said.
    #[must_use]
    pub const fn offset(&self) -> Option<i16> {
        self.offset
    }

    /// Reads `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    #[must_use]
    pub fn date(text: &str) -> Option<Self> {
        Self::read_date(&mut Reader(text.as_bytes())).filter(|(_, rest)| rest.is_empty()).map(|(date, _)| date)
    }

    /// Reads a date, perhaps with `T` and a time down to any step and a zone. A trailing `T` alone is allowed, as in the
    /// literal `@2015T`.
    #[must_use]
    pub fn date_time(text: &str) -> Option<Self> {
        let (date, rest) = Self::read_date(&mut Reader(text.as_bytes()))?;
        let date = Self { kind: TemporalKind::DateTime, ..date };
        match rest {
            b"" | b"T" => Some(date),
            [b'T', time @ ..] if date.precision == Precision::Day => {
                let mut reader = Reader(time);
                let mut whole = Self { kind: TemporalKind::DateTime, ..Self::read_time(&mut reader, date)? };
                whole.zulu = reader.0 == b"Z";
                whole.offset = reader.offset()?;
                reader.0.is_empty().then_some(whole)
            }
            _ => None,
        }
    }

    /// Reads `hh`, `hh:mm`, `hh:mm:ss` or `hh:mm:ss.f…`.
    #[must_use]
    pub fn time(text: &str) -> Option<Self> {
        let mut reader = Reader(text.as_bytes());
        let time = Self::read_time(&mut reader, Self { kind: TemporalKind::Time, ..Self::BLANK })?;
        reader.0.is_empty().then_some(time)
    }

    fn read_date<'t>(reader: &mut Reader<'t>) -> Option<(Self, &'t [u8])> {
        let mut date = Self { year: reader.digits(4).filter(|&year| year > 0)?, ..Self::BLANK };
        if reader.skip(b'-') {
            date.month = small(reader.digits(2).filter(|month| (1..=12).contains(month))?)?;
            date.precision = Precision::Month;
            if reader.skip(b'-') {
                date.day = small(reader.digits(2)?).filter(|day| (1..=days_in(date.year, date.month)).contains(day))?;
                date.precision = Precision::Day;
            }
        }
        Some((date, reader.0))
    }

    fn read_time(reader: &mut Reader<'_>, mut whole: Self) -> Option<Self> {
        whole.hour = small(reader.digits(2).filter(|&hour| hour < 24)?)?;
        whole.precision = Precision::Hour;
        if !reader.skip(b':') {
            return Some(whole);
        }
        whole.minute = small(reader.digits(2).filter(|&minute| minute < 60)?)?;
        whole.precision = Precision::Minute;
        if !reader.skip(b':') {
            return Some(whole);
        }
        // A leap second may be said (R4 §2.24.0.1, `instant`).
        whole.second = small(reader.digits(2).filter(|&second| second <= 60)?)?;
        whole.precision = Precision::Second;
        if reader.skip(b'.') {
            (whole.nanos, whole.digits) = reader.fraction()?;
        }
        Some(whole)
    }

    /// The date alone, where it is said.
    #[must_use]
    pub fn to_date(&self) -> Option<Self> {
        if self.kind == TemporalKind::Time {
            return None;
        }
        let precision = self.precision.min(Precision::Day);
        let Self { year, month, day, .. } = *self;
        Some(Self { precision, year, month, day, ..Self::BLANK })
    }

    /// As a date with a time; its time stays unsaid.
    #[must_use]
    pub fn to_date_time(&self) -> Option<Self> {
        (self.kind != TemporalKind::Time).then_some(Self { kind: TemporalKind::DateTime, ..*self })
    }

    /// The time of day, where it is said.
    #[must_use]
    pub fn to_time(&self) -> Option<Self> {
        let Self { precision, hour, minute, second, nanos, digits, .. } = *self;
        let kind = TemporalKind::Time;
        (precision >= Precision::Hour).then_some(Self {
            kind,
            precision,
            hour,
            minute,
            second,
            nanos,
            digits,
            ..Self::BLANK
        })
    }

    /// That moment on a clock that runs `offset` minutes east of UTC, to the millisecond; `None` outside the years 1 to
    /// 9999.
    #[must_use]
    pub fn at(moment: keepwell_model::Timestamp, offset: i16) -> Option<Self> {
        let micros = moment.micros().checked_add(i64::from(offset) * 60_000_000)?;
        let blank = Self { kind: TemporalKind::DateTime, digits: 3, offset: Some(offset), ..Self::BLANK };
        let blank = Self { precision: Precision::Second, ..blank };
        let whole = blank.with_nanos_of_day(i128::from(micros).rem_euclid(86_400_000_000) / 1_000 * 1_000_000);
        whole.with_day_number(micros.div_euclid(86_400_000_000))
    }

    /// The part of that name, where it is said.
    pub(super) fn part(&self, part: Precision) -> Option<u16> {
        let of_date = self.kind != TemporalKind::Time || part >= Precision::Hour;
        (self.precision >= part && of_date).then_some(match part {
            Precision::Year => self.year,
            Precision::Month => self.month.into(),
            Precision::Day => self.day.into(),
            Precision::Hour => self.hour.into(),
            Precision::Minute => self.minute.into(),
            Precision::Second => self.second.into(),
        })
    }
}

impl fmt::Display for Temporal {
    /// As FHIR writes it, with as much as was said, and no marker before it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind != TemporalKind::Time {
            write!(f, "{:04}", self.year)?;
            if self.precision >= Precision::Month {
                write!(f, "-{:02}", self.month)?;
            }
            if self.precision >= Precision::Day {
                write!(f, "-{:02}", self.day)?;
            }
            if self.precision >= Precision::Hour {
                f.write_str("T")?;
            }
        }
        if self.precision >= Precision::Hour {
            write!(f, "{:02}", self.hour)?;
        }
        if self.precision >= Precision::Minute {
            write!(f, ":{:02}", self.minute)?;
        }
        if self.precision >= Precision::Second {
            write!(f, ":{:02}", self.second)?;
            if self.digits > 0 {
                let fraction = format!("{:09}", self.nanos);
                write!(f, ".{}", fraction.get(..usize::from(self.digits)).unwrap_or(&fraction))?;
            }
        }
        match self.offset {
            None => Ok(()),
            Some(0) if self.zulu => f.write_str("Z"),
            Some(east) => {
                let sign = if east < 0 { '-' } else { '+' };
                write!(f, "{sign}{:02}:{:02}", east.unsigned_abs() / 60, east.unsigned_abs() % 60)
            }
        }
    }
}

impl fmt::Debug for Temporal {
    /// Never the value: a birth date is personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Temporal({:?}, {:?})", self.kind, self.precision)
    }
}

/// What is left to read.
struct Reader<'t>(&'t [u8]);

impl Reader<'_> {
    fn digits(&mut self, count: usize) -> Option<u16> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        let number = digits
            .iter()
            .try_fold(0u16, |number, digit| digit.is_ascii_digit().then(|| number * 10 + u16::from(digit - b'0')))?;
        self.0 = rest;
        Some(number)
    }

    fn skip(&mut self, byte: u8) -> bool {
        let found = self.0.first() == Some(&byte);
        if found {
            self.0 = &self.0[1..];
        }
        found
    }

    /// A fraction of a second: nanoseconds, and how many digits there were (nine at most).
    fn fraction(&mut self) -> Option<(u32, u8)> {
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        let padded = digits.iter().copied().chain(std::iter::repeat(b'0')).take(9);
        let nanos = padded.fold(0, |nanos, digit| nanos * 10 + u32::from(digit - b'0'));
        (count > 0).then_some((nanos, u8::try_from(count.min(9)).ok()?))
    }

    /// A zone, or nothing; `None` for what is neither.
    fn offset(&mut self) -> Option<Option<i16>> {
        let sign = match self.0.first() {
            None => return Some(None),
            Some(b'Z') => {
                self.0 = &self.0[1..];
                return Some(Some(0));
            }
            Some(b'+') => 1,
            Some(b'-') => -1,
            Some(_) => return None,
        };
        self.0 = &self.0[1..];
        let hours = self.digits(2).filter(|&hours| hours <= 14)?;
        let minutes = self.skip(b':').then(|| self.digits(2)).flatten().filter(|&minutes| minutes < 60)?;
        Some(Some(sign * i16::try_from(hours * 60 + minutes).ok()?))
    }
}

fn small(number: u16) -> Option<u8> {
    u8::try_from(number).ok()
}

fn days_in(year: u16, month: u8) -> u8 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 => 28 + u8::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests;
