//! `/sign-in`: choose how to sign in.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::Portal;
use crate::display::{self, Shown};
use crate::shell::{Shell, page};
use crate::texts::Arg;

/// The page.
#[derive(Template)]
#[template(path = "public/sign_in.html")]
pub(crate) struct SignInPage {
    shell: Shell,
    provider: Shown,
}

/// Shows it.
pub(crate) async fn show(State(portal): State<Portal>) -> Response {
    let provider = display::name(&portal.config().provider.name);
    page(&SignInPage { shell: Shell::public(portal.config()), provider })
}

#[cfg(test)]
impl crate::quality::Samples for SignInPage {
    fn samples(t: crate::texts::Texts) -> Vec<Self> {
        [true, false]
            .into_iter()
            .map(|demonstration| {
                let mut shell = crate::quality::shell(t, crate::shell::Section::None, false);
                shell.demonstration = demonstration;
                Self { shell, provider: display::name("NHS login") }
            })
            .collect()
    }
}
