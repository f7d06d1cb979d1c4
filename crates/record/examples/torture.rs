//! `cargo run -p keepwell-record --example torture -- --kills 200`: a process commits as fast as it can and is killed at
//! a random moment, again and again, always on the same store. After each kill everything that was acknowledged must be
//! there, nothing half. See docs/faults.md.

#![expect(clippy::print_stdout, reason = "a command line speaks to its user on standard output")]
#![expect(clippy::disallowed_methods, reason = "a command line reads its arguments and the clock")]

#[path = "../tests/it/pg_cluster.rs"]
mod pg_cluster;
#[path = "support/plan.rs"]
mod plan;
#[path = "support/postgres_rounds.rs"]
mod postgres_rounds;
#[path = "support/sqlite_rounds.rs"]
mod sqlite_rounds;
#[path = "support/truth.rs"]
mod truth;
#[path = "support/workload.rs"]
mod workload;

use std::process::ExitCode;
use std::time::Instant;

/// What the command line asks for.
#[derive(Clone)]
struct Arguments {
    kills: u64,
    seed: u64,
    store: String,
    json: bool,
}

/// How the rounds on one store went.
struct Report {
    store: &'static str,
    kills: u64,
    acknowledged: u64,
    wrong: Vec<String>,
}

const USAGE: &str = "torture [--kills N] [--seed S] [--store sqlite|postgres|standby|all] [--json]";

fn arguments() -> Option<Arguments> {
    let mut found = Arguments { kills: 50, seed: 1, store: "all".into(), json: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--kills" => found.kills = words.next()?.parse().ok()?,
            "--seed" => found.seed = words.next()?.parse().ok()?,
            "--store" => found.store = words.next()?,
            "--json" => found.json = true,
            _ => return None,
        }
    }
    ["sqlite", "postgres", "standby", "all"].contains(&found.store.as_str()).then_some(found)
}

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    if words.next().as_deref() == Some("child") {
        sqlite_rounds::child(&words.collect::<Vec<_>>());
        return ExitCode::SUCCESS;
    }
    let Some(arguments) = arguments() else {
        println!("{USAGE}");
        return ExitCode::from(2);
    };
    let wanted = |store: &str| arguments.store == store || arguments.store == "all";
    let mut reports = Vec::new();
    if wanted("sqlite") {
        reports.push(timed(&arguments, || sqlite_rounds::run(arguments.kills, arguments.seed)));
    }
    // A server takes its time to come back, and a standby to be made.
    let servers = [("postgres", arguments.kills.div_ceil(10)), ("standby", arguments.kills.div_ceil(40))];
    for (store, kills) in servers.into_iter().filter(|(store, _)| wanted(store)) {
        if postgres_rounds::programs().is_some() {
            let with_standby = store == "standby";
            reports.push(timed(&arguments, || postgres_rounds::run(kills, arguments.seed, with_standby)));
        } else {
            println!("skipped: {store}: KEEPWELL_TEST_PG_BIN is to name the folder of PostgreSQL's programs");
            let required = std::env::var_os("KEEPWELL_REQUIRE_ALL").is_some_and(|value| value == "1");
            if required || arguments.store == store {
                reports.push(Report { store, kills: 0, acknowledged: 0, wrong: vec!["there is no PostgreSQL".into()] });
            }
        }
    }
    finish(&arguments, &reports)
}

fn timed(arguments: &Arguments, run: impl FnOnce() -> Report) -> Report {
    let began = Instant::now();
    let report = run();
    if !arguments.json {
        let seconds = began.elapsed().as_secs_f64();
        let rate = report.kills as f64 / seconds.max(0.001);
        println!(
            "{}: {} kills in {seconds:.1} s ({rate:.1} a second), {} acknowledgements, {} faults",
            report.store,
            report.kills,
            report.acknowledged,
            report.wrong.len()
        );
    }
    report
}

fn finish(arguments: &Arguments, reports: &[Report]) -> ExitCode {
    let passed: u64 = reports.iter().filter(|report| report.wrong.is_empty()).map(|report| report.kills).sum();
    let failed: usize = reports.iter().map(|report| report.wrong.len()).sum();
    for report in reports.iter().filter(|report| !report.wrong.is_empty()) {
        for line in report.wrong.iter().take(20) {
            eprintln!("{}: {line}", report.store);
        }
        let (store, kills, seed) = (report.store, arguments.kills, arguments.seed);
        eprintln!(
            "replay: cargo run -p keepwell-record --example torture -- --store {store} --kills {kills} --seed {seed}"
        );
    }
    if arguments.json {
        let stores: Vec<_> = reports
            .iter()
            .map(|r| serde_json::json!({ "store": r.store, "kills": r.kills, "acknowledged": r.acknowledged, "faults": r.wrong }))
            .collect();
        println!(
            "{}",
            serde_json::json!({ "passed": passed, "failed": failed, "seed": arguments.seed, "stores": stores })
        );
    } else {
        println!("torture: {passed} passed, {failed} failed");
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
