//! The rounds on the embedded store: a child process that is killed, and the look at what it left.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use keepwell_model::{ManualClock, SeededRandom, TenantId, Timestamp};
use keepwell_record::{Engine, EngineConfig, RecordError, RootKey, RootKeys, SqliteStore, Tenant};

use super::Report;
use super::truth::Truth;
use super::workload::{Line, Workload};

/// Stores that are tortured at the same time.
const LANES: u64 = 3;
/// Everything is compared again after so many kills.
const ALL_EVERY: u64 = 40;

async fn open(path: &Path, seed: u64, round: u64) -> Result<Tenant, RecordError> {
    let root = RootKeys::only(RootKey::random(&SeededRandom::new(seed)));
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(1_795_426_200_000_000 + round.cast_signed() * 1_000)));
    let random = Arc::new(SeededRandom::new(seed.wrapping_mul(0x9e37_79b9).wrapping_add(round << 20)));
    let config = EngineConfig { snapshot_after: 8, ..EngineConfig::default() };
    let engine = Engine::new(Arc::new(open_when_free(path).await?), root, clock, random, config);
    match engine.tenant(TenantId(1)).await {
        Err(RecordError::NoSuchTenant(_)) => engine.create_tenant(TenantId(1), "Leeds").await,
        other => other,
    }
}

/// The store, once whoever had it has let go: work in the background (a snapshot of what was read last) may hold it for a
/// moment after its round has ended.
async fn open_when_free(path: &Path) -> Result<SqliteStore, RecordError> {
    for _ in 0..1_000 {
        match SqliteStore::open(path) {
            Err(RecordError::InUse(_)) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
            other => return other,
        }
    }
    SqliteStore::open(path)
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads can be started")
}

/// The process that is killed: `child FILE SEED ROUND`.
pub(crate) fn child(words: &[String]) {
    let [path, seed, round] = words else { panic!("child FILE SEED ROUND") };
    let (seed, round): (u64, u64) = (seed.parse().expect("a number"), round.parse().expect("a number"));
    let sink = Arc::new(|line: Line| {
        let mut text = serde_json::to_string(&line).expect("plain data");
        text.push('\n');
        // One write, so that a line is there whole or is the last one. Without a reader there is nothing to live for.
        if std::io::stdout().lock().write_all(text.as_bytes()).is_err() {
            std::process::exit(3);
        }
    });
    runtime().block_on(async {
        match open(Path::new(path), seed, round * 2).await {
            Ok(tenant) => {
                sink(Line::Ready);
                let stop = Arc::new(AtomicBool::new(false));
                Workload { tenant, sink, stop, round, seed, patient: false }.run().await;
            }
            Err(error) => sink(Line::Wrong(format!("the store does not open after a kill: {error}"))),
        }
    });
}

/// Runs the rounds, on a few stores at once, since most of the time is spent waiting.
pub(crate) fn run(kills: u64, seed: u64) -> Report {
    let lane = |lane: u64| {
        let kills = kills / LANES + u64::from(lane < kills % LANES);
        std::thread::spawn(move || run_lane(kills, seed.wrapping_mul(LANES).wrapping_add(lane)))
    };
    let lanes: Vec<_> = (0..LANES).map(lane).collect();
    let mut whole = Report { store: "sqlite", kills: 0, acknowledged: 0, wrong: Vec::new() };
    for lane in lanes {
        let part = lane.join().expect("a fault is reported, not a panic");
        whole.kills += part.kills;
        whole.acknowledged += part.acknowledged;
        whole.wrong.extend(part.wrong);
    }
    whole
}

fn run_lane(kills: u64, seed: u64) -> Report {
    let folder = tempfile::tempdir().expect("a scratch folder can be made");
    let path = folder.path().join("keepwell.db");
    let random = SeededRandom::new(seed);
    let mut truth = Truth::default();
    let mut done = 0;
    for round in 1..=kills {
        // One in eight is killed while it opens the store, recovering from the kill before.
        let after_ready = (random.below(8) > 0).then(|| Duration::from_micros(random.below(150_000)));
        let while_opening = Duration::from_micros(random.below(25_000));
        let heard = kill_one(&path, seed, round, after_ready, while_opening);
        heard.into_iter().for_each(|line| truth.hear(line));
        runtime().block_on(look(&path, seed, round, &mut truth, round % ALL_EVERY == 0 || round == kills));
        done = round;
        if !truth.wrong.is_empty() {
            break;
        }
    }
    if !truth.wrong.is_empty() {
        let kept = folder.keep();
        truth.wrong.push(format!("the store after kill {done} is in {}", kept.display()));
    }
    Report { store: "sqlite", kills: done, acknowledged: truth.acknowledged, wrong: truth.wrong }
}

/// Starts a child, kills it, and answers what it had said.
fn kill_one(path: &Path, seed: u64, round: u64, after_ready: Option<Duration>, opening: Duration) -> Vec<Line> {
    let program = std::env::current_exe().expect("this program has a path");
    let mut child = Command::new(program)
        .arg("child")
        .arg(path)
        .args([seed.to_string(), round.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program can be started once more");
    let pipe = BufReader::new(child.stdout.take().expect("it was asked for"));
    let (ready, is_ready) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut lines: Vec<Line> = Vec::new();
        for text in pipe.lines().map_while(Result::ok) {
            // The last line may be cut.
            let Ok(line) = serde_json::from_str(&text) else { break };
            lines.push(line);
            ready.send(()).ok();
        }
        lines
    });
    match after_ready {
        Some(delay) => {
            is_ready.recv().ok();
            std::thread::sleep(delay);
        }
        None => std::thread::sleep(opening),
    }
    child.kill().expect("it is ours to kill");
    child.wait().expect("it is ours to wait for");
    reader.join().expect("the reading thread does not panic")
}

/// Opens the store as a restart does and compares.
async fn look(path: &Path, seed: u64, round: u64, truth: &mut Truth, all: bool) {
    let outcome = async {
        let tenant = open(path, seed, round * 2 + 1).await?;
        let retry = truth.to_retry(6);
        truth.check(&tenant).await?;
        truth.retry(&tenant, retry).await?;
        if all {
            truth.check_all(&tenant).await?;
        }
        Ok::<_, RecordError>(())
    };
    if let Err(error) = outcome.await {
        truth.wrong.push(format!("after kill {round}: {error}"));
    }
}
