//! Reading one resource back through the FHIR door.

use std::sync::Arc;

use bytes::Bytes;
use keepwell_fhir::outcome::IssueCode;
use keepwell_fhir::project::{Stamp, project};
use keepwell_model::{EntryNumber, Purpose, RecordId, ResourceId};
use keepwell_policy::{Action, Facts, Permit, Target};
use keepwell_record::{Entry, OpenRecord};

use crate::extract::category_of;
use crate::gate::{looked, permit_with};
use crate::resolve::{self, Resolver};
use crate::systems::{Client, ResourceAnswer};
use crate::{FhirError, Service, ServiceError};

impl Service {
    /// A resource by Keepwell's id, for a source system. What the system may not see is not found.
    ///
    /// # Errors
    /// [`FhirError`]: 404 not found, 410 deleted, 503 not available.
    pub async fn read_resource(
        &self,
        client: &Client,
        resource_type: &str,
        id: &str,
    ) -> Result<ResourceAnswer, FhirError> {
        let place = place(resource_type, id).ok_or_else(not_found)?;
        let (record, permit) = self.open_for(client, place.0).await.map_err(|error| match error {
            ServiceError::NotFound => not_found(),
            other => other.into(),
        })?;
        let directory = self.directory_for(client).await?;
        let reaches = |entry: &Entry<'_>| permit.filter().reaches(entry.labels(), entry.source_name());
        let found = match place.1 {
            Some(number) => record.entry(number),
            None => patient_of(&record, &client.name, &reaches),
        };
        let is_asked = |entry: &Entry<'_>| entry.kind().fhir_type() == Some(resource_type) && reaches(entry);
        let entry = found.filter(is_asked).ok_or_else(not_found)?;
        if entry.is_deleted() {
            return Err(FhirError::new(410, IssueCode::Deleted, "The resource was deleted."));
        }
        let body = record.body(&entry).await?;
        let json = projected(&record, &directory, &entry, &body, &reaches);
        let answer = ResourceAnswer { json, version: entry.version(), last_updated: entry.time() };
        self.settle(&permit, record.id(), &looked([(category_of(resource_type, &body), 1)])).await?;
        Ok(answer)
    }

    /// Opens a record, or the directory, as far as a system may.
    async fn open_for(&self, client: &Client, id: RecordId) -> Result<(Arc<OpenRecord>, Permit), ServiceError> {
        let actor = client.actor();
        let record = self.tenant().open(id).await?.ok_or(ServiceError::NotFound)?;
        let (action, target) = if id == self.tenant().directory() {
            (Action::ReadDirectory, Target::Directory(id))
        } else {
            (Action::ReadRecord, Target::Person(id))
        };
        let feeds = record.entries().any(|entry| entry.source_name() == Some(client.name.as_str()));
        let permit = permit_with(&actor, Purpose::DirectCare, action, target, Facts { feeds, source: None })?;
        Ok((record, permit))
    }

    async fn directory_for(&self, client: &Client) -> Result<Arc<OpenRecord>, ServiceError> {
        let id = self.tenant().directory();
        let target = Target::Directory(id);
        let actor = client.actor();
        let _permit = permit_with(&actor, Purpose::DirectCare, Action::ReadDirectory, target, Facts::default())?;
        self.tenant().open(id).await?.ok_or(ServiceError::Unavailable)
    }
}

/// The record of an id, and the entry unless it is the Patient, whose id is the record's.
fn place(resource_type: &str, id: &str) -> Option<(RecordId, Option<EntryNumber>)> {
    if resource_type == "Patient" {
        return Some((id.parse().ok()?, None));
    }
    let id: ResourceId = id.parse().ok()?;
    Some((id.record, Some(id.entry)))
}

/// Of several Patient entries the system's own, else the newest within its reach.
fn patient_of<'r>(record: &'r OpenRecord, client: &str, reaches: &impl Fn(&Entry<'_>) -> bool) -> Option<Entry<'r>> {
    let patients = record.all_entries().filter(|entry| entry.kind().fhir_type() == Some("Patient"));
    let rank =
        |entry: &Entry<'_>| (!entry.is_deleted(), entry.source_name() == Some(client), entry.version(), entry.number());
    patients.filter(|entry| reaches(entry)).max_by_key(rank)
}

/// The resource with Keepwell's ids. A reference to something beyond the reader's reach stays as its source wrote it.
fn projected(
    record: &OpenRecord,
    directory: &OpenRecord,
    entry: &Entry<'_>,
    body: &Bytes,
    reaches: &impl Fn(&Entry<'_>) -> bool,
) -> Bytes {
    let id = resolve::id_of(record, entry);
    let (version, updated) = (entry.version().to_string(), entry.time().to_string());
    let stamp = Stamp { id: &id, version_id: &version, last_updated: &updated };
    let source = entry.source_name().unwrap_or_default();
    let (own_names, directory_names) = (Resolver::new(record), Resolver::new(directory));
    let resolve = |reference: &str| {
        let own = own_names.entry(source, reference);
        if let Some(own) = own {
            return if reaches(&own) { resolve::reference_to(record, &own) } else { None };
        }
        directory_names.entry(source, reference).and_then(|entry| resolve::reference_to(directory, &entry))
    };
    Bytes::from(project(body, stamp, resolve))
}

fn not_found() -> FhirError {
    FhirError::new(404, IssueCode::NotFound, "There is no such resource.")
}
