//! The doors of a scratch installation, and how to knock.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use keepwell_api::demo_provider::DemoProviderConfig;
use keepwell_api::{ApiConfig, Gauge, LogUnavailable, PublicLog};
use keepwell_model::{SeededRandom, Timestamp};
use keepwell_service::scratch::Scratch;
use keepwell_service::{CareSetting, ServiceConfig};
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// 2026-11-23T09:30:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_795_426_200_000_000);
pub(crate) const FHIR_JSON: &str = "application/fhir+json";

pub(crate) struct House {
    pub(crate) scratch: Arc<Scratch>,
    pub(crate) token: String,
    router: Router,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: HeaderName) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The status and the first issue's code, after checking that the answer is an OperationOutcome that nobody keeps.
    pub(crate) fn refusal(&self) -> (u16, String) {
        let json = self.json();
        assert_eq!(json["resourceType"], "OperationOutcome", "{}", self.text());
        assert_eq!(self.header(header::CONTENT_TYPE), FHIR_JSON);
        assert_eq!(self.header(header::CACHE_CONTROL), "no-store");
        let issue = &json["issue"][0];
        assert_eq!(issue["severity"], "error");
        assert!(issue["diagnostics"].as_str().is_some_and(|words| words.len() > 10), "{}", self.text());
        (self.status.as_u16(), issue["code"].as_str().unwrap().to_owned())
    }
}

/// A log of two files, and one that cannot be read.
struct SmallLog;

impl PublicLog for SmallLog {
    fn file<'a>(
        &'a self,
        path: &'a str,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Option<bytes::Bytes>, LogUnavailable>> + Send + 'a>> {
        Box::pin(async move {
            match path {
                "checkpoint" => Ok(Some("keepwell/1\n".into())),
                "tile/0/000.p/1" => Ok(Some(vec![0; 32].into())),
                "tile/0/001" => Err(LogUnavailable),
                _ => Ok(None),
            }
        })
    }
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(ServiceConfig::demonstration()).await
    }

    pub(crate) async fn with(config: ServiceConfig) -> Self {
        Self::build(config, false, 256).await
    }

    /// A house in which each system may have so many requests under way.
    pub(crate) async fn limited(requests: usize) -> Self {
        Self::build(ServiceConfig::demonstration(), false, requests).await
    }

    /// The same house as another system sees it.
    pub(crate) async fn another(&self, name: &str) -> House {
        let scratch = Arc::clone(&self.scratch);
        let token = scratch.service.add_client(name, "Another Place", CareSetting::General).await.unwrap();
        Self { scratch, token, router: self.router.clone() }
    }

    /// A house that is a demonstration.
    pub(crate) async fn demonstration() -> Self {
        Self::build(ServiceConfig::demonstration(), true, 256).await
    }

    async fn build(config: ServiceConfig, demonstration: bool, requests: usize) -> Self {
        let scratch = Arc::new(Scratch::new(config, NOW).await);
        let token = scratch.service.add_client("gp", "Fictional Surgery", CareSetting::General).await.unwrap();
        let gauges = || vec![Gauge { name: "records_open", help: "Records open in memory.", value: 3.0 }];
        let provider = DemoProviderConfig {
            base_url: "https://keepwell.example".to_owned(),
            client_secret: "secret".to_owned(),
            residents: Vec::new(),
            clock: scratch.clock.clone(),
            random: Arc::new(SeededRandom::new(1)),
        };
        let config = ApiConfig {
            requests_per_client: requests,
            demo_provider: demonstration.then_some(provider),
            log: Some(Arc::new(SmallLog)),
            gauges: Some(Arc::new(gauges)),
            ..ApiConfig::new("https://keepwell.example")
        };
        let router = keepwell_api::router(scratch.service.clone(), config).unwrap();
        Self { scratch, token, router }
    }

    /// The doors, to be opened elsewhere.
    pub(crate) fn doors(&self) -> Router {
        self.router.clone()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) fn authorised(&self, method: &str, path: &str) -> axum::http::request::Builder {
        Request::builder().method(method).uri(path).header(header::AUTHORIZATION, format!("Bearer {}", self.token))
    }

    /// A request with the token and no body.
    pub(crate) async fn ask(&self, method: &str, path: &str) -> Answer {
        self.send(self.authorised(method, path).body(Body::empty()).unwrap()).await
    }

    /// A request without a token.
    pub(crate) async fn stranger(&self, method: &str, path: &str) -> Answer {
        self.send(Request::builder().method(method).uri(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, body: impl Into<Body>) -> Answer {
        let request = self.authorised("POST", "/fhir").header(header::CONTENT_TYPE, FHIR_JSON);
        self.send(request.body(body.into()).unwrap()).await
    }

    /// Sends Amina with one result and gives the path of both.
    pub(crate) async fn amina(&self) -> (String, String) {
        let answer = self.post(bundle("4.10").to_string()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let json = answer.json();
        let location = |index: usize| {
            let location = json["entry"][index]["response"]["location"].as_str().unwrap();
            format!("/fhir/{}", location.split("/_history").next().unwrap())
        };
        (location(0), location(1))
    }
}

/// Amina Khan and a potassium of hers.
pub(crate) fn bundle(value: &str) -> Value {
    let number: Value = serde_json::from_str(value).unwrap();
    json!({
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": "urn:uuid:1",
                "request": { "method": "PUT", "url": "Patient/p1" },
                "resource": {
                    "resourceType": "Patient", "id": "p1", "birthDate": "1958-02-11",
                    "name": [{ "family": "Khan", "given": ["Amina"] }],
                    "identifier": [{ "system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9000000009" }]
                }
            },
            {
                "fullUrl": "urn:uuid:2",
                "request": { "method": "PUT", "url": "Observation/o1" },
                "resource": {
                    "resourceType": "Observation", "id": "o1", "status": "final",
                    "subject": { "reference": "urn:uuid:1" },
                    "code": { "coding": [{ "system": "http://snomed.info/sct", "code": "1005671000000105" }] },
                    "effectiveDateTime": "2026-11-20", "valueQuantity": { "value": number, "unit": "mmol/L" }
                }
            }
        ]
    })
}
