//! Provenance of every write, as it follows from the blocks of a record: who wrote, when, what for, and what. Nothing of it
//! is stored twice (R4 §6.2).

use bytes::Bytes;
use keepwell_model::{Actor, Purpose, RecordId, ResourceId, Seq, Stream};
use keepwell_record::BlockView;
use serde_json::{Value, json};

use crate::resolve;
use crate::rest::Seen;
use crate::{Service, ServiceError};

/// A resource that follows from a block: its id names the record and the block. No entry's id has a dot in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlockName {
    pub(crate) record: RecordId,
    /// Of a Provenance, its block; of an AuditEvent, its line, as several may share a block.
    pub(crate) seq: Seq,
}

impl BlockName {
    /// Reads an id.
    pub(crate) fn of(id: &str) -> Option<Self> {
        let (record, seq) = id.split_once('.')?;
        let name = Self { record: record.parse().ok()?, seq: Seq(seq.parse().ok()?) };
        // Each has one spelling.
        (name.to_string() == id).then_some(name)
    }
}

impl std::fmt::Display for BlockName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.record, self.seq)
    }
}

/// The Provenance of a block, as far as its reader may see what was written; `None` if that is nothing.
pub(super) fn provenance(seen: &Seen, block: &BlockView) -> Option<Value> {
    let record = seen.table().id();
    let mut targets: Vec<String> = Vec::new();
    let (mut created, mut deleted, mut all) = (0, 0, 0);
    for entry in &block.entries {
        let Some(kind) = entry.kind.fhir_type() else { continue };
        let now = seen.table().entry(entry.number);
        if !now.is_some_and(|now| seen.reaches(&now)) || !seen.reaches_version(entry) {
            continue;
        }
        let id = match kind {
            "Patient" => record.to_string(),
            _ => ResourceId { record, entry: entry.number }.to_string(),
        };
        let target = format!("{kind}/{id}/_history/{}", block.seq);
        if targets.last() == Some(&target) {
            continue;
        }
        targets.push(target);
        all += 1;
        created += usize::from(entry.new);
        deleted += usize::from(entry.body.is_none());
    }
    if targets.is_empty() {
        return None;
    }
    let (code, display) = match (created, deleted) {
        (created, _) if created == all => ("CREATE", "create"),
        (_, deleted) if deleted == all => ("DELETE", "delete"),
        _ => ("UPDATE", "revise"),
    };
    let targets: Vec<Value> = targets.into_iter().map(|target| json!({ "reference": target })).collect();
    Some(json!({
        "resourceType": "Provenance",
        "id": BlockName { record, seq: block.seq }.to_string(),
        "meta": { "versionId": "1", "lastUpdated": block.time.to_string() },
        "target": targets,
        "recorded": block.time.to_string(),
        "reason": [purpose(block.author.purpose)],
        "activity": { "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/v3-DataOperation", "code": code, "display": display,
        }] },
        "agent": [{
            "type": { "coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/provenance-participant-type", "code": "author",
                "display": "Author",
            }] },
            "who": who(&block.author.actor, record),
        }],
    }))
}

/// What something was for, in HL7's words.
pub(super) fn purpose(purpose: Purpose) -> Value {
    let (code, display) = match purpose {
        Purpose::OwnUse => ("PATRQT", "patient requested"),
        Purpose::DirectCare => ("TREAT", "treatment"),
        Purpose::Emergency => ("ETREAT", "Emergency Treatment"),
        Purpose::Administration => ("HSYSADMIN", "health system administration"),
    };
    json!({ "coding": [{
        "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": code, "display": display,
    }] })
}

/// Who did something, as a reference.
pub(super) fn who(actor: &Actor, record: RecordId) -> Value {
    match actor {
        Actor::Resident { record } => json!({ "reference": format!("Patient/{record}") }),
        Actor::Delegate { name, .. } => json!({ "display": name }),
        Actor::Professional { name, organisation, .. } => json!({ "display": format!("{name}, {organisation}") }),
        Actor::System { client, organisation } => system(client, organisation),
        Actor::Keepwell => json!({ "display": "Keepwell" }),
        Actor::Operator => json!({ "display": format!("The operator of Keepwell, for {record}") }),
    }
}

/// A registered system, as a reference.
pub(super) fn system(client: &str, organisation: &str) -> Value {
    json!({ "identifier": { "system": "urn:keepwell:client", "value": client }, "display": organisation })
}

impl Service {
    /// The Provenance of one block.
    pub(super) async fn provenance_of(
        &self,
        seen: &Seen,
        seq: Seq,
    ) -> Result<Option<(Bytes, BlockView)>, ServiceError> {
        let blocks = self.tenant().blocks(seen.table().id(), Stream::Care, seq, 1).await?;
        let block = blocks.into_iter().find(|block| block.seq == seq);
        Ok(block.and_then(|block| Some((Bytes::from(provenance(seen, &block)?.to_string()), block))))
    }
}

/// Whether a block wrote what a reference names.
pub(super) fn wrote(seen: &Seen, block: &BlockView, kind: &str, id: &str) -> bool {
    block.entries.iter().any(|entry| {
        let now = seen.table().entry(entry.number);
        now.is_some_and(|now| now.kind().fhir_type() == Some(kind) && resolve::id_of(seen.table(), &now) == id)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_block_has_one_spelling_and_is_no_entrys_id() {
        let name = BlockName { record: RecordId::from_bytes([7; 10]), seq: Seq(12) };
        let id = name.to_string();
        assert_eq!(BlockName::of(&id), Some(name));
        assert!(id.parse::<ResourceId>().is_err() && id.parse::<RecordId>().is_err());
        for other in [id.replace('.', ".0"), id.replace('.', ".+"), id.replace('.', "-"), id.replace(".12", "")] {
            assert_eq!(BlockName::of(&other), None, "{other}");
        }
    }
}
