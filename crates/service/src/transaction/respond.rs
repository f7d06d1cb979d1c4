//! The answer to a transaction: for each entry, in order, what became of it and where it is now.

use bytes::Bytes;
use keepwell_fhir::bundle::Response;
use keepwell_model::{EntryNumber, RecordId, ResourceId, Seq, Timestamp};
use keepwell_record::CommittedPart;

use super::incoming::Incoming;
use super::plan::{Fate, Plan, Side};

pub(super) fn bundle(incoming: &Incoming, plan: &Plan, committed: &[CommittedPart]) -> Bytes {
    let mut response = Response::new();
    for (item, fate) in incoming.items.iter().zip(plan.fates()) {
        let written = |side: Side, write: usize| {
            let record = plan.record(side)?;
            let part = committed.iter().find(|part| part.record == record)?;
            Some((record, *part.numbers.get(write)?, part.head.seq, part.time))
        };
        let (status, place) = match *fate {
            Fate::Nothing => ("204 No Content", None),
            Fate::Deleted { side, write } => {
                let etag = written(side, write).map(|(_, _, version, time)| (None, version, time));
                ("204 No Content", etag)
            }
            Fate::Written { side, write, new } => {
                let status = if new { "201 Created" } else { "200 OK" };
                let placed = written(side, write).map(|(record, number, version, time)| {
                    (Some(location(item.resource_type, record, number, version)), version, time)
                });
                (status, placed)
            }
            Fate::Same { side, number, version, time } => {
                let placed = plan
                    .record(side)
                    .map(|record| (Some(location(item.resource_type, record, number, version)), version, time));
                ("200 OK", placed)
            }
        };
        match place {
            None => response.push(status, None, None, None),
            Some((location, version, time)) => push(&mut response, status, location.as_deref(), version, time),
        }
    }
    Bytes::from(response.finish())
}

fn push(response: &mut Response, status: &str, location: Option<&str>, version: Seq, time: Timestamp) {
    response.push(status, location, Some(&format!("W/\"{version}\"")), Some(&time.to_string()));
}

fn location(resource_type: &str, record: RecordId, number: EntryNumber, version: Seq) -> String {
    if resource_type == "Patient" {
        return format!("Patient/{record}/_history/{version}");
    }
    format!("{resource_type}/{}/_history/{version}", ResourceId { record, entry: number })
}
