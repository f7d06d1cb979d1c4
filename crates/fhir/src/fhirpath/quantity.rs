//! Quantities: a number and a unit, either a calendar duration or a UCUM code (FHIRPath N1 §4.1.8).

use std::cmp::Ordering;
use std::fmt;

use super::element::Element;
use super::temporal::Calendar;
use super::text::Text;
use crate::decimal::Decimal;
use crate::json::Node;
use crate::ucum::{self, Unit};

/// Where UCUM's codes are from.
pub(super) const UCUM: &str = "http://unitsofmeasure.org";

/// A quantity.
#[derive(Clone)]
pub struct Quantity<'a> {
    /// How many.
    pub value: Decimal,
    /// Of what.
    pub unit: QuantityUnit<'a>,
}

/// The unit of a quantity.
#[derive(Clone, PartialEq, Eq)]
pub enum QuantityUnit<'a> {
    /// A code, as written between quotes.
    Code(Text<'a>),
    /// A calendar duration, as written.
    Calendar(Calendar, Text<'a>),
    /// A duration in a document, which has a UCUM code and is a calendar duration where one is asked for (FHIR R4
    /// §2.9.6.1).
    Either(Calendar),
}

impl<'a> QuantityUnit<'a> {
    /// No unit.
    pub(super) const ONE: Self = Self::Code(Text::Borrowed("1"));

    /// The UCUM code: for a calendar duration the one that comes nearest.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Code(code) => code,
            Self::Calendar(unit, _) | Self::Either(unit) => unit.ucum(),
        }
    }

    /// The calendar duration that may be added to a date: one by keyword, even in quotes, and a code up to weeks, which
    /// is the same duration. A month or year by code is a mean length, and no calendar has it.
    pub(super) fn calendar(&self) -> Option<Calendar> {
        match self {
            Self::Calendar(unit, _) | Self::Either(unit) => Some(*unit),
            Self::Code(code) => {
                Calendar::of_ucum(code).filter(|unit| *unit <= Calendar::Week).or(Calendar::named(code))
            }
        }
    }

    /// Whether it is a keyword's month or year, which no code stands for.
    fn is_long_calendar(&self) -> bool {
        matches!(self, Self::Calendar(unit, _) if *unit > Calendar::Week)
    }
}

impl<'a> Quantity<'a> {
    /// A number as a quantity.
    #[must_use]
    pub const fn of_number(value: Decimal) -> Self {
        Self { value, unit: QuantityUnit::ONE }
    }

    /// A Quantity element: its value and, if its system is UCUM, its code; else its unit is its code or text as it stands.
    pub(super) fn of_element(element: &Element<'a>) -> Option<Self> {
        if !element.is_quantity() {
            return None;
        }
        let node = element.node()?;
        let value = node.get("value").and_then(Node::number).and_then(Decimal::parse)?;
        let code = node.get_text("code").map(Text::from);
        let unit = match code {
            Some(code) if node.get_text("system").as_deref() == Some(UCUM) => {
                Calendar::of_ucum(&code).map_or(QuantityUnit::Code(code), QuantityUnit::Either)
            }
            code => {
                code.or_else(|| node.get_text("unit").map(Text::from)).map_or(QuantityUnit::ONE, QuantityUnit::Code)
            }
        };
        Some(Self { value, unit })
    }

    /// Which of two is larger; `None` if they cannot be compared.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        let (ours, theirs) = self.brought_together(other, false)?;
        Some(ours.cmp(&theirs))
    }

    /// Whether they are equivalent: equal when rounded to what the less precise of them says (N1 §6.1.3).
    #[must_use]
    pub fn equivalent(&self, other: &Self) -> bool {
        self.brought_together(other, true).is_some_and(|(ours, theirs)| equivalent_decimals(ours, theirs))
    }

    /// Whether they measure the same.
    #[must_use]
    pub fn is_comparable(&self, other: &Self) -> bool {
        self.brought_together(other, true).is_some()
    }

    /// Both numbers in one unit. A calendar month or year comes together with a mean one only if `mean` says so.
    fn brought_together(&self, other: &Self, mean: bool) -> Option<(Decimal, Decimal)> {
        use QuantityUnit::{Calendar as Keyword, Either};
        match (&self.unit, &other.unit) {
            (ours, theirs) if ours == theirs => return Some((self.value, other.value)),
            (Keyword(ours, _) | Either(ours), Keyword(theirs, _) | Either(theirs)) => {
                return calendar_together(self.value, *ours, other.value, *theirs);
            }
            (ours, theirs) if !mean && (ours.is_long_calendar() || theirs.is_long_calendar()) => return None,
            _ => {}
        }
        if self.unit.code() == other.unit.code() {
            return Some((self.value, other.value));
        }
        let (ours, theirs) = (Unit::parse(self.unit.code())?, Unit::parse(other.unit.code())?);
        // Into the coarser unit, so that the digits after the point say how precise each is.
        let one = Decimal::from(1);
        if !ours.is_comparable(&theirs) {
            return None;
        }
        if ours.convert(one, &theirs).is_some_and(|told| told < one) {
            Some((ours.convert(self.value, &theirs)?, other.value))
        } else {
            Some((self.value, theirs.convert(other.value, &ours)?))
        }
    }

    /// The sum (for a sign of -1 the difference), in the finer of the two units; `None` if they cannot be added.
    pub(super) fn plus(&self, other: &Self, sign: i32) -> Option<Quantity<'a>> {
        let value = other.value.times(sign.into())?;
        if self.unit == other.unit {
            return Some(Self { value: self.value.plus(value)?, unit: self.unit.clone() });
        }
        let told = Self { value, unit: other.unit.clone() }.in_unit(&self.unit)?;
        let back = Self { value: self.value, unit: self.unit.clone() }.in_unit(&other.unit)?;
        // N1 §6.6.1: the most granular unit of the operands.
        let one = Decimal::from(1);
        let finer = Self { value: one, unit: self.unit.clone() }.in_unit(&other.unit)? < one;
        Some(if finer {
            Self { value: self.value.plus(told)?, unit: self.unit.clone() }
        } else {
            Self { value: back.plus(value)?, unit: other.unit.clone() }
        })
    }

    /// The number when told in another unit; `None` if they cannot be compared.
    pub(super) fn in_unit(&self, unit: &QuantityUnit<'_>) -> Option<Decimal> {
        use QuantityUnit::{Calendar as Keyword, Either};
        if let (Keyword(ours, _) | Either(ours), Keyword(theirs, _) | Either(theirs)) = (&self.unit, unit) {
            let one = Decimal::from(1);
            let (ours, theirs) = calendar_together(one, *ours, one, *theirs)?;
            return self.value.times(ours)?.over(theirs);
        }
        if self.unit.is_long_calendar() || unit.is_long_calendar() {
            return None;
        }
        if self.unit.code() == unit.code() {
            return Some(self.value);
        }
        Unit::parse(self.unit.code())?.convert(self.value, &Unit::parse(unit.code())?)
    }

    /// The product.
    pub(super) fn times(&self, other: &Self) -> Option<Quantity<'a>> {
        let (unit, factor) = simplified(ucum::product(self.unit.code(), other.unit.code()))?;
        Some(Self { value: self.value.times(other.value)?.times(factor)?, unit })
    }

    /// The quotient; `None` for a division by nought.
    pub(super) fn over(&self, other: &Self) -> Option<Quantity<'a>> {
        let (unit, factor) = simplified(ucum::quotient(self.unit.code(), other.unit.code()))?;
        Some(Self { value: self.value.over(other.value)?.times(factor)?, unit })
    }
}

/// A unit that came out of a multiplication, and what to multiply by: `cm/m` is a hundredth.
fn simplified<'a>(code: String) -> Option<(QuantityUnit<'a>, Decimal)> {
    let one = Decimal::from(1);
    // What is no code is only written down.
    let Some(unit) = Unit::parse(&code) else { return Some((QuantityUnit::Code(Text::from(code)), one)) };
    let whole = Unit::parse("1")?;
    match unit.convert(one, &whole) {
        Some(factor) => Some((QuantityUnit::ONE, factor)),
        None => Some((QuantityUnit::Code(Text::from(code)), one)),
    }
}

/// Two calendar durations in one unit: months for months and years, else their lengths.
fn calendar_together(ours: Decimal, unit: Calendar, theirs: Decimal, other: Calendar) -> Option<(Decimal, Decimal)> {
    if unit == other {
        return Some((ours, theirs));
    }
    let months = |unit| match unit {
        Calendar::Year => Some(Decimal::from(12)),
        Calendar::Month => Some(Decimal::from(1)),
        _ => None,
    };
    if let (Some(by), Some(other_by)) = (months(unit), months(other)) {
        return Some((ours.times(by)?, theirs.times(other_by)?));
    }
    let nanos = |unit: Calendar| Decimal::new(unit.nanos(), 9);
    Some((ours.times(nanos(unit)?)?, theirs.times(nanos(other)?)?))
}

/// Whether two numbers are equal when rounded to the fewer digits that one of them has after its point.
pub(super) fn equivalent_decimals(ours: Decimal, theirs: Decimal) -> bool {
    let scale = ours.trimmed().scale().min(theirs.trimmed().scale());
    ours.rounded(scale).zip(theirs.rounded(scale)).is_some_and(|(ours, theirs)| ours == theirs)
}

impl fmt::Display for Quantity<'_> {
    /// As FHIRPath writes it: `1 'wk'`, `1 week`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.unit {
            QuantityUnit::Calendar(_, word) => write!(f, "{} {word}", self.value),
            unit => write!(f, "{} '{}'", self.value, unit.code()),
        }
    }
}

impl fmt::Debug for Quantity<'_> {
    /// Never the number: it is health data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Quantity(…)")
    }
}
