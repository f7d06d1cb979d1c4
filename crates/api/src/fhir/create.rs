//! `POST /fhir/{type}`: a new resource. Its id is the server's, whatever the body says (R4 §3.1.0.8).

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use keepwell_service::{Change, WriteRequest};

use super::answer::Refusal;
use super::caller::Caller;
use super::negotiate::sends_fhir;
use super::{binary, body, written};
use crate::Api;

pub(super) async fn create(
    State(api): State<Api>,
    caller: Caller,
    Path(resource_type): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    written::no_search(query.as_ref())?;
    let limit = api.service.config().max_bundle;
    let body = if resource_type == "Binary" && sends_fhir(&headers).is_err() {
        binary::resource(&headers, &body::read(&headers, body, limit).await?)?
    } else {
        body::document(&headers, body, limit).await?
    };
    let condition = written::if_none_exist(&headers)?;
    let request = WriteRequest { condition, ..WriteRequest::new(&resource_type, None, Change::Create(body)) };
    written::write(&api, &caller, &headers, request).await
}
