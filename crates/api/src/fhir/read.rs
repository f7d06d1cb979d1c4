//! `GET /fhir/{type}/{id}`: one resource.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::answer::{Refusal, json};
use super::caller::Caller;
use super::negotiate::{list, takes_fhir_json};
use crate::Api;
use crate::http_date::http_date;

pub(super) async fn read(
    State(api): State<Api>,
    Caller(client): Caller,
    place: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    takes_fhir_json(&headers)?;
    // Only a path that is not UTF-8 is refused; its place in the service would be an id that nobody has.
    let (resource_type, id) = place.map(|Path(place)| place).unwrap_or_default();
    let answer = api.service.read_resource(&client, &resource_type, &id).await?;
    let etag = format!("W/\"{}\"", answer.version);
    let unchanged = list(&headers, header::IF_NONE_MATCH).any(|known| known == etag || known == "*");
    let mut response = if unchanged { StatusCode::NOT_MODIFIED.into_response() } else { json(answer.json) };
    for (name, value) in [(header::ETAG, etag), (header::LAST_MODIFIED, http_date(answer.last_updated))] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}
