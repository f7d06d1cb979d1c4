//! The authorisation request: what the relying party asks for.

use super::CLIENT_ID;
use super::state::Provider;

/// A request that may be answered.
pub(super) struct AuthorizationRequest {
    pub(super) redirect_uri: String,
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) code_challenge: String,
    scope: String,
}

/// Why a request is not answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It cannot be told who asks: nobody may be sent anywhere. The words go on a page.
    Page(&'static str),
    /// The relying party is told: error code, description, its state.
    Back(&'static str, &'static str, Option<String>),
}

/// Parameters of a request, each at most once.
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// `None` if one comes twice, which RFC 6749 forbids.
    pub(super) fn new(pairs: Vec<(String, String)>) -> Option<Self> {
        let twice = pairs.iter().enumerate().any(|(at, (name, _))| pairs[..at].iter().any(|(other, _)| other == name));
        (!twice).then_some(Self(pairs))
    }

    /// The value of that name; an empty one counts as none.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }
}

impl AuthorizationRequest {
    /// Checks a request.
    pub(super) fn read(provider: &Provider, parameters: &Parameters) -> Result<Self, Refused> {
        if parameters.get("client_id") != Some(CLIENT_ID) {
            return Err(Refused::Page("The application that sent you here is not known."));
        }
        let redirect_uri = provider.redirect_uri();
        if parameters.get("redirect_uri") != Some(&redirect_uri) {
            return Err(Refused::Page("The application that sent you here gave an address that is not registered."));
        }
        let state = parameters.get("state").map(str::to_owned);
        let refuse = |code, words| Err(Refused::Back(code, words, state.clone()));
        if parameters.get("response_type") != Some("code") {
            return refuse("unsupported_response_type", "response_type must be code");
        }
        if parameters.get("response_mode").is_some_and(|mode| mode != "query") {
            return refuse("invalid_request", "response_mode must be query");
        }
        if parameters.get("request").is_some() {
            return refuse("request_not_supported", "send the parameters themselves");
        }
        let scope = parameters.get("scope").unwrap_or_default();
        if !scope.split(' ').any(|one| one == "openid") {
            return refuse("invalid_scope", "scope must hold openid");
        }
        if parameters.get("code_challenge_method") != Some("S256") {
            return refuse("invalid_request", "code_challenge_method must be S256");
        }
        let challenge = parameters.get("code_challenge").unwrap_or_default();
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if challenge.len() != 43 || !challenge.bytes().all(fits) {
            return refuse("invalid_request", "code_challenge must be the base64url form of a SHA-256");
        }
        let Some(nonce) = parameters.get("nonce") else { return refuse("invalid_request", "nonce is required") };
        let Some(state) = state.clone() else { return refuse("invalid_request", "state is required") };
        Ok(Self {
            redirect_uri,
            state,
            nonce: nonce.to_owned(),
            code_challenge: challenge.to_owned(),
            scope: scope.to_owned(),
        })
    }

    /// The same request as form fields, for the forms of the page.
    pub(super) fn fields(&self) -> [(&'static str, &str); 8] {
        [
            ("response_type", "code"),
            ("client_id", CLIENT_ID),
            ("redirect_uri", &self.redirect_uri),
            ("scope", &self.scope),
            ("state", &self.state),
            ("nonce", &self.nonce),
            ("code_challenge", &self.code_challenge),
            ("code_challenge_method", "S256"),
        ]
    }
}
