//! `cargo xtask test [--require-all] [SUITE…]`: every check there is, cheapest first. Each suite ends with a line of what
//! it counted, and the whole with one line alone: `N passed, N failed`.

mod postgres;
mod suites;
mod tally;
mod tools;

use suites::{SUITES, Suite};
use tally::Tally;

use crate::shell::{self, Outcome};

/// What suites share: the server that is started when the first of them asks.
pub(crate) struct Machine {
    server: Option<postgres::Server>,
    require_all: bool,
}

impl Machine {
    /// What a test is told: with `--require-all`, that nothing may be left out.
    fn strictness(&self) -> Option<(&'static str, String)> {
        self.require_all.then(|| ("KEEPWELL_REQUIRE_ALL", "1".to_owned()))
    }

    /// The environment of a test that may use PostgreSQL. Without `--require-all` a machine without PostgreSQL will do:
    /// the tests that need it say that they are skipped.
    fn postgres(&mut self) -> Result<Vec<(&'static str, String)>, String> {
        if self.server.is_none() {
            match postgres::Server::start() {
                Ok(server) => self.server = Some(server),
                Err(problem) if self.require_all => return Err(problem),
                Err(problem) => println!("without PostgreSQL: {problem}"),
            }
        }
        let server = self.server.iter().flat_map(postgres::Server::environment);
        Ok(self.strictness().into_iter().chain(server).collect())
    }
}

/// Runs the suites that are named, or all.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let (flags, names): (Vec<&String>, Vec<&String>) = arguments.iter().partition(|word| word.starts_with('-'));
    if let Some(unknown) = flags.iter().find(|flag| *flag != &"--require-all") {
        return Err(format!("unknown argument `{unknown}`"));
    }
    if let Some(unknown) = names.iter().find(|name| SUITES.iter().all(|suite| suite.name != name.as_str())) {
        let known: Vec<&str> = SUITES.iter().map(|suite| suite.name).collect();
        return Err(format!("there is no suite `{unknown}`; there are {}", known.join(", ")));
    }
    let require_all = !flags.is_empty();
    prepare(require_all)?;
    let mut machine = Machine { server: None, require_all };
    let mut total = Tally::default();
    let mut lines = Vec::new();
    for suite in SUITES.iter().filter(|suite| names.is_empty() || names.iter().any(|name| *name == suite.name)) {
        println!("--- {}", suite.name);
        let tally = one(suite, &mut machine);
        total += tally;
        lines.push(format!("suite {}: {tally}", suite.name));
        println!("{}", lines[lines.len() - 1]);
    }
    drop(machine);
    println!("\n{}\n{} passed, {} failed", lines.join("\n"), total.passed, total.failed);
    if total.failed == 0 { Ok(()) } else { Err(format!("{} failed", total.failed)) }
}

/// Looks for the tools. Without `--require-all` a missing one costs only the suites that need it.
fn prepare(require_all: bool) -> Outcome {
    match tools::prepare() {
        Err(problem) if !require_all => {
            println!("{problem}");
            Ok(())
        }
        outcome => outcome,
    }
}

fn one(suite: &Suite, machine: &mut Machine) -> Tally {
    if !shell::root().join(suite.subject).exists() {
        println!("skipped: {} is not there yet", suite.subject);
        return if machine.require_all { Tally::one(false) } else { Tally::skipped() };
    }
    match (suite.run)(machine) {
        Ok(mut tally) => {
            if machine.require_all && tally.skipped > 0 {
                println!("{} tests were skipped, and --require-all accepts none", tally.skipped);
                tally.failed += tally.skipped;
                tally.skipped = 0;
            }
            tally
        }
        Err(problem) => {
            println!("{problem}");
            Tally::one(false)
        }
    }
}
