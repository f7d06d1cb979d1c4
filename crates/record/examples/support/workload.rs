//! Writes as fast as it can, from several tasks at once, and says of each thing first that it will be tried and then
//! how it ended. What is said to have ended well must never be lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use keepwell_model::{RecordId, SeededRandom, Stream};
use keepwell_record::{RecordError, Tenant};
use serde::{Deserialize, Serialize};

use super::plan::{Plan, PlanEntry, PlanExpect, PlanPart, body, hex};

/// One line of the child's report.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Line {
    /// The store is open.
    Ready,
    /// This will be tried.
    Try(Plan),
    /// It is durable, at these heads: sequence number, hash, entry numbers of each part.
    Done(u64, Vec<(u64, String, Vec<u32>)>),
    /// It was refused, and nothing of it was written.
    Refused(u64, String),
    /// It is not known whether it was written.
    Unknown(u64),
    /// A side row will be written with this operation's value.
    SideTry(String, u64),
    SideDone(String, u64),
    /// A record will be erased.
    EraseTry(RecordId),
    EraseDone(RecordId),
    /// The log reaches to here: the signed checkpoint.
    Logged(String),
    /// Something was found wrong by the child itself.
    Wrong(String),
}

/// Where the lines go.
pub(crate) type Sink = Arc<dyn Fn(Line) + Send + Sync>;

/// What one run does.
#[derive(Clone)]
pub(crate) struct Workload {
    pub(crate) tenant: Tenant,
    pub(crate) sink: Sink,
    pub(crate) stop: Arc<AtomicBool>,
    /// Tells the operations of this run from those of all others.
    pub(crate) round: u64,
    pub(crate) seed: u64,
    /// Whether a store that cannot be reached is to be expected.
    pub(crate) patient: bool,
}

const TASKS: u64 = 6;

impl Workload {
    /// Runs until told to stop (or killed).
    pub(crate) async fn run(self) {
        let shared: Vec<RecordId> = self.tenant.records(None, 400).await.unwrap_or_default();
        let shared = Arc::new(shared);
        let mut tasks = Vec::new();
        for task in 0..TASKS {
            let random = SeededRandom::new(self.seed ^ (self.round << 8) ^ task);
            let mut one = Task {
                load: self.clone(),
                shared: Arc::clone(&shared),
                own: Vec::new(),
                random,
                next: (self.round << 32) | (task << 24),
                task,
            };
            tasks.push(tokio::spawn(async move { one.run().await }));
        }
        let log = self.clone();
        tasks.push(tokio::spawn(async move { log.keep_log().await }));
        for task in tasks {
            drop(task.await);
        }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    async fn keep_log(&self) {
        while !self.stopped() {
            match self.tenant.extend_log().await {
                Ok(_) => {
                    if let Ok(Some(opened)) = self.tenant.checkpoint().await {
                        (self.sink)(Line::Logged(hex(opened.note().to_string().as_bytes())));
                    }
                }
                Err(error) => self.unexpected("extending the log", &error),
            }
            tokio::time::sleep(Duration::from_millis(7)).await;
        }
    }

    /// Says so if an error is one that this store should not give.
    fn unexpected(&self, doing: &str, error: &RecordError) {
        let expected = matches!(error, RecordError::Store(_) | RecordError::Unknown) && self.patient;
        if !expected {
            (self.sink)(Line::Wrong(format!("{doing}: {error}")));
        }
    }
}

struct Task {
    load: Workload,
    /// Records of earlier runs, which all tasks write to.
    shared: Arc<Vec<RecordId>>,
    /// Records that only this task writes to.
    own: Vec<RecordId>,
    random: SeededRandom,
    next: u64,
    task: u64,
}

impl Task {
    async fn run(&mut self) {
        while !self.load.stopped() {
            self.next += 1;
            match self.random.below(100) {
                0..=14 => self.create().await,
                15..=54 => self.append().await,
                55..=66 => self.several().await,
                67..=76 => self.look().await,
                77..=84 => self.side().await,
                85..=97 => self.read().await,
                _ => self.erase().await,
            }
        }
    }

    fn any_record(&self) -> Option<RecordId> {
        let own = self.own.len() as u64;
        let shared = self.shared.len() as u64;
        let pick = self.random.below((own + shared).max(1));
        let at = |at: u64| usize::try_from(at).expect("small");
        if pick < own { self.own.get(at(pick)).copied() } else { self.shared.get(at(pick - own)).copied() }
    }

    fn entry(&self) -> PlanEntry {
        let len = match self.random.below(100) {
            0..=59 => 60 + self.random.below(200),
            60..=89 => 500 + self.random.below(4_000),
            90..=97 => 20_000 + self.random.below(40_000),
            _ => 200_000 + self.random.below(300_000),
        };
        PlanEntry { number: None, len: Some(usize::try_from(len).expect("small")) }
    }

    fn entries(&self) -> Vec<PlanEntry> {
        let count = if self.random.below(20) == 0 { 40 } else { 1 + self.random.below(3) };
        let small = count > 3;
        let entry = |_| if small { PlanEntry { number: None, len: Some(80) } } else { self.entry() };
        (0..count).map(entry).collect()
    }

    async fn create(&mut self) {
        let record = self.load.tenant.new_record_id();
        let attach = vec![format!("{}-a", self.next), format!("{}-b", self.next)];
        let part = PlanPart { expect: PlanExpect::New, attach, ..PlanPart::any(record, self.entries()) };
        if self.commit(vec![part]).await {
            self.own.push(record);
        }
    }

    async fn append(&mut self) {
        let Some(record) = self.any_record() else { return self.create().await };
        let mut part = PlanPart::any(record, self.entries());
        if self.random.below(4) == 0 {
            // On the head as it was read, changing or deleting what was there.
            let Ok(Some(open)) = self.load.tenant.open(record).await else { return };
            part.expect = PlanExpect::Head(open.head().seq.0, hex(&open.head().hash));
            if let Some(entry) = open.entries().next() {
                let len = (self.random.below(3) > 0).then_some(150);
                part.entries.push(PlanEntry { number: Some(entry.number().0), len });
            }
        }
        if self.random.below(6) == 0 {
            part.attach.push(format!("{}-c", self.next));
        }
        self.commit(vec![part]).await;
    }

    /// One commit into several records, one of them new.
    async fn several(&mut self) {
        let mut parts: Vec<PlanPart> = Vec::new();
        for _ in 0..=self.random.below(3) {
            let Some(record) = self.any_record() else { continue };
            if parts.iter().all(|part| part.record != record) {
                parts.push(PlanPart::any(record, vec![self.entry()]));
            }
        }
        let record = self.load.tenant.new_record_id();
        let attach = vec![format!("{}-d", self.next)];
        parts.push(PlanPart { expect: PlanExpect::New, attach, ..PlanPart::any(record, vec![self.entry()]) });
        self.commit(parts).await;
    }

    /// A line of who looked.
    async fn look(&mut self) {
        let Some(record) = self.any_record() else { return };
        let entries = vec![PlanEntry { number: None, len: Some(90) }];
        let part = PlanPart { access: true, ..PlanPart::any(record, entries) };
        self.commit(vec![part]).await;
    }

    async fn side(&mut self) {
        let key = format!("{}-{}", self.task, self.random.below(6));
        (self.load.sink)(Line::SideTry(key.clone(), self.next));
        let value = body(self.next, 0, 0, 120);
        match self.load.tenant.side_put(super::truth::SIDE, key.as_bytes(), &value, None).await {
            Ok(()) => (self.load.sink)(Line::SideDone(key, self.next)),
            Err(error) => self.load.unexpected("writing a side row", &error),
        }
    }

    /// Reads a record whole, which also folds it when it is long.
    async fn read(&mut self) {
        let Some(record) = self.any_record() else { return };
        let read = async {
            let Some(open) = self.load.tenant.open(record).await? else { return Ok(()) };
            for entry in open.entries() {
                let body = open.body(&entry).await?;
                if super::plan::recognise(&body).is_none() {
                    (self.load.sink)(Line::Wrong(format!("{record} entry {} is not as written", entry.number().0)));
                }
            }
            Ok::<_, RecordError>(())
        };
        match read.await {
            // Erased while it was read.
            Ok(()) | Err(RecordError::NoSuchRecord(_)) => {}
            Err(error) => self.load.unexpected("reading a record", &error),
        }
    }

    async fn erase(&mut self) {
        if self.own.len() < 4 {
            return;
        }
        let record = self.own.swap_remove(0);
        (self.load.sink)(Line::EraseTry(record));
        match self.load.tenant.erase(record, "torture").await {
            Ok(_) => (self.load.sink)(Line::EraseDone(record)),
            Err(error) => self.load.unexpected("erasing a record", &error),
        }
    }

    /// Tries the commit; answers whether it was done.
    async fn commit(&mut self, parts: Vec<PlanPart>) -> bool {
        let plan = Plan { op: self.next, keyed: self.random.below(4) > 0, parts };
        let commit = plan.commit();
        (self.load.sink)(Line::Try(plan));
        match self.load.tenant.commit(commit).await {
            Ok(done) => {
                let heads = done.parts.iter().map(|part| {
                    let numbers = part.numbers.iter().map(|number| number.0).collect();
                    (part.head.seq.0, hex(&part.head.hash), numbers)
                });
                (self.load.sink)(Line::Done(self.next, heads.collect()));
                true
            }
            Err(RecordError::Unknown) => {
                (self.load.sink)(Line::Unknown(self.next));
                self.load.unexpected("committing", &RecordError::Unknown);
                tokio::time::sleep(Duration::from_millis(20)).await;
                false
            }
            Err(error) => {
                (self.load.sink)(Line::Refused(self.next, error.to_string()));
                if matches!(error, RecordError::Store(_)) {
                    self.load.unexpected("committing", &error);
                    tokio::time::sleep(Duration::from_millis(20)).await;
                } else if !matches!(error, RecordError::Conflict { .. } | RecordError::NoSuchRecord(_)) {
                    self.load.unexpected("committing", &error);
                }
                false
            }
        }
    }
}

/// What a record's stream is called in messages.
pub(crate) const fn stream_name(stream: Stream) -> &'static str {
    match stream {
        Stream::Care => "care",
        Stream::Access => "access",
    }
}
