//! The one thread that writes. It takes everything that waits, applies it in one transaction, and answers only after the
//! commit is on disk: that is the group commit. What fails by its own conditions writes nothing; if the transaction
//! itself fails (a full disk, say), everything in it is undone and everyone in it is told.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::page_sums::{Checkpoint, PageSums};
use super::store_error;
use crate::RecordError;
use crate::store::Answer;

/// At most so many jobs go into one transaction.
const BATCH: usize = 1_024;
/// A transaction is closed once it has taken so many bytes of blocks.
const BATCH_BYTES: usize = 16 << 20;

/// Does its work, unless there is no transaction to do it in, and answers whom to tell, with the error if the work failed.
type Task = Box<dyn FnOnce(Option<&Connection>) -> (Finish, Option<RecordError>) + Send>;
/// Told how the transaction ended.
type Finish = Box<dyn FnOnce(Result<(), &RecordError>) + Send>;

/// A task for the shared transaction.
struct Inside {
    task: Task,
    size: usize,
    /// Runs as soon as the transaction has ended, however it did.
    after: Box<dyn FnOnce() + Send>,
}

enum Job {
    /// Runs inside the shared transaction; must write nothing if it answers an error of its own.
    Inside(Inside),
    /// Runs between transactions.
    Outside(Box<dyn FnOnce(&Connection) + Send>),
}

pub(super) struct Writer {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

fn stopped<T>() -> Result<T, RecordError> {
    Err(RecordError::Store("the writing thread stopped".into()))
}

/// The error for everyone in a transaction that failed. It has no `Clone`, since a source may not.
fn again(error: &RecordError) -> RecordError {
    match error {
        RecordError::Full => RecordError::Full,
        RecordError::ReadOnly => RecordError::ReadOnly,
        RecordError::Unknown => RecordError::Unknown,
        RecordError::InUse(why) => RecordError::InUse(why.clone()),
        RecordError::DamagedStore { what, why } => RecordError::DamagedStore { what, why: why.clone() },
        other => RecordError::Store(other.to_string()),
    }
}

impl Writer {
    pub(super) fn start(connection: Connection, sums: Arc<Mutex<PageSums>>) -> Result<Self, RecordError> {
        let (jobs, receiver) = channel();
        let thread = std::thread::Builder::new()
            .name("keepwell-writer".into())
            .spawn(move || write_all(connection, &receiver, &sums))
            .map_err(|error| RecordError::Store(error.to_string()))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    fn send(&self, job: Job) -> bool {
        self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok())
    }

    /// Queues a task for the next transaction; the order of calls is the order of writing.
    ///
    /// `after` runs as soon as the transaction has ended, however it did: what it wrote can be read by then.
    pub(super) fn inside<T: Send + 'static>(
        &self,
        size: usize,
        task: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
        after: impl FnOnce() + Send + 'static,
    ) -> Answer<T> {
        let (answer, wait) = oneshot::channel();
        let task: Task = Box::new(move |connection| {
            let done = connection.map(task).transpose();
            let error = done.as_ref().err().map(store_error);
            // Nobody listens if the caller gave up; the write stands all the same.
            let finish = move |ended: Result<(), &RecordError>| {
                let value = done.ok().flatten();
                drop(answer.send(ended.map_err(again).and_then(|()| value.map_or_else(stopped, Ok))));
            };
            (Box::new(finish) as Finish, error)
        });
        if !self.send(Job::Inside(Inside { task, size, after: Box::new(after) })) {
            return Box::pin(async { stopped() });
        }
        Box::pin(async move { wait.await.unwrap_or_else(|_| stopped()) })
    }

    pub(super) fn run<T: Send + 'static>(
        &self,
        task: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Answer<T> {
        self.inside(0, task, || {})
    }

    /// Runs something that cannot be part of a transaction.
    pub(super) fn outside<T: Send + 'static>(
        &self,
        task: impl FnOnce(&Connection) -> Result<T, RecordError> + Send + 'static,
    ) -> Answer<T> {
        let (answer, wait) = oneshot::channel();
        let job = Job::Outside(Box::new(move |connection| {
            drop(answer.send(task(connection)));
        }));
        if !self.send(job) {
            return Box::pin(async { stopped() });
        }
        Box::pin(async move { wait.await.unwrap_or_else(|_| stopped()) })
    }
}

impl Drop for Writer {
    /// Lets the thread finish what was queued, so that a closed store is a whole one.
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn write_all(connection: Connection, jobs: &Receiver<Job>, sums: &Mutex<PageSums>) {
    let mut held = None;
    while let Some(job) = held.take().or_else(|| jobs.recv().ok()) {
        match job {
            Job::Outside(task) => task(&connection),
            Job::Inside(inside) => held = batch(&connection, jobs, sums, inside),
        }
    }
    // Leaves one whole file behind. If it fails, the log still has everything.
    drop(lock(sums).checkpoint(&connection, Checkpoint::Truncate));
    drop(connection.close());
}

fn lock(sums: &Mutex<PageSums>) -> std::sync::MutexGuard<'_, PageSums> {
    sums.lock().expect("no panic while held")
}

fn begin(connection: &Connection, sums: &Mutex<PageSums>) -> Result<(), RecordError> {
    lock(sums).before_transaction()?;
    connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| store_error(&error))
}

/// Ends the transaction. A disk that fails while it is being synced may or may not have kept it.
fn end(connection: &Connection) -> Result<(), RecordError> {
    connection.execute_batch("COMMIT").map_err(|error| match store_error(&error) {
        RecordError::Store(why) => {
            tracing::error!("it is not known whether a write transaction was kept: {why}");
            RecordError::Unknown
        }
        known => known,
    })
}

/// Runs one transaction with all that waits. Answers a job that must come after it.
fn batch(connection: &Connection, jobs: &Receiver<Job>, sums: &Mutex<PageSums>, first: Inside) -> Option<Job> {
    let mut held = None;
    let (mut finishes, mut afters) = (Vec::new(), Vec::new());
    let mut failed = begin(connection, sums).err();
    let (mut next, mut bytes) = (Some(first), 0);
    while let Some(Inside { task, size, after }) = next.take() {
        let (finish, error) = task(failed.is_none().then_some(connection));
        bytes += size;
        finishes.push(finish);
        afters.push(after);
        failed = failed.or(error);
        if failed.is_some() || finishes.len() >= BATCH || bytes >= BATCH_BYTES {
            break;
        }
        match jobs.try_recv() {
            Ok(Job::Inside(inside)) => next = Some(inside),
            Ok(outside) => held = Some(outside),
            Err(_) => {}
        }
    }
    if failed.is_none() {
        failed = end(connection).err();
    }
    if let Some(error) = &failed {
        // After some errors SQLite has rolled back already; then this fails and there is nothing to undo.
        drop(connection.execute_batch("ROLLBACK"));
        tracing::error!(jobs = finishes.len(), "a write transaction failed and was undone: {error}");
    }
    afters.into_iter().for_each(|after| after());
    // Before anybody is told: what is acknowledged must not vanish from the log unnoticed.
    if let Err(error) = lock(sums).after_transaction(connection) {
        tracing::error!("the log could not be moved into the database file: {error}");
    }
    for finish in finishes {
        finish(failed.as_ref().map_or(Ok(()), Err));
    }
    held
}
