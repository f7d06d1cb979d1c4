//! `POST /fhir`: a transaction Bundle, kept whole or not at all.

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::answer::{Refusal, json};
use super::body;
use super::caller::Caller;
use super::negotiate::sends_fhir_json;
use crate::Api;

pub(super) async fn commit(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    sends_fhir_json(&headers)?;
    let body = body::read(&headers, body, api.service.config().max_bundle).await?;
    let answer = api.within(api.service.transaction(&caller, body)).await?;
    Ok(json(answer.json))
}
