//! Installing a folder's npm packages exactly as its lock file says, and only when they are not there yet.

use std::path::Path;

use crate::shell::{self, Outcome};

/// Written beside the packages when they are complete: the lock file that they were installed from.
const STAMP: &str = "node_modules/.installed-from";

/// Makes `node_modules` of this folder match its lock file. No package may run a script of its own.
pub(crate) fn install(folder: &Path) -> Outcome {
    let lock = shell::text(&folder.join("package-lock.json"))?;
    let stamp = folder.join(STAMP);
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    if shell::find("npm").is_none() {
        return Err("npm is missing; install Node 20 or later, then run this again".into());
    }
    let mut npm = shell::program("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(folder);
    shell::run(&mut npm)?;
    std::fs::write(&stamp, lock).map_err(|error| format!("cannot write {}: {error}", stamp.display()))
}
