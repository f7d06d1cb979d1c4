//! What comes in and what may go out: FHIR JSON of R4, and the two patches.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use keepwell_service::{IssueCode, query_parameters};

use super::answer::{FHIR_JSON, Refusal};
use super::pretty::pretty;

/// A JSON Patch.
const JSON_PATCH: &str = "application/json-patch+json";

/// Checks that a body is what its sender must say it is.
pub(super) fn sends_fhir_json(headers: &HeaderMap) -> Result<(), Refusal> {
    if content_type(headers).is_some_and(is_fhir_json) {
        return Ok(());
    }
    let words = "Send FHIR R4 as JSON, with the header 'Content-Type: application/fhir+json'.";
    Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, IssueCode::NotSupported, words))
}

/// Checks that a body is a patch.
pub(super) fn sends_patch(headers: &HeaderMap) -> Result<(), Refusal> {
    let json_patch = |value| {
        let (media, parameters) = parts(value);
        media.eq_ignore_ascii_case(JSON_PATCH)
            && parameters.into_iter().all(|(name, value)| parameter_fits(name, value))
    };
    if content_type(headers).is_some_and(json_patch) {
        return Ok(());
    }
    let words = "Send a JSON Patch, with the header 'Content-Type: application/json-patch+json'.";
    Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, IssueCode::NotSupported, words))
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok())
}

/// Refuses what cannot be answered in a form that the caller wants, and gives the answer that form.
pub(super) async fn render(request: Request, next: Next) -> Response {
    let parameters = query_parameters(request.uri().query().unwrap_or_default());
    let of = |name: &str| parameters.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
    // `_format` says more than the header, for callers who cannot set one (R4 §3.1.0.1.11).
    let wanted = match of("_format") {
        Some("json") => Ok(()),
        // A plus sign that was not escaped arrives as a blank.
        Some(format) if takes(&format.replace(' ', "+")) => Ok(()),
        Some(_) => Err(not_acceptable()),
        None => takes_fhir_json(request.headers()),
    };
    let is_pretty = of("_pretty") == Some("true");
    let response = match wanted {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    if is_pretty { pretty(response).await } else { response }
}

/// Checks that FHIR JSON is something that the caller wants.
fn takes_fhir_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut ranges = list(headers, header::ACCEPT).peekable();
    if ranges.peek().is_none() || ranges.any(takes) { Ok(()) } else { Err(not_acceptable()) }
}

fn not_acceptable() -> Refusal {
    let words = "This server answers in FHIR JSON only. Accept 'application/fhir+json'.";
    Refusal::new(StatusCode::NOT_ACCEPTABLE, IssueCode::NotSupported, words)
}

/// The items of a comma-separated header, however often it stands.
pub(super) fn list(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|item| !item.is_empty())
}

fn is_fhir_json(content_type: &str) -> bool {
    let (media, parameters) = parts(content_type);
    // Plain JSON is taken too: R4 §3.1.0.1.11 asks for it, and many clients send it.
    let json = [FHIR_JSON, "application/json", "text/json"].iter().any(|it| media.eq_ignore_ascii_case(it));
    json && parameters.into_iter().all(|(name, value)| parameter_fits(name, value))
}

/// Whether a range of `Accept` covers FHIR JSON. Plain JSON is taken too: every FHIR client means this by it.
fn takes(range: &str) -> bool {
    let (media, parameters) = parts(range);
    let covered = ["*/*", "application/*", FHIR_JSON, "application/json", "text/json"]
        .iter()
        .any(|it| media.eq_ignore_ascii_case(it));
    let refused = |(name, value): &(&str, &str)| {
        let zero = value.trim_end_matches('0').trim_end_matches('.');
        name.eq_ignore_ascii_case("q") && (zero.is_empty() || zero == "0")
    };
    covered
        && !parameters.iter().any(refused)
        && parameters.into_iter().all(|(name, value)| parameter_fits(name, value))
}

fn parameter_fits(name: &str, value: &str) -> bool {
    match name.to_ascii_lowercase().as_str() {
        "charset" => value.eq_ignore_ascii_case("utf-8"),
        "fhirversion" => matches!(value, "4.0" | "4.0.1"),
        _ => true,
    }
}

/// A media type and its parameters.
fn parts(text: &str) -> (&str, Vec<(&str, &str)>) {
    let mut parts = text.split(';');
    let media = parts.next().unwrap_or_default().trim();
    let parameters = parts.filter_map(|part| part.split_once('='));
    (media, parameters.map(|(name, value)| (name.trim(), value.trim().trim_matches('"'))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_fhir_json_of_r4_is_taken_in() {
        for (content_type, fits) in [
            ("application/fhir+json", true),
            ("Application/FHIR+JSON; charset=UTF-8", true),
            ("application/fhir+json; fhirVersion=4.0", true),
            ("application/fhir+json; charset=\"utf-8\"", true),
            ("application/fhir+json; fhirVersion=5.0", false),
            ("application/fhir+json; charset=latin1", false),
            ("application/json", true),
            ("application/json-patch+json", false),
            ("application/fhir+xml", false),
            ("", false),
        ] {
            assert_eq!(is_fhir_json(content_type), fits, "{content_type}");
        }
    }

    #[test]
    fn a_caller_who_wants_something_else_is_told_so() {
        for (accept, fits) in [
            ("*/*", true),
            ("text/html, application/fhir+json;q=0.5", true),
            ("application/json", true),
            ("application/*;q=0.1", true),
            ("application/fhir+json; fhirVersion=4.0", true),
            ("application/fhir+json; fhirVersion=3.0", false),
            ("application/fhir+xml", false),
            ("*/*;q=0", false),
            ("*/*;q=0.00", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            assert_eq!(takes_fhir_json(&headers).is_ok(), fits, "{accept}");
        }
        assert!(takes_fhir_json(&HeaderMap::new()).is_ok());
    }
}
