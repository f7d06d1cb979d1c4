//! `GET` or `POST /fhir/Composition/{id}/$document`: a Composition with all that it refers to.

use axum::extract::State;
use axum::response::Response;

use super::super::answer::{Refusal, json};
use super::called::Called;
use super::{Place, only, place};
use crate::Api;

pub(super) async fn of_composition(State(api): State<Api>, at: Place, called: Called) -> Result<Response, Refusal> {
    let (kind, id) = place(at);
    only("Composition", &kind).await?;
    Ok(json(api.within(api.service.document(called.client(), &id, &called.request())).await?))
}
