//! The test results of a resident: reports with their results, and results that belong to no report.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use keepwell_fhir::observation::{Observation, Report};
use keepwell_fhir::resource::Resource;
use keepwell_model::EntryNumber;
use keepwell_record::Entry;

use super::measurements::{is_mistake, unreadable};
use super::paged;
use super::performers::Performers;
use crate::extract::{Class, class_of, is_laboratory, name_of, sort_key, test_item, when_of};
use crate::gate::{Opened, looked};
use crate::resolve::{self, Resolver};
use crate::views::{Category, Page, TestResult, When};
use crate::{Service, ServiceError, Session};

/// A line of the list, found but not yet made.
pub(crate) struct Line<'o> {
    pub(crate) entry: Entry<'o>,
    body: Bytes,
    /// For a report its results; `None` for a single result.
    results: Option<Vec<EntryNumber>>,
    when: Option<When>,
}

/// All laboratory results of an open record.
pub(crate) struct Tests<'o> {
    /// Newest first.
    pub(crate) lines: Vec<Line<'o>>,
    /// Each laboratory Observation, by number.
    pub(crate) observations: HashMap<EntryNumber, (Entry<'o>, Bytes)>,
}

impl Service {
    /// The resident's test results, newest first.
    ///
    /// # Errors
    /// [`ServiceError::Unavailable`] if they cannot be told just now: never an empty list instead.
    pub async fn test_results(&self, session: &Session, page: usize) -> Result<Page<TestResult>, ServiceError> {
        let opened = self.open_own(session).await?;
        let tests = Tests::of(&opened).await?;
        let mut performers = Performers::new(self, session).await?;
        let Tests { lines, observations } = &tests;
        let page = paged(lines.iter().collect(), page, self.inner.config.page_size);
        let mut items = Vec::with_capacity(page.items.len());
        for line in &page.items {
            items.push(self.test(&mut performers, &opened, line, observations).await?);
        }
        let seen = looked(items.iter().map(|item| (Category::TestResults, item.items.len().max(1))));
        let page = Page { items, page: page.page, pages: page.pages, total: page.total };
        drop(tests);
        opened.release(self, page, seen).await
    }

    /// One test result. A result that belongs to a report is found by its own id too.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`]; [`ServiceError::Unavailable`].
    pub async fn test_result(&self, session: &Session, id: &str) -> Result<TestResult, ServiceError> {
        let opened = self.open_own(session).await?;
        let tests = Tests::of(&opened).await?;
        let mut performers = Performers::new(self, session).await?;
        let wanted = tests.lines.iter().find(|line| resolve::id_of(opened.table(), &line.entry) == id);
        let result = match wanted {
            Some(line) => self.test(&mut performers, &opened, line, &tests.observations).await?,
            None => {
                let inside = tests.observations.values().find(|(entry, _)| resolve::id_of(opened.table(), entry) == id);
                let (entry, body) = inside.ok_or(ServiceError::NotFound)?;
                let line = Line { entry: *entry, body: body.clone(), results: None, when: None };
                self.test(&mut performers, &opened, &line, &tests.observations).await?
            }
        };
        drop(tests);
        let seen = looked([(Category::TestResults, result.items.len().max(1))]);
        opened.release(self, result, seen).await
    }

    pub(crate) async fn test(
        &self,
        performers: &mut Performers,
        opened: &Opened,
        line: &Line<'_>,
        observations: &HashMap<EntryNumber, (Entry<'_>, Bytes)>,
    ) -> Result<TestResult, ServiceError> {
        let resource = Resource::new(&line.body).map_err(|_| unreadable(opened, &line.entry))?;
        let source_name = line.entry.source_name().unwrap_or_default();
        let id = resolve::id_of(opened.table(), &line.entry);
        let source = self.organisation_of(source_name).await?;
        let (received, labels) = (line.entry.time(), line.entry.labels());
        if let (Some(report), Some(results)) = (Report::of(&resource), &line.results) {
            let mut items = Vec::with_capacity(results.len());
            for (entry, body) in results.iter().filter_map(|number| observations.get(number)) {
                let resource = Resource::new(body).map_err(|_| unreadable(opened, entry))?;
                let observation = Observation::of(&resource).ok_or_else(|| unreadable(opened, entry))?;
                items.push(test_item(resolve::id_of(opened.table(), entry), &observation));
            }
            return Ok(TestResult {
                id,
                name: name_of(&report.code()),
                when: when_of(report.effective().as_ref(), report.issued().as_deref()),
                received,
                source,
                lab: performers.name(source_name, &report.performers()).await?,
                status: report.status().unwrap_or_default().into_owned(),
                conclusion: report.conclusion().map(|words| words.into_owned()),
                items,
                labels,
            });
        }
        let observation = Observation::of(&resource).ok_or_else(|| unreadable(opened, &line.entry))?;
        let item = test_item(id.clone(), &observation);
        Ok(TestResult {
            id,
            name: item.name.clone(),
            when: item.when.clone(),
            received,
            source,
            lab: performers.name(source_name, &observation.performers()).await?,
            status: item.status.clone(),
            conclusion: None,
            items: vec![item],
            labels,
        })
    }
}

impl<'o> Tests<'o> {
    /// Finds every report and single result in an open record.
    pub(crate) async fn of(opened: &'o Opened) -> Result<Self, ServiceError> {
        let mut observations = HashMap::new();
        let mut singles = Vec::new();
        for (entry, body) in opened.of_type("Observation").await? {
            let resource = Resource::new(&body).map_err(|_| unreadable(opened, &entry))?;
            let Some(observation) = Observation::of(&resource) else { continue };
            if class_of(&observation) != Class::Test || is_mistake(observation.status().as_deref()) {
                continue;
            }
            singles.push((entry, when_of(observation.effective().as_ref(), observation.issued().as_deref())));
            observations.insert(entry.number(), (entry, body.clone()));
        }
        let mut lines = Vec::new();
        let mut in_report: HashSet<EntryNumber> = HashSet::new();
        let reports = opened.of_type("DiagnosticReport").await?;
        let names = Resolver::new(opened.table());
        for (entry, body) in reports {
            let resource = Resource::new(&body).map_err(|_| unreadable(opened, &entry))?;
            let Some(report) = Report::of(&resource) else { continue };
            if is_mistake(report.status().as_deref()) {
                continue;
            }
            let results = results(&names, &entry, &report, &observations);
            if results.is_empty() && !is_laboratory(&report) {
                continue;
            }
            in_report.extend(&results);
            let when = when_of(report.effective().as_ref(), report.issued().as_deref());
            lines.push(Line { entry, body: body.clone(), results: Some(results), when });
        }
        for (entry, when) in singles {
            if !in_report.contains(&entry.number())
                && let Some((_, body)) = observations.get(&entry.number())
            {
                lines.push(Line { entry, body: body.clone(), results: None, when });
            }
        }
        lines.sort_by_key(|line| (sort_key(line.when.as_ref(), line.entry.time()), line.entry.number()));
        Ok(Self { lines, observations })
    }
}

/// The laboratory results that a report refers to, each once, in its order.
fn results(
    names: &Resolver<'_>,
    entry: &Entry<'_>,
    report: &Report<'_>,
    observations: &HashMap<EntryNumber, (Entry<'_>, Bytes)>,
) -> Vec<EntryNumber> {
    let source = entry.source_name().unwrap_or_default();
    let mut found: Vec<EntryNumber> = Vec::new();
    for reference in report.results() {
        let Some(text) = reference.reference.as_deref() else { continue };
        let result = names.entry(source, text).map(|entry| entry.number());
        if let Some(number) = result.filter(|number| observations.contains_key(number) && !found.contains(number)) {
            found.push(number);
        }
    }
    found
}
