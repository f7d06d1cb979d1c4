//! Rules of the embedded store alone.

use keepwell_record::{RecordError, SqliteStore};

use crate::fixture::{Fixture, Place, create};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_a_newer_program_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keepwell.db");
    drop(SqliteStore::open(&path).unwrap());
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    drop(std::fs::remove_file(folder.path().join("keepwell.db.sums")));
    for migrate in [true, false] {
        let refused = SqliteStore::open_with(&path, migrate).map(drop).unwrap_err();
        assert!(matches!(refused, RecordError::Migration(_)), "{refused}");
        assert!(refused.to_string().contains("newer keepwell"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_not_keepwells_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch("CREATE TABLE somebody_elses (x)").unwrap();
    drop(connection);
    let refused = SqliteStore::open(&path).map(drop).unwrap_err();
    assert!(refused.to_string().contains("not one of Keepwell's"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn erasing_a_large_record_gives_its_space_back_to_the_file_system() {
    let fixture = Fixture::new(Place::sqlite()).await;
    // Nothing that compresses: a pattern from a counter would.
    let noise = |seed: u64| -> String {
        let random = keepwell_model::SeededRandom::new(seed);
        (0..200_000).map(|_| char::from(b' ' + u8::try_from(random.below(94)).unwrap())).collect()
    };
    let (stays, _) = create(&fixture.tenant, &[&noise(1)]).await;
    let (goes, _) = create(&fixture.tenant, &[&noise(2), &noise(3), &noise(4), &noise(5)]).await;
    let before = fixture.engine.store().stats().await.unwrap().disk_bytes;
    fixture.tenant.erase(goes, "case 3").await.unwrap();
    let after = fixture.engine.store().stats().await.unwrap().disk_bytes;
    assert!(after + 400_000 < before, "{before} before, {after} after");
    assert!(fixture.tenant.open(stays).await.unwrap().is_some());
}
