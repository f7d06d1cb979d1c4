//! What a person reads when a page cannot be shown. It never says why in technical words, and a thing that the person
//! may not know exists is "not found".

use askama::Template;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use keepwell_service::ServiceError;

use crate::Portal;
use crate::shell::{Shell, page_with};

/// Why a page cannot be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageError {
    /// The request makes no sense.
    BadRequest,
    /// The form did not come from a page of this session.
    Forbidden,
    /// There is no such page, or not for this person.
    NotFound,
    /// Our mistake.
    Internal,
    /// Not available just now.
    Unavailable,
}

impl PageError {
    const ALL: [Self; 5] = [Self::BadRequest, Self::Forbidden, Self::NotFound, Self::Internal, Self::Unavailable];

    fn status(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The page that fits a status, also one that the framework answered with.
    fn of(status: StatusCode) -> Self {
        let exact = Self::ALL.into_iter().find(|error| error.status() == status);
        exact.unwrap_or(if status.is_server_error() { Self::Internal } else { Self::BadRequest })
    }

    /// The middle of the keys of its texts.
    fn key(self) -> &'static str {
        match self {
            Self::BadRequest => "400",
            Self::Forbidden => "403",
            Self::NotFound => "404",
            Self::Internal => "500",
            Self::Unavailable => "503",
        }
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        self.status().into_response()
    }
}

impl From<ServiceError> for PageError {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::NotFound => Self::NotFound,
            ServiceError::Unavailable | ServiceError::Conflict => Self::Unavailable,
            ServiceError::Invalid(_) | ServiceError::TooLarge { .. } => Self::BadRequest,
        }
    }
}

/// The page of an error.
#[derive(Template)]
#[template(path = "error.html")]
pub(crate) struct ErrorPage {
    shell: Shell,
    key: &'static str,
    retry: bool,
}

impl ErrorPage {
    fn text(&self, part: &str) -> String {
        self.shell.t.say(&format!("error-{}-{part}", self.key))
    }
}

/// The answer for an address that no page has.
pub(crate) async fn not_found() -> PageError {
    PageError::NotFound
}

/// Turns every bare error, ours or the framework's, into a page.
pub(crate) async fn explain(State(portal): State<Portal>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let is_page =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if !(status.is_client_error() || status.is_server_error()) || is_page {
        return response;
    }
    let error = PageError::of(status);
    let shell = Shell::public(portal.config());
    let mut page = page_with(status, &ErrorPage { shell, key: error.key(), retry: error == PageError::Unavailable });
    for name in [header::ALLOW, header::SET_COOKIE] {
        for value in response.headers().get_all(&name) {
            page.headers_mut().append(name.clone(), value.clone());
        }
    }
    page
}

#[cfg(test)]
impl crate::quality::Samples for ErrorPage {
    fn samples(t: crate::texts::Texts) -> Vec<Self> {
        let shell = || crate::quality::shell(t, crate::shell::Section::None, false);
        PageError::ALL
            .into_iter()
            .map(|error| Self { shell: shell(), key: error.key(), retry: error == PageError::Unavailable })
            .collect()
    }
}
