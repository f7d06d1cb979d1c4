//! One HTTP server with both doors: pages for people, FHIR and the rest for machines.

use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keepwell_api::demo_provider::{self, DemoProviderConfig, DemoResident};
use keepwell_api::{ApiConfig, Gauge, LogUnavailable, PublicLog};
use keepwell_model::Random as _;
use keepwell_portal::{PortalConfig, ProviderConfig, SigningAlgorithm};
use keepwell_record::Tenant;
use tokio::net::TcpListener;

use crate::error::CliError;
use crate::installation::Installation;
use crate::system::{SystemClock, SystemRandom};
use crate::{jobs, output};

/// Where residents prove who they are.
pub(crate) enum Identity {
    /// At the provider that the configuration names.
    Configured,
    /// At the demonstration's own provider, which lets anybody be anybody.
    Demonstration(Vec<DemoResident>),
}

/// Takes the address.
pub(crate) async fn bind(address: &str) -> Result<TcpListener, CliError> {
    TcpListener::bind(address).await.map_err(|error| {
        CliError::failed(format!(
            "the address {address} cannot be used ({error}). Choose another with --listen or --port, or stop what uses it"
        ))
    })
}

/// Serves until the process is asked to stop, then finishes what was begun.
pub(crate) async fn serve(
    listener: TcpListener,
    installation: Arc<Installation>,
    identity: Identity,
) -> Result<(), CliError> {
    let app = router(&installation, identity)?;
    tracing::info!(address = %listener.local_addr()?, "Serving");
    axum::serve(listener, app).with_graceful_shutdown(asked_to_stop()).await?;
    let mut kept = None;
    jobs::keep_log(&installation.tenant, &installation.place.folder, &mut kept).await?;
    drop(std::fs::remove_file(installation.place.folder.control()));
    output::aside("keepwell: stopped; everything acknowledged is on disk");
    Ok(())
}

pub(crate) async fn asked_to_stop() {
    let interrupt = tokio::signal::ctrl_c();
    let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else {
        drop(interrupt.await);
        return;
    };
    tokio::select! {
        _ = interrupt => {}
        _ = terminate.recv() => {}
    }
}

fn router(installation: &Arc<Installation>, identity: Identity) -> Result<Router, CliError> {
    let config = &installation.place.config;
    let base_url = config.http.base_url.trim_end_matches('/').to_owned();
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let (provider, demonstration) = match identity {
        Identity::Configured => (configured_provider(installation)?, None),
        Identity::Demonstration(residents) => {
            let (provider, demonstration) = demonstration_provider(&base_url, residents);
            (Some(provider), Some(demonstration))
        }
    };
    let is_demonstration = demonstration.is_some();
    let doors = ApiConfig {
        log: Some(Arc::new(LogDoor(installation.tenant.clone()))),
        gauges: Some(gauges(installation)),
        demo_provider: demonstration,
        request_time: std::time::Duration::from_secs(config.http.request_seconds),
        requests_per_client: config.http.requests_per_client,
        ..ApiConfig::new(&base_url)
    };
    let machines = keepwell_api::router(installation.service.clone(), doors)
        .map_err(|_| CliError::failed("the demonstration's signing key could not be made"))?;
    let Some(provider) = provider else {
        tracing::warn!("No identity provider is configured, so residents cannot sign in; only machines are served");
        return Ok(machines);
    };
    let portal = PortalConfig {
        base_url,
        service_name: config.service.name.clone(),
        demonstration: is_demonstration,
        time_zone: config.service.time_zone.clone(),
        provider,
        clock,
        random,
    };
    let people = keepwell_portal::router(installation.service.clone(), portal)
        .map_err(|error| CliError::failed(format!("the configuration is not right: {error}")))?;
    Ok(people.merge(machines))
}

/// The public files of the transparency log.
struct LogDoor(Tenant);

impl PublicLog for LogDoor {
    fn file<'a>(
        &'a self,
        path: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Option<Bytes>, LogUnavailable>> + Send + 'a>> {
        Box::pin(async move {
            self.0.log_file(path).await.map_err(|error| {
                tracing::error!("A file of the transparency log could not be served: {error}");
                LogUnavailable
            })
        })
    }
}

/// Figures of the engine for `/metrics`.
fn gauges(installation: &Installation) -> keepwell_api::Gauges {
    let tenant = installation.tenant.clone();
    Arc::new(move || {
        let cache = tenant.cache_stats();
        #[expect(clippy::cast_precision_loss, reason = "a figure for a chart")]
        let gauge = |name, help, value: u64| Gauge { name, help, value: value as f64 };
        vec![
            gauge("open_records", "Records open in memory.", cache.records as u64),
            gauge("open_record_bytes", "Bytes that open records take in memory, about.", cache.bytes as u64),
            gauge("record_opens_from_memory_total", "Opens answered from memory.", cache.hits),
            gauge("record_opens_from_store_total", "Opens that had to load.", cache.misses),
        ]
    })
}

fn configured_provider(installation: &Installation) -> Result<Option<ProviderConfig>, CliError> {
    let Some(section) = &installation.place.config.provider else { return Ok(None) };
    let path = &section.client_secret_file;
    let secret = std::fs::read_to_string(path)
        .map_err(|error| CliError::with_code(format!("{} cannot be read: {error}", path.display()), 5))?;
    Ok(Some(ProviderConfig {
        issuer: section.issuer.clone(),
        name: section.name.clone(),
        client_id: section.client_id.clone(),
        client_secret: keepwell_portal::Secret::new(secret.trim()),
        signing_algorithm: SigningAlgorithm::Rs256,
        scopes: vec!["profile".into()],
    }))
}

/// The demonstration's provider from both sides, with the secret that they share until the process ends.
fn demonstration_provider(base_url: &str, residents: Vec<DemoResident>) -> (ProviderConfig, DemoProviderConfig) {
    let mut bytes = [0u8; 32];
    SystemRandom.fill(&mut bytes);
    let secret = URL_SAFE_NO_PAD.encode(bytes);
    let provider = ProviderConfig {
        issuer: format!("{base_url}{}", demo_provider::PATH),
        name: "Demonstration sign-in".into(),
        client_id: demo_provider::CLIENT_ID.into(),
        client_secret: keepwell_portal::Secret::new(secret.clone()),
        signing_algorithm: SigningAlgorithm::Es256,
        scopes: vec!["profile".into()],
    };
    let config = DemoProviderConfig {
        base_url: base_url.to_owned(),
        client_secret: secret,
        residents,
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
    };
    (provider, config)
}
