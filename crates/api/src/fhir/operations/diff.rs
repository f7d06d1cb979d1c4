//! `GET` or `POST /fhir/{type}/{id}/$diff`: what changed between two versions.

use axum::extract::State;
use axum::response::Response;

use super::super::answer::{Refusal, json};
use super::called::Called;
use super::{Place, place};
use crate::Api;

pub(super) async fn of_resource(State(api): State<Api>, at: Place, called: Called) -> Result<Response, Refusal> {
    let (kind, id) = place(at);
    Ok(json(api.within(api.service.difference(called.client(), &kind, &id, &called.request())).await?))
}
