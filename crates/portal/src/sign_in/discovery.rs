//! The provider's discovery document, fetched when first needed and kept for an hour.

use keepwell_model::Timestamp;
use serde::Deserialize;
use tokio::sync::Mutex;

use super::ProviderError;
use super::http::Http;

/// Seconds for which a document is used without asking again.
const FRESH: i64 = 3_600;

/// What we need of it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Metadata {
    issuer: String,
    pub(crate) authorization_endpoint: String,
    pub(crate) token_endpoint: String,
    pub(crate) jwks_uri: String,
    #[serde(default)]
    pub(crate) authorization_response_iss_parameter_supported: bool,
}

/// The document and when it was fetched.
#[derive(Default)]
pub(crate) struct Discovery(Mutex<Option<(Timestamp, Metadata)>>);

impl Discovery {
    /// The document. While one request fetches it, others wait for that one.
    pub(crate) async fn metadata(&self, http: &Http, issuer: &str, now: Timestamp) -> Result<Metadata, ProviderError> {
        let mut kept = self.0.lock().await;
        if let Some((fetched, metadata)) = &*kept
            && now < fetched.plus_seconds(FRESH)
            && now >= *fetched
        {
            return Ok(metadata.clone());
        }
        let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let metadata: Metadata = http.get(&address).await?;
        metadata.check(issuer)?;
        *kept = Some((now, metadata.clone()));
        Ok(metadata)
    }
}

impl Metadata {
    /// The document must be the issuer's own, and none of its addresses may be less protected than the issuer.
    fn check(&self, issuer: &str) -> Result<(), ProviderError> {
        if self.issuer != issuer {
            return Err(ProviderError::Malformed("the discovery document is another issuer's"));
        }
        let allowed: &[&str] = if issuer.starts_with("https://") { &["https://"] } else { &["https://", "http://"] };
        let endpoints = [&self.authorization_endpoint, &self.token_endpoint, &self.jwks_uri];
        if endpoints.iter().all(|url| allowed.iter().any(|scheme| url.starts_with(scheme))) {
            Ok(())
        } else {
            Err(ProviderError::Malformed("an address in the discovery document is not protected"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(issuer: &str, token: &str) -> Metadata {
        Metadata {
            issuer: issuer.to_owned(),
            authorization_endpoint: format!("{issuer}/authorize"),
            token_endpoint: token.to_owned(),
            jwks_uri: format!("{issuer}/jwks"),
            authorization_response_iss_parameter_supported: false,
        }
    }

    #[test]
    fn a_document_of_another_issuer_or_with_an_unprotected_address_is_refused() {
        let issuer = "https://id.example.org";
        assert!(document(issuer, "https://id.example.org/token").check(issuer).is_ok());
        assert!(document(issuer, "http://id.example.org/token").check(issuer).is_err());
        assert!(document(issuer, "https://id.example.org/token").check("https://id.example.org/").is_err());
    }
}
