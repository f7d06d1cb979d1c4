//! Signing in with an OpenID provider: the authorization code flow with PKCE (T16 to T21). Written here rather than taken
//! from a library because it must come to know `private_key_jwt` and back-channel logout; the cryptography underneath is
//! `jsonwebtoken` on aws-lc.

mod attempt;
pub(crate) mod callback;
mod discovery;
mod http;
mod id_token;
mod keys;
pub(crate) mod sign_out;
pub(crate) mod start;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use keepwell_model::Clock;

use self::attempt::Attempt;
use self::discovery::Discovery;
use self::http::Http;
use self::id_token::Claims;
use self::keys::KeySet;
use crate::config::{PortalConfig, ProviderConfig};
use crate::routes;

/// Why a provider's answer was not accepted. Shown to nobody; logged once, without any of its content.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProviderError {
    /// It cannot be reached, or not in time.
    #[error("the provider could not be reached: {0}")]
    Unreachable(&'static str),
    /// It answered with an error.
    #[error("the provider answered {0}")]
    Status(u16),
    /// It answered with something else than it should.
    #[error("the provider's answer is not as it should be: {0}")]
    Malformed(&'static str),
    /// The ID token is not one that we may trust.
    #[error("the ID token was refused: {0}")]
    Token(&'static str),
}

/// Us, as one provider knows us.
pub(crate) struct RelyingParty {
    provider: ProviderConfig,
    redirect_uri: String,
    http: Http,
    discovery: Discovery,
    keys: KeySet,
    clock: Arc<dyn Clock>,
}

impl RelyingParty {
    pub(crate) fn new(config: &PortalConfig) -> Self {
        Self {
            provider: config.provider.clone(),
            redirect_uri: format!("{}{}", config.base_url, routes::SIGN_IN_CALLBACK),
            http: Http::new(),
            discovery: Discovery::default(),
            keys: KeySet::default(),
            clock: Arc::clone(&config.clock),
        }
    }

    /// Where to send the browser for this attempt.
    pub(crate) async fn authorization_address(&self, attempt: &Attempt) -> Result<String, ProviderError> {
        let metadata = self.discovery.metadata(&self.http, &self.provider.issuer, self.clock.now()).await?;
        let mut scopes = vec!["openid"];
        scopes.extend(self.provider.scopes.iter().map(String::as_str).filter(|scope| *scope != "openid"));
        let (scope, state, nonce, challenge) =
            (scopes.join(" "), attempt.state(), attempt.nonce(), attempt.challenge());
        let query = http::form(&[
            ("response_type", "code"),
            ("client_id", &self.provider.client_id),
            ("redirect_uri", &self.redirect_uri),
            ("scope", &scope),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        let separator = if metadata.authorization_endpoint.contains('?') { '&' } else { '?' };
        Ok(format!("{}{separator}{query}", metadata.authorization_endpoint))
    }

    /// Checks the `iss` that came with the code (RFC 9207): another provider's answer must not be taken for this one's.
    pub(crate) async fn check_issuer(&self, issuer: Option<&str>) -> Result<(), ProviderError> {
        let metadata = self.discovery.metadata(&self.http, &self.provider.issuer, self.clock.now()).await?;
        match issuer {
            Some(issuer) if issuer != self.provider.issuer => Err(ProviderError::Token("another issuer answered")),
            None if metadata.authorization_response_iss_parameter_supported => {
                Err(ProviderError::Token("the answer does not name its issuer"))
            }
            _ => Ok(()),
        }
    }

    /// Redeems a code and returns what the ID token vouches for.
    pub(crate) async fn redeem(&self, code: &str, attempt: &Attempt) -> Result<Claims, ProviderError> {
        let now = self.clock.now();
        let metadata = self.discovery.metadata(&self.http, &self.provider.issuer, now).await?;
        let verifier = attempt.verifier();
        let form = http::form(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", &verifier),
        ]);
        let credentials = (self.provider.client_id.as_str(), self.provider.client_secret.reveal());
        let answer: id_token::TokenAnswer = self.http.post_form(&metadata.token_endpoint, credentials, form).await?;
        let (header, algorithm) = id_token::header(&answer.id_token, self.provider.signing_algorithm)?;
        let key = self.keys.find(&self.http, &metadata.jwks_uri, header.kid.as_deref(), algorithm, now).await?;
        let expected = id_token::Expected {
            issuer: &self.provider.issuer,
            client_id: &self.provider.client_id,
            nonce: &attempt.nonce(),
            now: self.clock.now(),
        };
        id_token::verify(&answer.id_token, &key, algorithm, &expected)
    }
}
