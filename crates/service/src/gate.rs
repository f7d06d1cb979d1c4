//! The one door: open with a permit, take out with a line. What a use case made of a record leaves [`Opened::release`]
//! only after the line that says who looked is durable.

use std::sync::Arc;

use bytes::Bytes;
use keepwell_model::{Actor, Labels, Purpose, RecordId};
use keepwell_policy::{Action, Facts, Obligation, Permit, Request, Target};
use keepwell_record::{Entry, OpenRecord};

use crate::error::denied;
use crate::views::{Category, Looked};
use crate::{Service, ServiceError, Session};

/// A record that was opened with a permit. Entries beyond the permit's reach do not exist for its holder.
pub(crate) struct Opened {
    permit: Permit,
    record: Arc<OpenRecord>,
}

impl Opened {
    /// A record that is open already, with the permit for it.
    pub(crate) fn with(permit: Permit, record: Arc<OpenRecord>) -> Self {
        debug_assert_eq!(permit.record(), Some(record.id()));
        Self { permit, record }
    }

    /// The entries within reach.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.record.entries().filter(|entry| self.reaches(entry))
    }

    /// Whether an entry is within reach.
    pub(crate) fn reaches(&self, entry: &Entry<'_>) -> bool {
        self.reaches_labelled(entry.labels(), entry.source_name())
    }

    /// Whether something with these labels from this source is within reach.
    pub(crate) fn reaches_labelled(&self, labels: Labels, source: Option<&str>) -> bool {
        self.permit.filter().reaches(labels, source)
    }

    /// The entries of one FHIR type within reach, with their bodies.
    pub(crate) async fn of_type(&self, resource_type: &str) -> Result<Vec<(Entry<'_>, Bytes)>, ServiceError> {
        let entries: Vec<_> = self.entries().filter(|entry| entry.kind().fhir_type() == Some(resource_type)).collect();
        let bodies = self.record.bodies(&entries).await?;
        Ok(entries.into_iter().zip(bodies).collect())
    }

    /// The body of an entry within reach.
    pub(crate) async fn body(&self, entry: &Entry<'_>) -> Result<Bytes, ServiceError> {
        if !self.reaches(entry) {
            return Err(ServiceError::NotFound);
        }
        Ok(self.record.body(entry).await?)
    }

    /// The table of the record, for resolving references. Bodies come from [`Self::body`].
    pub(crate) fn table(&self) -> &OpenRecord {
        &self.record
    }

    pub(crate) fn id(&self) -> RecordId {
        self.record.id()
    }

    /// The line for an answer that leaves piece by piece, before its first piece.
    pub(crate) async fn note(&self, service: &Service, what: Vec<Looked>) -> Result<(), ServiceError> {
        service.settle(&self.permit, self.record.id(), &what).await
    }

    /// Lets an answer out: first the line, durably, then the answer.
    pub(crate) async fn release<T>(self, service: &Service, answer: T, what: Vec<Looked>) -> Result<T, ServiceError> {
        service.settle(&self.permit, self.record.id(), &what).await?;
        Ok(answer)
    }
}

impl Service {
    /// Opens the record that a permit is for.
    pub(crate) async fn open(&self, permit: Permit) -> Result<Opened, ServiceError> {
        let id = permit.record().ok_or(ServiceError::NotFound)?;
        let record = self.tenant().open(id).await?.ok_or(ServiceError::NotFound)?;
        Ok(Opened { permit, record })
    }

    /// Opens a resident's own record for reading.
    pub(crate) async fn open_own(&self, session: &Session) -> Result<Opened, ServiceError> {
        let permit = permit(&session.actor, Purpose::OwnUse, Action::ReadRecord, Target::Person(session.record))?;
        self.open(permit).await
    }

    /// Does what a permit obliges to before an answer leaves.
    pub(crate) async fn settle(&self, permit: &Permit, record: RecordId, what: &[Looked]) -> Result<(), ServiceError> {
        match permit.obligation() {
            Obligation::AccessLine => self.write_access_line(permit, record, what).await,
            // The block that was written names its author already.
            Obligation::AuthoredBlock | Obligation::Nothing => Ok(()),
            // An obligation that this version does not know cannot be met.
            _ => Err(ServiceError::Unavailable),
        }
    }
}

/// Asks the policy without facts.
pub(crate) fn permit(actor: &Actor, purpose: Purpose, action: Action, target: Target) -> Result<Permit, ServiceError> {
    permit_with(actor, purpose, action, target, Facts::default())
}

/// Asks the policy.
pub(crate) fn permit_with(
    actor: &Actor,
    purpose: Purpose,
    action: Action,
    target: Target,
    facts: Facts<'_>,
) -> Result<Permit, ServiceError> {
    keepwell_policy::permit(Request { actor, purpose, action, target, facts }).map_err(denied)
}

/// Counts what was shown, for the access line.
pub(crate) fn looked(counts: impl IntoIterator<Item = (Category, usize)>) -> Vec<Looked> {
    let mut what: Vec<Looked> = Vec::new();
    for (category, count) in counts {
        match what.iter_mut().find(|looked| looked.category == category) {
            Some(looked) => looked.count += count,
            None => what.push(Looked { category, count }),
        }
    }
    what.retain(|looked| looked.count > 0);
    what.sort_by_key(|looked| looked.category);
    what
}
