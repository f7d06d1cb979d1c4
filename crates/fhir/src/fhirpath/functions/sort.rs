//! `sort()` (a function that FHIRPath has on trial, in HL7's suite).

use std::cmp::Ordering;

use super::super::ast::Expr;
use super::super::error::EvalError;
use super::super::eval::{Frame, Outcome, single};
use super::super::operators::compare;
use super::super::value::{Collection, Value};
use super::{Function, Given, row};

pub(super) const FUNCTIONS: &[Function] = &[row("sort", 0..=16, sort)];

/// An item, and what it is sorted by.
type Keyed<'a> = (Value<'a>, Vec<Option<Value<'a>>>);

/// Sorts by the arguments, the first counting most; one with a minus sign before it sorts downwards, whatever its type.
/// An item without a key comes first both ways, as HL7's suite has it.
fn sort<'a>(given: &Given<'_, 'a>, input: Collection<'a>) -> Outcome<'a> {
    let keys: Vec<(&Expr, bool)> = given
        .call
        .arguments
        .iter()
        .map(|argument| match argument {
            Expr::Sign(true, inner) => (&**inner, true),
            other => (other, false),
        })
        .collect();
    let mut items: Vec<Keyed<'a>> = Vec::with_capacity(input.len());
    for (index, item) in input.into_iter().enumerate() {
        let mut values = Vec::with_capacity(keys.len().max(1));
        for (key, _) in &keys {
            let frame = Frame { this: Some(&item), index: i32::try_from(index).ok(), ..given.frame };
            let value = given.evaluator.eval(key, frame)?;
            values.push(single(&value, given.name())?.and_then(Value::system));
        }
        if keys.is_empty() {
            values.push(item.system());
        }
        items.push((item, values));
    }
    let order = |left: &Keyed<'a>, right: &Keyed<'a>| -> Result<Ordering, EvalError> {
        given.evaluator.charge(1)?;
        for (place, (left, right)) in left.1.iter().zip(&right.1).enumerate() {
            let ordering = match (left, right) {
                (Some(left), Some(right)) => {
                    let ordering = compare(left, right, given.name())?.ok_or(given.wrong_type())?;
                    if keys.get(place).is_some_and(|(_, down)| *down) { ordering.reverse() } else { ordering }
                }
                (left, right) => left.is_some().cmp(&right.is_some()),
            };
            if ordering.is_ne() {
                return Ok(ordering);
            }
        }
        Ok(Ordering::Equal)
    };
    Ok(merge_sort(items, &order)?.into_iter().map(|(item, _)| item).collect())
}

/// A sort that keeps equal items in order, ends with the first error, and holds no opinion on orders that are none: the
/// standard library's may panic on those.
fn merge_sort<T, E>(mut items: Vec<T>, order: &impl Fn(&T, &T) -> Result<Ordering, E>) -> Result<Vec<T>, E> {
    if items.len() < 2 {
        return Ok(items);
    }
    let right = items.split_off(items.len() / 2);
    let mut left = merge_sort(items, order)?.into_iter().peekable();
    let mut right = merge_sort(right, order)?.into_iter().peekable();
    let mut merged = Vec::with_capacity(left.len() + right.len());
    while let (Some(first), Some(second)) = (left.peek(), right.peek()) {
        let from_right = order(first, second)?.is_gt();
        merged.extend(if from_right { right.next() } else { left.next() });
    }
    merged.extend(left);
    merged.extend(right);
    Ok(merged)
}
