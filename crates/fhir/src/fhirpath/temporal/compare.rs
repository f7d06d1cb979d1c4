//! Which of two comes first, step by step, as far as both were said (FHIRPath N1 §6.1.1, §6.2).

use std::cmp::Ordering;

use super::{Precision, Temporal, TemporalKind};

/// The farthest zones east and west, in minutes: a time without a zone may be anywhere between them.
const EAST: i128 = 14 * 60;
const WEST: i128 = -12 * 60;
const NANOS_OF_MINUTE: i128 = 60_000_000_000;

/// What a comparison of two moments says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::fhirpath) enum Comparison {
    /// One of them is a time of day and the other is not.
    OtherType,
    /// Too little was said to tell.
    Unknown,
    /// It is known.
    Known(Ordering),
}

impl Temporal {
    /// Compares two moments.
    pub(in crate::fhirpath) fn compare(&self, other: &Self) -> Comparison {
        if (self.kind == TemporalKind::Time) != (other.kind == TemporalKind::Time) {
            return Comparison::OtherType;
        }
        let timed = self.precision >= Precision::Hour && other.precision >= Precision::Hour;
        match (self.offset, other.offset) {
            (Some(_), Some(_)) => self.to_utc().steps(&other.to_utc()),
            (Some(_), None) if timed => self.to_utc().against_zoneless(other),
            (None, Some(_)) if timed => match other.to_utc().against_zoneless(self) {
                Comparison::Known(ordering) => Comparison::Known(ordering.reverse()),
                unknown => unknown,
            },
            _ => self.steps(other),
        }
    }

    /// The same moment told in UTC, with as much said.
    pub(super) fn to_utc(self) -> Self {
        let Some(offset) = self.offset.filter(|&offset| offset != 0 && self.precision >= Precision::Hour) else {
            return self;
        };
        self.moved(-i128::from(offset) * NANOS_OF_MINUTE).map_or(self, |moved| Self { offset: Some(0), ..moved })
    }

    fn steps(&self, other: &Self) -> Comparison {
        const STEPS: [Precision; 5] =
            [Precision::Year, Precision::Month, Precision::Day, Precision::Hour, Precision::Minute];
        let from = if self.kind == TemporalKind::Time { 3 } else { 0 };
        for step in &STEPS[from..] {
            match (self.part(*step), other.part(*step)) {
                (Some(ours), Some(theirs)) if ours != theirs => return Comparison::Known(ours.cmp(&theirs)),
                (Some(_), Some(_)) => {}
                (None, None) => return Comparison::Known(Ordering::Equal),
                _ => return Comparison::Unknown,
            }
        }
        match (self.part(Precision::Second), other.part(Precision::Second)) {
            (Some(_), Some(_)) => Comparison::Known((self.second, self.nanos).cmp(&(other.second, other.nanos))),
            (None, None) => Comparison::Known(Ordering::Equal),
            _ => Comparison::Unknown,
        }
    }

    /// Compares a moment in UTC with one whose zone is not known: only what holds in every zone is known.
    fn against_zoneless(&self, other: &Self) -> Comparison {
        let (ours, theirs) = (self.nanos_since_epoch(), other.nanos_since_epoch());
        // What was not said may be anything up to the next step.
        let slack = |it: &Self| match it.precision {
            Precision::Second => 0,
            Precision::Minute => NANOS_OF_MINUTE,
            _ => 60 * NANOS_OF_MINUTE,
        };
        if ours + slack(self) < theirs - EAST * NANOS_OF_MINUTE {
            Comparison::Known(Ordering::Less)
        } else if ours > theirs + slack(other) - WEST * NANOS_OF_MINUTE {
            Comparison::Known(Ordering::Greater)
        } else {
            Comparison::Unknown
        }
    }

    /// Whether two moments are equivalent (N1 §6.1.3): what is unknown counts as different.
    pub(in crate::fhirpath) fn equivalent(&self, other: &Self) -> bool {
        self.compare(other) == Comparison::Known(Ordering::Equal)
    }

    /// What two moments have in common that are known to be equal.
    pub(in crate::fhirpath) fn equality_key(&self) -> impl std::hash::Hash + use<> {
        let Self { kind, precision, year, month, day, hour, minute, second, nanos, .. } = self.to_utc();
        (kind == TemporalKind::Time, precision, (year, month, day), (hour, minute, second, nanos))
    }
}
