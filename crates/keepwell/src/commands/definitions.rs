//! `keepwell definitions …`: packages of FHIR definitions beside R4's own.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use keepwell_service::{PackageCounts, PackageError, Packages};
use serde_json::{Value, json};

use crate::cli::{Cli, Definitions};
use crate::error::CliError;
use crate::folder::{Folder, write_whole};
use crate::installation::Place;
use crate::output;
use crate::package::{MOST_BYTES, Package};

const NEXT: &str = "a server that is running goes on as before; start it again";

/// Runs a command.
pub(super) fn run(cli: &Cli, words: &Definitions) -> Result<(), CliError> {
    let folder = Place::find(cli)?.folder;
    match words {
        Definitions::Add { file } => add(&folder, file, cli.json),
        Definitions::List => {
            let line = |path: PathBuf| match Package::read(&path) {
                Ok(package) => json!({ "name": package.name, "resources": package.resources.len() }),
                Err(fault) => json!({ "name": name_of(&path), "fault": fault }),
            };
            let packages: Vec<Value> = installed(&folder)?.into_iter().map(line).collect();
            output::report(cli.json, &json!({ "packages": packages }));
            Ok(())
        }
        Definitions::Remove { name } => remove(&folder, name, cli.json),
    }
}

/// Adds a file, if all that is there then fits together.
fn add(folder: &Folder, file: &Path, as_json: bool) -> Result<(), CliError> {
    let name = plain(name_of(file))?;
    let added =
        Package::read(file).map_err(|error| CliError::failed(format!("{} cannot be read: {error}", file.display())))?;
    let _alone = alone(folder)?;
    let mut all = read(installed(folder)?.into_iter().filter(|path| name_of(path) != name))?;
    let before = counts(&all)?;
    let (bytes, resources) = (added.bytes.clone(), added.resources.len());
    all.push(added);
    let after = counts(&all)?;
    write_whole(&folder.definitions().join(name), &bytes)?;
    output::report(
        as_json,
        &json!({
            "added": name,
            "resources": resources,
            "profiles_and_extensions": after.structures - before.structures,
            "value_sets": after.value_sets - before.value_sets,
            "code_systems": after.code_systems - before.code_systems,
            "search_parameters": after.search_parameters - before.search_parameters,
            "next": NEXT,
        }),
    );
    Ok(())
}

/// Takes a file away, unless others build on it.
fn remove(folder: &Folder, name: &str, as_json: bool) -> Result<(), CliError> {
    let path = folder.definitions().join(plain(name)?);
    let _alone = alone(folder)?;
    let paths = installed(folder)?;
    let rest = paths.iter().filter(|path| name_of(path) != name).cloned();
    // If they do not fit together with it either, it may be what has to go.
    if let Err(error) = read(rest).and_then(|rest| together(&rest))
        && read(paths.into_iter()).and_then(|all| together(&all)).is_ok()
    {
        return Err(CliError::failed(format!("others build on it, so it stays: {error}")));
    }
    std::fs::remove_file(&path)
        .map_err(|error| CliError::failed(format!("{} cannot be removed: {error}", path.display())))?;
    File::open(folder.definitions())?.sync_all()?;
    output::report(as_json, &json!({ "removed": name, "next": NEXT }));
    Ok(())
}

/// The packages of an installation, for its service; `None` if there are none.
pub(crate) fn load(folder: &Folder) -> Result<Option<Packages>, CliError> {
    let paths = installed(folder)?;
    if paths.is_empty() {
        return Ok(None);
    }
    let loaded = read(paths.into_iter()).and_then(|packages| together(&packages)).map_err(|error| {
        CliError::failed(format!(
            "{error}. Nothing is served without the definitions that were added. Add that file once more from where it \
             came (`keepwell definitions add FILE`), or take it away (`keepwell definitions remove NAME`)"
        ))
    })?;
    Ok(Some(loaded))
}

fn counts(packages: &[Package]) -> Result<PackageCounts, CliError> {
    if packages.is_empty() { Ok(Packages::none().counts()) } else { together(packages).map(|all| all.counts()) }
}

fn together(packages: &[Package]) -> Result<Packages, CliError> {
    if packages.iter().map(Package::size).sum::<u64>() > MOST_BYTES {
        let words = format!("all definitions together are larger than {} MB", MOST_BYTES >> 20);
        return Err(CliError::failed(words));
    }
    let all = || packages.iter().flat_map(|package| package.resources.iter().map(move |it| (&package.name, it)));
    Packages::of(all().map(|(_, resource)| &resource.json[..])).map_err(|error| match error {
        PackageError::Json { place, error } => {
            let at = all().nth(place - 1).map_or_else(String::new, |(name, it)| format!("{name}: {}", it.called));
            CliError::failed(format!("{at} is not acceptable JSON: {error}"))
        }
        error => CliError::failed(format!("the definitions do not fit together: {error}")),
    })
}

/// Holds other commands off that change the definitions.
fn alone(folder: &Folder) -> Result<File, CliError> {
    let definitions = folder.definitions();
    Folder::new(&definitions).create_if_missing()?;
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(definitions.join(".lock"))?;
    lock.lock()?;
    Ok(lock)
}

fn name_of(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// A name that stays inside the folder.
fn plain(name: &str) -> Result<&str, CliError> {
    let fits = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'#' | b'@'));
    if fits && !name.is_empty() && !name.starts_with('.') && !name.ends_with(".new") && name.len() <= 200 {
        return Ok(name);
    }
    Err(CliError::usage("a package's file is called by letters, digits, '.', '-', '_', '#' and '@'"))
}

/// The files that were added, by name.
fn installed(folder: &Folder) -> Result<Vec<PathBuf>, CliError> {
    let entries = match std::fs::read_dir(folder.definitions()) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    // Not what a write that was cut short left behind.
    paths.retain(|path| plain(name_of(path)).is_ok());
    paths.sort();
    Ok(paths)
}

fn read(paths: impl Iterator<Item = PathBuf>) -> Result<Vec<Package>, CliError> {
    let read = |path: PathBuf| {
        Package::read(&path).map_err(|error| CliError::failed(format!("{} cannot be read: {error}", path.display())))
    };
    paths.map(read).collect()
}
