//! Sign-in against a provider that is honest, and against one that is not (T16 to T21).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::cookies;
use crate::tests::browser::{Browser, House, later};
use crate::tests::provider::Key;

#[tokio::test]
async fn the_request_to_the_provider_has_state_nonce_and_pkce_and_gives_nothing_away() {
    let house = House::new().await;
    let mut browser = house.browser();
    let request = browser.leave().await;
    assert_eq!(request["response_type"], "code");
    assert_eq!(request["client_id"], "keepwell-portal");
    assert_eq!(request["redirect_uri"], "https://keepwell.example/sign-in/callback");
    assert_eq!(request["scope"], "openid profile");
    assert_eq!(request["code_challenge_method"], "S256");
    for name in ["state", "nonce", "code_challenge"] {
        assert_eq!(request[name].len(), 43, "{name}");
    }
    let again = browser.leave().await;
    assert_ne!(request["state"], again["state"]);
}

#[tokio::test]
async fn t16_a_session_that_was_planted_before_sign_in_is_not_the_one_that_is_used() {
    let house = House::new().await;
    let attacker = house.amina().await;
    let planted = attacker.cookies[cookies::SESSION].clone();
    let mut victim = house.browser();
    victim.cookies.insert(cookies::SESSION.to_owned(), planted.clone());
    assert_eq!(victim.sign_in(&house.provider).await.location(), "/home");
    assert_ne!(victim.cookies[cookies::SESSION], planted);
    let mut attacker = attacker;
    assert_eq!(attacker.get("/home").await.location(), "/timed-out", "the planted session is over");
}

#[tokio::test]
async fn t16_somebody_else_s_answer_does_not_sign_anybody_in() {
    let house = House::new().await;
    let (mut attacker, mut victim) = (house.browser(), house.browser());
    let request = attacker.leave().await;
    let code = house.provider.agree(&request);
    let address = Browser::callback(&house.provider, &code, &request["state"]);
    // Without any attempt, and with an attempt of the victim's own.
    assert_eq!(victim.get(&address).await.status, 400);
    victim.leave().await;
    assert_eq!(victim.get(&address).await.status, 400);
    assert!(!victim.cookies.contains_key(cookies::SESSION));
}

#[tokio::test]
async fn t18_an_answer_works_once_and_for_ten_minutes() {
    let house = House::new().await;
    let mut browser = house.browser();
    let request = browser.leave().await;
    let attempt = browser.cookies.clone();
    let code = house.provider.agree(&request);
    let address = Browser::callback(&house.provider, &code, &request["state"]);
    assert_eq!(browser.get(&address).await.location(), "/home");
    assert_eq!(browser.get(&address).await.status, 400, "the attempt is over");
    browser.cookies = attempt;
    assert_eq!(browser.get(&address).await.status, 400, "the code is used up");

    let mut slow = house.browser();
    let request = slow.leave().await;
    let code = house.provider.agree(&request);
    house.scratch.clock.set(later(601));
    assert_eq!(slow.get(&Browser::callback(&house.provider, &code, &request["state"])).await.status, 400);
}

#[tokio::test]
async fn t17_an_answer_of_another_issuer_or_of_none_is_refused() {
    let house = House::new().await;
    for issuer in ["", "&iss=https%3A%2F%2Fevil.example"] {
        let mut browser = house.browser();
        let request = browser.leave().await;
        let code = house.provider.agree(&request);
        let address = format!("/sign-in/callback?code={code}&state={}{issuer}", request["state"]);
        assert_eq!(browser.get(&address).await.status, 400, "{issuer}");
    }
}

#[tokio::test]
async fn an_answer_with_a_parameter_twice_or_without_a_code_is_refused() {
    let house = House::new().await;
    let state_of = async |browser: &mut Browser| browser.leave().await["state"].clone();
    for more in ["&code=2", "&state=x", "&iss=y"] {
        let mut browser = house.browser();
        let request = browser.leave().await;
        let code = house.provider.agree(&request);
        let address = format!("{}{more}", Browser::callback(&house.provider, &code, &request["state"]));
        assert_eq!(browser.get(&address).await.status, 400, "{more}");
    }
    let mut browser = house.browser();
    let state = state_of(&mut browser).await;
    let issuer = house.provider.issuer().replace(':', "%3A").replace('/', "%2F");
    assert_eq!(browser.get(&format!("/sign-in/callback?state={state}&iss={issuer}")).await.status, 400);
    let state = state_of(&mut browser).await;
    let declined = browser.get(&format!("/sign-in/callback?error=access_denied&state={state}&iss={issuer}")).await;
    assert_eq!(declined.status, 403);
    assert!(declined.body.contains("You are not signed in"));
}

/// Signs in with a token that the test makes; true if it worked.
async fn accepts(house: &House, token: impl Fn(&Value, &Key) -> String + Send + 'static) -> bool {
    house.provider.behave(|behaviour| behaviour.token = Some(Box::new(token)));
    let mut browser = house.browser();
    let answer = browser.sign_in(&house.provider).await;
    let signed_in = browser.cookies.contains_key(cookies::SESSION);
    assert_eq!(signed_in, answer.location() == "/home");
    assert!(signed_in || answer.status.is_client_error(), "{}", answer.status);
    signed_in
}

/// A token put together by hand.
fn forged(header: &Value, claims: &Value, signature: &[u8]) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{}", part(header), part(claims), URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test]
async fn t19_a_token_that_is_not_signed_with_the_provider_s_key_and_algorithm_is_refused() {
    let house = House::new().await;
    assert!(accepts(&house, |claims, key| key.sign(claims)).await, "an honest token is accepted");
    assert!(!accepts(&house, |claims, _| forged(&json!({ "alg": "none" }), claims, b"")).await);
    assert!(!accepts(&house, |claims, _| forged(&json!({ "alg": "None", "kid": "first" }), claims, b"")).await);
    assert!(!accepts(&house, |claims, _| forged(&json!({ "alg": "ES256", "kid": "first" }), claims, &[0; 64])).await);
    assert!(!accepts(&house, |claims, _| forged(&json!({ "alg": "ES256", "kid": "first" }), claims, b"")).await);
    assert!(
        !accepts(&house, |claims, key| {
            let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
            header.kid = Some(key.name.clone());
            let secret = jsonwebtoken::EncodingKey::from_secret(key.public());
            jsonwebtoken::encode(&header, claims, &secret).unwrap()
        })
        .await,
        "the public key is no shared secret"
    );
    assert!(!accepts(&house, |claims, _| Key::new("first").sign(claims)).await, "another key of the same name");
    assert!(
        !accepts(&house, |claims, key| {
            let evil = Key::new("first");
            let token = evil.sign(claims);
            let header = json!({ "alg": "ES256", "kid": key.name, "jwk": evil.jwk(), "jku": "https://evil.example" });
            let rest = token.split_once('.').unwrap().1.to_owned();
            format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string()))
        })
        .await,
        "a key that the token brings along"
    );
    assert!(!accepts(&house, |claims, key| format!("{}x", key.sign(claims))).await);
    assert!(!accepts(&house, |_, _| "x".repeat(100_000)).await);
    assert!(!accepts(&house, |_, _| String::new()).await);
}

#[tokio::test]
async fn every_claim_must_be_right() {
    let house = House::new().await;
    let now = later(0).micros() / 1_000_000;
    let issuer = house.provider.issuer();
    for (name, value) in [
        ("iss", json!("https://evil.example")),
        ("iss", json!(format!("{issuer}/"))),
        ("iss", Value::Null),
        ("aud", json!("another-client")),
        ("aud", json!(["keepwell-portal", "another-client"])),
        ("aud", json!([])),
        ("aud", Value::Null),
        ("azp", json!("another-client")),
        ("nonce", json!("x")),
        ("nonce", json!("")),
        ("nonce", Value::Null),
        ("exp", json!(now - 61)),
        ("exp", json!("never")),
        ("exp", Value::Null),
        ("iat", json!(now + 61)),
        ("iat", json!(now - 601)),
        ("iat", Value::Null),
        ("nbf", json!(now + 61)),
        ("sub", json!("")),
        ("sub", json!("s".repeat(256))),
        ("sub", Value::Null),
        ("identity_proofing_level", json!("P5")),
        ("identity_proofing_level", json!("p9")),
        ("identity_proofing_level", Value::Null),
        ("nhs_number", json!("9000000017")),
        ("nhs_number", json!("not a number")),
        ("nhs_number", Value::Null),
        ("family_name", json!("Kahn")),
        ("family_name", Value::Null),
        ("birthdate", json!("1958-11-02")),
        ("birthdate", json!("")),
    ] {
        house.provider.behave(|behaviour| {
            behaviour.claims.clear();
            behaviour.claims.insert(name, value.clone());
        });
        assert!(!accepts(&house, |claims, key| key.sign(claims)).await, "{name} = {value}");
    }
    house.provider.behave(|behaviour| {
        behaviour.claims.clear();
        behaviour.claims.insert("aud", json!(["keepwell-portal"]));
        behaviour.claims.insert("azp", json!("keepwell-portal"));
    });
    assert!(accepts(&house, |claims, key| key.sign(claims)).await);
}

#[tokio::test]
async fn t4_a_claim_that_comes_twice_is_refused() {
    let house = House::new().await;
    let signed_twice = |claims: &Value, key: &Key| {
        // Two subjects: the text of the claims is signed as it stands.
        let text = claims.to_string().replacen('{', "{\"sub\":\"somebody\",", 1);
        let raw: Box<serde_json::value::RawValue> = serde_json::from_str(&text).unwrap();
        key.sign_raw(&raw)
    };
    assert!(!accepts(&house, signed_twice).await);
}

#[tokio::test]
async fn nn_4_the_page_does_not_say_whether_the_number_or_the_name_was_wrong() {
    let house = House::new().await;
    let mut pages = Vec::new();
    for (name, value) in [("nhs_number", "9876543210"), ("family_name", "Smith"), ("birthdate", "1990-01-01")] {
        house.provider.behave(|behaviour| {
            behaviour.claims.clear();
            behaviour.claims.insert(name, value.into());
        });
        let answer = house.browser().sign_in(&house.provider).await;
        assert_eq!(answer.status, 403);
        pages.push(answer.body);
    }
    assert!(pages.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn a_rotated_key_is_fetched_and_made_up_names_do_not_make_us_hammer_the_provider() {
    let house = House::new().await;
    let mut browser = house.browser();
    assert_eq!(browser.sign_in(&house.provider).await.location(), "/home");
    assert_eq!(house.provider.key_requests(), 1);
    house.provider.rotate("second");
    house.scratch.clock.set(later(61));
    house.provider.behave(|behaviour| {
        behaviour.claims.insert("iat", json!(later(61).micros() / 1_000_000));
        behaviour.claims.insert("exp", json!(later(361).micros() / 1_000_000));
    });
    assert_eq!(house.browser().sign_in(&house.provider).await.location(), "/home");
    let asked = house.provider.key_requests();
    for _ in 0..5 {
        assert!(!accepts(&house, |claims, _| Key::new("made-up").sign(claims)).await);
    }
    assert_eq!(house.provider.key_requests(), asked, "within a minute nothing is fetched again");
}

#[tokio::test]
async fn a_provider_that_fails_is_reported_as_unavailable() {
    for (status, body, shown) in [
        (500, "".to_owned(), 503),
        (200, "<html>".to_owned(), 503),
        (200, "x".repeat(300_000), 503),
        (302, "".to_owned(), 503),
        (400, "{}".to_owned(), 400),
        (401, "{}".to_owned(), 400),
    ] {
        let house = House::new().await;
        house.provider.behave(|behaviour| behaviour.answer = Some((status, body)));
        assert_eq!(house.browser().sign_in(&house.provider).await.status, shown, "{status}");
    }
    let house = House::new().await;
    house.provider.behave(|behaviour| behaviour.discovery = Some(json!({ "issuer": "https://evil.example",
        "authorization_endpoint": "https://evil.example", "token_endpoint": "https://evil.example", "jwks_uri": "https://evil.example" })));
    let answer = house.browser().get("/sign-in/start").await;
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains("You cannot sign in just now"));
}
