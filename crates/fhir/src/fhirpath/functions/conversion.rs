//! Conversion (FHIRPath N1 §5.5).

use super::super::error::EvalError;
use super::super::eval::Outcome;
use super::super::quantity::{Quantity, QuantityUnit};
use super::super::temporal::{Calendar, Temporal, TemporalKind};
use super::super::text::Text;
use super::super::value::{Collection, Value};
use super::{Function, Given, row};
use crate::decimal::Decimal;

pub(super) const FUNCTIONS: &[Function] = &[
    row("toBoolean", 0..=0, |given, input| convert(given, &input, to_boolean)),
    row("convertsToBoolean", 0..=0, |given, input| converts(given, &input, to_boolean)),
    row("toInteger", 0..=0, |given, input| convert(given, &input, to_integer)),
    row("convertsToInteger", 0..=0, |given, input| converts(given, &input, to_integer)),
    row("toDecimal", 0..=0, |given, input| convert(given, &input, to_decimal)),
    row("convertsToDecimal", 0..=0, |given, input| converts(given, &input, to_decimal)),
    row("toString", 0..=0, |given, input| convert(given, &input, to_text)),
    row("convertsToString", 0..=0, |given, input| converts(given, &input, to_text)),
    row("toDate", 0..=0, |given, input| convert(given, &input, to_date)),
    row("convertsToDate", 0..=0, |given, input| converts(given, &input, to_date)),
    row("toDateTime", 0..=0, |given, input| convert(given, &input, to_date_time)),
    row("convertsToDateTime", 0..=0, |given, input| converts(given, &input, to_date_time)),
    row("toTime", 0..=0, |given, input| convert(given, &input, to_time)),
    row("convertsToTime", 0..=0, |given, input| converts(given, &input, to_time)),
    row("toQuantity", 0..=1, |given, input| Ok(to_quantity(given, &input)?.into())),
    row("convertsToQuantity", 0..=1, |given, input| {
        if input.is_empty() { Ok(input) } else { Ok(to_quantity(given, &input)?.is_some().into()) }
    }),
];

type Conversion = for<'a> fn(Value<'a>) -> Option<Value<'a>>;

fn convert<'a>(given: &Given<'_, 'a>, input: &Collection<'a>, conversion: Conversion) -> Outcome<'a> {
    Ok(given.value_of(input)?.and_then(Value::system).and_then(conversion).into())
}

fn converts<'a>(given: &Given<'_, 'a>, input: &Collection<'a>, conversion: Conversion) -> Outcome<'a> {
    let value = given.value_of(input)?;
    Ok(value.map(|value| Value::Boolean(value.system().and_then(conversion).is_some())).into())
}

fn to_boolean(value: Value<'_>) -> Option<Value<'_>> {
    let boolean = match value {
        Value::Boolean(boolean) => boolean,
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "1" | "1.0" => true,
            "false" | "f" | "no" | "n" | "0" | "0.0" => false,
            _ => return None,
        },
        number => match number.number()?.to_integer()? {
            1 => true,
            0 => false,
            _ => return None,
        },
    };
    Some(Value::Boolean(boolean))
}

fn to_integer(value: Value<'_>) -> Option<Value<'_>> {
    match value {
        Value::Integer(_) => Some(value),
        Value::Boolean(boolean) => Some(Value::Integer(boolean.into())),
        Value::String(text) => {
            let digits = text.strip_prefix(['+', '-']).unwrap_or(&text);
            let whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            whole.then(|| text.parse().ok().map(Value::Integer)).flatten()
        }
        _ => None,
    }
}

fn to_decimal(value: Value<'_>) -> Option<Value<'_>> {
    let number = match value {
        Value::Integer(number) => number.into(),
        Value::Decimal(number) => number,
        Value::Boolean(boolean) => Decimal::new(if boolean { 10 } else { 0 }, 1)?,
        Value::String(text) => plain_number(&text)?,
        _ => return None,
    };
    Some(Value::Decimal(number))
}

/// A number without an exponent.
fn plain_number(text: &str) -> Option<Decimal> {
    if text.contains(['e', 'E']) { None } else { Decimal::parse(text) }
}

fn to_text(value: Value<'_>) -> Option<Value<'_>> {
    let text = match value {
        Value::String(_) => return Some(value),
        Value::Boolean(boolean) => boolean.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Decimal(number) => number.to_string(),
        Value::Temporal(moment) => moment.to_string(),
        Value::Quantity(quantity) => quantity.to_string(),
        Value::Element(_) | Value::Type(..) => return None,
    };
    Some(Value::String(Text::from(text)))
}

fn to_date(value: Value<'_>) -> Option<Value<'_>> {
    let date = match value {
        Value::Temporal(moment) => moment.to_date(),
        Value::String(text) => Temporal::date(&text),
        _ => None,
    };
    date.map(Value::Temporal)
}

fn to_date_time(value: Value<'_>) -> Option<Value<'_>> {
    let moment = match value {
        Value::Temporal(moment) => moment.to_date_time(),
        Value::String(text) => Temporal::date_time(&text),
        _ => None,
    };
    moment.map(Value::Temporal)
}

fn to_time(value: Value<'_>) -> Option<Value<'_>> {
    let time = match value {
        Value::Temporal(moment) => Some(moment).filter(|moment| moment.kind() == TemporalKind::Time),
        Value::String(text) => Temporal::time(text.strip_prefix('T').unwrap_or(&text)),
        _ => None,
    };
    time.map(Value::Temporal)
}

fn to_quantity<'a>(given: &Given<'_, 'a>, input: &Collection<'a>) -> Result<Option<Value<'a>>, EvalError> {
    let Some(value) = given.value_of(input)?.and_then(Value::system) else { return Ok(None) };
    let quantity = match value {
        Value::Boolean(boolean) => Decimal::new(if boolean { 10 } else { 0 }, 1).map(Quantity::of_number),
        Value::String(text) => read_quantity(&text),
        other => other.quantity(),
    };
    let Some(quantity) = quantity else { return Ok(None) };
    let Some(unit) = given.text(0)? else {
        return Ok(if given.argument(0).is_some() { None } else { Some(Value::Quantity(Box::new(quantity))) });
    };
    let unit = match Calendar::named(&unit) {
        Some(calendar) => QuantityUnit::Calendar(calendar, unit),
        None => QuantityUnit::Code(unit),
    };
    Ok(quantity.in_unit(&unit).map(|value| Value::Quantity(Box::new(Quantity { value, unit }))))
}

/// Reads `5`, `5 'mg'` or `5 days`.
fn read_quantity(text: &str) -> Option<Quantity<'static>> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '+' | '-'))).unwrap_or(text.len());
    let (number, rest) = text.split_at_checked(end)?;
    let value = plain_number(number)?;
    let word = rest.trim_start_matches([' ', '\t', '\r', '\n']);
    let unit = if word.is_empty() && rest.is_empty() {
        QuantityUnit::ONE
    } else if let Some(code) = word.strip_prefix('\'').and_then(|code| code.strip_suffix('\'')) {
        if code.is_empty() || code.contains('\'') {
            return None;
        }
        QuantityUnit::Code(Text::from(code.to_owned()))
    } else {
        QuantityUnit::Calendar(Calendar::named(word)?, Text::from(word.to_owned()))
    };
    Some(Quantity { value, unit })
}
