//! FHIR R4 over HTTP. Every answer is FHIR JSON, errors included: an OperationOutcome that says what to do. Each
//! interaction has a file of its own.

mod answer;
mod body;
mod caller;
mod cors;
mod create;
mod delete;
mod history;
mod limits;
mod metadata;
mod negotiate;
mod pack;
mod patch;
mod prefer;
mod pretty;
mod read;
mod search;
mod transaction;
mod unknown;
mod update;
mod written;

use axum::Router;
use axum::middleware;
use axum::routing::{any, get, post};

pub(crate) use limits::Turns;

use crate::Api;

pub(crate) fn routes() -> Router<Api> {
    let resource = get(read::read).put(update::update).patch(patch::patch).delete(delete::delete);
    let of_type = get(search::of_type)
        .post(create::create)
        .put(update::update_found)
        .patch(patch::patch_found)
        .delete(delete::delete_found);
    Router::new()
        .route("/fhir", get(search::all).post(transaction::commit))
        .route("/fhir/", get(search::all).post(transaction::commit))
        .route("/fhir/_search", post(search::all_by_form))
        .route("/fhir/metadata", get(metadata::show))
        .route("/fhir/_history", get(history::of_record))
        .route("/fhir/{type}", of_type)
        .route("/fhir/{type}/_search", post(search::of_type_by_form))
        .route("/fhir/{type}/_history", get(history::of_type))
        .route("/fhir/{type}/{id}", resource)
        .route("/fhir/{type}/{id}/_history", get(history::of_resource))
        .route("/fhir/{type}/{id}/{inner}", get(search::of_person))
        .route("/fhir/{type}/{id}/{inner}/_search", post(search::of_person_by_form))
        .route("/fhir/{type}/{id}/_history/{version}", get(read::read_version))
        .method_not_allowed_fallback(unknown::method)
        .route("/fhir/{type}/", any(unknown::place))
        .route("/fhir/{type}/{id}/", any(unknown::place))
        .route("/fhir/{type}/{id}/{inner}/", any(unknown::place))
        .route("/fhir/{type}/{id}/{inner}/{*rest}", any(unknown::place))
        .layer(middleware::from_fn(negotiate::render))
        .layer(middleware::from_fn(pack::pack))
        .layer(middleware::map_response(answer::harden))
        .layer(middleware::from_fn(cors::any_page))
}
