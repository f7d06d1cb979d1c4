//! How commands reach the store: they open it themselves, or, while a server has it, ask that server over a socket in
//! the folder that only the server's own user can open. Either way the same code does the work.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use keepwell_model::RecordId;
use keepwell_record::RootKey;
use keepwell_record::log::VerifyingKey;
use keepwell_service::{CareSetting, Grant, Validation};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};

use crate::commands::{erasures, keys};
use crate::error::CliError;
use crate::folder::{Folder, must_not_exist, write_whole};
use crate::installation::{Installation, Place};
use crate::system::SystemRandom;

/// A request is one line; nothing in one is long.
const MAX_LINE: u64 = 64 << 10;

/// What can be asked of an installation, served or not. Paths are absolute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub(crate) enum Request {
    Stats,
    Verify,
    Records {
        after: Option<RecordId>,
        limit: u32,
    },
    Backup {
        out: PathBuf,
    },
    AddClient {
        name: String,
        organisation: String,
        setting: String,
        #[serde(default)]
        grants: BTreeSet<Grant>,
        #[serde(default)]
        validation: String,
    },
    ListClients,
    RotateKeys,
    RotateRecord {
        record: RecordId,
    },
    Erase {
        record: RecordId,
        authority: String,
    },
    Merge {
        survivor: RecordId,
        other: RecordId,
    },
    Unmerge {
        other: RecordId,
    },
    ExportRecord {
        record: RecordId,
        out: PathBuf,
        key_out: PathBuf,
    },
    ImportRecord {
        file: PathBuf,
        key_file: PathBuf,
        log_key: Option<String>,
    },
    Prove {
        record: RecordId,
        access: bool,
        seq: u64,
        out: PathBuf,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Reply {
    Done(Value),
    Failed { message: String, code: u8 },
}

/// Has a request done, by the process that serves this folder if there is one, else by this one. A server is asked first
/// whatever the store is, since it has keys in memory that must change with the store's.
pub(crate) async fn ask(place: Place, request: Request) -> Result<Value, CliError> {
    let socket = place.folder.control();
    if let Ok(stream) = UnixStream::connect(&socket).await {
        let failed = |error| CliError::failed(format!("the server did not answer the command: {error}"));
        return ask_server(stream, &request).await.map_err(failed)?;
    }
    match place.open().await {
        Ok(installation) => {
            let done = perform(&installation, request).await;
            let mut kept = None;
            let logged = crate::jobs::keep_log(&installation.tenant, &installation.place.folder, &mut kept).await;
            let value = done?;
            logged?;
            Ok(value)
        }
        Err(error) => Err(error),
    }
}

async fn ask_server(mut stream: UnixStream, request: &Request) -> std::io::Result<Result<Value, CliError>> {
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(match serde_json::from_slice(&answer)? {
        Reply::Done(value) => Ok(value),
        Reply::Failed { message, code } => Err(CliError::with_code(message, code)),
    })
}

/// Listens for requests until the runtime ends. A socket left by a server that was killed is replaced; the store's own
/// lock has already made sure that no other server is running.
pub(crate) fn listen(installation: &Arc<Installation>) -> Result<(), CliError> {
    let socket = installation.place.folder.control();
    drop(std::fs::remove_file(&socket));
    let listener = UnixListener::bind(&socket)
        .map_err(|error| CliError::failed(format!("{} cannot be made: {error}", socket.display())))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o600))?;
    }
    let owner = std::os::unix::fs::MetadataExt::uid(&std::fs::symlink_metadata(&socket)?);
    let installation = Arc::clone(installation);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // The permissions of the socket say so too; but they were set a moment after it was made.
            if !stream.peer_cred().is_ok_and(|peer| peer.uid() == owner || peer.uid() == 0) {
                tracing::warn!("Another user's connection to the control socket was refused");
                continue;
            }
            let installation = Arc::clone(&installation);
            tokio::spawn(async move {
                if let Err(error) = answer(&installation, stream).await {
                    tracing::warn!("A command at the control socket was not answered: {error}");
                }
            });
        }
    });
    Ok(())
}

async fn answer(installation: &Installation, stream: UnixStream) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    BufReader::new(read.take(MAX_LINE)).read_line(&mut line).await?;
    let done = match serde_json::from_str::<Request>(&line) {
        Ok(request) => perform(installation, request).await,
        Err(error) => Err(CliError::failed(format!("the server does not know this command: {error}"))),
    };
    let reply = match done {
        Ok(value) => Reply::Done(value),
        Err(error) => Reply::Failed { message: error.to_string(), code: error.number() },
    };
    write.write_all(&serde_json::to_vec(&reply)?).await
}

async fn perform(at: &Installation, request: Request) -> Result<Value, CliError> {
    match request {
        Request::Stats => stats(at).await,
        Request::Verify => {
            let found = at.service.verify().await?;
            Ok(serde_json::to_value(found).expect("counts and strings"))
        }
        Request::Records { after, limit } => {
            let records = at.service.records(after, limit).await?;
            Ok(json!({ "records": records }))
        }
        Request::Backup { out } => {
            must_not_exist(&out)?;
            at.service.backup(&at.engine, out.clone()).await?;
            Ok(json!({ "backup": out, "bytes": std::fs::metadata(&out)?.len() }))
        }
        Request::AddClient { name, organisation, setting, grants, validation } => {
            let token = at.service.add_client(&name, &organisation, care_setting(&setting)).await?;
            at.service.set_validation(&name, of_invalid(&validation)).await?;
            // Registering it took all away.
            if !grants.is_empty() {
                at.service.grant(&name, grants).await?;
            }
            Ok(json!({ "client": name, "token": token }))
        }
        Request::ListClients => {
            let clients = at.service.clients().await?;
            let line = |c: &keepwell_service::Client| {
                json!({
                    "name": c.name, "organisation": c.organisation, "setting": setting_name(c.setting),
                    "validation": validation_name(c.validation), "grants": c.grants,
                })
            };
            Ok(json!({ "clients": clients.iter().map(line).collect::<Vec<_>>() }))
        }
        Request::RotateKeys => keys::rotate(at).await,
        Request::RotateRecord { record } => {
            at.service.rotate_record(record).await?;
            Ok(json!({ "record": record, "rotated": true }))
        }
        Request::Erase { record, authority } => erasures::erase(at, record, &authority).await,
        Request::Merge { survivor, other } => {
            at.service.merge(survivor, other).await?;
            Ok(json!({ "survivor": survivor, "merged": other }))
        }
        Request::Unmerge { other } => {
            at.service.unmerge(other).await?;
            Ok(json!({ "unmerged": other }))
        }
        Request::ExportRecord { record, out, key_out } => export_record(at, record, &out, &key_out).await,
        Request::ImportRecord { file, key_file, log_key } => import_record(at, &file, &key_file, log_key).await,
        Request::Prove { record, access, seq, out } => prove(at, record, access, seq, &out).await,
    }
}

fn of_invalid(name: &str) -> Validation {
    match name {
        "record" => Validation::Record,
        "off" => Validation::Off,
        _ => Validation::Strict,
    }
}

const fn validation_name(validation: Validation) -> &'static str {
    match validation {
        Validation::Strict => "strict",
        Validation::Record => "record",
        Validation::Off => "off",
    }
}

const fn setting_name(setting: CareSetting) -> &'static str {
    match setting {
        CareSetting::General => "general",
        CareSetting::MentalHealth => "mental-health",
        CareSetting::SocialCare => "social-care",
        CareSetting::SexualHealth => "sexual-health",
    }
}

fn care_setting(name: &str) -> CareSetting {
    match name {
        "mental-health" => CareSetting::MentalHealth,
        "social-care" => CareSetting::SocialCare,
        "sexual-health" => CareSetting::SexualHealth,
        _ => CareSetting::General,
    }
}

async fn stats(at: &Installation) -> Result<Value, CliError> {
    let store = at.engine.store();
    let stats = store.stats().await?;
    let cache = at.tenant.cache_stats();
    let size = at.tenant.checkpoint().await?.map_or(0, |opened| opened.checkpoint().size());
    Ok(json!({
        "store": store.kind(),
        // The directory is a record that belongs to nobody.
        "records": stats.records.saturating_sub(1),
        "erased": stats.erased,
        "blocks": stats.blocks,
        "block_bytes": stats.block_bytes,
        "snapshot_bytes": stats.snapshot_bytes,
        "aliases": stats.aliases,
        "disk_bytes": stats.disk_bytes,
        "log": { "entries": size, "key": at.tenant.log_key().to_string() },
        "cache": { "records": cache.records, "bytes": cache.bytes, "hits": cache.hits, "misses": cache.misses },
    }))
}

async fn export_record(at: &Installation, record: RecordId, out: &Path, key_out: &Path) -> Result<Value, CliError> {
    must_not_exist(out)?;
    must_not_exist(key_out)?;
    let key = RootKey::random(&SystemRandom);
    let archive = at.service.export_archive(record, &key).await?;
    write_whole(key_out, key.to_archive_line().as_bytes())?;
    write_whole(out, &archive)?;
    Ok(json!({ "record": record, "archive": out, "bytes": archive.len(), "key": key_out }))
}

async fn import_record(
    at: &Installation,
    file: &Path,
    key_file: &Path,
    log_key: Option<String>,
) -> Result<Value, CliError> {
    let read = |path: &Path| {
        std::fs::read(path).map_err(|error| CliError::failed(format!("{} cannot be read: {error}", path.display())))
    };
    let archive = read(file)?;
    let key = RootKey::parse_archive_line(&String::from_utf8_lossy(&read(key_file)?))?;
    let log_key: Option<VerifyingKey> =
        log_key.map(|key| key.parse().map_err(|error| CliError::usage(format!("--log-key: {error}")))).transpose()?;
    let info = at.service.import_archive(&archive, &key, log_key.as_ref()).await?;
    Ok(json!({ "record": info.record, "from": info.tenant, "log_key": info.log_key }))
}

async fn prove(at: &Installation, record: RecordId, access: bool, seq: u64, out: &Path) -> Result<Value, CliError> {
    let stream = if access { keepwell_model::Stream::Access } else { keepwell_model::Stream::Care };
    let (block, proof) = at
        .service
        .prove(record, stream, keepwell_model::Seq(seq))
        .await?
        .ok_or_else(|| CliError::failed("there is no such block"))?;
    let folder = Folder::new(out);
    folder.create_if_missing()?;
    let key = at.tenant.log_key().to_string();
    write_whole(&out.join("block.bin"), &block)?;
    write_whole(&out.join("proof.txt"), proof.to_string().as_bytes())?;
    write_whole(&out.join("log.key"), format!("{key}\n").as_bytes())?;
    Ok(json!({ "block": out.join("block.bin"), "proof": out.join("proof.txt"), "log_key": key }))
}
