//! The load: the same for every server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::client::{Answer, Connection, Target};

/// How a number of clients fared with one kind of request.
pub(crate) struct Figures {
    /// Clients at once.
    pub(crate) clients: usize,
    /// Answers a second, all clients together.
    pub(crate) rate: f64,
    /// Latencies, sorted.
    latencies: Vec<Duration>,
    /// Bytes of answers' bodies.
    pub(crate) bytes: usize,
}

impl Figures {
    /// The latency that this share of the answers did not exceed, in milliseconds.
    pub(crate) fn percentile(&self, share: f64) -> f64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
        let at = ((self.latencies.len() as f64 * share) as usize).min(self.latencies.len().saturating_sub(1));
        self.latencies.get(at).map_or(0.0, |latency| latency.as_secs_f64() * 1e3)
    }

    /// Mean length of an answer's body.
    pub(crate) fn mean_bytes(&self) -> usize {
        self.bytes / self.latencies.len().max(1)
    }
}

/// Sends requests from so many clients for so long; `next` makes the request of a running number. Every answer must be
/// one of success.
pub(crate) async fn run(
    target: &Target,
    clients: usize,
    time: Duration,
    next: impl Fn(usize) -> Vec<u8> + Send + Sync + 'static,
) -> Figures {
    let next = Arc::new(next);
    let counter = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let until = start + time;
    let mut tasks = Vec::new();
    for _ in 0..clients {
        let (target, next, counter) = (target.clone(), Arc::clone(&next), Arc::clone(&counter));
        tasks.push(tokio::spawn(async move {
            let mut connection = Connection::open(&target).await;
            let (mut latencies, mut bytes) = (Vec::new(), 0);
            while Instant::now() < until {
                let request = next(counter.fetch_add(1, Ordering::Relaxed));
                let begun = Instant::now();
                let answer = connection.send(&request).await;
                latencies.push(begun.elapsed());
                bytes += answer.body.len();
                good(&answer);
            }
            (latencies, bytes)
        }));
    }
    let (mut latencies, mut bytes) = (Vec::new(), 0);
    for task in tasks {
        let (some, count) = task.await.expect("a client does not panic unless the server misbehaves");
        latencies.extend(some);
        bytes += count;
    }
    let rate = latencies.len() as f64 / start.elapsed().as_secs_f64();
    latencies.sort_unstable();
    Figures { clients, rate, latencies, bytes }
}

fn good(answer: &Answer) {
    let words = String::from_utf8_lossy(&answer.body[..answer.body.len().min(600)]).into_owned();
    assert!((200..300).contains(&answer.status), "the server answered {}: {words}", answer.status);
}

/// What was imported: where each resource is now, `Type/id`.
#[derive(Default)]
pub(crate) struct Imported {
    /// Resources a second, every Bundle durable before its answer.
    pub(crate) rate: f64,
    /// How many resources.
    pub(crate) resources: usize,
    /// Patient ids, with how many resources came with each.
    pub(crate) patients: Vec<(String, usize)>,
    /// `Type/id` of everything that belongs to a person.
    pub(crate) places: Vec<String>,
}

/// Sends all Bundles from so many clients.
pub(crate) async fn import(target: &Target, bundles: &[Vec<u8>], clients: usize) -> Imported {
    let requests: Arc<Vec<Vec<u8>>> = Arc::new(bundles.iter().map(|it| target.request("POST", "", it)).collect());
    let counter = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..clients {
        let (target, requests, counter) = (target.clone(), Arc::clone(&requests), Arc::clone(&counter));
        tasks.push(tokio::spawn(async move {
            let mut connection = Connection::open(&target).await;
            let mut answers = Vec::new();
            while let Some(request) = requests.get(counter.fetch_add(1, Ordering::Relaxed)) {
                let answer = connection.send(request).await;
                good(&answer);
                answers.push(answer.body);
            }
            answers
        }));
    }
    let mut answers = Vec::new();
    for task in tasks {
        answers.extend(task.await.expect("a client does not panic unless the server misbehaves"));
    }
    let elapsed = start.elapsed();
    let mut found = Imported::default();
    for answer in answers {
        let places = places(&answer);
        found.resources += places.len();
        if let Some(patient) = places.iter().find_map(|place| place.strip_prefix("Patient/")) {
            found.patients.push((patient.to_owned(), places.len()));
        }
        found.places.extend(places.into_iter().filter(|place| is_personal(place)));
    }
    found.rate = found.resources as f64 / elapsed.as_secs_f64();
    found
}

/// People, places and money would make the mix less like what is read in care.
fn is_personal(place: &str) -> bool {
    let (kind, _) = place.split_once('/').unwrap_or_default();
    matches!(
        kind,
        "Patient" | "Observation" | "Condition" | "Encounter" | "Procedure" | "DiagnosticReport" | "Immunization"
    )
}

/// `Type/id` of each entry of a transaction's answer.
fn places(answer: &[u8]) -> Vec<String> {
    let bundle: serde_json::Value = serde_json::from_slice(answer).expect("the answer is JSON");
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    let place = |entry: &serde_json::Value| {
        let location = entry["response"]["location"].as_str()?;
        let before = location.split("/_history").next()?;
        let mut parts = before.rsplit('/');
        let (id, kind) = (parts.next()?, parts.next()?);
        Some(format!("{kind}/{id}"))
    };
    entries.iter().filter_map(place).collect()
}
