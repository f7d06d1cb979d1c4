//! `GET /fhir/metadata`: what this server can do. Anybody may ask.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::answer::{Refusal, json};
use super::negotiate::takes_fhir_json;
use crate::Api;

pub(super) async fn show(State(api): State<Api>, headers: HeaderMap) -> Result<Response, Refusal> {
    takes_fhir_json(&headers)?;
    Ok(json(api.service.capability_statement(&api.config.fhir_base())))
}
