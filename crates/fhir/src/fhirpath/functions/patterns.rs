//! Regular expressions (FHIRPath N1 §5.6.8 to §5.6.10).

use std::borrow::Cow;

use super::super::ast::{Expr, Literal};
use super::super::error::EvalError;
use super::super::eval::Outcome;
use super::super::pattern::Pattern;
use super::super::value::Collection;
use super::{Function, Given, row};

pub(super) const FUNCTIONS: &[Function] = &[
    row("matches", 1..=1, |given, input| matches(given, &input, false)),
    row("matchesFull", 1..=1, |given, input| matches(given, &input, true)),
    row("replaceMatches", 2..=2, replace_matches),
];

/// The pattern that is the first argument, compiled once where it is written in the expression; `None` if it is empty.
/// Compiling is work too, and is counted where it is done.
fn pattern<'g>(given: &Given<'g, '_>, whole: bool) -> Result<Option<Cow<'g, Pattern>>, EvalError> {
    let counted = |pattern: &Pattern| given.evaluator.charge(1_000 + pattern.states() * 4);
    if let Some(Expr::Literal(Literal::Text(text))) = given.call.arguments.first() {
        let is_new = given.call.pattern.get().is_none();
        let compiled = given.call.pattern.get_or_init(|| Pattern::compile(text, whole));
        let compiled = compiled.as_ref().ok_or(EvalError::Pattern)?;
        if is_new {
            counted(compiled)?;
        }
        return Ok(Some(Cow::Borrowed(compiled)));
    }
    let Some(text) = given.text(0)? else { return Ok(None) };
    let compiled = Pattern::compile(&text, whole).ok_or(EvalError::Pattern)?;
    counted(&compiled)?;
    Ok(Some(Cow::Owned(compiled)))
}

fn matches<'a>(given: &Given<'_, 'a>, input: &Collection<'a>, whole: bool) -> Outcome<'a> {
    let Some(text) = given.input_text(input)? else { return Ok(Collection::new()) };
    let Some(pattern) = pattern(given, whole)? else { return Ok(Collection::new()) };
    given.evaluator.charge(pattern.work(&text))?;
    Ok(pattern.is_match(&text).into())
}

fn replace_matches<'a>(given: &Given<'_, 'a>, input: Collection<'a>) -> Outcome<'a> {
    let (Some(text), Some(pattern), Some(with)) = (given.input_text(&input)?, pattern(given, false)?, given.text(1)?)
    else {
        return Ok(Collection::new());
    };
    if pattern.is_empty() {
        return Ok(input);
    }
    given.evaluator.charge(pattern.work(&text))?;
    let replaced = pattern.replace(&text, &with, given.evaluator.context.limits.text).ok_or(EvalError::TooLong)?;
    given.computed(replaced)
}
