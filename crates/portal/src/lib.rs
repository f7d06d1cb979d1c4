//! Web pages for people: server-rendered, complete without JavaScript, in the person's language. It signs people in
//! through an OpenID provider, keeps nothing but a session cookie in the browser, and shows what `service` answers. It
//! must not know how a record is stored or encrypted, never decides who may see what, and formats dates, numbers and
//! names in one place only (`display`).

pub mod assets;
mod citizen;
mod components;
mod compress;
mod config;
mod cookies;
mod csrf;
mod display;
mod errors;
mod headers;
mod html;
mod public;
#[cfg(test)]
mod quality;
mod routes;
mod session;
mod shell;
mod sign_in;
#[cfg(test)]
mod tests;
mod texts;

use std::sync::Arc;

use axum::Router;
use axum::http::HeaderValue;
use axum::middleware;
use axum::routing::MethodRouter;
use keepwell_service::Service;

pub use config::{ConfigError, PortalConfig, ProviderConfig, Secret, SigningAlgorithm};

use display::Calendar;
use routes::Access;
use sign_in::RelyingParty;

/// All pages, ready to serve. An address that no page has is answered with the "not found" page, so merge other routers
/// into this one, not this one into others.
///
/// # Errors
/// [`ConfigError`] if a setting cannot work.
pub fn router(service: Service, config: PortalConfig) -> Result<Router, ConfigError> {
    let calendar = config.check()?;
    let policy = headers::content_security_policy(&config.provider.issuer, &config.base_url);
    let content_security_policy =
        HeaderValue::from_str(&policy).map_err(|_| ConfigError::Address { setting: "provider.issuer", url: policy })?;
    let relying_party = RelyingParty::new(&config);
    let portal = Portal(Arc::new(Inner { service, calendar, relying_party, content_security_policy, config }));
    let mut router = Router::new();
    for route in routes::all() {
        router = router.route(route.path, guarded(route.handler, route.access));
    }
    Ok(router
        .fallback(errors::not_found)
        .layer(middleware::from_fn_with_state(portal.clone(), errors::explain))
        .layer(middleware::from_fn(compress::text))
        .layer(middleware::from_fn_with_state(portal.clone(), headers::add))
        .with_state(portal))
}

/// No form of ours is larger than this.
const MAX_FORM: usize = 16 * 1024;

fn guarded(handler: MethodRouter<Portal>, access: Access) -> MethodRouter<Portal> {
    let handler = match access {
        Access::Public => handler,
        Access::Resident => handler.layer(middleware::from_fn(session::require_cookie)),
    };
    handler.layer(axum::extract::DefaultBodyLimit::max(MAX_FORM))
}

/// What every page can reach.
#[derive(Clone)]
pub(crate) struct Portal(Arc<Inner>);

struct Inner {
    service: Service,
    config: PortalConfig,
    calendar: Calendar,
    relying_party: RelyingParty,
    content_security_policy: HeaderValue,
}

impl Portal {
    pub(crate) fn service(&self) -> &Service {
        &self.0.service
    }

    pub(crate) fn config(&self) -> &PortalConfig {
        &self.0.config
    }

    pub(crate) fn calendar(&self) -> &Calendar {
        &self.0.calendar
    }

    pub(crate) fn relying_party(&self) -> &RelyingParty {
        &self.0.relying_party
    }

    pub(crate) fn content_security_policy(&self) -> HeaderValue {
        self.0.content_security_policy.clone()
    }
}
