//! Backups: from either kind of store into either.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use keepwell_model::{RecordId, SeededRandom};
use keepwell_record::{Engine, Expect, RecordError, SideTable, Tenant};

use crate::fixture::{Fixture, Place, bodies, commit, create, put};

/// Something of everything that a store can hold.
async fn fill(tenant: &Tenant) -> RecordId {
    let (record, _) = create(tenant, &["one", &"large ".repeat(50_000)]).await;
    for i in 0..40 {
        tenant.commit(commit(record, Expect::Any, vec![put(&i.to_string())])).await.unwrap();
    }
    drop(tenant.open(record).await.unwrap());
    tenant.fold(record).await.unwrap();
    let mut with_key = commit(record, Expect::Any, vec![put("once")]);
    with_key.idempotency = Some(keepwell_record::IdempotencyKey::of(b"form 1"));
    let alias =
        keepwell_record::Alias { system: "https://fhir.nhs.uk/Id/nhs-number".into(), value: "9000000009".into() };
    with_key.parts[0].attach.push(alias);
    tenant.commit(with_key).await.unwrap();
    let (gone, _) = create(tenant, &["gone"]).await;
    let (merged, _) = create(tenant, &["merged"]).await;
    tenant.erase(gone, "case 1").await.unwrap();
    tenant.extend_log().await.unwrap();
    tenant.merge(record, merged, crate::fixture::author()).await.unwrap();
    tenant.side_put(SideTable::Task, b"k", b"v", None).await.unwrap();
    record
}

/// The rows of an archive; their order within a table means nothing.
fn rows(archive: &Path) -> BTreeSet<Vec<u8>> {
    let bytes = std::fs::read(archive).unwrap();
    let mut rest = &bytes[21..];
    let mut rows = BTreeSet::new();
    while rest[0] != 0 {
        let len = u32::from_be_bytes(rest[1..5].try_into().unwrap()) as usize;
        let (row, after) = rest.split_at(5 + len);
        assert!(rows.insert(row.to_vec()), "a row stands there twice");
        rest = after;
    }
    rows
}

async fn moves(from: Place, to: Place) {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let home = Fixture::new(from).await;
    let record = fill(&home.tenant).await;
    home.engine.store().backup(file("first")).await.unwrap();
    assert!(home.engine.store().backup(file("first")).await.is_err(), "never over another file");
    let refused = home.engine.store().restore(file("first")).await;
    assert!(matches!(refused, Err(RecordError::InUse(_))), "{refused:?}");

    let store = to.open().await.unwrap();
    let whole = std::fs::read(file("first")).unwrap();
    let mut damaged = whole.clone();
    damaged[whole.len() - 40] ^= 1;
    for bytes in [&damaged[..], &whole[..whole.len() - 1]] {
        std::fs::write(file("damaged"), bytes).unwrap();
        let refused = store.restore(file("damaged")).await;
        assert!(matches!(refused, Err(RecordError::DamagedStore { .. })), "{refused:?}");
        assert_eq!(store.stats().await.unwrap().blocks, 0, "nothing of a damaged archive stays");
    }
    store.restore(file("first")).await.unwrap();
    store.backup(file("second")).await.unwrap();
    assert_eq!(rows(&file("first")), rows(&file("second")));

    let random = Arc::new(SeededRandom::new(11));
    let engine = Engine::new(store, home.root.clone(), home.clock.clone(), random, home.config);
    let tenant = engine.tenant(home.tenant.id()).await.unwrap();
    assert_eq!(bodies(&tenant, record).await, bodies(&home.tenant, record).await);
    let found = tenant.verify(&mut |_| {}).await.unwrap();
    assert_eq!(found.faults, Vec::<String>::new());
    assert_eq!((found.aliases, found.side_rows, found.stubs), (1, 1, 1));
    assert!(found.waiting > 0, "the blocks of the merge wait for the log there too");
    tenant.commit(commit(record, Expect::Any, vec![put("afterwards")])).await.unwrap();
    tenant.extend_log().await.unwrap();
    let found = tenant.verify(&mut |_| {}).await.unwrap();
    assert_eq!((found.faults, found.waiting), (Vec::new(), 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_sqlite_is_restored_into_sqlite() {
    moves(Place::sqlite(), Place::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_sqlite_is_restored_into_postgres() {
    if let Some(postgres) = Place::postgres().await {
        moves(Place::sqlite(), postgres).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_postgres_is_restored_into_sqlite() {
    if let Some(postgres) = Place::postgres().await {
        moves(postgres, Place::sqlite()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_postgres_is_restored_into_postgres() {
    if let (Some(from), Some(to)) = (Place::postgres().await, Place::postgres().await) {
        moves(from, to).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_taken_while_others_write_is_of_one_moment() {
    let places = [Some(Place::sqlite()), Place::postgres().await];
    for place in places.into_iter().flatten() {
        let home = Fixture::new(place).await;
        let (record, _) = create(&home.tenant, &["0"]).await;
        let tenant = home.tenant.clone();
        let writing = tokio::spawn(async move {
            for i in 0..200 {
                tenant.commit(commit(record, Expect::Any, vec![put(&i.to_string())])).await.unwrap();
            }
        });
        let folder = tempfile::tempdir().unwrap();
        for i in 0..5 {
            let file = folder.path().join(i.to_string());
            home.engine.store().backup(file.clone()).await.unwrap();
            let copy = Place::sqlite();
            let store = copy.open().await.unwrap();
            store.restore(file).await.unwrap();
            let random = Arc::new(SeededRandom::new(12));
            let engine = Engine::new(store, home.root.clone(), home.clock.clone(), random, home.config);
            let found = engine.tenant(home.tenant.id()).await.unwrap().verify(&mut |_| {}).await.unwrap();
            assert_eq!(found.faults, Vec::<String>::new());
        }
        writing.await.unwrap();
    }
}
