//! `/accessibility`: the accessibility statement.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::Portal;
use crate::display::{self, Shown};
use crate::shell::{Shell, page};
use crate::texts::Arg;

/// When somebody last checked that the statement is true.
const REVIEWED: &str = "2026-11-23";

/// The page.
#[derive(Template)]
#[template(path = "public/accessibility.html")]
pub(crate) struct AccessibilityPage {
    shell: Shell,
    reviewed: Shown,
}

/// Shows it.
pub(crate) async fn show(State(portal): State<Portal>) -> Response {
    let shell = Shell::public(portal.config());
    page(&AccessibilityPage { reviewed: display::day(shell.t, REVIEWED), shell })
}

#[cfg(test)]
impl crate::quality::Samples for AccessibilityPage {
    fn samples(t: crate::texts::Texts) -> Vec<Self> {
        let shell = crate::quality::shell(t, crate::shell::Section::None, false);
        vec![Self { shell, reviewed: display::day(t, REVIEWED) }]
    }
}
