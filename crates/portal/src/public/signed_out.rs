//! `/signed-out` and `/timed-out`: the session is over.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::Portal;
use crate::shell::{Shell, page};

/// The page.
#[derive(Template)]
#[template(path = "public/signed_out.html")]
pub(crate) struct SignedOutPage {
    shell: Shell,
    timed_out: bool,
}

impl SignedOutPage {
    fn text(&self, part: &str) -> String {
        let how = if self.timed_out { "timed-out" } else { "signed-out" };
        self.shell.t.say(&format!("{how}-{part}"))
    }
}

/// After the person signed out.
pub(crate) async fn signed_out(State(portal): State<Portal>) -> Response {
    page(&SignedOutPage { shell: Shell::public(portal.config()), timed_out: false })
}

/// After a session ended by itself.
pub(crate) async fn timed_out(State(portal): State<Portal>) -> Response {
    page(&SignedOutPage { shell: Shell::public(portal.config()), timed_out: true })
}

#[cfg(test)]
impl crate::quality::Samples for SignedOutPage {
    fn samples(t: crate::texts::Texts) -> Vec<Self> {
        let shell = || crate::quality::shell(t, crate::shell::Section::None, false);
        [true, false].into_iter().map(|timed_out| Self { shell: shell(), timed_out }).collect()
    }
}
