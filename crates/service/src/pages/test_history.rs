//! The history of one test.

use keepwell_fhir::observation::Observation;
use keepwell_fhir::resource::Resource;

use super::measurements::unreadable;
use super::performers::Performers;
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
        let mut performers = Performers::new(self, session).await?;
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
                lab: performers.name(source_name, &observation.performers()).await?,
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
}
