//! FHIRPath: HL7's suite for R4, and rules of our own.

mod limits;
mod rules;
mod suite;
mod xml;

use keepwell_fhir::definitions::r4;
use keepwell_fhir::fhirpath::{Collection, Context, EvalError, Expression, Value};
use keepwell_fhir::json::Node;

/// A value as a test compares it: a text for what has one, else its type.
fn shown(value: &Value<'_>) -> String {
    match value.system() {
        Some(Value::Boolean(boolean)) => boolean.to_string(),
        Some(Value::Integer(number)) => number.to_string(),
        Some(Value::Decimal(number)) => number.to_string(),
        Some(Value::String(text)) => text.to_string(),
        Some(Value::Temporal(moment)) => moment.to_string(),
        Some(Value::Quantity(quantity)) => quantity.to_string(),
        _ => format!("{value:?}"),
    }
}

fn all_shown(values: &Collection<'_>) -> Vec<String> {
    values.iter().map(shown).collect()
}

/// What an expression answers over a resource.
fn answer(resource: &str, expression: &str) -> Result<Vec<String>, EvalError> {
    let expression = Expression::parse(expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
    let context = Context::of(r4(), Node::of_text(resource));
    Ok(all_shown(&expression.evaluate(&context)?))
}

/// What an expression answers that needs no document.
fn alone(expression: &str) -> Result<Vec<String>, EvalError> {
    answer("{}", expression)
}
