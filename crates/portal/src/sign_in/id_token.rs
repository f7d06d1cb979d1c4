//! What an ID token must be before a word of it is believed (OpenID Connect Core §3.1.3.7; T18, T19, T21).

use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use keepwell_model::Timestamp;
use keepwell_service::{Assurance, VerifiedIdentity};
use serde::Deserialize;

use super::ProviderError;
use crate::config::SigningAlgorithm;

/// How far our clock and the provider's may differ, in seconds.
const LEEWAY: i64 = 60;
/// The oldest token that is accepted, in seconds: it was made for the request that we sent a moment ago.
const OLDEST: i64 = 10 * 60;
/// The longest token that is read.
const LONGEST: usize = 16 * 1024;

/// What the token endpoint answers.
#[derive(Deserialize)]
pub(crate) struct TokenAnswer {
    pub(crate) id_token: String,
}

/// What a token must say to be for us, now.
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) nonce: &'a str,
    pub(crate) now: Timestamp,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// The claims that we read.
#[derive(Deserialize)]
pub(crate) struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: i64,
    iat: i64,
    #[serde(default)]
    nbf: Option<i64>,
    nonce: String,
    #[serde(default)]
    azp: Option<String>,
    #[serde(default)]
    nhs_number: Option<String>,
    #[serde(default)]
    family_name: Option<String>,
    #[serde(default)]
    given_name: Option<String>,
    #[serde(default)]
    birthdate: Option<String>,
    #[serde(default)]
    identity_proofing_level: Option<String>,
}

/// Reads the header and refuses every token that is not signed with the provider's one algorithm. Addresses of keys in
/// the header (`jku`, `x5u`, `jwk`) are never followed or used.
pub(crate) fn header(token: &str, pinned: SigningAlgorithm) -> Result<(Header, Algorithm), ProviderError> {
    if token.len() > LONGEST {
        return Err(ProviderError::Token("too long"));
    }
    let header = jsonwebtoken::decode_header(token).map_err(|_| ProviderError::Token("not a signed token"))?;
    let algorithm = match pinned {
        SigningAlgorithm::Es256 => Algorithm::ES256,
        SigningAlgorithm::Rs256 => Algorithm::RS256,
        SigningAlgorithm::Rs512 => Algorithm::RS512,
        SigningAlgorithm::Ps256 => Algorithm::PS256,
        SigningAlgorithm::EdDsa => Algorithm::EdDSA,
    };
    if header.alg != algorithm {
        return Err(ProviderError::Token("signed with another algorithm"));
    }
    if header.crit.is_some() || header.enc.is_some() || header.zip.is_some() {
        return Err(ProviderError::Token("asks for something that we do not do"));
    }
    Ok((header, algorithm))
}

/// Checks signature and claims.
pub(crate) fn verify(
    token: &str,
    key: &DecodingKey,
    algorithm: Algorithm,
    expected: &Expected<'_>,
) -> Result<Claims, ProviderError> {
    let mut validation = Validation::new(algorithm);
    // The library would read the system clock; `check` compares the times with ours.
    validation.validate_exp = false;
    validation.required_spec_claims = ["exp", "iss", "aud", "sub"].map(str::to_owned).into();
    validation.set_issuer(&[expected.issuer]);
    validation.set_audience(&[expected.client_id]);
    let data = jsonwebtoken::decode::<Claims>(token, key, &validation);
    let claims = data.map_err(|_| ProviderError::Token("the signature or a claim is wrong"))?.claims;
    claims.check(expected)?;
    Ok(claims)
}

impl Claims {
    fn check(&self, expected: &Expected<'_>) -> Result<(), ProviderError> {
        let now = expected.now.micros() / 1_000_000;
        let for_us = match &self.aud {
            Audience::One(audience) => audience == expected.client_id,
            // With several audiences the token must say that it was made for us.
            Audience::Many(audiences) => {
                let ours = audiences.iter().any(|audience| audience == expected.client_id);
                ours && (audiences.len() == 1 || self.azp.is_some())
            }
        };
        let nonce = expected.nonce.as_bytes();
        let same_nonce = aws_lc_rs::constant_time::verify_slices_are_equal(self.nonce.as_bytes(), nonce).is_ok();
        for (holds, problem) in [
            (self.iss == expected.issuer, "another issuer"),
            (for_us, "not for us"),
            (self.azp.as_deref().is_none_or(|party| party == expected.client_id), "made for another party"),
            (same_nonce, "not the answer to this attempt"),
            (now < self.exp.saturating_add(LEEWAY), "expired"),
            (self.nbf.is_none_or(|start| start.saturating_sub(LEEWAY) <= now), "not valid yet"),
            (self.iat.saturating_sub(LEEWAY) <= now, "from the future"),
            (now <= self.iat.saturating_add(OLDEST), "too old"),
            (!self.sub.is_empty() && self.sub.len() <= 255, "names nobody"),
        ] {
            if !holds {
                return Err(ProviderError::Token(problem));
            }
        }
        Ok(())
    }

    /// What the service is told. A number or level that cannot be read counts as not given.
    pub(crate) fn into_identity(self) -> VerifiedIdentity {
        VerifiedIdentity {
            issuer: self.iss,
            subject: self.sub,
            nhs_number: self.nhs_number.and_then(|number| number.parse().ok()),
            family_name: self.family_name.unwrap_or_default(),
            given_name: self.given_name,
            birth_date: self.birthdate.unwrap_or_default(),
            assurance: match self.identity_proofing_level.as_deref() {
                Some("P9") => Assurance::High,
                Some("P5") => Assurance::Medium,
                _ => Assurance::Low,
            },
        }
    }
}
