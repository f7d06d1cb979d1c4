//! Erasing, and remembering it outside the store, so that an older backup cannot bring a record back.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use keepwell_model::RecordId;
use keepwell_record::Erasure;
use keepwell_service::Service;
use serde_json::{Value, json};

use crate::error::CliError;
use crate::installation::Installation;

/// Erases a record and notes it in the folder's list.
pub(crate) async fn erase(at: &Installation, record: RecordId, authority: &str) -> Result<Value, CliError> {
    if authority.trim().is_empty() {
        return Err(CliError::usage("--authority says on whose authority: an office, a case number"));
    }
    let erasure = at.service.erase(record, authority.trim()).await?;
    note(&at.place.folder.erasures(), std::slice::from_ref(&erasure))?;
    Ok(json!({
        "record": record,
        "erased": erasure.when.to_string(),
        "care_blocks": erasure.care_blocks,
        "access_blocks": erasure.access_blocks,
        "next": "older backups still hold the record; `keepwell restore` erases it again",
    }))
}

/// Adds to the list what it does not have yet.
pub(super) fn remember(path: &Path, erasures: &[Erasure]) -> Result<(), CliError> {
    let known = noted(path)?;
    let new: Vec<Erasure> =
        erasures.iter().filter(|erasure| !known.iter().any(|k| k.record == erasure.record)).cloned().collect();
    note(path, &new)
}

fn note(path: &Path, erasures: &[Erasure]) -> Result<(), CliError> {
    let failed = |error: std::io::Error| CliError::failed(format!("{} cannot be written: {error}", path.display()));
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path).map_err(failed)?;
    for erasure in erasures {
        let mut line = serde_json::to_vec(erasure).expect("a stub is plain strings and numbers");
        line.push(b'\n');
        file.write_all(&line).map_err(failed)?;
    }
    file.sync_all().map_err(failed)
}

/// The erasures noted in a file; none if there is no file.
pub(super) fn noted(path: &Path) -> Result<Vec<Erasure>, CliError> {
    let text = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(|error| CliError::failed(format!("{} cannot be read: {error}", path.display())))?,
    };
    let read = |(number, line): (usize, &str)| {
        serde_json::from_str(line)
            .map_err(|error| CliError::failed(format!("{} line {}: {error}", path.display(), number + 1)))
    };
    text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(read).collect()
}

/// Applies erasures to a restored store and brings the folder's list up to date with what the store knows.
pub(super) async fn apply(service: &Service, path: &Path, more: &[Erasure]) -> Result<usize, CliError> {
    let mut all = noted(path)?;
    all.extend_from_slice(more);
    let count = service.apply_erasures(&all).await?;
    remember(path, &service.erasures().await?)?;
    Ok(count)
}
