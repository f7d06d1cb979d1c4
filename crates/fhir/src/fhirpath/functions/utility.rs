//! Navigation through trees (FHIRPath N1 §5.8) and utilities (§5.9).

use super::super::error::EvalError;
use super::super::eval::Outcome;
use super::super::temporal::Temporal;
use super::super::value::{Collection, Value};
use super::{Function, Given, row};

pub(super) const FUNCTIONS: &[Function] = &[
    row("children", 0..=0, children),
    row("descendants", 0..=0, descendants),
    row("trace", 1..=2, trace),
    row("now", 0..=0, |given, _| Ok(Value::Temporal(now(given)?).into())),
    row("today", 0..=0, |given, _| Ok(now(given)?.to_date().map(Value::Temporal).into())),
    row("timeOfDay", 0..=0, |given, _| Ok(now(given)?.to_time().map(Value::Temporal).into())),
    row("type", 0..=0, |_, input| {
        Ok(input.iter().map(Value::type_name).map(|(namespace, name)| Value::Type(namespace, name)).collect())
    }),
];

fn children<'a>(given: &Given<'_, 'a>, input: Collection<'a>) -> Outcome<'a> {
    let mut found = Collection::new();
    for value in &input {
        push_children(given, value, &mut |child| found.push(child))?;
    }
    Ok(found)
}

/// All that is inside, level by level.
fn descendants<'a>(given: &Given<'_, 'a>, input: Collection<'a>) -> Outcome<'a> {
    let mut found: Vec<Value<'a>> = Vec::new();
    for value in &input {
        push_children(given, value, &mut |child| found.push(child))?;
    }
    let mut next = 0;
    while let Some(value) = found.get(next).cloned() {
        push_children(given, &value, &mut |child| found.push(child))?;
        next += 1;
    }
    Ok(found.into_iter().collect())
}

fn push_children<'a>(
    given: &Given<'_, 'a>,
    value: &Value<'a>,
    found: &mut dyn FnMut(Value<'a>),
) -> Result<(), EvalError> {
    let Value::Element(element) = value else { return Ok(()) };
    let mut count = 0;
    element.children(given.evaluator.context.definitions, &mut |child| {
        count += 1;
        found(Value::Element(child));
    });
    given.evaluator.charge_bytes(element.reach())?;
    given.evaluator.charge_values(count)
}

/// Shows the input, or what an expression makes of each item, to whoever listens, and passes the input on.
fn trace<'a>(given: &Given<'_, 'a>, input: Collection<'a>) -> Outcome<'a> {
    let name = given.text(0)?;
    let name = name.as_deref().unwrap_or_default();
    let Some(listener) = given.evaluator.context.trace else { return Ok(input) };
    if given.argument(1).is_none() {
        listener(name, &input);
        return Ok(input);
    }
    let mut shown = Collection::new();
    for (index, item) in input.iter().enumerate() {
        shown.append(given.for_item(1, item, index)?);
    }
    listener(name, &shown);
    Ok(input)
}

fn now(given: &Given<'_, '_>) -> Result<Temporal, EvalError> {
    let unavailable = EvalError::Unavailable(given.name());
    let (moment, offset) = given.evaluator.context.now.ok_or(unavailable.clone())?;
    Temporal::at(moment, offset).ok_or(unavailable)
}
