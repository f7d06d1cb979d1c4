//! Jobs as they are kept: sealed rows that expire after a day, each with the name of the system that started it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use keepwell_fhir::outcome::IssueCode;
use keepwell_model::{RecordId, Timestamp};
use keepwell_record::SideTable;
use serde::{Deserialize, Serialize};

use crate::rest::not_found;
use crate::systems::Client;
use crate::{FhirError, Service, ServiceError};

/// How many jobs of one system run at once.
const AT_ONCE: usize = 2;
/// How many jobs run at once in this process.
const IN_ALL: usize = 8;
/// How many jobs of one system are kept.
const MOST_KEPT: usize = 32;
/// Seconds for which a job is kept.
const KEPT: i64 = 24 * 3_600;
/// Seconds without a sign of life after which a job's process is taken to be gone.
const SILENCE: i64 = 60;
/// Seconds after which a sign of life is due.
const NOTED: i64 = 5;

/// How many files one system takes at once: each keeps some pieces waiting, which may be large.
const DOWNLOADS: usize = 8;

/// What jobs do in this process.
#[derive(Default)]
pub(crate) struct Places {
    running: Seats,
    downloads: Seats,
    /// Held while what is kept of jobs is changed, so that nothing comes back that was forgotten meanwhile.
    changing: tokio::sync::Mutex<()>,
}

/// Who does what: names of systems by what they do.
#[derive(Clone, Default)]
struct Seats(Arc<Mutex<HashMap<String, String>>>);

/// Something that is done; its seat is free again when this goes.
pub(super) struct Seat {
    seats: Seats,
    what: String,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.lock().remove(&self.what);
    }
}

impl Seats {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A seat, unless the system has so many, or all have so many, or this is done already.
    fn take(&self, client: &str, what: &str, own: usize, all: usize) -> Option<Seat> {
        let mut seats = self.lock();
        let taken = seats.values().filter(|name| *name == client).count();
        if taken >= own || seats.len() >= all || seats.contains_key(what) {
            return None;
        }
        seats.insert(what.to_owned(), client.to_owned());
        Some(Seat { seats: self.clone(), what: what.to_owned() })
    }
}

/// A job, as kept.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) client: String,
    pub(super) work: Work,
    /// The address that it was asked for by.
    pub(super) request: String,
    /// When it was asked for.
    pub(super) at: Timestamp,
    /// When it last gave a sign of life.
    pub(super) touched: Timestamp,
    pub(super) state: State,
    pub(super) files: Vec<File>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) enum Work {
    Export(Asked),
    Import,
}

/// What an export is to hold.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Asked {
    /// Only this record.
    pub(super) only: Option<RecordId>,
    /// Only these types.
    pub(super) types: Option<BTreeSet<String>>,
    /// Only what was changed from then on.
    pub(super) since: Option<i64>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum State {
    /// So many records, or Bundles, are done with.
    Working(u64),
    Done(u64),
    Failed,
}

/// A file that can be downloaded. A Bundle says what was deleted, an OperationOutcome what was refused.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct File {
    pub(super) kind: String,
    pub(super) part: u32,
    pub(super) count: u64,
}

impl Job {
    pub(super) fn new(client: &Client, work: Work, request: &str, now: Timestamp) -> Self {
        let (client, request) = (client.name.clone(), request.to_owned());
        Self { client, work, request, at: now, touched: now, state: State::Working(0), files: Vec::new() }
    }

    pub(super) fn expires(&self) -> Timestamp {
        self.at.plus_seconds(KEPT)
    }
}

fn key(id: &str) -> Vec<u8> {
    format!("bulk:{id}").into_bytes()
}

fn part_key(id: &str, part: u32) -> Vec<u8> {
    format!("bulk:{id}:{part}").into_bytes()
}

/// Where the jobs of a system are listed. A job's id holds no blank.
fn list_key(client: &str) -> Vec<u8> {
    format!("bulk jobs of {client}").into_bytes()
}

fn too_many(words: &str) -> FhirError {
    FhirError::new(429, IssueCode::Throttled, words)
}

impl Service {
    /// Keeps a new job, if its system may have one more, and gives it its id and its place.
    pub(super) async fn begin_job(&self, job: &Job) -> Result<(String, Seat), FhirError> {
        let id = self.secret::<20>();
        let running = self.inner.jobs.running.take(&job.client, &id, AT_ONCE, IN_ALL).ok_or_else(|| {
            too_many("There are too many exports and imports under way. Wait until one of them is done.")
        })?;
        let _alone = self.inner.jobs.changing.lock().await;
        let mut list = self.jobs_of(&job.client).await?;
        if list.len() >= MOST_KEPT {
            let words =
                "Too many exports and imports of this system are kept. Delete those that are not needed any more.";
            return Err(too_many(words));
        }
        list.push((id.clone(), job.expires()));
        self.put_list(&job.client, &list).await?;
        self.put_job(&id, job).await?;
        tracing::info!(job = id, client = job.client, "A bulk job of {} begins", job.client);
        Ok((id, running))
    }

    /// A place for a job whose process is gone, with what is kept of it. `None` if it runs again already, or if there is
    /// no place for it now.
    pub(super) async fn resume_job(&self, id: &str) -> Result<Option<(Job, Seat)>, ServiceError> {
        let _alone = self.inner.jobs.changing.lock().await;
        let Some(mut job) = self.job(id).await?.filter(|job| self.is_silent(id, job)) else { return Ok(None) };
        let Some(running) = self.inner.jobs.running.take(&job.client, id, AT_ONCE, IN_ALL) else { return Ok(None) };
        job.files.clear();
        job.touched = self.now();
        self.put_job(id, &job).await?;
        Ok(Some((job, running)))
    }

    /// A seat for a download.
    pub(super) fn seat_for_download(&self, client: &Client) -> Result<Seat, FhirError> {
        let seat = self.inner.jobs.downloads.take(&client.name, &self.secret::<12>(), DOWNLOADS, usize::MAX);
        seat.ok_or_else(|| too_many("This system takes too many files at once. Wait until it has some of them."))
    }

    /// Whether a job that is not done gives no sign of life any more.
    pub(super) fn is_silent(&self, id: &str, job: &Job) -> bool {
        !self.inner.jobs.running.lock().contains_key(id) && self.now() > job.touched.plus_seconds(SILENCE)
    }

    async fn put_job(&self, id: &str, job: &Job) -> Result<(), ServiceError> {
        let value = serde_json::to_vec(job).expect("a job is plain values");
        Ok(self.tenant().side_put(SideTable::Job, &key(id), &value, Some(job.expires())).await?)
    }

    /// The jobs of a system that have not expired.
    async fn jobs_of(&self, client: &str) -> Result<Vec<(String, Timestamp)>, ServiceError> {
        let value = self.tenant().side_get(SideTable::Job, &list_key(client)).await?;
        let mut list: Vec<(String, Timestamp)> = value.map_or_else(|| Ok(Vec::new()), |value| readable(&value))?;
        let now = self.now();
        list.retain(|(_, expires)| *expires > now);
        Ok(list)
    }

    async fn put_list(&self, client: &str, list: &[(String, Timestamp)]) -> Result<(), ServiceError> {
        let value = serde_json::to_vec(list).expect("names and times");
        let expires = list.iter().map(|(_, expires)| *expires).max();
        let expires = expires.unwrap_or_else(|| self.now());
        Ok(self.tenant().side_put(SideTable::Job, &list_key(client), &value, Some(expires)).await?)
    }

    pub(super) async fn keep_part(&self, id: &str, job: &Job, part: u32, value: &[u8]) -> Result<(), ServiceError> {
        Ok(self.tenant().side_put(SideTable::Job, &part_key(id, part), value, Some(job.expires())).await?)
    }

    pub(super) async fn part(&self, id: &str, part: u32) -> Result<Option<Vec<u8>>, ServiceError> {
        Ok(self.tenant().side_get(SideTable::Job, &part_key(id, part)).await?)
    }

    async fn job(&self, id: &str) -> Result<Option<Job>, ServiceError> {
        // Nothing else leads to the row of something else.
        if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
            return Ok(None);
        }
        let value = self.tenant().side_get(SideTable::Job, &key(id)).await?;
        value.map(|value| readable(&value)).transpose()
    }

    /// A job of that system; anybody else's is not there.
    pub(super) async fn own_job(&self, client: &Client, id: &str) -> Result<Job, FhirError> {
        let job = self.job(id).await?.filter(|job| job.client == client.name);
        job.ok_or_else(|| {
            let words = "There is no such job, or not any more. A job is kept for a day. Start it again.";
            FhirError::new(404, IssueCode::NotFound, words)
        })
    }

    /// Forgets a job. If it runs, it stops.
    ///
    /// # Errors
    /// [`FhirError`]: 404 not found, 503.
    pub async fn bulk_forget(&self, client: &Client, id: &str) -> Result<(), FhirError> {
        let _alone = self.inner.jobs.changing.lock().await;
        let job = self.own_job(client, id).await?;
        if !self.tenant().side_delete(SideTable::Job, &key(id)).await.map_err(ServiceError::from)? {
            return Err(not_found());
        }
        self.drop_parts(id, &job).await?;
        let mut list = self.jobs_of(&job.client).await?;
        list.retain(|(other, _)| other != id);
        Ok(self.put_list(&job.client, &list).await?)
    }

    /// Forgets what the files of a job are made from.
    pub(super) async fn drop_parts(&self, id: &str, job: &Job) -> Result<(), ServiceError> {
        let parts: BTreeSet<u32> = job.files.iter().map(|file| file.part).collect();
        for part in parts {
            self.tenant().side_delete(SideTable::Job, &part_key(id, part)).await?;
        }
        Ok(())
    }

    /// Notes how far a job is, if that is due. Answers whether it is still wanted.
    pub(super) async fn go_on(&self, id: &str, job: &mut Job, done: u64) -> Result<bool, ServiceError> {
        job.state = State::Working(done);
        if self.now() < job.touched.plus_seconds(NOTED) {
            return Ok(self.job(id).await?.is_some());
        }
        self.note_job(id, job).await
    }

    /// Keeps what has become of a job, unless it was forgotten. Answers whether it is still wanted.
    async fn note_job(&self, id: &str, job: &mut Job) -> Result<bool, ServiceError> {
        let _alone = self.inner.jobs.changing.lock().await;
        if self.job(id).await?.is_none() {
            return Ok(false);
        }
        job.touched = self.now();
        self.put_job(id, job).await?;
        Ok(true)
    }

    /// Notes how a job ended: with so much done, or not wanted any more, or broken off.
    pub(super) async fn end_job(&self, id: &str, mut job: Job, ended: Result<Option<u64>, ServiceError>) {
        let wanted = match ended {
            Ok(None) => Ok(false),
            Ok(Some(count)) => {
                tracing::info!(job = id, client = job.client, "A bulk job of {} is done", job.client);
                job.state = State::Done(count);
                self.note_job(id, &mut job).await
            }
            Err(error) => {
                tracing::error!(job = id, "A job broke off: {error}");
                job.state = State::Failed;
                self.note_job(id, &mut job).await
            }
        };
        let left = match wanted {
            Ok(true) => Ok(()),
            Ok(false) => self.drop_parts(id, &job).await,
            Err(error) => Err(error),
        };
        if let Err(error) = left {
            tracing::error!(job = id, "How a job ended could not be noted: {error}");
        }
    }
}

fn readable<T: serde::de::DeserializeOwned>(value: &[u8]) -> Result<T, ServiceError> {
    serde_json::from_slice(value).map_err(|error| {
        tracing::error!("What is kept of a job cannot be read: {error}");
        ServiceError::Unavailable
    })
}
