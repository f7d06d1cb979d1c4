//! Use cases: authorise, read or write, leave the line that says who looked, answer. It is the one door to the records:
//! every function here asks `policy` for a permit, and the access line is durable before anything leaves. It must not
//! know HTTP, HTML, cookies or languages, nor how a record is stored.

mod access;
mod binary;
mod capability;
mod clients;
mod config;
mod error;
mod extract;
mod gate;
mod matching;
mod names;
mod operations;
mod operator;
mod packages;
mod pages;
mod people;
mod resolve;
mod rest;
#[cfg(feature = "scratch")]
pub mod scratch;
mod session;
mod sign_in;
mod systems;
mod transaction;
mod views;

use std::sync::Arc;

use keepwell_model::{Clock, Random, Timestamp};
use keepwell_record::Tenant;

pub use binary::RawBinary;
pub use config::ServiceConfig;
pub use error::{FhirError, ServiceError, SignInError};
pub use keepwell_clinical::{FieldError, Problem, SAFETY_MESSAGE};
pub use keepwell_fhir::definitions::PackageError;
pub use keepwell_fhir::outcome::{Issue, IssueCode};
pub use operations::{BrokenOff, BulkFile, CodesOf, ExportOf, ExportRequest, JobStatus, Operation, OperationRequest};
pub use operator::HousekeepingError;
pub use packages::{PackageCounts, Packages};
pub use people::{Assurance, BloodPressureForm, Session, SessionToken, VerifiedIdentity};
pub use rest::{BundleRequest, HistoryOf, HistoryRequest, json_of_xml, query_parameters, xml_of_json};
pub use rest::{Interaction, PartOf, SearchIn, SearchRequest, part_of};
pub use systems::{CareSetting, Client, Grant, ResourceAnswer, TransactionResponse, Validation};
pub use transaction::{Change, Patch, WriteRequest, Written};
pub use views::{
    AccessLine, AddedReading, Category, CategoryCount, FormErrors, Home, Looked, Measure, Measurement, Page, Point,
    TestHistory, TestItem, TestResult, When,
};

/// The use cases of one tenant. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    inner: Arc<Inner>,
}

struct Inner {
    tenant: Tenant,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    config: ServiceConfig,
    clients: clients::Known,
    desk: access::Desk,
    stated: capability::Stated,
    packages: std::sync::OnceLock<Packages>,
    last_used: session::LastUsed,
    /// Held while a directory resource is written, so that feeds which bring the same organisations do not race.
    directory: tokio::sync::Mutex<()>,
    /// For writers of one record who have lost a race: each record shares one of these with some others.
    turns: [tokio::sync::Mutex<()>; 64],
    jobs: operations::Places,
}

impl Service {
    /// The use cases on a tenant.
    #[must_use]
    pub fn new(tenant: Tenant, clock: Arc<dyn Clock>, random: Arc<dyn Random>, config: ServiceConfig) -> Self {
        let inner = Inner {
            tenant,
            clock,
            random,
            config,
            clients: clients::Known::default(),
            desk: access::Desk::default(),
            stated: capability::Stated::default(),
            packages: std::sync::OnceLock::new(),
            last_used: session::LastUsed::default(),
            directory: tokio::sync::Mutex::default(),
            turns: std::array::from_fn(|_| tokio::sync::Mutex::default()),
            jobs: operations::Places::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// What this installation decided.
    #[must_use]
    pub fn config(&self) -> &ServiceConfig {
        &self.inner.config
    }

    fn tenant(&self) -> &Tenant {
        &self.inner.tenant
    }

    fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// Random bytes as text for a URL or a cookie.
    fn secret<const BYTES: usize>(&self) -> String {
        use base64::Engine as _;
        let mut bytes = [0u8; BYTES];
        self.inner.random.fill(&mut bytes);
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Service(…)")
    }
}
