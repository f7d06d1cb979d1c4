//! The suites of `cargo xtask test`, cheapest first. To add one, add a line to `SUITES` and a function below.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Machine;
use super::tally::{self, Tally};
use super::tools;
use crate::shell::{self, Outcome};
use crate::{assets, conformance, definitions, deps_check, hazards, licences, npm, sources};

/// One suite: its name in the closing line, and what runs it.
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    /// What it tests, in the workspace. While this is absent so is the suite, which `--require-all` does not accept.
    pub(crate) subject: &'static str,
    pub(crate) run: fn(&mut Machine) -> Result<Tally, String>,
}

/// All suites, in the order they run.
pub(crate) const SUITES: &[Suite] = &[
    Suite { name: "fmt", subject: "rustfmt.toml", run: fmt },
    Suite { name: "deps-check", subject: "Cargo.toml", run: |_| check(deps_check::run(&[])) },
    Suite { name: "licences", subject: "licences.toml", run: |_| check(licences::run(&[])) },
    Suite { name: "hazards", subject: "docs/clinical-safety/hazard-log.toml", run: |_| check(hazards::run(&[])) },
    Suite { name: "conformance", subject: "docs/fhir-conformance.toml", run: conformance_suite },
    Suite { name: "definitions", subject: "crates/fhir/definitions/package.json", run: definitions_suite },
    Suite { name: "assets", subject: "assets/package.json", run: assets_suite },
    Suite { name: "clippy", subject: "clippy.toml", run: clippy },
    Suite { name: "docs", subject: "Cargo.toml", run: docs },
    Suite { name: "tests", subject: "crates", run: tests },
    Suite { name: "doc-tests", subject: "crates", run: doc_tests },
    Suite { name: "validator-oracle", subject: "crates/fhir/oracle/package.json", run: validator_oracle },
    Suite { name: "fhirpath-oracle", subject: "crates/fhir/oracle/package.json", run: fhirpath_oracle },
    Suite { name: "fuzz", subject: "crates/fhir/examples/fuzz/main.rs", run: fuzz },
    Suite { name: "verifier", subject: "docs/verify/keepwell_verify.py", run: verifier },
    Suite { name: "simulate", subject: "crates/record/examples/simulate.rs", run: simulate },
    Suite { name: "torture", subject: "crates/record/examples/torture.rs", run: torture },
    Suite { name: "clients", subject: "clients/serve.mjs", run: clients },
    Suite { name: "e2e", subject: "e2e/package.json", run: e2e },
];

/// A check that says what is wrong, if something is.
fn check(outcome: Outcome) -> Result<Tally, String> {
    outcome.map(|()| Tally::one(true))
}

fn fmt(_: &mut Machine) -> Result<Tally, String> {
    check(shell::run(shell::cargo().args(["fmt", "--all", "--check"])))
}

fn clippy(_: &mut Machine) -> Result<Tally, String> {
    let arguments = ["clippy", "--quiet", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
    check(shell::run(shell::cargo().args(arguments)))
}

fn docs(_: &mut Machine) -> Result<Tally, String> {
    let mut doc = shell::cargo();
    doc.args(["doc", "--quiet", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
    check(shell::run(&mut doc))
}

/// The step is tested and run: the portal cannot be compiled without its result.
fn assets_suite(_: &mut Machine) -> Result<Tally, String> {
    assets::run(&[])?;
    node_tests(&shell::root().join("assets"), [])
}

/// Each claim about FHIR is held by a test, and the page says the same.
fn conformance_suite(_: &mut Machine) -> Result<Tally, String> {
    check(conformance::run(&["--check".to_owned()]))
}

/// The packs of FHIR definitions are what HL7's files say.
fn definitions_suite(_: &mut Machine) -> Result<Tally, String> {
    check(definitions::run(&["--check".to_owned()]))
}

fn tests(machine: &mut Machine) -> Result<Tally, String> {
    let environment = machine.postgres()?;
    let mut cargo = shell::cargo();
    let count = if shell::find("cargo-nextest").is_some() {
        cargo.args(["nextest", "run", "--workspace", "--no-fail-fast", "--status-level", "fail", "--color", "never"]);
        tally::nextest
    } else {
        cargo.args(["test", "--quiet", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"]);
        tally::cargo_test
    };
    match tools::path_with_python() {
        Ok(path) => _ = cargo.env("PATH", path),
        Err(problem) if machine.require_all => return Err(problem),
        Err(problem) => println!("without the verifier's Python: {problem}"),
    }
    let (succeeded, output) = shell::tee(cargo.envs(environment))?;
    let mut tally = count(&output).of_run(succeeded);
    tally.skipped = tally.skipped.saturating_sub(rewriters());
    Ok(tally)
}

/// How many "tests" are not tests: they rewrite committed files, say so as their reason to be ignored, and are run by
/// name. They are not counted as skipped.
fn rewriters() -> u64 {
    let marked = sources::all(&shell::root().join("crates"), "rs").matches("#[ignore = \"rewrites ").count();
    u64::try_from(marked).expect("a few attributes")
}

fn doc_tests(machine: &mut Machine) -> Result<Tally, String> {
    let mut cargo = shell::cargo();
    cargo.args(["test", "--quiet", "--workspace", "--doc", "--no-fail-fast"]).envs(machine.postgres()?);
    let (succeeded, output) = shell::tee(&mut cargo)?;
    Ok(tally::cargo_test(&output).of_run(succeeded))
}

/// The independent verifier in Python: its own tests, then the committed test vectors.
fn verifier(_: &mut Machine) -> Result<Tally, String> {
    let python = || -> Result<Command, String> {
        let mut python = shell::program("python3");
        python.current_dir(shell::root().join("docs/verify")).env("PYTHONDONTWRITEBYTECODE", "1");
        python.env("PATH", tools::path_with_python()?);
        Ok(python)
    };
    let (succeeded, output) = shell::tee(python()?.args(["-m", "unittest", "discover", "--pattern", "test_*.py"]))?;
    let mut total = tally::unittest(&output).of_run(succeeded);
    let vectors = shell::run(python()?.args(["keepwell_verify.py", "vectors", "vectors"]));
    if let Err(problem) = &vectors {
        println!("{problem}");
    }
    total += Tally::one(vectors.is_ok());
    Ok(total)
}

fn simulate(_: &mut Machine) -> Result<Tally, String> {
    check(shell::run(&mut example("simulate", &["--seeds", "1000"])))
}

fn torture(machine: &mut Machine) -> Result<Tally, String> {
    let environment = machine.postgres()?;
    check(shell::run(example("torture", &["--kills", "200"]).envs(environment)))
}

/// The FHIR validator beside one made by others, over the same resources and mutations of them.
fn validator_oracle(machine: &mut Machine) -> Result<Tally, String> {
    oracle(machine, "validator.test.mjs", "validator_cases", "KEEPWELL_VALIDATOR_CASES")
}

/// The FHIRPath engine beside HL7's in JavaScript, over the same resources and expressions.
fn fhirpath_oracle(machine: &mut Machine) -> Result<Tally, String> {
    oracle(machine, "fhirpath.test.mjs", "fhirpath_answers", "KEEPWELL_FHIRPATH_ANSWERS")
}

/// A comparison with what others made: a test in Node, and an example of ours that it asks, which it finds by a variable.
fn oracle(machine: &Machine, test: &str, tool: &str, variable: &'static str) -> Result<Tally, String> {
    let folder = shell::root().join("crates/fhir/oracle");
    npm::install(&folder)?;
    shell::run(shell::cargo().args(["build", "--quiet", "--package", "keepwell-fhir", "--example", tool]))?;
    let tool = shell::target().join("debug/examples").join(tool).display().to_string();
    node_tests_of(&folder, &[test], std::iter::once((variable, tool)).chain(machine.strictness()))
}

/// Mutations of small documents through every door of the FHIR crate, the same ones each time.
fn fuzz(_: &mut Machine) -> Result<Tally, String> {
    check(shell::run(shell::cargo().args(["run", "--quiet", "--package", "keepwell-fhir", "--example", "fuzz"])))
}

/// A tool of the record engine, in the same build as the tests: no second compilation, and with its assertions on.
fn example(name: &str, arguments: &[&str]) -> Command {
    let mut cargo = shell::cargo();
    cargo.args(["run", "--quiet", "--package", "keepwell-record", "--example", name, "--"]).args(arguments);
    cargo
}

/// FHIR clients made by others, in Node and in Python, each against an empty house of its own.
fn clients(machine: &mut Machine) -> Result<Tally, String> {
    let folder = shell::root().join("clients");
    npm::install(&folder.join("node"))?;
    let python = tools::python_with(&folder.join("python/requirements.txt"), "clients-python")?;
    let binary = binary()?;
    let served = |place: &str| {
        let mut node = shell::program("node");
        node.arg(folder.join("serve.mjs")).current_dir(folder.join(place)).envs(machine.strictness());
        node.env("KEEPWELL_BIN", &binary).env("PYTHONDONTWRITEBYTECODE", "1");
        node
    };
    let (succeeded, output) = shell::tee(served("node").args(["node", "--test", "--test-reporter=tap"]))?;
    let mut total = tally::node(&output).of_run(succeeded);
    let (succeeded, output) =
        shell::tee(served("python").arg(python).args(["-m", "unittest", "discover", "--verbose"]))?;
    total += tally::unittest(&output).of_run(succeeded);
    Ok(total)
}

/// The program as a development build, made anew if something changed.
fn binary() -> Result<PathBuf, String> {
    shell::run(shell::cargo().args(["build", "--quiet", "--package", "keepwell"]))?;
    Ok(shell::target().join("debug/keepwell"))
}

fn e2e(machine: &mut Machine) -> Result<Tally, String> {
    let folder = shell::root().join("e2e");
    npm::install(&folder)?;
    let binary = binary()?;
    let chromium = tools::chromium().ok_or("no Chromium is installed")?;
    let found = [("KEEPWELL_BIN", binary), ("KEEPWELL_CHROMIUM", chromium)];
    let found = found.map(|(name, path)| (name, path.display().to_string()));
    node_tests(&folder, found.into_iter().chain(machine.strictness()))
}

fn node_tests(folder: &Path, environment: impl IntoIterator<Item = (&'static str, String)>) -> Result<Tally, String> {
    node_tests_of(folder, &[], environment)
}

/// The tests of these files, or of all in the folder if none is named.
fn node_tests_of(
    folder: &Path,
    files: &[&str],
    environment: impl IntoIterator<Item = (&'static str, String)>,
) -> Result<Tally, String> {
    let mut node = shell::program("node");
    node.args(["--test", "--test-reporter=tap"]).args(files).current_dir(folder);
    let (succeeded, output) = shell::tee(node.envs(environment))?;
    Ok(tally::node(&output).of_run(succeeded))
}
