//! A clock that steps back, and memory that is short.

use std::sync::Arc;

use keepwell_model::{Seq, Stream};
use keepwell_record::{EngineConfig, Expect, SideTable};

use crate::fixture::{Fixture, Place, bodies, commit, create, put};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_steps_back_loses_nothing_and_changes_no_order() {
    let fixture = Fixture::new(Place::sqlite()).await;
    let tenant = &fixture.tenant;
    let (record, first) = create(tenant, &["0"]).await;
    let mut expected = vec!["0".to_owned()];
    for (n, step) in [-3_600, 5, -86_400 * 400, 7_200, -1, 86_400 * 900].into_iter().enumerate() {
        fixture.clock.advance(step);
        let body = (n + 1).to_string();
        let mut keyed = commit(record, Expect::Any, vec![put(&body)]);
        keyed.idempotency = Some(keepwell_record::IdempotencyKey::of(body.as_bytes()));
        let done = tenant.commit(keyed.clone()).await.unwrap();
        assert_eq!(done.parts[0].time, tenant.now(), "a block says what the clock said");
        let again = tenant.commit(keyed).await.unwrap();
        assert!(again.repeated);
        assert_eq!(again.parts, done.parts);
        tenant.extend_log().await.unwrap();
        expected.push(body);
    }
    let blocks = tenant.blocks(record, Stream::Care, Seq(1), 100).await.unwrap();
    assert!(blocks.iter().any(|block| block.time < first.parts[0].time));
    assert_eq!(bodies(tenant, record).await, expected);
    let open = tenant.open_at(record, Stream::Care, Seq(3)).await.unwrap().unwrap();
    assert_eq!(open.entries().count(), 3);
    drop(open);
    let fixture = fixture.restart().await;
    assert_eq!(bodies(&fixture.tenant, record).await, expected);
    assert_eq!(fixture.tenant.verify(&mut |_| {}).await.unwrap().faults, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_steps_back_gives_no_session_a_longer_life_than_its_row_says() {
    let fixture = Fixture::new(Place::sqlite()).await;
    let tenant = &fixture.tenant;
    let ends = tenant.now().plus_seconds(600);
    tenant.side_put(SideTable::Session, b"one", b"somebody", Some(ends)).await.unwrap();
    fixture.clock.advance(-3_600);
    assert_eq!(tenant.side_get(SideTable::Session, b"one").await.unwrap().unwrap(), b"somebody");
    assert_eq!(tenant.purge().await.unwrap(), 0);
    fixture.clock.advance(3_600 + 600);
    assert_eq!(tenant.side_get(SideTable::Session, b"one").await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cache_of_one_megabyte_serves_forty_times_as_much_and_stays_small() {
    let limit = 1 << 20;
    let fixture = Fixture::with(Place::sqlite(), EngineConfig { cache_bytes: limit, ..EngineConfig::default() }).await;
    let size = 100_000;
    let mut records = Vec::new();
    for n in 0..40u8 {
        let body = char::from(b'a' + n % 26).to_string().repeat(size);
        records.push(create(&fixture.tenant, &[body.as_str(); 10]).await.0);
    }
    let (fixture, records) = (Arc::new(fixture), Arc::new(records));
    let mut tasks = Vec::new();
    for task in 0..4usize {
        let (fixture, records) = (Arc::clone(&fixture), Arc::clone(&records));
        tasks.push(tokio::spawn(async move {
            for i in 0..30 {
                let at = (task * 11 + i * 7) % records.len();
                if i % 10 == task {
                    let more = put(&format!("{task} {i}"));
                    fixture.tenant.commit(commit(records[at], Expect::Any, vec![more])).await.unwrap();
                }
                let found = bodies(&fixture.tenant, records[at]).await;
                let letter = b'a' + u8::try_from(at % 26).unwrap();
                assert!(found[..10].iter().all(|body| body.len() == size && body.as_bytes()[0] == letter));
                // What is open for one reader may be over the limit for as long as it is being read.
                let stats = fixture.tenant.cache_stats();
                assert!(stats.bytes <= limit + 10 * (size + 1_000), "{stats:?}");
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let stats = fixture.tenant.cache_stats();
    assert!(stats.misses > 40, "{stats:?}");
    for record in records.iter() {
        drop(fixture.tenant.open(*record).await.unwrap());
    }
    assert!(fixture.tenant.cache_stats().bytes <= limit, "{:?}", fixture.tenant.cache_stats());
}
