//! `/token`: a code for an ID token.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use axum::Json;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::percent_decode_str;
use serde_json::json;

use super::CLIENT_ID;
use super::request::Parameters;
use super::state::{Grant, Provider, Shared};

/// Seconds for which an ID token is good: long enough to be read once.
const TOKEN_LIFETIME: i64 = 600;

/// Why there is no token: status and error code of RFC 6749.
#[derive(Clone, Copy)]
struct Refused(StatusCode, &'static str);

const INVALID_CLIENT: Refused = Refused(StatusCode::UNAUTHORIZED, "invalid_client");
const INVALID_REQUEST: Refused = Refused(StatusCode::BAD_REQUEST, "invalid_request");
const INVALID_GRANT: Refused = Refused(StatusCode::BAD_REQUEST, "invalid_grant");
const UNSUPPORTED: Refused = Refused(StatusCode::BAD_REQUEST, "unsupported_grant_type");
const FAULT: Refused = Refused(StatusCode::INTERNAL_SERVER_ERROR, "server_error");

/// Redeems a code.
pub(super) async fn redeem(
    State(provider): State<Shared>,
    headers: HeaderMap,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let no_store = [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")];
    match token(&provider, &headers, form) {
        Ok(answer) => (no_store, Json(answer)).into_response(),
        Err(Refused(status, code)) => {
            let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"demo-id\"")];
            let body = Json(json!({ "error": code }));
            if status == StatusCode::UNAUTHORIZED {
                (status, no_store, challenge, body).into_response()
            } else {
                (status, no_store, body).into_response()
            }
        }
    }
}

fn token(
    provider: &Provider,
    headers: &HeaderMap,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Result<serde_json::Value, Refused> {
    authenticate(provider, headers)?;
    let Form(pairs) = form.map_err(|_| INVALID_REQUEST)?;
    let parameters = Parameters::new(pairs).ok_or(INVALID_REQUEST)?;
    match parameters.get("grant_type") {
        Some("authorization_code") => {}
        Some(_) => return Err(UNSUPPORTED),
        None => return Err(INVALID_REQUEST),
    }
    let code = parameters.get("code").ok_or(INVALID_REQUEST)?;
    let verifier = parameters.get("code_verifier").ok_or(INVALID_REQUEST)?;
    let grant = provider.take(code).ok_or(INVALID_GRANT)?;
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
    if challenge != grant.code_challenge || parameters.get("redirect_uri") != Some(&grant.redirect_uri) {
        return Err(INVALID_GRANT);
    }
    let id_token = id_token(provider, &grant)?;
    Ok(json!({
        "access_token": provider.secret(), "token_type": "Bearer", "expires_in": TOKEN_LIFETIME, "scope": "openid profile",
        "id_token": id_token,
    }))
}

fn id_token(provider: &Provider, grant: &Grant) -> Result<String, Refused> {
    let seconds = provider.now().micros().div_euclid(1_000_000);
    let resident = &grant.resident;
    let claims = json!({
        "iss": provider.issuer(),
        "aud": CLIENT_ID,
        "exp": seconds + TOKEN_LIFETIME,
        "iat": seconds,
        "auth_time": seconds,
        "nonce": grant.nonce,
        "sub": resident.sub,
        "nhs_number": resident.nhs_number,
        "family_name": resident.family_name,
        "given_name": resident.given_name,
        "birthdate": resident.birth_date,
        "identity_proofing_level": "P9",
    });
    provider.key.sign(&claims).map_err(|_| FAULT)
}

/// Whether the caller is the portal: `client_secret_basic`, both parts form-encoded (RFC 6749 §2.3.1).
fn authenticate(provider: &Provider, headers: &HeaderMap) -> Result<(), Refused> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or(INVALID_CLIENT)?;
    let (scheme, encoded) = value.split_once(' ').ok_or(INVALID_CLIENT)?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return Err(INVALID_CLIENT);
    }
    let decoded = STANDARD.decode(encoded.trim()).map_err(|_| INVALID_CLIENT)?;
    let decoded = String::from_utf8(decoded).map_err(|_| INVALID_CLIENT)?;
    let (id, secret) = decoded.split_once(':').ok_or(INVALID_CLIENT)?;
    let part = |text: &str| percent_decode_str(&text.replace('+', " ")).collect::<Vec<u8>>();
    let right = verify_slices_are_equal(&part(secret), provider.config.client_secret.as_bytes()).is_ok();
    if right && part(id) == CLIENT_ID.as_bytes() { Ok(()) } else { Err(INVALID_CLIENT) }
}
