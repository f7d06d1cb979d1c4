//! What searches remember about items.

use std::borrow::Cow;

use keepwell_fhir::definitions::r4;
use keepwell_fhir::search::{Columns, Handle, Search, World};
use proptest::prelude::*;

use super::{Items, NOW, parsed};

/// What one caller may see of the items.
struct Seen<'w> {
    items: &'w Items,
    hidden: u32,
}

impl Seen<'_> {
    fn sees(&self, item: Handle) -> bool {
        self.hidden & (1 << item) == 0
    }
}

impl World for Seen<'_> {
    fn items(&self, resource_type: &str) -> Cow<'_, [Handle]> {
        World::items(self.items, resource_type).iter().copied().filter(|item| self.sees(*item)).collect()
    }
    fn types(&self) -> Vec<Cow<'_, str>> {
        self.items.types()
    }
    fn resource_type(&self, item: Handle) -> Cow<'_, str> {
        assert!(self.sees(item));
        self.items.resource_type(item)
    }
    fn body(&self, item: Handle) -> Cow<'_, [u8]> {
        assert!(self.sees(item));
        self.items.body(item)
    }
    fn id(&self, item: Handle) -> Cow<'_, str> {
        assert!(self.sees(item));
        self.items.id(item)
    }
    fn last_updated(&self, item: Handle) -> i64 {
        assert!(self.sees(item));
        self.items.last_updated(item)
    }
    fn find(&self, resource_type: &str, id: &str) -> Option<Handle> {
        World::find(self.items, resource_type, id).filter(|item| self.sees(*item))
    }
    fn resolve(&self, from: Handle, reference: &str) -> Option<Handle> {
        self.items.resolve(from, reference).filter(|item| self.sees(*item))
    }
    fn base(&self) -> Cow<'_, str> {
        self.items.base()
    }
    fn list(&self, id: &str) -> Option<Vec<Handle>> {
        Some(self.items.list(id)?.into_iter().filter(|item| self.sees(*item)).collect())
    }
}

fn items() -> Items {
    let mut items = Items::of(&[
        r#"{"resourceType":"Patient","id":"p0","name":[{"family":"Lee"}],"birthDate":"1970-01-01"}"#,
        r#"{"resourceType":"Patient","id":"p1","name":[{"family":"Ray"}]}"#,
    ]);
    for n in 2..20u32 {
        let body = format!(
            r#"{{"resourceType":"Observation","id":"o{n}","status":"{}","code":{{"coding":[{{"code":"c{}"}}]}},"subject":{{"reference":"Patient/p{}"}},"effectiveDateTime":"20{:02}-03","valueQuantity":{{"value":{n},"code":"kg"}},"hasMember":[{{"reference":"Observation/o{}"}}]}}"#,
            if n % 2 == 0 { "final" } else { "amended" },
            n % 4,
            n % 2,
            n % 7 + 10,
            n + 1
        );
        items.add(body.as_bytes());
    }
    items.lists.insert("1".to_owned(), vec![3, 5, 7]);
    items
}

const QUERIES: [&str; 12] = [
    "_content=c1",
    "_text=x,c2&_sort=-date",
    "code=c1",
    "code:not=c1,c2&_sort=-date",
    "date=ge2013&_sort=value-quantity",
    "value-quantity=gt7&status=final",
    "subject.name=lee",
    "has-member.code=c2&_include=Observation:subject",
    "_has:Observation:has-member:code=c3",
    "subject=Patient/p1&_revinclude=Observation:has-member",
    "code-value-quantity=c2$lt12&_list=1",
    "subject:missing=false&_sort=code,-_id&_count=3",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What one caller may see never shows in what another finds, whichever of them searched first.
    #[test]
    fn search_columns_shared_by_callers_change_no_answer(
        steps in proptest::collection::vec((0u32..1 << 20, 0usize..QUERIES.len()), 1..12), limit in 0usize..6_000,
    ) {
        let items = items();
        let shared = Columns::with_limit(limit);
        for (hidden, query) in steps {
            let world = Seen { items: &items, hidden };
            let query = parsed("Observation", QUERIES[query]);
            let fresh = Columns::default();
            let expected = Search::new(&world, r4(), &fresh, NOW).run(&query, 0);
            prop_assert_eq!(&Search::new(&world, r4(), &shared, NOW).run(&query, 0), &expected);
            let answer = expected.unwrap();
            prop_assert!(answer.matches.iter().chain(&answer.included).all(|item| world.sees(*item)));
            prop_assert!(shared.weight() <= limit);
        }
    }
}

#[test]
fn search_columns_know_their_weight_and_can_be_forgotten() {
    let items = items();
    let columns = Columns::default();
    assert_eq!(columns.weight(), 0);
    let search = Search::new(&items, r4(), &columns, NOW);
    search.run(&parsed("Observation", "code=c1"), 0).unwrap();
    let one = columns.weight();
    search.run(&parsed("Observation", "date=2013"), 0).unwrap();
    assert!(one > 200 && columns.weight() > one);
    assert_eq!(format!("{columns:?}"), format!("Columns({} bytes)", columns.weight()));
    columns.clear();
    assert_eq!(columns.weight(), 0);
}

#[test]
fn search_columns_are_shared_by_threads() {
    fn may_be_shared<T: Send + Sync>() {}
    may_be_shared::<Columns>();
    may_be_shared::<keepwell_fhir::search::Query>();
}
