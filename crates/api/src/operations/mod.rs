//! For whoever runs the installation: is it well, and what does it do. Never about a person.

mod health;
mod metrics;

use axum::Router;
use axum::routing::get;

use crate::Api;

pub(crate) use metrics::{Metrics, count};

pub(crate) fn routes() -> Router<Api> {
    Router::new().route("/healthz", get(health::check)).route("/metrics", get(metrics::show))
}
