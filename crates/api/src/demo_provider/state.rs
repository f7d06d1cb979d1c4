//! What the provider keeps in memory: its key, and the codes that are not redeemed yet.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keepwell_model::Timestamp;

use super::keys::SigningKey;
use super::request::AuthorizationRequest;
use super::{DemoProviderConfig, DemoResident, KeyError, PATH};

/// Seconds for which a code works.
const CODE_LIFETIME: i64 = 600;
/// Codes kept at most; the oldest goes first. Anybody can ask for codes, so their number must have a limit.
const MAX_CODES: usize = 10_000;

/// The provider.
pub(super) struct Provider {
    pub(super) config: DemoProviderConfig,
    pub(super) key: SigningKey,
    codes: Mutex<HashMap<[u8; 32], Grant>>,
}

/// What a code stands for.
#[derive(Clone)]
pub(super) struct Grant {
    pub(super) resident: DemoResident,
    pub(super) nonce: String,
    pub(super) redirect_uri: String,
    pub(super) code_challenge: String,
    expires: Timestamp,
}

pub(super) type Shared = Arc<Provider>;

impl Provider {
    pub(super) fn new(config: DemoProviderConfig) -> Result<Self, KeyError> {
        Ok(Self { config, key: SigningKey::generate()?, codes: Mutex::default() })
    }

    pub(super) fn issuer(&self) -> String {
        format!("{}{PATH}", self.config.base_url)
    }

    pub(super) fn redirect_uri(&self) -> String {
        format!("{}/sign-in/callback", self.config.base_url)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.config.clock.now()
    }

    /// Random text that nobody can guess.
    pub(super) fn secret(&self) -> String {
        let mut bytes = [0; 32];
        self.config.random.fill(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Makes a code for a resident who was chosen in answer to a request.
    pub(super) fn grant(&self, resident: &DemoResident, request: &AuthorizationRequest) -> String {
        let code = self.secret();
        let now = self.now();
        let grant = Grant {
            resident: resident.clone(),
            nonce: request.nonce.clone(),
            redirect_uri: request.redirect_uri.clone(),
            code_challenge: request.code_challenge.clone(),
            expires: now.plus_seconds(CODE_LIFETIME),
        };
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        codes.retain(|_, grant| grant.expires > now);
        if codes.len() >= MAX_CODES {
            let oldest = codes.iter().min_by_key(|(_, grant)| grant.expires).map(|(key, _)| *key);
            oldest.map(|key| codes.remove(&key));
        }
        codes.insert(hash(&code), grant);
        code
    }

    /// What a code stands for. It never works a second time, whatever comes of the first.
    pub(super) fn take(&self, code: &str) -> Option<Grant> {
        let grant = self.codes.lock().unwrap_or_else(PoisonError::into_inner).remove(&hash(code))?;
        (grant.expires > self.now()).then_some(grant)
    }
}

fn hash(code: &str) -> [u8; 32] {
    digest(&SHA256, code.as_bytes()).as_ref().try_into().expect("SHA-256 has 32 bytes")
}
