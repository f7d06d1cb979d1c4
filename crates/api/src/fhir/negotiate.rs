//! What comes in and what may go out: FHIR R4 as JSON or as XML (R4 §3.1.0.1.11), and patches.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt as _;
use keepwell_service::{IssueCode, query_parameters, xml_of_json};

use super::answer::{FHIR_JSON, FHIR_XML, Refusal};
use super::pretty::pretty;

/// A JSON Patch.
const JSON_PATCH: &str = "application/json-patch+json";

/// How a document is spelt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Xml,
}

impl Format {
    /// The format that a media type names. The plain types are taken too: R4 §3.1.0.1.11 asks for it, and many clients send
    /// them.
    fn of(media: &str) -> Option<Self> {
        let is = |names: [&str; 3]| names.iter().any(|name| media.eq_ignore_ascii_case(name));
        if is([FHIR_JSON, "application/json", "text/json"]) {
            Some(Self::Json)
        } else if is([FHIR_XML, "application/xml", "text/xml"]) {
            Some(Self::Xml)
        } else {
            None
        }
    }

    /// The format of a content type.
    fn of_content_type(content_type: &str) -> Option<Self> {
        let (media, parameters) = parts(content_type);
        Self::of(media).filter(|_| parameters.into_iter().all(|(name, value)| parameter_fits(name, value)))
    }

    /// The format that `_format` asks for.
    fn asked(format: &str) -> Option<Self> {
        match format {
            "json" => Some(Self::Json),
            "xml" => Some(Self::Xml),
            // A plus sign that was not escaped arrives as a blank.
            _ => Self::preferred(std::iter::once(format.replace(' ', "+").as_str())),
        }
    }

    /// The format that the ranges of an `Accept` header like best; JSON if they do not mind.
    fn preferred<'a>(ranges: impl Iterator<Item = &'a str>) -> Option<Self> {
        // How exactly a format was named, and how much it is liked, in thousandths.
        let (mut json, mut xml) = ((0u8, 0u16), (0u8, 0u16));
        for range in ranges {
            let (media, parameters) = parts(range);
            if !parameters.iter().all(|(name, value)| parameter_fits(name, value)) {
                continue;
            }
            let liked =
                parameters.iter().find(|(name, _)| name.eq_ignore_ascii_case("q")).map_or(1000, |(_, q)| liking(q));
            let note = |known: &mut (u8, u16), exactly| {
                if exactly > known.0 || exactly == known.0 && liked > known.1 {
                    *known = (exactly, liked);
                }
            };
            match (Self::of(media), media) {
                (Some(Self::Json), _) => note(&mut json, 3),
                (Some(Self::Xml), _) => note(&mut xml, 3),
                (None, "application/*" | "text/*") => [&mut json, &mut xml].into_iter().for_each(|it| note(it, 2)),
                (None, "*/*") => [&mut json, &mut xml].into_iter().for_each(|it| note(it, 1)),
                (None, _) => {}
            }
        }
        match (json.1, xml.1) {
            (0, 0) => None,
            (json, xml) if json >= xml => Some(Self::Json),
            _ => Some(Self::Xml),
        }
    }
}

/// A quality value (RFC 9110 §12.4.2) in thousandths; what is none counts as no liking at all.
fn liking(q: &str) -> u16 {
    let value: f64 = q.parse().unwrap_or(0.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1,000")]
    let thousandths = (value.clamp(0.0, 1.0) * 1000.0) as u16;
    thousandths
}

/// Checks that a body is what its sender must say it is.
pub(super) fn sends_fhir(headers: &HeaderMap) -> Result<Format, Refusal> {
    content_type(headers).and_then(Format::of_content_type).ok_or_else(|| {
        let words = "Send FHIR R4 as JSON or XML, with the header 'Content-Type: application/fhir+json' or \
                     'application/fhir+xml'.";
        Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, IssueCode::NotSupported, words)
    })
}

/// How a patch is spelt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PatchFormat {
    /// A JSON Patch.
    Json,
    /// A FHIRPath Patch, which is a FHIR document.
    Path,
}

/// Checks that a body is a patch.
pub(super) fn sends_patch(headers: &HeaderMap) -> Result<PatchFormat, Refusal> {
    let content_type = content_type(headers).unwrap_or_default();
    let (media, parameters) = parts(content_type);
    if media.eq_ignore_ascii_case(JSON_PATCH) && parameters.into_iter().all(|(name, value)| parameter_fits(name, value))
    {
        return Ok(PatchFormat::Json);
    }
    // Plain JSON could be either.
    if Format::of_content_type(content_type).is_some() && media.contains("fhir") {
        return Ok(PatchFormat::Path);
    }
    let words = "Send a JSON Patch, with the header 'Content-Type: application/json-patch+json', or a FHIRPath Patch as a \
                 Parameters resource, with 'application/fhir+json' or 'application/fhir+xml'.";
    Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, IssueCode::NotSupported, words))
}

/// Checks that a body is a form.
pub(super) fn sends_form(headers: &HeaderMap) -> Result<(), Refusal> {
    let form = |value| parts(value).0.eq_ignore_ascii_case("application/x-www-form-urlencoded");
    if content_type(headers).is_some_and(form) {
        return Ok(());
    }
    let words = "Send the parameters as a form, with the header 'Content-Type: application/x-www-form-urlencoded'.";
    Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, IssueCode::NotSupported, words))
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok())
}

/// Refuses what cannot be answered in a form that the caller wants, and gives the answer that form.
pub(super) async fn render(request: Request, next: Next) -> Response {
    let parameters = query_parameters(request.uri().query().unwrap_or_default());
    let of = |name: &str| parameters.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
    // `_format` says more than the header, for callers who cannot set one.
    let wanted = match of("_format") {
        Some(format) => Format::asked(format),
        None => {
            let mut ranges = list(request.headers(), header::ACCEPT).peekable();
            if ranges.peek().is_none() { Some(Format::Json) } else { Format::preferred(ranges) }
        }
    };
    let is_pretty = of("_pretty") == Some("true");
    // Of a Binary the file may be wanted, whatever its type, and what exports are made of has one of its own.
    let is_file =
        ["/fhir/Binary/", "/fhir/$bulk-", "/fhir/%24bulk-"].iter().any(|place| request.uri().path().starts_with(place));
    let response = match wanted {
        Some(_) => next.run(request).await,
        None if is_file && of("_format").is_none() => return next.run(request).await,
        None => not_acceptable().into_response(),
    };
    match wanted {
        Some(Format::Xml) => as_xml(response, is_pretty).await,
        _ if is_pretty => pretty(response).await,
        _ => response,
    }
}

/// Whether a caller asks for FHIR by name, and not just for anything.
pub(super) fn asks_for_fhir(query: &str, headers: &HeaderMap) -> bool {
    let has_format = query_parameters(query).iter().any(|(name, _)| name == "_format");
    has_format || list(headers, header::ACCEPT).any(|range| Format::of(parts(range).0).is_some())
}

/// Writes an answer as XML, if it is FHIR JSON.
async fn as_xml(response: Response, is_pretty: bool) -> Response {
    if response.headers().get(header::CONTENT_TYPE) != Some(&HeaderValue::from_static(FHIR_JSON)) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // The body is in memory already.
    let Ok(body) = body.collect().await else { return Response::from_parts(parts, Body::empty()) };
    parts.headers.remove(header::CONTENT_LENGTH);
    match xml_of_json(&body.to_bytes(), is_pretty) {
        Ok(document) => {
            parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(FHIR_XML));
            Response::from_parts(parts, Body::from(document))
        }
        Err(error) => Refusal::from(error).into_response(),
    }
}

fn not_acceptable() -> Refusal {
    let words = "This server answers in FHIR JSON or XML. Accept 'application/fhir+json' or 'application/fhir+xml'.";
    Refusal::new(StatusCode::NOT_ACCEPTABLE, IssueCode::NotSupported, words)
}

/// The items of a comma-separated header, however often it stands.
pub(super) fn list(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|item| !item.is_empty())
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
    fn only_fhir_of_r4_is_taken_in() {
        for (content_type, format) in [
            ("application/fhir+json", Some(Format::Json)),
            ("Application/FHIR+JSON; charset=UTF-8", Some(Format::Json)),
            ("application/fhir+json; fhirVersion=4.0", Some(Format::Json)),
            ("application/fhir+json; charset=\"utf-8\"", Some(Format::Json)),
            ("application/fhir+json; fhirVersion=5.0", None),
            ("application/fhir+json; charset=latin1", None),
            ("application/json", Some(Format::Json)),
            ("application/json-patch+json", None),
            ("application/fhir+xml", Some(Format::Xml)),
            ("text/xml; charset=utf-8", Some(Format::Xml)),
            ("", None),
        ] {
            assert_eq!(Format::of_content_type(content_type), format, "{content_type}");
        }
    }

    #[test]
    fn a_caller_gets_the_format_that_it_likes_best_and_is_told_if_there_is_none() {
        for (accept, format) in [
            ("*/*", Some(Format::Json)),
            ("text/html, application/fhir+json;q=0.5", Some(Format::Json)),
            ("application/json", Some(Format::Json)),
            ("application/*;q=0.1", Some(Format::Json)),
            ("application/fhir+json; fhirVersion=4.0", Some(Format::Json)),
            ("application/fhir+json; fhirVersion=3.0", None),
            ("application/fhir+xml", Some(Format::Xml)),
            ("application/fhir+json;q=0.4, application/fhir+xml;q=0.9", Some(Format::Xml)),
            ("application/fhir+xml;q=0.5, */*;q=0.9", Some(Format::Json)),
            ("text/html", None),
            ("*/*;q=0", None),
            ("*/*;q=0.00", None),
            ("application/fhir+json;q=0, */*", Some(Format::Xml)),
        ] {
            assert_eq!(Format::preferred(accept.split(',').map(str::trim)), format, "{accept}");
        }
        for (asked, format) in [
            ("xml", Some(Format::Xml)),
            ("json", Some(Format::Json)),
            ("application/fhir xml", Some(Format::Xml)),
            ("application/fhir+json", Some(Format::Json)),
            ("ttl", None),
        ] {
            assert_eq!(Format::asked(asked), format, "{asked}");
        }
    }
}
