//! The two documents that a relying party starts from.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::state::Shared;

/// `/.well-known/openid-configuration`.
pub(super) async fn configuration(State(provider): State<Shared>) -> Response {
    let issuer = provider.issuer();
    document(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks.json"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["openid", "profile"],
        "claims_supported": [
            "iss", "aud", "exp", "iat", "auth_time", "nonce", "sub", "nhs_number", "family_name", "given_name",
            "birthdate", "identity_proofing_level"
        ],
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "authorization_response_iss_parameter_supported": true,
    }))
}

/// `/jwks.json`.
pub(super) async fn keys(State(provider): State<Shared>) -> Response {
    document(json!({ "keys": [provider.key.jwk()] }))
}

/// The key changes with each start, so nobody keeps these documents for long.
fn document(json: Value) -> Response {
    ([(header::CACHE_CONTROL, "public, max-age=60")], Json(json)).into_response()
}
