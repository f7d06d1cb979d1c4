//! `cargo xtask bench record`: the engine beside the raw floor, in one run on one machine (docs/performance.md).
//!
//! Arguments: `--quick` (fewer rounds), `--large N` (records of the growth test, default 1,000,000), `--postgres URL` (the
//! same table on PostgreSQL), `--only import|open|commits|growth|process`.

#![expect(clippy::disallowed_methods, reason = "a bench measures time and reads its arguments")]
#![expect(clippy::unwrap_used, reason = "a bench stops at the first thing that is not as it should be")]
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, UnboundKey};
use axum::body::Bytes;
use keepwell_model::{
    Actor, Author, Clock, Kind, Labels, ManualClock, Purpose, Random, RecordId, Stream, TenantId, Timestamp,
};
use keepwell_record::{
    Commit, Engine, EngineConfig, Expect, Part, PostgresOptions, PostgresStore, RootKey, RootKeys, SqliteStore, Store,
    Tenant, Write,
};
use keepwell_service::{CareSetting, Service, ServiceConfig};

struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, buffer: &mut [u8]) {
        aws_lc_rs::rand::fill(buffer).unwrap();
    }
}

struct Setup {
    engine: Engine,
    tenant: Tenant,
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(ManualClock::new(Timestamp::from_micros(1_795_426_200_000_000)))
}

async fn setup(store: Arc<dyn Store>, cache_bytes: usize) -> Setup {
    let roots = RootKeys::only(RootKey::from_bytes([7; 32]));
    let config = EngineConfig { cache_bytes, ..EngineConfig::default() };
    let engine = Engine::new(store, roots, clock(), Arc::new(SystemRandom), config);
    let tenant = match engine.tenant(TenantId(1)).await {
        Ok(tenant) => tenant,
        Err(_) => engine.create_tenant(TenantId(1), "Leeds").await.unwrap(),
    };
    Setup { engine, tenant }
}

/// Which store is measured.
#[derive(Clone)]
enum Place {
    Sqlite,
    Postgres(String),
}

impl Place {
    /// The store of this name in this folder; opened again, it is the same one.
    async fn open(&self, folder: &Path, name: &str) -> Arc<dyn Store> {
        match self {
            Self::Sqlite => open_when_free(&folder.join(format!("{name}.db"))).await,
            Self::Postgres(url) => {
                let folder = folder.file_name().unwrap().to_string_lossy();
                let schema: String = folder.chars().filter(char::is_ascii_alphanumeric).collect();
                let schema = Some(format!("bench_{}_{name}", schema.to_lowercase()));
                let options = PostgresOptions { schema, ..PostgresOptions::default() };
                Arc::new(PostgresStore::connect(url, options).await.unwrap())
            }
        }
    }
}

fn author() -> Author {
    let actor = Actor::System { client: "bench".into(), organisation: "Bench".into() };
    Author { actor, purpose: Purpose::DirectCare, source: Some("bench".into()) }
}

fn write(body: Bytes) -> Write {
    Write {
        number: None,
        kind: Kind::new("fhir/Observation").unwrap(),
        labels: Labels::GENERAL,
        source: None,
        body: Some(body),
    }
}

fn commit(record: RecordId, expect: Expect, writes: Vec<Write>) -> Commit {
    Commit { author: author(), idempotency: None, parts: vec![Part::new(record, Stream::Care, expect, writes)] }
}

fn reading(i: usize) -> Bytes {
    let (minute, hour, day) = (i % 60, i / 60 % 24, i / 1440 % 28 + 1);
    let (systolic, diastolic) = (110 + i * 7 % 50, 60 + i * 3 % 35);
    Bytes::from(format!(
        "{{\"resourceType\":\"Observation\",\"status\":\"final\",\"category\":[{{\"coding\":[{{\"system\":\
         \"http://terminology.hl7.org/CodeSystem/observation-category\",\"code\":\"vital-signs\"}}]}}],\"code\":{{\"coding\":\
         [{{\"system\":\"http://snomed.info/sct\",\"code\":\"75367002\",\"display\":\"Blood pressure\"}}]}},\
         \"effectiveDateTime\":\"2026-03-{day:02}T{hour:02}:{minute:02}:00Z\",\"component\":[{{\"code\":{{\"coding\":[{{\"system\":\
         \"http://snomed.info/sct\",\"code\":\"271649006\"}}]}},\"valueQuantity\":{{\"value\":{systolic},\"unit\":\"mmHg\",\
         \"system\":\"http://unitsofmeasure.org\",\"code\":\"mm[Hg]\"}}}},{{\"code\":{{\"coding\":[{{\"system\":\
         \"http://snomed.info/sct\",\"code\":\"271650006\"}}]}},\"valueQuantity\":{{\"value\":{diastolic},\"unit\":\"mmHg\",\
         \"system\":\"http://unitsofmeasure.org\",\"code\":\"mm[Hg]\"}}}}]}}"
    ))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The Synthea Bundles, as they are on disk.
fn bundles(shared: &Path) -> Vec<Bytes> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(shared.join("synthea-r4")).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    paths.retain(|path| path.extension().is_some_and(|e| e == "json"));
    paths.iter().map(|path| Bytes::from(std::fs::read(path).unwrap())).collect()
}

fn resources(bundle: &[u8]) -> usize {
    let value: serde_json::Value = serde_json::from_slice(bundle).unwrap();
    value["entry"].as_array().unwrap().len()
}

/// The floor: parse, compress, seal and insert the same bytes, one transaction a Bundle, durable.
fn floor(bundles: &[Bytes], folder: &Path) -> Duration {
    #[derive(serde::Deserialize)]
    struct Bundle<'a> {
        #[serde(borrow)]
        entry: Vec<Entry<'a>>,
    }
    #[derive(serde::Deserialize)]
    struct Entry<'a> {
        #[serde(borrow)]
        resource: &'a serde_json::value::RawValue,
    }
    let path = folder.join("floor.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    connection.pragma_update(None, "synchronous", "FULL").unwrap();
    connection.execute_batch("CREATE TABLE b (id BLOB PRIMARY KEY, block BLOB NOT NULL) WITHOUT ROWID").unwrap();
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM_SIV, &[1; 32]).unwrap());
    let mut compressor = zstd::bulk::Compressor::new(1).unwrap();
    let start = Instant::now();
    for (i, bytes) in bundles.iter().enumerate() {
        let bundle: Bundle<'_> = serde_json::from_slice(bytes).unwrap();
        let mut all = Vec::with_capacity(bytes.len());
        for entry in &bundle.entry {
            all.extend_from_slice(entry.resource.get().as_bytes());
        }
        let mut sealed = compressor.compress(&all).unwrap();
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key([0; 12]), Aad::empty(), &mut sealed).unwrap();
        connection.execute("INSERT INTO b VALUES (?1, ?2)", rusqlite::params![i.to_be_bytes(), sealed]).unwrap();
    }
    start.elapsed()
}

async fn import(service: &Service, bundles: &[Bytes]) -> Duration {
    service.add_client("synthea", "Synthea", CareSetting::General).await.unwrap();
    let client = service.client("synthea").await.unwrap().unwrap();
    let start = Instant::now();
    for bundle in bundles {
        service.transaction(&client, bundle.clone()).await.unwrap();
    }
    start.elapsed()
}

async fn bench_import(place: &Place, shared: &Path, rounds: usize) {
    let bundles = bundles(shared);
    let count: usize = bundles.iter().map(|bundle| resources(bundle)).sum();
    let (mut floors, mut imports, mut bytes) = (Vec::new(), Vec::new(), 0);
    for _ in 0..rounds {
        let folder = scratch();
        floors.push(floor(&bundles, folder.path()));
        let setup = setup(place.open(folder.path(), "import").await, 256 << 20).await;
        let service =
            Service::new(setup.tenant.clone(), clock(), Arc::new(SystemRandom), ServiceConfig::demonstration());
        imports.push(import(&service, &bundles).await);
        setup.tenant.extend_log().await.unwrap();
        bytes = setup.engine.store().stats().await.unwrap().disk_bytes;
    }
    let (floor, import) = (median(floors), median(imports));
    let rate = |time: Duration| count as f64 / time.as_secs_f64();
    println!("import of {count} resources in {} Bundles", bundles.len());
    println!("  floor                 {:>10.0} resources/s", rate(floor));
    println!("  keepwell              {:>10.0} resources/s", rate(import));
    println!("  ratio                 {:>10.2}  (budget >= 0.60)", floor.as_secs_f64() / import.as_secs_f64());
    println!("  at rest               {:>10.1} bytes/resource  (budget <= 120)", bytes as f64 / count as f64);
}

async fn bench_open(place: &Place, rounds: usize) {
    for (size, budget) in [(300usize, 2.0), (3_000, 10.0), (100_000, 50.0)] {
        let folder = scratch();
        let record = {
            let setup = setup(place.open(folder.path(), "open").await, 256 << 20).await;
            let record = setup.tenant.new_record_id();
            setup.tenant.commit(commit(record, Expect::New, vec![])).await.unwrap();
            // As a life goes: many small commits.
            let chunk = (size / 100).max(3);
            for from in (0..size).step_by(chunk) {
                let writes = (from..(from + chunk).min(size)).map(|i| write(reading(i))).collect();
                setup.tenant.commit(commit(record, Expect::Any, writes)).await.unwrap();
            }
            setup.tenant.fold(record).await.unwrap();
            record
        };
        let mut opens = Vec::new();
        let mut withs = Vec::new();
        for _ in 0..rounds {
            let store = place.open(folder.path(), "open").await;
            let setup = setup(store, 256 << 20).await;
            // The tenant's keys and the page cache are warm, the record is not.
            setup.tenant.head(setup.tenant.directory(), Stream::Care).await.unwrap();
            let start = Instant::now();
            let open = setup.tenant.open(record).await.unwrap().unwrap();
            opens.push(start.elapsed());
            let last = open.entries().last().unwrap();
            open.body(&last).await.unwrap();
            withs.push(start.elapsed());
            assert_eq!(open.entries().count(), size);
        }
        println!(
            "cold open of {size:>7} entries {:>8.2} ms median, with one body {:>6.2} ms  (budget <= {budget} ms)",
            ms(median(opens)),
            ms(median(withs))
        );
    }
}

async fn open_when_free(path: &Path) -> Arc<dyn Store> {
    loop {
        match SqliteStore::open(path) {
            Ok(store) => return Arc::new(store),
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
}

/// One write and one fdatasync at a time, on the disk that the stores are on.
fn fsync_rate(folder: &Path) -> f64 {
    use std::io::Write as _;
    let mut file = std::fs::File::create(folder.join("fsync")).unwrap();
    let page = [1u8; 4096];
    let rounds = 1_000;
    let start = Instant::now();
    for _ in 0..rounds {
        file.write_all(&page).unwrap();
        file.sync_data().unwrap();
    }
    f64::from(rounds) / start.elapsed().as_secs_f64()
}

/// Durable single-entry commits a second, from so many writers, each on a record of its own.
async fn commit_rate(tenant: &Tenant, writers: usize, commits: usize) -> f64 {
    let mut records = Vec::new();
    for _ in 0..writers {
        let record = tenant.new_record_id();
        tenant.commit(commit(record, Expect::New, vec![])).await.unwrap();
        records.push(record);
    }
    let start = Instant::now();
    let mut tasks = Vec::new();
    for record in records {
        let tenant = tenant.clone();
        tasks.push(tokio::spawn(async move {
            for i in 0..commits {
                tenant.commit(commit(record, Expect::Any, vec![write(reading(i))])).await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    (writers * commits) as f64 / start.elapsed().as_secs_f64()
}

async fn bench_commits(place: &Place, rounds: usize) {
    let folder = scratch();
    let setup = setup(place.open(folder.path(), "commits").await, 64 << 20).await;
    let (mut singles, mut many, mut ones) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        singles.push(fsync_rate(folder.path()));
        ones.push(commit_rate(&setup.tenant, 1, 500).await);
        many.push(commit_rate(&setup.tenant, 64, 400).await);
    }
    for list in [&mut singles, &mut many, &mut ones] {
        list.sort_by(f64::total_cmp);
    }
    let (single, one, sixty_four) = (singles[rounds / 2], ones[rounds / 2], many[rounds / 2]);
    println!("single fdatasync          {single:>10.0} /s");
    println!("durable commits, 1 writer {one:>10.0} /s");
    println!(
        "durable commits, 64       {sixty_four:>10.0} /s = {:.1} x the fdatasync rate, {:.1} x one writer  (budget >= 20)",
        sixty_four / single,
        sixty_four / one
    );
}

async fn bench_growth(place: &Place, large: usize) {
    let mut medians = Vec::new();
    for count in [1_000, large] {
        let folder = scratch();
        let start = Instant::now();
        let mut sample = Vec::new();
        {
            let setup = setup(place.open(folder.path(), "growth").await, 8 << 20).await;
            let mut tasks = tokio::task::JoinSet::new();
            for i in 0..count {
                let record = setup.tenant.new_record_id();
                if i % (count / 500).max(1) == 0 {
                    sample.push(record);
                }
                let tenant = setup.tenant.clone();
                tasks.spawn(async move {
                    let writes = (0..3).map(|j| write(reading(i + j))).collect();
                    tenant.commit(commit(record, Expect::New, writes)).await.unwrap();
                });
                if tasks.len() >= 256 {
                    tasks.join_next().await.unwrap().unwrap();
                }
            }
            while tasks.join_next().await.is_some() {}
        }
        let built = start.elapsed();
        let setup = setup(place.open(folder.path(), "growth").await, 0).await;
        // Nothing is open or unwrapped yet, and with this cache nothing stays open.
        let mut opens = Vec::new();
        for record in &sample {
            let start = Instant::now();
            setup.tenant.open(*record).await.unwrap().unwrap();
            opens.push(start.elapsed());
        }
        let size = setup.engine.store().stats().await.unwrap().disk_bytes;
        println!(
            "store of {count:>9} records: opens one in {:.3} ms median; {:.0} MB, built in {:.0} s",
            ms(median(opens.clone())),
            size as f64 / 1e6,
            built.as_secs_f64()
        );
        medians.push(median(opens));
    }
    println!(
        "growth                    {:>10.2} x  (budget <= 1.5)",
        medians[1].as_secs_f64() / medians[0].as_secs_f64()
    );
}

/// Beside the build, where the disk is a real one: temporary folders are often in memory.
fn scratch() -> tempfile::TempDir {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/bench");
    std::fs::create_dir_all(&target).unwrap();
    tempfile::tempdir_in(target).unwrap()
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let quick = arguments.iter().any(|a| a == "--quick");
    let value = |name: &str| arguments.iter().position(|a| a == name).and_then(|at| arguments.get(at + 1)).cloned();
    let large = value("--large").map_or(if quick { 100_000 } else { 1_000_000 }, |text| text.parse().unwrap());
    let rounds = if quick { 3 } else { 7 };
    let shared = std::env::var("KEEPWELL_SHARED")
        .map_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let only = value("--only");
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    let place = value("--postgres").map_or(Place::Sqlite, Place::Postgres);
    println!("store: {}", if matches!(place, Place::Sqlite) { "SQLite, embedded" } else { "PostgreSQL" });
    runtime.block_on(async {
        if !shared.join("synthea-r4").is_dir() {
            println!("skipped: import (the Synthea Bundles are not at {})", shared.display());
        } else if wanted("import") {
            bench_import(&place, &shared, rounds).await;
        }
        if wanted("open") {
            bench_open(&place, rounds * 3).await;
        }
        if wanted("commits") {
            bench_commits(&place, rounds).await;
        }
        if wanted("growth") {
            bench_growth(&place, large).await;
        }
    });
    if wanted("process") && matches!(place, Place::Sqlite) {
        bench_process();
    }
}

/// The released binary: from start to the first answer, and the memory it takes when nothing is asked of it.
fn bench_process() {
    use std::io::{Read as _, Write as _};
    let binary = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/release/keepwell");
    if !binary.is_file() {
        println!("skipped: start and idle memory (build the binary with `cargo build --release` first)");
        return;
    }
    let folder = scratch();
    let data = folder.path().join("data");
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(&binary);
        command.arg("--dir").arg(&data).args(arguments).stderr(std::process::Stdio::null());
        command
    };
    assert!(run(&["init"]).stdout(std::process::Stdio::null()).status().unwrap().success());
    let mut starts = Vec::new();
    let mut idle = 0;
    for _ in 0..5 {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let start = Instant::now();
        let mut child = run(&["serve", "--listen", &format!("127.0.0.1:{port}")]).spawn().unwrap();
        loop {
            let answered = std::net::TcpStream::connect(("127.0.0.1", port)).and_then(|mut stream| {
                stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
                let mut answer = String::new();
                stream.read_to_string(&mut answer)?;
                Ok(answer.starts_with("HTTP/1.1 200"))
            });
            if matches!(answered, Ok(true)) {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        starts.push(start.elapsed());
        std::thread::sleep(Duration::from_secs(2));
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
        idle = line.split_whitespace().nth(1).and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0);
        child.kill().unwrap();
        child.wait().unwrap();
    }
    println!("start to first answer     {:>10.0} ms  (budget <= 200)", ms(median(starts)));
    println!("idle memory               {:>10.1} MB  (budget <= 60)", idle as f64 / 1024.0);
}
