//! `_history` of a resource, a type or a record (R4 §3.1.0.12).

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use keepwell_service::{HistoryOf, HistoryRequest, query_parameters};

use super::answer::{Refusal, json};
use super::caller::Caller;
use crate::Api;

pub(super) async fn of_resource(
    State(api): State<Api>,
    caller: Caller,
    Path((resource_type, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    show(&api, &caller, HistoryOf::Resource(&resource_type, &id), query).await
}

pub(super) async fn of_type(
    State(api): State<Api>,
    caller: Caller,
    Path(resource_type): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    show(&api, &caller, HistoryOf::Type(&resource_type), query).await
}

pub(super) async fn of_record(
    State(api): State<Api>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    show(&api, &caller, HistoryOf::Record, query).await
}

async fn show(api: &Api, caller: &Caller, of: HistoryOf<'_>, query: Option<String>) -> Result<Response, Refusal> {
    let parameters = query_parameters(query.as_deref().unwrap_or_default());
    let base = api.config.fhir_base();
    let request = HistoryRequest { of, parameters: &parameters, base: &base };
    Ok(json(api.within(api.service.history(caller, &request)).await?))
}
