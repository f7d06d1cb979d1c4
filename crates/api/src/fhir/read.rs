//! `GET /fhir/{type}/{id}` and `GET /fhir/{type}/{id}/_history/{version}`: one resource (R4 §3.1.0.2, §3.1.0.3).

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use keepwell_service::{ResourceAnswer, part_of};

use super::answer::{Refusal, json, with_version};
use super::binary;
use super::caller::Caller;
use super::negotiate::list;
use super::written::text;
use crate::Api;
use crate::http_date::read_http_date;

pub(super) async fn read(
    State(api): State<Api>,
    caller: Caller,
    place: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    // Only a path that is not UTF-8 is refused; its place in the service would be an id that nobody has.
    let (resource_type, id) = place.map(|Path(place)| place).unwrap_or_default();
    let part = part_of(&resource_type, query.as_deref().unwrap_or_default())?;
    let answer = api.within(api.service.read_resource(&caller, &resource_type, &id)).await?;
    let as_file = binary::wants_bytes(&resource_type, query.as_deref(), &headers);
    let file = as_file.then(|| binary::file(&answer)).transpose()?;
    let response = unless_known(&headers, ResourceAnswer { json: part.shape(answer.json), ..answer });
    Ok(file.filter(|_| response.status() == StatusCode::OK).unwrap_or(response))
}

pub(super) async fn read_version(
    State(api): State<Api>,
    caller: Caller,
    place: Result<Path<(String, String, String)>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (resource_type, id, version) = place.map(|Path(place)| place).unwrap_or_default();
    let answer = api.within(api.service.read_version(&caller, &resource_type, &id, &version)).await?;
    Ok(unless_known(&headers, answer))
}

/// The resource, or 304 if the caller has this version already (R4 §3.1.0.2.1).
fn unless_known(headers: &HeaderMap, answer: ResourceAnswer) -> Response {
    let tag = format!("\"{}\"", answer.version);
    let mut known = list(headers, header::IF_NONE_MATCH).peekable();
    let unchanged = if known.peek().is_some() {
        known.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
    } else {
        let since = text(headers, header::IF_MODIFIED_SINCE).and_then(read_http_date);
        // HTTP dates have no fractions of a second.
        since.is_some_and(|since| answer.last_updated.micros().div_euclid(1_000_000) <= since)
    };
    let response = if unchanged { StatusCode::NOT_MODIFIED.into_response() } else { json(answer.json) };
    with_version(response, answer.version, answer.last_updated)
}
