//! The commands that only start something else: the demonstration, and the engine's own tools. Arguments pass through.

use std::process::Command;

use crate::assets;
use crate::shell::{self, Outcome};

/// `cargo xtask demo`: everything, in one command.
pub(crate) fn demo(arguments: &[String]) -> Outcome {
    assets::run(&[])?;
    shell::run(shell::cargo().args(["run", "--release", "--package", "keepwell", "--", "demo"]).args(arguments))
}

/// `cargo xtask torture`: kills a committing process again and again, and looks whether anything acknowledged is lost.
pub(crate) fn torture(arguments: &[String]) -> Outcome {
    shell::run(&mut example("keepwell-record", "torture", arguments))
}

/// `cargo xtask simulate`: many clients on a faulty store against a plain model.
pub(crate) fn simulate(arguments: &[String]) -> Outcome {
    shell::run(&mut example("keepwell-record", "simulate", arguments))
}

/// `cargo xtask bench [NAME]`: one benchmark, or all of them.
pub(crate) fn bench(arguments: &[String]) -> Outcome {
    if arguments.first().is_some_and(|first| !first.starts_with('-')) {
        let (name, rest) = arguments.split_first().expect("there is a first argument");
        return shell::run(&mut example("keepwell", &format!("bench_{name}"), rest));
    }
    let folder = shell::root().join("crates/keepwell/examples");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            Some(name.trim_end_matches(".rs").strip_prefix("bench_")?.to_owned())
        })
        .collect();
    names.sort();
    if names.is_empty() {
        return Err(format!("there is no bench_*.rs in {}", folder.display()));
    }
    for name in names {
        shell::run(&mut example("keepwell", &format!("bench_{name}"), arguments))?;
    }
    Ok(())
}

/// An example of a crate, built for speed: these tools measure, or repeat thousands of times.
pub(crate) fn example(package: &str, name: &str, arguments: &[String]) -> Command {
    let mut command = shell::cargo();
    command.args(["run", "--quiet", "--release", "--package", package, "--example", name, "--"]).args(arguments);
    command
}
