//! `GET /fhir/metadata`: what this server can do. Anybody may ask.

use axum::extract::State;
use axum::response::Response;

use super::answer::json;
use crate::Api;

pub(super) async fn show(State(api): State<Api>) -> Response {
    json(api.service.capability_statement(&api.config.fhir_base()))
}
