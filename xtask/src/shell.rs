//! Running other programs, and the few facts about this machine and workspace that every command needs.
#![expect(
    clippy::disallowed_methods,
    reason = "a developer command reads the environment; the product's binary does too"
)]

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a command comes to: done, or a sentence that says what went wrong and what to do.
pub(crate) type Outcome = Result<(), String>;

/// The arguments after the program's name.
pub(crate) fn arguments() -> Vec<String> {
    std::env::args().skip(1).collect()
}

/// An environment variable, if it is set and not empty.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace").to_owned()
}

/// Cargo's target folder: where the environment says, or `target`.
pub(crate) fn target() -> PathBuf {
    variable("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// A program that will run in the workspace's folder, without standard input.
pub(crate) fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root()).stdin(Stdio::null());
    command
}

/// The same Cargo that runs this command. What Cargo told this process about xtask itself is not passed on, since build
/// scripts would take it for theirs and be built again.
pub(crate) fn cargo() -> Command {
    let mut command = program(variable("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a program to its end, its output going where ours goes.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let status = command.status().map_err(|error| format!("cannot start {}: {error}", described(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{} failed: {status}", described(command))) }
}

/// Runs a program to its end and returns what it wrote to standard output.
pub(crate) fn read(command: &mut Command) -> Result<String, String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot start {}: {error}", described(command)))?;
    if !output.status.success() {
        return Err(format!("{} failed: {}", described(command), output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("{} did not write text", described(command)))
}

/// A program and its arguments, as a person would type them.
fn described(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

/// Where a program is on the search path.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
}

/// Reads a text file of the workspace.
pub(crate) fn text(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

/// Runs a program to its end, shows what it writes as it writes it, and returns whether it succeeded and all it wrote.
pub(crate) fn tee(command: &mut Command) -> Result<(bool, String), String> {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot start {}: {error}", described(command)))?;
    let errors = child.stderr.take().expect("standard error was asked for");
    let errors = std::thread::spawn(move || echo(errors));
    let output = echo(child.stdout.take().expect("standard output was asked for"));
    let errors = errors.join().expect("echoing lines does not panic");
    let status = child.wait().map_err(|error| format!("cannot wait for {}: {error}", described(command)))?;
    Ok((status.success(), output + &errors))
}

/// Passes lines on to standard output and keeps them.
fn echo(stream: impl Read) -> String {
    let mut all = String::new();
    for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).into_owned();
        println!("{line}");
        all.push_str(&line);
        all.push('\n');
    }
    all
}
