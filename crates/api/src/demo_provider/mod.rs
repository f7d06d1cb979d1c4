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
