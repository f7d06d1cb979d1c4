//! `/record/test-results/{id}`: one report. What the laboratory said in words comes first, then the values.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use keepwell_service::TestResult;

use crate::Portal;
use crate::components::result::{self, ResultLine};
use crate::display::{self, Calendar, Shown};
use crate::errors::PageError;
use crate::session::Resident;
use crate::shell::{Section, Shell, page};
use crate::texts::Arg;

/// The page.
#[derive(Template)]
#[template(path = "citizen/test_results/show.html")]
pub(crate) struct ShowPage {
    shell: Shell,
    name: Shown,
    status: Option<String>,
    conclusion: Option<Shown>,
    lines: Vec<ResultLine>,
    outside: bool,
    when: Shown,
    lab: Option<Shown>,
    source: Shown,
    received: Shown,
}

impl ShowPage {
    fn new(shell: Shell, calendar: &Calendar, report: &TestResult) -> Self {
        let t = shell.t;
        let conclusion = report.conclusion.as_deref().filter(|text| !text.trim().is_empty());
        Self {
            name: display::text(&report.name),
            status: result::status(t, &report.status),
            conclusion: conclusion.map(display::text),
            lines: report.items.iter().map(|item| ResultLine::new(t, item)).collect(),
            outside: report.items.iter().any(|item| item.outside == Some(true)),
            when: display::when(t, report.when.as_ref()),
            lab: report.lab.as_deref().filter(|lab| *lab != report.source).map(display::name),
            source: display::name(&report.source),
            received: display::moment(t, calendar, report.received),
            shell,
        }
    }

    /// The one result of a report that has just one.
    fn only(&self) -> Option<&ResultLine> {
        match self.lines.as_slice() {
            [line] if line.parts.is_empty() => Some(line),
            _ => None,
        }
    }
}

/// Shows it.
pub(crate) async fn show(
    State(portal): State<Portal>,
    resident: Resident,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let report = portal.service().test_result(&resident.session, &id).await?;
    Ok(page(&ShowPage::new(resident.shell(&portal, Section::TestResults), portal.calendar(), &report)))
}

#[cfg(test)]
impl crate::quality::Samples for ShowPage {
    fn samples(t: crate::texts::Texts) -> Vec<Self> {
        let calendar = Calendar::of("Europe/London").expect("bundled");
        let shell = || crate::quality::shell(t, Section::TestResults, true);
        crate::tests::samples::reports().items.iter().map(|report| Self::new(shell(), &calendar, report)).collect()
    }
}
