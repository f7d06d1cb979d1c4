//! `/sharing/activity`: who looked at this record, and who added to it, in plain sentences.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use keepwell_model::Purpose;
use keepwell_service::{AccessLine, Category, Page};

use crate::components::pagination::{PageQuery, Pagination, Step};
use crate::display::{self, Calendar, Shown};
use crate::errors::PageError;
use crate::html::Html;
use crate::session::Resident;
use crate::shell::{Section, Shell, page};
use crate::texts::{Arg, Texts};
use crate::{Portal, routes};

/// The page.
#[derive(Template)]
#[template(path = "citizen/sharing/activity.html")]
pub(crate) struct ActivityPage {
    shell: Shell,
    total: usize,
    days: Vec<Day>,
    pagination: Pagination,
}

struct Day {
    date: Shown,
    lines: Vec<Line>,
}

struct Line {
    time: Shown,
    sentence: Html,
    reason: Option<String>,
    own: bool,
}

impl ActivityPage {
    fn new(shell: Shell, calendar: &Calendar, found: &Page<AccessLine>) -> Self {
        let t = shell.t;
        let mut days: Vec<Day> = Vec::new();
        for line in &found.items {
            let date = display::moment_at(t, calendar, line.when);
            if days.last().is_none_or(|day| day.date != date) {
                days.push(Day { date, lines: Vec::new() });
            }
            if let Some(day) = days.last_mut() {
                let time = display::at(t, calendar, line.when);
                day.lines.push(Line { time, sentence: sentence(t, line), reason: reason(t, line), own: line.own });
            }
        }
        let pagination = Pagination::new(routes::ACTIVITY, found.page, found.pages);
        Self { total: found.total, days, pagination, shell }
    }
}

/// `Dr Amir Hussain, General practitioner at Chapel Allerton Surgery, looked at 3 test results.`
fn sentence(t: Texts, line: &AccessLine) -> Html {
    let what = what(t, line);
    let verb = if line.action == "write" { "added" } else { "looked" };
    let what = ("what", Arg::from(what));
    if line.own {
        return t.html(&format!("activity-you-{verb}"), &[what]);
    }
    let who = ("who", Arg::from(display::name(&line.who)));
    let organisation = ("organisation", Arg::from(display::name(&line.organisation)));
    match line.role.as_str() {
        "system" => {
            let name = if line.organisation.is_empty() { &line.who } else { &line.organisation };
            t.html(&format!("activity-system-{verb}"), &[what, ("organisation", display::name(name).into())])
        }
        "keepwell" | "operator" => t.html(&format!("activity-keepwell-{verb}"), &[what]),
        "delegate" => t.html(&format!("activity-delegate-{verb}"), &[what, who]),
        role => {
            let role = ("role", Arg::from(display::text(role)));
            t.html(&format!("activity-person-{verb}"), &[what, who, role, organisation])
        }
    }
}

/// What was looked at. Things that have no name of their own are "other information", counted together.
fn what(t: Texts, line: &AccessLine) -> Html {
    let named = |category: Category| category != Category::Other;
    let phrase =
        |category: Category, count: usize| t.html(&format!("category-{}", category.key()), &[("count", count.into())]);
    let mut phrases: Vec<Html> = line
        .what
        .iter()
        .filter(|looked| named(looked.category))
        .map(|looked| phrase(looked.category, looked.count))
        .collect();
    let other: usize = line.what.iter().filter(|looked| !named(looked.category)).map(|looked| looked.count).sum();
    if other > 0 {
        phrases.push(phrase(Category::Other, other));
    }
    if phrases.is_empty() { t.html("activity-record", &[]) } else { t.list(phrases) }
}

/// Why, where it was not the person's own use.
fn reason(t: Texts, line: &AccessLine) -> Option<String> {
    let key = match line.purpose {
        Purpose::OwnUse => return None,
        Purpose::DirectCare => "activity-reason-care",
        Purpose::Emergency => "activity-reason-emergency",
        // The sentence itself says so when it was Keepwell.
        Purpose::Administration if matches!(line.role.as_str(), "keepwell" | "operator" | "system") => return None,
        Purpose::Administration => "activity-reason-administration",
    };
    Some(t.say(key))
}

/// Shows it.
pub(crate) async fn show(
    State(portal): State<Portal>,
    resident: Resident,
    Query(query): Query<PageQuery>,
) -> Result<Response, PageError> {
    let found = portal.service().who_looked(&resident.session, query.number()).await?;
    Ok(page(&ActivityPage::new(resident.shell(&portal, Section::Activity), portal.calendar(), &found)))
}

#[cfg(test)]
impl crate::quality::Samples for ActivityPage {
    fn samples(t: Texts) -> Vec<Self> {
        use crate::tests::samples;
        let calendar = Calendar::of("Europe/London").expect("bundled");
        let shell = || crate::quality::shell(t, Section::Activity, true);
        let empty = Page { items: Vec::new(), page: 1, pages: 1, total: 0 };
        let lines = samples::access_lines();
        vec![Self::new(shell(), &calendar, &lines), Self::new(shell(), &calendar, &empty)]
    }
}
