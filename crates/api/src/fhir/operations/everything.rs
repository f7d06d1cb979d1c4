//! `GET` or `POST /fhir/Patient/{id}/$everything`: a whole record.

use axum::extract::State;
use axum::response::Response;

use super::super::answer::{Refusal, json};
use super::called::Called;
use super::{Place, only, place};
use crate::Api;

pub(super) async fn of_patient(State(api): State<Api>, at: Place, called: Called) -> Result<Response, Refusal> {
    let (kind, id) = place(at);
    only("Patient", &kind).await?;
    Ok(json(api.within(api.service.everything(called.client(), &id, &called.request())).await?))
}
