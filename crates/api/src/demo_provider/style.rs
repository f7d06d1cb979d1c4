//! The provider's few lines of style, served as a file because the pages allow none inside them.

use axum::http::header;
use axum::response::{IntoResponse, Response};

/// Where the sheet is, below the provider's path.
pub(super) const PATH: &str = "/style.css";

/// `/style.css`.
pub(super) async fn sheet() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, include_str!("style.css")).into_response()
}
