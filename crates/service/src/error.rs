//! What can go wrong, in words that may be shown. Causes are logged here, once, with ids only; they never travel on.

use bytes::Bytes;

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

/// What is wrong with the fields of a form, in the order of the form; never empty when returned as an error.
pub type FormErrors = Vec<FieldError>;

/// One field and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The form field, such as `systolic`.
    pub field: &'static str,
    /// What is wrong, as a key for translations.
    pub problem: Problem,
    /// The same in plain English.
    pub message: String,
}

/// What can be wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Problem {
    /// Nothing was given.
    Missing,
    /// Not a whole number.
    NotANumber,
    /// Lower than can be true.
    TooLow,
    /// Higher than can be true.
    TooHigh,
    /// The top number is not above the bottom number.
    NotAbove,
    /// Not a date.
    NotADate,
    /// Not a time of day.
    NotATime,
    /// A time that the clocks skipped on that day.
    SkippedByClocks,
    /// Later than now.
    InTheFuture,
    /// Before the person was born.
    BeforeBirth,
    /// The form itself is not one that we handed out.
    BadForm,
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

/// One issue of an `OperationOutcome`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// FHIR issue type.
    pub code: IssueCode,
    /// What is wrong, in words without personal data.
    pub diagnostics: String,
    /// Where, as a FHIRPath such as `Bundle.entry[3].resource`.
    pub expression: Option<String>,
}

/// The FHIR issue types in use, all of severity `error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IssueCode {
    /// The content cannot be parsed, or breaks the rules of FHIR.
    Invalid,
    /// Something needed is missing.
    Required,
    /// Understood, but not taken by this server.
    NotSupported,
    /// Breaks a rule of this service, such as "one person a Bundle" or "the details must agree".
    BusinessRule,
    /// There is no such thing.
    NotFound,
    /// It was there and is deleted.
    Deleted,
    /// Too large.
    TooLong,
    /// A race was lost too often.
    Conflict,
    /// Not available just now.
    Transient,
}

impl IssueCode {
    /// The code as FHIR spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Required => "required",
            Self::NotSupported => "not-supported",
            Self::BusinessRule => "business-rule",
            Self::NotFound => "not-found",
            Self::Deleted => "deleted",
            Self::TooLong => "too-long",
            Self::Conflict => "conflict",
            Self::Transient => "transient",
        }
    }
}

impl FhirError {
    /// A refusal with one issue.
    #[must_use]
    pub fn new(status: u16, code: IssueCode, diagnostics: impl Into<String>) -> Self {
        let issue = Issue { code, diagnostics: diagnostics.into(), expression: None };
        Self { status, issues: vec![issue], task: None }
    }

    /// The same, saying where in the request.
    #[must_use]
    pub fn at(mut self, expression: impl Into<String>) -> Self {
        if let Some(last) = self.issues.last_mut() {
            last.expression = Some(expression.into());
        }
        self
    }

    /// The `OperationOutcome` as JSON.
    #[must_use]
    pub fn outcome(&self) -> Bytes {
        let issues: Vec<serde_json::Value> =
            self.issues.iter().map(|issue| issue_json(issue, self.task.as_deref())).collect();
        let outcome = serde_json::json!({ "resourceType": "OperationOutcome", "issue": issues });
        Bytes::from(outcome.to_string())
    }
}

fn issue_json(issue: &Issue, task: Option<&str>) -> serde_json::Value {
    let mut json = serde_json::json!({
        "severity": "error",
        "code": issue.code.as_str(),
        "diagnostics": issue.diagnostics,
    });
    if let Some(expression) = &issue.expression {
        json["expression"] = serde_json::json!([expression]);
    }
    if let Some(task) = task {
        json["details"] = serde_json::json!({ "text": format!("Kept for matching as task {task}") });
    }
    json
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_reads_as_an_operation_outcome_that_names_its_task() {
        let mut error =
            FhirError::new(422, IssueCode::BusinessRule, "the details do not agree").at("Bundle.entry[0].resource");
        error.task = Some("t1".to_owned());
        let json: serde_json::Value = serde_json::from_slice(&error.outcome()).unwrap();
        assert_eq!(json["resourceType"], "OperationOutcome");
        assert_eq!(json["issue"][0]["code"], "business-rule");
        assert_eq!(json["issue"][0]["expression"][0], "Bundle.entry[0].resource");
        assert_eq!(json["issue"][0]["details"]["text"], "Kept for matching as task t1");
    }
}
