//! Who calls: the registered source system that holds the bearer token.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use keepwell_service::{Client, IssueCode};

use super::answer::Refusal;
use super::limits::Turn;
use crate::Api;

/// The calling system. A handler that takes one is not reached by anybody else, and counts as one of the system's
/// requests for as long as it keeps it.
pub(super) struct Caller {
    client: Arc<Client>,
    _turn: Turn,
}

impl std::ops::Deref for Caller {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// Why the caller is not known.
pub(super) enum NotKnown {
    /// No token, or not one of the form that is wanted.
    NoToken,
    /// A token that nobody has, or has any more.
    BadToken,
    /// The token could not be looked up, or too many requests came with it.
    Refused(Refusal),
}

impl FromRequestParts<Api> for Caller {
    type Rejection = NotKnown;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, NotKnown> {
        let token = bearer(&parts.headers).ok_or(NotKnown::NoToken)?;
        match api.service.client_by_token(token).await {
            Ok(Some(client)) => match api.turns.take(&client.name, api.config.requests_per_client) {
                Some(turn) => Ok(Self { client, _turn: turn }),
                None => Err(NotKnown::Refused(too_many())),
            },
            Ok(None) => Err(NotKnown::BadToken),
            Err(error) => Err(NotKnown::Refused(Refusal(error.into()))),
        }
    }
}

fn too_many() -> Refusal {
    let words = "This system has too many requests under way at once. Wait for some of them to be answered.";
    Refusal::new(StatusCode::TOO_MANY_REQUESTS, IssueCode::Throttled, words)
}

/// The token of the one `Authorization` header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().filter(|_| values.next().is_none())?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("Bearer") && !token.is_empty() && !token.contains(' ')).then_some(token)
}

impl IntoResponse for NotKnown {
    fn into_response(self) -> Response {
        let (challenge, words) = match self {
            Self::Refused(refusal) => return refusal.into_response(),
            Self::NoToken => (
                "Bearer realm=\"keepwell\"",
                "Say who you are: send the header 'Authorization: Bearer' with the token of a registered system.",
            ),
            Self::BadToken => (
                "Bearer realm=\"keepwell\", error=\"invalid_token\"",
                "This token is not, or no longer, that of a registered system. Ask the operator for another.",
            ),
        };
        let mut response = Refusal::new(StatusCode::UNAUTHORIZED, IssueCode::Login, words).into_response();
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        response
    }
}
