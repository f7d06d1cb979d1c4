//! `keepwell demo`: a city of synthetic people, fed through the FHIR door as outside systems feed it, with a page to sign
//! in as any of them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request as HttpRequest, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use keepwell_api::demo_provider::DemoResident;
use keepwell_service::{CareSetting, Validation};
use keepwell_synth::{City, Setting};
use serde::{Deserialize, Serialize};

use super::synth::today;
use super::{import_fhir, init};
use crate::cli::{Cli, Demo};
use crate::config::Config;
use crate::error::CliError;
use crate::folder::{Folder, write_whole};
use crate::installation::{Installation, Place};
use crate::server::{self, Identity};
use crate::{control, jobs, output};

/// How many residents are named in the terminal.
const NAMED: usize = 8;
/// Feeds on their way at a time.
const IN_FLIGHT: usize = 8;
/// Bytes of an answer that are read.
const MAX_ANSWER: usize = 64 << 20;

/// What was loaded into a demonstration's folder.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Loaded {
    people: u32,
    seed: u64,
    today: String,
}

/// Runs the demonstration until stopped.
pub(super) async fn run(cli: &Cli, words: &Demo) -> Result<(), CliError> {
    let folder = Folder::new(&cli.dir);
    let marker = folder.path().join("demo.json");
    if words.fresh {
        throw_away(&folder)?;
    }
    let config = config(words);
    if folder.is_ready() {
        if !Place::find(cli)?.config.service.demonstration {
            return Err(CliError::failed(format!(
                "{} holds a real installation; a demonstration will not touch it. Give another --dir",
                folder.path().display()
            )));
        }
    } else {
        init::make(&folder, &config, cli.database_url.clone()).await?;
    }
    let listener = server::bind(&config.http.listen).await?;
    let place = Place::new(folder, config, cli.database_url.clone());
    let installation = Arc::new(place.open().await?);
    installation.use_definitions()?;
    jobs::check_not_older(&installation.tenant, &installation.place.folder).await?;
    let loaded: Option<Loaded> = std::fs::read(&marker).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let (people, seed) = loaded.as_ref().map_or((words.people, words.seed), |l| (l.people, l.seed));
    let today = match &loaded {
        Some(loaded) => loaded.today.parse().map_err(|_| CliError::failed("demo.json is damaged: use --fresh"))?,
        None => today(),
    };
    let city = Arc::new(City::new(keepwell_synth::Config { seed, people, today }));
    jobs::start(&installation);
    control::listen(&installation)?;
    let residents = residents(&city);
    let identity = Identity::Demonstration(residents.clone());
    let serving = tokio::spawn(server::serve(listener, Arc::clone(&installation), identity));
    let base_url = installation.place.config.http.base_url.clone();
    if loaded.is_none() {
        load(&installation, &city, &base_url).await?;
        let loaded = Loaded { people, seed, today: today.to_string() };
        write_whole(&marker, &serde_json::to_vec(&loaded).expect("plain values"))?;
    }
    welcome(&base_url, &residents);
    serving.await.map_err(|_| CliError::failed("the server stopped unexpectedly"))?
}

/// Removes an earlier demonstration; anything else is refused.
fn throw_away(folder: &Folder) -> Result<(), CliError> {
    if !folder.path().exists() {
        return Ok(());
    }
    let empty = std::fs::read_dir(folder.path())?.next().is_none();
    let text = std::fs::read_to_string(folder.config()).unwrap_or_default();
    let demonstration = toml::from_str::<Config>(&text).is_ok_and(|config| config.service.demonstration);
    if !empty && !demonstration {
        return Err(CliError::failed(format!(
            "{} is not a demonstration's folder, so --fresh does not delete it",
            folder.path().display()
        )));
    }
    std::fs::remove_dir_all(folder.path())
        .map_err(|error| CliError::failed(format!("{} cannot be deleted: {error}", folder.path().display())))
}

fn config(words: &Demo) -> Config {
    let mut config = Config::default();
    config.service.name = "Keepwell Leeds".into();
    config.service.demonstration = true;
    config.http.listen = format!("127.0.0.1:{}", words.port);
    config.http.base_url = format!("http://localhost:{}", words.port);
    config
}

/// Those of the city who can sign in: alive and 13 or older (DP-12).
fn residents(city: &City) -> Vec<DemoResident> {
    city.people()
        .filter(keepwell_synth::Person::can_sign_in)
        .map(|person| DemoResident {
            sub: format!("resident-{}", person.index),
            nhs_number: person.nhs_number.digits(),
            given_name: person.given.clone(),
            family_name: person.family.clone(),
            birth_date: person.birth_date.to_string(),
            note: person.story.clone(),
        })
        .collect()
}

/// Sends every feed to the FHIR door, several at a time, each person's in their order.
async fn load(installation: &Installation, city: &Arc<City>, base_url: &str) -> Result<(), CliError> {
    let mut tokens = HashMap::new();
    for source in keepwell_synth::sources() {
        let setting = match source.setting {
            Setting::MentalHealth => CareSetting::MentalHealth,
            Setting::SocialCare => CareSetting::SocialCare,
            _ => CareSetting::General,
        };
        let token = installation.service.add_client(source.name, source.organisation, setting).await?;
        // As feeds are in life: what is wrong with them is kept beside them.
        installation.service.set_validation(source.name, Validation::Record).await?;
        tokens.insert(source.name, token);
    }
    let tokens = Arc::new(tokens);
    let client = Client::builder(TokioExecutor::new()).build_http();
    let bar = import_fhir::bar(u64::from(city.len()), false);
    bar.set_message("residents");
    let url = format!("{base_url}/fhir");
    let mut sending = tokio::task::JoinSet::new();
    for index in 0..city.len() {
        if sending.len() >= IN_FLIGHT {
            finished(sending.join_next().await)?;
            bar.inc(1);
        }
        let (city, tokens, client, url) = (Arc::clone(city), Arc::clone(&tokens), client.clone(), url.clone());
        sending.spawn(async move {
            for feed in city.person(index).feeds {
                let token = tokens
                    .get(feed.source)
                    .ok_or_else(|| CliError::failed(format!("the source {} is not registered", feed.source)))?;
                send(&client, &url, token, feed.bundle).await?;
            }
            Ok(())
        });
    }
    while !sending.is_empty() {
        finished(sending.join_next().await)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

fn finished(sent: Option<Result<Result<(), CliError>, tokio::task::JoinError>>) -> Result<(), CliError> {
    match sent {
        Some(Ok(sent)) => sent,
        Some(Err(_)) => Err(CliError::failed("loading stopped unexpectedly")),
        None => Ok(()),
    }
}

/// Sends one Bundle as a source system does.
async fn send(
    client: &Client<HttpConnector, Full<Bytes>>,
    url: &str,
    token: &str,
    bundle: String,
) -> Result<(), CliError> {
    let failed = |error: &dyn std::fmt::Display| CliError::failed(format!("a feed could not be sent: {error}"));
    let request = HttpRequest::post(url)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/fhir+json")
        .body(Full::from(bundle))
        .map_err(|error| failed(&error))?;
    let answer = tokio::time::timeout(Duration::from_secs(60), client.request(request))
        .await
        .map_err(|error| failed(&error))?
        .map_err(|error| failed(&error))?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await.map_err(|error| failed(&error))?;
    if status.is_success() {
        return Ok(());
    }
    // The people are synthetic, so the answer may be shown.
    Err(CliError::failed(format!("a feed was refused ({status}): {}", String::from_utf8_lossy(&body.to_bytes()))))
}

fn welcome(base_url: &str, residents: &[DemoResident]) {
    output::say("");
    output::say(&format!("Keepwell is running at {base_url} (stop it with Ctrl-C)."));
    output::say("Everybody in it is made up. Sign in as any resident; for instance:");
    for resident in residents.iter().take(NAMED) {
        output::say(&format!("  {} {}: {}", resident.given_name, resident.family_name, resident.note));
    }
    output::say("");
}
