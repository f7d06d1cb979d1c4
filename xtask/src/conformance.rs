//! `cargo xtask conformance [--check]`: what Keepwell does of FHIR R4, with the tests that hold it, as a page to read. A
//! test of `keepwell-service` compares the same table with the capability statement.

use std::fmt::Write as _;

use toml::{Table, Value};

use crate::hazards::{tables, text};
use crate::named::Tests;
use crate::shell::{self, Outcome};

const TABLE: &str = "docs/fhir-conformance.toml";
const PAGE: &str = "docs/fhir-conformance.md";
/// Where the places in the specification are.
const SPECIFICATION: &str = "https://hl7.org/fhir/R4/";

/// Checks the table, and writes the page or says whether it is fresh.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    if let Some(unknown) = arguments.iter().find(|it| *it != "--check") {
        return Err(format!("unknown argument `{unknown}`; there is only --check"));
    }
    let table: Table = shell::text(&shell::root().join(TABLE))?.parse().map_err(|error| format!("{TABLE}: {error}"))?;
    let mut tests = Tests::default();
    let problems = problems(&table, &mut |name| tests.exists(name));
    if !problems.is_empty() {
        return Err(format!("{TABLE}:\n  {}", problems.join("\n  ")));
    }
    let page = page(&table);
    let path = shell::root().join(PAGE);
    if arguments.is_empty() {
        std::fs::write(&path, &page).map_err(|error| format!("cannot write {PAGE}: {error}"))?;
    } else if shell::text(&path)? != page {
        return Err(format!("{PAGE} is not what {TABLE} says; run `cargo xtask conformance`"));
    }
    println!(
        "conformance: {} claims, each held by a test",
        tables(table.get("part")).into_iter().flat_map(claims).count()
    );
    Ok(())
}

fn claims(part: &Table) -> Vec<&Table> {
    tables(part.get("claim"))
}

/// The texts of an array.
fn texts<'a>(table: &'a Table, field: &str) -> Vec<&'a str> {
    table.get(field).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// What is wrong with the table.
fn problems(table: &Table, exists: &mut dyn FnMut(&str) -> bool) -> Vec<String> {
    let mut problems = Vec::new();
    let parts = tables(table.get("part"));
    if parts.is_empty() {
        problems.push("the table has no part".into());
    }
    for part in parts {
        let title = text(part, "title").unwrap_or("a part without title");
        if text(part, "column").is_none() {
            problems.push(format!("{title} has no column"));
        }
        let mut seen = Vec::new();
        for claim in claims(part) {
            let what = text(claim, "what").unwrap_or("a claim that does not say what");
            if seen.contains(&what) {
                problems.push(format!("{title}: {what} stands twice"));
            }
            seen.push(what);
            if let Some(unknown) = claim.keys().find(|key| !["what", "rule", "states", "tests"].contains(&key.as_str()))
            {
                problems.push(format!("{title}: {what}: there is no field `{unknown}`"));
            }
            let tests = texts(claim, "tests");
            if tests.is_empty() {
                problems.push(format!("{title}: no test holds {what}"));
            }
            let gone = tests.into_iter().filter(|name| !exists(name));
            problems.extend(gone.map(|name| format!("{title}: {what}: there is no test `{name}`")));
        }
        if seen.is_empty() {
            problems.push(format!("{title} has no claim"));
        }
    }
    problems
}

/// The page, from a table without problems.
fn page(table: &Table) -> String {
    let mut page = format!(
        "# {}\n\n{}\n",
        text(table, "title").unwrap_or_default(),
        text(table, "about").unwrap_or_default().trim_end()
    );
    for part in tables(table.get("part")) {
        let of = |field| text(part, field).unwrap_or_default();
        write!(page, "\n## {}\n\n", of("title")).expect("a text takes all that is written");
        if !of("about").is_empty() {
            page.push_str(of("about").trim_end());
            page.push_str("\n\n");
        }
        write!(page, "| {} | R4 | held by |\n|---|---|---|\n", of("column")).expect("a text takes all that is written");
        for claim in claims(part) {
            let tests: Vec<String> = texts(claim, "tests").iter().map(|name| format!("`{name}`")).collect();
            let what = text(claim, "what").unwrap_or_default();
            let rule =
                text(claim, "rule").map(|place| format!("[{place}]({SPECIFICATION}{place})")).unwrap_or_default();
            page.push_str(&format!("| {what} | {rule} | {} |\n", tests.join("<br>").replace('|', "\\|")));
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        title = "FHIR"
        about = "What it does."
        [[part]]
        title = "Interactions"
        column = "interaction"
        [[part.claim]]
        what = "read"
        rule = "http.html#read"
        states = ["type/read"]
        tests = ["api::a_rule", "clients: reads"]
    "#;

    fn found(table: &str) -> Vec<String> {
        problems(&table.parse().unwrap(), &mut |name| ["api::a_rule", "clients: reads"].contains(&name))
    }

    #[test]
    fn a_claim_must_name_tests_that_exist() {
        assert!(found(GOOD).is_empty());
        assert_eq!(found(&GOOD.replace("a_rule", "gone")), ["Interactions: read: there is no test `api::gone`"]);
        let without = GOOD.replace(r#""api::a_rule", "clients: reads""#, "");
        assert_eq!(found(&without), ["Interactions: no test holds read"]);
        assert_eq!(found(&GOOD.replace("rule =", "rules =")), ["Interactions: read: there is no field `rules`"]);
    }

    #[test]
    fn a_part_has_a_column_and_claims_that_differ() {
        let twice = format!("{GOOD}{}", &GOOD[GOOD.find("[[part.claim]]").unwrap()..]);
        assert_eq!(found(&twice), ["Interactions: read stands twice"]);
        assert_eq!(found("[[part]]\ntitle = \"A\"\n"), ["A has no column", "A has no claim"]);
        assert_eq!(found(""), ["the table has no part"]);
    }

    #[test]
    fn the_page_is_the_table_for_people() {
        let expected = "# FHIR\n\nWhat it does.\n\n## Interactions\n\n| interaction | R4 | held by |\n|---|---|---|\n\
                        | read | [http.html#read](https://hl7.org/fhir/R4/http.html#read) | `api::a_rule`<br>`clients: reads` |\n";
        assert_eq!(page(&GOOD.parse().unwrap()), expected);
    }
}
