//! Where lines are handed in on their way to the store. A look waits until its line is durable, and a disk takes as long
//! for one line as for many: so whoever comes while lines are being written waits for the next round, which takes all
//! that have come by then, those of one record in one block. Alone, nobody waits for anybody.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use keepwell_model::{Author, Kind, Labels, RecordId, Stream};
use keepwell_record::{Commit, Expect, Part, RecordError, Tenant, Write};
use tokio::sync::oneshot;

use super::KIND;
use crate::ServiceError;

/// So many lines go into one commit at most.
const MOST: usize = 256;

/// A round is waited for so long; what is not written by then is written beside the next ones.
const ROUND: Duration = Duration::from_millis(100);

/// Lines that wait, and whether somebody is writing.
#[derive(Default)]
pub(crate) struct Desk(Arc<Mutex<Queue>>);

#[derive(Default)]
struct Queue {
    waiting: Vec<Line>,
    writing: bool,
}

/// A line, and whom to tell that it is durable. If it never is, the sender goes without a word.
struct Line {
    author: Author,
    record: RecordId,
    body: Bytes,
    durable: oneshot::Sender<()>,
}

/// Whoever writes has the desk until this goes, however it goes.
struct Turn {
    queue: Arc<Mutex<Queue>>,
    /// Whether the desk was given back already, and somebody else may have it by now.
    over: bool,
}

fn locked(queue: &Mutex<Queue>) -> std::sync::MutexGuard<'_, Queue> {
    // Nothing is left half done while it is held.
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    /// Hands in a line and waits until it is durable.
    pub(super) async fn write(
        &self,
        tenant: &Tenant,
        author: Author,
        record: RecordId,
        body: Bytes,
    ) -> Result<(), ServiceError> {
        let (durable, told) = oneshot::channel();
        let begins = {
            let mut queue = locked(&self.0);
            queue.waiting.push(Line { author, record, body, durable });
            !std::mem::replace(&mut queue.writing, true)
        };
        if begins {
            // On its own: he who began may go away, the others still wait.
            let (turn, tenant) = (Turn { queue: Arc::clone(&self.0), over: false }, tenant.clone());
            tokio::spawn(async move { turn.write_all(&tenant).await });
        }
        told.await.map_err(|_| ServiceError::Unavailable)
    }
}

impl Turn {
    /// Round after round, until nothing waits.
    async fn write_all(mut self, tenant: &Tenant) {
        loop {
            let round = {
                let mut queue = locked(&self.queue);
                if queue.waiting.is_empty() {
                    // Under the same lock as the look, so that whoever comes next begins anew.
                    queue.writing = false;
                    self.over = true;
                    return;
                }
                std::mem::take(&mut queue.waiting)
            };
            // A block has one author, so lines go together with those of the same.
            let groups = grouped(round, |one, other| one.author == other.author).into_iter().map(|lines| {
                let tenant = tenant.clone();
                tokio::spawn(async move { write(&tenant, lines).await })
            });
            // Who is held up, by a record that is being imported say, holds up nobody else for long.
            drop(tokio::time::timeout(ROUND, join_all(groups)).await);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Only if the writing was cut off, as when the process ends: what waits is told so.
        if !self.over {
            let mut queue = locked(&self.queue);
            queue.writing = false;
            queue.waiting.clear();
        }
    }
}

/// Lines together with those that are the same in something, in the order in which they came.
fn grouped(lines: Vec<Line>, same: impl Fn(&Line, &Line) -> bool) -> Vec<Vec<Line>> {
    let mut groups: Vec<Vec<Line>> = Vec::new();
    for line in lines {
        let group = groups.iter_mut().rfind(|group| group.len() < MOST && same(&group[0], &line));
        match group {
            Some(group) => group.push(line),
            None => groups.push(vec![line]),
        }
    }
    groups
}

/// Writes lines of one author, and tells those whose line is durable.
async fn write(tenant: &Tenant, lines: Vec<Line>) {
    let failed = match tenant.commit(commit(&lines)).await {
        Ok(_) => return lines.into_iter().for_each(told),
        Err(error) => error,
    };
    let one_record = lines.iter().all(|line| line.record == lines[0].record);
    if one_record || matches!(failed, RecordError::Unknown) {
        for line in &lines {
            tracing::error!(record.id = %line.record, "The access line was not written, so nothing is shown: {failed}");
        }
        return;
    }
    // One record may be the reason: the others' lines are written without it.
    let records = grouped(lines, |one, other| one.record == other.record);
    join_all(records.into_iter().map(|lines| Box::pin(write(tenant, lines)))).await;
}

fn told(line: Line) {
    // Whoever gave up waiting has looked at nothing; the line stands all the same.
    let _heard = line.durable.send(());
}

/// The lines of one author as a commit: a part for each record, in the order in which they came.
fn commit(lines: &[Line]) -> Commit {
    let mut parts: Vec<Part> = Vec::new();
    for line in lines {
        let write = Write {
            number: None,
            kind: Kind::new(KIND).expect("a short lower-case word is a kind"),
            labels: Labels::GENERAL,
            source: None,
            body: Some(line.body.clone()),
        };
        match parts.iter_mut().find(|part| part.record == line.record) {
            Some(part) => part.writes.push(write),
            None => parts.push(Part::new(line.record, Stream::Access, Expect::Any, vec![write])),
        }
    }
    Commit { author: lines[0].author.clone(), idempotency: None, parts }
}
