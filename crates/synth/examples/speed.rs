//! How fast a city is made, on one core: `cargo run --release -p keepwell-synth --example speed [people]`.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measuring program prints, times and takes arguments"
)]

use std::time::Instant;

use jiff::civil::date;
use keepwell_synth::{City, Config};

fn main() {
    let people = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(5_000);
    let city = City::new(Config { seed: 1, people, today: date(2026, 11, 23) });
    let start = Instant::now();
    let (mut bundles, mut bytes, mut resources) = (0_usize, 0_usize, 0_usize);
    for person in city.people() {
        bundles += person.feeds.len();
        bytes += person.feeds.iter().map(|f| f.bundle.len()).sum::<usize>();
        resources += person.feeds.iter().map(|f| f.bundle.matches("\"fullUrl\"").count()).sum::<usize>();
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("{people} people, {bundles} bundles, {resources} resources, {bytes} bytes in {seconds:.2} s");
    println!("{:.0} people a second, {:.0} MB a second", f64::from(people) / seconds, bytes as f64 / seconds / 1e6);
}
