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
        Calendar::of(&self.time_zone).ok_or_else(|| ConfigError::TimeZone(self.time_zone.clone()))
    }

    /// Whether browsers reach us over TLS.
    pub(crate) fn is_https(&self) -> bool {
        self.base_url.starts_with("https://")
    }
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
    /// No such time zone.
    #[error("there is no time zone called {0:?}")]
    TimeZone(String),
}
