//! `$meta` of a resource, of a type within a record, and of a record.

use axum::extract::{Path, State};
use axum::response::Response;

use super::super::answer::{Refusal, json};
use super::called::Called;
use super::{Place, place};
use crate::Api;

pub(super) async fn of_resource(State(api): State<Api>, at: Place, called: Called) -> Result<Response, Refusal> {
    let (kind, id) = place(at);
    Ok(json(api.within(api.service.resource_meta(called.client(), &kind, &id, &called.request())).await?))
}

pub(super) async fn of_type(
    State(api): State<Api>,
    Path(kind): Path<String>,
    called: Called,
) -> Result<Response, Refusal> {
    Ok(json(api.within(api.service.record_meta(called.client(), Some(&kind), &called.request())).await?))
}

pub(super) async fn of_record(State(api): State<Api>, called: Called) -> Result<Response, Refusal> {
    Ok(json(api.within(api.service.record_meta(called.client(), None, &called.request())).await?))
}
