//! What a value may mean at least and at most, given how precisely it was said (FHIR R4's additions to FHIRPath).

use super::super::eval::Outcome;
use super::super::quantity::Quantity;
use super::super::value::{Collection, Value};
use super::{Function, Given, row};
use crate::decimal::{Decimal, MAX_SCALE};

pub(super) const FUNCTIONS: &[Function] = &[
    row("lowBoundary", 0..=1, |given, input| boundary(given, &input, false)),
    row("highBoundary", 0..=1, |given, input| boundary(given, &input, true)),
    row("precision", 0..=0, precision),
    row("comparable", 1..=1, comparable),
];

fn boundary<'a>(given: &Given<'_, 'a>, input: &Collection<'a>, high: bool) -> Outcome<'a> {
    let digits = given.integer(0)?;
    let Some(value) = given.value_of(input)? else { return Ok(Collection::new()) };
    let found = match value.system().ok_or(given.wrong_type())? {
        Value::Integer(number) => decimal(number.into(), high, digits).map(Value::Decimal),
        Value::Decimal(number) => decimal(number, high, digits).map(Value::Decimal),
        Value::Quantity(quantity) => decimal(quantity.value, high, digits).map(|value| {
            let unit = quantity.unit.clone();
            Value::Quantity(Box::new(Quantity { value, unit }))
        }),
        Value::Temporal(moment) => moment.boundary(high, digits).map(Value::Temporal),
        _ => return Err(given.wrong_type()),
    };
    Ok(found.into())
}

/// Half of the last digit further down or up, to that many digits after the point (eight if not said). What lies beyond
/// them is cut off towards nought, and rounded away from it, as HL7's suite has it.
fn decimal(number: Decimal, high: bool, digits: Option<i32>) -> Option<Decimal> {
    let digits = u8::try_from(digits.unwrap_or(8)).ok().filter(|&digits| digits <= MAX_SCALE)?;
    let half = Decimal::new(5, number.scale() + 1)?;
    let edge = if high { number.plus(half)? } else { number.minus(half)? };
    if high == edge.is_negative() { edge.cut(digits) } else { edge.rounded(digits) }
}

fn precision<'a>(given: &Given<'_, 'a>, input: Collection<'a>) -> Outcome<'a> {
    let Some(value) = given.value_of(&input)? else { return Ok(Collection::new()) };
    let digits = match value.system().ok_or(given.wrong_type())? {
        Value::Integer(_) => 0,
        Value::Decimal(number) => number.scale(),
        Value::Quantity(quantity) => quantity.value.scale(),
        Value::Temporal(moment) => moment.digits_said(),
        _ => return Err(given.wrong_type()),
    };
    Ok(Value::Integer(digits.into()).into())
}

/// Whether two quantities measure the same.
fn comparable<'a>(given: &Given<'_, 'a>, input: Collection<'a>) -> Outcome<'a> {
    let other = given.value(0)?;
    let (Some(value), Some(other)) = (given.value_of(&input)?, super::single_value(&other, given.name())?) else {
        return Ok(Collection::new());
    };
    let (value, other) = (value.quantity(), other.quantity());
    let (value, other) = (value.ok_or(given.wrong_type())?, other.ok_or(given.wrong_type())?);
    Ok(value.is_comparable(&other).into())
}
