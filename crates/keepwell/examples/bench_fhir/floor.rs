//! The raw floor: the same bytes through the engine, without HTTP, FHIR and policy. An import is one commit a Bundle; a read
//! is a body out of an open record and a durable line in its access stream; a create is one commit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use keepwell_model::{
    Actor, Author, Clock, Kind, Labels, ManualClock, Purpose, Random, RecordId, Stream, TenantId, Timestamp,
};
use keepwell_record::{Commit, Engine, EngineConfig, Expect, Part, RootKey, RootKeys, SqliteStore, Tenant, Write};

struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, buffer: &mut [u8]) {
        aws_lc_rs::rand::fill(buffer).unwrap();
    }
}

/// Operations a second.
pub(crate) struct Floor {
    pub(crate) import: f64,
    pub(crate) read: f64,
    pub(crate) create: f64,
}

fn commit(record: RecordId, stream: Stream, expect: Expect, bodies: Vec<(&str, Bytes)>) -> Commit {
    let actor = Actor::System { client: "bench".into(), organisation: "Bench".into() };
    let write = |(kind, body): (&str, Bytes)| Write {
        number: None,
        kind: Kind::new(kind).unwrap(),
        labels: Labels::GENERAL,
        source: None,
        body: Some(body),
    };
    let writes = bodies.into_iter().map(write).collect();
    Commit {
        author: Author { actor, purpose: Purpose::DirectCare, source: Some("bench".into()) },
        idempotency: None,
        parts: vec![Part::new(record, stream, expect, writes)],
    }
}

/// Measures all three on a fresh SQLite store.
pub(crate) async fn measure(bundles: &[Vec<u8>], time: Duration) -> Floor {
    let scratch = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/bench");
    std::fs::create_dir_all(&scratch).unwrap();
    let folder = tempfile::tempdir_in(scratch).unwrap();
    let store = Arc::new(SqliteStore::open(&folder.path().join("floor.db")).unwrap());
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(Timestamp::from_micros(1_795_426_200_000_000)));
    let roots = RootKeys::only(RootKey::from_bytes([7; 32]));
    let engine = Engine::new(store, roots, clock, Arc::new(SystemRandom), EngineConfig::default());
    let tenant = engine.create_tenant(TenantId(1), "Bench").await.unwrap();
    let split: Vec<Vec<Bytes>> = bundles.iter().map(|bundle| bodies(bundle)).collect();
    let count: usize = split.iter().map(Vec::len).sum();
    let start = Instant::now();
    let mut records = Vec::new();
    for bodies in split {
        let record = tenant.new_record_id();
        let bodies = bodies.into_iter().map(|body| ("fhir/Observation", body)).collect();
        tenant.commit(commit(record, Stream::Care, Expect::New, bodies)).await.unwrap();
        records.push(record);
    }
    let import = count as f64 / start.elapsed().as_secs_f64();
    let read = clients(&tenant, &records, time, true).await;
    let create = clients(&tenant, &records, time, false).await;
    Floor { import, read, create }
}

/// 64 tasks that read, or create, for a while.
async fn clients(tenant: &Tenant, records: &[RecordId], time: Duration, read: bool) -> f64 {
    let start = Instant::now();
    let mut tasks = Vec::new();
    for task in 0..64 {
        let (tenant, records) = (tenant.clone(), records.to_vec());
        tasks.push(tokio::spawn(async move {
            let mut done = 0;
            while start.elapsed() < time {
                let record = records[(task + done) % records.len()];
                if read {
                    let open = tenant.open(record).await.unwrap().unwrap();
                    let entries: Vec<_> = open.entries().collect();
                    open.body(&entries[crate::scattered(done) % entries.len()]).await.unwrap();
                    let line =
                        vec![("access", Bytes::from_static(br#"{"action":"read-record","what":[["results",1]]}"#))];
                    tenant.commit(commit(record, Stream::Access, Expect::Any, line)).await.unwrap();
                } else {
                    let body = vec![("fhir/Observation", Bytes::from(crate::reading("x", done)))];
                    tenant.commit(commit(record, Stream::Care, Expect::Any, body)).await.unwrap();
                }
                done += 1;
            }
            done
        }));
    }
    let mut done = 0;
    for task in tasks {
        done += task.await.unwrap();
    }
    done as f64 / start.elapsed().as_secs_f64()
}

fn bodies(bundle: &[u8]) -> Vec<Bytes> {
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
    let bundle: Bundle<'_> = serde_json::from_slice(bundle).unwrap();
    bundle.entry.iter().map(|entry| Bytes::copy_from_slice(entry.resource.get().as_bytes())).collect()
}
