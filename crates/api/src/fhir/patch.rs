//! `PATCH /fhir/{type}/{id}`: a change to a part of a resource (R4 §3.1.0.6).

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use keepwell_service::{Change, Patch, WriteRequest};

use super::answer::Refusal;
use super::caller::Caller;
use super::negotiate::{PatchFormat, sends_patch};
use super::{body, written};
use crate::Api;

pub(super) async fn patch(
    State(api): State<Api>,
    caller: Caller,
    Path((resource_type, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    written::no_search(query.as_ref())?;
    let patch = read(&api, &headers, body).await?;
    let request = WriteRequest::new(&resource_type, Some(&id), Change::Patch(patch));
    written::write(&api, &caller, &headers, request).await
}

/// `PATCH /fhir/{type}?…`: the one that the search finds (R4 §3.1.0.6.1).
pub(super) async fn patch_found(
    State(api): State<Api>,
    caller: Caller,
    Path(resource_type): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let condition = Some(written::search_in_address(query.as_ref())?);
    let patch = read(&api, &headers, body).await?;
    let request = WriteRequest { condition, ..WriteRequest::new(&resource_type, None, Change::Patch(patch)) };
    written::write(&api, &caller, &headers, request).await
}

async fn read(api: &Api, headers: &HeaderMap, body: Body) -> Result<Patch, Refusal> {
    let limit = api.service.config().max_bundle;
    Ok(match sends_patch(headers)? {
        PatchFormat::Json => Patch::Json(body::read(headers, body, limit).await?),
        PatchFormat::Path => Patch::Path(body::document(headers, body, limit).await?),
    })
}
