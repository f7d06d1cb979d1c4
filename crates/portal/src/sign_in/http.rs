//! The small HTTP client that talks to the provider: bounded in time and size, and it follows no redirects.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Method, Request, Uri, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;

use super::ProviderError;

/// The longest answer that is read.
const MAX_ANSWER: usize = 256 * 1024;
/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The client.
pub(crate) struct Http(Client<HttpConnector, Full<Bytes>>);

impl Http {
    pub(crate) fn new() -> Self {
        Self(Client::builder(TokioExecutor::new()).build(HttpConnector::new()))
    }

    /// Fetches a JSON document.
    pub(crate) async fn get<T: DeserializeOwned>(&self, url: &str) -> Result<T, ProviderError> {
        let request = request(Method::GET, url)?.body(Full::default());
        self.send(request.map_err(|_| ProviderError::Malformed("an address"))?).await
    }

    /// Posts a form with `client_secret_basic` credentials and reads a JSON document.
    pub(crate) async fn post_form<T: DeserializeOwned>(
        &self,
        url: &str,
        (id, secret): (&str, &str),
        form: String,
    ) -> Result<T, ProviderError> {
        // RFC 6749 §2.3.1: both parts are form-encoded before they are joined.
        let credentials = STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret)));
        let request = request(Method::POST, url)?
            .header(header::AUTHORIZATION, format!("Basic {credentials}"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::from(form));
        self.send(request.map_err(|_| ProviderError::Malformed("an address"))?).await
    }

    async fn send<T: DeserializeOwned>(&self, request: Request<Full<Bytes>>) -> Result<T, ProviderError> {
        let exchange = async {
            let response = self.0.request(request).await.map_err(|_| ProviderError::Unreachable("no connection"))?;
            let status = response.status();
            if status != 200 {
                return Err(ProviderError::Status(status.as_u16()));
            }
            let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
            Ok(body.map_err(|_| ProviderError::Malformed("too long, or cut off"))?.to_bytes())
        };
        let body = tokio::time::timeout(PATIENCE, exchange).await;
        let body = body.map_err(|_| ProviderError::Unreachable("no answer in time"))??;
        serde_json::from_slice(&body).map_err(|_| ProviderError::Malformed("not the JSON that was expected"))
    }
}

fn request(method: Method, url: &str) -> Result<axum::http::request::Builder, ProviderError> {
    let uri: Uri = url.parse().map_err(|_| ProviderError::Malformed("an address"))?;
    Ok(Request::builder().method(method).uri(uri).header(header::ACCEPT, "application/json"))
}

/// A query or form body.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    fields.iter().map(|(key, value)| format!("{}={}", encoded(key), encoded(value))).collect::<Vec<_>>().join("&")
}

fn encoded(text: &str) -> impl std::fmt::Display + '_ {
    utf8_percent_encode(text, NON_ALPHANUMERIC)
}
