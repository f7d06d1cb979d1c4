//! `POST /fhir/Patient/$match`: whether somebody's details agree with a record.

use axum::extract::{Path, State};
use axum::response::Response;

use super::super::answer::{Refusal, json};
use super::called::Called;
use super::only;
use crate::Api;

pub(super) async fn of_patients(
    State(api): State<Api>,
    Path(kind): Path<String>,
    called: Called,
) -> Result<Response, Refusal> {
    only("Patient", &kind).await?;
    Ok(json(api.within(api.service.match_person(called.client(), &called.request())).await?))
}
