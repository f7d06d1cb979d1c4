//! `cargo xtask assets`: the portal's stylesheet, script and icons, into the git-ignored folder that the portal embeds.

use crate::npm;
use crate::shell::{self, Outcome};

/// Installs the packages if need be and builds.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    if let Some(unknown) = arguments.first() {
        return Err(format!("unknown argument `{unknown}`; this command takes none"));
    }
    let folder = shell::root().join("assets");
    let portal = shell::root().join("crates/portal");
    npm::install(&folder)?;
    shell::run(shell::program("node").arg(folder.join("build.mjs")).arg(&portal).arg(portal.join("assets")))
}
