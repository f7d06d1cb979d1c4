//! `/record/test-results`: every report, newest first, under its year.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use keepwell_service::{Page, TestResult};

use crate::components::pagination::{PageQuery, Pagination, Step};
use crate::components::result;
use crate::display::{self, Shown};
use crate::errors::PageError;
use crate::html::Html;
use crate::session::Resident;
use crate::shell::{Section, Shell, page};
use crate::texts::{Arg, Texts};
use crate::{Portal, routes};

/// The page.
#[derive(Template)]
#[template(path = "citizen/test_results/list.html")]
pub(crate) struct ListPage {
    shell: Shell,
    total: usize,
    years: Vec<Year>,
    pagination: Pagination,
}

struct Year {
    name: Shown,
    reports: Vec<Line>,
}

struct Line {
    name: Shown,
    href: String,
    when: Shown,
    source: Shown,
    summary: Html,
    status: Option<String>,
}

impl ListPage {
    fn new(shell: Shell, found: &Page<TestResult>) -> Self {
        let t = shell.t;
        let mut years: Vec<Year> = Vec::new();
        for report in &found.items {
            let name = display::year_of(t, report.when.as_ref());
            if years.last().is_none_or(|year| year.name != name) {
                years.push(Year { name, reports: Vec::new() });
            }
            if let Some(year) = years.last_mut() {
                year.reports.push(line(t, report));
            }
        }
        let pagination = Pagination::new(routes::TEST_RESULTS, found.page, found.pages);
        Self { total: found.total, years, pagination, shell }
    }
}

fn line(t: Texts, report: &TestResult) -> Line {
    Line {
        name: display::text(&report.name),
        href: routes::test_result(&report.id),
        when: display::when_date(t, report.when.as_ref()),
        source: display::name(report.lab.as_deref().unwrap_or(&report.source)),
        summary: result::summary(t, report),
        status: result::status(t, &report.status),
    }
}

/// Shows it.
pub(crate) async fn show(
    State(portal): State<Portal>,
    resident: Resident,
    Query(query): Query<PageQuery>,
) -> Result<Response, PageError> {
    let found = portal.service().test_results(&resident.session, query.number()).await?;
    Ok(page(&ListPage::new(resident.shell(&portal, Section::TestResults), &found)))
}

#[cfg(test)]
impl crate::quality::Samples for ListPage {
    fn samples(t: Texts) -> Vec<Self> {
        use crate::tests::samples;
        let shell = || crate::quality::shell(t, Section::TestResults, true);
        let empty = Page { items: Vec::new(), page: 1, pages: 1, total: 0 };
        let middle = Page { page: 4, pages: 9, total: 170, ..samples::reports() };
        vec![Self::new(shell(), &samples::reports()), Self::new(shell(), &middle), Self::new(shell(), &empty)]
    }
}
