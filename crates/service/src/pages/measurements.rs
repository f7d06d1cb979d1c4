//! The measurements of a resident.

use bytes::Bytes;
use keepwell_fhir::observation::Observation;
use keepwell_fhir::resource::Resource;
use keepwell_record::Entry;

use super::add_blood_pressure::OWN_SOURCE;
use super::paged;
use crate::extract::{self, Class, class_of, sort_key};
use crate::gate::{Opened, looked};
use crate::views::{Category, Measurement, Page};
use crate::{Service, ServiceError, Session, resolve};

impl Service {
    /// The resident's measurements, newest first.
    ///
    /// # Errors
    /// [`ServiceError::Unavailable`] if they cannot be told just now: never an empty list instead.
    pub async fn measurements(&self, session: &Session, page: usize) -> Result<Page<Measurement>, ServiceError> {
        let opened = self.open_own(session).await?;
        let all = self.all_measurements(&opened, session).await?;
        let page = paged(all, page, self.inner.config.page_size);
        let seen = looked([(Category::Measurements, page.items.len())]);
        opened.release(self, page, seen).await
    }

    pub(crate) async fn all_measurements(
        &self,
        opened: &Opened,
        session: &Session,
    ) -> Result<Vec<Measurement>, ServiceError> {
        let mut found = Vec::new();
        for (entry, body) in opened.of_type("Observation").await? {
            found.extend(self.measurement(opened, session, &entry, &body).await?);
        }
        found.sort_by(|a: &Measurement, b| {
            let key = |it: &Measurement| sort_key(it.when.as_ref(), it.received);
            key(a).cmp(&key(b)).then_with(|| a.id.cmp(&b.id))
        });
        Ok(found)
    }

    /// The entry as a measurement, if it is one.
    pub(crate) async fn measurement(
        &self,
        opened: &Opened,
        session: &Session,
        entry: &Entry<'_>,
        body: &Bytes,
    ) -> Result<Option<Measurement>, ServiceError> {
        let resource = Resource::new(body).map_err(|_| unreadable(opened, entry))?;
        let Some(observation) = Observation::of(&resource) else { return Ok(None) };
        if class_of(&observation) != Class::Measurement || is_mistake(observation.status().as_deref()) {
            return Ok(None);
        }
        let own = entry.source_name() == Some(OWN_SOURCE);
        let source = match entry.source_name() {
            Some(name) if !own => self.organisation_of(name).await?,
            _ => session.display_name.clone(),
        };
        let arrival = extract::Arrival {
            id: resolve::id_of(opened.table(), entry),
            received: entry.time(),
            source,
            own,
            labels: entry.labels(),
        };
        Ok(Some(extract::measurement(&observation, arrival)))
    }
}

/// Whether the sender says that it was never true of this person.
pub(crate) fn is_mistake(status: Option<&str>) -> bool {
    status == Some("entered-in-error")
}

/// A stored thing that should be a resource and is not: said, not skipped.
pub(crate) fn unreadable(opened: &Opened, entry: &Entry<'_>) -> ServiceError {
    tracing::error!(record.id = %opened.id(), entry = entry.number().0, "A stored resource cannot be read");
    ServiceError::Unavailable
}
