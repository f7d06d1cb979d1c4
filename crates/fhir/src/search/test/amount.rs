//! Numbers and quantities (FHIR R4 §3.1.1.5.4 and §3.1.1.5.9).

use std::cell::RefCell;
use std::collections::HashMap;

use super::{Context, Prefix};
use crate::decimal::Decimal;
use crate::search::value::Amount;
use crate::search::written::Written;
use crate::ucum::Unit;

/// The system of UCUM's codes.
const SYSTEM: &str = "http://unitsofmeasure.org";

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

    pub(super) fn accepts(&self, amount: &Amount, context: &Context<'_>) -> bool {
        self.told_in(amount, context).is_some_and(|number| self.compare(amount, &number))
    }

    /// The number asked for in the unit of an amount; `None` if the units do not fit.
    fn told_in(&self, amount: &Amount, context: &Context<'_>) -> Option<Written> {
        let Some(code) = &self.code else {
            let fits = self.system.is_none() || self.system.as_deref() == amount.system.as_deref();
            return fits.then_some(self.number);
        };
        let is_code = |it: &Option<Box<str>>| it.as_deref() == Some(code);
        let alike = match &self.system {
            Some(system) => amount.system.as_deref() == Some(system) && is_code(&amount.code),
            None => is_code(&amount.code) || is_code(&amount.unit),
        };
        if alike {
            return Some(self.number);
        }
        if amount.system.as_deref() != Some(SYSTEM) {
            return None;
        }
        let (ours, theirs) = (self.unit?, context.units.of(amount.code.as_deref()?)?);
        let told = |number| ours.convert(number, &theirs);
        Some(Written { value: told(self.number.value)?, low: told(self.number.low)?, high: told(self.number.high)? })
    }

    /// With `eq` and `ne` the number asked for is as precise as it was written; with the others it is exact (§3.1.1.5.4).
    fn compare(&self, amount: &Amount, number: &Written) -> bool {
        let (low, high) = (amount.low, amount.high);
        let (low_open, high_open) = amount.without_ends;
        let asked = number.value;
        let above = |than: Decimal| high.is_none_or(|high| high > than);
        let below = |than: Decimal| low.is_none_or(|low| low < than);
        let reaches = |than: Decimal| above(than) || high == Some(than) && !high_open;
        let begins = |than: Decimal| below(than) || low == Some(than) && !low_open;
        match self.prefix {
            Prefix::Equal | Prefix::NotEqual => {
                let within = low.is_some_and(|low| low >= number.low)
                    && high.is_some_and(|high| high < number.high || high == number.high && high_open);
                within == (self.prefix == Prefix::Equal)
            }
            Prefix::Greater => above(asked),
            Prefix::Less => below(asked),
            Prefix::GreaterOrEqual => reaches(asked),
            Prefix::LessOrEqual => begins(asked),
            Prefix::StartsAfter => low.is_some_and(|low| low > asked || low == asked && low_open),
            Prefix::EndsBefore => high.is_some_and(|high| high < asked || high == asked && high_open),
            Prefix::About => number.about().is_some_and(|(from, until)| reaches(from) && begins(until)),
        }
    }
}

/// The units that a search came across, each read once.
#[derive(Default)]
pub(in crate::search) struct Units(RefCell<HashMap<Box<str>, Option<Unit>>>);

impl Units {
    /// The unit of that code, if it is understood.
    pub(in crate::search) fn of(&self, code: &str) -> Option<Unit> {
        let mut known = self.0.borrow_mut();
        if let Some(unit) = known.get(code) {
            return *unit;
        }
        let unit = Unit::parse(code);
        known.insert(code.into(), unit);
        unit
    }
}
