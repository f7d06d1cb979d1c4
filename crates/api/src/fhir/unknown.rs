//! What is not served.

use axum::http::{Method, StatusCode};
use keepwell_service::IssueCode;

use super::answer::Refusal;

/// A place below `/fhir` that is not there.
pub(super) async fn place() -> Refusal {
    let words = "There is nothing here. GET /fhir/metadata says what this server offers.";
    Refusal::new(StatusCode::NOT_FOUND, IssueCode::NotSupported, words)
}

/// A method that a place does not know. The router adds the `Allow` header.
pub(super) async fn method(method: Method) -> Refusal {
    let words = format!("{method} is not offered here. GET /fhir/metadata says what this server offers.");
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, IssueCode::NotSupported, words)
}
