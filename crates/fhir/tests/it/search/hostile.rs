//! Queries that mean harm: no panic, no time out of proportion.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use keepwell_fhir::definitions::r4;
use keepwell_fhir::search::{Columns, Handle, Handling, Limits, Query, Search, Settings, World};
use proptest::prelude::*;

use super::{Items, NOW};

/// Generous, for a busy machine and a build without optimisation.
const LONG: Duration = Duration::from_secs(5);

#[expect(clippy::disallowed_methods, reason = "the test measures time")]
fn quick<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    assert!(start.elapsed() < LONG, "{what} took {:?}", start.elapsed());
    result
}

fn large() -> Limits {
    Limits { bytes: 10 << 20, parameters: 20_000, values: 20_000, ..Limits::default() }
}

#[test]
fn search_parse_of_a_hundred_kilobytes_is_quick() {
    let settings = Settings { limits: large(), ..Settings::default() };
    for (what, query) in [
        ("values", format!("code={}", vec!["x"; 10_000].join(","))),
        ("systems", format!("code={}", vec!["http://s|x"; 10_000].join(","))),
        ("empty values", format!("code={}", ",".repeat(100_000))),
        ("escapes", format!("code={}", "\\".repeat(100_000))),
        ("percents", format!("code={}", "%25".repeat(30_000))),
        ("broken percents", format!("code={}", "%".repeat(100_000))),
        ("ampersands", "&".repeat(100_000)),
        ("parameters", "code=x&".repeat(10_000)),
        ("a long name", format!("{}=x", "a".repeat(100_000))),
        ("a long modifier", format!("code:{}=x", "a".repeat(100_000))),
        ("a deep chain", format!("{}=x", "subject.".repeat(10_000))),
        ("a deep _has", format!("{}=x", "_has:Observation:subject:".repeat(10_000))),
        (
            "a chain of everything",
            "subject.general-practitioner.organization.endpoint.managing-organization._id=x".to_owned(),
        ),
        ("bars", format!("code={}", "|".repeat(100_000))),
        ("dollars", format!("code-value-quantity={}", "$".repeat(100_000))),
        ("a long number", format!("value-quantity={}", "9".repeat(100_000))),
        ("a long date", format!("date={}", "2".repeat(100_000))),
        ("a long unit", format!("value-quantity=1||{}", "m.".repeat(50_000))),
        ("many keys", format!("_sort={}", vec!["date"; 10_000].join(","))),
        ("many elements", format!("_elements={}", vec!["code"; 10_000].join(","))),
        ("many ids", format!("_id={}", vec!["x"; 10_000].join(","))),
        ("many words", format!("_text={}", "word ".repeat(20_000))),
    ] {
        for handling in [Handling::Strict, Handling::Lenient] {
            let _ = quick(what, || Query::parse(r4(), "Observation", &query, handling));
            let _ = quick(what, || Query::parse_with(r4(), "Observation", &query, &Settings { handling, ..settings }));
        }
    }
}

#[test]
fn search_of_ten_thousand_values_among_thousands_of_items_is_quick() {
    let mut items = Items::default();
    for n in 0..3_000 {
        let body = format!(
            r#"{{"resourceType":"Observation","id":"o{n}","status":"final","code":{{"coding":[{{"system":"http://s","code":"c{n}"}}]}},"subject":{{"reference":"Patient/p{n}"}},"valueString":"text {n}"}}"#
        );
        items.add(body.as_bytes());
    }
    let many = |prefix: &str| (0..10_000).map(|n| format!("{prefix}{n}")).collect::<Vec<_>>().join(",");
    let settings = Settings { limits: large(), ..Settings::default() };
    for (query, found) in [
        (format!("code={}", many("c")), 3_000),
        (format!("code={}", many("http://s|c")), 3_000),
        (format!("code:not={}", many("d")), 3_000),
        (format!("subject={}", many("Patient/p")), 3_000),
        (format!("_id={}", many("o")), 3_000),
    ] {
        let query = Query::parse_with(r4(), "Observation", &query, &settings).unwrap();
        let columns = Columns::default();
        let matches = quick("many values", || Search::new(&items, r4(), &columns, NOW).matches(&query)).unwrap();
        assert_eq!(matches.len(), found);
    }
}

/// Bodies that no compactor made.
struct Junk(Vec<Vec<u8>>);

impl World for Junk {
    fn items(&self, _: &str) -> Cow<'_, [Handle]> {
        (0..u32::try_from(self.0.len()).unwrap()).collect()
    }
    fn types(&self) -> Vec<Cow<'_, str>> {
        vec!["Observation".into()]
    }
    fn resource_type(&self, _: Handle) -> Cow<'_, str> {
        "Observation".into()
    }
    fn body(&self, item: Handle) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.0[item as usize])
    }
    fn id(&self, item: Handle) -> Cow<'_, str> {
        item.to_string().into()
    }
    fn last_updated(&self, _: Handle) -> i64 {
        i64::MIN
    }
    fn find(&self, _: &str, id: &str) -> Option<Handle> {
        id.parse().ok().filter(|id| (*id as usize) < self.0.len())
    }
    fn resolve(&self, _: Handle, reference: &str) -> Option<Handle> {
        u32::try_from(reference.len() % self.0.len()).ok()
    }
    fn base(&self) -> Cow<'_, str> {
        "".into()
    }
    fn list(&self, _: &str) -> Option<Vec<Handle>> {
        Some(vec![0, u32::MAX])
    }
}

const QUERIES: [&str; 9] = [
    "code=x&date=ge2000&_sort=-date,code,value-quantity,subject",
    "value-quantity=gt1||kg&component-code-value-quantity=a$1",
    "subject.name=x&patient:missing=false",
    "_has:Observation:has-member:code=x&_include:iterate=*&_revinclude:iterate=*",
    "_content=x&_text=y",
    "_lastUpdated=gt2000&_list=1&_id=0,1",
    "subject=Patient/1&identifier=x&code:text=y&status:not=final",
    "encounter:below=1&encounter:above=2",
    "_tag=x&_profile:below=http://a&_source=b",
];

proptest! {
    #[test]
    fn search_of_damaged_bodies_never_panics(cuts in proptest::collection::vec((0usize..400, 0u8..=255), 1..12)) {
        let whole = br##"{"resourceType":"Observation","id":"1","meta":{"tag":[{"code":"x"}],"profile":["http://a"]},"contained":[{"resourceType":"Patient","id":"c","name":[{"family":"x"}]}],"status":"final","code":{"coding":[{"system":"s","code":"x"}],"text":"y"},"subject":{"reference":"#c"},"effectiveDateTime":"2020-01-01","valueQuantity":{"value":1.5,"code":"kg"},"component":[{"code":{"coding":[{"code":"a"}]},"valueQuantity":{"value":1}}]}"##;
        let bodies = cuts.iter().map(|(at, byte)| {
            let mut body = whole.to_vec();
            let at = at % body.len();
            body[at] = *byte;
            if byte % 3 == 0 {
                body.truncate(at);
            }
            body
        });
        let junk = Junk(bodies.collect());
        let columns = Columns::default();
        for query in QUERIES {
            let query = Query::parse(r4(), "Observation", query, Handling::Strict).unwrap();
            let _ = Search::new(&junk, r4(), &columns, NOW).run(&query, 0);
            for body in &junk.0 {
                let _ = query.shape(body, r4());
            }
        }
    }

    #[test]
    fn search_parse_of_any_text_never_panics(
        query in "((code|date|subject|_has:Observation|_include|value-quantity|_sort|_id|identifier)(:[a-z-]{1,8})?[.:=&|$,\\\\%a-z0-9-]{0,20}){0,6}|.*"
    ) {
        for handling in [Handling::Strict, Handling::Lenient] {
            if let Ok(read) = Query::parse(r4(), "Observation", &query, handling) {
                let link = read.self_link();
                let again = Query::parse(r4(), "Observation", &link, Handling::Strict);
                prop_assert_eq!(again.map(|it| it.self_link()).ok(), Some(link));
            }
        }
    }
}
