//! What a running server does by itself: block hashes go into the log within a second, witnesses are asked to cosign,
//! what has expired is purged.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use keepwell_record::Tenant;
use keepwell_record::log::VerifyingKey;

use crate::config::WitnessSection;
use crate::error::CliError;
use crate::folder::{Folder, write_whole};
use crate::installation::Installation;

/// How often the log takes in what waits.
const LOG_EVERY: Duration = Duration::from_secs(1);
/// How often witnesses are asked about a checkpoint they have not cosigned.
const WITNESS_EVERY: Duration = Duration::from_secs(20);
/// How often expired rows are purged.
const PURGE_EVERY: Duration = Duration::from_secs(3_600);
/// A witness's answer is a few lines.
const MAX_ANSWER: usize = 16 << 10;

/// Starts the jobs; they end with the runtime.
pub(crate) fn start(installation: &Arc<Installation>) {
    let (tenant, folder) = (installation.tenant.clone(), installation.place.folder.clone());
    tokio::spawn(async move {
        let mut kept = None;
        let mut tick = tokio::time::interval(LOG_EVERY);
        loop {
            tick.tick().await;
            if let Err(error) = keep_log(&tenant, &folder, &mut kept).await {
                tracing::error!("The transparency log was not extended: {error}");
            }
        }
    });
    let service = installation.service.clone();
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(PURGE_EVERY);
        loop {
            tick.tick().await;
            match service.purge().await {
                Ok(count) => tracing::debug!(count, "Purged what had expired"),
                Err(error) => tracing::error!("What has expired was not purged: {error}"),
            }
        }
    });
    for witness in installation.place.config.witnesses.clone() {
        tokio::spawn(ask_for_ever(installation.tenant.clone(), witness));
    }
}

/// Extends the log and keeps the newest checkpoint in the folder, apart from the store.
pub(crate) async fn keep_log(
    tenant: &Tenant,
    folder: &Folder,
    kept: &mut Option<(u64, [u8; 32])>,
) -> Result<(), CliError> {
    if kept.is_none() {
        check_not_older(tenant, folder).await?;
    }
    tenant.extend_log().await?;
    if let Some(opened) = tenant.checkpoint().await? {
        let now = (opened.checkpoint().size(), *opened.checkpoint().root());
        if *kept != Some(now) {
            write_whole(&folder.checkpoint(), opened.note().to_string().as_bytes())?;
            *kept = Some(now);
        }
    }
    Ok(())
}

/// A store that was put back to an older state is not served, nor is what the folder remembers of the newer one written
/// over, unless somebody says that it is meant (threat T34).
pub(crate) async fn check_not_older(tenant: &Tenant, folder: &Folder) -> Result<(), CliError> {
    let path = folder.checkpoint();
    match std::fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(CliError::failed(format!("{} cannot be read: {error}", path.display()))),
        Ok(kept) => tenant.check_continues(&kept).await.map_err(|error| {
            CliError::with_code(format!("{error}. To serve it all the same: keepwell serve --accept-older-store"), 6)
        }),
    }
}

async fn ask_for_ever(tenant: Tenant, witness: WitnessSection) {
    let key: VerifyingKey = match witness.key.parse() {
        Ok(key) => key,
        Err(error) => return tracing::error!("The witness key in the configuration is not right: {error}"),
    };
    let mut known = 0;
    let mut tick = tokio::time::interval(WITNESS_EVERY);
    loop {
        tick.tick().await;
        if let Err(error) = ask(&tenant, &witness.url, &key, &mut known).await {
            tracing::warn!(witness = key.name(), "The witness did not cosign: {error}");
        }
    }
}

/// Asks a witness once, and once more if it remembers another size than we believed.
async fn ask(tenant: &Tenant, url: &str, key: &VerifyingKey, known: &mut u64) -> Result<(), CliError> {
    for _ in 0..2 {
        let Some(opened) = tenant.checkpoint().await? else { return Ok(()) };
        let size = opened.checkpoint().size();
        let done = opened.note().signatures.iter().any(|line| key.claims(line));
        if done {
            return Ok(());
        }
        if size < *known {
            let message = format!("it has seen {known} entries of this log, which has {size}: the store was put back");
            return Err(CliError::failed(message));
        }
        let request = tenant.witness_request(*known).await?;
        let (status, body) =
            post(&format!("{}/add-checkpoint", url.trim_end_matches('/')), request.to_string()).await?;
        match status {
            200 => {
                tenant.add_cosignatures(&request, &body, std::slice::from_ref(key)).await?;
                *known = size;
                return Ok(());
            }
            409 => {
                let text = String::from_utf8_lossy(&body);
                *known = text.trim().parse().map_err(|_| CliError::failed("its answer is not a size"))?;
            }
            other => return Err(CliError::failed(format!("it answered {other}"))),
        }
    }
    Ok(())
}

/// A small POST over HTTP.
async fn post(url: &str, body: String) -> Result<(u16, Vec<u8>), CliError> {
    let failed = |error: &dyn std::fmt::Display| CliError::failed(error.to_string());
    let client: Client<_, Full<axum::body::Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let request = axum::http::Request::post(url)
        .header("content-type", "text/plain; charset=utf-8")
        .body(Full::from(body))
        .map_err(|error| failed(&error))?;
    let answer = tokio::time::timeout(Duration::from_secs(10), client.request(request))
        .await
        .map_err(|_| CliError::failed("it did not answer within 10 seconds"))?
        .map_err(|error| failed(&error))?;
    let status = answer.status().as_u16();
    let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await.map_err(|error| failed(&error))?;
    Ok((status, body.to_bytes().to_vec()))
}
