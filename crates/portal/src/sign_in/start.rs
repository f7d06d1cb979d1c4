//! `/sign-in/start`: off to the provider.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};

use super::attempt::{Attempt, LIFETIME};
use super::callback::Problem;
use crate::{Portal, cookies};

/// Begins an attempt and sends the browser to the provider.
pub(crate) async fn go(State(portal): State<Portal>) -> Response {
    let config = portal.config();
    let attempt = Attempt::begin(&*config.random, config.clock.now());
    match portal.relying_party().authorization_address(&attempt).await {
        Ok(address) => {
            let mut response = Redirect::to(&address).into_response();
            let seconds = u32::try_from(LIFETIME).expect("ten minutes");
            cookies::set(&mut response, cookies::ATTEMPT, &attempt.to_cookie(), Some(seconds));
            response
        }
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "Sign-in could not begin");
            Problem::Unavailable.page(&portal)
        }
    }
}
