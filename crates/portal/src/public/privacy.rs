//! `/privacy`: what is kept and who sees it.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::Portal;
use crate::shell::{Shell, page};

/// The page.
#[derive(Template)]
#[template(path = "public/privacy.html")]
pub(crate) struct PrivacyPage {
    shell: Shell,
}

/// Shows it.
pub(crate) async fn show(State(portal): State<Portal>) -> Response {
    page(&PrivacyPage { shell: Shell::public(portal.config()) })
}

#[cfg(test)]
impl crate::quality::Samples for PrivacyPage {
    fn samples(t: crate::texts::Texts) -> Vec<Self> {
        vec![Self { shell: crate::quality::shell(t, crate::shell::Section::None, false) }]
    }
}
