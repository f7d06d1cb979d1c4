//! Pages and files of text go over the wire compressed: people read them on slow telephones. What is already encoded, or
//! small, is left alone.

use std::io::Write as _;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::BodyExt as _;

/// Below this, compression gains nothing.
const WORTHWHILE: usize = 1_024;
/// A middle level: the next ones cost twice the time for a few percent.
const LEVEL: u32 = 5;

/// Compresses the answer if the browser takes gzip.
pub(crate) async fn text(request: Request, next: Next) -> Response {
    let takes_gzip = request.headers().get(header::ACCEPT_ENCODING).is_some_and(|value| accepts_gzip(value.as_bytes()));
    let mut response = next.run(request).await;
    let headers = response.headers();
    let is_text = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/"));
    if !is_text || headers.contains_key(header::CONTENT_ENCODING) {
        return response;
    }
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if !takes_gzip {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let body = match body.collect().await {
        Ok(whole) => whole.to_bytes(),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "A page could not be read whole");
            return crate::errors::PageError::Internal.into_response();
        }
    };
    if body.len() < WORTHWHILE {
        return Response::from_parts(parts, Body::from(body));
    }
    parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(gzip(&body)))
}

fn accepts_gzip(value: &[u8]) -> bool {
    value.split(|&byte| byte == b',').any(|offer| {
        let offer = String::from_utf8_lossy(offer).to_ascii_lowercase();
        let mut parts = offer.split(';').map(str::trim);
        parts.next() == Some("gzip") && !parts.any(|part| part.trim_start_matches("q=").parse() == Ok(0.0))
    })
}

fn gzip(body: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::new(LEVEL));
    encoder.write_all(body).expect("writing to memory");
    encoder.finish().expect("writing to memory").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn only_a_browser_that_takes_gzip_gets_it() {
        for (offer, taken) in
            [("gzip, br", true), ("br;q=1.0, GZIP;q=0.5", true), ("gzip;q=0", false), ("br", false), ("", false)]
        {
            assert_eq!(accepts_gzip(offer.as_bytes()), taken, "{offer}");
        }
    }

    #[test]
    fn what_is_compressed_comes_out_as_it_was() {
        let page = "<p>Test results</p>".repeat(500);
        let mut back = String::new();
        flate2::read::GzDecoder::new(gzip(page.as_bytes()).as_ref()).read_to_string(&mut back).unwrap();
        assert_eq!(back, page);
    }
}
