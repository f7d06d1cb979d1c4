//! `/healthz`: whether the installation can answer, which takes more than being up: the store is asked too.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::Api;

/// A token of the right form that nobody has: looking it up goes all the way to the store and tells nothing.
const NOBODY: &str = "kw_0000000000000000000000000000000000000000000";

pub(super) async fn check(State(api): State<Api>) -> Response {
    let (status, words) = match api.service.client_by_token(NOBODY).await {
        Ok(_) => (StatusCode::OK, "ok\n"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n"),
    };
    (status, [(header::CACHE_CONTROL, "no-store")], words).into_response()
}
