//! `DELETE /fhir/{type}/{id}`: what its source has deleted; its history stays (R4 §3.1.0.7).

use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use keepwell_service::{Change, WriteRequest};

use super::answer::Refusal;
use super::caller::Caller;
use super::written;
use crate::Api;

pub(super) async fn delete(
    State(api): State<Api>,
    caller: Caller,
    Path((resource_type, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    written::no_search(query.as_ref())?;
    let request = WriteRequest::new(&resource_type, Some(&id), Change::Delete);
    written::write(&api, &caller, &headers, request).await
}

/// `DELETE /fhir/{type}?…`: the one that the search finds (R4 §3.1.0.7.1).
pub(super) async fn delete_found(
    State(api): State<Api>,
    caller: Caller,
    Path(resource_type): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let condition = Some(written::search_in_address(query.as_ref())?);
    let request = WriteRequest { condition, ..WriteRequest::new(&resource_type, None, Change::Delete) };
    written::write(&api, &caller, &headers, request).await
}
