//! AuditEvents, as they follow from the lines that say who looked. Nothing of them is stored twice (R4 §6.4).

use keepwell_model::{Purpose, RecordId, Seq};
use keepwell_policy::{Action, Facts, Permit, Target};
use serde_json::{Value, json};

use super::written::{BlockName, purpose, system};
use crate::gate::permit_with;
use crate::systems::Client;
use crate::views::AccessLine;
use crate::{Service, ServiceError};

impl Service {
    /// The permit to see who looked at a record.
    pub(super) async fn permit_to_see_lines(&self, client: &Client, record: RecordId) -> Result<Permit, ServiceError> {
        let open = self.tenant().open(record).await?.ok_or(ServiceError::NotFound)?;
        let feeds = open.entries().any(|entry| entry.source_name() == Some(client.name.as_str()));
        let facts = Facts { feeds, ..Facts::default() };
        permit_with(&client.actor(), Purpose::DirectCare, Action::ReadAccessLines, Target::Person(record), facts)
    }
}

/// Whether a line is within reach. Its source is the system that looked, if it was one.
pub(super) fn reaches(permit: &Permit, line: &AccessLine) -> bool {
    let source = (line.role == "system").then_some(line.who.as_str());
    permit.filter().reaches(keepwell_model::Labels::GENERAL, source)
}

/// A line as an AuditEvent.
pub(super) fn event(record: RecordId, line: &AccessLine) -> Value {
    let detail: Vec<Value> = line
        .what
        .iter()
        .map(|looked| json!({ "type": looked.category.key(), "valueString": looked.count.to_string() }))
        .collect();
    let mut entity = json!({
        "what": { "reference": format!("Patient/{record}") },
        "type": { "system": "http://terminology.hl7.org/CodeSystem/audit-entity-type", "code": "1", "display": "Person" },
        "role": { "system": "http://terminology.hl7.org/CodeSystem/object-role", "code": "1", "display": "Patient" },
    });
    if !detail.is_empty() {
        entity["detail"] = json!(detail);
    }
    json!({
        "resourceType": "AuditEvent",
        "id": BlockName { record, seq: Seq(u64::from(line.number)) }.to_string(),
        "meta": { "versionId": "1", "lastUpdated": line.when.to_string() },
        "type": { "system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest",
                  "display": "Restful Operation" },
        "action": if line.action == Action::Housekeep.name() { "E" } else { "R" },
        "recorded": line.when.to_string(),
        "outcome": "0",
        "purposeOfEvent": [purpose(line.purpose)],
        "agent": [{
            "role": [{ "text": line.role }],
            "who": who(record, line),
            "requestor": true,
        }],
        "source": { "observer": { "display": "Keepwell" } },
        "entity": [entity],
    })
}

fn who(record: RecordId, line: &AccessLine) -> Value {
    match line.role.as_str() {
        _ if line.own => json!({ "reference": format!("Patient/{record}") }),
        "system" => system(&line.who, &line.organisation),
        "keepwell" => json!({ "display": "Keepwell" }),
        "operator" => json!({ "display": "The operator of Keepwell" }),
        _ if line.organisation.is_empty() => json!({ "display": line.who }),
        _ => json!({ "display": format!("{}, {}", line.who, line.organisation) }),
    }
}
