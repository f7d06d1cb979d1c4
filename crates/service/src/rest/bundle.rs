//! Batches: each entry by itself, as if it had come alone (R4 §3.1.0.11.1). And the answers to both kinds of Bundle.

use bytes::Bytes;
use futures_util::StreamExt as _;
use keepwell_fhir::bundle::{Entry, Method, entries};
use keepwell_fhir::outcome::{Issue, IssueCode};
use keepwell_fhir::{compartment, json};
use keepwell_model::{Seq, Timestamp};
use keepwell_record::busy;

use super::out::{Out, Response};
use crate::systems::{Client, TransactionResponse};
use crate::transaction::{Change, Patch, WriteRequest};
use crate::{FhirError, Service};

/// How many entries of a batch are worked on at once.
const AT_ONCE: usize = 16;
/// Bundles with more bytes than this take a while to read.
const LARGE: usize = 256 * 1024;

/// How a Bundle is to be answered.
#[derive(Debug, Clone, Copy, Default)]
pub struct BundleRequest<'a> {
    /// The FHIR base address, for links.
    pub base: &'a str,
    /// Whether the resources that were written are wanted back.
    pub representation: bool,
    /// Whether each entry is to say how it went, in words.
    pub outcomes: bool,
}

/// The answer to one entry.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) resource: Option<Bytes>,
    pub(crate) location: Option<String>,
    pub(crate) version: Option<(Seq, Timestamp)>,
    /// What is wrong.
    pub(crate) outcome: Option<Bytes>,
}

impl Answered {
    /// Something that was read.
    pub(crate) fn found(resource: Bytes) -> Self {
        Self { status: 200, resource: Some(resource), ..Self::default() }
    }

    pub(crate) fn refused(error: FhirError) -> Self {
        Self { status: error.status, outcome: Some(error.outcome()), ..Self::default() }
    }

    /// The answers as a Bundle.
    pub(crate) fn bundle<'a>(kind: &str, answers: impl Iterator<Item = &'a Self>, outcomes: bool) -> Bytes {
        let mut out = Out::new(kind);
        let well = outcomes.then(FhirError::all_well);
        for answer in answers {
            let version = answer.version.map(|(version, time)| (format!("W/\"{version}\""), time.to_string()));
            let response = Response {
                status: status_line(answer.status),
                location: answer.location.as_deref(),
                etag: version.as_ref().map(|(etag, _)| etag.as_str()),
                last_modified: version.as_ref().map(|(_, time)| time.as_str()),
                outcome: answer.outcome.as_ref().or(well.as_ref()).map(|outcome| &outcome[..]),
            };
            out.answer(answer.resource.as_deref(), &response);
        }
        out.finish()
    }
}

fn status_line(status: u16) -> &'static str {
    match status {
        200 => "200 OK",
        201 => "201 Created",
        204 => "204 No Content",
        304 => "304 Not Modified",
        400 => "400 Bad Request",
        403 => "403 Forbidden",
        404 => "404 Not Found",
        405 => "405 Method Not Allowed",
        409 => "409 Conflict",
        410 => "410 Gone",
        412 => "412 Precondition Failed",
        413 => "413 Content Too Large",
        422 => "422 Unprocessable Content",
        503 => "503 Service Unavailable",
        504 => "504 Gateway Timeout",
        _ => "500 Internal Server Error",
    }
}

/// One entry of a batch, ready to be done.
struct Task {
    index: usize,
    phase: Phase,
    what: What,
}

/// In which order the entries are done. They must not depend on each other, but senders put a Patient and what is about it
/// into one batch all the same, so the order is that of a transaction, people and the directory first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Delete,
    Whom,
    Write,
    Read,
}

enum What {
    Write {
        resource_type: &'static str,
        id: Option<String>,
        change: Change,
        if_match: Option<String>,
        if_none_match: Option<String>,
        condition: Option<String>,
    },
    Read {
        url: String,
        if_none_match: Option<String>,
    },
    Refused(FhirError),
}

impl Service {
    /// Takes a batch or a transaction of a registered source system. In a batch each entry is taken or refused by itself.
    ///
    /// # Errors
    /// [`FhirError`] if it is neither, or if a transaction is refused; nothing of it was taken then.
    pub async fn bundle(
        &self,
        client: &Client,
        body: Bytes,
        request: BundleRequest<'_>,
    ) -> Result<TransactionResponse, FhirError> {
        match self.transaction_with(client, body.clone(), request).await? {
            Some(response) => Ok(response),
            None => self.batch(client, &body, request).await,
        }
    }

    async fn batch(
        &self,
        client: &Client,
        body: &Bytes,
        request: BundleRequest<'_>,
    ) -> Result<TransactionResponse, FhirError> {
        let mut tasks = self.read_batch(body)?;
        let mut answers: Vec<Option<Answered>> = vec![None; tasks.len()];
        tasks.sort_by_key(|task| task.phase);
        for phase in [Phase::Delete, Phase::Whom, Phase::Write, Phase::Read] {
            let rest = tasks.split_off(tasks.partition_point(|task| task.phase <= phase));
            let run = std::mem::replace(&mut tasks, rest);
            let at_once = if phase == Phase::Whom { 1 } else { AT_ONCE };
            let alone = run.into_iter().map(|task| self.do_alone(client, task, request));
            let mut done = futures_util::stream::iter(alone).buffer_unordered(at_once);
            while let Some((index, answer)) = done.next().await {
                answers[index] = Some(answer);
            }
        }
        let answers: Vec<Answered> = answers.into_iter().flatten().collect();
        let entries = answers.len();
        let changed = answers.iter().filter(|answer| matches!(answer.status, 201 | 204)).count();
        tracing::info!(client = client.name, entries, "Took a batch of {entries} entries from {}", client.name);
        let json = Answered::bundle("batch-response", answers.iter(), request.outcomes);
        Ok(TransactionResponse { json, record: None, entries, changed })
    }

    /// The entries of a batch, its size and form already checked.
    fn read_batch(&self, body: &Bytes) -> Result<Vec<Task>, FhirError> {
        let check = || json::check(body);
        let checked = if body.len() < LARGE { check() } else { busy(check) };
        let checked = checked.map_err(|error| FhirError::of(400, error.into()))?;
        let bytes = Bytes::from(checked.bytes);
        let tasks: Vec<Task> = entries(&bytes, &checked.outline)
            .enumerate()
            .map(|(index, entry)| match entry {
                Ok(entry) => task(&entry, &bytes),
                Err(issue) => Task { index, phase: Phase::Read, what: What::Refused(FhirError::of(400, issue.into())) },
            })
            .collect();
        let most = self.inner.config.max_entries;
        if tasks.len() > most {
            let words = format!("The Bundle has more than {most} entries, the limit here. Send it in parts.");
            return Err(FhirError::new(413, IssueCode::TooCostly, words));
        }
        Ok(tasks)
    }

    async fn do_alone(&self, client: &Client, task: Task, request: BundleRequest<'_>) -> (usize, Answered) {
        let answer = match &task.what {
            What::Refused(error) => Answered::refused(error.clone()),
            What::Read { url, if_none_match } => {
                self.answer_read(client, request.base, url, if_none_match.as_deref()).await
            }
            What::Write { resource_type, id, change, if_match, if_none_match, condition } => {
                let write = WriteRequest {
                    if_match: if_match.as_deref(),
                    if_none_match: if_none_match.as_deref(),
                    condition: condition.as_deref(),
                    representation: request.representation,
                    ..WriteRequest::new(resource_type, id.as_deref(), change.clone())
                };
                match self.write(client, &write).await {
                    Ok(written) => Answered {
                        status: written.status,
                        location: location(resource_type, &written),
                        version: written.version.zip(written.last_updated),
                        resource: written.json,
                        outcome: None,
                    },
                    Err(error) => Answered::refused(error),
                }
            }
        };
        (task.index, answer)
    }
}

fn location(resource_type: &str, written: &crate::Written) -> Option<String> {
    let (id, version) = (written.id.as_ref()?, written.version?);
    (written.status != 204).then(|| format!("{resource_type}/{id}/_history/{version}"))
}

fn task(entry: &Entry<'_>, bytes: &Bytes) -> Task {
    let refused = |error| What::Refused(error);
    let kind = entry.url.resource_type;
    let body = || entry.resource.as_ref().map(|(_, range)| bytes.slice(range.clone())).unwrap_or_default();
    let text = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().map(str::to_owned);
    let change = match (entry.method, &entry.resource) {
        (Method::Get | Method::Head, _) => None,
        (Method::Post, _) => Some(Ok(Change::Create(body()))),
        (Method::Put, _) => Some(Ok(Change::Update(body()))),
        (Method::Delete, _) => Some(Ok(Change::Delete)),
        (Method::Patch, Some((resource, _))) => Some(Patch::inside(resource, entry).map(Change::Patch)),
        (Method::Patch, None) => {
            Some(Err(Issue::error(IssueCode::Required, "A PATCH needs the patch as its resource.")))
        }
    };
    let (phase, what) = match change {
        None => {
            (Phase::Read, What::Read { url: entry.url.text.to_string(), if_none_match: text(&entry.if_none_match) })
        }
        Some(Err(issue)) => (Phase::Read, refused(FhirError::of(400, issue.into()))),
        Some(Ok(change)) => {
            let phase = match change {
                Change::Delete => Phase::Delete,
                _ if kind == "Patient" || compartment::compartment(kind).is_none() => Phase::Whom,
                _ => Phase::Write,
            };
            let id = entry.url.id().filter(|_| entry.method != Method::Post).map(str::to_owned);
            let (if_match, if_none_match) = (text(&entry.if_match), text(&entry.if_none_match));
            let condition = match entry.method {
                Method::Post => text(&entry.if_none_exist),
                _ => entry.url.query().filter(|_| id.is_none()).map(str::to_owned),
            };
            (phase, What::Write { resource_type: kind, id, change, if_match, if_none_match, condition })
        }
    };
    Task { index: entry.index, phase, what }
}
