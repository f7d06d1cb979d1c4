//! `POST /fhir`: a transaction Bundle, kept whole or not at all.

use std::error::Error;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use keepwell_service::IssueCode;

use super::answer::{Refusal, json};
use super::caller::Caller;
use super::negotiate::{sends_fhir_json, takes_fhir_json};
use crate::Api;

/// How long the body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(120);

pub(super) async fn commit(
    State(api): State<Api>,
    Caller(client): Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    sends_fhir_json(&headers)?;
    takes_fhir_json(&headers)?;
    let body = read(&headers, body, api.service.config().max_bundle).await?;
    let answer = api.service.transaction(&client, body).await?;
    Ok(json(answer.json))
}

/// The whole body, refused as soon as it is known to be too long.
async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Refusal> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_long(limit));
    }
    let collected = tokio::time::timeout(PATIENCE, Limited::new(body, limit).collect()).await;
    let late = |_| Refusal::new(StatusCode::REQUEST_TIMEOUT, IssueCode::Transient, "The body took too long to arrive.");
    match collected.map_err(late)? {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if is_too_long(&*error) => Err(too_long(limit)),
        Err(_) => Err(Refusal::new(StatusCode::BAD_REQUEST, IssueCode::Invalid, "The body broke off. Send it again.")),
    }
}

fn is_too_long(error: &(dyn Error + 'static)) -> bool {
    error.is::<LengthLimitError>() || error.source().is_some_and(is_too_long)
}

fn too_long(limit: usize) -> Refusal {
    let words = format!("The Bundle is longer than {limit} bytes. Split it into several transactions.");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, IssueCode::TooLong, words)
}
