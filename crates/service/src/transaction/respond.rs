//! The answer to a write: what became of each entry and where it is now.

use bytes::Bytes;
use keepwell_model::{EntryNumber, RecordId, ResourceId, Seq, Timestamp};
use keepwell_record::CommittedPart;

use super::incoming::Item;
use super::plan::{Fate, Plan, Side};
use crate::rest::Answered;

/// What became of one entry.
pub(super) struct Done {
    /// The HTTP status that says it.
    pub(super) status: u16,
    pub(super) placed: Option<Placed>,
    /// The resource as it goes out, where it was wanted.
    pub(super) resource: Option<Bytes>,
}

/// Where a resource is, and in which version.
pub(super) struct Placed {
    pub(super) id: String,
    pub(super) version: Seq,
    pub(super) time: Timestamp,
}

/// What became of the entry with that index.
pub(super) fn done(item: &Item, fate: Fate, plan: &Plan, committed: &[CommittedPart]) -> Done {
    let written = |side: Side, write: usize| {
        let record = plan.record(side)?;
        let part = committed.iter().find(|part| part.record == record)?;
        Some(placed(item, record, *part.numbers.get(write)?, part.head.seq, part.time))
    };
    let (status, placed) = match fate {
        Fate::Nothing => (204, None),
        Fate::Deleted { side, write } => (204, written(side, write)),
        Fate::Written { side, write, new } => (if new { 201 } else { 200 }, written(side, write)),
        Fate::Same { side, number, version, time } => {
            (200, plan.record(side).map(|record| placed(item, record, number, version, time)))
        }
    };
    Done { status, placed, resource: None }
}

fn placed(item: &Item, record: RecordId, number: EntryNumber, version: Seq, time: Timestamp) -> Placed {
    let id = if item.resource_type == "Patient" {
        record.to_string()
    } else {
        ResourceId { record, entry: number }.to_string()
    };
    Placed { id, version, time }
}

/// The answer to one entry.
pub(super) fn answered(item: &Item, done: Done) -> Answered {
    let mut answer = Answered { status: done.status, resource: done.resource, ..Answered::default() };
    if let Some(Placed { id, version, time }) = done.placed {
        // A deletion's answer names no place, for there is nothing any more.
        answer.location = (done.status != 204).then(|| format!("{}/{id}/_history/{version}", item.resource_type));
        answer.version = Some((version, time));
    }
    answer
}
