//! The provider's public keys. A key that is not known yet is looked for once more, so that the provider may rotate its
//! keys; but not more than once a minute, so that made-up key names cannot make us hammer it.

use jsonwebtoken::jwk::{Jwk, JwkSet, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use keepwell_model::Timestamp;
use tokio::sync::Mutex;

use super::ProviderError;
use super::http::Http;

/// Seconds for which keys are used without asking again.
const FRESH: i64 = 3_600;
/// Seconds that must pass before an unknown key makes us ask again.
const PAUSE: i64 = 60;

/// The keys and when they were fetched.
#[derive(Default)]
pub(crate) struct KeySet(Mutex<Option<(Timestamp, JwkSet)>>);

impl KeySet {
    /// The key that a token names, which must be made for this algorithm.
    pub(crate) async fn find(
        &self,
        http: &Http,
        jwks_uri: &str,
        kid: Option<&str>,
        algorithm: Algorithm,
        now: Timestamp,
    ) -> Result<DecodingKey, ProviderError> {
        let mut kept = self.0.lock().await;
        let age_below = |kept: &Option<(Timestamp, JwkSet)>, seconds: i64| {
            kept.as_ref().is_some_and(|(fetched, _)| now >= *fetched && now < fetched.plus_seconds(seconds))
        };
        if age_below(&kept, FRESH)
            && let Some((_, set)) = &*kept
            && let Some(jwk) = choose(set, kid, algorithm)
        {
            return decoding(jwk);
        }
        if age_below(&kept, PAUSE) {
            return Err(ProviderError::Token("signed with an unknown key"));
        }
        let set: JwkSet = http.get(jwks_uri).await?;
        let key = choose(&set, kid, algorithm).map(decoding);
        *kept = Some((now, set));
        key.unwrap_or(Err(ProviderError::Token("signed with an unknown key")))
    }
}

/// The key of that name for that algorithm. A token may leave out the name only if just one key fits.
fn choose<'a>(set: &'a JwkSet, kid: Option<&str>, algorithm: Algorithm) -> Option<&'a Jwk> {
    let mut fitting = set
        .keys
        .iter()
        .filter(|jwk| fits(jwk, algorithm) && kid.is_none_or(|kid| jwk.common.key_id.as_deref() == Some(kid)));
    let jwk = fitting.next()?;
    if fitting.next().is_some() { None } else { Some(jwk) }
}

fn fits(jwk: &Jwk, algorithm: Algorithm) -> bool {
    let wanted = match algorithm {
        Algorithm::ES256 => KeyAlgorithm::ES256,
        Algorithm::RS256 => KeyAlgorithm::RS256,
        Algorithm::RS512 => KeyAlgorithm::RS512,
        Algorithm::PS256 => KeyAlgorithm::PS256,
        Algorithm::EdDSA => KeyAlgorithm::EdDSA,
        _ => return false,
    };
    let for_signatures = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
    for_signatures && jwk.common.key_algorithm.is_none_or(|stated| stated == wanted)
}

fn decoding(jwk: &Jwk) -> Result<DecodingKey, ProviderError> {
    DecodingKey::from_jwk(jwk).map_err(|_| ProviderError::Token("signed with a key that cannot be used"))
}
