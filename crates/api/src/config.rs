//! What an installation decides about its doors.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::demo_provider::DemoProviderConfig;
use crate::well_known::PublicLog;

/// Settings of the doors. The binary makes one from its configuration file.
#[derive(Clone)]
pub struct ApiConfig {
    /// Where systems reach the installation, without a slash at the end; FHIR is at `{base_url}/fhir`.
    pub base_url: String,
    /// The transparency log's public files, where they are to be served.
    pub log: Option<Arc<dyn PublicLog>>,
    /// Figures of the engine and the jobs for `/metrics`.
    pub gauges: Option<Gauges>,
    /// The demonstration's OpenID provider; `None` outside demonstrations.
    pub demo_provider: Option<DemoProviderConfig>,
    /// How long the work on one FHIR request may take, its body not counted.
    pub request_time: Duration,
    /// How many requests one system may have under way at once.
    pub requests_per_client: usize,
}

/// Where `/metrics` gets figures that are not its own. Called once for each request; it must be quick.
pub type Gauges = Arc<dyn Fn() -> Vec<Gauge> + Send + Sync>;

/// One figure. It must say nothing about a person.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gauge {
    /// Name without the prefix `keepwell_`, in lower case with underscores; a name that ends in `_total` only grows.
    pub name: &'static str,
    /// What it counts, in a sentence without a line end.
    pub help: &'static str,
    /// The figure.
    pub value: f64,
}

impl ApiConfig {
    /// The least that is needed: nothing but FHIR, health and the doors' own metrics.
    #[must_use]
    pub fn new(base_url: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            log: None,
            gauges: None,
            demo_provider: None,
            request_time: Duration::from_secs(60),
            requests_per_client: 256,
        }
    }

    /// The FHIR base address.
    pub(crate) fn fhir_base(&self) -> String {
        format!("{}/fhir", self.base_url)
    }
}

impl fmt::Debug for ApiConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiConfig").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}
