//! Search (FHIR R4 §3.1.1), each rule under a name that says what it is about: `search_<kind of parameter>_<modifier or
//! prefix>_…`. What the conformance page says is made from these names.

mod chain;
mod columns;
mod composite;
mod date;
mod expressions;
mod hostile;
mod include;
mod number;
mod oracle;
mod page;
mod parse;
mod reference;
mod special;
mod string;
mod summary;
mod synthea;
mod token;
mod uri;

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;

use keepwell_fhir::definitions::{Definitions, r4};
use keepwell_fhir::json::{Node, compact};
use keepwell_fhir::outcome::Outcome;
use keepwell_fhir::reference::Target;
use keepwell_fhir::search::{Answer, Columns, Handle, Handling, Query, Search, SearchError, World};
use keepwell_model::Timestamp;

/// The address of the server in these tests.
const BASE: &str = "https://keepwell.example/fhir";

/// 2026-11-23T09:30:00Z.
const NOW: Timestamp = Timestamp::from_micros(1_795_426_200_000_000);

/// A few items in memory.
#[derive(Default)]
struct Items {
    items: Vec<Item>,
    places: HashMap<(String, String), Handle>,
    lists: HashMap<String, Vec<Handle>>,
    /// What a reference text leads to beside `Type/id`.
    aliases: HashMap<String, Handle>,
    /// Types whose items are found by resolving alone, as those of a directory.
    elsewhere: Vec<&'static str>,
    cancelled: Cell<bool>,
    /// How often a body was looked into.
    looks: Cell<usize>,
}

struct Item {
    resource_type: String,
    id: String,
    body: Vec<u8>,
    updated: i64,
}

impl Items {
    /// Items from resources in JSON, last updated a day after each other from 2026-01-01 on.
    fn of(resources: &[&str]) -> Self {
        let mut items = Self::default();
        resources.iter().for_each(|resource| items.add(resource.as_bytes()));
        items
    }

    fn add(&mut self, resource: &[u8]) {
        let body = compact(resource).unwrap();
        let node = Node::new(&body).unwrap();
        let (resource_type, id) = (node.get_text("resourceType").unwrap(), node.get_text("id").unwrap());
        let (resource_type, id) = (resource_type.into_owned(), id.into_owned());
        let handle = u32::try_from(self.items.len()).unwrap();
        let updated = 1_767_225_600_000_000 + i64::from(handle) * 86_400_000_000;
        self.places.insert((resource_type.clone(), id.clone()), handle);
        self.aliases.insert(format!("urn:uuid:{id}"), handle);
        self.items.push(Item { resource_type, id, body, updated });
    }

    fn item(&self, handle: Handle) -> &Item {
        &self.items[handle as usize]
    }

    fn name(&self, handle: Handle) -> String {
        format!("{}/{}", self.item(handle).resource_type, self.item(handle).id)
    }

    fn run(&self, resource_type: &str, query: &str) -> Result<Answer, SearchError> {
        let columns = Columns::default();
        let query = parsed(resource_type, query);
        let search = Search::new(self, r4(), &columns, NOW);
        let cold = search.run(&query, 0);
        let looks = self.looks.get();
        let warm = search.run(&query, 0);
        assert_eq!(cold, warm, "columns change nothing");
        if cold.is_ok() {
            let inside =
                self.items.iter().filter(|item| item.body.windows(11).any(|it| it == b"\"contained\"")).count();
            assert!(self.looks.get() - looks <= inside * 4, "a second search does not look into the bodies");
        }
        cold
    }

    /// The ids of what a search finds, in order.
    fn find(&self, resource_type: &str, query: &str) -> Vec<&str> {
        let answer = self.run(resource_type, query).unwrap();
        answer.matches.iter().map(|&handle| &*self.item(handle).id).collect()
    }

    /// `Type/id` of what comes along.
    fn included(&self, resource_type: &str, query: &str) -> Vec<String> {
        let answer = self.run(resource_type, query).unwrap();
        answer.included.iter().map(|&handle| self.name(handle)).collect()
    }
}

impl World for Items {
    fn items(&self, resource_type: &str) -> Cow<'_, [Handle]> {
        let all = (0u32..)
            .zip(&self.items)
            .filter(|(_, item)| item.resource_type == resource_type && !self.elsewhere.contains(&&*item.resource_type));
        all.map(|(handle, _)| handle).collect()
    }

    fn types(&self) -> Vec<Cow<'_, str>> {
        let mut types: Vec<_> = self.items.iter().map(|item| Cow::Borrowed(&*item.resource_type)).collect();
        types.sort();
        types.dedup();
        types
    }

    fn resource_type(&self, item: Handle) -> Cow<'_, str> {
        Cow::Borrowed(&self.item(item).resource_type)
    }

    fn body(&self, item: Handle) -> Cow<'_, [u8]> {
        self.looks.set(self.looks.get() + 1);
        Cow::Borrowed(&self.item(item).body)
    }

    fn id(&self, item: Handle) -> Cow<'_, str> {
        Cow::Borrowed(&self.item(item).id)
    }

    fn last_updated(&self, item: Handle) -> i64 {
        self.item(item).updated
    }

    fn find(&self, resource_type: &str, id: &str) -> Option<Handle> {
        self.places.get(&(resource_type.to_owned(), id.to_owned())).copied()
    }

    fn resolve(&self, _from: Handle, reference: &str) -> Option<Handle> {
        let text = reference.strip_prefix(BASE).map_or(reference, |rest| rest.trim_start_matches('/'));
        match Target::of(text) {
            Target::Relative { resource_type, id, .. } => World::find(self, resource_type, id),
            _ => self.aliases.get(text).copied(),
        }
    }

    fn scope(&self, _item: Handle) -> u64 {
        1
    }

    fn base(&self) -> Cow<'_, str> {
        Cow::Borrowed(BASE)
    }

    fn list(&self, id: &str) -> Option<Vec<Handle>> {
        self.lists.get(id).cloned()
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.get()
    }
}

/// The type to search in; none for a search over all.
fn in_type(resource_type: &str) -> Option<&str> {
    Some(resource_type).filter(|name| !name.is_empty())
}

fn parsed(resource_type: &str, query: &str) -> Query {
    Query::parse(r4(), in_type(resource_type), query, Handling::Strict)
        .unwrap_or_else(|outcome| panic!("{query}: {outcome:?}"))
}

fn problems(resource_type: &str, query: &str) -> Outcome {
    Query::parse(r4(), in_type(resource_type), query, Handling::Strict).expect_err(query)
}

/// What is said first about a query that is refused.
fn problem(resource_type: &str, query: &str) -> String {
    problems(resource_type, query).issues[0].diagnostics.clone()
}

/// Tries queries on one type against the ids that they must find.
fn check(items: &Items, resource_type: &str, cases: &[(&str, &[&str])]) {
    for (query, expected) in cases {
        assert_eq!(items.find(resource_type, query), *expected, "{query}");
    }
}

/// R4 and a code system with an order and a value set of it.
fn with_colours() -> Definitions {
    let system =
        br#"{"resourceType":"CodeSystem","url":"http://colours.example","status":"active","content":"complete",
        "caseSensitive":false,"concept":[{"code":"warm","concept":[{"code":"red","concept":[{"code":"crimson"}]}]},
        {"code":"cold","concept":[{"code":"blue"}]}]}"#;
    let set =
        br#"{"resourceType":"ValueSet","url":"http://colours.example/vs/warm","status":"active","compose":{"include":[
        {"system":"http://colours.example","filter":[{"property":"concept","op":"is-a","value":"warm"}]}]}}"#;
    let open =
        br#"{"resourceType":"ValueSet","url":"http://colours.example/vs/open","status":"active","compose":{"include":[
        {"system":"http://unknown.example"}]}}"#;
    r4().with_package([&system[..], &set[..], &open[..]].into_iter()).unwrap()
}
