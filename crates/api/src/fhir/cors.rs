//! Which web pages may call: any. A page has to know a token to be told anything about a person, and a browser sends none
//! by itself, for cookies mean nothing here and credentials are not allowed. So a page gets no further than any program.

use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Answers preflight requests, and lets any page read the answer.
pub(super) async fn any_page(request: Request, next: Next) -> Response {
    let from_page = request.headers().contains_key(header::ORIGIN);
    let mut response = if request.method() == Method::OPTIONS { preflight() } else { next.run(request).await };
    if from_page {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        let exposed = "ETag, Last-Modified, Location, Content-Location, Retry-After, WWW-Authenticate, X-Progress";
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(exposed));
    }
    response
}

fn preflight() -> Response {
    let methods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
    let headers = "Authorization, Accept, Content-Type, Content-Encoding, If-Match, If-None-Match, If-Modified-Since, \
                   If-None-Exist, Prefer";
    let answer = [
        (header::ALLOW, methods),
        (header::ACCESS_CONTROL_ALLOW_METHODS, methods),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, headers),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    (StatusCode::NO_CONTENT, answer).into_response()
}
