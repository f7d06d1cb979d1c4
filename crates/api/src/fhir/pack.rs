//! Answers, packed if the caller takes them so.

use std::io::Write;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use flate2::Compression;
use http_body_util::BodyExt as _;

use super::negotiate::list;

/// Shorter answers are sent as they are: packing would cost more than it saves.
const WORTHWHILE: usize = 1_024;

/// Packs the answer.
pub(super) async fn pack(request: Request, next: Next) -> Response {
    let coding = wanted(request.headers());
    let mut response = next.run(request).await;
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    let Some(coding) = coding else { return response };
    let length = http_body::Body::size_hint(response.body()).exact().unwrap_or(0);
    if length < WORTHWHILE as u64 || response.headers().contains_key(header::CONTENT_ENCODING) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // Its length is known, so it is in memory already.
    let Ok(body) = body.collect().await else { return Response::from_parts(parts, Body::empty()) };
    let body = body.to_bytes();
    let Some(packed) = packed(coding, &body) else { return Response::from_parts(parts, Body::from(body)) };
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    Response::from_parts(parts, Body::from(packed))
}

/// The coding that the caller likes most of those that are known; zstd before gzip.
pub(super) fn wanted(headers: &HeaderMap) -> Option<&'static str> {
    let mut best: Option<(&'static str, u16)> = None;
    for item in list(headers, header::ACCEPT_ENCODING) {
        let (name, weight) = item.split_once(';').unwrap_or((item, ""));
        let name = match name.trim().to_ascii_lowercase().as_str() {
            "zstd" => "zstd",
            "gzip" => "gzip",
            _ => continue,
        };
        let weight = weight.trim().strip_prefix("q=").map_or(Some(1.0), |weight| weight.parse::<f32>().ok());
        // A weight has at most three digits after its point.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 0 and 1000")]
        let weight = weight.map_or(0, |weight| (weight.clamp(0.0, 1.0) * 1_000.0) as u16);
        let better = best.is_none_or(|(known, most)| weight > most || weight == most && known == "gzip");
        if weight > 0 && better {
            best = Some((name, weight));
        }
    }
    best.map(|(name, _)| name)
}

fn packed(coding: &str, body: &Bytes) -> Option<Vec<u8>> {
    if coding == "zstd" {
        return zstd::bulk::compress(body, 1).ok();
    }
    let mut encoder = flate2::write::GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_liked_coding_that_is_known_is_taken() {
        for (accepted, expected) in [
            ("gzip", Some("gzip")),
            ("gzip, zstd", Some("zstd")),
            ("zstd;q=0.5, gzip;q=0.8", Some("gzip")),
            ("br, deflate", None),
            ("gzip;q=0", None),
            ("GZIP ; q=0.001", Some("gzip")),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, accepted.parse().unwrap());
            assert_eq!(wanted(&headers), expected, "{accepted}");
        }
    }
}
