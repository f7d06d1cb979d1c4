//! Every address, as nobody, as somebody whose session is over, and with forms that are not ours.

use super::browser::{Answer, Browser, House, later};
use crate::routes::{self, Access};
use crate::{cookies, headers};

/// The addresses with something in the place of their parameters.
fn addresses(access: Access) -> Vec<String> {
    let fill =
        |path: &str| path.replace("{id}", "0123456789abcdef-1").replace("{test}", "hba1c").replace("{file}", "x.css");
    routes::all().iter().filter(|route| route.access == access).map(|route| fill(route.path)).collect()
}

/// GET and POST of every address; what an address does not take is left out.
async fn everything(browser: &mut Browser, access: Access) -> Vec<(String, Answer)> {
    let mut out = Vec::new();
    for address in addresses(access) {
        for (method, answer) in [("GET", browser.get(&address).await), ("POST", browser.post(&address, &[]).await)] {
            if answer.status != 405 {
                out.push((format!("{method} {address}"), answer));
            }
        }
    }
    out
}

#[tokio::test]
async fn nobody_reaches_a_resident_s_page() {
    let house = House::new().await;
    let answers = everything(&mut house.browser(), Access::Resident).await;
    assert!(answers.len() >= 9);
    for (request, answer) in answers {
        assert_eq!((answer.status.as_u16(), answer.location()), (303, "/sign-in"), "{request}");
        assert!(answer.body.is_empty(), "{request}");
    }
}

#[tokio::test]
async fn a_session_that_is_over_or_made_up_leads_to_timed_out_and_the_cookie_goes() {
    let house = House::new().await;
    for token in ["x", "0123456789012345678901234567890123456789012", &"a".repeat(500), "%00"] {
        let mut browser = house.browser();
        for address in addresses(Access::Resident) {
            browser.cookies.insert(cookies::SESSION.to_owned(), token.to_owned());
            let answer = browser.get(&address).await;
            if answer.status == 405 {
                continue;
            }
            assert_eq!((answer.status.as_u16(), answer.location()), (303, "/timed-out"), "{address}");
            assert!(browser.cookies.is_empty(), "{address}");
        }
    }
}

#[tokio::test]
async fn every_answer_has_the_headers_that_protect_it() {
    let house = House::new().await;
    let mut browser = house.amina().await;
    let mut answers = everything(&mut house.browser(), Access::Public).await;
    for address in ["/home", "/record/test-results", "/record/measurements/add", "/sharing/activity", "/no-such-page"] {
        answers.push((address.to_owned(), browser.get(address).await));
    }
    let policy = headers::content_security_policy(&house.provider.issuer(), "https://keepwell.example");
    for (request, answer) in answers {
        let header = |name: &str| answer.headers.get(name).map_or("", |value| value.to_str().unwrap());
        assert_eq!(header("content-security-policy"), policy, "{request}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{request}");
        assert_eq!(header("referrer-policy"), "no-referrer", "{request}");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin", "{request}");
        assert!(header("strict-transport-security").contains("max-age=31536000"), "{request}");
        assert!(header("permissions-policy").contains("camera=()"), "{request}");
        assert_eq!(header("cache-control"), "no-store", "{request}");
    }
    let sheet = browser.get(crate::assets::STYLESHEET).await;
    assert!(sheet.headers["cache-control"].to_str().unwrap().contains("immutable"));
}

#[tokio::test]
async fn a_form_without_the_session_s_secret_changes_nothing() {
    let house = House::new().await;
    let mut amina = house.amina().await;
    let mut stranger = house.amina().await;
    let others = stranger.get("/record/measurements/add").await.field("csrf");
    let reading =
        [("systolic", "128"), ("diastolic", "82"), ("day", "23"), ("month", "11"), ("year", "2026"), ("time", "9:00")];
    for csrf in ["", "x", others.as_str()] {
        let mut fields = reading.to_vec();
        fields.extend([("csrf", csrf), ("form_key", "0123456789abcdef")]);
        assert_eq!(amina.post("/record/measurements/add", &fields).await.status, 403, "{csrf:?}");
        assert_eq!(amina.post("/sign-out", &[("csrf", csrf)]).await.status, 403, "{csrf:?}");
    }
    let measurements = amina.get("/record/measurements").await;
    assert_eq!(measurements.status, 200, "she is still signed in");
    assert!(!measurements.body.contains("128/82"));
}

#[tokio::test]
async fn nl_4_a_session_ends_after_half_an_hour_without_use_and_after_twelve_hours_of_use() {
    let house = House::new().await;
    let mut browser = house.amina().await;
    house.scratch.clock.set(later(29 * 60 + 59));
    assert_eq!(browser.get("/home").await.status, 200);
    house.scratch.clock.set(later(29 * 60 + 59 + 30 * 60 + 1));
    assert_eq!(browser.get("/home").await.location(), "/timed-out");

    house.scratch.clock.set(later(0));
    let mut browser = house.amina().await;
    for quarter in 1..48 {
        house.scratch.clock.set(later(quarter * 15 * 60));
        assert_eq!(browser.get("/sharing/activity").await.status, 200, "after {quarter} quarters of an hour");
    }
    house.scratch.clock.set(later(12 * 3_600 + 1));
    assert_eq!(browser.get("/home").await.location(), "/timed-out");
}

#[tokio::test]
async fn another_person_s_result_and_one_that_never_was_look_the_same() {
    let house = House::new().await;
    let mut amina = house.amina().await;
    house.provider.behave(|behaviour| {
        behaviour.claims.insert("nhs_number", "9912003888".into());
        behaviour.claims.insert("family_name", "Nowak".into());
        behaviour.claims.insert("birthdate", "1990-05-06".into());
        behaviour.claims.insert("sub", "tomasz".into());
    });
    let mut tomasz = house.amina().await;
    let list = tomasz.get("/record/test-results").await.body;
    let his = list.split("href=\"/record/test-results/").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    assert_eq!(tomasz.get(&format!("/record/test-results/{his}")).await.status, 200);
    let taken = amina.get(&format!("/record/test-results/{his}")).await;
    let made_up = amina.get("/record/test-results/zzzzzzzzzzzzzzzz-1").await;
    assert_eq!((taken.status.as_u16(), made_up.status.as_u16()), (404, 404));
    assert_eq!(taken.body, made_up.body);
}

#[tokio::test]
async fn what_is_not_there_or_not_understood_is_explained_on_a_page() {
    let house = House::new().await;
    let mut browser = house.browser();
    for (address, status) in [("/no-such-page", 404), ("/record", 404), ("/assets/nothing.css", 404)] {
        let answer = browser.get(address).await;
        assert_eq!(answer.status, status, "{address}");
        assert!(answer.body.contains("<h1"), "{address}");
    }
    let refused = browser.post("/", &[]).await;
    assert_eq!(refused.status, 405);
    assert!(refused.headers.contains_key("allow") && refused.body.contains("<h1"));
    let mut amina = house.amina().await;
    assert_eq!(amina.get("/record/test-results/%ff").await.status, 400);
}
