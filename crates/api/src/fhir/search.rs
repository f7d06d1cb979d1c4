//! Search (R4 §3.1.1): `GET /fhir/{type}?…`, the same over all types and in what a person's record holds, and each as a
//! form that is sent to `_search`.

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use keepwell_service::{IssueCode, SearchIn, SearchRequest};

use super::answer::{Refusal, json};
use super::caller::Caller;
use super::negotiate::sends_form;
use super::{body, prefer, unknown};
use crate::Api;

/// The longest form that is read, in bytes.
const LONGEST: usize = 512 * 1024;

pub(super) async fn all(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    show(&api, &caller, SearchIn::All, &headers, &query.unwrap_or_default()).await
}

pub(super) async fn all_by_form(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Body,
) -> Result<Response, Refusal> {
    let query = with_form(&headers, query, body).await?;
    show(&api, &caller, SearchIn::All, &headers, &query).await
}

pub(super) async fn of_type(
    State(api): State<Api>,
    caller: Caller,
    Path(resource_type): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    show(&api, &caller, SearchIn::Type(&resource_type), &headers, &query.unwrap_or_default()).await
}

pub(super) async fn of_type_by_form(
    State(api): State<Api>,
    caller: Caller,
    Path(resource_type): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Body,
) -> Result<Response, Refusal> {
    let query = with_form(&headers, query, body).await?;
    show(&api, &caller, SearchIn::Type(&resource_type), &headers, &query).await
}

pub(super) async fn of_person(
    State(api): State<Api>,
    caller: Caller,
    Path(place): Path<(String, String, String)>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let of = in_record(&place).ok_or(unknown::place().await)?;
    show(&api, &caller, of, &headers, &query.unwrap_or_default()).await
}

pub(super) async fn of_person_by_form(
    State(api): State<Api>,
    caller: Caller,
    Path(place): Path<(String, String, String)>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Body,
) -> Result<Response, Refusal> {
    let of = in_record(&place).ok_or(unknown::place().await)?;
    let query = with_form(&headers, query, body).await?;
    show(&api, &caller, of, &headers, &query).await
}

/// What a person's record holds; there are no other compartments.
fn in_record((of, id, resource_type): &(String, String, String)) -> Option<SearchIn<'_>> {
    let kind = Some(resource_type.as_str()).filter(|name| *name != "*");
    (of == "Patient").then_some(SearchIn::Compartment(id, kind))
}

/// The parameters in the address, and those in the form behind them.
async fn with_form(headers: &HeaderMap, query: Option<String>, body: Body) -> Result<String, Refusal> {
    let is_form = sends_form(headers);
    let body = body::read(headers, body, LONGEST).await?;
    // All may stand in the address: what is not sent needs no type.
    if headers.contains_key(header::CONTENT_TYPE) || !body.is_empty() {
        is_form?;
    }
    let form = std::str::from_utf8(&body).map_err(|_| {
        let words = "The form is not text. Send its parameters percent-encoded.";
        Refusal::new(StatusCode::BAD_REQUEST, IssueCode::Invalid, words)
    })?;
    let parts = [query.as_deref().unwrap_or_default(), form.trim()];
    Ok(parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("&"))
}

async fn show(
    api: &Api,
    caller: &Caller,
    of: SearchIn<'_>,
    headers: &HeaderMap,
    query: &str,
) -> Result<Response, Refusal> {
    let base = api.config.fhir_base();
    let request = SearchRequest { of, query, base: &base, lenient: prefer::is_lenient(headers) };
    Ok(json(api.within(api.service.search(caller, &request)).await?))
}
