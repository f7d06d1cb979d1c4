//! `/`: what this is and how to begin.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::Portal;
use crate::shell::{Shell, page};

/// The page.
#[derive(Template)]
#[template(path = "public/start.html")]
pub(crate) struct StartPage {
    shell: Shell,
}

/// Shows it.
pub(crate) async fn show(State(portal): State<Portal>) -> Response {
    page(&StartPage { shell: Shell::public(portal.config()) })
}

#[cfg(test)]
impl crate::quality::Samples for StartPage {
    fn samples(t: crate::texts::Texts) -> Vec<Self> {
        vec![Self { shell: crate::quality::shell(t, crate::shell::Section::None, false) }]
    }
}
