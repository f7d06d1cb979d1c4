//! `/.well-known/…`: public files.

mod log;

use axum::Router;
use axum::routing::get;

use crate::Api;

pub use log::{LogUnavailable, PublicLog};

pub(crate) fn routes() -> Router<Api> {
    Router::new().route("/.well-known/keepwell-log/{*path}", get(log::file))
}
