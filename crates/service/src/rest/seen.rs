//! A record, or the directory, as far as a source system may see it. What is beyond its reach does not exist here: not in
//! look-ups, not in references.

use std::sync::Arc;

use bytes::Bytes;
use keepwell_fhir::outcome::IssueCode;
use keepwell_fhir::project::{Stamp, project};
use keepwell_model::{EntryNumber, Purpose, RecordId, ResourceId, Seq, Timestamp};
use keepwell_policy::{Action, Facts, Permit, Target};
use keepwell_record::{Entry, OpenRecord};

use crate::gate::{Opened, permit_with};
use crate::resolve::{self, Resolver};
use crate::systems::Client;
use crate::views::Looked;
use crate::{FhirError, Service, ServiceError};

/// Which resource an id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// The record that holds it.
    pub(crate) record: RecordId,
    /// Its entry; none for the Patient, whose id is the record's.
    pub(crate) entry: Option<EntryNumber>,
}

impl Place {
    /// The place that a type and an id name, if it is an id of Keepwell's.
    pub(crate) fn of(resource_type: &str, id: &str) -> Option<Self> {
        if resource_type == "Patient" {
            return Some(Self { record: id.parse().ok()?, entry: None });
        }
        let id: ResourceId = id.parse().ok()?;
        Some(Self { record: id.record, entry: Some(id.entry) })
    }
}

/// An opened record with the names of the directory.
pub(crate) struct Seen {
    opened: Opened,
    names: Arc<OpenRecord>,
    client: String,
}

/// One version of one resource, found within reach.
pub(crate) struct Version<'a> {
    pub(crate) id: &'a str,
    pub(crate) version: Seq,
    pub(crate) time: Timestamp,
    /// Who sent that version.
    pub(crate) source: &'a str,
    pub(crate) body: &'a [u8],
}

impl Service {
    /// Opens a record, or the directory, as far as a system may see it.
    pub(crate) async fn see(&self, client: &Client, id: RecordId) -> Result<Seen, ServiceError> {
        let record = self.tenant().open(id).await?.ok_or(ServiceError::NotFound)?;
        self.see_open(client, &record).await?.ok_or(ServiceError::NotFound)
    }

    /// The same of a record that is open; `None` if the system may not see it.
    pub(crate) async fn see_open(
        &self,
        client: &Client,
        record: &Arc<OpenRecord>,
    ) -> Result<Option<Seen>, ServiceError> {
        let Ok(permit) = self.permit_to_see(client, record) else { return Ok(None) };
        let is_directory = record.id() == self.tenant().directory();
        let names = if is_directory { Arc::clone(record) } else { self.names(client).await? };
        Ok(Some(Seen { opened: Opened::with(permit, Arc::clone(record)), names, client: client.name.clone() }))
    }

    /// The permit to see an open record, or the directory.
    pub(crate) fn permit_to_see(&self, client: &Client, record: &OpenRecord) -> Result<Permit, ServiceError> {
        let id = record.id();
        let (action, target) = if id == self.tenant().directory() {
            (Action::ReadDirectory, Target::Directory(id))
        } else {
            (Action::ReadRecord, Target::Person(id))
        };
        let feeds = record.entries().any(|entry| entry.source_name() == Some(client.name.as_str()));
        permit_with(&client.actor(), Purpose::DirectCare, action, target, Facts { feeds, ..Facts::default() })
    }

    /// The directory, for the names of organisations and the like.
    pub(crate) async fn names(&self, client: &Client) -> Result<Arc<OpenRecord>, ServiceError> {
        let id = self.tenant().directory();
        let _permit = permit_with(
            &client.actor(),
            Purpose::DirectCare,
            Action::ReadDirectory,
            Target::Directory(id),
            Facts::default(),
        )?;
        self.tenant().open(id).await?.ok_or(ServiceError::Unavailable)
    }
}

impl Seen {
    pub(crate) fn table(&self) -> &OpenRecord {
        self.opened.table()
    }

    /// The directory, which the names of organisations and the like lead into.
    pub(crate) fn directory(&self) -> &OpenRecord {
        &self.names
    }

    /// What is there and within reach.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.opened.entries()
    }

    pub(crate) fn reaches(&self, entry: &Entry<'_>) -> bool {
        self.opened.reaches(entry)
    }

    /// Whether something with these labels from this source is within reach.
    pub(crate) fn reaches_labelled(&self, labels: keepwell_model::Labels, source: Option<&str>) -> bool {
        self.opened.reaches_labelled(labels, source)
    }

    /// The resource at a place, deleted or not, if it is of that type and within reach.
    pub(crate) fn find(&self, resource_type: &str, entry: Option<EntryNumber>) -> Option<Entry<'_>> {
        let found = match entry {
            Some(number) => self.table().entry(number),
            None => self.patient(),
        };
        found.filter(|entry| entry.kind().fhir_type() == Some(resource_type) && self.reaches(entry))
    }

    /// Of several Patient entries the one that stands for the person: the system's own, else the newest within its reach.
    pub(crate) fn patient(&self) -> Option<Entry<'_>> {
        self.patient_in(self.table(), &|entry| self.reaches(entry))
    }

    /// The same in this or an earlier state of the record.
    pub(crate) fn patient_in<'r>(
        &self,
        record: &'r OpenRecord,
        reaches: &dyn Fn(&Entry<'_>) -> bool,
    ) -> Option<Entry<'r>> {
        let patients = record.all_entries().filter(|entry| entry.kind().fhir_type() == Some("Patient"));
        let rank = |entry: &Entry<'_>| {
            let own = entry.source_name() == Some(self.client.as_str());
            (!entry.is_deleted(), own, entry.version(), entry.number())
        };
        patients.filter(|entry| reaches(entry)).max_by_key(rank)
    }

    pub(crate) async fn body(&self, entry: &Entry<'_>) -> Result<Bytes, ServiceError> {
        self.opened.body(entry).await
    }

    /// The current version of an entry as it goes out.
    pub(crate) fn project(&self, entry: &Entry<'_>, body: &[u8]) -> Bytes {
        let id = resolve::id_of(self.table(), entry);
        let source = entry.source_name().unwrap_or_default();
        self.project_version(&Version { id: &id, version: entry.version(), time: entry.time(), source, body })
    }

    /// A version with Keepwell's ids. A reference to something beyond the reader's reach stays as its source wrote it.
    pub(crate) fn project_version(&self, it: &Version<'_>) -> Bytes {
        let names = Names { record: Some(self.table()), directory: &self.names };
        names.project(it, &|entry| self.reaches(entry))
    }

    /// The line for an answer that leaves piece by piece, before its first piece.
    pub(crate) async fn note(&self, service: &Service, what: Vec<Looked>) -> Result<(), ServiceError> {
        self.opened.note(service, what).await
    }

    /// Lets an answer out: first the line, durably, then the answer.
    pub(crate) async fn release<T>(self, service: &Service, answer: T, what: Vec<Looked>) -> Result<T, ServiceError> {
        self.opened.release(service, answer, what).await
    }
}

/// What the names in a resource may lead to.
pub(crate) struct Names<'r> {
    /// The record that the resource is in; none if it has just begun.
    pub(crate) record: Option<&'r OpenRecord>,
    pub(crate) directory: &'r OpenRecord,
}

impl Names<'_> {
    /// A version as it goes out to a reader who reaches so far.
    pub(crate) fn project(&self, it: &Version<'_>, reaches: &dyn Fn(&Entry<'_>) -> bool) -> Bytes {
        let (version, updated) = (it.version.to_string(), it.time.to_string());
        let stamp = Stamp { id: it.id, version_id: &version, last_updated: &updated };
        let (own_names, directory_names) = (self.record.map(Resolver::new), Resolver::new(self.directory));
        let resolve = |reference: &str| {
            if let (Some(names), Some(record)) = (&own_names, self.record)
                && let Some(own) = names.within(it.source, reference, reaches)
            {
                return resolve::reference_to(record, &own);
            }
            let named = directory_names.entry(it.source, reference);
            named.and_then(|entry| resolve::reference_to(self.directory, &entry))
        };
        Bytes::from(project(it.body, stamp, resolve))
    }
}

pub(crate) fn not_found() -> FhirError {
    FhirError::new(404, IssueCode::NotFound, "There is no such resource.")
}

/// What may not be seen is said to be not there, in the very words that are used when it is not there.
pub(crate) fn or_not_found(error: ServiceError) -> FhirError {
    match error {
        ServiceError::NotFound => not_found(),
        other => other.into(),
    }
}
