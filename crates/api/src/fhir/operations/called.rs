//! A call of an operation: who calls, and with what.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use keepwell_service::{Client, OperationRequest, query_parameters};

use super::super::answer::Refusal;
use super::super::body;
use super::super::caller::Caller;
use crate::Api;

/// A form, as HTML and some clients send one.
const FORM: &str = "application/x-www-form-urlencoded";

/// A call, read whole.
pub(super) struct Called {
    caller: Caller,
    parameters: Vec<(String, String)>,
    body: Option<Bytes>,
    base: String,
}

impl Called {
    /// Who calls.
    pub(super) fn client(&self) -> &Client {
        &self.caller
    }

    /// With what.
    pub(super) fn request(&self) -> OperationRequest<'_> {
        OperationRequest { parameters: &self.parameters, body: self.body.clone(), base: &self.base }
    }
}

impl FromRequest<Api> for Called {
    type Rejection = Response;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let caller = Caller::from_request_parts(&mut parts, api).await.map_err(IntoResponse::into_response)?;
        let refused = |refusal: Refusal| refusal.into_response();
        let limit = api.service.config().max_bundle;
        let mut parameters = query_parameters(parts.uri.query().unwrap_or_default());
        let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let is_form = content_type.is_some_and(|value| value.split(';').next().unwrap_or_default().trim() == FORM);
        let is_bare = content_type.is_none() && parts.headers.get(header::CONTENT_LENGTH).is_none_or(|it| it == "0");
        let body = if is_form || is_bare {
            let form = body::read(&parts.headers, body, limit).await.map_err(refused)?;
            parameters.extend(query_parameters(&String::from_utf8_lossy(&form)));
            None
        } else {
            Some(body::as_sent(&parts.headers, body, limit).await.map_err(refused)?)
        };
        Ok(Self { caller, parameters, body, base: api.config.fhir_base() })
    }
}
