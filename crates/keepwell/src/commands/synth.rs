//! `keepwell synth`.

use keepwell_model::Clock as _;
use serde_json::json;

use crate::cli::Synth;
use crate::error::CliError;
use crate::output;
use crate::system::SystemClock;

/// Writes the files of a synthetic city.
pub(super) fn run(json: bool, words: &Synth) -> Result<(), CliError> {
    let today = match &words.today {
        Some(text) => text.parse().map_err(|error| CliError::usage(format!("--today {text}: {error}")))?,
        None => today(),
    };
    let config = keepwell_synth::Config { seed: words.seed, people: words.people, today };
    let summary = keepwell_synth::write(config, &words.out)
        .map_err(|error| CliError::failed(format!("{} cannot be written: {error}", words.out.display())))?;
    output::report(
        json,
        &json!({
            "folder": words.out,
            "people": summary.people,
            "bundles": summary.bundles,
            "messages": summary.messages,
        }),
    );
    Ok(())
}

/// Today by the system's clock, in UTC.
pub(super) fn today() -> jiff::civil::Date {
    let now = jiff::Timestamp::from_microsecond(SystemClock.now().micros()).expect("the clock is within jiff's range");
    jiff::tz::TimeZone::UTC.to_datetime(now).date()
}
