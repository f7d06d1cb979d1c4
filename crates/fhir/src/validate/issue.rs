//! What a validation found.

use std::ops::Range;

use super::place::{LineColumn, lines_and_columns};
use crate::outcome::{self, IssueCode, Outcome, Severity};

/// One thing that is wrong, or worth a word.
#[derive(Clone, PartialEq, Eq)]
pub struct Issue {
    /// How bad.
    pub severity: Severity,
    /// What sort.
    pub code: IssueCode,
    /// Where, in FHIRPath: `Patient.name[0].given[1]`.
    pub expression: String,
    /// What is wrong and what to do. It may quote the document: it goes to the caller, never into a log.
    pub words: String,
    /// Where in the compact bytes.
    pub place: Range<usize>,
    /// The name of the rule, if it is an invariant: `obs-6`.
    pub rule: Option<String>,
}

impl std::fmt::Debug for Issue {
    /// Never the words: they may quote personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Issue({:?}, {:?}, {})", self.severity, self.code, self.expression)
    }
}

/// All issues of a document, in the order of their places.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The issues, at most as many as were asked for.
    pub issues: Vec<Issue>,
    /// Whether there may be more.
    pub truncated: bool,
}

impl Report {
    /// Whether nothing is wrong; warnings may be there.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.errors().next().is_none()
    }

    /// The errors.
    pub fn errors(&self) -> impl Iterator<Item = &Issue> {
        self.issues.iter().filter(|issue| matches!(issue.severity, Severity::Error | Severity::Fatal))
    }

    /// The issues as an OperationOutcome. With the document as it was sent (in JSON), each says its line and column.
    #[must_use]
    pub fn outcome(&self, original: Option<&[u8]>) -> Outcome {
        self.outcome_at(&original.map(|original| lines_and_columns(original, &self.places())).unwrap_or_default())
    }

    /// Where the issues start in the compact bytes.
    #[must_use]
    pub fn places(&self) -> Vec<usize> {
        self.issues.iter().map(|issue| issue.place.start).collect()
    }

    /// The issues as an OperationOutcome, with the line and column of each, if they are given.
    #[must_use]
    pub fn outcome_at(&self, lines: &[LineColumn]) -> Outcome {
        let mut issues: Vec<outcome::Issue> = Vec::with_capacity(self.issues.len() + 1);
        for (at, issue) in self.issues.iter().enumerate() {
            let diagnostics = match lines.get(at) {
                Some(place) => format!("{} (line {}, column {})", issue.words, place.line, place.column),
                None => issue.words.clone(),
            };
            let expression = Some(issue.expression.clone()).filter(|it| !it.is_empty());
            issues.push(outcome::Issue { severity: issue.severity, code: issue.code, diagnostics, expression });
        }
        if self.truncated {
            let words =
                format!("There may be more: only the first {} are told. Mend these, then try again.", issues.len());
            let (severity, code) = (Severity::Information, IssueCode::Informational);
            issues.push(outcome::Issue { severity, code, diagnostics: words, expression: None });
        }
        Outcome { issues }
    }
}
