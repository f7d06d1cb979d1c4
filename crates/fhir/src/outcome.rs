//! OperationOutcome: what went wrong, where, and what to do, in the form FHIR gives it.

use crate::json::push_string;

/// How bad an issue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Nothing could be done.
    Fatal,
    /// The request was refused because of this.
    Error,
    /// It was done, but look at this.
    Warning,
    /// For information.
    Information,
}

impl Severity {
    /// The FHIR code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Fatal => "fatal",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Information => "information",
        }
    }
}

/// What sort of issue it is: the codes of FHIR's issue-type list that Keepwell uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum IssueCode {
    /// Content that is wrong in a way no other code names.
    Invalid,
    /// The shape of the document is wrong.
    Structure,
    /// Something is missing.
    Required,
    /// A value is not acceptable.
    Value,
    /// A rule between elements is broken.
    Invariant,
    /// The caller has not signed in.
    Login,
    /// The caller may not.
    Forbidden,
    /// The server cannot do it for a reason no other code names.
    Processing,
    /// The server does not offer this.
    NotSupported,
    /// It is there already.
    Duplicate,
    /// More than one thing matches where one was meant.
    MultipleMatches,
    /// There is no such thing.
    NotFound,
    /// There was such a thing.
    Deleted,
    /// Too long.
    TooLong,
    /// Too much work.
    TooCostly,
    /// A rule of the service forbids it.
    BusinessRule,
    /// It clashes with a change made meanwhile.
    Conflict,
    /// A passing fault: try again.
    Transient,
    /// An unexpected fault inside the server.
    Exception,
    /// Too many requests.
    Throttled,
    /// For information.
    Informational,
}

impl IssueCode {
    /// The FHIR code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Structure => "structure",
            Self::Required => "required",
            Self::Value => "value",
            Self::Invariant => "invariant",
            Self::Login => "login",
            Self::Forbidden => "forbidden",
            Self::Processing => "processing",
            Self::NotSupported => "not-supported",
            Self::Duplicate => "duplicate",
            Self::MultipleMatches => "multiple-matches",
            Self::NotFound => "not-found",
            Self::Deleted => "deleted",
            Self::TooLong => "too-long",
            Self::TooCostly => "too-costly",
            Self::BusinessRule => "business-rule",
            Self::Conflict => "conflict",
            Self::Transient => "transient",
            Self::Exception => "exception",
            Self::Throttled => "throttled",
            Self::Informational => "informational",
        }
    }
}

/// One issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// How bad.
    pub severity: Severity,
    /// What sort.
    pub code: IssueCode,
    /// What is wrong and what to do, in plain words. Goes to the caller; must not be logged, it may quote the document.
    pub diagnostics: String,
    /// Where, as a FHIRPath expression such as `Bundle.entry[3].resource`.
    pub expression: Option<String>,
}

impl Issue {
    /// An error.
    #[must_use]
    pub fn error(code: IssueCode, diagnostics: impl Into<String>) -> Self {
        Self { severity: Severity::Error, code, diagnostics: diagnostics.into(), expression: None }
    }

    /// The same issue at a place.
    #[must_use]
    pub fn at(mut self, expression: impl Into<String>) -> Self {
        self.expression = Some(expression.into());
        self
    }
}

/// Issues, in the order they were found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// The issues.
    pub issues: Vec<Issue>,
}

impl Outcome {
    /// A single error.
    #[must_use]
    pub fn error(code: IssueCode, diagnostics: impl Into<String>) -> Self {
        Issue::error(code, diagnostics).into()
    }

    /// The OperationOutcome resource. One without an issue says that all went well, for FHIR wants at least one.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let fine = [Issue {
            severity: Severity::Information,
            code: IssueCode::Informational,
            diagnostics: "All well".to_owned(),
            expression: None,
        }];
        let issues = if self.issues.is_empty() { &fine[..] } else { &self.issues };
        let mut out = br#"{"resourceType":"OperationOutcome","issue":["#.to_vec();
        for (index, issue) in issues.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            out.extend_from_slice(br#"{"severity":"#);
            push_string(&mut out, issue.severity.code());
            out.extend_from_slice(br#","code":"#);
            push_string(&mut out, issue.code.code());
            out.extend_from_slice(br#","diagnostics":"#);
            push_string(&mut out, &issue.diagnostics);
            if let Some(expression) = &issue.expression {
                out.extend_from_slice(br#","expression":["#);
                push_string(&mut out, expression);
                out.push(b']');
            }
            out.push(b'}');
        }
        out.extend_from_slice(b"]}");
        out
    }
}

impl From<Issue> for Outcome {
    fn from(issue: Issue) -> Self {
        Self { issues: vec![issue] }
    }
}

impl From<crate::json::JsonError> for Outcome {
    fn from(error: crate::json::JsonError) -> Self {
        Self::error(IssueCode::Structure, format!("This is not acceptable JSON: {error}."))
    }
}
