//! `cargo run -p keepwell-record --example simulate -- --seeds 1000`: many clients on a faulty store in memory, in one
//! thread, with every choice taken from a seed. The engine's answers are compared with a plain model; the same seed gives
//! the same run. See docs/faults.md.

#![expect(clippy::print_stdout, reason = "a command line speaks to its user on standard output")]
#![expect(clippy::disallowed_methods, reason = "a command line reads its arguments and the clock")]

#[path = "support/clients.rs"]
mod clients;
#[path = "support/history.rs"]
mod history;
#[path = "support/mem_store.rs"]
mod mem_store;
#[path = "support/mem_tables.rs"]
mod mem_tables;
#[path = "support/plan.rs"]
mod plan;
#[path = "support/simulation.rs"]
mod simulation;
#[path = "support/truth.rs"]
mod truth;
#[expect(dead_code, reason = "the words of its reports are shared, the workload itself is for real stores")]
#[path = "support/workload.rs"]
mod workload;

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use simulation::Outcome;

const USAGE: &str = "simulate [--seeds N] [--first S] [--replay SEED]";
/// One seed in so many is run twice, to see that it does the same.
const TWICE: u64 = 50;

struct Arguments {
    seeds: u64,
    first: u64,
    replay: Option<u64>,
}

fn arguments() -> Option<Arguments> {
    let mut found = Arguments { seeds: 100, first: 1, replay: None };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let number = words.next()?.parse().ok()?;
        match word.as_str() {
            "--seeds" => found.seeds = number,
            "--first" => found.first = number,
            "--replay" => found.replay = Some(number),
            _ => return None,
        }
    }
    Some(found)
}

fn main() -> ExitCode {
    let Some(arguments) = arguments() else {
        println!("{USAGE}");
        return ExitCode::from(2);
    };
    if let Some(seed) = arguments.replay {
        return replay(seed);
    }
    let began = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get() as u64);
    let next = AtomicU64::new(arguments.first);
    let end = arguments.first + arguments.seeds;
    let mut all: Vec<(u64, Outcome)> = std::thread::scope(|scope| {
        let work = || {
            let mut done = Vec::new();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= end {
                    return done;
                }
                done.push((seed, run(seed)));
            }
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a fault is reported, not a panic")).collect()
    });
    all.sort_by_key(|(seed, _)| *seed);
    let failed: Vec<_> = all.iter().filter(|(_, outcome)| !outcome.wrong.is_empty()).collect();
    for (seed, outcome) in failed.iter().take(10) {
        for line in outcome.wrong.iter().take(5) {
            eprintln!("seed {seed}: {line}");
        }
        eprintln!("replay: cargo run -p keepwell-record --example simulate -- --replay {seed}");
    }
    let sum = |count: fn(&Outcome) -> u64| all.iter().map(|(_, outcome)| count(outcome)).sum::<u64>();
    println!(
        "{} seeds in {:.1} s: {} acknowledgements, {} conflicts, {} reads compared, {} crashes",
        all.len(),
        began.elapsed().as_secs_f64(),
        sum(|outcome| outcome.acknowledged),
        sum(|outcome| outcome.conflicts),
        sum(|outcome| outcome.reads),
        sum(|outcome| outcome.crashes),
    );
    println!("simulate: {} passed, {} failed", all.len() - failed.len(), failed.len());
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(seed: u64) -> Outcome {
    let mut outcome = simulation::run(seed, false);
    if seed.is_multiple_of(TWICE) {
        let again = simulation::run(seed, false);
        if again.trace != outcome.trace {
            outcome.wrong.push("the same seed did something else the second time".into());
        }
    }
    outcome
}

fn replay(seed: u64) -> ExitCode {
    let outcome = simulation::run(seed, true);
    outcome.wrong.iter().for_each(|line| println!("wrong: {line}"));
    println!("seed {seed}: trace {:016x}, {} faults", outcome.trace, outcome.wrong.len());
    if outcome.wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
