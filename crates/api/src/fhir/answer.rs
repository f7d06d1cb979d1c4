//! How answers of the FHIR door look.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use keepwell_model::{Seq, Timestamp};
use keepwell_service::{FhirError, IssueCode};

use crate::http_date::http_date;

/// FHIR as JSON.
pub(super) const FHIR_JSON: &str = "application/fhir+json";
/// FHIR as XML.
pub(super) const FHIR_XML: &str = "application/fhir+xml";

/// Why a request was refused, on its way to becoming an answer.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) FhirError);

impl Refusal {
    pub(super) fn new(status: StatusCode, code: IssueCode, words: impl Into<String>) -> Self {
        Self(FhirError::new(status.as_u16(), code, words))
    }
}

impl From<FhirError> for Refusal {
    fn from(error: FhirError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, json(self.0.outcome())).into_response();
        let headers = response.headers_mut();
        match status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"keepwell\""));
            }
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::CONFLICT => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            }
            StatusCode::TOO_MANY_REQUESTS => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}

/// A document as a body with its content type.
pub(super) fn json(document: Bytes) -> Response {
    ([(header::CONTENT_TYPE, FHIR_JSON)], Body::from(document)).into_response()
}

/// Says which version of a resource an answer is about, and when it was written.
pub(super) fn with_version(mut response: Response, version: Seq, at: Timestamp) -> Response {
    set(&mut response, header::ETAG, &format!("W/\"{version}\""));
    set(&mut response, header::LAST_MODIFIED, &http_date(at));
    response
}

/// Sets a header, unless its value cannot be one.
pub(super) fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// Adds what every answer carries: it may be about a person, so nobody keeps it, frames it or guesses its type.
pub(super) async fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
