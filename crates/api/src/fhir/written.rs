//! The answer to a create, update, patch or delete.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use keepwell_service::{FhirError, IssueCode, WriteRequest, Written, query_parameters};

use super::answer::{Refusal, json, set, with_version};
use super::caller::Caller;
use super::prefer::Return;
use crate::Api;

/// A header's text, if there is one.
pub(super) fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// `If-None-Exist`: the search that must find nothing for something to be created (R4 §3.1.0.8.1). One that cannot be read
/// is refused, for without it the thing would be created.
pub(super) fn if_none_exist(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let mut all = headers.get_all(header::HeaderName::from_static("if-none-exist")).into_iter();
    let Some(first) = all.next() else { return Ok(None) };
    match first.to_str() {
        Ok(search) if all.next().is_none() && !search.trim().is_empty() => Ok(Some(search.trim())),
        _ => {
            let words = "'If-None-Exist' is one search, percent-encoded, such as 'identifier=http://example.org|1'.";
            Err(Refusal::new(StatusCode::BAD_REQUEST, IssueCode::Value, words))
        }
    }
}

/// The search that says what is to be changed, where the address has no id.
pub(super) fn search_in_address(query: Option<&String>) -> Result<&str, Refusal> {
    query.map(String::as_str).filter(|query| !query.is_empty()).ok_or_else(|| {
        let words = "Say which resource is meant: by its id, 'Type/id', or by a search, 'Type?identifier=…'.";
        Refusal::new(StatusCode::METHOD_NOT_ALLOWED, IssueCode::NotSupported, words)
    })
}

/// Refuses a search where the address needs none: taken for a condition by its sender and passed over here, it would make
/// a second of what is there already.
pub(super) fn no_search(query: Option<&String>) -> Result<(), Refusal> {
    let parameters = query_parameters(query.map_or("", String::as_str));
    if parameters.iter().all(|(name, _)| ["_format", "_pretty", "_summary", "_elements"].contains(&name.as_str())) {
        return Ok(());
    }
    let words = "A search does not go with this address. To create on a condition send it in the header 'If-None-Exist'; \
                 to change what it finds, leave out the id.";
    Err(Refusal::new(StatusCode::BAD_REQUEST, IssueCode::Invalid, words))
}

/// Writes, and answers as the caller prefers.
pub(super) async fn write(
    api: &Api,
    caller: &Caller,
    headers: &HeaderMap,
    request: WriteRequest<'_>,
) -> Result<Response, Refusal> {
    let wanted = Return::of(headers);
    let request = WriteRequest {
        if_match: text(headers, header::IF_MATCH),
        if_none_match: text(headers, header::IF_NONE_MATCH),
        representation: wanted == Return::Representation,
        ..request
    };
    let written = api.within(api.service.write(caller, &request)).await?;
    Ok(answer(&api.config.fhir_base(), written, wanted))
}

fn answer(base: &str, written: Written, wanted: Return) -> Response {
    let status = StatusCode::from_u16(written.status).unwrap_or(StatusCode::OK);
    let mut response = match (status, written.json, wanted) {
        (StatusCode::NO_CONTENT, _, Return::OperationOutcome) => json(all_well()),
        (StatusCode::NO_CONTENT, ..) | (_, None, Return::Minimal | Return::Representation) => status.into_response(),
        (_, _, Return::OperationOutcome) => (status, json(all_well())).into_response(),
        (_, Some(resource), _) => (status, json(resource)).into_response(),
    };
    let (Some(version), Some(at)) = (written.version, written.last_updated) else { return response };
    if let Some(id) = written.id.filter(|_| status != StatusCode::NO_CONTENT) {
        let place = format!("{base}/{}/{id}/_history/{version}", written.resource_type);
        set(&mut response, header::LOCATION, &place);
    }
    with_version(response, version, at)
}

fn all_well() -> Bytes {
    FhirError::all_well()
}
