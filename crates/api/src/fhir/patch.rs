//! `PATCH /fhir/{type}/{id}`: a change to a part of a resource (R4 §3.1.0.6).

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use keepwell_service::{Change, Patch, WriteRequest};

use super::answer::Refusal;
use super::caller::Caller;
use super::negotiate::sends_patch;
use super::{body, written};
use crate::Api;

pub(super) async fn patch(
    State(api): State<Api>,
    caller: Caller,
    Path((resource_type, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    sends_patch(&headers)?;
    let body = body::read(&headers, body, api.service.config().max_bundle).await?;
    let request = WriteRequest::new(&resource_type, Some(&id), Change::Patch(Patch::Json(body)));
    written::write(&api, &caller, &headers, request).await
}
