//! The first and last moment that a value may mean, and how much of it was said.

use super::{Precision, Temporal, TemporalKind, days_in};

impl Temporal {
    /// How many digits were said: a year has 4, a whole date 8, milliseconds 17 (9 for a time of day).
    #[must_use]
    pub fn digits_said(&self) -> u8 {
        let of_date = match self.precision {
            Precision::Year => 4,
            Precision::Month => 6,
            Precision::Day => 8,
            Precision::Hour => 10,
            Precision::Minute => 12,
            Precision::Second => 14 + self.digits,
        };
        if self.kind == TemporalKind::Time { of_date - 8 } else { of_date }
    }

    /// The earliest (or latest) moment it may mean, said to that many digits; `None` if no value is said so. Without a
    /// number of digits, all that the type can say.
    #[must_use]
    pub fn boundary(&self, latest: bool, digits: Option<i32>) -> Option<Self> {
        let (full, shift) = match self.kind {
            TemporalKind::Date => (8, 0),
            TemporalKind::DateTime => (17, 0),
            TemporalKind::Time => (9, 8),
        };
        let digits = digits.unwrap_or(full);
        let wanted = match digits + shift {
            _ if digits > full => return None,
            4 => Precision::Year,
            6 => Precision::Month,
            8 => Precision::Day,
            10 => Precision::Hour,
            12 => Precision::Minute,
            14 | 17 => Precision::Second,
            _ => return None,
        };
        if self.kind == TemporalKind::Time && wanted < Precision::Hour {
            return None;
        }
        let mut whole = self.filled(latest);
        whole.precision = wanted;
        whole.digits = 0;
        if digits + shift == 17 {
            whole.digits = 3;
            whole.nanos = whole.nanos / 1_000_000 * 1_000_000;
        } else {
            whole.nanos = 0;
        }
        if wanted < Precision::Hour {
            whole.offset = None;
        } else if self.kind == TemporalKind::DateTime && whole.offset.is_none() {
            // The zone that makes it earliest lies farthest east.
            whole.offset = Some(if latest { -12 * 60 } else { 14 * 60 });
        }
        Some(whole)
    }

    /// With what was not said set to its least or greatest. FHIR knows no hour without minutes (R4 §2.24.0.1): such an
    /// hour counts as its first minute.
    fn filled(&self, latest: bool) -> Self {
        let mut whole = *self;
        if self.precision < Precision::Month {
            whole.month = if latest { 12 } else { 1 };
        }
        if self.precision < Precision::Day {
            whole.day = if latest { days_in(whole.year, whole.month) } else { 1 };
        }
        if self.precision < Precision::Hour {
            whole.hour = if latest { 23 } else { 0 };
            whole.minute = if latest { 59 } else { 0 };
        }
        if self.precision < Precision::Second {
            whole.second = if latest { 59 } else { 0 };
        }
        if latest && self.digits < 9 {
            let step = 10_u32.pow(u32::from(9 - self.digits));
            whole.nanos = self.nanos / step * step + (step - 1);
        }
        whole
    }
}
