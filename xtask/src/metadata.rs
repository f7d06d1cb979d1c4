//! What `cargo metadata` says.

use serde_json::Value;

use crate::shell;

/// The workspace's own packages and what they declare; quick, and needs nothing but the manifests.
pub(crate) fn workspace() -> Result<Value, String> {
    read(&["--no-deps"])
}

/// Everything, resolved for this machine's platform.
pub(crate) fn full() -> Result<Value, String> {
    let version = shell::read(shell::program("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("rustc -vV names no host")?;
    read(&["--locked", "--filter-platform", host])
}

fn read(arguments: &[&str]) -> Result<Value, String> {
    let text = shell::read(shell::cargo().args(["metadata", "--format-version", "1"]).args(arguments))?;
    serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))
}
