//! What goes wrong beneath the engine: bits, disks, clocks, memory, connections. docs/faults.md says what is promised.

mod connection;
mod disk;
mod flips;
mod log_flips;
mod pressure;
mod truth;

/// How many random offsets are flipped; `KEEPWELL_FLIPS` says otherwise.
fn flips() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a switch for tests, set by whoever runs them")]
    let wanted = std::env::var("KEEPWELL_FLIPS");
    wanted.ok().and_then(|wanted| wanted.parse().ok()).unwrap_or(2_000)
}
