//! `PUT /fhir/{type}/{id}`: a resource under its source's id, or a new version of one under Keepwell's (R4 §3.1.0.4).

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use keepwell_service::{Change, WriteRequest};

use super::answer::Refusal;
use super::caller::Caller;
use super::{body, written};
use crate::Api;

pub(super) async fn update(
    State(api): State<Api>,
    caller: Caller,
    Path((resource_type, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    written::no_search(query.as_ref())?;
    let body = body::document(&headers, body, api.service.config().max_bundle).await?;
    let request = WriteRequest::new(&resource_type, Some(&id), Change::Update(body));
    written::write(&api, &caller, &headers, request).await
}

/// `PUT /fhir/{type}?…`: what the search finds, or a new resource (R4 §3.1.0.4.3).
pub(super) async fn update_found(
    State(api): State<Api>,
    caller: Caller,
    Path(resource_type): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let condition = Some(written::search_in_address(query.as_ref())?);
    let body = body::document(&headers, body, api.service.config().max_bundle).await?;
    let request = WriteRequest { condition, ..WriteRequest::new(&resource_type, None, Change::Update(body)) };
    written::write(&api, &caller, &headers, request).await
}
