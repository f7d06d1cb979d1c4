//! What a server does that crashes, is replaced by its standby, or has a damaged disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use keepwell_model::{RecordId, SeededRandom, Seq, Stream};
use keepwell_record::{Engine, Expect, PostgresOptions, PostgresStore, RecordError, Store as _, Tenant};

use crate::fixture::{TENANT, bodies, commit, create, put};
use crate::pg_cluster::PgCluster;
use crate::pg_database::skipped;
use crate::postgres::{keyed, verifies};

const NEEDS_PROGRAMS: &str = "KEEPWELL_TEST_PG_BIN is to name the folder of PostgreSQL's programs";

/// A node on a cluster of the test's own.
async fn node(cluster: &PgCluster, create: bool) -> Result<(Tenant, Arc<PostgresStore>), RecordError> {
    let options = PostgresOptions { connections: 8, ..PostgresOptions::default() };
    let store = Arc::new(PostgresStore::connect(&cluster.url("postgres"), options).await?);
    let root = keepwell_record::RootKeys::only(keepwell_record::RootKey::from_bytes([9; 32]));
    let clock =
        Arc::new(keepwell_model::ManualClock::new(keepwell_model::Timestamp::from_micros(1_795_426_200_000_000)));
    let random = Arc::new(SeededRandom::new(if create { 3 } else { 4 }));
    let engine = Engine::new(store.clone(), root, clock, random, keepwell_record::EngineConfig::default());
    let tenant = if create { engine.create_tenant(TENANT, "Leeds").await? } else { engine.tenant(TENANT).await? };
    Ok((tenant, store))
}

/// How many commits were acknowledged so far, and whether to stop.
#[derive(Default)]
struct Writing {
    acknowledged: AtomicUsize,
    stop: AtomicBool,
}

impl Writing {
    /// Waits until something was acknowledged that was not yet when this was called.
    async fn goes_on(&self) {
        let before = self.acknowledged.load(Ordering::SeqCst);
        let more = async {
            while self.acknowledged.load(Ordering::SeqCst) < before + 10 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), more).await.expect("writing goes on by itself");
    }
}

/// Commits until told to stop; answers what was acknowledged.
fn keep_writing(
    tenant: &Tenant,
    record: RecordId,
    writer: usize,
    writing: &Arc<Writing>,
) -> tokio::task::JoinHandle<Vec<String>> {
    let (tenant, writing) = (tenant.clone(), Arc::clone(writing));
    tokio::spawn(async move {
        let mut acknowledged = Vec::new();
        for i in 0.. {
            if writing.stop.load(Ordering::SeqCst) {
                break;
            }
            let body = format!("{writer} {i}");
            let commit = keyed(body.as_bytes(), commit(record, Expect::Any, vec![put(&body)]));
            match tenant.commit(commit).await {
                Ok(_) => {
                    acknowledged.push(body);
                    writing.acknowledged.fetch_add(1, Ordering::SeqCst);
                }
                Err(RecordError::Unknown | RecordError::Store(_) | RecordError::Conflict { .. }) => {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                Err(error) => panic!("{error}"),
            }
        }
        acknowledged
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_crashes_in_mid_commit_loses_nothing_acknowledged_and_needs_no_restart_here() {
    let Some(bin) = PgCluster::programs() else {
        return skipped(NEEDS_PROGRAMS);
    };
    let cluster = PgCluster::create(&bin).unwrap();
    let (tenant, _) = node(&cluster, true).await.unwrap();
    let mut records = Vec::new();
    for _ in 0..4 {
        records.push(create(&tenant, &[]).await.0);
    }
    let writing = Arc::new(Writing::default());
    let writers: Vec<_> = (0..4).map(|writer| keep_writing(&tenant, records[writer], writer, &writing)).collect();
    for _ in 0..3 {
        writing.goes_on().await;
        tokio::task::block_in_place(|| {
            cluster.crash().unwrap();
            cluster.start().unwrap();
        });
    }
    writing.goes_on().await;
    writing.stop.store(true, Ordering::SeqCst);
    for (writer, record) in writers.into_iter().zip(records) {
        let acknowledged = writer.await.unwrap();
        let found = bodies(&tenant, record).await;
        assert!(!acknowledged.is_empty());
        assert!(acknowledged.iter().all(|body| found.contains(body)), "{acknowledged:?} {found:?}");
        let newest = tenant.head(record, Stream::Care).await.unwrap().unwrap().seq;
        assert_eq!(newest, Seq(found.len() as u64 + 1), "nothing is half there");
    }
    tenant.extend_log().await.unwrap();
    verifies(&tenant).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promoted_standby_has_everything_that_was_acknowledged() {
    let Some(bin) = PgCluster::programs() else {
        return skipped(NEEDS_PROGRAMS);
    };
    let primary = PgCluster::create(&bin).unwrap();
    let (tenant, _) = node(&primary, true).await.unwrap();
    let (record, _) = create(&tenant, &[]).await;
    let standby = primary.synchronous_standby().unwrap();
    let writing = Arc::new(Writing::default());
    let writer = keep_writing(&tenant, record, 0, &writing);
    writing.goes_on().await;

    let (reader, _) = node(&standby, false).await.unwrap();
    let refused = reader.commit(commit(record, Expect::Any, vec![put("x")])).await;
    assert!(matches!(refused, Err(RecordError::ReadOnly)), "{refused:?}");
    writing.goes_on().await;
    tokio::task::block_in_place(|| primary.crash().unwrap());
    writing.stop.store(true, Ordering::SeqCst);
    let acknowledged = writer.await.unwrap();
    tokio::task::block_in_place(|| standby.promote().unwrap());

    let (tenant, _) = node(&standby, false).await.unwrap();
    let found = bodies(&tenant, record).await;
    assert!(acknowledged.iter().all(|body| found.contains(body)), "{acknowledged:?} {found:?}");
    tenant.commit(commit(record, Expect::Any, vec![put("afterwards")])).await.unwrap();
    verifies(&tenant).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_byte_in_a_file_of_the_server_is_reported_and_nothing_wrong_is_read() {
    let Some(bin) = PgCluster::programs() else { return skipped(NEEDS_PROGRAMS) };
    let cluster = PgCluster::create(&bin).unwrap();
    let (tenant, store) = node(&cluster, true).await.unwrap();
    let (record, _) = create(&tenant, &["one"]).await;
    let url = cluster.url("postgres");
    for (relation, index) in [("alias", false), ("record", false), ("log_leaf_pkey", true)] {
        let mut other = commit(record, Expect::Any, vec![put("two")]);
        other.parts[0].attach = vec![keepwell_record::Alias { system: "s".into(), value: relation.into() }];
        tenant.commit(other).await.unwrap();
        tenant.extend_log().await.unwrap();
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        let driver = tokio::spawn(connection);
        client.batch_execute("CHECKPOINT").await.unwrap();
        let path = client.query_one("SELECT pg_relation_filepath($1::text::regclass)", &[&relation]).await.unwrap();
        let path: String = path.get(0);
        drop(client);
        drop(driver.await);
        let whole = tokio::task::block_in_place(|| {
            cluster.crash().unwrap();
            let file = cluster.data().join(&path);
            let whole = std::fs::read(&file).unwrap();
            let mut damaged = whole.clone();
            // In the last page, near its end, where the first row stands; the first page of an index says only where
            // the others are.
            let at = damaged.len() - if index { 30 } else { 20 };
            damaged[at] ^= 4;
            std::fs::write(&file, damaged).unwrap();
            cluster.start().unwrap();
            whole
        });
        let lines = store.check().await.unwrap();
        assert!(lines.iter().any(|line| line.contains("invalid page")), "{relation}: {lines:?}");
        if relation == "record" {
            let refused = tenant.open(record).await;
            assert!(matches!(refused, Err(RecordError::DamagedStore { .. })), "{refused:?}");
        }
        tokio::task::block_in_place(|| {
            cluster.crash().unwrap();
            std::fs::write(cluster.data().join(&path), whole).unwrap();
            cluster.start().unwrap();
        });
    }
}
