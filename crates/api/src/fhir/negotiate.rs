//! What comes in and what may go out: FHIR JSON of R4, nothing else yet.

use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use keepwell_service::IssueCode;

use super::answer::{FHIR_JSON, Refusal};

/// Checks that a body is what its sender must say it is.
pub(super) fn sends_fhir_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let unsupported =
        |words: &str| Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, IssueCode::NotSupported, words));
    let fits = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(is_fhir_json);
    if !fits {
        return unsupported("Send FHIR R4 as JSON, with the header 'Content-Type: application/fhir+json'.");
    }
    let encoding = headers.get(header::CONTENT_ENCODING).map(|value| value.as_bytes());
    if encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case(b"identity")) {
        return unsupported("Send the body without a content encoding.");
    }
    Ok(())
}

/// Checks that FHIR JSON is something that the caller wants.
pub(super) fn takes_fhir_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut ranges = list(headers, header::ACCEPT).peekable();
    if ranges.peek().is_none() || ranges.any(takes) {
        return Ok(());
    }
    let words = "This server answers in FHIR JSON only. Accept 'application/fhir+json'.";
    Err(Refusal::new(StatusCode::NOT_ACCEPTABLE, IssueCode::NotSupported, words))
}

/// The items of a comma-separated header, however often it stands.
pub(super) fn list(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|item| !item.is_empty())
}

fn is_fhir_json(content_type: &str) -> bool {
    let (media, parameters) = parts(content_type);
    media.eq_ignore_ascii_case(FHIR_JSON) && parameters.into_iter().all(|(name, value)| parameter_fits(name, value))
}

/// Whether a range of `Accept` covers FHIR JSON. Plain JSON is taken too: every FHIR client means this by it.
fn takes(range: &str) -> bool {
    let (media, parameters) = parts(range);
    let covered =
        ["*/*", "application/*", FHIR_JSON, "application/json"].iter().any(|it| media.eq_ignore_ascii_case(it));
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
            ("application/json", false),
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
