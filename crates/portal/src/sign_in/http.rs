//! The small HTTP client that talks to the provider: bounded in time and size, and it follows no redirects.

use std::sync::OnceLock;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Method, Request, Uri, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, ResponseFuture};
use hyper_util::rt::TokioExecutor;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;

use super::ProviderError;

/// The longest answer that is read.
const MAX_ANSWER: usize = 256 * 1024;
/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(10);

type Plain = Client<HttpConnector, Full<Bytes>>;
type Protected = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// The client. `PortalConfig::check` and the discovery document's check decide which addresses may be plain: the
/// demonstration's provider is this process itself.
pub(crate) struct Http {
    plain: Plain,
    /// Made when first needed: reading the system's certificates takes a moment that a start should not wait for, and a
    /// demonstration needs none.
    protected: OnceLock<Protected>,
}

impl Http {
    pub(crate) fn new() -> Self {
        let plain = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
        Self { plain, protected: OnceLock::new() }
    }

    fn begin(&self, request: Request<Full<Bytes>>) -> Result<ResponseFuture, ProviderError> {
        if request.uri().scheme_str() != Some("https") {
            return Ok(self.plain.request(request));
        }
        Ok(match self.protected.get() {
            Some(client) => client.request(request),
            None => {
                let client = connect()?;
                // Another request may have been quicker; then its client stays.
                self.protected.get_or_init(|| client).request(request)
            }
        })
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
            let response = self.begin(request)?.await.map_err(|_| ProviderError::Unreachable("no connection"))?;
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

fn connect() -> Result<Protected, ProviderError> {
    let builder = HttpsConnectorBuilder::new().with_native_roots();
    let builder = builder.map_err(|_| ProviderError::Unreachable("the system trusts no certificate authority"))?;
    Ok(Client::builder(TokioExecutor::new()).build(builder.https_only().enable_http1().build()))
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
