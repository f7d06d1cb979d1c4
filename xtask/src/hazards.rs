//! `cargo xtask hazards`: the clinical hazard log is complete, and each test that it or the threat model names exists.

use toml::{Table, Value};

use crate::named::Tests;
use crate::shell::{self, Outcome};

const LOG: &str = "docs/clinical-safety/hazard-log.toml";
const THREATS: &str = "docs/threat-model.md";
const SEVERITIES: [&str; 5] = ["minor", "significant", "considerable", "major", "catastrophic"];
const LIKELIHOODS: [&str; 5] = ["very low", "low", "medium", "high", "very high"];
/// The risk class of each likelihood (row) and severity (column), the matrix of DCB0129.
const RISKS: [[u64; 5]; 5] = [[1, 1, 2, 2, 3], [1, 2, 2, 3, 4], [2, 2, 3, 3, 4], [2, 3, 3, 4, 5], [3, 4, 4, 5, 5]];

/// Reads the log and checks every entry.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    if let Some(unknown) = arguments.first() {
        return Err(format!("unknown argument `{unknown}`; this command takes none"));
    }
    let log: Table = shell::text(&shell::root().join(LOG))?.parse().map_err(|error| format!("{LOG}: {error}"))?;
    let mut tests = Tests::default();
    let (hazards, problems) = problems(&log, &mut |name| tests.exists(name));
    if !problems.is_empty() {
        return Err(format!("{LOG}:\n  {}", problems.join("\n  ")));
    }
    let threats = shell::text(&shell::root().join(THREATS))?;
    let named = test_names(&threats);
    let gone: Vec<&str> = named.iter().copied().filter(|name| !tests.exists(name)).collect();
    if !gone.is_empty() {
        return Err(format!("{THREATS} names tests that do not exist:\n  {}", gone.join("\n  ")));
    }
    println!("hazards: {hazards} hazards, every control held by a test; {} tests in the threat model", named.len());
    Ok(())
}

/// The tests that a Markdown text names in code marks: `crate::path::name` and `e2e: title`.
fn test_names(text: &str) -> Vec<&str> {
    let marked = text.split('`').skip(1).step_by(2);
    marked.filter(|name| name.starts_with("e2e: ") || (name.contains("::") && !name.contains(' '))).collect()
}

/// How many hazards the log has, and what is wrong with them.
fn problems(log: &Table, exists: &mut dyn FnMut(&str) -> bool) -> (usize, Vec<String>) {
    let mut problems = Vec::new();
    let mut ids = Vec::new();
    let hazards: Vec<&Table> = tables(log.get("hazard"));
    for hazard in &hazards {
        let id = text(hazard, "id").unwrap_or("a hazard without id");
        if ids.contains(&id) {
            problems.push(format!("{id} stands twice"));
        }
        ids.push(id);
        for field in ["hazard", "cause", "effect", "residual", "owner"] {
            if text(hazard, field).is_none() {
                problems.push(format!("{id} has no {field}"));
            }
        }
        problems.extend(risk_problem(id, hazard));
        let controls = tables(hazard.get("control"));
        if controls.is_empty() {
            problems.push(format!("{id} has no control"));
        }
        for control in controls {
            let what = text(control, "what").unwrap_or("a control that is not described");
            let named: Vec<&str> = control
                .get("tests")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            if named.is_empty() {
                problems.push(format!("{id}: no test holds the control \"{what}\""));
            }
            problems.extend(
                named.iter().filter(|name| !exists(name)).map(|name| format!("{id}: there is no test `{name}`")),
            );
        }
    }
    if hazards.is_empty() {
        problems.push("the log has no hazard".into());
    }
    (hazards.len(), problems)
}

/// The class that severity and likelihood give must be the one that is written down.
fn risk_problem(id: &str, hazard: &Table) -> Option<String> {
    let place = |field: &str, words: &[&str]| words.iter().position(|word| text(hazard, field) == Some(word));
    let Some(severity) = place("severity", &SEVERITIES) else {
        return Some(format!("{id}: severity is one of {}", SEVERITIES.join(", ")));
    };
    let Some(likelihood) = place("likelihood", &LIKELIHOODS) else {
        return Some(format!("{id}: likelihood is one of {}", LIKELIHOODS.join(", ")));
    };
    let class = RISKS[likelihood][severity];
    let written = hazard.get("risk").and_then(Value::as_integer).and_then(|risk| u64::try_from(risk).ok());
    (written != Some(class)).then(|| format!("{id}: severity and likelihood make this risk class {class}"))
}

/// The tables of an array of tables.
pub(crate) fn tables(value: Option<&Value>) -> Vec<&Table> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table).collect()
}

/// A text that is there and not blank.
pub(crate) fn text<'a>(table: &'a Table, field: &str) -> Option<&'a str> {
    table.get(field).and_then(Value::as_str).filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        [[hazard]]
        id = "H1"
        hazard = "h"
        cause = "c"
        effect = "e"
        severity = "major"
        likelihood = "low"
        risk = 3
        residual = "r"
        owner = "o"
        [[hazard.control]]
        what = "w"
        tests = ["service::a_rule"]
    "#;

    fn found(log: &str) -> Vec<String> {
        problems(&log.parse().unwrap(), &mut |name| name == "service::a_rule").1
    }

    #[test]
    fn a_complete_hazard_has_no_problem() {
        assert!(found(GOOD).is_empty());
    }

    #[test]
    fn a_control_must_name_a_test_that_exists() {
        assert_eq!(found(&GOOD.replace("a_rule", "gone")), ["H1: there is no test `service::gone`"]);
        assert_eq!(found(&GOOD.replace("\"service::a_rule\"", "")), ["H1: no test holds the control \"w\""]);
        assert_eq!(found(GOOD.split("[[hazard.control]]").next().unwrap()), ["H1 has no control"]);
    }

    #[test]
    fn the_risk_class_follows_from_the_matrix() {
        assert_eq!(
            found(&GOOD.replace("risk = 3", "risk = 1")),
            ["H1: severity and likelihood make this risk class 3"]
        );
        assert_eq!(found(&GOOD.replace("\"low\"", "\"sometimes\"")).len(), 1);
    }

    #[test]
    fn a_hazard_must_be_complete_and_have_its_own_id() {
        assert_eq!(found(&GOOD.replace("residual = \"r\"", "")), ["H1 has no residual"]);
        assert_eq!(found(&format!("{GOOD}{GOOD}")), ["H1 stands twice"]);
        assert_eq!(found(""), ["the log has no hazard"]);
    }

    #[test]
    fn a_text_names_its_tests_in_code_marks() {
        let text = "| T1 | `record::a_rule`, `e2e: signs in` | the `Origin` header and `a::b c` |";
        assert_eq!(test_names(text), ["record::a_rule", "e2e: signs in"]);
    }
}
