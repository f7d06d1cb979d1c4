//! `/.well-known/keepwell-log/…`: the transparency log's checkpoint, tiles and entries (C2SP tlog-tiles). They hold
//! hashes and signatures only, and anybody may keep them: that is what makes them a witness.

use std::future::Future;
use std::pin::Pin;

use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use crate::Api;

/// The log could not be read just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the transparency log is not available just now")]
pub struct LogUnavailable;

/// Where the log's public files come from.
pub trait PublicLog: Send + Sync {
    /// The file at a path below the log's prefix (`checkpoint`, `tile/0/000` …), or `None` if there is none.
    fn file<'a>(
        &'a self,
        path: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Option<Bytes>, LogUnavailable>> + Send + 'a>>;
}

pub(super) async fn file(State(api): State<Api>, Path(path): Path<String>) -> Response {
    let Some(log) = &api.config.log else { return text(StatusCode::NOT_FOUND, "There is no log here.\n") };
    let mut response = match log.file(&path).await {
        Ok(Some(bytes)) => found(&path, bytes),
        Ok(None) => text(StatusCode::NOT_FOUND, "The log has no such file.\n"),
        Err(LogUnavailable) => text(StatusCode::SERVICE_UNAVAILABLE, "The log cannot be read just now.\n"),
    };
    // Verifiers may run in a page of somebody else's.
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

fn found(path: &str, bytes: Bytes) -> Response {
    // A full tile never changes; a partial one is soon replaced by a longer one, at another path.
    let (kind, keep) = match path {
        "checkpoint" => ("text/plain; charset=utf-8", "no-cache"),
        _ => ("application/octet-stream", "public, max-age=31536000, immutable"),
    };
    let headers =
        [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, keep), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (headers, bytes).into_response()
}

fn text(status: StatusCode, words: &'static str) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], words).into_response()
}
