//! Every view, with every sample, in every language.

use std::path::PathBuf;

use crate::quality::{self, Samples};
use crate::texts::Texts;
use crate::{citizen, errors, public, sign_in};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/samples")
}

/// Renders the samples of a view, checks each page and keeps it as a file for the validators and for people to look at.
fn render<V: Samples>(name: &str) {
    for t in Texts::all() {
        let language = t.language().tag;
        let folder = folder().join(language);
        std::fs::create_dir_all(&folder).expect("the target folder is ours");
        for (i, view) in V::samples(t).into_iter().enumerate() {
            let html = view.render().expect("samples render");
            let again = V::samples(t).swap_remove(i).render().expect("samples render");
            assert!(html == again, "{name}: rendering twice gives the same page");
            quality::check(&format!("{name} {i} in {language}"), &html);
            assert!(!html.contains("<script>alert"), "{name}: a person's data became markup");
            std::fs::write(folder.join(format!("{name}-{i}.html")), html).expect("the target folder is ours");
        }
    }
}

macro_rules! pages {
    ($($name:ident: $view:ty,)*) => {
        $(#[test] fn $name() { render::<$view>(stringify!($name)); })*
    };
}

pages! {
    start: public::start::StartPage,
    sign_in: public::sign_in::SignInPage,
    sign_in_problem: sign_in::callback::SignInProblemPage,
    signed_out: public::signed_out::SignedOutPage,
    accessibility: public::accessibility::AccessibilityPage,
    privacy: public::privacy::PrivacyPage,
    error: errors::ErrorPage,
    home: citizen::home::HomePage,
    test_results: citizen::test_results::list::ListPage,
    test_result: citizen::test_results::show::ShowPage,
    test_history: citizen::test_results::history::HistoryPage,
    measurements: citizen::measurements::list::ListPage,
    add_measurement: citizen::measurements::add::AddPage,
    activity: citizen::sharing::activity::ActivityPage,
}

#[test]
fn no_title_holds_a_person_s_data() {
    use askama::Template as _;
    let secrets = ["Amina", "Khan", "HbA1c", "943", "128", "Full blood count", "Hussain"];
    let t = Texts::of("en");
    let mut pages: Vec<String> = Vec::new();
    pages.extend(citizen::home::HomePage::samples(t).iter().map(|v| v.render().unwrap()));
    pages.extend(citizen::test_results::show::ShowPage::samples(t).iter().map(|v| v.render().unwrap()));
    pages.extend(citizen::test_results::history::HistoryPage::samples(t).iter().map(|v| v.render().unwrap()));
    pages.extend(citizen::measurements::list::ListPage::samples(t).iter().map(|v| v.render().unwrap()));
    pages.extend(citizen::sharing::activity::ActivityPage::samples(t).iter().map(|v| v.render().unwrap()));
    for page in pages {
        let title = page.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next()).unwrap();
        assert!(secrets.iter().all(|secret| !title.contains(secret)), "{title}");
    }
}
