//! A file of an export, read from the records while it goes out. Each record's line is durable before the first of its
//! resources leaves.

use bytes::Bytes;
use keepwell_fhir::json;
use keepwell_fhir::types;
use keepwell_model::{RecordId, Seq, Stream};
use keepwell_record::{Entry, OpenRecord};
use tokio::sync::mpsc::Sender;

use super::super::TURN;
use super::super::shown::Shown;
use super::export::Part;
use super::jobs::{Asked, Seat, State, Work};
use super::trail::Pass;
use crate::extract::{category_of, category_of_type};
use crate::gate::looked;
use crate::rest::{Seen, not_found};
use crate::systems::Client;
use crate::views::Category;
use crate::{FhirError, Service, ServiceError};

/// How many bytes go out at a time.
const PIECE: usize = 128 << 10;

/// The rest of a file could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the rest of the file could not be read")]
pub struct BrokenOff;

/// A file that is about to go out.
pub struct BulkFile {
    service: Service,
    client: Client,
    content: Content,
    seat: Seat,
}

enum Content {
    /// Resources of one type, or what was deleted, of these records.
    Records { what: What, asked: Asked, records: Part },
    /// What was kept for it.
    Kept(Bytes),
}

/// What of each record goes out.
#[derive(Clone, Copy)]
enum What {
    Resources(&'static str),
    Deleted,
}

impl std::fmt::Debug for BulkFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BulkFile(…)")
    }
}

impl Service {
    /// Opens a file of a job for its owner.
    ///
    /// # Errors
    /// [`FhirError`]: 403 not allowed any more, 404 not found, 429 too many at once, 503.
    pub async fn bulk_file(&self, client: &Client, id: &str, part: &str, name: &str) -> Result<BulkFile, FhirError> {
        let job = self.own_job(client, id).await?;
        let kind = name.strip_suffix(".ndjson").and_then(types::known).ok_or_else(not_found)?;
        let part: u32 = part.parse().map_err(|_| not_found())?;
        let is_done = matches!(job.state, State::Done(_));
        if !is_done || !job.files.iter().any(|file| file.kind == kind && file.part == part) {
            return Err(not_found());
        }
        let seat = self.seat_for_download(client)?;
        let kept = self.part(id, part).await?.ok_or_else(not_found)?;
        let content = match job.work {
            Work::Import => Content::Kept(Bytes::from(kept)),
            Work::Export(asked) => {
                let _permit = self.may_export(client)?;
                let records = serde_json::from_slice(&kept).map_err(|_| ServiceError::Unavailable)?;
                let (what, types) = match kind {
                    "Bundle" => (What::Deleted, asked.types),
                    kind => (What::Resources(kind), Some([kind.to_owned()].into())),
                };
                Content::Records { what, asked: Asked { types, ..asked }, records }
            }
        };
        Ok(BulkFile { service: self.clone(), client: client.clone(), content, seat })
    }
}

impl Service {
    /// A system as it is registered now, if it still may export.
    async fn still_exports(&self, client: &Client) -> Result<Client, ServiceError> {
        let client = self.registered(&client.name).await?.ok_or(ServiceError::NotFound)?;
        let _permit = self.may_export(&client).map_err(|_| ServiceError::NotFound)?;
        Ok(client)
    }
}

impl BulkFile {
    /// Sends the file piece by piece, until it ends or nobody takes it any more.
    ///
    /// # Errors
    /// [`ServiceError`] if the rest cannot be read.
    pub async fn send(self, sink: &Sender<Result<Bytes, BrokenOff>>) -> Result<(), ServiceError> {
        let Self { service, mut client, content, seat: _seat } = self;
        let (what, asked, records) = match content {
            Content::Kept(bytes) => {
                // Whoever asked may have gone.
                let _ = sink.send(Ok(bytes)).await;
                return Ok(());
            }
            Content::Records { what, asked, records } => (what, asked, records),
        };
        let mut checked = service.now();
        for (record, seq) in records {
            // Who takes the pieces slowly is not read ahead for, and no line says that they have what they have not.
            match sink.reserve().await {
                Ok(place) => drop(place),
                Err(_) => break,
            }
            // What its registration allowed when it began may be over before it ends.
            if service.now() > checked.plus_seconds(1) {
                checked = service.now();
                client = service.still_exports(&client).await?;
            }
            if !send_record(&service, &client, (record, seq), what, &asked, sink).await? {
                break;
            }
        }
        Ok(())
    }
}

/// Sends what goes out of one record. Answers whether anybody takes it.
async fn send_record(
    service: &Service,
    client: &Client,
    (record, seq): (RecordId, Seq),
    what: What,
    asked: &Asked,
    sink: &Sender<Result<Bytes, BrokenOff>>,
) -> Result<bool, ServiceError> {
    let seen = match service.see(client, record).await {
        // It was erased, or its reader may not see it any more.
        Err(ServiceError::NotFound) => return Ok(true),
        seen => seen?,
    };
    let earlier = match seen.table().head().seq == seq {
        true => None,
        false => Some(service.tenant().open_at(record, Stream::Care, seq).await?),
    };
    let then = match &earlier {
        None => seen.table(),
        Some(Some(earlier)) => earlier,
        // It was erased just now.
        Some(None) => return Ok(true),
    };
    match what {
        What::Resources(kind) => send_resources(service, &seen, then, kind, asked, sink).await,
        What::Deleted => send_deleted(service, &seen, then, asked, sink).await,
    }
}

async fn send_resources(
    service: &Service,
    seen: &Seen,
    then: &OpenRecord,
    kind: &str,
    asked: &Asked,
    sink: &Sender<Result<Bytes, BrokenOff>>,
) -> Result<bool, ServiceError> {
    let entries: Vec<Entry<'_>> = asked.entries(seen, then);
    let mut categories = Vec::with_capacity(entries.len());
    for entry in &entries {
        categories.push((category_of(kind, &then.body(entry).await?), 1));
    }
    categories.push((Category::Other, service.count_of_trail(seen, asked, then.head().seq).await?));
    let what = looked(categories);
    if what.is_empty() || sink.is_closed() {
        return Ok(!sink.is_closed());
    }
    seen.note(service, what).await?;
    let mut shown = Shown::of(seen, then);
    let mut out = Vec::with_capacity(PIECE);
    for (index, entry) in entries.iter().enumerate() {
        shown.write(entry, &then.body(entry).await?, &mut out);
        out.push(b'\n');
        if !send_if_large(&mut out, sink).await {
            return Ok(false);
        }
        if index % TURN == TURN - 1 {
            tokio::task::yield_now().await;
        }
    }
    let mut pass = Pass::until(then.head().seq);
    while asked.wants_trail() {
        let Some(found) = service.next_of_trail(seen, asked, &mut pass).await? else { break };
        for provenance in found {
            out.extend_from_slice(provenance.to_string().as_bytes());
            out.push(b'\n');
        }
        if !send_if_large(&mut out, sink).await {
            return Ok(false);
        }
    }
    Ok(out.is_empty() || sink.send(Ok(Bytes::from(out))).await.is_ok())
}

/// Sends what there is if it makes up a piece. Answers whether anybody takes it.
async fn send_if_large(out: &mut Vec<u8>, sink: &Sender<Result<Bytes, BrokenOff>>) -> bool {
    out.len() < PIECE || sink.send(Ok(Bytes::from(std::mem::take(out)))).await.is_ok()
}

/// Sends a transaction that deletes what was deleted, so that a copy elsewhere can follow.
async fn send_deleted(
    service: &Service,
    seen: &Seen,
    then: &OpenRecord,
    asked: &Asked,
    sink: &Sender<Result<Bytes, BrokenOff>>,
) -> Result<bool, ServiceError> {
    let entries = asked.deleted(seen, then);
    if entries.is_empty() || sink.is_closed() {
        return Ok(!sink.is_closed());
    }
    let categories = entries.iter().filter_map(|entry| Some((category_of_type(entry.kind().fhir_type()?), 1)));
    seen.note(service, looked(categories)).await?;
    let shown = Shown::of(seen, then);
    let mut out = br#"{"resourceType":"Bundle","type":"transaction","entry":["#.to_vec();
    for (index, entry) in entries.iter().enumerate() {
        out.extend_from_slice(if index > 0 { b"," } else { b"" });
        out.extend_from_slice(br#"{"request":{"method":"DELETE","url":"#);
        json::push_string(&mut out, &shown.reference(entry));
        out.extend_from_slice(b"}}");
    }
    out.extend_from_slice(b"]}\n");
    Ok(sink.send(Ok(Bytes::from(out))).await.is_ok())
}
