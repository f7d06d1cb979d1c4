//! `$validate` of a type, with the resource as the body, and of a resource that is kept here.

use axum::extract::{Path, State};
use axum::response::Response;

use super::super::answer::{Refusal, json};
use super::called::Called;
use super::{Place, place};
use crate::Api;

pub(super) async fn of_type(
    State(api): State<Api>,
    Path(kind): Path<String>,
    called: Called,
) -> Result<Response, Refusal> {
    Ok(json(api.within(api.service.validate(called.client(), Some(&kind), None, &called.request())).await?))
}

pub(super) async fn of_resource(State(api): State<Api>, at: Place, called: Called) -> Result<Response, Refusal> {
    let (kind, id) = place(at);
    Ok(json(api.within(api.service.validate(called.client(), Some(&kind), Some(&id), &called.request())).await?))
}
