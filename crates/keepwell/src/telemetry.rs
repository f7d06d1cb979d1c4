//! Logs: to standard error, as text or JSON lines. They carry ids, never health data or NHS numbers.

use tracing_subscriber::EnvFilter;

use crate::system::environment;

/// Starts logging. `KEEPWELL_LOG` sets the filter (`info`, `keepwell_record=debug` …); without it a server tells what it
/// does and a command only what is wrong.
pub(crate) fn start(json: bool, serves: bool) {
    let usual = if serves { "warn,keepwell=info" } else { "warn" };
    let filter = environment("KEEPWELL_LOG").unwrap_or_else(|| usual.into());
    let filter = EnvFilter::try_new(&filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // A second start can only happen in tests; the first one stays.
    drop(if json { builder.json().try_init() } else { builder.try_init() });
}
