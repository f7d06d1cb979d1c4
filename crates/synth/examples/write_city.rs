//! Writes a city to a folder: `cargo run -p keepwell-synth --example write_city OUT [PEOPLE] [SEED]`.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program for the shell takes arguments and prints"
)]

use std::path::PathBuf;

use jiff::civil::date;
use keepwell_synth::{Config, write};

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let out = PathBuf::from(arguments.next().unwrap_or_else(|| "city".to_owned()));
    let mut number = |default: u32| arguments.next().and_then(|n| n.parse().ok()).unwrap_or(default);
    let (people, seed) = (number(50), number(1));
    let config = Config { seed: u64::from(seed), people, today: date(2026, 11, 23) };
    let summary = write(config, &out)?;
    println!("{summary:?}");
    Ok(())
}
