//! Damage to SQLite's write-ahead log while it still holds acknowledged commits. SQLite itself takes the first frame that
//! does not fit for the end of the log and says nothing.

use std::path::Path;

use keepwell_model::SeededRandom;
use keepwell_record::RecordError;

use super::truth::{Truth, open};

/// The files of a store as a kill leaves them: nothing was moved out of the log.
struct Killed {
    _folder: tempfile::TempDir,
    files: Vec<(&'static str, Vec<u8>)>,
    truth: Truth,
}

const LOG: &str = "keepwell.db-wal";

fn build() -> Killed {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keepwell.db");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (files, truth) = runtime.block_on(async {
        let (engine, tenant) = open(&file).await.unwrap();
        let truth = Truth::write(&tenant).await;
        // Moves what is there into the database; what comes now stays in the log.
        assert_eq!(engine.store().check().await.unwrap(), Vec::<String>::new());
        let truth = truth.and_more(&tenant).await;
        let read = |name| (name, std::fs::read(folder.path().join(name)).unwrap());
        (["keepwell.db", LOG, "keepwell.db.sums"].map(read).to_vec(), truth)
    });
    Killed { _folder: folder, files, truth }
}

impl Killed {
    fn put(&self, folder: &Path) {
        std::fs::remove_file(folder.join("keepwell.db-shm")).ok();
        for (name, content) in &self.files {
            std::fs::write(folder.join(name), content).unwrap();
        }
    }

    fn log(&self) -> Vec<u8> {
        self.files.iter().find(|(name, _)| *name == LOG).unwrap().1.clone()
    }

    /// Opens what is in the folder: either it is refused as damaged, or everything is there.
    fn refused_or_whole(&self, folder: &Path, what: &str) -> bool {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            match open(&folder.join("keepwell.db")).await {
                Err(RecordError::DamagedStore { .. }) => true,
                Err(error) => panic!("{what}: {error}"),
                Ok((_engine, tenant)) => {
                    let found = self.truth.compare(&tenant).await;
                    assert!(found.all_is_well(), "{what}: {found:?}");
                    false
                }
            }
        })
    }
}

#[test]
fn a_flipped_bit_in_the_log_never_loses_an_acknowledged_commit_in_silence() {
    let killed = build();
    let folder = tempfile::tempdir().unwrap();
    killed.put(folder.path());
    assert!(!killed.refused_or_whole(folder.path(), "untouched"), "a kill alone loses nothing");
    let count = super::flips() / 10;
    let mut refused = 0;
    for n in 0..count {
        let random = SeededRandom::new(n ^ 0x10f);
        let mut log = killed.log();
        let at = usize::try_from(random.below(log.len() as u64)).unwrap();
        log[at] ^= 1 << random.below(8);
        killed.put(folder.path());
        std::fs::write(folder.path().join(LOG), log).unwrap();
        refused += u64::from(killed.refused_or_whole(folder.path(), &format!("byte {at}")));
    }
    assert!(refused > count / 4, "most of the log is in use, so most flips matter: {refused} of {count}");
}

#[test]
fn a_log_that_is_cut_or_gone_is_refused_until_the_operator_says_otherwise() {
    let killed = build();
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join(LOG);
    for keep in [0, 20, 32, 5_000, killed.log().len() / 4] {
        killed.put(folder.path());
        std::fs::write(&log, &killed.log()[..keep]).unwrap();
        assert!(killed.refused_or_whole(folder.path(), "cut"), "cut to {keep} bytes");
        let untouched = std::fs::read(&log).unwrap();
        assert_eq!(untouched, killed.log()[..keep], "nothing is thrown away by refusing");
    }
    killed.put(folder.path());
    std::fs::remove_file(&log).unwrap();
    assert!(killed.refused_or_whole(folder.path(), "gone"));
    std::fs::remove_file(folder.path().join("keepwell.db.sums")).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (_engine, tenant) = open(&folder.path().join("keepwell.db")).await.unwrap();
        let found = killed.truth.compare(&tenant).await;
        assert!(!found.absent.is_empty() && found.wrong.is_empty(), "what was in the log is lost, the rest is there");
    });
}

#[test]
fn damage_in_a_page_that_is_written_again_is_still_reported() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keepwell.db");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let truth = runtime.block_on(async {
        let (_engine, tenant) = open(&file).await.unwrap();
        Truth::write(&tenant).await
    });
    drop(runtime);
    // The unused middle of the page that holds the tenant's row, which every extension of the log writes again.
    let mut database = std::fs::read(&file).unwrap();
    let page = {
        let connection = rusqlite::Connection::open(&file).unwrap();
        let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'tenant'";
        connection.query_row(root, [], |row| row.get::<_, usize>(0)).unwrap()
    };
    database[(page - 1) * 4096 + 1_000] ^= 2;
    std::fs::write(&file, database).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (_engine, tenant) = open(&file).await.unwrap();
        let _truth = truth.and_more(&tenant).await;
        tenant.extend_log().await.unwrap();
    });
    drop(runtime);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (engine, _) = open(&file).await.unwrap();
        let lines = engine.store().check().await.unwrap();
        assert!(lines.iter().any(|line| line.contains(&format!("page {page} "))), "{lines:?}");
    });
}
