//! The configuration file, `config.toml` in the installation's folder. Every setting has a default; an unknown one is
//! refused, so that a typing slip cannot go unnoticed.

use serde::{Deserialize, Serialize};

/// All settings.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) service: ServiceSection,
    pub(crate) http: HttpSection,
    pub(crate) store: StoreSection,
    pub(crate) limits: LimitsSection,
    /// Where residents prove who they are; without it nobody can sign in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) provider: Option<ProviderSection>,
    /// Who cosigns the transparency log's checkpoints.
    #[serde(rename = "witness", skip_serializing_if = "Vec::is_empty")]
    pub(crate) witnesses: Vec<WitnessSection>,
}

/// What the service is called and what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ServiceSection {
    /// The name residents see.
    pub(crate) name: String,
    /// Whether this is a demonstration with synthetic people; it then says so on every page and takes test NHS numbers.
    pub(crate) demonstration: bool,
    /// Time zone of the people it serves (IANA name).
    pub(crate) time_zone: String,
}

impl Default for ServiceSection {
    fn default() -> Self {
        Self { name: "Keepwell".into(), demonstration: false, time_zone: "Europe/London".into() }
    }
}

/// Where it listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct HttpSection {
    /// Address and port. Put a proxy that speaks TLS in front of anything but localhost.
    pub(crate) listen: String,
    /// The address that browsers and systems use, without a trailing slash.
    pub(crate) base_url: String,
    /// Requests that one system may have under way at once; one more is told to wait (429).
    pub(crate) requests_per_client: usize,
    /// Seconds that the work on one FHIR request may take.
    pub(crate) request_seconds: u64,
}

impl Default for HttpSection {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".into(),
            base_url: "http://localhost:8080".into(),
            requests_per_client: 256,
            request_seconds: 60,
        }
    }
}

/// The store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct StoreSection {
    /// A PostgreSQL address; empty for the embedded store in the folder.
    pub(crate) database_url: String,
    /// Megabytes of open records kept in memory.
    pub(crate) cache_megabytes: usize,
    /// Days for which a repeated idempotency key is recognised.
    pub(crate) idempotency_days: u16,
}

impl Default for StoreSection {
    fn default() -> Self {
        Self { database_url: String::new(), cache_megabytes: 256, idempotency_days: 30 }
    }
}

/// Limits on what is written; exceeding one is an error that names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LimitsSection {
    /// Bytes of one entry.
    pub(crate) entry_bytes: usize,
    /// Bytes of one commit.
    pub(crate) commit_bytes: usize,
    /// Entries of one commit.
    pub(crate) commit_entries: usize,
    /// Entries of one record.
    pub(crate) record_entries: usize,
    /// Bytes of one request's body, unpacked.
    pub(crate) body_bytes: usize,
    /// Entries of one Bundle.
    pub(crate) bundle_entries: usize,
}

impl Default for LimitsSection {
    fn default() -> Self {
        let limits = keepwell_record::Limits::default();
        let service = keepwell_service::ServiceConfig::default();
        Self {
            entry_bytes: limits.entry_bytes,
            commit_bytes: limits.commit_bytes,
            commit_entries: limits.commit_entries,
            record_entries: limits.record_entries,
            body_bytes: service.max_bundle,
            bundle_entries: service.max_entries,
        }
    }
}

/// An OpenID provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProviderSection {
    /// The issuer, exactly as its tokens spell it.
    pub(crate) issuer: String,
    /// The name on the sign-in button.
    pub(crate) name: String,
    /// Our name at the provider.
    pub(crate) client_id: String,
    /// A file with our secret at the provider.
    pub(crate) client_secret_file: std::path::PathBuf,
}

/// A witness of the transparency log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WitnessSection {
    /// Its address; `add-checkpoint` is asked below it.
    pub(crate) url: String,
    /// Its verifier key, as `keepwell witness` prints it.
    pub(crate) key: String,
}

impl Config {
    /// The engine's settings.
    pub(crate) fn engine(&self) -> keepwell_record::EngineConfig {
        keepwell_record::EngineConfig {
            limits: keepwell_record::Limits {
                entry_bytes: self.limits.entry_bytes,
                commit_bytes: self.limits.commit_bytes,
                commit_entries: self.limits.commit_entries,
                record_entries: self.limits.record_entries,
                ..keepwell_record::Limits::default()
            },
            cache_bytes: self.store.cache_megabytes << 20,
            idempotency_days: self.store.idempotency_days,
            ..keepwell_record::EngineConfig::default()
        }
    }

    /// The use cases' settings.
    pub(crate) fn service(&self) -> keepwell_service::ServiceConfig {
        keepwell_service::ServiceConfig {
            test_numbers: self.service.demonstration,
            max_bundle: self.limits.body_bytes,
            max_entries: self.limits.bundle_entries,
            ..keepwell_service::ServiceConfig::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_configuration_reads_back_as_itself() {
        let text = toml::to_string(&Config::default()).unwrap();
        assert_eq!(toml::from_str::<Config>(&text).unwrap(), Config::default());
    }

    #[test]
    fn a_misspelt_setting_is_refused_by_name() {
        let error = toml::from_str::<Config>("[store]\ncache_megabyte = 3\n").unwrap_err();
        assert!(error.to_string().contains("cache_megabyte"));
    }
}
