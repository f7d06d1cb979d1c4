//! A browser for the tests: keeps cookies, and puts every page that it gets through the page checks.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use keepwell_model::{SeededRandom, Timestamp};
use keepwell_service::scratch::Scratch;
use keepwell_service::{CareSetting, Client, ServiceConfig};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::provider::Provider;
use super::samples;
use crate::{PortalConfig, ProviderConfig, Secret, SigningAlgorithm};

/// The portal over a scratch installation with two people in it, and a provider to sign in with.
pub(crate) struct House {
    pub(crate) scratch: Scratch,
    pub(crate) provider: Provider,
    pub(crate) router: Router,
}

impl House {
    pub(crate) async fn new() -> Self {
        let scratch = Scratch::new(ServiceConfig::demonstration(), samples::now()).await;
        let provider = Provider::start().await;
        let router = crate::router(scratch.service.clone(), config(&scratch, &provider)).expect("a good configuration");
        let house = Self { scratch, provider, router };
        house.fill().await;
        house
    }

    async fn fill(&self) {
        let gp = self.client("gp").await;
        self.send(&gp, vec![patient("1", "9000000009", "Amina", "Khan", "1958-02-11")]).await;
        self.send(&gp, vec![patient("2", "9912003888", "Tomasz", "Nowak", "1990-05-06")]).await;
        let values = ["38", "40", "47", "58", "54", "48"];
        let results = values.iter().enumerate().map(|(i, value)| observation(i, "Patient/1", value)).collect();
        self.send(&gp, results).await;
        self.send(&gp, vec![observation(90, "Patient/2", "33")]).await;
    }

    async fn client(&self, name: &str) -> Client {
        let added = self.scratch.service.add_client(name, "Chapel Allerton Surgery", CareSetting::General).await;
        let found = self.scratch.service.client_by_token(&added.expect("a client")).await;
        (*found.expect("it can be looked up").expect("it is there")).clone()
    }

    async fn send(&self, client: &Client, resources: Vec<Value>) {
        let entry = |resource: Value| {
            let url = format!("{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
            json!({ "resource": resource, "request": { "method": "PUT", "url": url } })
        };
        let entries: Vec<Value> = resources.into_iter().map(entry).collect();
        let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries });
        let sent = self.scratch.service.transaction(client, Bytes::from(bundle.to_string())).await;
        sent.expect("the Bundle is taken");
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser { router: self.router.clone(), cookies: HashMap::new() }
    }

    /// A browser in which Amina is signed in.
    pub(crate) async fn amina(&self) -> Browser {
        let mut browser = self.browser();
        let end = browser.sign_in(&self.provider).await;
        assert_eq!(end.location(), "/home");
        browser
    }
}

fn config(scratch: &Scratch, provider: &Provider) -> PortalConfig {
    PortalConfig {
        base_url: "https://keepwell.example".to_owned(),
        service_name: "Keepwell Leeds".to_owned(),
        demonstration: false,
        time_zone: "Europe/London".to_owned(),
        provider: ProviderConfig {
            issuer: provider.issuer(),
            name: "Test login".to_owned(),
            client_id: "keepwell-portal".to_owned(),
            client_secret: Secret::new("sécret:1"),
            signing_algorithm: SigningAlgorithm::Es256,
            scopes: vec!["profile".to_owned()],
        },
        clock: scratch.clock.clone(),
        random: Arc::new(SeededRandom::new(11)),
    }
}

fn patient(id: &str, number: &str, given: &str, family: &str, birth_date: &str) -> Value {
    json!({
        "resourceType": "Patient", "id": id, "birthDate": birth_date,
        "identifier": [{ "system": "https://fhir.nhs.uk/Id/nhs-number", "value": number }],
        "name": [{ "use": "official", "family": family, "given": [given] }],
    })
}

fn observation(n: usize, subject: &str, value: &str) -> Value {
    let text = format!(
        r#"{{"resourceType":"Observation","id":"o{n}","status":"final",
        "category":[{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}}]}}],
        "code":{{"coding":[{{"system":"http://snomed.info/sct","code":"999791000000106","display":"HbA1c"}}]}},
        "subject":{{"reference":"{subject}"}},"effectiveDateTime":"202{n}-10-01",
        "valueQuantity":{{"value":{value},"unit":"mmol/mol","system":"http://unitsofmeasure.org","code":"mmol/mol"}},
        "referenceRange":[{{"low":{{"value":20}},"high":{{"value":41}}}}]}}"#,
        n = n % 10
    );
    let mut observation: Value = serde_json::from_str(&text).expect("JSON");
    observation["id"] = json!(format!("o{n}"));
    observation
}

/// An answer, read whole.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn location(&self) -> &str {
        self.headers.get(header::LOCATION).map_or("", |value| value.to_str().expect("ASCII"))
    }

    /// The value of the hidden field of this name.
    pub(crate) fn field(&self, name: &str) -> String {
        let rest = self.body.split(&format!("name=\"{name}\" value=\"")).nth(1);
        rest.and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned()
    }
}

/// One person's browser.
pub(crate) struct Browser {
    router: Router,
    pub(crate) cookies: HashMap<String, String>,
}

impl Browser {
    pub(crate) async fn get(&mut self, address: &str) -> Answer {
        self.send(Request::get(address), Body::empty()).await
    }

    pub(crate) async fn post(&mut self, address: &str, fields: &[(&str, &str)]) -> Answer {
        let encode =
            |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
        let body = fields.iter().map(|(k, v)| format!("{k}={}", encode(v))).collect::<Vec<_>>().join("&");
        let form = Request::post(address).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(form, Body::from(body)).await
    }

    async fn send(&mut self, request: axum::http::request::Builder, body: Body) -> Answer {
        let cookies = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join("; ");
        let request = request.header(header::COOKIE, cookies).body(body).expect("a request");
        let address = request.uri().to_string();
        let response = self.router.clone().oneshot(request).await.expect("the router answers");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        let answer = Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(bytes.to_vec()).expect("text"),
        };
        self.keep_cookies(&answer);
        if answer.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html")) {
            crate::quality::check(&address, &answer.body);
        }
        answer
    }

    fn keep_cookies(&mut self, answer: &Answer) {
        for line in answer.headers.get_all(header::SET_COOKIE) {
            let line = line.to_str().expect("ASCII");
            for protection in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
                assert!(line.contains(protection), "{line} lacks {protection}");
            }
            let (name, value) = line.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            assert!(name.starts_with("__Host-"));
            if line.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// Leaves for the provider; returns the parameters of the authorisation request.
    pub(crate) async fn leave(&mut self) -> HashMap<String, String> {
        let answer = self.get("/sign-in/start").await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        let query = answer.location().split_once('?').expect("a query").1.to_owned();
        let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        query.split('&').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (decode(k), decode(v))).collect()
    }

    /// The address to which the provider sends the browser back.
    pub(crate) fn callback(provider: &Provider, code: &str, state: &str) -> String {
        let issuer =
            percent_encoding::utf8_percent_encode(&provider.issuer(), percent_encoding::NON_ALPHANUMERIC).to_string();
        format!("/sign-in/callback?code={code}&state={state}&iss={issuer}")
    }

    /// Signs in from start to end.
    pub(crate) async fn sign_in(&mut self, provider: &Provider) -> Answer {
        let request = self.leave().await;
        let code = provider.agree(&request);
        self.get(&Self::callback(provider, &code, &request["state"])).await
    }
}

/// The time of the samples plus some seconds.
pub(crate) fn later(seconds: i64) -> Timestamp {
    samples::now().plus_seconds(seconds)
}
