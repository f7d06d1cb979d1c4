//! The rounds on PostgreSQL: here the server is killed, and this process has to live through it. On a primary with a
//! synchronous standby the primary dies for good and the standby takes its place.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use keepwell_model::{ManualClock, SeededRandom, TenantId, Timestamp};
use keepwell_record::{Engine, EngineConfig, PostgresOptions, PostgresStore, RecordError, RootKey, RootKeys, Tenant};

use super::Report;
use super::pg_cluster::PgCluster;
use super::truth::Truth;
use super::workload::{Line, Workload};

/// PostgreSQL's programs: where the tests are told to look, or the newest that Debian has.
pub(crate) fn programs() -> Option<PathBuf> {
    PgCluster::programs().or_else(|| {
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
        let version = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
        let newest = versions.map(|entry| entry.path()).max_by_key(version)?.join("bin");
        newest.join("postgres").exists().then_some(newest)
    })
}

struct Rounds {
    seed: u64,
    random: SeededRandom,
    truth: Truth,
    kills: u64,
}

async fn open(cluster: &PgCluster, seed: u64, round: u64) -> Result<Tenant, RecordError> {
    let options = PostgresOptions { connections: 8, ..PostgresOptions::default() };
    let store = Arc::new(PostgresStore::connect(&cluster.url("postgres"), options).await?);
    let root = RootKeys::only(RootKey::random(&SeededRandom::new(seed)));
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(1_795_426_200_000_000 + round.cast_signed() * 1_000)));
    let random = Arc::new(SeededRandom::new(seed.wrapping_mul(0x9e37_79b9).wrapping_add(round << 20)));
    let config = EngineConfig { snapshot_after: 8, ..EngineConfig::default() };
    let engine = Engine::new(store, root, clock, random, config);
    match engine.tenant(TenantId(1)).await {
        Err(RecordError::NoSuchTenant(_)) => engine.create_tenant(TenantId(1), "Leeds").await,
        other => other,
    }
}

/// A workload that is under way.
struct Running {
    lines: Arc<Mutex<Vec<Line>>>,
    acknowledged: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    fn start(tenant: Tenant, round: u64, seed: u64) -> Self {
        let (lines, acknowledged) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicU64::new(0)));
        let sink = {
            let (lines, acknowledged) = (Arc::clone(&lines), Arc::clone(&acknowledged));
            Arc::new(move |line: Line| {
                acknowledged.fetch_add(u64::from(matches!(line, Line::Done(..))), Ordering::Relaxed);
                lines.lock().expect("no panic while held").push(line);
            })
        };
        let stop = Arc::new(AtomicBool::new(false));
        let workload = Workload { tenant, sink, stop: Arc::clone(&stop), round, seed, patient: true };
        Self { lines, acknowledged, stop, task: tokio::spawn(workload.run()) }
    }

    /// Waits for some more acknowledgements.
    async fn goes_on(&self) -> Result<(), String> {
        let enough = self.acknowledged.load(Ordering::Relaxed) + 12;
        for _ in 0..3_000 {
            if self.acknowledged.load(Ordering::Relaxed) >= enough {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err("half a minute after the server came back, nothing is acknowledged".into())
    }

    async fn end(self) -> Vec<Line> {
        self.stop.store(true, Ordering::Relaxed);
        drop(self.task.await);
        std::mem::take(&mut self.lines.lock().expect("no panic while held"))
    }
}

impl Rounds {
    fn new(seed: u64) -> Self {
        Self { seed, random: SeededRandom::new(seed ^ 0x9057), truth: Truth::default(), kills: 0 }
    }

    async fn pause(&self) {
        tokio::time::sleep(Duration::from_micros(20_000 + self.random.below(150_000))).await;
    }

    async fn compare(&mut self, cluster: &PgCluster, lines: Vec<Line>, all: bool) -> Result<(), String> {
        lines.into_iter().for_each(|line| self.truth.hear(line));
        let compared = async {
            let tenant = open(cluster, self.seed, self.kills * 2 + 1).await?;
            let retry = self.truth.to_retry(6);
            self.truth.check(&tenant).await?;
            self.truth.retry(&tenant, retry).await?;
            if all { self.truth.check_all(&tenant).await } else { Ok(()) }
        };
        compared.await.map_err(|error| format!("after kill {}: {error}", self.kills))
    }

    /// The same server is killed and started again.
    async fn same_server(&mut self, kills: u64) -> Result<(), String> {
        let cluster = PgCluster::create(&programs().expect("it was found before"))?;
        while self.kills < kills && self.truth.wrong.is_empty() {
            let tenant = open(&cluster, self.seed, self.kills * 2).await.map_err(|error| error.to_string())?;
            let running = Running::start(tenant, self.kills + 1, self.seed);
            // Twice for each workload: it must go on by itself after the first.
            for _ in 0..2 {
                running.goes_on().await?;
                self.pause().await;
                self.kills += 1;
                if self.random.below(2) == 0 {
                    cluster.crash()?
                } else {
                    kill_postmaster(&cluster)?
                }
                start_again(&cluster).await?;
            }
            running.goes_on().await?;
            let lines = running.end().await;
            self.compare(&cluster, lines, self.kills >= kills).await?;
        }
        Ok(())
    }

    /// The primary is lost for good; its standby is promoted and gets a standby of its own.
    async fn standby(&mut self, kills: u64) -> Result<(), String> {
        let mut primary = PgCluster::create(&programs().expect("it was found before"))?;
        open(&primary, self.seed, 0).await.map_err(|error| error.to_string())?;
        while self.kills < kills && self.truth.wrong.is_empty() {
            let standby = primary.synchronous_standby()?;
            let tenant = open(&primary, self.seed, self.kills * 2).await.map_err(|error| error.to_string())?;
            let running = Running::start(tenant, self.kills + 1, self.seed);
            running.goes_on().await?;
            self.pause().await;
            self.kills += 1;
            if self.random.below(2) == 0 {
                primary.crash()?
            } else {
                kill_postmaster(&primary)?
            }
            let lines = running.end().await;
            standby.promote()?;
            primary = standby;
            self.compare(&primary, lines, self.kills >= kills).await?;
        }
        Ok(())
    }
}

/// SIGKILL to the first process of the server; the others end when they notice.
fn kill_postmaster(cluster: &PgCluster) -> Result<(), String> {
    let file = cluster.data().join("postmaster.pid");
    let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let pid = text.lines().next().unwrap_or_default().trim().to_owned();
    let killed = Command::new("kill").args(["-9", &pid]).status().is_ok_and(|status| status.success());
    if killed { Ok(()) } else { Err(format!("the server's process {pid} could not be killed")) }
}

/// Starts the server; its last processes may hold on to its memory for a moment.
async fn start_again(cluster: &PgCluster) -> Result<(), String> {
    let mut outcome = Ok(());
    for _ in 0..50 {
        outcome = tokio::task::block_in_place(|| cluster.start());
        if outcome.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    outcome
}

/// Runs the rounds on one server, or on a primary and its standby.
pub(crate) fn run(kills: u64, seed: u64, with_standby: bool) -> Report {
    let runtime = super::sqlite_rounds::runtime();
    let mut rounds = Rounds::new(seed);
    let outcome = runtime
        .block_on(async { if with_standby { rounds.standby(kills).await } else { rounds.same_server(kills).await } });
    rounds.truth.wrong.extend(outcome.err());
    Report {
        store: if with_standby { "standby" } else { "postgres" },
        kills: rounds.kills,
        acknowledged: rounds.truth.acknowledged,
        wrong: rounds.truth.wrong,
    }
}
