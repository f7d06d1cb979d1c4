//! What an installation decides about its pages.

use std::fmt;
use std::sync::Arc;

use keepwell_model::{Clock, Random};

use crate::display::Calendar;

/// Settings of the portal. The binary makes one from its configuration file.
#[derive(Clone)]
pub struct PortalConfig {
    /// Where people reach the portal, without a slash at the end: `https://keepwell.example.org`.
    pub base_url: String,
    /// The name of the service, such as `Keepwell Leeds`.
    pub service_name: String,
    /// Whether this is a demonstration: every page then says so above everything else.
    pub demonstration: bool,
    /// IANA name of the time zone of people's dates.
    pub time_zone: String,
    /// Where people prove who they are.
    pub provider: ProviderConfig,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where randomness comes from.
    pub random: Arc<dyn Random>,
}

/// An OpenID provider that residents sign in with.
#[derive(Clone)]
pub struct ProviderConfig {
    /// The issuer, exactly as its tokens spell it.
    pub issuer: String,
    /// The name on the sign-in button, such as `NHS login`.
    pub name: String,
    /// Our name at the provider.
    pub client_id: String,
    /// Our secret at the provider, sent as HTTP Basic credentials (`client_secret_basic`).
    pub client_secret: Secret,
    /// The one algorithm that its ID tokens may be signed with. A token signed otherwise is refused, whatever it says.
    pub signing_algorithm: SigningAlgorithm,
    /// Scopes to ask for; `openid` is always among them.
    pub scopes: Vec<String>,
}

/// The signature algorithms that a provider may be pinned to: all of them asymmetric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SigningAlgorithm {
    /// ECDSA with P-256.
    Es256,
    /// RSA, PKCS#1 v1.5, SHA-256.
    Rs256,
    /// RSA, PKCS#1 v1.5, SHA-512, which NHS login uses.
    Rs512,
    /// RSA-PSS, SHA-256.
    Ps256,
    /// Ed25519.
    EdDsa,
}

/// A text that must not be shown or logged.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// A secret from its text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl fmt::Debug for PortalConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortalConfig").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

impl PortalConfig {
    /// The people's calendar, or why there is none.
    ///
    /// # Errors
    /// [`ConfigError`] if a setting cannot work; the service must not start then.
    pub(crate) fn check(&self) -> Result<Calendar, ConfigError> {
        for (setting, url) in [("base_url", &self.base_url), ("provider.issuer", &self.provider.issuer)] {
            let uri = url.parse::<axum::http::Uri>().ok();
            let fits =
                uri.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some());
            if !fits || url.ends_with('/') && setting == "base_url" {
                return Err(ConfigError::Address { setting, url: url.clone() });
            }
        }
        if !self.demonstration && !is_protected(&self.provider.issuer) {
            return Err(ConfigError::Unprotected(self.provider.issuer.clone()));
        }
        Calendar::of(&self.time_zone).ok_or_else(|| ConfigError::TimeZone(self.time_zone.clone()))
    }

    /// Whether browsers reach us over TLS.
    pub(crate) fn is_https(&self) -> bool {
        self.base_url.starts_with("https://")
    }
}

/// Whether what is said to this address cannot be read or changed on its way: TLS, or this machine itself.
fn is_protected(url: &str) -> bool {
    let Ok(uri) = url.parse::<axum::http::Uri>() else { return false };
    uri.scheme_str() == Some("https") || matches!(uri.host(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

/// A setting that cannot work.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not an address.
    #[error("{setting} must be an http or https address without a slash at the end, not {url:?}")]
    Address {
        /// Which setting.
        setting: &'static str,
        /// What it says.
        url: String,
    },
    /// Whoever is in between could sign in as anybody.
    #[error("the identity provider {0:?} must be reached over https")]
    Unprotected(String),
    /// No such time zone.
    #[error("there is no time zone called {0:?}")]
    TimeZone(String),
}

#[cfg(test)]
mod tests {
    use super::*;
    use keepwell_model::{ManualClock, SeededRandom, Timestamp};

    fn checked(base_url: &str, issuer: &str, demonstration: bool, zone: &str) -> bool {
        let config = PortalConfig {
            base_url: base_url.to_owned(),
            service_name: String::new(),
            demonstration,
            time_zone: zone.to_owned(),
            provider: ProviderConfig {
                issuer: issuer.to_owned(),
                name: String::new(),
                client_id: String::new(),
                client_secret: Secret::new("s"),
                signing_algorithm: SigningAlgorithm::Es256,
                scopes: Vec::new(),
            },
            clock: Arc::new(ManualClock::new(Timestamp::default())),
            random: Arc::new(SeededRandom::new(1)),
        };
        config.check().is_ok()
    }

    #[test]
    fn a_setting_that_cannot_work_stops_the_start() {
        let (base, issuer, zone) = ("https://keepwell.example", "https://id.example/realm/", "Europe/London");
        assert!(checked(base, issuer, false, zone));
        assert!(!checked("keepwell.example", issuer, false, zone));
        assert!(!checked("https://keepwell.example/", issuer, false, zone));
        assert!(!checked(base, "ldap://id.example", false, zone));
        assert!(!checked(base, issuer, false, "Europe/Leeds"));
    }

    #[test]
    fn a_provider_is_reached_over_tls_or_on_this_machine() {
        let (base, zone) = ("http://localhost:8080", "Europe/London");
        assert!(checked(base, "http://localhost:8080/demo-id", false, zone));
        assert!(checked(base, "http://127.0.0.1:9", false, zone));
        assert!(!checked(base, "http://id.example", false, zone));
        assert!(!checked(base, "http://localhost.example", false, zone));
        assert!(
            checked(base, "http://demo.example/demo-id", true, zone),
            "nothing in a demonstration is worth stealing"
        );
    }

    #[test]
    fn a_secret_is_never_printed() {
        assert!(!format!("{:?}", Secret::new("hush")).contains("hush"));
    }
}
