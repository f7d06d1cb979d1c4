//! Existence (FHIRPath N1 §5.1) and `not()`.

use super::super::equality::Seen;
use super::super::error::EvalError;
use super::super::eval::{Outcome, truth};
use super::super::value::{Collection, Value};
use super::{Function, Given, row};

pub(super) const FUNCTIONS: &[Function] = &[
    row("empty", 0..=0, |_, input| Ok(input.is_empty().into())),
    row("exists", 0..=1, exists),
    row("all", 1..=1, all),
    row("allTrue", 0..=0, |given, input| Ok(every(given, &input, true)?.into())),
    row("anyTrue", 0..=0, |given, input| Ok((!every(given, &input, false)?).into())),
    row("allFalse", 0..=0, |given, input| Ok(every(given, &input, false)?.into())),
    row("anyFalse", 0..=0, |given, input| Ok((!every(given, &input, true)?).into())),
    row("subsetOf", 1..=1, |given, input| {
        let whole = given.value(0)?;
        Ok(is_part(given, input, whole)?.into())
    }),
    row("supersetOf", 1..=1, |given, input| {
        let part = given.value(0)?;
        Ok(is_part(given, part, input)?.into())
    }),
    row("count", 0..=0, |_, input| Ok(i32::try_from(input.len()).ok().map(Value::Integer).into())),
    row("distinct", 0..=0, |given, input| Ok(Seen::all(given.evaluator, input)?.into_values())),
    row("isDistinct", 0..=0, |given, input| {
        let count = input.len();
        Ok((Seen::all(given.evaluator, input)?.len() == count).into())
    }),
    row("not", 0..=0, |given, input| Ok(truth(&input, given.name())?.map(|boolean| Value::Boolean(!boolean)).into())),
];

fn exists<'a>(given: &Given<'_, 'a>, input: Collection<'a>) -> Outcome<'a> {
    if given.argument(0).is_none() {
        return Ok((!input.is_empty()).into());
    }
    for (index, item) in input.iter().enumerate() {
        if given.holds(0, item, index)? {
            return Ok(true.into());
        }
    }
    Ok(false.into())
}

fn all<'a>(given: &Given<'_, 'a>, input: Collection<'a>) -> Outcome<'a> {
    for (index, item) in input.iter().enumerate() {
        if !given.holds(0, item, index)? {
            return Ok(false.into());
        }
    }
    Ok(true.into())
}

/// Whether every item is that boolean. An item that is no boolean is an error, wherever it stands.
fn every<'a>(given: &Given<'_, 'a>, input: &Collection<'a>, wanted: bool) -> Result<bool, EvalError> {
    let mut answer = true;
    for item in input {
        answer &= item.boolean().ok_or(given.wrong_type())? == wanted;
    }
    Ok(answer)
}

/// Whether each item of one collection is in the other.
fn is_part<'a>(given: &Given<'_, 'a>, part: Collection<'a>, whole: Collection<'a>) -> Result<bool, EvalError> {
    let seen = Seen::all(given.evaluator, whole)?;
    for item in &part {
        if !seen.has(given.evaluator, item)? {
            return Ok(false);
        }
    }
    Ok(true)
}
