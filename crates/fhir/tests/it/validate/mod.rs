//! Validation.

mod bundles;
mod forms;
mod narrative;
mod others;
mod places;
mod profiles;
mod references;
mod rules;
mod shape;

use std::sync::LazyLock;

use keepwell_fhir::definitions::r4;
use keepwell_fhir::json::compact;
use keepwell_fhir::outcome::Severity;
use keepwell_fhir::validate::{Options, Report, Validator};

static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| Validator::new(r4()));

/// Validates a document against the base rules.
fn report(text: &str) -> Report {
    VALIDATOR.validate(&compact(text.as_bytes()).unwrap(), &Options::default())
}

/// What is said of a document: severity, path and words.
fn said(text: &str) -> Vec<String> {
    let letter = |severity| if severity == Severity::Error { 'E' } else { 'W' };
    report(text).issues.iter().map(|it| format!("{} {}: {}", letter(it.severity), it.expression, it.words)).collect()
}

/// Holds that a document is told exactly one thing, at that path, with these words in it.
#[track_caller]
fn only(text: &str, path: &str, words: &str) {
    let report = report(text);
    let told: Vec<_> = report.issues.iter().map(|it| (&*it.expression, &*it.words)).collect();
    assert!(told.len() == 1 && told[0].0 == path && told[0].1.contains(words), "{text}\n{told:#?}");
}

/// Holds that nothing is said of a document.
#[track_caller]
fn fine(text: &str) {
    assert_eq!(said(text), Vec::<String>::new(), "{text}");
}
