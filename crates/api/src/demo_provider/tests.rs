//! Rules of the demonstration's provider, driven through its routes.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http_body_util::BodyExt as _;
use keepwell_model::{Clock, ManualClock, SeededRandom, Timestamp};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;
use tower::ServiceExt as _;

use super::{DemoProviderConfig, DemoResident, router};

const BASE: &str = "http://localhost:8080";
const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-0123";

struct House {
    router: Router,
    clock: Arc<ManualClock>,
}

struct Answer {
    status: StatusCode,
    headers: axum::http::HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The parameters of the address that the browser is sent to.
    fn sent_back(&self) -> Vec<(String, String)> {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        let address = self.header(header::LOCATION);
        let query = address.strip_prefix("http://localhost:8080/sign-in/callback?").expect("the registered address");
        let decode = |text: &str| percent_decode_str(text).decode_utf8().unwrap().into_owned();
        query.split('&').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (decode(k), decode(v))).collect()
    }
}

fn resident(n: usize) -> DemoResident {
    DemoResident {
        sub: format!("sub-{n}"),
        nhs_number: format!("90000000{n:02}"),
        given_name: if n == 7 { "Zoë <b>".to_owned() } else { format!("Given{n}") },
        family_name: format!("Family{n}"),
        birth_date: "1984-02-29".to_owned(),
        note: if n == 7 { "Diabetes & more".to_owned() } else { String::new() },
    }
}

impl House {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_micros(1_795_426_200_000_000)));
        let config = DemoProviderConfig {
            base_url: BASE.to_owned(),
            client_secret: "a secret:with+odd characters".to_owned(),
            residents: (0..60).map(resident).collect(),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            random: Arc::new(SeededRandom::new(1)),
        };
        Self { router: router(config).unwrap(), clock }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn authorize(&self, change: &[(&str, &str)]) -> Answer {
        self.get(&format!("/demo-id/authorize?{}", form(&request(change)))).await
    }

    async fn choose(&self, change: &[(&str, &str)]) -> Answer {
        self.post("/demo-id/authorize", None, &request(change)).await
    }

    async fn post(&self, path: &str, credentials: Option<(&str, &str)>, fields: &[(String, String)]) -> Answer {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some((id, secret)) = credentials {
            let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
            let value = STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret)));
            request = request.header(header::AUTHORIZATION, format!("Basic {value}"));
        }
        self.send(request.body(Body::from(form(fields))).unwrap()).await
    }

    async fn redeem(&self, code: &str, change: &[(&str, &str)]) -> Answer {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", "http://localhost:8080/sign-in/callback"),
            ("code_verifier", VERIFIER),
        ];
        self.post(
            "/demo-id/token",
            Some(("keepwell-portal", "a secret:with+odd characters")),
            &changed(&fields, change),
        )
        .await
    }

    async fn code(&self) -> String {
        let sent = self.choose(&[("sub", "sub-7")]).await.sent_back();
        sent.into_iter().find(|(name, _)| name == "code").unwrap().1
    }
}

fn changed(fields: &[(&str, &str)], change: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut all: Vec<_> = fields.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
    for &(name, value) in change {
        all.retain(|(other, _)| other != name);
        all.push((name.to_owned(), value.to_owned()));
    }
    all
}

fn request(change: &[(&str, &str)]) -> Vec<(String, String)> {
    let challenge = URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, VERIFIER.as_bytes()));
    let fields = [
        ("response_type", "code"),
        ("client_id", "keepwell-portal"),
        ("redirect_uri", "http://localhost:8080/sign-in/callback"),
        ("scope", "openid profile"),
        ("state", "a state&"),
        ("nonce", "a nonce"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    changed(&fields, change)
}

fn form(fields: &[(String, String)]) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    fields.iter().map(|(k, v)| format!("{}={}", encoded(k), encoded(v))).collect::<Vec<_>>().join("&")
}

#[tokio::test]
async fn a_visitor_signs_in_as_a_resident() {
    let house = House::new();
    let discovery = house.get("/demo-id/.well-known/openid-configuration").await.json();
    assert_eq!(discovery["issuer"], "http://localhost:8080/demo-id");
    assert_eq!(discovery["authorization_endpoint"], "http://localhost:8080/demo-id/authorize");
    let sent = house.choose(&[("sub", "sub-7")]).await.sent_back();
    let names: Vec<_> = sent.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["code", "state", "iss"]);
    assert_eq!((sent[1].1.as_str(), sent[2].1.as_str()), ("a state&", "http://localhost:8080/demo-id"));

    let answer = house.redeem(&sent[0].1, &[]).await;
    assert_eq!((answer.status, answer.header(header::CACHE_CONTROL)), (StatusCode::OK, "no-store"));
    let key = &house.get("/demo-id/jwks.json").await.json()["keys"][0];
    let text = |name: &str| key[name].as_str().unwrap().to_owned();
    let decoding = jsonwebtoken::DecodingKey::from_ec_components(&text("x"), &text("y")).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::ES256);
    validation.validate_exp = false;
    validation.set_audience(&["keepwell-portal"]);
    validation.set_issuer(&["http://localhost:8080/demo-id"]);
    let token = answer.json()["id_token"].as_str().unwrap().to_owned();
    let read = jsonwebtoken::decode::<Value>(&token, &decoding, &validation).unwrap();
    assert_eq!(read.header.kid, Some(text("kid")));
    let expected = serde_json::json!({
        "iss": "http://localhost:8080/demo-id", "aud": "keepwell-portal", "iat": 1_795_426_200, "exp": 1_795_426_800,
        "auth_time": 1_795_426_200, "nonce": "a nonce", "sub": "sub-7", "nhs_number": "9000000007",
        "family_name": "Family7", "given_name": "Zoë <b>", "birthdate": "1984-02-29", "identity_proofing_level": "P9"
    });
    assert_eq!(read.claims, expected);
}

#[tokio::test]
async fn the_page_says_demonstration_and_works_without_scripts() {
    let house = House::new();
    let page = house.authorize(&[]).await;
    assert_eq!(page.status, StatusCode::OK);
    let policy = page.header(header::CONTENT_SECURITY_POLICY);
    assert_eq!(
        policy,
        "default-src 'none'; style-src 'self'; form-action 'self' http://localhost:8080; base-uri 'none'; frame-ancestors 'none'"
    );
    assert_eq!(page.header(header::REFERRER_POLICY), "no-referrer");
    let html = &page.body;
    assert!(html.contains("<strong>Demonstration only.</strong>") && html.contains("The first 50 of 60 people."));
    assert_eq!((html.matches("<h1>").count(), html.matches("<main").count()), (1, 1));
    for word in ["<script", "style=", " onclick", "<b>"] {
        assert!(!html.contains(word), "{word}");
    }
    assert!(html.contains("Sign in as Zoë &lt;b&gt; Family7") && html.contains("Diabetes &amp; more"));
    assert!(html.contains("Born 29 February 1984. NHS number <bdi dir=\"ltr\">900 000 0007</bdi>."));
    assert_eq!(house.get("/demo-id/style.css").await.header(header::CONTENT_TYPE), "text/css; charset=utf-8");
}

#[tokio::test]
async fn the_search_finds_people_by_every_word() {
    let house = House::new();
    for (search, found) in [
        ("zoë", "One person."),
        ("DIABETES family7", "One person."),
        ("900 000 0012", "One person."),
        ("9000000012", "One person."),
        ("1984", "The first 50 of 60 people."),
        ("family5", "11 people."),
        ("\"><script>", "Nobody was found. Try fewer letters."),
    ] {
        let page = house.authorize(&[("q", search)]).await;
        assert!(page.body.contains(found), "{search}");
        assert!(!page.body.contains("<script"));
    }
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_registered() {
    let house = House::new();
    for change in [
        ("redirect_uri", "http://localhost:8080/sign-in/callback/"),
        ("redirect_uri", "https://elsewhere.example/"),
        ("redirect_uri", ""),
        ("client_id", "another"),
    ] {
        for page in [house.authorize(&[change]).await, house.choose(&[change, ("sub", "sub-7")]).await] {
            assert_eq!((page.status, page.header(header::LOCATION)), (StatusCode::BAD_REQUEST, ""), "{change:?}");
            assert!(page.body.contains("Demonstration only"));
        }
    }
    let twice = format!("/demo-id/authorize?{}&state=other", form(&request(&[])));
    assert_eq!(house.get(&twice).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(house.choose(&[("sub", "nobody")]).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_the_portal_asks_wrongly_it_is_told() {
    let house = House::new();
    for (change, error) in [
        (("response_type", "token"), "unsupported_response_type"),
        (("response_mode", "fragment"), "invalid_request"),
        (("request", "x.y.z"), "request_not_supported"),
        (("scope", "profile"), "invalid_scope"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("code_challenge", "short"), "invalid_request"),
        (("nonce", ""), "invalid_request"),
        (("state", ""), "invalid_request"),
    ] {
        let sent = house.authorize(&[change]).await.sent_back();
        assert_eq!(sent[0], ("error".to_owned(), error.to_owned()), "{change:?}");
        assert!(sent.iter().any(|(name, _)| name == "iss") && !sent.iter().any(|(name, _)| name == "code"));
    }
    let declined = house.choose(&[("cancel", "yes")]).await.sent_back();
    assert_eq!(declined[0].1, "access_denied");
    assert_eq!(declined[2], ("state".to_owned(), "a state&".to_owned()));
}

#[tokio::test]
async fn a_code_works_once_and_for_ten_minutes() {
    let house = House::new();
    let code = house.code().await;
    assert_eq!(house.redeem(&code, &[]).await.status, StatusCode::OK);
    let again = house.redeem(&code, &[]).await;
    assert_eq!((again.status, again.json()["error"].as_str()), (StatusCode::BAD_REQUEST, Some("invalid_grant")));

    let code = house.code().await;
    house.clock.advance(599);
    assert_eq!(house.redeem(&code, &[]).await.status, StatusCode::OK);
    let code = house.code().await;
    house.clock.advance(600);
    assert_eq!(house.redeem(&code, &[]).await.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn a_wrong_try_uses_the_code_up() {
    let house = House::new();
    for change in [("code_verifier", "another verifier"), ("redirect_uri", "http://localhost:8080/")] {
        let code = house.code().await;
        assert_eq!(house.redeem(&code, &[change]).await.json()["error"], "invalid_grant");
        assert_eq!(house.redeem(&code, &[]).await.json()["error"], "invalid_grant", "{change:?}");
    }
    let code = house.code().await;
    assert_eq!(house.redeem(&code, &[("grant_type", "password")]).await.json()["error"], "unsupported_grant_type");
    assert_eq!(house.redeem(&code, &[("code_verifier", "")]).await.json()["error"], "invalid_request");
}

#[tokio::test]
async fn only_the_portal_redeems_codes() {
    let house = House::new();
    let code = house.code().await;
    let fields = changed(&[("grant_type", "authorization_code"), ("code", &code), ("code_verifier", VERIFIER)], &[]);
    for credentials in [None, Some(("keepwell-portal", "wrong")), Some(("other", "a secret:with+odd characters"))] {
        let answer = house.post("/demo-id/token", credentials, &fields).await;
        assert_eq!(
            (answer.status, answer.json()["error"].as_str()),
            (StatusCode::UNAUTHORIZED, Some("invalid_client"))
        );
        assert!(answer.header(header::WWW_AUTHENTICATE).starts_with("Basic"));
    }
    assert_eq!(house.redeem(&code, &[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn each_start_has_its_own_key() {
    let (one, other) = (House::new(), House::new());
    let key = async |house: &House| house.get("/demo-id/jwks.json").await.json()["keys"][0]["kid"].clone();
    assert_ne!(key(&one).await, key(&other).await);
}

#[test]
fn debug_output_holds_no_secret() {
    let config = DemoProviderConfig {
        base_url: BASE.to_owned(),
        client_secret: "s3cret".to_owned(),
        residents: vec![resident(1)],
        clock: Arc::new(ManualClock::new(Timestamp::default())),
        random: Arc::new(SeededRandom::new(1)),
    };
    assert_eq!(format!("{config:?}"), "DemoProviderConfig(http://localhost:8080, 1 residents)");
}
