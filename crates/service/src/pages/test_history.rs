//! The history of one test.

use keepwell_fhir::observation::Observation;
use keepwell_fhir::resource::Resource;

use super::measurements::unreadable;
use super::test_results::Tests;
use crate::extract::{bounds, slugs_of, sort_key, test_item};
use crate::gate::looked;
use crate::resolve;
use crate::views::{Category, Point, TestHistory};
use crate::{Service, ServiceError, Session};

impl Service {
    /// Every result of one test, newest first. `test` is the slug that [`crate::TestItem::test`] gives.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] if there is no result of that test; [`ServiceError::Unavailable`].
    pub async fn test_history(&self, session: &Session, test: &str) -> Result<TestHistory, ServiceError> {
        let opened = self.open_own(session).await?;
        let tests = Tests::of(&opened).await?;
        let mut found = Vec::new();
        for (entry, body) in tests.observations.values() {
            let resource = Resource::new(body).map_err(|_| unreadable(&opened, entry))?;
            let observation = Observation::of(&resource).ok_or_else(|| unreadable(&opened, entry))?;
            if !slugs_of(&observation.code()).any(|slug| slug == test) {
                continue;
            }
            let item = test_item(resolve::id_of(opened.table(), entry), &observation);
            let limits = bounds(&observation.reference_range(), &item.unit).unwrap_or_default();
            let source_name = entry.source_name().unwrap_or_default();
            let point = Point {
                id: item.id,
                received: entry.time(),
                value_text: if item.value_text.is_empty() { item.absent.unwrap_or_default() } else { item.value_text },
                unit: item.unit,
                value: item.value,
                range: item.range,
                outside: item.outside,
                status: item.status,
                source: self.organisation_of(source_name).await?,
                lab: self.performer(session, source_name, &observation.performers()).await?,
                when: item.when,
            };
            found.push((point, item.name, limits));
        }
        drop(tests);
        found.sort_by(|(a, ..), (b, ..)| {
            let key = |point: &Point| sort_key(point.when.as_ref(), point.received);
            key(a).cmp(&key(b)).then_with(|| a.id.cmp(&b.id))
        });
        let (newest, name, (low, high)) = found.first().ok_or(ServiceError::NotFound)?;
        let unit = newest.unit.clone();
        let history = TestHistory {
            test: test.to_owned(),
            name: name.clone(),
            one_unit: found.iter().filter(|(point, ..)| point.value.is_some()).all(|(point, ..)| point.unit == unit),
            unit,
            low: *low,
            high: *high,
            points: found.into_iter().map(|(point, ..)| point).collect(),
        };
        let seen = looked([(Category::TestResults, history.points.len())]);
        opened.release(self, history, seen).await
    }

    /// The name that the directory has for what a source's reference leads to.
    pub(crate) async fn directory_name(
        &self,
        session: &Session,
        source: &str,
        reference: &str,
    ) -> Result<Option<String>, ServiceError> {
        use keepwell_model::Purpose;
        use keepwell_policy::{Action, Target};
        let id = self.tenant().directory();
        let permit =
            crate::gate::permit(&session.actor, Purpose::OwnUse, Action::ReadDirectory, Target::Directory(id))?;
        let directory = self.open(permit).await?;
        let Some(entry) = resolve::entry(directory.table(), source, reference).filter(|entry| !entry.is_deleted())
        else {
            return Ok(None);
        };
        let body = directory.body(&entry).await?;
        let resource = Resource::new(&body).map_err(|_| unreadable(&directory, &entry))?;
        let name = match resource.resource_type {
            "Practitioner" => {
                let name = resource.fields.first("name").map(keepwell_fhir::person::human_name);
                name.map(|name| name.line())
            }
            "Organization" | "Location" | "HealthcareService" => {
                resource.fields.get_text("name").map(|name| name.into_owned())
            }
            _ => None,
        };
        Ok(name.filter(|name| !name.is_empty()))
    }
}
