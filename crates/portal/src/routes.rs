//! Every address of the portal: where it is, how to make a link to it, and who may ask for it.

use axum::routing::{MethodRouter, get, post};

use crate::{Portal, citizen, public, sign_in};

pub(crate) const START: &str = "/";
pub(crate) const SIGN_IN: &str = "/sign-in";
pub(crate) const SIGN_IN_START: &str = "/sign-in/start";
pub(crate) const SIGN_IN_CALLBACK: &str = "/sign-in/callback";
pub(crate) const SIGN_OUT: &str = "/sign-out";
pub(crate) const SIGNED_OUT: &str = "/signed-out";
pub(crate) const TIMED_OUT: &str = "/timed-out";
pub(crate) const ACCESSIBILITY: &str = "/accessibility";
pub(crate) const PRIVACY: &str = "/privacy";
pub(crate) const HOME: &str = "/home";
pub(crate) const TEST_RESULTS: &str = "/record/test-results";
pub(crate) const MEASUREMENTS: &str = "/record/measurements";
pub(crate) const ADD_MEASUREMENT: &str = "/record/measurements/add";
pub(crate) const ACTIVITY: &str = "/sharing/activity";

/// One test result.
pub(crate) fn test_result(id: &str) -> String {
    format!("{TEST_RESULTS}/{}", segment(id))
}

/// All results of one test.
pub(crate) fn test_history(test: &str) -> String {
    format!("{TEST_RESULTS}/history/{}", segment(test))
}

/// The same as a file.
pub(crate) fn test_history_csv(test: &str) -> String {
    format!("{}/csv", test_history(test))
}

/// A page of a list; the first has no number in its address.
pub(crate) fn page_of(list: &str, page: usize) -> String {
    if page <= 1 { list.to_owned() } else { format!("{list}?page={page}") }
}

/// The page of the measurements that shows the one just added.
pub(crate) fn measurements_added(id: &str, page: usize) -> String {
    let page = if page <= 1 { String::new() } else { format!("&page={page}") };
    format!("{MEASUREMENTS}?added={}{page}", segment(id))
}

fn segment(text: &str) -> impl std::fmt::Display {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string().replace("%2D", "-")
}

/// Who may ask for an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anybody.
    Public,
    /// A signed-in resident; anybody else is sent to sign in.
    Resident,
}

/// One address.
pub(crate) struct Route {
    pub(crate) path: &'static str,
    pub(crate) access: Access,
    pub(crate) handler: MethodRouter<Portal>,
}

/// Every address there is. The router is built from this list and the tests walk it, so that no page is forgotten.
pub(crate) fn all() -> Vec<Route> {
    use Access::{Public, Resident};
    let route = |path, access, handler| Route { path, access, handler };
    vec![
        route(START, Public, get(public::start::show)),
        route(SIGN_IN, Public, get(public::sign_in::show)),
        route(SIGN_IN_START, Public, get(sign_in::start::go)),
        route(SIGN_IN_CALLBACK, Public, get(sign_in::callback::finish)),
        route(SIGN_OUT, Resident, post(sign_in::sign_out::go)),
        route(SIGNED_OUT, Public, get(public::signed_out::signed_out)),
        route(TIMED_OUT, Public, get(public::signed_out::timed_out)),
        route(ACCESSIBILITY, Public, get(public::accessibility::show)),
        route(PRIVACY, Public, get(public::privacy::show)),
        route("/assets/{file}", Public, get(public::files::show)),
        route(HOME, Resident, get(citizen::home::show)),
        route(TEST_RESULTS, Resident, get(citizen::test_results::list::show)),
        route("/record/test-results/{id}", Resident, get(citizen::test_results::show::show)),
        route("/record/test-results/history/{test}", Resident, get(citizen::test_results::history::show)),
        route("/record/test-results/history/{test}/csv", Resident, get(citizen::test_results::csv::download)),
        route(MEASUREMENTS, Resident, get(citizen::measurements::list::show)),
        route(ADD_MEASUREMENT, Resident, get(citizen::measurements::add::form).post(citizen::measurements::add::save)),
        route(ACTIVITY, Resident, get(citizen::sharing::activity::show)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_are_these_and_a_change_is_a_decision() {
        let list: String = all().iter().map(|r| format!("{} {:?}\n", r.path, r.access)).collect();
        insta::assert_snapshot!(list);
    }

    #[test]
    fn an_id_in_an_address_cannot_leave_its_place() {
        assert_eq!(test_result("0123456789abcdef-1a"), "/record/test-results/0123456789abcdef-1a");
        assert_eq!(test_result("../home?x"), "/record/test-results/%2E%2E%2Fhome%3Fx");
        assert_eq!(page_of(ACTIVITY, 1), ACTIVITY);
        assert_eq!(page_of(ACTIVITY, 3), "/sharing/activity?page=3");
    }
}
