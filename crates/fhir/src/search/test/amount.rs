//! Numbers and quantities (FHIR R4 §3.1.1.5.4 and §3.1.1.5.9).

use super::Prefix;
use crate::search::decimal::{Decimal, Written};
use crate::search::ucum::{SYSTEM, Unit};
use crate::search::value::Amount;

/// A number to compare with, perhaps of a unit.
#[derive(Clone)]
pub(in crate::search) struct AmountTest {
    prefix: Prefix,
    number: Written,
    system: Option<String>,
    code: Option<String>,
    /// The unit, where it is one that others can be converted to.
    unit: Option<Unit>,
}

impl std::fmt::Debug for AmountTest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AmountTest({:?})", self.prefix)
    }
}

impl AmountTest {
    pub(in crate::search) fn new(
        prefix: Prefix,
        number: Written,
        system: Option<String>,
        code: Option<String>,
    ) -> Self {
        let may_convert = system.as_deref().is_none_or(|system| system == SYSTEM);
        let unit = code.as_deref().filter(|_| may_convert).and_then(Unit::parse);
        Self { prefix, number, system, code, unit }
    }

    pub(super) fn accepts(&self, amount: &Amount) -> bool {
        self.scales(amount).is_some_and(|(ours, theirs)| self.compare(amount, ours, theirs).unwrap_or(false))
    }

    /// What to multiply both sides with before comparing them; `None` if the units do not fit.
    fn scales(&self, amount: &Amount) -> Option<(Decimal, Decimal)> {
        let same = (Decimal::whole(1), Decimal::whole(1));
        let Some(code) = &self.code else {
            let fits = self.system.is_none() || self.system.as_deref() == amount.system.as_deref();
            return fits.then_some(same);
        };
        let is_code = |it: &Option<Box<str>>| it.as_deref() == Some(code);
        let alike = match &self.system {
            Some(system) => amount.system.as_deref() == Some(system) && is_code(&amount.code),
            None => is_code(&amount.code) || is_code(&amount.unit),
        };
        if alike {
            return Some(same);
        }
        if amount.system.as_deref() != Some(SYSTEM) {
            return None;
        }
        let (ours, theirs) = (self.unit?, Unit::parse(amount.code.as_deref()?)?);
        ours.fits(&theirs).then(|| ours.scales(&theirs)).flatten()
    }

    /// Compares; `None` if the numbers have too many digits for it. With `eq` and `ne` the number asked for is as precise as
    /// it was written; with the others it is exact (§3.1.1.5.4).
    fn compare(&self, amount: &Amount, ours: Decimal, theirs: Decimal) -> Option<bool> {
        let scaled = |end: Option<Decimal>| end.map(|it| it.times(theirs).ok_or(())).transpose().ok();
        let (low, high) = (scaled(amount.low)?, scaled(amount.high)?);
        let (low_open, high_open) = amount.without_ends;
        let asked = self.number.value.times(ours)?;
        let above = |than: Decimal| high.is_none_or(|high| high > than);
        let below = |than: Decimal| low.is_none_or(|low| low < than);
        let reaches = |than: Decimal| above(than) || high == Some(than) && !high_open;
        let begins = |than: Decimal| below(than) || low == Some(than) && !low_open;
        Some(match self.prefix {
            Prefix::Equal | Prefix::NotEqual => {
                let (from, until) = (self.number.low.times(ours)?, self.number.high.times(ours)?);
                let within = low.is_some_and(|low| low >= from)
                    && high.is_some_and(|high| high < until || high == until && high_open);
                within == (self.prefix == Prefix::Equal)
            }
            Prefix::Greater => above(asked),
            Prefix::Less => below(asked),
            Prefix::GreaterOrEqual => reaches(asked),
            Prefix::LessOrEqual => begins(asked),
            Prefix::StartsAfter => low.is_some_and(|low| low > asked || low == asked && low_open),
            Prefix::EndsBefore => high.is_some_and(|high| high < asked || high == asked && high_open),
            Prefix::About => {
                let (from, until) = self.number.value.about();
                reaches(from.times(ours)?) && begins(until.times(ours)?)
            }
        })
    }
}
