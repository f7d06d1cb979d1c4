//! `keepwell witness`: a small server that cosigns the checkpoints of logs which only ever grow (C2SP tlog-witness).

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use keepwell_model::{Clock as _, Random as _};
use keepwell_record::log::{self, Refusal, Seen, SignatureKind, SigningKey, TrustedLog, VerifyingKey};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::cli::{Cli, Witness};
use crate::error::CliError;
use crate::folder::{Folder, write_whole};
use crate::system::{SystemClock, SystemRandom};
use crate::{output, server};

/// A request is a checkpoint and a proof: a few kilobytes.
const MAX_REQUEST: usize = 64 << 10;

/// What the witness remembers of one log.
#[derive(Debug, Serialize, Deserialize)]
struct Memory {
    size: u64,
    root: [u8; 32],
    checkpoint: String,
}

struct Inner {
    witness: log::Witness,
    folder: PathBuf,
    /// Looking up what was seen and storing what is seen now must be one step.
    one_at_a_time: Mutex<()>,
}

/// Runs the witness until stopped.
pub(super) async fn run(cli: &Cli, words: &Witness) -> Result<(), CliError> {
    let folder = Folder::new(&cli.dir);
    folder.create()?;
    let key = signing_key(&folder, &words.name)?;
    let logs: Vec<TrustedLog> = words
        .logs
        .iter()
        .map(|text| text.parse::<VerifyingKey>().map(TrustedLog::from))
        .collect::<Result<_, _>>()
        .map_err(|error| CliError::usage(format!("--log: {error}")))?;
    let shown = key.verifying().to_string();
    let witness = log::Witness::new(key, logs).map_err(|error| CliError::failed(error.to_string()))?;
    let inner = Inner { witness, folder: folder.path().to_owned(), one_at_a_time: Mutex::new(()) };
    let app = Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .layer(DefaultBodyLimit::max(MAX_REQUEST))
        .with_state(Arc::new(inner));
    let listener = server::bind(&words.listen).await?;
    output::aside(&format!("keepwell: witnessing on {}", listener.local_addr()?));
    output::say(&shown);
    axum::serve(listener, app).with_graceful_shutdown(server::asked_to_stop()).await?;
    Ok(())
}

/// The witness's key, made on first use and kept in the folder.
fn signing_key(folder: &Folder, name: &str) -> Result<SigningKey, CliError> {
    let path = folder.path().join("witness.key");
    let seed = match std::fs::read(&path) {
        Ok(bytes) => bytes.try_into().map_err(|_| CliError::with_code("witness.key is not a key", 5))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut seed = [0u8; 32];
            SystemRandom.fill(&mut seed);
            write_whole(&path, &seed)?;
            seed
        }
        Err(error) => return Err(CliError::with_code(format!("{} cannot be read: {error}", path.display()), 5)),
    };
    SigningKey::from_seed(name, SignatureKind::Witness, &seed)
        .map_err(|error| CliError::usage(format!("--name: {error}")))
}

async fn add_checkpoint(State(inner): State<Arc<Inner>>, body: Bytes) -> Response {
    match inner.decide(&body).await {
        Ok(answer) => ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], answer).into_response(),
        Err(Trouble::Refused(refusal)) => {
            let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
            let (media_type, text) = refusal.body();
            (status, [(header::CONTENT_TYPE, media_type)], text).into_response()
        }
        Err(Trouble::Memory(error)) => {
            tracing::error!("The witness cannot remember what it saw, so it signs nothing: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

enum Trouble {
    Refused(Refusal),
    Memory(CliError),
}

impl Inner {
    async fn decide(&self, body: &[u8]) -> Result<String, Trouble> {
        let submission = self.witness.open(body).map_err(Trouble::Refused)?;
        let _lock = self.one_at_a_time.lock().await;
        // Origins may hold slashes; a file name may not.
        let name: String =
            submission.origin().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let path = self.folder.join(format!("{name}.seen.json"));
        let last = match std::fs::read(&path) {
            Ok(bytes) => {
                let memory: Memory = serde_json::from_slice(&bytes)
                    .map_err(|error| Trouble::Memory(CliError::failed(format!("{}: {error}", path.display()))))?;
                Some(Seen { size: memory.size, root: memory.root })
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(Trouble::Memory(error.into())),
        };
        let cosigned = submission.cosign(last, SystemClock.now()).map_err(Trouble::Refused)?;
        let memory =
            Memory { size: cosigned.seen.size, root: cosigned.seen.root, checkpoint: cosigned.checkpoint.clone() };
        let bytes = serde_json::to_vec(&memory).expect("numbers and text");
        write_whole(&path, &bytes).map_err(Trouble::Memory)?;
        Ok(cosigned.answer)
    }
}
