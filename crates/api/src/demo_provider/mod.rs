//! The demonstration's OpenID provider: a stand-in for NHS login with synthetic residents, mounted only when the
//! configuration asks for a demonstration. Anybody may sign in as anybody, and every page says so.
//!
//! # What a relying party needs to know
//!
//! | | |
//! |---|---|
//! | issuer | `{base}/demo-id` |
//! | discovery | `{issuer}/.well-known/openid-configuration` |
//! | keys | `{issuer}/jwks.json`: one EC P-256 key, made anew at each start, so an unknown `kid` means "fetch again" |
//! | authorisation | `{issuer}/authorize`: code flow; `state`, `nonce` and PKCE with `S256` are required |
//! | token | `{issuer}/token`: `client_secret_basic`; a code works once and for ten minutes |
//! | client | `keepwell-portal`, with a random secret that the binary hands to both sides |
//! | redirect | `{base}/sign-in/callback`, compared character by character |
//! | ID token | `ES256`; `iss`, `aud`, `exp`, `iat`, `nonce`, `sub`, `nhs_number` (ten digits), `family_name`, `given_name`, `birthdate` (`YYYY-MM-DD`), `identity_proofing_level` (`P9`) |
//! | answer | the redirect carries `code`, `state` and `iss` (RFC 9207); a refusal carries `error`, `state` and `iss` |
//!
//! It knows nothing of records or of the service: a list of residents is all it has.

/// One synthetic resident that a visitor may sign in as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoResident {
    /// The provider's stable name for the person.
    pub sub: String,
    /// Ten digits, without spaces.
    pub nhs_number: String,
    /// Given name.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// Date of birth, `YYYY-MM-DD`.
    pub birth_date: String,
    /// A few words on why one might pick this person, such as `Diabetes, many test results`.
    pub note: String,
}

mod authorize;
mod discovery;
mod keys;
mod page;
mod request;
mod state;
mod style;
mod token;

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use keepwell_model::{Clock, Random};

use state::Provider;

/// Where the provider is mounted, below the base address.
pub const PATH: &str = "/demo-id";

/// The portal's name at the provider.
pub const CLIENT_ID: &str = "keepwell-portal";

/// No form or token request is longer.
const MAX_FORM: usize = 16 * 1024;

/// What the provider is told.
#[derive(Clone)]
pub struct DemoProviderConfig {
    /// Where people reach the installation, without a slash at the end.
    pub base_url: String,
    /// The secret that the portal shows at the token endpoint.
    pub client_secret: String,
    /// Who can be chosen, in the order in which they are shown.
    pub residents: Vec<DemoResident>,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where the randomness of codes comes from.
    pub random: Arc<dyn Random>,
}

impl fmt::Debug for DemoProviderConfig {
    /// Never the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DemoProviderConfig({}, {} residents)", self.base_url, self.residents.len())
    }
}

/// The provider could not make its signing key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the demonstration's identity provider could not make a signing key")]
pub struct KeyError;

/// The provider's routes, all below [`PATH`].
///
/// # Errors
/// [`KeyError`] if no signing key can be made.
pub fn router(config: DemoProviderConfig) -> Result<Router, KeyError> {
    let provider = Arc::new(Provider::new(config)?);
    let routes = Router::new()
        .route("/.well-known/openid-configuration", get(discovery::configuration))
        .route("/jwks.json", get(discovery::keys))
        .route("/authorize", get(authorize::show).post(authorize::choose))
        .route("/token", post(token::redeem))
        .route(style::PATH, get(style::sheet))
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .with_state(provider);
    Ok(Router::new().nest(PATH, routes))
}

#[cfg(test)]
mod tests;
