//! The first page after sign-in.

use std::collections::BTreeMap;

use keepwell_model::Timestamp;

use super::performers::Performers;
use super::test_results::Tests;
use crate::extract::category_of_type;
use crate::gate::looked;
use crate::views::{Category, CategoryCount, Home};
use crate::{Service, ServiceError, Session};

/// How many of the newest test results the first page shows.
const NEWEST: usize = 3;

impl Service {
    /// The first page: who the person is, how much there is of what, and the newest of it.
    ///
    /// # Errors
    /// [`ServiceError::Unavailable`] if it cannot be told just now.
    pub async fn home(&self, session: &Session) -> Result<Home, ServiceError> {
        let opened = self.open_own(session).await?;
        let person = opened.person().await?;
        let tests = Tests::of(&opened).await?;
        let measurements = self.all_measurements(&opened, session).await?;
        let mut performers = Performers::new(self, session).await?;
        let mut latest_results = Vec::new();
        for line in tests.lines.iter().take(NEWEST) {
            latest_results.push(self.test(&mut performers, &opened, line, &tests.observations).await?);
        }
        let mut counts: BTreeMap<Category, (usize, Timestamp)> = BTreeMap::new();
        let mut count = |category, received: Timestamp| {
            let count = counts.entry(category).or_insert((0, received));
            *count = (count.0 + 1, count.1.max(received));
        };
        for line in &tests.lines {
            count(Category::TestResults, line.entry.time());
        }
        for measurement in &measurements {
            count(Category::Measurements, measurement.received);
        }
        for entry in opened.entries() {
            match entry.kind().fhir_type() {
                // Counted above, as their own pages count them.
                Some("Observation" | "DiagnosticReport") | None => {}
                Some(other) => count(category_of_type(other), entry.time()),
            }
        }
        // How many systems say who the person is, and what fits no page, are not things to come for.
        let shown = |category: &Category| !matches!(category, Category::Person | Category::Other);
        let categories = counts
            .into_iter()
            .filter(|(category, _)| shown(category))
            .map(|(category, (count, received))| CategoryCount { category, count, received })
            .collect();
        drop(tests);
        let seen = looked([
            (Category::Person, 1),
            (Category::TestResults, latest_results.len()),
            (Category::Measurements, measurements.len().min(1)),
        ]);
        let home = Home {
            name: person.as_ref().map_or_else(|| session.display_name.clone(), |person| person.name.clone()),
            nhs_number: person.as_ref().and_then(|person| person.nhs_number),
            birth_date: person.map_or_else(|| session.birth_date.clone(), |person| person.birth_date),
            categories,
            latest_results,
            latest_measurement: measurements.into_iter().next(),
        };
        opened.release(self, home, seen).await
    }
}
