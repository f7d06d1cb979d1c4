//! `POST /fhir`: a transaction Bundle, kept whole or not at all, or a batch, each entry by itself (R4 §3.1.0.11).

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use keepwell_service::BundleRequest;

use super::answer::{Refusal, json};
use super::body;
use super::caller::Caller;
use super::prefer::Return;
use crate::Api;

pub(super) async fn commit(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let body = body::document(&headers, body, api.service.config().max_bundle).await?;
    let wanted = Return::asked(&headers);
    let base = api.config.fhir_base();
    let request = BundleRequest {
        base: &base,
        representation: wanted == Some(Return::Representation),
        outcomes: wanted == Some(Return::OperationOutcome),
    };
    let answer = api.within(api.service.bundle(&caller, body, request)).await?;
    Ok(json(answer.json))
}
