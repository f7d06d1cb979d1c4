//! Fuzzing without a fuzzer: mutations of small documents, the same ones each time, go through every door that a
//! stranger's bytes come in by. `cargo xtask test fuzz` runs it; `fuzz/` has the same targets for cargo-fuzz.
//!
//! A target that panics, or takes more than a second for one input, ends the run with that input on the screen, and so
//! does a process that has grown beyond bounds. `-- --seeds FOLDER` writes the documents out, for cargo-fuzz to start from;
//! `-- TARGET SEED` runs one target from another seed; `-- --time TARGET FILE` runs one input.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a tool for tests prints and fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "a tool measures time and reads its arguments")]

mod corpus;
mod targets;
mod world;

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use keepwell_model::SeededRandom;
use targets::{TARGETS, Target};

/// How long one input may take, and how long until it is given up on.
const SLOW: Duration = Duration::from_secs(1);
const STUCK: Duration = Duration::from_secs(10);
/// How many inputs each target gets, and for how long.
const INPUTS: usize = 60_000;
const LONGEST: Duration = Duration::from_secs(4);
/// The longest input.
const MOST_BYTES: usize = 16 << 10;
/// How much memory the process may have used at its height, in KiB.
const MOST_MEMORY: u64 = 512 << 10;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [flag, folder] if flag == "--seeds" => write_seeds(folder),
        [flag, name, file] if flag == "--time" => {
            let (target, input) = (TARGETS.iter().find(|it| it.name == name).unwrap(), std::fs::read(file).unwrap());
            (0..3).for_each(|_| println!("{:?}", timed(*target, &input)));
        }
        [name, seed] => {
            let target = TARGETS.iter().find(|it| it.name == name).unwrap();
            watch(*target, seed.parse().unwrap());
        }
        _ => TARGETS.iter().for_each(|target| watch(*target, 1)),
    }
}

/// Runs a target in a thread of its own and sees that it goes on.
fn watch(target: Target, seed: u64) {
    let (tell, told): (Sender<Vec<u8>>, Receiver<Vec<u8>>) = channel();
    let start = Instant::now();
    let worker = std::thread::spawn(move || run(target, seed, &tell));
    let mut last = Vec::new();
    loop {
        match told.recv_timeout(STUCK) {
            Ok(input) => last = input,
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => fail(target, &last, "does not come to an end"),
        }
    }
    match worker.join() {
        Ok(Ok(count)) => println!("{}: {count} inputs in {:.1} s", target.name, start.elapsed().as_secs_f64()),
        Ok(Err((input, time))) => fail(target, &input, &format!("takes {time:?}")),
        Err(_) => fail(target, &last, "panics"),
    }
    let memory = memory();
    assert!(memory < MOST_MEMORY, "{}: {memory} KiB of memory were used", target.name);
}

fn fail(target: Target, input: &[u8], words: &str) -> ! {
    println!("{} {words}, {} bytes:\n{}", target.name, input.len(), input.escape_ascii());
    std::process::exit(1)
}

type Slow = (Vec<u8>, Duration);

/// All inputs of a target; each is told before it is tried.
fn run(target: Target, seed: u64, tell: &Sender<Vec<u8>>) -> Result<usize, Slow> {
    let random = SeededRandom::new(seed);
    let mut pool: Vec<Vec<u8>> = target.seeds.iter().map(|it| it.as_bytes().to_vec()).collect();
    // Whatever a target makes once is made here, so that it does not count as slow.
    pool.iter().for_each(|it| (target.run)(it));
    let start = Instant::now();
    let mut count = 0;
    while count < INPUTS && start.elapsed() < LONGEST {
        let input = mutated(&pool, target.words, &random);
        tell.send(input.clone()).unwrap();
        let took = timed(target, &input);
        if took > SLOW {
            // On a busy machine once is no proof.
            let again = (0..2).map(|_| timed(target, &input)).min().unwrap_or(took);
            if again > SLOW {
                return Err((input, again));
            }
        }
        // Some inputs are built on, so that faults of several steps are reached.
        if pick(&random, 4) == 0 {
            let at = target.seeds.len() + pick(&random, 64);
            if at < pool.len() { pool[at] = input } else { pool.push(input) }
        }
        count += 1;
    }
    Ok(count)
}

fn timed(target: Target, input: &[u8]) -> Duration {
    let began = Instant::now();
    (target.run)(input);
    began.elapsed()
}

fn pick(random: &SeededRandom, bound: usize) -> usize {
    usize::try_from(random.below(bound.max(1) as u64)).unwrap()
}

/// An input with a few changes.
fn mutated(pool: &[Vec<u8>], words: &[&str], random: &SeededRandom) -> Vec<u8> {
    let mut bytes = pool[pick(random, pool.len())].clone();
    for _ in 0..=pick(random, 5) {
        let at = pick(random, bytes.len() + 1);
        let end = (at + 1 + pick(random, 24)).min(bytes.len());
        match pick(random, 9) {
            0 if at < bytes.len() => bytes[at] ^= 1 << pick(random, 8),
            1 => drop(bytes.drain(at..end.max(at))),
            2 | 3 => splice(&mut bytes, at, at, words[pick(random, words.len())].as_bytes()),
            4 => splice(&mut bytes, at, end.max(at), words[pick(random, words.len())].as_bytes()),
            5 => {
                let part = bytes[at..end.max(at)].to_vec();
                splice(&mut bytes, at, at, &part.repeat(1 + pick(random, 60)));
            }
            6 => {
                let other = &pool[pick(random, pool.len())];
                let from = pick(random, other.len() + 1);
                let part = other[from..(from + pick(random, 200)).min(other.len())].to_vec();
                splice(&mut bytes, at, at, &part);
            }
            7 => bytes.truncate(at),
            _ => splice(&mut bytes, at, end.max(at), pick(random, 3_000).to_string().as_bytes()),
        }
        bytes.truncate(MOST_BYTES);
    }
    bytes
}

fn splice(bytes: &mut Vec<u8>, start: usize, end: usize, with: &[u8]) {
    drop(bytes.splice(start..end, with.iter().copied()));
}

/// The most memory that the process used so far, in KiB; nothing where the system does not tell.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches("kB").trim().parse().unwrap_or(0)
}

/// Writes the documents out, a folder for each target.
fn write_seeds(folder: &str) {
    for target in TARGETS {
        let folder = std::path::Path::new(folder).join(target.name.replace('-', "_"));
        std::fs::create_dir_all(&folder).unwrap();
        for (at, seed) in target.seeds.iter().enumerate() {
            std::fs::write(folder.join(format!("seed{at}")), seed).unwrap();
        }
    }
}
