//! `keepwell key …`.

use std::path::{Path, PathBuf};

use keepwell_record::split::{self as shares, Share};
use keepwell_record::{RootKey, RootKeyFile, RootKeySource as _};
use serde_json::{Value, json};

use crate::cli::Cli;
use crate::error::CliError;
use crate::folder::{Folder, must_not_exist, write_whole};
use crate::installation::{Installation, Place};
use crate::output;
use crate::system::{SystemRandom, environment};

fn key_problem(error: impl std::fmt::Display) -> CliError {
    CliError::with_code(error.to_string(), 5)
}

/// Makes a root key.
pub(super) fn new(json: bool, out: Option<&Path>) -> Result<(), CliError> {
    let key = RootKey::random(&SystemRandom);
    match out {
        None if json => output::report(true, &json!({ "root_key": key.to_line().trim() })),
        None => output::say(key.to_line().trim()),
        Some(path) => {
            must_not_exist(path)?;
            write_whole(path, key.to_line().as_bytes())?;
            output::report(json, &json!({ "root_key_file": path }));
        }
    }
    Ok(())
}

/// Replaces the root key and the tenant's wrapping key. The key file has both keys until everything is wrapped again, so
/// that a crash at any moment leaves a store that opens.
pub(crate) async fn rotate(at: &Installation) -> Result<Value, CliError> {
    let path = at.place.folder.root_key();
    if environment("KEEPWELL_ROOT_KEY").is_some() || !path.is_file() {
        return Err(CliError::with_code(
            "the root key does not come from a file of this folder, so this program cannot replace it. Put the new key \
             on the first line and the old one on the second where it comes from, start again, and rotate then",
            5,
        ));
    }
    let old = RootKeyFile { path: path.clone() }.load()?;
    let new = RootKey::random(&SystemRandom);
    let both: String = [&new, &old.current].into_iter().chain(&old.previous).map(RootKey::to_line).collect();
    write_whole(&path, both.as_bytes())?;
    at.service.rotate_root(&at.engine, new.clone()).await?;
    write_whole(&path, new.to_line().as_bytes())?;
    let records = at.service.rotate_wrapping(&at.engine).await?;
    Ok(json!({
        "root_key_file": path,
        "records_wrapped_again": records,
        "next": "make new shares and copies of the root key; those of the old one no longer open this store",
    }))
}

/// Splits the root key into shares.
pub(super) fn split(cli: &Cli, count: u8, threshold: u8, out: Option<&Path>) -> Result<(), CliError> {
    let keys = Place::find(cli)?.root_keys()?;
    let made = shares::split(keys.current.bytes(), count, threshold, &SystemRandom).map_err(CliError::usage_of)?;
    match out {
        None if cli.json => {
            let lines: Vec<String> = made.iter().map(|share| share.to_line().to_string()).collect();
            output::report(true, &json!({ "threshold": threshold, "shares": lines }));
        }
        None => {
            output::say(&format!(
                "Any {threshold} of these {count} lines give the root key back. Keep each in another place."
            ));
            for share in &made {
                output::say(&share.to_line());
            }
        }
        Some(folder) => {
            Folder::new(folder).create_if_missing()?;
            let paths: Vec<PathBuf> =
                made.iter().map(|share| folder.join(format!("share-{}-of-{count}.txt", share.index()))).collect();
            for path in &paths {
                must_not_exist(path)?;
            }
            for (share, path) in made.iter().zip(&paths) {
                write_whole(path, format!("{}\n", &*share.to_line()).as_bytes())?;
            }
            output::report(cli.json, &json!({ "threshold": threshold, "files": paths }));
        }
    }
    Ok(())
}

/// Joins shares and writes the root key.
pub(super) fn recover(cli: &Cli, files: &[PathBuf], out: Option<&Path>) -> Result<(), CliError> {
    let folder = Folder::new(&cli.dir);
    let path = out.map_or_else(|| folder.root_key(), Path::to_path_buf);
    must_not_exist(&path)?;
    let text = if files.is_empty() {
        std::io::read_to_string(std::io::stdin())?
    } else {
        let mut all = String::new();
        for file in files {
            let content = std::fs::read_to_string(file)
                .map_err(|error| CliError::failed(format!("{} cannot be read: {error}", file.display())))?;
            all.push_str(&content);
            all.push('\n');
        }
        all
    };
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let given: Vec<Share> = lines.map(|line| line.parse().map_err(key_problem)).collect::<Result<_, _>>()?;
    let secret = shares::recover(&given).map_err(key_problem)?;
    write_whole(&path, RootKey::from_bytes(*secret).to_line().as_bytes())?;
    output::report(cli.json, &json!({ "root_key_file": path, "shares_used": given.len() }));
    Ok(())
}
