//! The body of a request, read whole and unpacked, never beyond the limit.

use std::error::Error;
use std::io::Read;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use keepwell_service::{IssueCode, json_of_xml};

use super::answer::Refusal;
use super::negotiate::{Format, list, sends_fhir};

/// How long the body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(120);
/// The largest window of a zstd frame that is unpacked: 8 MiB, the least that RFC 8878 asks of a decoder.
const WINDOW: u32 = 23;

/// The whole body, refused as soon as it is known to be too long: as it comes, and again as it is unpacked, so that a small
/// body cannot grow without end in here (threat T37).
pub(super) async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Refusal> {
    let coding = coding(headers)?;
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_long(limit));
    }
    let collected = tokio::time::timeout(PATIENCE, Limited::new(body, limit).collect()).await;
    let late = |_| Refusal::new(StatusCode::REQUEST_TIMEOUT, IssueCode::Transient, "The body took too long to arrive.");
    let body = match collected.map_err(late)? {
        Ok(body) => body.to_bytes(),
        Err(error) if is_too_long(&*error) => return Err(too_long(limit)),
        Err(_) => {
            let words = "The body broke off. Send it again.";
            return Err(Refusal::new(StatusCode::BAD_REQUEST, IssueCode::Invalid, words));
        }
    };
    match coding {
        Coding::Identity => Ok(body),
        Coding::Gzip => unpack(flate2::read::MultiGzDecoder::new(&body[..]), limit),
        Coding::Zstd => {
            let decoder = zstd::stream::read::Decoder::new(&body[..]).and_then(|mut decoder| {
                decoder.window_log_max(WINDOW)?;
                Ok(decoder)
            });
            unpack(decoder.map_err(|_| not_packed())?, limit)
        }
    }
}

/// A FHIR document, as JSON whatever it came as.
pub(super) async fn document(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Refusal> {
    let format = sends_fhir(headers)?;
    let body = read(headers, body, limit).await?;
    match format {
        Format::Json => Ok(body),
        Format::Xml => Ok(json_of_xml(&body)?),
    }
}

/// A FHIR document as it was sent, for who can read both forms and tells lines of what it read.
pub(super) async fn as_sent(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Refusal> {
    let format = sends_fhir(headers)?;
    let body = read(headers, body, limit).await?;
    let plain = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&body).trim_ascii_start();
    let is_xml = plain.first() == Some(&b'<');
    if plain.is_empty() || is_xml == (format == Format::Xml) {
        return Ok(body);
    }
    let words = "The body is not what its 'Content-Type' says: one is XML, the other JSON.";
    Err(Refusal::new(StatusCode::BAD_REQUEST, IssueCode::Structure, words))
}

/// How a body is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Identity,
    Gzip,
    Zstd,
}

fn coding(headers: &HeaderMap) -> Result<Coding, Refusal> {
    let mut codings = list(headers, header::CONTENT_ENCODING).filter(|coding| !coding.eq_ignore_ascii_case("identity"));
    let coding = codings.next();
    match coding.map(str::to_ascii_lowercase).as_deref() {
        _ if codings.next().is_some() => Err(unknown_coding()),
        None => Ok(Coding::Identity),
        Some("gzip" | "x-gzip") => Ok(Coding::Gzip),
        Some("zstd") => Ok(Coding::Zstd),
        Some(_) => Err(unknown_coding()),
    }
}

fn unpack(packed: impl Read, limit: usize) -> Result<Bytes, Refusal> {
    let mut out = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    packed.take(most).read_to_end(&mut out).map_err(|_| not_packed())?;
    if out.len() > limit { Err(too_long(limit)) } else { Ok(out.into()) }
}

fn not_packed() -> Refusal {
    let words = "The body is not packed as its 'Content-Encoding' says.";
    Refusal::new(StatusCode::BAD_REQUEST, IssueCode::Invalid, words)
}

fn unknown_coding() -> Refusal {
    let words = "The body's 'Content-Encoding' is not known here. Send it as it is, or packed once with gzip or zstd.";
    Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, IssueCode::NotSupported, words)
}

fn is_too_long(error: &(dyn Error + 'static)) -> bool {
    error.is::<LengthLimitError>() || error.source().is_some_and(is_too_long)
}

fn too_long(limit: usize) -> Refusal {
    let words = format!("The body is longer than {limit} bytes. Split it into several requests.");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, IssueCode::TooLong, words)
}
