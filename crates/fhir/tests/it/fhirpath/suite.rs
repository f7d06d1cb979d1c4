//! HL7's FHIRPath suite for R4, all of it.

use std::collections::BTreeMap;
use std::path::Path;

use keepwell_fhir::decimal::Decimal;
use keepwell_fhir::definitions::{Definitions, r4};
use keepwell_fhir::fhirpath::{Collection, Context, Expression, Temporal, Value};
use keepwell_fhir::json::{Node, compact};
use keepwell_model::Timestamp;

use super::xml::{self, Tag};
use crate::shared::shared;

/// The tests that fail, each with its reason. A test that comes to pass must leave the list.
const FAILURES: &[(&str, &str)] = &[(
    "testPlusDate19",
    "it wants a tenth of a second not to count; N1 §6.6.3 ignores a fraction only above seconds, and so does HL7's engine",
)];

/// An input file as compact JSON.
fn input(folder: &Path, name: &str, definitions: &Definitions) -> Vec<u8> {
    let bytes = std::fs::read(folder.join(name)).unwrap();
    if name.ends_with(".json") {
        compact(&bytes).unwrap()
    } else {
        keepwell_fhir::xml::read(&bytes, definitions).unwrap()
    }
}

#[test]
fn hl7s_suite_passes_but_for_the_listed_tests() {
    let Some(folder) = shared("fhir-test-cases/fhirpath") else { return };
    let definitions = r4();
    let text = std::fs::read_to_string(folder.join("tests-fhir-r4.xml")).unwrap();
    let suite = xml::read(&text);
    let mut inputs: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for test in suite.all("group").flat_map(|group| group.all("test")) {
        if let Some(name) = test.attribute("inputfile") {
            inputs.entry(name.to_owned()).or_insert_with(|| input(&folder, name, definitions));
        }
    }
    let (mut count, mut failures) = (0, Vec::new());
    for test in suite.all("group").flat_map(|group| group.all("test")) {
        count += 1;
        let document = test.attribute("inputfile").map(|name| Node::new(&inputs[name]).unwrap());
        if let Err(problem) = run(test, document, definitions) {
            let expression = test.all("expression").next().unwrap().text.trim();
            failures.push((test.attribute("name").unwrap_or("(no name)").to_owned(), expression.to_owned(), problem));
        }
    }
    println!("{} of {count} tests pass", count - failures.len());
    for (name, expression, problem) in &failures {
        println!("{name}: {expression}: {problem}");
    }
    let names: Vec<&str> = failures.iter().map(|(name, ..)| name.as_str()).collect();
    let listed: Vec<&str> = FAILURES.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, listed, "the tests that fail are not those that are listed");
    assert!(failures.len() * 100 <= count, "more than one in a hundred fails");
}

/// Runs one test; the error says what was wrong.
fn run(test: &Tag<'_>, document: Option<Node<'_>>, definitions: &Definitions) -> Result<(), String> {
    let expression = test.all("expression").next().unwrap();
    let outcome = evaluate(test, &expression.text, document, definitions);
    match (expression.attribute("invalid"), outcome) {
        (Some(_), Err(_)) => Ok(()),
        (Some(kind), Ok(found)) => Err(format!("a {kind} error is missing; it answers {found:?}")),
        (None, Err(problem)) => Err(problem),
        (None, Ok(found)) => {
            let mut wanted: Vec<(Option<&str>, &str)> =
                test.all("output").map(|output| (output.attribute("type"), output.text.as_str())).collect();
            let mut found = found;
            if test.attribute("ordered") == Some("false") {
                wanted.sort_by_key(|(_, text)| *text);
                found.sort();
            }
            let same = wanted.len() == found.len()
                && wanted.iter().zip(&found).all(|((kind, wanted), found)| is_same(*kind, wanted, found));
            if same { Ok(()) } else { Err(format!("wanted {wanted:?}, got {found:?}")) }
        }
    }
}

/// What an expression answers: texts with their types, or the error.
fn evaluate(
    test: &Tag<'_>,
    expression: &str,
    document: Option<Node<'_>>,
    definitions: &Definitions,
) -> Result<Vec<(String, String)>, String> {
    let expression = Expression::parse(expression).map_err(|error| error.to_string())?;
    let type_name = document.and_then(|node| node.get_text("resourceType"));
    if let Some(fault) = expression.check(definitions, type_name.as_deref()).first() {
        return Err(format!("by the types: {fault}"));
    }
    let context = document.map_or_else(|| Context::empty(definitions), |node| Context::of(definitions, node));
    let context = Context { now: Some((Timestamp::from_micros(1_764_000_000_000_000), 0)), ..context };
    let found = expression.evaluate(&context).map_err(|error| error.to_string())?;
    if test.attribute("predicate") == Some("true") {
        return Ok(vec![("System.Boolean".to_owned(), (!found.is_empty()).to_string())]);
    }
    Ok(shown(&found))
}

fn shown(values: &Collection<'_>) -> Vec<(String, String)> {
    let text = |value: &Value<'_>| match value.system() {
        Some(Value::Boolean(boolean)) => boolean.to_string(),
        Some(Value::Integer(number)) => number.to_string(),
        Some(Value::Decimal(number)) => number.to_string(),
        Some(Value::String(text)) => text.to_string(),
        Some(Value::Temporal(moment)) => moment.to_string(),
        Some(Value::Quantity(quantity)) => quantity.to_string(),
        other => format!("{other:?}"),
    };
    let name = |value: &Value<'_>| format!("{}.{}", value.type_name().0, value.type_name().1);
    values.iter().map(|value| (name(value), text(value))).collect()
}

/// Whether a value is the one that is wanted. A type, where one is wanted, is that of FHIR or the System's for it.
fn is_same(kind: Option<&str>, wanted: &str, (type_name, found): &(String, String)) -> bool {
    let capital = |name: &str| format!("System.{}{}", name[..1].to_uppercase(), &name[1..]);
    if let Some(kind) = kind
        && *type_name != format!("FHIR.{kind}")
        && *type_name != capital(kind)
    {
        return false;
    }
    let wanted = wanted.strip_prefix("@T").or_else(|| wanted.strip_prefix('@')).unwrap_or(wanted);
    match (Temporal::date_time(wanted), Decimal::parse(wanted)) {
        _ if wanted == found => true,
        // As many digits, and the same number: `-0.0` is `0.0`.
        (None, Some(number)) => {
            let found = Decimal::parse(found);
            found.is_some_and(|found| found == number && found.scale() == number.scale())
        }
        _ => false,
    }
}
