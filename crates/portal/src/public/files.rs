//! `/assets/{file}`: stylesheet, script and pictures. Their names change with their content, so browsers keep them.

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::assets::Asset;
use crate::errors::PageError;

/// Sends a file in the best encoding that the browser takes.
pub(crate) async fn show(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, PageError> {
    let asset = Asset::find(&name).ok_or(PageError::NotFound)?;
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (body, encoding) = asset.encoded(accepted);
    let mut response = body.into_response();
    let answer = response.headers_mut();
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = encoding {
        answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    Ok(response)
}
