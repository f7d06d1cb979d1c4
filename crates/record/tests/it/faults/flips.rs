//! One bit of the database file is flipped, then everything is read.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use keepwell_model::SeededRandom;

use super::truth::{Found, Truth, open};

/// A store that was closed properly, with the truth about it.
struct Closed {
    _folder: tempfile::TempDir,
    database: Vec<u8>,
    sums: Vec<u8>,
    truth: Truth,
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn build() -> Closed {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keepwell.db");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let truth = runtime.block_on(async {
        let (_engine, tenant) = open(&file).await.unwrap();
        let truth = Truth::write(&tenant).await;
        tenant.extend_log().await.unwrap();
        truth
    });
    drop(runtime);
    assert!(!beside(&file, "-wal").exists() || std::fs::metadata(beside(&file, "-wal")).unwrap().len() == 0);
    let (database, sums) = (std::fs::read(&file).unwrap(), std::fs::read(beside(&file, ".sums")).unwrap());
    Closed { _folder: folder, database, sums, truth }
}

/// What became of one flip.
struct Seen {
    found: Found,
    /// What opening or a check said.
    detected: Vec<String>,
}

impl Closed {
    /// Puts the store into a folder, flips, opens, reads, checks.
    fn flip(&self, folder: &Path, at: usize, bit: u8) -> Seen {
        let file = folder.join("keepwell.db");
        let mut database = self.database.clone();
        database[at] ^= 1 << bit;
        std::fs::write(&file, database).unwrap();
        std::fs::write(beside(&file, ".sums"), &self.sums).unwrap();
        for ending in ["-wal", "-shm"] {
            std::fs::remove_file(beside(&file, ending)).ok();
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (engine, tenant) = match open(&file).await {
                Ok(opened) => opened,
                Err(error) => return Seen { found: Found::default(), detected: vec![error.to_string()] },
            };
            let mut found = self.truth.compare(&tenant).await;
            let mut detected = match engine.store().check().await {
                Ok(lines) => lines,
                Err(error) => vec![error.to_string()],
            };
            if detected.is_empty() {
                detected = match tenant.verify(&mut |_| {}).await {
                    Ok(verified) => verified.faults,
                    Err(error) => vec![error.to_string()],
                };
            }
            self.truth.repeat(&tenant, &mut found).await;
            Seen { found, detected }
        })
    }
}

#[test]
fn a_flipped_bit_anywhere_in_the_database_is_detected_and_never_read_as_content() {
    let closed = Arc::new(build());
    let (next, count) = (Arc::new(AtomicU64::new(0)), super::flips());
    let work = |_| {
        let (closed, next) = (Arc::clone(&closed), Arc::clone(&next));
        std::thread::spawn(move || {
            let folder = tempfile::tempdir().unwrap();
            let mut faults = Vec::new();
            let mut refused = 0u64;
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= count {
                    return (faults, refused);
                }
                let random = SeededRandom::new(n ^ 0xf11b);
                let at = usize::try_from(random.below(closed.database.len() as u64)).unwrap();
                let bit = u8::try_from(random.below(8)).unwrap();
                let seen = closed.flip(folder.path(), at, bit);
                refused += u64::from(!seen.found.errors.is_empty());
                if !seen.found.wrong.is_empty() {
                    faults.push(format!("bit {bit} of byte {at}: wrong content: {:?}", seen.found.wrong));
                }
                if seen.detected.is_empty() {
                    faults.push(format!("bit {bit} of byte {at}: not detected; {:?}", seen.found));
                }
            }
        })
    };
    let threads: Vec<_> = (0..2).map(work).collect();
    let (mut faults, mut refused) = (Vec::new(), 0);
    for thread in threads {
        let (of_thread, refused_of_thread) = thread.join().unwrap();
        faults.extend(of_thread);
        refused += refused_of_thread;
    }
    assert!(faults.is_empty(), "{} faults: {:#?}", faults.len(), &faults[..faults.len().min(10)]);
    assert!(refused > count / 20, "only {refused} of {count} flips were noticed by reading, so little was read");
}

#[test]
fn a_whole_store_is_read_back_and_no_fault_is_found() {
    let closed = build();
    let folder = tempfile::tempdir().unwrap();
    // Flipped twice is not flipped.
    let mut untouched = Closed { database: closed.database.clone(), ..closed };
    untouched.database[100] ^= 1;
    let seen = untouched.flip(folder.path(), 100, 0);
    assert!(seen.found.all_is_well(), "{:?}", seen.found);
    assert_eq!(seen.detected, Vec::<String>::new());
}

#[test]
fn a_flipped_bit_in_a_wrapped_key_closes_its_record_and_no_other() {
    let closed = build();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keepwell.db");
    std::fs::write(&file, &closed.database).unwrap();
    let wrapped: Vec<Vec<u8>> = {
        let connection = rusqlite::Connection::open(&file).unwrap();
        let mut statement = connection.prepare("SELECT wrapped FROM record WHERE NOT erased").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    for (n, key) in wrapped.iter().enumerate() {
        let start = closed.database.windows(key.len()).position(|window| window == key).unwrap();
        let seen = closed.flip(folder.path(), start + n * 3, u8::try_from(n % 8).unwrap());
        assert!(seen.found.wrong.is_empty() && seen.found.absent.is_empty(), "{:?}", seen.found);
        assert!(!seen.detected.is_empty());
        // Looking the record up, reading it, who looked at it and repeating its commit; the directory is not read here.
        assert!(seen.found.errors.len() <= 4, "{:?}", seen.found.errors);
        assert!(seen.found.errors.iter().all(|error| error.contains("damaged")), "{:?}", seen.found.errors);
    }
}
