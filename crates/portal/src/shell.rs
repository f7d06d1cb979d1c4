//! The frame around every page: language, demonstration banner, header, navigation, footer.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use crate::config::PortalConfig;
use crate::display::Shown;
use crate::errors::PageError;
use crate::texts::Texts;
use crate::{assets, headers, routes};

/// What the layout needs to know.
pub(crate) struct Shell {
    /// The texts, in the page's language.
    pub(crate) t: Texts,
    /// The name of the service.
    pub(crate) service: String,
    /// Whether the demonstration banner is shown.
    pub(crate) demonstration: bool,
    /// Who is signed in.
    pub(crate) person: Option<Person>,
    /// Which part of the navigation is open.
    pub(crate) section: Section,
    /// Whether the page reports mistakes in a form; its title then starts with the word for it.
    pub(crate) error: bool,
}

/// The signed-in person, as the header shows them.
pub(crate) struct Person {
    /// Name.
    pub(crate) name: Shown,
    /// The secret of the session's forms.
    pub(crate) csrf: String,
}

/// A part of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// None of them.
    None,
    /// `/home`.
    Home,
    /// `/record/test-results`.
    TestResults,
    /// `/record/measurements`.
    Measurements,
    /// `/sharing/activity`.
    Activity,
}

impl Shell {
    pub(crate) fn new(config: &PortalConfig, section: Section, person: Option<Person>) -> Self {
        Self {
            t: Texts::of("en"),
            service: config.service_name.clone(),
            demonstration: config.demonstration,
            person,
            section,
            error: false,
        }
    }

    /// A frame with nobody signed in.
    pub(crate) fn public(config: &PortalConfig) -> Self {
        Self::new(config, Section::None, None)
    }

    /// The links of the navigation: address, key of the label, whether it is the current one.
    pub(crate) fn navigation(&self) -> [(&'static str, &'static str, bool); 4] {
        let link = |address, key, section| (address, key, self.section == section);
        [
            link(routes::HOME, "nav-home", Section::Home),
            link(routes::TEST_RESULTS, "nav-test-results", Section::TestResults),
            link(routes::MEASUREMENTS, "nav-measurements", Section::Measurements),
            link(routes::ACTIVITY, "nav-activity", Section::Activity),
        ]
    }

    /// Where the name of the service leads.
    pub(crate) fn front(&self) -> &'static str {
        if self.person.is_some() { routes::HOME } else { routes::START }
    }

    pub(crate) fn stylesheet(&self) -> &'static str {
        assets::STYLESHEET
    }

    pub(crate) fn script(&self) -> &'static str {
        assets::SCRIPT
    }

    pub(crate) fn favicon(&self) -> &'static str {
        assets::FAVICON
    }

    pub(crate) fn icons(&self) -> &'static str {
        assets::ICONS
    }

    pub(crate) fn inline_script(&self) -> &'static str {
        headers::INLINE_SCRIPT
    }
}

/// Renders a view with a status.
pub(crate) fn page_with(status: StatusCode, view: &impl Template) -> Response {
    match view.render() {
        Ok(body) => (status, Html(body)).into_response(),
        // Templates are checked when they are compiled; this needs a value whose own `Display` fails.
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "A page could not be rendered");
            PageError::Internal.into_response()
        }
    }
}

/// Renders a view.
pub(crate) fn page(view: &impl Template) -> Response {
    page_with(StatusCode::OK, view)
}
