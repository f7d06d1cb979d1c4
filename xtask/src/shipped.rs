//! What the binary is built from: every crate that `keepwell` reaches through ordinary dependencies, as `cargo metadata`
//! tells it. The licence check reads it here, and the build script of `crates/keepwell` reads the same file, so that what
//! is checked and what is acknowledged cannot differ.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// A crate that ships.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    /// Its name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// Its licence expression, if it has one.
    pub(crate) licence: Option<String>,
    /// Who it says wrote it.
    pub(crate) authors: Vec<String>,
    /// Where its sources are.
    pub(crate) folder: PathBuf,
}

/// The packages of others that ship, sorted by name and version.
pub(crate) fn packages(metadata: &Value) -> Result<Vec<Package>, String> {
    let all: BTreeMap<&str, &Value> =
        list(metadata, "packages")?.iter().filter_map(|package| Some((package["id"].as_str()?, package))).collect();
    let nodes: BTreeMap<&str, &Value> =
        list(&metadata["resolve"], "nodes")?.iter().filter_map(|node| Some((node["id"].as_str()?, node))).collect();
    let root = all
        .values()
        .find(|package| package["name"] == "keepwell" && package["source"].is_null())
        .and_then(|package| package["id"].as_str())
        .ok_or("the workspace has no package named keepwell")?;
    let mut reached = BTreeMap::new();
    let mut waiting = vec![root];
    while let Some(id) = waiting.pop() {
        let node = nodes.get(id).ok_or_else(|| format!("{id} was not resolved"))?;
        let package = all.get(id).ok_or_else(|| format!("{id} has no package"))?;
        if reached.insert(id, package).is_some() {
            continue;
        }
        for edge in list(node, "deps")? {
            let ships = list(edge, "dep_kinds")?.iter().any(|kind| kind["kind"].is_null());
            waiting.extend(edge["pkg"].as_str().filter(|_| ships));
        }
    }
    let mut shipped: Vec<Package> =
        reached.values().filter(|package| !package["source"].is_null()).filter_map(|package| read(package)).collect();
    shipped.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    Ok(shipped)
}

fn list<'a>(value: &'a Value, field: &str) -> Result<&'a Vec<Value>, String> {
    value[field].as_array().ok_or_else(|| format!("cargo metadata has no list of {field}"))
}

fn read(package: &Value) -> Option<Package> {
    let authors = package["authors"].as_array().into_iter().flatten();
    Some(Package {
        name: package["name"].as_str()?.to_owned(),
        version: package["version"].as_str()?.to_owned(),
        licence: package["license"].as_str().map(str::to_owned),
        authors: authors.filter_map(Value::as_str).map(str::to_owned).collect(),
        folder: Path::new(package["manifest_path"].as_str()?).parent()?.to_owned(),
    })
}
