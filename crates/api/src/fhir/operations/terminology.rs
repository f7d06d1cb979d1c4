//! What codes mean and where they belong: `ValueSet/$expand`, `CodeSystem/$lookup`, `$validate-code`, `$subsumes`.

use axum::extract::{Path, State};
use axum::response::Response;
use keepwell_service::CodesOf;

use super::super::answer::{Refusal, json};
use super::super::unknown;
use super::called::Called;
use super::only;
use crate::Api;

pub(super) async fn expand(
    State(api): State<Api>,
    Path(kind): Path<String>,
    called: Called,
) -> Result<Response, Refusal> {
    only("ValueSet", &kind).await?;
    Ok(json(api.service.expand_value_set(&called.request())?))
}

pub(super) async fn look_up(
    State(api): State<Api>,
    Path(kind): Path<String>,
    called: Called,
) -> Result<Response, Refusal> {
    only("CodeSystem", &kind).await?;
    Ok(json(api.service.look_up_code(&called.request())?))
}

pub(super) async fn validate_code(
    State(api): State<Api>,
    Path(kind): Path<String>,
    called: Called,
) -> Result<Response, Refusal> {
    let place = match kind.as_str() {
        "ValueSet" => CodesOf::ValueSet,
        "CodeSystem" => CodesOf::CodeSystem,
        _ => return Err(unknown::place().await),
    };
    Ok(json(api.service.validate_code(place, &called.request())?))
}

pub(super) async fn subsumes(
    State(api): State<Api>,
    Path(kind): Path<String>,
    called: Called,
) -> Result<Response, Refusal> {
    only("CodeSystem", &kind).await?;
    Ok(json(api.service.subsumes(&called.request())?))
}
