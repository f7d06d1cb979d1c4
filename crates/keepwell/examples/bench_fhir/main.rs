//! `cargo xtask bench fhir`: the FHIR door over HTTP on loopback, with durable commits and real authorisation, beside the
//! raw floor in the same run (docs/performance.md).
//!
//! Arguments: `--quick` (shorter), `--only import|read|search|create|everything`, `--target URL [--token T]` (the same load
//! against any other FHIR R4 server; nothing of Keepwell is started or measured inside then).
//!
//! Client and server share the machine, so a rate is what is left after the client took its part.

#![expect(clippy::disallowed_methods, reason = "a bench measures time and reads its arguments")]
#![expect(clippy::unwrap_used, reason = "a bench stops at the first thing that is not as it should be")]
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

mod client;
mod floor;
mod load;
mod server;

use std::path::{Path, PathBuf};
use std::time::Duration;

use client::{Connection, Target};
use load::{Figures, Imported};

/// Clients at once.
const CLIENTS: [usize; 3] = [1, 16, 64];

struct Options {
    only: Option<String>,
    time: Duration,
}

impl Options {
    fn wants(&self, name: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == name)
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| arguments.iter().position(|a| a == name).and_then(|at| arguments.get(at + 1)).cloned();
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let options = Options { only: value("--only"), time: Duration::from_secs(if quick { 2 } else { 6 }) };
    let shared = std::env::var("KEEPWELL_SHARED")
        .map_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let Some(bundles) = bundles(&shared) else {
        println!("skipped: the Synthea Bundles are not at {}", shared.display());
        return;
    };
    // The clients share one thread: what they take of the machine is taken from the server beside them.
    let clients = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    match value("--target") {
        Some(url) => {
            let target = Target::of(&url, value("--token"));
            println!("target: {url}");
            clients.block_on(measure(&target, &bundles, &options));
        }
        None => own(&clients, &bundles, &options),
    }
}

/// Keepwell itself: floor, server, load, memory and disk.
fn own(clients: &tokio::runtime::Runtime, bundles: &[Vec<u8>], options: &Options) {
    let engine = tokio::runtime::Runtime::new().unwrap();
    let floor = engine.block_on(floor::measure(bundles, options.time));
    drop(engine);
    println!("floor: the engine alone, no HTTP, no FHIR, no policy");
    println!(
        "  import {:>10.0} resources/s   read {:>10.0} /s   create {:>9.0} /s (64 writers)",
        floor.import, floor.read, floor.create
    );
    let server = server::Server::start();
    let idle = server.memory();
    clients.block_on(measure(&server.target, bundles, options));
    let stats = server.stats();
    println!("disk: {} bytes in all, {} blocks", stats["disk_bytes"], stats["blocks"]);
    println!("memory: idle {idle:.0} MB, after the load {:.0} MB, peak {:.0} MB", server.memory(), server.peak());
}

async fn measure(target: &Target, bundles: &[Vec<u8>], options: &Options) {
    let imported = load::import(target, bundles, 2).await;
    println!("import of {} resources, 2 clients: {:.0} resources/s", imported.resources, imported.rate);
    if options.wants("import") {
        let again = load::import(target, bundles, 2).await;
        println!("the same again: {:.0} resources/s", again.rate);
    }
    if options.wants("read") {
        let places = imported.places.clone();
        let at = target.clone();
        table("read", target, options, move |i| at.request("GET", &places[scattered(i) % places.len()], b"")).await;
    }
    if options.wants("search") {
        let (at, patients) = (target.clone(), imported.patients.clone());
        let query = move |i: usize| {
            let (patient, _) = &patients[scattered(i) % patients.len()];
            let path = format!(
                "Observation?patient={patient}&code=http://loinc.org%7C8302-2&date=ge2000-01-01&_sort=-date&_count=50"
            );
            at.request("GET", &path, b"")
        };
        table("search Observation?patient&code&date&_sort=-date&_count=50", target, options, query).await;
    }
    if options.wants("create") {
        let (at, patients) = (target.clone(), imported.patients.clone());
        let create = move |i: usize| {
            let (patient, _) = &patients[i % patients.len()];
            at.request("POST", "Observation", reading(patient, i).as_bytes())
        };
        table("create Observation, durable", target, options, create).await;
    }
    if options.wants("everything") {
        everything(target, options, &imported).await;
    }
}

/// The person whose resources are nearest to a thousand.
async fn everything(target: &Target, options: &Options, imported: &Imported) {
    let (patient, count) = imported.patients.iter().min_by_key(|(_, count)| count.abs_diff(1_000)).unwrap();
    let request = target.request("GET", &format!("Patient/{patient}/$everything?_count=2000"), b"");
    let answer = Connection::open(target).await.send(&request).await;
    println!("$everything of a person with {count} resources: {} bytes", answer.body.len());
    table("$everything", target, options, move |_| request.clone()).await;
}

async fn table(
    name: &str,
    target: &Target,
    options: &Options,
    next: impl Fn(usize) -> Vec<u8> + Clone + Send + Sync + 'static,
) {
    println!("{name}");
    for clients in CLIENTS {
        let figures: Figures = load::run(target, clients, options.time, next.clone()).await;
        println!(
            "  {:>3} clients {:>10.0} /s   p50 {:>8.3} ms   p95 {:>8.3} ms   p99 {:>8.3} ms   {:>8} bytes an answer",
            figures.clients,
            figures.rate,
            figures.percentile(0.50),
            figures.percentile(0.95),
            figures.percentile(0.99),
            figures.mean_bytes()
        );
    }
}

/// A fixed walk over everything that looks like chance (SplitMix64).
fn scattered(i: usize) -> usize {
    let mut z = (i as u64).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    usize::try_from((z ^ (z >> 31)) >> 1).unwrap()
}

fn reading(patient: &str, i: usize) -> String {
    let (day, hour, minute) = (i / 1_440 % 28 + 1, i / 60 % 24, i % 60);
    format!(
        r#"{{"resourceType":"Observation","status":"final","code":{{"coding":[{{"system":"http://loinc.org","code":"8867-4","display":"Heart rate"}}]}},"subject":{{"reference":"Patient/{patient}"}},"effectiveDateTime":"2026-03-{day:02}T{hour:02}:{minute:02}:00Z","valueQuantity":{{"value":{},"unit":"/min","system":"http://unitsofmeasure.org","code":"/min"}}}}"#,
        55 + i % 60
    )
}

/// The Synthea Bundles, as they are on disk.
fn bundles(shared: &Path) -> Option<Vec<Vec<u8>>> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(shared.join("synthea-r4")).ok()?.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "json"));
    paths.sort();
    Some(paths.iter().map(|path| std::fs::read(path).unwrap()).collect())
}
