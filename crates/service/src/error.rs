//! What can go wrong, in words that may be shown. Causes are logged here, once, with ids only; they never travel on.

use bytes::Bytes;
use keepwell_fhir::outcome::{Issue, IssueCode, Outcome};
use keepwell_record::RecordError;

use crate::views::FormErrors;

/// Why a use case gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// There is no such thing, or the actor may not know that there is.
    #[error("we could not find that")]
    NotFound,
    /// The answer could not be given just now; nothing was changed. It never means "there is nothing".
    #[error("this is not available just now; please try again in a few minutes")]
    Unavailable,
    /// Somebody else changed the same thing again and again; nothing was changed.
    #[error("somebody else changed this at the same moment; please try again")]
    Conflict,
    /// What was filled in cannot be taken.
    #[error("some answers need another look")]
    Invalid(FormErrors),
    /// More than this installation takes at once.
    #[error("that is too large: the limit is {limit}")]
    TooLarge {
        /// The limit, with its unit, such as `32 MB`.
        limit: String,
    },
}

/// Why a person was not signed in. It says the same whether the number is unknown or the details differ, so that
/// nobody can find out who has a record (NN-4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// No record agrees with NHS number, date of birth and family name together.
    #[error("we could not find a record with these details")]
    NoMatch,
    /// The identity was proved less strongly than a health record needs (NL-2).
    #[error("you need to prove who you are first")]
    NotProved,
    /// Could not be looked up just now.
    #[error("this is not available just now; please try again in a few minutes")]
    Unavailable,
}

/// A refusal to another system: an HTTP status and what a FHIR `OperationOutcome` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FhirError {
    /// HTTP status that fits.
    pub status: u16,
    /// What is wrong, never empty.
    pub issues: Vec<Issue>,
    /// Number of the matching-queue task that keeps the Bundle for a person to look at, where there is one.
    pub task: Option<String>,
}

impl FhirError {
    /// A refusal with one issue.
    #[must_use]
    pub fn new(status: u16, code: IssueCode, diagnostics: impl Into<String>) -> Self {
        Self { status, issues: vec![Issue::error(code, diagnostics)], task: None }
    }

    /// The same, saying where in the request.
    #[must_use]
    pub fn at(mut self, expression: impl Into<String>) -> Self {
        if let Some(last) = self.issues.last_mut() {
            last.expression = Some(expression.into());
        }
        self
    }

    /// A refusal for what is wrong with the request itself.
    pub(crate) fn of(status: u16, outcome: Outcome) -> Self {
        Self { status, issues: outcome.issues, task: None }
    }

    /// The `OperationOutcome` that says that all went well, as JSON.
    #[must_use]
    pub fn all_well() -> Bytes {
        Bytes::from(Outcome::default().to_json())
    }

    /// The `OperationOutcome` as JSON.
    #[must_use]
    pub fn outcome(&self) -> Bytes {
        let mut issues = self.issues.clone();
        if let (Some(task), Some(first)) = (&self.task, issues.first_mut()) {
            first.diagnostics.push_str(&format!(" It is kept as matching task {task}; nothing went into a record."));
        }
        Bytes::from(Outcome { issues }.to_json())
    }
}

impl std::fmt::Display for FhirError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.issues.first().map_or("refused", |issue| &issue.diagnostics))
    }
}

impl std::error::Error for FhirError {}

impl From<ServiceError> for FhirError {
    fn from(error: ServiceError) -> Self {
        let (status, code) = match &error {
            ServiceError::NotFound => (404, IssueCode::NotFound),
            ServiceError::Unavailable => (503, IssueCode::Transient),
            ServiceError::Conflict => (409, IssueCode::Conflict),
            ServiceError::Invalid(_) => (422, IssueCode::Invalid),
            ServiceError::TooLarge { .. } => (413, IssueCode::TooLong),
        };
        Self::new(status, code, error.to_string())
    }
}

/// What the engine could not do, in words for whoever asked. The cause is logged here, with ids only.
impl From<RecordError> for ServiceError {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Conflict { .. } | RecordError::AliasTaken => Self::Conflict,
            RecordError::NoSuchRecord(_) | RecordError::Merged { .. } => Self::NotFound,
            RecordError::TooLarge { limit, what, .. } => Self::TooLarge { limit: format!("{limit} ({what})") },
            other => {
                tracing::error!("The record engine did not answer: {other}");
                Self::Unavailable
            }
        }
    }
}

impl From<RecordError> for FhirError {
    fn from(error: RecordError) -> Self {
        ServiceError::from(error).into()
    }
}

/// A denial is never told apart from "there is no such thing".
pub(crate) fn denied(denied: keepwell_policy::Denied) -> ServiceError {
    tracing::info!("Denied: {denied}");
    ServiceError::NotFound
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_reads_as_an_operation_outcome_that_names_its_task() {
        let mut error = FhirError::new(422, IssueCode::BusinessRule, "The details do not agree.");
        error = error.at("Bundle.entry[0].resource");
        error.task = Some("t1".to_owned());
        let json: serde_json::Value = serde_json::from_slice(&error.outcome()).unwrap();
        assert_eq!(json["resourceType"], "OperationOutcome");
        assert_eq!(json["issue"][0]["code"], "business-rule");
        assert_eq!(json["issue"][0]["expression"][0], "Bundle.entry[0].resource");
        assert!(json["issue"][0]["diagnostics"].as_str().unwrap().contains("matching task t1"));
    }
}
