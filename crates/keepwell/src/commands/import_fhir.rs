//! `keepwell import fhir`: Bundles and NDJSON through the same use case that the FHIR door calls.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use keepwell_service::{CareSetting, Client, Validation};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::cli::Cli;
use crate::error::CliError;
use crate::installation::{Installation, Place};
use crate::output;

/// Resources of one NDJSON line group go in together, at most so many at a time.
const GROUP: usize = 5_000;

/// What went in.
#[derive(Default)]
struct Counts {
    files: u64,
    bundles: u64,
    resources: u64,
    bytes: u64,
}

/// Loads files and folders.
pub(super) async fn run(cli: &Cli, paths: &[PathBuf], source: &str) -> Result<(), CliError> {
    let installation = Place::find(cli)?.open().await?;
    installation.use_definitions()?;
    let client = client(&installation, source).await?;
    let files = files(paths)?;
    let bar = bar(files.len() as u64, cli.json);
    let mut counts = Counts::default();
    let mut refused = Vec::new();
    for file in &files {
        if let Err(error) = load(&installation, &client, file, &mut counts).await {
            refused.push(format!("{}: {error}", file.display()));
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let mut kept = None;
    crate::jobs::keep_log(&installation.tenant, &installation.place.folder, &mut kept).await?;
    output::report(
        cli.json,
        &json!({
            "files": counts.files,
            "bundles": counts.bundles,
            "resources": counts.resources,
            "bytes": counts.bytes,
            "refused": refused,
        }),
    );
    if refused.is_empty() { Ok(()) } else { Err(CliError::failed(format!("{} files were refused", refused.len()))) }
}

/// The source's registration; made if there is none, since whoever holds the command line may.
async fn client(installation: &Installation, source: &str) -> Result<Client, CliError> {
    if let Some(client) = installation.service.client(source).await? {
        return Ok(client);
    }
    // The token is not needed here and, being unknown to everybody, cannot be used.
    installation.service.add_client(source, source, CareSetting::General).await?;
    // Files are what they are: nobody is there who could mend them.
    installation.service.set_validation(source, Validation::Record).await?;
    let made = installation.service.client(source).await?;
    made.ok_or_else(|| CliError::failed("the source was registered and is not there"))
}

/// Every `.json` and `.ndjson` file named or below a folder named, in order of path.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = paths.to_vec();
    while let Some(path) = open.pop() {
        let unreadable =
            |error: std::io::Error| CliError::failed(format!("{} cannot be read: {error}", path.display()));
        if path.is_dir() {
            for entry in std::fs::read_dir(&path).map_err(unreadable)? {
                let entry = entry.map_err(unreadable)?.path();
                if entry.is_dir() || is_feed(&entry) {
                    open.push(entry);
                }
            }
        } else if path.is_file() {
            found.push(path);
        } else {
            return Err(CliError::failed(format!("{} is not there", path.display())));
        }
    }
    found.sort();
    Ok(found)
}

fn is_feed(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "json" || extension == "ndjson")
}

pub(super) fn bar(length: u64, quiet: bool) -> ProgressBar {
    let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new(length) };
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {per_sec}, {eta} to go");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}

async fn load(at: &Installation, client: &Client, path: &Path, counts: &mut Counts) -> Result<(), CliError> {
    let bytes = std::fs::read(path)?;
    let size = bytes.len() as u64;
    if path.extension().is_some_and(|extension| extension == "ndjson") {
        for bundle in bundles_of_lines(&bytes)? {
            send(at, client, bundle.into(), counts).await?;
        }
    } else {
        send(at, client, bytes, counts).await?;
    }
    counts.files += 1;
    counts.bytes += size;
    Ok(())
}

async fn send(at: &Installation, client: &Client, bundle: Vec<u8>, counts: &mut Counts) -> Result<(), CliError> {
    let answer = at.service.transaction(client, bundle.into()).await?;
    counts.bundles += 1;
    counts.resources += answer.entries as u64;
    Ok(())
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "resourceType")]
    resource_type: &'a str,
    id: Option<&'a str>,
    #[serde(borrow)]
    subject: Option<Reference<'a>>,
    #[serde(borrow)]
    patient: Option<Reference<'a>>,
    #[serde(borrow)]
    beneficiary: Option<Reference<'a>>,
}

#[derive(Deserialize)]
struct Reference<'a> {
    reference: Option<&'a str>,
}

/// NDJSON has no Bundles; the lines about one person are put into one (or several, if they are very many), the person
/// first.
fn bundles_of_lines(bytes: &[u8]) -> Result<Vec<String>, CliError> {
    let text = std::str::from_utf8(bytes).map_err(|_| CliError::failed("the file is not UTF-8"))?;
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut bundles = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let bad = |error: serde_json::Error| CliError::failed(format!("line {}: {error}", number + 1));
        let raw: &RawValue = serde_json::from_str(line).map_err(bad)?;
        let head: Line<'_> = serde_json::from_str(line).map_err(bad)?;
        if head.resource_type == "Bundle" {
            bundles.push(line.to_owned());
            continue;
        }
        let id = head.id.ok_or_else(|| CliError::failed(format!("line {}: the resource has no id", number + 1)))?;
        let about = [&head.subject, &head.patient, &head.beneficiary];
        let person = about.into_iter().flatten().find_map(|reference| reference.reference);
        let person = match head.resource_type {
            "Patient" => format!("Patient/{id}"),
            // A line taken from a Bundle names the person by the Bundle's own address.
            _ => match person.unwrap_or_default() {
                urn if urn.starts_with("urn:uuid:") => urn.replacen("urn:uuid:", "Patient/", 1),
                other => other.to_owned(),
            },
        };
        let url = format!("{}/{id}", head.resource_type);
        // What refers to it says either `Type/id` or, in lines taken from a Bundle, its UUID.
        let full_url = if id.len() == 36 { format!("urn:uuid:{id}") } else { url.clone() };
        let entry = format!(
            "{{\"fullUrl\":{},\"resource\":{},\"request\":{{\"method\":\"PUT\",\"url\":{}}}}}",
            json!(full_url),
            raw.get(),
            json!(url)
        );
        let group = groups.entry(person).or_default();
        if head.resource_type == "Patient" { group.insert(0, entry) } else { group.push(entry) }
    }
    for entries in groups.into_values() {
        for chunk in entries.chunks(GROUP) {
            bundles.push(format!(
                "{{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[{}]}}",
                chunk.join(",")
            ));
        }
    }
    Ok(bundles)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_about_one_person_become_one_bundle_with_the_person_first() {
        let lines = "{\"resourceType\":\"Observation\",\"id\":\"o\",\"subject\":{\"reference\":\"Patient/p\"},\"valueDecimal\":1.50}\n\
                     {\"resourceType\":\"Patient\",\"id\":\"p\"}\n\n{\"resourceType\":\"Organization\",\"id\":\"x\"}\n";
        let bundles = bundles_of_lines(lines.as_bytes()).unwrap();
        assert_eq!(bundles.len(), 2);
        assert!(bundles[1].find("\"Patient\"").unwrap() < bundles[1].find("\"Observation\"").unwrap());
        assert!(bundles[1].contains("1.50"), "number text is kept");
        assert!(bundles_of_lines(b"{\"resourceType\":\"Patient\"}").is_err());
        assert!(bundles_of_lines(b"not json").is_err());
    }
}
