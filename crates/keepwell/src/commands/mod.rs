//! The commands, one file each where there is more to it than asking.

mod backup;
pub(crate) mod definitions;
mod demo;
pub(crate) mod erasures;
mod import_fhir;
mod init;
pub(crate) mod keys;
mod proof;
mod serve;
mod synth;
mod witness;

use std::path::{Path, PathBuf};

use keepwell_model::RecordId;
use keepwell_service::Grant;
use serde_json::json;

use crate::cli::{Cli, Client, Command, Export, Granted, Import, Invalid, Key, Setting};
use crate::control::{Request, ask};
use crate::error::CliError;
use crate::installation::Place;
use crate::{licences, output};

/// Runs what was asked.
pub(crate) async fn run(cli: Cli) -> Result<(), CliError> {
    let json = cli.json;
    let request = match &cli.command {
        Command::Init(words) => return init::run(&cli, words).await,
        Command::Serve(words) => return serve::run(&cli, words).await,
        Command::Demo(words) => return demo::run(&cli, words).await,
        Command::Migrate => {
            let place = Place::find(&cli)?;
            let store = place.store(true).await?;
            output::report(json, &json!({ "store": store.kind(), "migrated": true }));
            return Ok(());
        }
        Command::Restore(words) => return backup::restore(&cli, words).await,
        Command::Import(Import::Fhir { paths, source }) => return import_fhir::run(&cli, paths, source).await,
        Command::Key(Key::New { out }) => return keys::new(json, out.as_deref()),
        Command::Key(Key::Split { shares, threshold, out }) => {
            return keys::split(&cli, *shares, *threshold, out.as_deref());
        }
        Command::Key(Key::Recover { shares, out }) => return keys::recover(&cli, shares, out.as_deref()),
        Command::Definitions(words) => return definitions::run(&cli, words),
        Command::CheckProof(words) => return proof::check(json, words),
        Command::Witness(words) => return witness::run(&cli, words).await,
        Command::Synth(words) => return synth::run(json, words),
        Command::Licences => {
            output::say(licences::notices());
            return Ok(());
        }
        command => request_of(command)?,
    };
    let value = ask(Place::find(&cli)?, request.clone()).await?;
    output::report(json, &value);
    match value.get("faults").and_then(serde_json::Value::as_array) {
        Some(faults) if !faults.is_empty() => {
            Err(CliError::faults(format!("{} faults were found; they are listed above", faults.len())))
        }
        _ => Ok(()),
    }
}

const fn granted(grant: &Granted) -> Grant {
    match grant {
        Granted::SearchPeople => Grant::SearchPeople,
        Granted::ExportRecords => Grant::ExportRecords,
    }
}

/// The commands that are nothing but a request to the installation.
fn request_of(command: &Command) -> Result<Request, CliError> {
    Ok(match command {
        Command::Verify => Request::Verify,
        Command::Stats => Request::Stats,
        Command::Records(words) => {
            Request::Records { after: words.after.as_deref().map(record_id).transpose()?, limit: words.limit }
        }
        Command::Backup(words) => Request::Backup { out: absolute(&words.out)? },
        Command::Erase(words) if words.yes => {
            Request::Erase { record: record_id(&words.record)?, authority: words.authority.clone() }
        }
        Command::Erase(_) => {
            return Err(CliError::usage("erasing cannot be undone: add --yes if this is what you want"));
        }
        Command::Merge(words) => {
            Request::Merge { survivor: record_id(&words.survivor)?, other: record_id(&words.other)? }
        }
        Command::Unmerge(words) => Request::Unmerge { other: record_id(&words.other)? },
        Command::Client(Client::List) => Request::ListClients,
        Command::Client(Client::Add { name, organisation, setting, grant, validation }) => Request::AddClient {
            name: name.clone(),
            organisation: organisation.clone(),
            setting: match setting {
                Setting::General => "general",
                Setting::MentalHealth => "mental-health",
                Setting::SocialCare => "social-care",
                Setting::SexualHealth => "sexual-health",
            }
            .into(),
            grants: grant.iter().map(granted).collect(),
            validation: match validation {
                Invalid::Strict => "strict",
                Invalid::Record => "record",
                Invalid::Off => "off",
            }
            .into(),
        },
        Command::Key(Key::Rotate { record: None }) => Request::RotateKeys,
        Command::Key(Key::Rotate { record: Some(record) }) => Request::RotateRecord { record: record_id(record)? },
        Command::Export(Export::Record { record, out, key_out }) => {
            Request::ExportRecord { record: record_id(record)?, out: absolute(out)?, key_out: absolute(key_out)? }
        }
        Command::Import(Import::Record { file, key_file, log_key }) => {
            Request::ImportRecord { file: absolute(file)?, key_file: absolute(key_file)?, log_key: log_key.clone() }
        }
        Command::Prove(words) => Request::Prove {
            record: record_id(&words.record)?,
            access: match words.stream.as_str() {
                "care" => false,
                "access" => true,
                other => return Err(CliError::usage(format!("--stream is care or access, not {other}"))),
            },
            seq: words.seq,
            out: absolute(&words.out)?,
        },
        other => unreachable!("{other:?} is run above"),
    })
}

fn record_id(text: &str) -> Result<RecordId, CliError> {
    text.parse().map_err(|error| CliError::usage(format!("{text}: {error}")))
}

/// A server may have another working folder than the command.
fn absolute(path: &Path) -> Result<PathBuf, CliError> {
    std::path::absolute(path).map_err(|error| CliError::usage(format!("{}: {error}", path.display())))
}
