//! Binaries as bytes (R4 §2.10): what is sent as another type than FHIR is a file, and whoever does not ask for FHIR gets
//! the file. No file is shown in place that could hold script.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use keepwell_service::{RawBinary, ResourceAnswer};

use super::answer::{Refusal, set, with_version};
use super::negotiate::asks_for_fhir;
use super::written::text;

/// Whose a file is, as R4 has it.
const SECURITY_CONTEXT: HeaderName = HeaderName::from_static("x-security-context");

/// Whether the bytes of a Binary are wanted: FHIR is not asked for by name (R4 §2.10.2).
pub(super) fn wants_bytes(resource_type: &str, query: Option<&str>, headers: &HeaderMap) -> bool {
    resource_type == "Binary" && !asks_for_fhir(query.unwrap_or_default(), headers)
}

/// The resource that keeps a file.
pub(super) fn resource(headers: &HeaderMap, bytes: &Bytes) -> Result<Bytes, Refusal> {
    let content_type = text(headers, header::CONTENT_TYPE).unwrap_or_default();
    Ok(RawBinary::resource(content_type, bytes, text(headers, SECURITY_CONTEXT))?)
}

/// A Binary's file.
pub(super) fn file(answer: &ResourceAnswer) -> Result<Response, Refusal> {
    let RawBinary { content_type, bytes, inline } = RawBinary::of(answer)?;
    let mut response = Body::from(bytes).into_response();
    set(&mut response, header::CONTENT_TYPE, "application/octet-stream");
    set(&mut response, header::CONTENT_TYPE, &content_type);
    set(&mut response, header::CONTENT_DISPOSITION, if inline { "inline" } else { "attachment" });
    set(&mut response, header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; sandbox");
    Ok(with_version(response, answer.version, answer.last_updated))
}
