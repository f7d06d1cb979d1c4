//! `GET` or `POST /fhir/Observation/$lastn`: the newest observations of each kind.

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
    Ok(json(api.within(api.service.last_observations(called.client(), &called.request())).await?))
}
