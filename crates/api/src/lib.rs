//! Doors for machines: FHIR over HTTP, the public files of the transparency log, health and metrics, and the
//! demonstration's OpenID provider.
//!
//! A handler reads the request, calls one use case of `service` and writes the answer. This crate must not know how
//! records are stored or who may see what: it reaches nothing but `service`.

mod config;
pub mod demo_provider;
mod fhir;
mod http_date;
mod operations;
mod well_known;

use std::sync::Arc;

use axum::Router;
use axum::middleware;
use keepwell_service::Service;

pub use config::{ApiConfig, Gauge, Gauges};
pub use well_known::{LogUnavailable, PublicLog};

/// What the handlers share. Each request clones it several times.
#[derive(Clone)]
struct Api(Arc<Shared>);

struct Shared {
    service: Service,
    config: ApiConfig,
    metrics: operations::Metrics,
    turns: fhir::Turns,
}

impl std::ops::Deref for Api {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// All the doors. The router has no fallback of its own, so that it can be merged with the pages.
///
/// # Errors
/// [`demo_provider::KeyError`] if the demonstration's provider is wanted and cannot make its key.
pub fn router(service: Service, config: ApiConfig) -> Result<Router, demo_provider::KeyError> {
    let demo = config.demo_provider.clone().map(demo_provider::router).transpose()?;
    let shared = Shared { service, config, metrics: operations::Metrics::default(), turns: fhir::Turns::default() };
    let api = Api(Arc::new(shared));
    let doors = Router::new()
        .merge(fhir::routes())
        .merge(well_known::routes())
        .merge(operations::routes())
        .layer(middleware::from_fn_with_state(api.clone(), operations::count))
        .with_state(api);
    Ok(match demo {
        Some(demo) => doors.merge(demo),
        None => doors,
    })
}
