//! Mathematics (FHIRPath N1 §5.7).

use super::super::error::EvalError;
use super::super::eval::Outcome;
use super::super::quantity::Quantity;
use super::super::value::{Collection, Value};
use super::{Function, Given, row};
use crate::decimal::{Decimal, MAX_SCALE};

pub(super) const FUNCTIONS: &[Function] = &[
    row("abs", 0..=0, |given, input| on_numbers(given, &input, Decimal::abs)),
    row("ceiling", 0..=0, |given, input| on_numbers(given, &input, |number| Decimal::new(number.ceiling(), 0))),
    row("floor", 0..=0, |given, input| on_numbers(given, &input, |number| Decimal::new(number.floor(), 0))),
    row("truncate", 0..=0, |given, input| on_numbers(given, &input, |number| number.cut(0))),
    row("round", 0..=1, round),
    row("exp", 0..=0, |given, input| on_floats(given, &input, f64::exp)),
    row("ln", 0..=0, |given, input| on_floats(given, &input, f64::ln)),
    row("sqrt", 0..=0, |given, input| on_floats(given, &input, f64::sqrt)),
    row("log", 1..=1, log),
    row("power", 1..=1, power),
];

/// An operation that makes a whole number of an integer, and keeps the unit of a quantity.
fn on_numbers<'a>(
    given: &Given<'_, 'a>,
    input: &Collection<'a>,
    operation: impl Fn(Decimal) -> Option<Decimal>,
) -> Outcome<'a> {
    let Some(value) = given.value_of(input)? else { return Ok(Collection::new()) };
    let whole_results = given.name() != "abs" && given.name() != "round";
    Ok(match value.system().ok_or(given.wrong_type())? {
        Value::Integer(number) => operation(number.into()).and_then(whole),
        Value::Decimal(number) if whole_results => operation(number).and_then(whole),
        Value::Decimal(number) => operation(number).map(Value::Decimal),
        Value::Quantity(quantity) => operation(quantity.value).map(|value| {
            let unit = quantity.unit.clone();
            Value::Quantity(Box::new(Quantity { value, unit }))
        }),
        _ => return Err(given.wrong_type()),
    }
    .into())
}

/// A whole number as an integer, or as a decimal where it is too large for one.
fn whole<'a>(number: Decimal) -> Option<Value<'a>> {
    let units = number.to_integer()?;
    Some(i32::try_from(units).map_or(Value::Decimal(number), Value::Integer))
}

fn round<'a>(given: &Given<'_, 'a>, input: Collection<'a>) -> Outcome<'a> {
    let digits = given.integer(0)?;
    if given.argument(0).is_some() && digits.is_none() && !input.is_empty() {
        return Ok(Collection::new());
    }
    let digits = digits.unwrap_or(0);
    let Ok(digits) = u8::try_from(digits) else { return Err(EvalError::Argument(given.name())) };
    let digits = digits.min(MAX_SCALE);
    on_numbers(given, &input, |number| if number.scale() <= digits { Some(number) } else { number.rounded(digits) })
}

fn on_floats<'a>(given: &Given<'_, 'a>, input: &Collection<'a>, operation: impl Fn(f64) -> f64) -> Outcome<'a> {
    let Some(value) = given.value_of(input)? else { return Ok(Collection::new()) };
    let number = value.number().ok_or(given.wrong_type())?;
    Ok(Decimal::from_f64(operation(number.to_f64())).map(Value::Decimal).into())
}

fn log<'a>(given: &Given<'_, 'a>, input: Collection<'a>) -> Outcome<'a> {
    let Some(base) = number_argument(given)? else { return Ok(Collection::new()) };
    let base = base.to_f64();
    on_floats(given, &input, |number| match () {
        () if base.to_bits() == 2.0_f64.to_bits() => number.log2(),
        () if base.to_bits() == 10.0_f64.to_bits() => number.log10(),
        () => number.log(base),
    })
}

/// A power: exact for whole exponents, an integer if both numbers are.
fn power<'a>(given: &Given<'_, 'a>, input: Collection<'a>) -> Outcome<'a> {
    let exponent = given.value(0)?;
    let (Some(exponent), Some(value)) = (super::single_value(&exponent, given.name())?, given.value_of(&input)?) else {
        return Ok(Collection::new());
    };
    let (base, integral) = (value.number().ok_or(given.wrong_type())?, is_integer(value) && is_integer(exponent));
    let exponent = exponent.number().ok_or(given.wrong_type())?;
    let exact = exponent.to_integer().and_then(|whole| u32::try_from(whole).ok()).filter(|&whole| whole <= 1_000);
    let Some(exact) = exact else {
        let number = Decimal::from_f64(base.to_f64().powf(exponent.to_f64()));
        return Ok(number.map(Value::Decimal).into());
    };
    let Some(number) = base.power(exact) else { return Ok(Collection::new()) };
    let integer = number.to_integer().and_then(|whole| i32::try_from(whole).ok()).filter(|_| integral);
    Ok(integer.map_or(Value::Decimal(number), Value::Integer).into())
}

fn is_integer(value: &Value<'_>) -> bool {
    matches!(value.system(), Some(Value::Integer(_)))
}

fn number_argument(given: &Given<'_, '_>) -> Result<Option<Decimal>, EvalError> {
    let value = given.value(0)?;
    let Some(value) = super::single_value(&value, given.name())? else { return Ok(None) };
    value.number().map(Some).ok_or(given.wrong_type())
}
