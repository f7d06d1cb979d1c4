//! A service on a scratch store, and Bundles to send to it.

use std::sync::Arc;

use bytes::Bytes;
use keepwell_model::{ManualClock, SeededRandom, TenantId, Timestamp};
use keepwell_record::{Engine, EngineConfig, RootKey, RootKeys, SqliteStore, Tenant};
use keepwell_service::{
    Assurance, CareSetting, Client, FhirError, Service, ServiceConfig, Session, SessionToken, SignInError,
    TransactionResponse, Validation, VerifiedIdentity,
};
use serde_json::{Value, json};

/// 2026-11-23T09:30:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_795_426_200_000_000);
/// The NHS number of Amina Khan, born 1958-02-11.
pub(crate) const AMINA: &str = "9000000009";
/// The NHS number of somebody else.
pub(crate) const OTHER: &str = "9912003888";

pub(crate) struct Fixture {
    pub(crate) service: Service,
    pub(crate) tenant: Tenant,
    pub(crate) clock: Arc<ManualClock>,
    folder: tempfile::TempDir,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::with(EngineConfig::default(), ServiceConfig::demonstration()).await
    }

    pub(crate) async fn with(engine: EngineConfig, config: ServiceConfig) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(&folder.path().join("keepwell.db")).unwrap());
        let clock = Arc::new(ManualClock::new(NOW));
        let random = Arc::new(SeededRandom::new(7));
        let root = RootKeys::only(RootKey::random(&*random));
        let engine = Engine::new(store, root, clock.clone(), random.clone(), engine);
        let tenant = engine.create_tenant(TenantId(1), "Leeds").await.unwrap();
        let service = Service::new(tenant.clone(), clock.clone(), random, config);
        Self { service, tenant, clock, folder }
    }

    /// Every byte that is on the disk.
    pub(crate) fn on_disk(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.folder.path()).unwrap();
        files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
    }

    pub(crate) async fn client(&self, name: &str) -> Client {
        self.client_of(name, CareSetting::General).await
    }

    pub(crate) async fn client_of(&self, name: &str, setting: CareSetting) -> Client {
        let token = self.service.add_client(name, &format!("{name} organisation"), setting).await.unwrap();
        let mut client = Client::clone(&self.service.client_by_token(&token).await.unwrap().unwrap());
        // One kind of rule at a time: what is refused here is not refused for being invalid.
        client.validation = Validation::Off;
        client
    }

    pub(crate) async fn send(&self, client: &Client, bundle: &Value) -> Result<Answer, FhirError> {
        let body = Bytes::from(serde_json::to_vec(bundle).unwrap());
        self.service.transaction(client, body).await.map(Answer::of)
    }

    pub(crate) async fn read(&self, client: &Client, reference: &str) -> Result<Value, u16> {
        let (kind, id) = reference.split_once('/').unwrap();
        let id = id.split('/').next().unwrap();
        match self.service.read_resource(client, kind, id).await {
            Ok(answer) => Ok(serde_json::from_slice(&answer.json).unwrap()),
            Err(error) => Err(error.status),
        }
    }

    pub(crate) async fn sign_in(
        &self,
        number: &str,
        birth_date: &str,
        family: &str,
    ) -> Result<SessionToken, SignInError> {
        self.service.sign_in(identity(number, birth_date, family)).await
    }

    /// Sends Amina's Patient and signs her in.
    pub(crate) async fn amina(&self) -> (Client, Session) {
        let gp = self.client("gp").await;
        self.send(&gp, &bundle(vec![put(amina("1"))])).await.unwrap();
        (gp, self.session().await)
    }

    pub(crate) async fn session(&self) -> Session {
        let token = self.sign_in(AMINA, "1958-02-11", "Khan").await.unwrap();
        self.service.session(token.secret()).await.unwrap().unwrap()
    }
}

/// A transaction response, read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) response: TransactionResponse,
    pub(crate) statuses: Vec<String>,
    /// `Type/id`, without the version.
    pub(crate) locations: Vec<String>,
    pub(crate) versions: Vec<String>,
}

impl Answer {
    pub(crate) fn of(response: TransactionResponse) -> Self {
        let json: Value = serde_json::from_slice(&response.json).unwrap();
        assert_eq!(json["type"], "transaction-response");
        let empty = Vec::new();
        let entries = json["entry"].as_array().unwrap_or(&empty);
        let text = |name: &str| {
            entries
                .iter()
                .map(|entry| entry["response"][name].as_str().unwrap_or_default().to_owned())
                .collect::<Vec<_>>()
        };
        let locations = text("location").iter().map(|at| at.split("/_history").next().unwrap().to_owned()).collect();
        Self { statuses: text("status"), locations, versions: text("etag"), response }
    }
}

pub(crate) fn identity(number: &str, birth_date: &str, family: &str) -> VerifiedIdentity {
    VerifiedIdentity {
        issuer: "https://login.example".to_owned(),
        subject: "s".to_owned(),
        nhs_number: number.parse().ok(),
        family_name: family.to_owned(),
        given_name: None,
        birth_date: birth_date.to_owned(),
        assurance: Assurance::High,
    }
}

pub(crate) fn patient(id: &str, number: Option<&str>, given: &str, family: &str, birth_date: &str) -> Value {
    let mut patient = json!({
        "resourceType": "Patient",
        "id": id,
        "name": [{ "use": "official", "family": family, "given": [given] }],
        "birthDate": birth_date,
    });
    if let Some(number) = number {
        patient["identifier"] = json!([{ "system": "https://fhir.nhs.uk/Id/nhs-number", "value": number }]);
    }
    patient
}

pub(crate) fn amina(id: &str) -> Value {
    patient(id, Some(AMINA), "Amina", "Khan", "1958-02-11")
}

pub(crate) fn observation(id: &str, subject: &str, value: &str) -> Value {
    let text = format!(
        r#"{{"resourceType":"Observation","id":"{id}","status":"final",
        "category":[{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}}]}}],
        "code":{{"coding":[{{"system":"http://snomed.info/sct","code":"1005671000000105","display":"Serum potassium level"}}]}},
        "subject":{{"reference":"{subject}"}},"effectiveDateTime":"2026-10-01T09:00:00+01:00",
        "valueQuantity":{{"value":{value},"unit":"mmol/L","system":"http://unitsofmeasure.org","code":"mmol/L"}}}}"#
    );
    serde_json::from_str(&text).unwrap()
}

pub(crate) fn put(resource: Value) -> Value {
    let url = format!("{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
    json!({ "resource": resource, "request": { "method": "PUT", "url": url } })
}

pub(crate) fn post(full_url: &str, resource: Value) -> Value {
    let url = resource["resourceType"].clone();
    json!({ "fullUrl": full_url, "resource": resource, "request": { "method": "POST", "url": url } })
}

pub(crate) fn delete(url: &str) -> Value {
    json!({ "request": { "method": "DELETE", "url": url } })
}

pub(crate) fn bundle(entries: Vec<Value>) -> Value {
    json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries })
}
