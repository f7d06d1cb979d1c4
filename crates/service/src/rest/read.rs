//! Reading one resource, in its current or in an earlier version (R4 §3.1.0.2, §3.1.0.3).

use keepwell_fhir::outcome::IssueCode;
use keepwell_model::{Seq, Stream};
use keepwell_record::BlockEntry;

use super::seen::{Place, Seen, Version, not_found, or_not_found};
use crate::extract::category_of;
use crate::gate::looked;
use crate::operations::Projected;
use crate::resolve;
use crate::systems::{Client, ResourceAnswer};
use crate::{FhirError, Service};

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
        if let Some(projected) = Projected::named(resource_type, id) {
            return self.read_projected(client, projected).await;
        }
        let place = Place::of(resource_type, id).ok_or_else(not_found)?;
        let seen = self.see(client, place.record).await.map_err(or_not_found)?;
        let entry = seen.find(resource_type, place.entry).ok_or_else(not_found)?;
        if entry.is_deleted() {
            return Err(deleted());
        }
        let body = seen.body(&entry).await?;
        let json = seen.project(&entry, &body);
        let answer = ResourceAnswer { json, version: entry.version(), last_updated: entry.time() };
        let category = category_of(resource_type, &body);
        Ok(seen.release(self, answer, looked([(category, 1)])).await?)
    }

    /// One version of a resource. A version that is beyond the system's reach, or that belongs to something which is by
    /// now, is not found.
    ///
    /// # Errors
    /// [`FhirError`]: 404 not found, 410 if that version is the deletion, 503 not available.
    pub async fn read_version(
        &self,
        client: &Client,
        resource_type: &str,
        id: &str,
        version: &str,
    ) -> Result<ResourceAnswer, FhirError> {
        let place = Place::of(resource_type, id).ok_or_else(not_found)?;
        let version = version.parse().map(Seq).map_err(|_| not_found())?;
        let seen = self.see(client, place.record).await.map_err(or_not_found)?;
        let entry = seen.find(resource_type, place.entry).ok_or_else(not_found)?;
        let number = entry.number();
        let id = resolve::id_of(seen.table(), &entry);
        let blocks = self.tenant().blocks(place.record, Stream::Care, version, 1).await?;
        let block = blocks.into_iter().find(|block| block.seq == version).ok_or_else(not_found)?;
        let found = block.entries.iter().find(|entry| entry.number == number && seen.reaches_version(entry));
        let found = found.ok_or_else(not_found)?;
        let body = found.body.clone().ok_or_else(deleted)?;
        let source = found.source.as_ref().map_or("", |key| key.source.as_str());
        let json = seen.project_version(&Version { id: &id, version, time: block.time, source, body: &body });
        let answer = ResourceAnswer { json, version, last_updated: block.time };
        let category = category_of(resource_type, &body);
        Ok(seen.release(self, answer, looked([(category, 1)])).await?)
    }
}

impl Seen {
    /// Whether an earlier version of something is within reach by itself.
    pub(crate) fn reaches_version(&self, entry: &BlockEntry) -> bool {
        self.reaches_labelled(entry.labels, entry.source.as_ref().map(|key| key.source.as_str()))
    }
}

fn deleted() -> FhirError {
    FhirError::new(410, IssueCode::Deleted, "The resource was deleted.")
}
