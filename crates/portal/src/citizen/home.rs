//! `/home`: what this person came for, in one screen.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use keepwell_service::{Category, Home};

use crate::components::result;
use crate::display::{self, Shown};
use crate::errors::PageError;
use crate::html::Html;
use crate::session::Resident;
use crate::shell::{Section, Shell, page};
use crate::texts::Texts;
use crate::{Portal, routes};

/// The page.
#[derive(Template)]
#[template(path = "citizen/home.html")]
pub(crate) struct HomePage {
    shell: Shell,
    name: Shown,
    number: Option<(Shown, String)>,
    born: Shown,
    latest: Vec<Latest>,
    tests: Html,
    measurements: Html,
    /// What the record holds that has no page yet.
    also: Vec<Html>,
}

struct Latest {
    name: Shown,
    href: String,
    when: Shown,
    summary: Html,
}

impl HomePage {
    fn new(shell: Shell, home: &Home) -> Self {
        let t = shell.t;
        let count = |category| home.categories.iter().find(|c| c.category == category).map_or(0, |c| c.count);
        let latest = home.latest_results.iter().map(|report| Latest {
            name: display::text(&report.name),
            href: routes::test_result(&report.id),
            when: display::when_date(t, report.when.as_ref()),
            summary: result::summary(t, report),
        });
        Self {
            name: display::name(&home.name),
            number: home.nhs_number.as_ref().map(|n| (display::nhs_number(n), display::spoken_digits(n))),
            born: display::day(t, &home.birth_date),
            latest: latest.collect(),
            tests: t.html("home-tests-text", &[("count", count(Category::TestResults).into())]),
            measurements: measurements(t, home),
            also: home
                .categories
                .iter()
                .filter(|c| !has_page(c.category) && c.count > 0)
                .map(|c| t.html(&format!("category-{}", c.category.key()), &[("count", c.count.into())]))
                .collect(),
            shell,
        }
    }
}

fn measurements(t: Texts, home: &Home) -> Html {
    match &home.latest_measurement {
        Some(latest) => {
            let when = display::when_date(t, latest.when.as_ref());
            t.html("home-measurements-latest", &[("name", display::text(&latest.name).into()), ("date", when.into())])
        }
        None => t.html("home-measurements-none", &[]),
    }
}

/// Whether a category has a page of its own, or is no content to count.
fn has_page(category: Category) -> bool {
    matches!(
        category,
        Category::TestResults | Category::Measurements | Category::Person | Category::AccessLines | Category::Other
    )
}

/// Shows it.
pub(crate) async fn show(State(portal): State<Portal>, resident: Resident) -> Result<Response, PageError> {
    let home = portal.service().home(&resident.session).await?;
    Ok(page(&HomePage::new(resident.shell(&portal, Section::Home), &home)))
}

#[cfg(test)]
impl crate::quality::Samples for HomePage {
    fn samples(t: Texts) -> Vec<Self> {
        use crate::tests::samples;
        let shell = || crate::quality::shell(t, Section::Home, true);
        vec![Self::new(shell(), &samples::home()), Self::new(shell(), &samples::empty_home())]
    }
}
