//! `GET` or `POST /fhir/DocumentReference/$docref`: the documents of a person.

use axum::extract::{Path, State};
use axum::response::Response;

use super::super::answer::{Refusal, json};
use super::called::Called;
use super::only;
use crate::Api;

pub(super) async fn of_documents(
    State(api): State<Api>,
    Path(kind): Path<String>,
    called: Called,
) -> Result<Response, Refusal> {
    only("DocumentReference", &kind).await?;
    Ok(json(api.within(api.service.document_references(called.client(), &called.request())).await?))
}
