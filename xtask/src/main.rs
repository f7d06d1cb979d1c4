//! Developer commands: `cargo xtask <command>`. Nothing here is shipped. It knows the layout of the workspace and the
//! tools around it (Cargo, npm, PostgreSQL, Python), and nothing of what Keepwell does.
#![expect(clippy::print_stdout, reason = "a command line speaks to its user on standard output")]

mod assets;
mod conformance;
mod definitions;
mod deps_check;
mod hazards;
mod licences;
mod metadata;
mod named;
mod npm;
mod shell;
mod shipped;
mod sources;
mod spdx;
mod test;
mod through;

use std::process::ExitCode;

use shell::Outcome;

/// One command: its name, what its help says, and what runs it.
struct Command {
    name: &'static str,
    arguments: &'static str,
    about: &'static str,
    run: fn(&[String]) -> Outcome,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "demo",
        arguments: "[--people N] [--port N] …",
        about: "build everything and serve a city of synthetic people",
        run: through::demo,
    },
    Command {
        name: "test",
        arguments: "[--require-all] [SUITE…]",
        about: "run every check, or the named suites; with --require-all nothing may be left out",
        run: test::run,
    },
    Command {
        name: "assets",
        arguments: "",
        about: "build the portal's stylesheet, script and icons from npm packages",
        run: assets::run,
    },
    Command {
        name: "definitions",
        arguments: "[--check]",
        about: "make the packs of FHIR definitions from HL7's files, or say whether they are fresh",
        run: definitions::run,
    },
    Command {
        name: "deps-check",
        arguments: "",
        about: "check that the crates know each other only in the allowed directions",
        run: deps_check::run,
    },
    Command {
        name: "licences",
        arguments: "",
        about: "check that everything that ships is under a permissive licence",
        run: licences::run,
    },
    Command {
        name: "hazards",
        arguments: "",
        about: "check that the tests that the hazard log and the threat model name exist",
        run: hazards::run,
    },
    Command {
        name: "conformance",
        arguments: "[--check]",
        about: "write the page of what is done of FHIR R4 and the tests that hold it, or say whether it is fresh",
        run: conformance::run,
    },
    Command {
        name: "bench", arguments: "[NAME] […]", about: "measure; see docs/performance.md", run: through::bench
    },
    Command {
        name: "torture",
        arguments: "[--kills N] […]",
        about: "kill a committing process again and again; nothing acknowledged may be lost",
        run: through::torture,
    },
    Command {
        name: "simulate",
        arguments: "[--seeds N] […]",
        about: "run many clients on a faulty store against a plain model",
        run: through::simulate,
    },
];

fn main() -> ExitCode {
    let arguments = shell::arguments();
    let Some((name, rest)) = arguments.split_first() else {
        println!("{}", help());
        return ExitCode::FAILURE;
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        println!("{}", help());
        return ExitCode::SUCCESS;
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        eprintln!("there is no command `{name}`\n\n{}", help());
        return ExitCode::FAILURE;
    };
    match (command.run)(rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("cargo xtask {name}: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn help() -> String {
    let mut text = String::from("cargo xtask <command>\n");
    for Command { name, arguments, about, .. } in COMMANDS {
        let usage = format!("{name} {arguments}");
        text.push_str(&format!("\n  {usage:<32}{about}"));
    }
    text
}
