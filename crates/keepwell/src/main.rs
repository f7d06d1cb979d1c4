//! The `keepwell` binary: reads arguments, configuration, environment, clock and randomness, wires the crates together
//! and runs what was asked. Nothing here decides anything about care, access or storage.

mod cli;
mod commands;
mod config;
mod control;
mod error;
mod folder;
mod installation;
mod jobs;
mod licences;
mod output;
mod package;
mod server;
mod system;
mod telemetry;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    telemetry::start(cli.log_json, matches!(cli.command, cli::Command::Serve(_)));
    let json = cli.json;
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("keepwell").build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::complain(json, &error::CliError::failed(format!("the async runtime cannot start: {error}")));
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(commands::run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(json, &error);
            error.code()
        }
    }
}
