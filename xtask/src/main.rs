//! Developer commands: `cargo xtask <command>`. Nothing here is shipped. It knows the layout of the workspace and the
//! tools around it (Cargo, npm, PostgreSQL, Python), and nothing of what Keepwell does.
#![expect(clippy::print_stdout, reason = "a command line speaks to its user on standard output")]

mod assets;
mod npm;
mod shell;

use std::process::ExitCode;

use shell::Outcome;

/// One command: its name, what its help says, and what runs it.
struct Command {
    name: &'static str,
    arguments: &'static str,
    about: &'static str,
    run: fn(&[String]) -> Outcome,
}

const COMMANDS: &[Command] = &[Command {
    name: "assets",
    arguments: "",
    about: "build the portal's stylesheet, script and icons from npm packages",
    run: assets::run,
}];

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
