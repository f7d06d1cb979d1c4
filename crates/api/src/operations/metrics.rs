//! `/metrics`: figures in Prometheus' text format.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{MatchedPath, Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::Api;

/// Requests answered so far, by method, route and status.
#[derive(Clone, Default)]
pub(crate) struct Metrics(Arc<Mutex<BTreeMap<Answered, u64>>>);

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Answered {
    /// The route as it is written in the program, never the path that was asked for: that would hold ids.
    route: String,
    method: &'static str,
    status: u16,
}

/// Counts a request once it is answered.
pub(crate) async fn count(State(api): State<Api>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let method = match request.method().as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        // Anybody can make up methods; each must not become a line.
        _ => "other",
    };
    let response = next.run(request).await;
    let answered = Answered { route, method, status: response.status().as_u16() };
    *api.metrics.0.lock().unwrap_or_else(PoisonError::into_inner).entry(answered).or_default() += 1;
    response
}

/// `/metrics`.
pub(super) async fn show(State(api): State<Api>) -> Response {
    let mut out = String::from("# HELP keepwell_http_requests_total Requests answered by the machine doors.\n");
    out.push_str("# TYPE keepwell_http_requests_total counter\n");
    for (answered, number) in &*api.metrics.0.lock().unwrap_or_else(PoisonError::into_inner) {
        let Answered { route, method, status } = answered;
        let labels = format!("route=\"{route}\",method=\"{method}\",status=\"{status}\"");
        let _ = writeln!(out, "keepwell_http_requests_total{{{labels}}} {number}");
    }
    for gauge in api.config.gauges.as_ref().map(|gauges| gauges()).unwrap_or_default() {
        let kind = if gauge.name.ends_with("_total") { "counter" } else { "gauge" };
        let _ = writeln!(out, "# HELP keepwell_{0} {1}\n# TYPE keepwell_{0} {kind}", gauge.name, gauge.help);
        let _ = writeln!(out, "keepwell_{} {}", gauge.name, gauge.value);
    }
    let headers =
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    (headers, out).into_response()
}
