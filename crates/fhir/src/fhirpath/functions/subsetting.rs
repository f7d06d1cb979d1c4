//! Subsetting and combining (FHIRPath N1 §5.3, §5.4).

use super::super::equality::{self, Seen};
use super::super::error::EvalError;
use super::super::eval::Outcome;
use super::super::value::{Collection, Value};
use super::{Function, row};

pub(super) const FUNCTIONS: &[Function] = &[
    row("single", 0..=0, |given, input| Ok(given.single(&input)?.cloned().into())),
    row("first", 0..=0, |_, input| Ok(input.first().cloned().into())),
    row("last", 0..=0, |_, input| Ok(input.last().cloned().into())),
    row("tail", 0..=0, |_, input| Ok(input.into_iter().skip(1).collect())),
    row("skip", 1..=1, |given, input| {
        let count = given.integer(0)?.map_or(0, |count| usize::try_from(count).unwrap_or(0));
        Ok(input.into_iter().skip(count).collect())
    }),
    row("take", 1..=1, |given, input| {
        let count = given.integer(0)?.map_or(0, |count| usize::try_from(count).unwrap_or(0));
        Ok(input.into_iter().take(count).collect())
    }),
    row("intersect", 1..=1, |given, input| {
        let others = Seen::all(given.evaluator, given.value(0)?)?;
        let common = keep(input, |value| others.has(given.evaluator, value))?;
        Ok(Seen::all(given.evaluator, common)?.into_values())
    }),
    row("exclude", 1..=1, |given, input| {
        let others = Seen::all(given.evaluator, given.value(0)?)?;
        keep(input, |value| Ok(!others.has(given.evaluator, value)?))
    }),
    row("union", 1..=1, |given, input| equality::union(given.evaluator, input, given.value(0)?)),
    row("combine", 1..=1, |given, mut input| {
        let other = given.value(0)?;
        given.evaluator.charge_values(other.len())?;
        input.append(other);
        Ok(input)
    }),
];

fn keep<'a>(input: Collection<'a>, wanted: impl Fn(&Value<'a>) -> Result<bool, EvalError>) -> Outcome<'a> {
    let mut kept = Collection::new();
    for value in input {
        if wanted(&value)? {
            kept.push(value);
        }
    }
    Ok(kept)
}
