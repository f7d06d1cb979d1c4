//! Gathers the third-party notices that `keepwell licences` prints. They come from the sources that this very build uses,
//! so they cannot be out of date, and no copy of them is committed. See docs/adr/0003.
#![expect(clippy::disallowed_methods, reason = "Cargo speaks to a build script through the environment")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

#[path = "../../xtask/src/shipped.rs"]
mod shipped;

/// What ships inside a crate without a licence file of its own.
const REMARKS: &[(&str, &str)] = &[(
    "libsqlite3-sys",
    "SQLite, which this package builds in, is in the public domain: its authors have given up their copyright.",
)];

fn main() {
    let root = Path::new(&variable("CARGO_MANIFEST_DIR")).join("../..");
    for input in ["Cargo.lock", "LICENSE-MIT", "LICENSE-APACHE", "assets/package-lock.json", "xtask/src/shipped.rs"] {
        println!("cargo::rerun-if-changed={}", root.join(input).display());
    }
    println!("cargo::rerun-if-changed=build.rs");
    match notices(&root) {
        Ok(text) => std::fs::write(Path::new(&variable("OUT_DIR")).join("notices.txt"), text)
            .expect("Cargo made OUT_DIR writable"),
        Err(problem) => println!("cargo::error=cannot gather the third-party notices: {problem}"),
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).expect("Cargo sets this for every build script")
}

/// The whole text: each package with the numbers of its notices, then each different notice once.
fn notices(root: &Path) -> Result<String, String> {
    let standard = [read(&root.join("LICENSE-MIT"))?, read(&root.join("LICENSE-APACHE"))?];
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let mut texts: Vec<String> = Vec::new();
    let mut list = String::new();
    let lock: Value =
        serde_json::from_str(&read(&root.join("assets/package-lock.json"))?).map_err(|e| e.to_string())?;
    let mut packages = shipped::packages(&metadata(root)?)?;
    packages.extend(npm(&lock));
    for package in packages {
        let mut own = lying_in(&package.folder);
        if own.is_empty() {
            own = vec![stated(&package, &standard)?];
        }
        let remark = REMARKS.iter().find(|(name, _)| *name == package.name).map(|(_, remark)| (*remark).to_owned());
        let cited: Vec<String> = own
            .into_iter()
            .chain(remark)
            .map(|text| {
                // Two texts that differ in their line breaks only are one.
                let key = text.split_whitespace().collect::<Vec<_>>().join(" ");
                let number = *numbers.entry(key).or_insert_with(|| {
                    texts.push(text);
                    texts.len()
                });
                number.to_string()
            })
            .collect();
        let licence = package.licence.as_deref().unwrap_or("no licence named");
        writeln!(list, "{} {} ({licence}): {}", package.name, package.version, cited.join(", "))
            .expect("writing to a String");
    }
    let mut out = format!(
        "Keepwell is licensed under the MIT licence or the Apache License 2.0, as you choose.\n\n\
         It contains this software of others. The numbers after each name are of the notices below.\n\n{list}"
    );
    for (index, text) in texts.iter().enumerate() {
        write!(out, "\n{:-<100}\nNotice {}\n\n{text}\n", "", index + 1).expect("writing to a String");
    }
    Ok(out)
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// What this build is resolved to, for the platform that it is for.
fn metadata(root: &Path) -> Result<Value, String> {
    let output = Command::new(variable("CARGO"))
        .current_dir(root)
        .args(["metadata", "--locked", "--format-version", "1", "--filter-platform", &variable("TARGET")])
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr)
            .lines()
            .last()
            .unwrap_or("cargo metadata failed")
            .to_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))
}

/// The npm packages whose code is in the portal's stylesheet and script.
fn npm(lock: &Value) -> Vec<shipped::Package> {
    let packages = lock["packages"].as_object().into_iter().flatten();
    packages
        .filter(|(path, package)| !path.is_empty() && package["dev"] != true)
        .map(|(path, package)| shipped::Package {
            name: path.trim_start_matches("node_modules/").to_owned(),
            version: package["version"].as_str().unwrap_or_default().to_owned(),
            licence: package["license"].as_str().map(str::to_owned),
            authors: if path.ends_with("/nhsuk-frontend") { vec!["NHS England".to_owned()] } else { Vec::new() },
            folder: PathBuf::from("no licence file is in the package"),
        })
        .collect()
}

/// The notice of a package that carries none: its authors, and the standard text of a licence that it offers.
fn stated(package: &shipped::Package, [mit, apache]: &[String; 2]) -> Result<String, String> {
    let licence = package.licence.as_deref().unwrap_or_default();
    let authors = if package.authors.is_empty() {
        format!("the authors of {}", package.name)
    } else {
        package.authors.join(", ")
    };
    let terms = if licence.contains("MIT") {
        mit.split_once("\n\nPermission").map(|(_, terms)| format!("Permission{terms}"))
    } else if licence.contains("Apache-2.0") {
        Some(apache.clone())
    } else {
        None
    };
    let terms =
        terms.ok_or_else(|| format!("{} has no licence text, and {licence} no standard one here", package.name))?;
    Ok(format!("Copyright (c) {authors}\n\n{}", terms.trim()))
}

/// The licence and notice texts that lie in a package, and one level down, where a `-sys` crate keeps the C library that
/// it builds in. A text of the GPL is left out: where one lies, the licence check has found another choice.
fn lying_in(folder: &Path) -> Vec<String> {
    let mut texts = Vec::new();
    for place in std::iter::once(folder.to_owned()).chain(entries(folder).into_iter().filter(|path| path.is_dir())) {
        for path in entries(&place) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
            let speaks = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"]
                .iter()
                .any(|start| name.starts_with(start));
            if !speaks || !path.is_file() || name.ends_with(".RS") {
                continue;
            }
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            let text = text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim().to_owned();
            if !text.is_empty() && !text.starts_with("GNU GENERAL PUBLIC LICENSE") && !texts.contains(&text) {
                texts.push(text);
            }
        }
    }
    texts
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}
