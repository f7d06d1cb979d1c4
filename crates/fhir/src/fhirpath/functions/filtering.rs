//! Filtering and projection (FHIRPath N1 §5.2), `iif()`, `aggregate()` and variables.

use super::super::equality::Seen;
use super::super::error::EvalError;
use super::super::eval::{Frame, Outcome, is_own_variable, truth};
use super::super::types;
use super::super::value::Collection;
use super::{Arguments, Function, Given, row};

pub(super) const FUNCTIONS: &[Function] = &[
    row("where", 1..=1, where_holds),
    row("select", 1..=1, select),
    row("repeat", 1..=1, repeat),
    row("iif", 2..=3, iif),
    row("aggregate", 1..=2, aggregate),
    row("coalesce", 1..=64, coalesce),
    row("defineVariable", 1..=2, define_variable),
    Function { name: "ofType", takes: 1..=1, arguments: Arguments::Type, run: of_type },
    Function { name: "is", takes: 1..=1, arguments: Arguments::Type, run: is },
    Function { name: "as", takes: 1..=1, arguments: Arguments::Type, run: as_type },
];

fn where_holds<'a>(given: &Given<'_, 'a>, input: Collection<'a>) -> Outcome<'a> {
    let mut kept = Collection::new();
    for (index, item) in input.into_iter().enumerate() {
        if given.holds(0, &item, index)? {
            kept.push(item);
        }
    }
    Ok(kept)
}

fn select<'a>(given: &Given<'_, 'a>, input: Collection<'a>) -> Outcome<'a> {
    let mut all = Collection::new();
    for (index, item) in input.iter().enumerate() {
        let found = given.for_item(0, item, index)?;
        given.evaluator.charge_values(found.len())?;
        all.append(found);
    }
    Ok(all)
}

/// What the projection finds, what it finds in that, and so on; each value once (N1 §5.2.3).
fn repeat<'a>(given: &Given<'_, 'a>, input: Collection<'a>) -> Outcome<'a> {
    let mut seen = Seen::default();
    let mut round = input;
    while !round.is_empty() {
        let mut next = Collection::new();
        for (index, item) in round.iter().enumerate() {
            for value in given.for_item(0, item, index)? {
                if seen.add(given.evaluator, value.clone())? {
                    next.push(value);
                }
            }
        }
        round = next;
    }
    Ok(seen.into_values())
}

/// One of two results. Only the one that is asked for is evaluated, with the input as `$this`.
fn iif<'a>(given: &Given<'_, 'a>, input: Collection<'a>) -> Outcome<'a> {
    let frame = Frame { this: given.single(&input)?, ..given.frame };
    let argument = |index| given.argument(index).map_or(Ok(Collection::new()), |it| given.evaluator.eval(it, frame));
    let holds = truth(&argument(0)?, given.name())? == Some(true);
    argument(if holds { 1 } else { 2 })
}

fn aggregate<'a>(given: &Given<'_, 'a>, input: Collection<'a>) -> Outcome<'a> {
    let Some(step) = given.argument(0) else { return Ok(Collection::new()) };
    let mut total = given.value(1)?;
    for (index, item) in input.iter().enumerate() {
        let frame = Frame { this: Some(item), index: i32::try_from(index).ok(), total: Some(&total) };
        total = given.evaluator.eval(step, frame)?;
    }
    Ok(total)
}

/// The first argument that is not empty.
fn coalesce<'a>(given: &Given<'_, 'a>, _: Collection<'a>) -> Outcome<'a> {
    for index in 0..given.call.arguments.len() {
        let value = given.value(index)?;
        if !value.is_empty() {
            return Ok(value);
        }
    }
    Ok(Collection::new())
}

/// Sets a variable for the rest of the path: to the input, or to what an expression makes of it.
fn define_variable<'a>(given: &Given<'_, 'a>, input: Collection<'a>) -> Outcome<'a> {
    let name = given.text(0)?.ok_or(given.wrong_type())?;
    let taken = |name: &str| {
        is_own_variable(name)
            || given.evaluator.context.variables.iter().any(|(other, _)| other == name)
            || given.evaluator.defined.borrow().iter().any(|(other, _)| **other == *name)
    };
    if taken(&name) {
        return Err(EvalError::VariableTwice(name.chars().take(64).collect()));
    }
    let value = match given.argument(1) {
        None => input.clone(),
        Some(argument) => given.evaluator.eval(argument, Frame { this: input.first(), ..given.frame })?,
    };
    given.evaluator.defined.borrow_mut().push((name, value));
    Ok(input)
}

fn of_type<'a>(given: &Given<'_, 'a>, input: Collection<'a>) -> Outcome<'a> {
    let name = given.call.type_name.as_ref().ok_or(given.wrong_type())?;
    types::of_type(given.evaluator, input, name)
}

fn is<'a>(given: &Given<'_, 'a>, input: Collection<'a>) -> Outcome<'a> {
    let name = given.call.type_name.as_ref().ok_or(given.wrong_type())?;
    types::is(given.evaluator, &input, name)
}

fn as_type<'a>(given: &Given<'_, 'a>, input: Collection<'a>) -> Outcome<'a> {
    let name = given.call.type_name.as_ref().ok_or(given.wrong_type())?;
    types::as_type(given.evaluator, input, name)
}
