//! A disk that is full, and one that may only be read. Both are real: a small file system in memory, which takes root.

use std::path::{Path, PathBuf};
use std::process::Command;

use keepwell_record::{Expect, RecordError, SideTable, Tenant};

use super::truth::open;
use crate::fixture::{bodies, commit, create, put};
use crate::pg_database::skipped;

/// A file system of its own, which goes when this is dropped.
struct Disk {
    folder: tempfile::TempDir,
}

impl Disk {
    /// `None`, after a line that says so, where mounting is not allowed.
    fn mount(megabytes: u32) -> Option<Self> {
        let disk = Self { folder: tempfile::tempdir().unwrap() };
        let size = format!("size={megabytes}m");
        let mounted = run(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "keepwell-test"]).arg(disk.path()));
        if mounted {
            return Some(disk);
        }
        skipped("mounting a file system takes root");
        None
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn file(&self) -> PathBuf {
        self.path().join("keepwell.db")
    }

    fn remount(&self, how: &str) {
        let options = format!("remount,{how}");
        assert!(run(Command::new("mount").args(["-o", &options]).arg(self.path())), "remounting {how}");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        run(Command::new("umount").args(["-l"]).arg(self.path()));
    }
}

fn run(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// Commits until the disk is full; answers what was acknowledged.
async fn fill(tenant: &Tenant) -> Vec<String> {
    let (record, _) = create(tenant, &[]).await;
    let mut acknowledged = Vec::new();
    for n in 0..10_000u64 {
        // Not compressible, so that the disk is full soon.
        let random = keepwell_model::SeededRandom::new(n);
        let body: String = (0..2_000).map(|_| format!("{:016x}", random.next())).collect();
        match tenant.commit(commit(record, Expect::Any, vec![put(&body)])).await {
            Ok(_) => acknowledged.push(body),
            Err(RecordError::Full) => {
                assert_eq!(bodies(tenant, record).await, acknowledged, "what is there can still be read");
                return acknowledged;
            }
            Err(error) => panic!("a full disk is called: {error}"),
        }
    }
    panic!("the disk is never full");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_named_loses_nothing_and_is_over_when_there_is_space_again() {
    let Some(disk) = Disk::mount(4) else { return };
    let (engine, tenant) = open(&disk.file()).await.unwrap();
    let ballast = disk.path().join("ballast");
    std::fs::write(&ballast, vec![1; 1 << 20]).unwrap();
    let (record, _) = create(&tenant, &["before"]).await;
    let acknowledged = fill(&tenant).await;
    assert!(acknowledged.len() > 10);
    let large = "x".repeat(60_000);
    let side = tenant.side_put(SideTable::Job, b"job", large.as_bytes(), None).await;
    assert!(matches!(side, Err(RecordError::Full)), "{side:?}");
    assert_eq!(bodies(&tenant, record).await, ["before"]);
    std::fs::remove_file(&ballast).unwrap();
    tenant.commit(commit(record, Expect::Any, vec![put("after")])).await.unwrap();
    assert_eq!(bodies(&tenant, record).await, ["before", "after"]);
    drop((engine, tenant));
    // Closing it moves the log into the database file, which takes as much space again while it lasts.
    disk.remount("size=16m");
    let (_engine, tenant) = reopen(&disk.file()).await;
    tenant.extend_log().await.unwrap();
    assert_eq!(tenant.verify(&mut |_| {}).await.unwrap().faults, Vec::<String>::new());
    let mut found = Vec::new();
    for record in tenant.records(None, 10).await.unwrap() {
        found.extend(bodies(&tenant, record).await);
    }
    assert!(acknowledged.iter().all(|body| found.contains(body)));
    assert_eq!(found.len(), acknowledged.len() + 2, "what was refused is not there");
}

/// Background work may hold the store for a moment longer.
async fn reopen(file: &Path) -> (keepwell_record::Engine, Tenant) {
    for _ in 0..500 {
        match open(file).await {
            Err(RecordError::InUse(_)) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
            other => return other.unwrap(),
        }
    }
    panic!("the store was never closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_was_full_when_it_was_closed_opens_and_reads_on_a_disk_that_still_is() {
    let Some(disk) = Disk::mount(4) else { return };
    let (engine, tenant) = open(&disk.file()).await.unwrap();
    let acknowledged = fill(&tenant).await;
    drop((engine, tenant));
    let (_engine, tenant) = reopen(&disk.file()).await;
    let record = tenant.records(None, 1).await.unwrap()[0];
    assert_eq!(bodies(&tenant, record).await, acknowledged);
    disk.remount("size=16m");
    tenant.commit(commit(record, Expect::Any, vec![put("after")])).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_may_only_be_read_is_named_and_nothing_on_it_changes() {
    let Some(disk) = Disk::mount(8) else { return };
    let (engine, tenant) = open(&disk.file()).await.unwrap();
    let (record, _) = create(&tenant, &["one"]).await;
    drop((engine, tenant));
    let closed = reopen(&disk.file()).await;
    drop(closed);
    drop(keepwell_record::SqliteStore::open(&disk.file()).unwrap());
    let before = std::fs::read(disk.file()).unwrap();
    disk.remount("ro");
    let refused = open(&disk.file()).await.map(drop);
    assert!(matches!(refused, Err(RecordError::ReadOnly)), "{refused:?}");
    disk.remount("rw");
    assert_eq!(std::fs::read(disk.file()).unwrap(), before);
    let (_engine, tenant) = reopen(&disk.file()).await;
    assert_eq!(bodies(&tenant, record).await, ["one"]);
}
