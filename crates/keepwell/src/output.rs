//! What commands print: a report as JSON with `--json`, else as lines for people.

use std::io::Write as _;

use serde_json::{Value, json};

use crate::error::CliError;

/// Prints a report.
pub(crate) fn report(json: bool, value: &Value) {
    if json {
        say(&value.to_string());
    } else if let Value::Object(fields) = value {
        for (name, value) in fields {
            print_field(name, value, 0);
        }
    } else {
        say(&value.to_string());
    }
}

fn print_field(name: &str, value: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    let name = name.replace('_', " ");
    match value {
        Value::Object(fields) => {
            say(&format!("{indent}{name}:"));
            for (name, value) in fields {
                print_field(name, value, depth + 1);
            }
        }
        Value::Array(items) if items.is_empty() => say(&format!("{indent}{name}: none")),
        Value::Array(items) => {
            say(&format!("{indent}{name}:"));
            for item in items {
                let text = item.as_str().map_or_else(|| item.to_string(), str::to_owned);
                say(&format!("{indent}  {text}"));
            }
        }
        Value::String(text) => say(&format!("{indent}{name}: {text}")),
        other => say(&format!("{indent}{name}: {other}")),
    }
}

/// Prints a line for people to standard output. A reader that has seen enough (`| head`) is no error.
pub(crate) fn say(line: &str) {
    drop(writeln!(std::io::stdout(), "{line}"));
}

/// Prints a line to standard error, where it does not disturb what a command answers.
#[expect(clippy::print_stderr, reason = "this is the one place that prints beside the answer")]
pub(crate) fn aside(line: &str) {
    eprintln!("{line}");
}

/// Prints why a command failed.
pub(crate) fn complain(as_json: bool, error: &CliError) {
    if as_json {
        say(&json!({ "error": error.to_string(), "code": error.number() }).to_string());
    } else {
        aside(&format!("keepwell: {error}"));
    }
}
