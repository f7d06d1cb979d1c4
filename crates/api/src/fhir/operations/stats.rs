//! `GET` or `POST /fhir/Observation/$stats`: figures about the values of a test.

use axum::extract::{Path, State};
use axum::response::Response;

use super::super::answer::{Refusal, json};
use super::called::Called;
use super::only;
use crate::Api;

pub(super) async fn of_observations(
    State(api): State<Api>,
    Path(kind): Path<String>,
    called: Called,
) -> Result<Response, Refusal> {
    only("Observation", &kind).await?;
    Ok(json(api.within(api.service.observation_stats(called.client(), &called.request())).await?))
}
