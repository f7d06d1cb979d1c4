//! Answers FHIRPath expressions, for comparison with another engine. Reads lines of JSON, each with a `file`, perhaps the
//! number of an `entry` of the Bundle in it, and an `expression`; writes for each a line with `values` or an `error`.
#![expect(clippy::print_stdout, reason = "the answers are its output")]

use std::collections::HashMap;
use std::io::BufRead;

use keepwell_fhir::definitions::r4;
use keepwell_fhir::fhirpath::{Context, Expression, Value};
use keepwell_fhir::json::{Node, compact, quoted};
use keepwell_model::Timestamp;

fn main() {
    let mut files: HashMap<String, File> = HashMap::new();
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("the questions are UTF-8");
        let question = Node::of_text(&line);
        let text = |name: &str| question.get_text(name).unwrap_or_default().into_owned();
        let file = files.entry(text("file")).or_insert_with_key(|path| File::read(path));
        let resource = match question.get("entry").and_then(Node::number) {
            None => &file.whole,
            Some(entry) => &file.resources[entry.parse::<usize>().expect("it is a number")],
        };
        println!("{}", answer(Node::of_text(resource), &text("expression")));
    }
}

/// A file that was read.
struct File {
    whole: String,
    /// The resources of a Bundle, one for each entry.
    resources: Vec<String>,
}

impl File {
    fn read(path: &str) -> Self {
        let compact = compact(&std::fs::read(path).expect("the file is there")).expect("the file is JSON");
        let whole = String::from_utf8(compact).expect("a compact document is UTF-8");
        let entries = Node::of_text(&whole).get("entry").into_iter().flat_map(Node::items);
        let resources = entries.map(|entry| entry.get("resource").map_or("{}", Node::raw).to_owned()).collect();
        Self { whole, resources }
    }
}

fn answer(resource: Node<'_>, expression: &str) -> String {
    let error = |words: String| format!("{{\"error\":{}}}", quoted(&words));
    let expression = match Expression::parse(expression) {
        Ok(expression) => expression,
        Err(fault) => return error(fault.to_string()),
    };
    // 1 May 2026.
    let now = Some((Timestamp::from_micros(1_777_593_600_000_000), 0));
    let context = Context { now, ..Context::of(r4(), resource) };
    match expression.evaluate(&context) {
        Ok(values) => format!("{{\"values\":[{}]}}", values.iter().filter_map(json).collect::<Vec<_>>().join(",")),
        Err(fault) => error(fault.to_string()),
    }
}

/// A value as JSON: texts for what JSON has no type for; nothing for an element that has only extensions.
fn json(value: &Value<'_>) -> Option<String> {
    Some(match value {
        Value::Element(element) => element.node()?.raw().to_owned(),
        Value::Boolean(boolean) => boolean.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Decimal(number) => number.to_string(),
        Value::String(text) => quoted(text),
        Value::Temporal(moment) => quoted(&moment.to_string()),
        Value::Quantity(quantity) => quoted(&quantity.to_string()),
        Value::Type(namespace, name) => quoted(&format!("{namespace}.{name}")),
    })
}
