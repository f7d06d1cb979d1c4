//! `/sign-in/callback`: back from the provider.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use keepwell_service::SignInError;

use super::ProviderError;
use super::attempt::Attempt;
use crate::shell::{Shell, page_with};
use crate::{Portal, cookies, routes};

/// Why nobody is signed in now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The answer does not belong to an attempt of this browser, or it took too long.
    Interrupted,
    /// The person, or the provider, said no.
    Declined,
    /// No record agrees with the person's details.
    NoMatch,
    /// The person has not proved who they are well enough.
    NotProved,
    /// The provider or we cannot do it just now.
    Unavailable,
}

impl Problem {
    #[cfg(test)]
    const ALL: [Self; 5] = [Self::Interrupted, Self::Declined, Self::NoMatch, Self::NotProved, Self::Unavailable];

    fn key(self) -> &'static str {
        match self {
            Self::Interrupted => "interrupted",
            Self::Declined => "declined",
            Self::NoMatch => "no-match",
            Self::NotProved => "not-proved",
            Self::Unavailable => "unavailable",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::Interrupted => StatusCode::BAD_REQUEST,
            Self::Declined | Self::NoMatch | Self::NotProved => StatusCode::FORBIDDEN,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The page that says so. The attempt is over.
    pub(crate) fn page(self, portal: &Portal) -> Response {
        let view = SignInProblemPage { shell: Shell::public(portal.config()), problem: self };
        let mut response = page_with(self.status(), &view);
        cookies::clear(&mut response, cookies::ATTEMPT);
        response
    }
}

/// The page of a sign-in that did not work.
#[derive(Template)]
#[template(path = "public/sign_in_problem.html")]
pub(crate) struct SignInProblemPage {
    shell: Shell,
    problem: Problem,
}

impl SignInProblemPage {
    fn text(&self, part: &str) -> String {
        self.shell.t.say(&format!("sign-in-{}-{part}", self.problem.key()))
    }
}

/// The parameters of the provider's answer.
#[derive(Default)]
struct Answer {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
    issuer: Option<String>,
}

impl Answer {
    /// `None` if a parameter comes twice: then somebody has tampered with the address.
    fn read(parameters: Vec<(String, String)>) -> Option<Self> {
        let mut answer = Self::default();
        for (name, value) in parameters {
            let place = match name.as_str() {
                "code" => &mut answer.code,
                "state" => &mut answer.state,
                "error" => &mut answer.error,
                "iss" => &mut answer.issuer,
                _ => continue,
            };
            if place.replace(value).is_some() {
                return None;
            }
        }
        Some(answer)
    }
}

/// Checks the provider's answer and signs the person in.
pub(crate) async fn finish(
    State(portal): State<Portal>,
    Query(parameters): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Response {
    match sign_in(&portal, parameters, &headers).await {
        Ok(token) => {
            let mut response = Redirect::to(routes::HOME).into_response();
            cookies::clear(&mut response, cookies::ATTEMPT);
            // A session cookie lives as long as the browser; how long the session lives is the service's affair.
            cookies::set(&mut response, cookies::SESSION, &token, None);
            response
        }
        Err(problem) => problem.page(&portal),
    }
}

async fn sign_in(portal: &Portal, parameters: Vec<(String, String)>, headers: &HeaderMap) -> Result<String, Problem> {
    let now = portal.config().clock.now();
    let attempt = cookies::get(headers, cookies::ATTEMPT).and_then(|value| Attempt::from_cookie(value, now));
    let attempt = attempt.ok_or(Problem::Interrupted)?;
    let answer = Answer::read(parameters).ok_or(Problem::Interrupted)?;
    let (state, expected) = (answer.state.unwrap_or_default(), attempt.state());
    if aws_lc_rs::constant_time::verify_slices_are_equal(state.as_bytes(), expected.as_bytes()).is_err() {
        return Err(Problem::Interrupted);
    }
    portal.relying_party().check_issuer(answer.issuer.as_deref()).await.map_err(|error| refused(&error))?;
    if answer.error.is_some() {
        return Err(Problem::Declined);
    }
    let code = answer.code.ok_or(Problem::Interrupted)?;
    let claims = portal.relying_party().redeem(&code, &attempt).await.map_err(|error| refused(&error))?;
    // A new session at each sign-in; one that the browser still has is ended, whoever's it was (T16).
    if let Some(old) = cookies::get(headers, cookies::SESSION) {
        portal.service().sign_out(old).await.map_err(|_| Problem::Unavailable)?;
    }
    let token = portal.service().sign_in(claims.into_identity()).await.map_err(|error| match error {
        SignInError::NoMatch => Problem::NoMatch,
        SignInError::NotProved => Problem::NotProved,
        SignInError::Unavailable => Problem::Unavailable,
    })?;
    Ok(token.secret().to_owned())
}

fn refused(error: &ProviderError) -> Problem {
    tracing::warn!(error = error as &dyn std::error::Error, "Sign-in was refused");
    match error {
        ProviderError::Unreachable(_) | ProviderError::Malformed(_) => Problem::Unavailable,
        // The token endpoint says 400 to a code that is used up or not ours.
        ProviderError::Status(status) if (400..500).contains(status) => Problem::Interrupted,
        ProviderError::Status(_) => Problem::Unavailable,
        ProviderError::Token(_) => Problem::Interrupted,
    }
}

#[cfg(test)]
impl crate::quality::Samples for SignInProblemPage {
    fn samples(t: crate::texts::Texts) -> Vec<Self> {
        let shell = || crate::quality::shell(t, crate::shell::Section::None, false);
        Problem::ALL.into_iter().map(|problem| Self { shell: shell(), problem }).collect()
    }
}
