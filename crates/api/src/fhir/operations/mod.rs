//! Operations: what is asked for by a name with a dollar sign (R4 §3.2). Each has a file of its own.

mod bulk;
mod called;
mod diff;
mod docref;
mod document;
mod everything;
mod lastn;
mod meta;
mod person_match;
mod stats;
mod summary;
mod terminology;
mod validate;

use axum::Router;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::routing::{MethodRouter, get, post};
use keepwell_service::Operation;

use super::answer::Refusal;
use super::unknown;
use crate::Api;

/// Where each operation is found, and what does it.
fn routes_of(operation: Operation) -> Vec<(&'static str, MethodRouter<Api>)> {
    let (resource, of_type, server) = ("/fhir/{type}/{id}", "/fhir/{type}", "/fhir");
    match operation {
        Operation::Everything => vec![(resource, get(everything::of_patient).post(everything::of_patient))],
        Operation::Summary => vec![(resource, get(summary::of_patient).post(summary::of_patient))],
        Operation::Match => vec![(of_type, post(person_match::of_patients))],
        Operation::Document => vec![(resource, get(document::of_composition).post(document::of_composition))],
        Operation::LastN => vec![(of_type, get(lastn::of_observations).post(lastn::of_observations))],
        Operation::Stats => vec![(of_type, get(stats::of_observations).post(stats::of_observations))],
        Operation::DocRef => vec![(of_type, get(docref::of_documents).post(docref::of_documents))],
        Operation::Expand => vec![(of_type, get(terminology::expand).post(terminology::expand))],
        Operation::LookUp => vec![(of_type, get(terminology::look_up).post(terminology::look_up))],
        Operation::ValidateCode => vec![(of_type, get(terminology::validate_code).post(terminology::validate_code))],
        Operation::Subsumes => vec![(of_type, get(terminology::subsumes).post(terminology::subsumes))],
        Operation::Validate => {
            vec![(resource, get(validate::of_resource).post(validate::of_resource)), (of_type, post(validate::of_type))]
        }
        Operation::Diff => vec![(resource, get(diff::of_resource).post(diff::of_resource))],
        Operation::Meta => vec![
            (resource, get(meta::of_resource).post(meta::of_resource)),
            (of_type, get(meta::of_type).post(meta::of_type)),
            (server, get(meta::of_record).post(meta::of_record)),
        ],
        Operation::Export => vec![
            (server, get(bulk::export_all).post(bulk::export_all)),
            (of_type, get(bulk::export_people).post(bulk::export_people)),
            (resource, get(bulk::export_group).post(bulk::export_group)),
        ],
        Operation::Import => vec![(server, post(bulk::import))],
    }
}

pub(super) fn routes() -> Router<Api> {
    let mut router = Router::new();
    // Some clients escape the dollar sign.
    for sign in ["$", "%24"] {
        let (status, file) = (get(bulk::status).delete(bulk::forget), get(bulk::file));
        router = router
            .route(&format!("/fhir/{sign}bulk-status/{{job}}"), status)
            .route(&format!("/fhir/{sign}bulk-file/{{job}}/{{part}}/{{name}}"), file);
    }
    for operation in Operation::ALL {
        for (place, method) in routes_of(operation) {
            // Some clients escape the dollar sign.
            for sign in ["$", "%24"] {
                router = router.route(&format!("{place}/{sign}{}", operation.name()), method.clone());
            }
        }
    }
    router
}

/// The type and id in an address. A path that is not UTF-8 names nothing.
type Place = Result<Path<(String, String)>, PathRejection>;

fn place(place: Place) -> (String, String) {
    place.map(|Path(place)| place).unwrap_or_default()
}

/// Checks that the address is that of the type which has the operation.
async fn only(expected: &str, kind: &str) -> Result<(), Refusal> {
    if kind == expected { Ok(()) } else { Err(unknown::place().await) }
}
