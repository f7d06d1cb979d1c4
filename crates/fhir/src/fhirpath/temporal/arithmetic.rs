//! Adding and taking away durations (FHIRPath N1 §6.6.3).

use super::{Precision, Temporal, TemporalKind, days_in, small};
use crate::decimal::Decimal;

const NANOS_OF_SECOND: i128 = 1_000_000_000;
const NANOS_OF_DAY: i128 = 86_400 * NANOS_OF_SECOND;

/// A calendar duration's unit (N1 §2.5.3, time-valued quantities).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Calendar {
    /// A thousandth of a second.
    Millisecond,
    /// A second.
    Second,
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// Seven days.
    Week,
    /// A month of the calendar.
    Month,
    /// A year of the calendar.
    Year,
}

impl Calendar {
    /// Every unit, the shortest first.
    pub const ALL: [Self; 8] =
        [Self::Millisecond, Self::Second, Self::Minute, Self::Hour, Self::Day, Self::Week, Self::Month, Self::Year];

    /// The unit that the keyword names, singular or plural.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        let singular = word.strip_suffix('s').unwrap_or(word);
        Self::ALL.into_iter().find(|unit| unit.word() == singular)
    }

    /// Its keyword, singular.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Millisecond => "millisecond",
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// The UCUM code that comes nearest: the same duration up to weeks, a mean one above.
    #[must_use]
    pub const fn ucum(self) -> &'static str {
        match self {
            Self::Millisecond => "ms",
            Self::Second => "s",
            Self::Minute => "min",
            Self::Hour => "h",
            Self::Day => "d",
            Self::Week => "wk",
            Self::Month => "mo",
            Self::Year => "a",
        }
    }

    /// The unit that a UCUM code comes nearest to.
    #[must_use]
    pub fn of_ucum(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|unit| unit.ucum() == code)
    }

    /// How long it is, in nanoseconds; a month counts as 30 days and a year as 365 (N1 §5.5.7).
    pub(in crate::fhirpath) const fn nanos(self) -> i128 {
        match self {
            Self::Millisecond => 1_000_000,
            Self::Second => NANOS_OF_SECOND,
            Self::Minute => 60 * NANOS_OF_SECOND,
            Self::Hour => 3_600 * NANOS_OF_SECOND,
            Self::Day => NANOS_OF_DAY,
            Self::Week => 7 * NANOS_OF_DAY,
            Self::Month => 30 * NANOS_OF_DAY,
            Self::Year => 365 * NANOS_OF_DAY,
        }
    }
}

impl Temporal {
    /// The moment that much later, or earlier for a negative amount. A part of a unit counts for seconds and what is
    /// finer; above, the calendar knows whole units only. What is finer than the moment was said is turned into its steps
    /// first. `None` outside the years 1 to 9999.
    #[must_use]
    pub fn plus(&self, amount: Decimal, unit: Calendar) -> Option<Self> {
        if self.kind == TemporalKind::Time {
            return self.turned(amount, unit);
        }
        match unit {
            Calendar::Year => self.plus_months(amount.cut(0)?.units().checked_mul(12)?),
            Calendar::Month if self.precision == Precision::Year => self.plus_months(amount.cut(0)?.units() / 12 * 12),
            Calendar::Month => self.plus_months(amount.cut(0)?.units()),
            _ => {
                let nanos = nanos(amount, unit)?;
                match self.precision {
                    Precision::Year => self.plus_months(nanos / Calendar::Year.nanos() * 12),
                    Precision::Month => self.plus_months(nanos / Calendar::Month.nanos()),
                    Precision::Day => self.moved(nanos / NANOS_OF_DAY * NANOS_OF_DAY),
                    Precision::Hour => self.moved(whole(nanos, Calendar::Hour)),
                    Precision::Minute => self.moved(whole(nanos, Calendar::Minute)),
                    Precision::Second => self.moved(nanos).map(Self::showing_fraction),
                }
            }
        }
    }

    /// A time of day goes round the clock.
    fn turned(&self, amount: Decimal, unit: Calendar) -> Option<Self> {
        if unit >= Calendar::Day {
            return None;
        }
        let nanos = nanos(amount, unit)?;
        let nanos = match self.precision {
            Precision::Second => nanos,
            Precision::Minute => whole(nanos, Calendar::Minute),
            _ => whole(nanos, Calendar::Hour),
        };
        let turned = (self.nanos_of_day() + nanos % NANOS_OF_DAY).rem_euclid(NANOS_OF_DAY);
        Some(self.with_nanos_of_day(turned).showing_fraction())
    }

    /// A fraction that came to be is shown to the millisecond, or finer if it must.
    fn showing_fraction(self) -> Self {
        let needed = match self.nanos {
            0 => 0,
            nanos if nanos.is_multiple_of(1_000_000) => 3,
            nanos if nanos.is_multiple_of(1_000) => 6,
            _ => 9,
        };
        Self { digits: self.digits.max(needed), ..self }
    }

    /// A month later, the day moves back to the last of its month where it must.
    fn plus_months(&self, months: i128) -> Option<Self> {
        let all = (i128::from(self.year) * 12 + i128::from(self.month) - 1).checked_add(months)?;
        let year = u16::try_from(all.div_euclid(12)).ok().filter(|year| (1..=9999).contains(year))?;
        let month = u8::try_from(all.rem_euclid(12) + 1).ok()?;
        Some(Self { year, month, day: self.day.min(days_in(year, month)), ..*self })
    }

    /// The moment that many nanoseconds later.
    pub(super) fn moved(self, nanos: i128) -> Option<Self> {
        let all = self.nanos_of_day().checked_add(nanos)?;
        let days = i64::try_from(all.div_euclid(NANOS_OF_DAY)).ok()?;
        let moved = self.with_nanos_of_day(all.rem_euclid(NANOS_OF_DAY));
        moved.with_day_number(self.day_number().checked_add(days)?)
    }

    fn nanos_of_day(&self) -> i128 {
        let minutes = i128::from(self.hour) * 60 + i128::from(self.minute);
        (minutes * 60 + i128::from(self.second)) * NANOS_OF_SECOND + i128::from(self.nanos)
    }

    /// With the time of day that many nanoseconds after midnight.
    pub(super) fn with_nanos_of_day(self, nanos: i128) -> Self {
        let part = |by: i128, most: i128| u8::try_from(nanos / by % most).unwrap_or(0);
        Self {
            hour: part(3_600 * NANOS_OF_SECOND, 24),
            minute: part(60 * NANOS_OF_SECOND, 60),
            second: part(NANOS_OF_SECOND, 60),
            nanos: u32::try_from(nanos % NANOS_OF_SECOND).unwrap_or(0),
            ..self
        }
    }

    pub(super) fn nanos_since_epoch(&self) -> i128 {
        i128::from(self.day_number()) * NANOS_OF_DAY + self.nanos_of_day()
    }

    /// Days since 1970-01-01, counted by 400-year eras that start on 1 March.
    fn day_number(&self) -> i64 {
        let (year, month) = (i64::from(self.year) - i64::from(self.month <= 2), i64::from(self.month));
        let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + i64::from(self.day) - 1;
        era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
    }

    /// With the date of that day; `None` outside the years 1 to 9999.
    pub(super) fn with_day_number(self, days: i64) -> Option<Self> {
        let days = days.checked_add(719_468)?;
        let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = u16::try_from(year_of_era + era * 400 + i64::from(month <= 2)).ok();
        let year = year.filter(|year| (1..=9999).contains(year))?;
        let small = |number: i64| u16::try_from(number).ok().and_then(small);
        Some(Self { year, month: small(month)?, day: small(day)?, ..self })
    }
}

/// How long an amount of a unit is, in nanoseconds.
fn nanos(amount: Decimal, unit: Calendar) -> Option<i128> {
    let amount = if unit > Calendar::Second { amount.cut(0)? } else { amount };
    Some(amount.times(Decimal::new(unit.nanos(), 0)?)?.cut(0)?.units())
}

/// Nanoseconds cut to whole units.
fn whole(nanos: i128, unit: Calendar) -> i128 {
    nanos / unit.nanos() * unit.nanos()
}
