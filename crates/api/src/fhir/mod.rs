//! FHIR R4 over HTTP. Every answer is FHIR JSON, errors included: an OperationOutcome that says what to do.

mod answer;
mod caller;
mod metadata;
mod negotiate;
mod read;
mod transaction;
mod unknown;

use axum::Router;
use axum::middleware;
use axum::routing::{any, get, post};

use crate::Api;

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/fhir", post(transaction::commit))
        .route("/fhir/", post(transaction::commit))
        .route("/fhir/metadata", get(metadata::show))
        .route("/fhir/{type}/{id}", get(read::read))
        .method_not_allowed_fallback(unknown::method)
        .route("/fhir/{type}", any(unknown::place))
        .route("/fhir/{type}/", any(unknown::place))
        .route("/fhir/{type}/{id}/", any(unknown::place))
        .route("/fhir/{type}/{id}/{*rest}", any(unknown::place))
        .layer(middleware::map_response(answer::harden))
}
