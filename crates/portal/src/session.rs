//! Who is asking. A page that takes a [`Resident`] cannot be reached by anybody else.

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use keepwell_service::{ServiceError, Session};

use crate::errors::PageError;
use crate::shell::{Person, Section, Shell};
use crate::{Portal, cookies, csrf, display, routes};

/// The longest cookie value that is looked up at all.
const LONGEST_TOKEN: usize = 200;

/// A signed-in resident.
pub(crate) struct Resident {
    /// What the service needs to know.
    pub(crate) session: Session,
}

/// Why somebody is not let in.
pub(crate) enum Turned {
    /// Nobody is signed in.
    SignIn,
    /// Somebody was, and the session is over.
    TimedOut,
    /// It could not be found out.
    Problem(PageError),
}

impl IntoResponse for Turned {
    fn into_response(self) -> Response {
        match self {
            Self::SignIn => Redirect::to(routes::SIGN_IN).into_response(),
            Self::TimedOut => {
                let mut response = Redirect::to(routes::TIMED_OUT).into_response();
                cookies::clear(&mut response, cookies::SESSION);
                response
            }
            Self::Problem(problem) => problem.into_response(),
        }
    }
}

/// A first lock on every address for residents: without a session cookie nothing behind it runs, whatever a page forgot.
pub(crate) async fn require_cookie(request: Request, next: Next) -> Response {
    match cookies::get(request.headers(), cookies::SESSION) {
        Some(token) if !token.is_empty() => next.run(request).await,
        _ => Turned::SignIn.into_response(),
    }
}

impl FromRequestParts<Portal> for Resident {
    type Rejection = Turned;

    async fn from_request_parts(parts: &mut Parts, portal: &Portal) -> Result<Self, Turned> {
        let token = cookies::get(&parts.headers, cookies::SESSION).filter(|token| !token.is_empty());
        let Some(token) = token else { return Err(Turned::SignIn) };
        if token.len() > LONGEST_TOKEN {
            return Err(Turned::TimedOut);
        }
        match portal.service().session(token).await {
            Ok(Some(session)) => Ok(Self { session }),
            Ok(None) | Err(ServiceError::NotFound) => Err(Turned::TimedOut),
            Err(error) => Err(Turned::Problem(error.into())),
        }
    }
}

impl Resident {
    /// The frame of a page for this person.
    pub(crate) fn shell(&self, portal: &Portal, section: Section) -> Shell {
        let person = Person { name: display::name(&self.session.display_name), csrf: self.csrf(portal) };
        Shell::new(portal.config(), section, Some(person))
    }

    /// The hidden field of a form.
    pub(crate) fn csrf(&self, portal: &Portal) -> String {
        csrf::masked(&*portal.config().random, &self.session.csrf)
    }

    /// Whether a form came from a page that we gave to this session.
    ///
    /// # Errors
    /// [`PageError::Forbidden`] if not.
    pub(crate) fn check_form(&self, field: &str) -> Result<(), PageError> {
        if csrf::matches(&self.session.csrf, field) { Ok(()) } else { Err(PageError::Forbidden) }
    }
}
