//! An OpenID provider that the tests play: honest by default, and as wicked as a test wants it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::samples;

/// A signing key and its name.
pub(crate) struct Key {
    pub(crate) name: String,
    der: Vec<u8>,
    public: Vec<u8>,
}

impl Key {
    pub(crate) fn new(name: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        let der = pair.to_pkcs8v1().expect("a document").as_ref().to_vec();
        Self { name: name.to_owned(), der, public: pair.public_key().as_ref().to_vec() }
    }

    pub(crate) fn jwk(&self) -> Value {
        let part = |range: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(&self.public[range]);
        json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.name,
                "x": part(1..33), "y": part(33..65) })
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_raw(claims)
    }

    /// Signs what a `Value` cannot say, such as a claim that comes twice.
    pub(crate) fn sign_raw(&self, claims: &impl serde::Serialize) -> String {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(self.name.clone());
        jsonwebtoken::encode(&header, claims, &EncodingKey::from_ec_der(&self.der)).expect("a token")
    }

    pub(crate) fn public(&self) -> &[u8] {
        &self.public
    }
}

/// Makes a token from the honest claims and the provider's key.
type Forger = Box<dyn Fn(&Value, &Key) -> String + Send>;

/// What the provider does when asked.
#[derive(Default)]
pub(crate) struct Behaviour {
    /// What the token endpoint answers; without it, an honest token.
    pub(crate) token: Option<Forger>,
    /// What the token endpoint answers instead of any token.
    pub(crate) answer: Option<(u16, String)>,
    /// Another discovery document.
    pub(crate) discovery: Option<Value>,
    /// Claims that differ from the honest ones.
    pub(crate) claims: HashMap<&'static str, Value>,
}

/// The provider while it runs.
#[derive(Clone)]
pub(crate) struct Provider(Arc<Inner>);

struct Inner {
    pub(crate) base: String,
    behaviour: Mutex<Behaviour>,
    keys: Mutex<Vec<Key>>,
    /// Codes that may be redeemed once: nonce and PKCE challenge of the request.
    codes: Mutex<HashMap<String, (String, String)>>,
    key_requests: Mutex<usize>,
}

impl Provider {
    /// Starts on a port of its own; it ends with the test's runtime.
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let provider = Self(Arc::new(Inner {
            base,
            behaviour: Mutex::default(),
            keys: Mutex::new(vec![Key::new("first")]),
            codes: Mutex::default(),
            key_requests: Mutex::default(),
        }));
        let app = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        provider
    }

    pub(crate) fn issuer(&self) -> String {
        self.0.base.clone()
    }

    pub(crate) fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.0.behaviour.lock().expect("one test"));
    }

    pub(crate) fn rotate(&self, name: &str) {
        *self.0.keys.lock().expect("one test") = vec![Key::new(name)];
    }

    pub(crate) fn key_requests(&self) -> usize {
        *self.0.key_requests.lock().expect("one test")
    }

    /// What the person does there: agrees. Returns the code for an authorisation request.
    pub(crate) fn agree(&self, authorization: &HashMap<String, String>) -> String {
        let mut codes = self.0.codes.lock().expect("one test");
        let code = format!("code-{}", codes.len());
        codes.insert(code.clone(), (authorization["nonce"].clone(), authorization["code_challenge"].clone()));
        code
    }
}

/// Claims about Amina, for this nonce, at the time of the samples.
pub(crate) fn claims(issuer: &str, nonce: &str) -> Value {
    let now = samples::now().micros() / 1_000_000;
    json!({
        "iss": issuer, "sub": "amina", "aud": "keepwell-portal", "nonce": nonce, "iat": now, "exp": now + 300,
        "nhs_number": "9000000009", "family_name": "Khan", "given_name": "Amina", "birthdate": "1958-02-11",
        "identity_proofing_level": "P9",
    })
}

async fn discovery(State(provider): State<Provider>) -> Json<Value> {
    let base = &provider.0.base;
    let honest = json!({
        "issuer": base, "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/token"), "jwks_uri": format!("{base}/keys"),
        "authorization_response_iss_parameter_supported": true,
    });
    let behaviour = provider.0.behaviour.lock().expect("one test");
    Json(behaviour.discovery.clone().unwrap_or(honest))
}

async fn keys(State(provider): State<Provider>) -> Json<Value> {
    *provider.0.key_requests.lock().expect("one test") += 1;
    let keys: Vec<Value> = provider.0.keys.lock().expect("one test").iter().map(Key::jwk).collect();
    Json(json!({ "keys": keys }))
}

async fn token(
    State(provider): State<Provider>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let behaviour = provider.0.behaviour.lock().expect("one test");
    if let Some((status, body)) = &behaviour.answer {
        let status = StatusCode::from_u16(*status).expect("a status");
        return (status, body.clone()).into_response();
    }
    let credentials = format!("Basic {}", STANDARD.encode("keepwell%2Dportal:s%C3%A9cret%3A1"));
    if headers["authorization"] != credentials {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Some((nonce, challenge)) = provider.0.codes.lock().expect("one test").remove(&form["code"]) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, form["code_verifier"].as_bytes());
    if URL_SAFE_NO_PAD.encode(digest) != challenge {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let mut claims = claims(&provider.0.base, &nonce);
    for (name, value) in &behaviour.claims {
        claims[*name] = value.clone();
    }
    let keys = provider.0.keys.lock().expect("one test");
    let token = match &behaviour.token {
        Some(make) => make(&claims, &keys[0]),
        None => keys[0].sign(&claims),
    };
    Json(json!({ "access_token": "unused", "token_type": "Bearer", "id_token": token })).into_response()
}
