//! FHIR R4 over HTTP. Every answer is FHIR, in JSON or XML, errors included: an OperationOutcome that says what to do.
//! Only files and what exports are made of go out as they are. Each interaction has a file of its own.

mod answer;
mod binary;
mod body;
mod caller;
mod cors;
mod create;
mod delete;
mod history;
mod limits;
mod metadata;
mod negotiate;
mod operations;
mod pack;
mod patch;
mod pieces;
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
use axum::routing::{MethodRouter, any, delete as method_delete, get, patch as method_patch, post, put};
use keepwell_service::Interaction;

pub(crate) use limits::Turns;

use crate::Api;

/// Where each interaction is found, and what does it.
fn routes_of(interaction: Interaction) -> Vec<(&'static str, MethodRouter<Api>)> {
    let (resource, of_type, inner) = ("/fhir/{type}/{id}", "/fhir/{type}", "/fhir/{type}/{id}/{inner}");
    match interaction {
        Interaction::Read => vec![(resource, get(read::read))],
        Interaction::VersionRead => vec![("/fhir/{type}/{id}/_history/{version}", get(read::read_version))],
        Interaction::Update => vec![(resource, put(update::update)), (of_type, put(update::update_found))],
        Interaction::Patch => {
            vec![(resource, method_patch(patch::patch)), (of_type, method_patch(patch::patch_found))]
        }
        Interaction::Delete => {
            vec![(resource, method_delete(delete::delete)), (of_type, method_delete(delete::delete_found))]
        }
        Interaction::HistoryOfResource => vec![("/fhir/{type}/{id}/_history", get(history::of_resource))],
        Interaction::HistoryOfType => vec![("/fhir/{type}/_history", get(history::of_type))],
        Interaction::Create => vec![(of_type, post(create::create))],
        Interaction::SearchType => vec![
            (of_type, get(search::of_type)),
            ("/fhir/{type}/_search", post(search::of_type_by_form)),
            (inner, get(search::of_person)),
            ("/fhir/{type}/{id}/{inner}/_search", post(search::of_person_by_form)),
        ],
        Interaction::SearchAll => vec![
            ("/fhir", get(search::all)),
            ("/fhir/", get(search::all)),
            ("/fhir/_search", post(search::all_by_form)),
        ],
        Interaction::HistoryOfRecord => vec![("/fhir/_history", get(history::of_record))],
        Interaction::Bundle => vec![("/fhir", post(transaction::commit)), ("/fhir/", post(transaction::commit))],
        Interaction::Capabilities => vec![("/fhir/metadata", get(metadata::show))],
    }
}

pub(crate) fn routes() -> Router<Api> {
    let offered = Interaction::ALL.into_iter().flat_map(routes_of);
    offered
        .fold(Router::new(), |router, (place, method)| router.route(place, method))
        .merge(operations::routes())
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
