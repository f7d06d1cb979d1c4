//! The codes of a value set.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use super::Definitions;
use super::codes::{CodeSystem, Content, Filter, Include};
use super::model::Text;

/// How deep value sets may include others.
const MAX_NESTING: usize = 16;
/// How many codes are looked at for one set and those that it includes; what is beyond is not known.
const MAX_WORK: usize = 10_000_000;
/// What a code costs that is taken, in codes that are looked at.
const TAKEN: usize = 10;
/// What a filter costs.
const FILTER: usize = 1_000;
/// How long the pattern of a filter may be.
const MAX_PATTERN: usize = 1_000;

/// Whether a code is in a value set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// The set takes codes from a system of which the definitions do not have all.
    Unknown,
}

/// The codes of a value set, as far as the definitions know them.
#[derive(Debug, Clone, Default)]
pub struct CodeSet {
    /// The codes, in the order of the definition.
    entries: Vec<Entry>,
    /// Places in `entries`, ordered by code and then system.
    by_code: Vec<u32>,
    /// The systems from which it takes codes that the definitions do not know.
    open: BTreeSet<Text>,
    /// Whether it takes codes from anywhere: it includes a value set that is not here.
    is_open: bool,
}

/// A code of a value set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its code system.
    pub system: Text,
    /// The code.
    pub code: Text,
    /// Its name: the value set's own, or the code system's.
    pub display: Option<Text>,
}

impl CodeSet {
    /// The codes that are known to be in it, in the order of the definition.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether these are all the codes.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.is_open && self.open.is_empty()
    }

    /// The code systems that it takes codes from but of which the definitions do not have all.
    pub fn open_systems(&self) -> impl Iterator<Item = &str> {
        self.open.iter().map(|it| &**it)
    }

    /// The entry for a code; without a system (an element of type `code`), that of any system.
    #[must_use]
    pub fn get(&self, system: Option<&str>, code: &str) -> Option<&Entry> {
        let at = |place: u32| &self.entries[place as usize];
        let start = self.by_code.partition_point(|&place| *at(place).code < *code);
        let same = self.by_code[start..].iter().map(|&place| at(place)).take_while(|it| it.code == code);
        same.into_iter().find(|it| system.is_none_or(|system| it.system == system))
    }

    /// Whether a code is in the set; without a system (an element of type `code`), a code of any system.
    #[must_use]
    pub fn has(&self, system: Option<&str>, code: &str) -> Membership {
        if self.get(system, code).is_some() {
            return Membership::Yes;
        }
        let open = self.is_open || system.map_or(!self.open.is_empty(), |system| self.open.contains(system));
        if open { Membership::Unknown } else { Membership::No }
    }

    fn add(&mut self, system: &Text, code: &Text, display: Option<&Text>) {
        self.entries.push(Entry { system: system.clone(), code: code.clone(), display: display.cloned() });
    }

    /// Takes out repetitions and makes the index.
    fn finish(&mut self) {
        let mut seen = HashSet::new();
        self.entries.retain(|it| seen.insert((it.system.clone(), it.code.clone())));
        let mut places: Vec<u32> = (0..self.entries.len()).filter_map(|at| u32::try_from(at).ok()).collect();
        let key = |place: u32| {
            let entry = &self.entries[place as usize];
            (&entry.code, &entry.system)
        };
        places.sort_by(|&a, &b| key(a).cmp(&key(b)));
        self.by_code = places;
    }
}

/// Gathers the codes of value sets, each once: sets may include one another many times over, or in a circle.
pub(super) struct Gathering<'a> {
    definitions: &'a Definitions,
    /// What was gathered; nothing yet for those that are being gathered.
    known: HashMap<String, Option<Arc<CodeSet>>>,
    /// How many codes were looked at, and what else cost as much.
    work: usize,
}

impl<'a> Gathering<'a> {
    pub(super) fn new(definitions: &'a Definitions) -> Self {
        Self { definitions, known: HashMap::new(), work: 0 }
    }

    /// The codes of the value set at an address; `None` if it is not there, includes itself, or is included too deep.
    pub(super) fn expand(&mut self, url: &str, depth: usize) -> Option<Arc<CodeSet>> {
        if let Some(known) = self.known.get(url) {
            return known.clone();
        }
        let set = self.definitions.value_set(url).filter(|_| depth < MAX_NESTING)?;
        self.known.insert(url.to_owned(), None);
        let mut all = CodeSet::default();
        for part in &set.include {
            let codes = self.included(part, depth);
            all.open.extend(codes.open);
            all.is_open |= codes.is_open;
            all.entries.extend(codes.entries);
        }
        for part in &set.exclude {
            let mut codes = self.included(part, depth);
            codes.finish();
            all.entries.retain(|it| codes.get(Some(&it.system), &it.code).is_none());
            // A system that is taken out as a whole is not open; of a part nothing can be said.
            if part.concepts.is_empty() && part.filters.is_empty() && part.value_sets.is_empty() {
                part.system.iter().for_each(|system| _ = all.open.remove(system));
            }
        }
        all.finish();
        let all = Arc::new(all);
        self.known.insert(url.to_owned(), Some(Arc::clone(&all)));
        Some(all)
    }

    /// The codes of one part: from its system, as far as all the value sets that it names have them too.
    fn included(&mut self, part: &Include, depth: usize) -> CodeSet {
        let unknown = || CodeSet { is_open: true, ..CodeSet::default() };
        if !self.affords(part) {
            return unknown();
        }
        let mut codes = part.system.as_ref().map(|system| from_system(self.definitions, part, system));
        self.work = self.work.saturating_add(TAKEN * codes.as_ref().map_or(0, |it| it.entries.len()));
        for url in &part.value_sets {
            let nested = self.expand(url, depth + 1);
            self.work = self.work.saturating_add(1 + TAKEN * nested.as_ref().map_or(0, |it| it.entries.len()));
            if self.work > MAX_WORK {
                return unknown();
            }
            let nested = nested.map_or_else(unknown, |it| (*it).clone());
            codes = Some(match codes {
                None => nested,
                Some(codes) => common(codes, &nested),
            });
        }
        codes.unwrap_or_default()
    }

    /// Counts what the codes of a part cost that come from its system; false if it is too much.
    fn affords(&mut self, part: &Include) -> bool {
        let known = part.system.as_ref().and_then(|system| self.definitions.code_system(system));
        let looked_at = known.filter(|_| part.concepts.is_empty()).map_or(0, |it| it.concepts.len());
        let filters = part.filters.len();
        let cost = part.concepts.len() + looked_at.saturating_mul(1 + filters) + filters * FILTER;
        self.work = self.work.saturating_add(cost);
        self.work <= MAX_WORK
    }
}

fn common(mut codes: CodeSet, other: &CodeSet) -> CodeSet {
    codes.entries.retain(|it| other.has(Some(&it.system), &it.code) != Membership::No);
    if !other.is_open {
        codes.open.retain(|system| other.open.contains(system) || other.entries.iter().any(|it| it.system == *system));
    }
    codes.is_open &= other.is_open;
    codes
}

fn from_system(definitions: &Definitions, part: &Include, system: &Text) -> CodeSet {
    let mut codes = CodeSet::default();
    let known = definitions.code_system(system);
    if !part.concepts.is_empty() {
        for concept in &part.concepts {
            let own = || known.and_then(|it| it.concept(&concept.code)).and_then(|it| it.display.as_ref());
            codes.add(system, &concept.code, concept.display.as_ref().or_else(own));
        }
        return codes;
    }
    let Some(known) = known.filter(|it| it.content == Content::Complete) else {
        codes.open.insert(system.clone());
        return codes;
    };
    let filters: Vec<Ready<'_>> = part.filters.iter().map(|filter| Ready::new(known, filter)).collect();
    for (at, concept) in known.concepts.iter().enumerate() {
        match filters.iter().map(|filter| passes(known, at, filter)).fold(Some(true), and) {
            Some(true) => codes.add(system, &concept.code, concept.display.as_ref()),
            Some(false) => {}
            None => _ = codes.open.insert(system.clone()),
        }
    }
    codes
}

fn and(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

/// The pattern of a filter that has one: the whole value has to match it. Nothing if it is none, or too large.
fn pattern(filter: &Filter) -> Option<Regex> {
    let is_pattern = filter.op == "regex" && filter.value.len() <= MAX_PATTERN;
    let whole = is_pattern.then(|| format!("^(?:{})$", filter.value))?;
    RegexBuilder::new(&whole).size_limit(1 << 20).build().ok()
}

/// A filter, made ready to be asked about each concept of a system.
struct Ready<'a> {
    filter: &'a Filter,
    pattern: Option<Regex>,
    /// For each concept whether it is the one that the filter names, or below it.
    below: Option<Vec<bool>>,
}

impl<'a> Ready<'a> {
    fn new(system: &CodeSystem, filter: &'a Filter) -> Self {
        let is_about_place = matches!(&*filter.op, "is-a" | "descendent-of" | "is-not-a") && is_concept(filter);
        let ancestor = system.place(&filter.value).filter(|_| is_about_place);
        Self { filter, pattern: pattern(filter), below: ancestor.map(|it| system.below(it)) }
    }
}

/// Whether a concept passes a filter (FHIR R4 FilterOperator); `None` if that cannot be said.
fn passes(system: &CodeSystem, at: usize, ready: &Ready<'_>) -> Option<bool> {
    let (filter, pattern) = (ready.filter, ready.pattern.as_ref());
    let concept = &system.concepts[at];
    let values = || concept.properties.iter().filter(|it| it.code == filter.property).map(|it| &*it.value);
    let below = ready.below.as_ref().is_some_and(|below| below[at]);
    match &*filter.op {
        "is-a" if is_concept(filter) => Some(below),
        "descendent-of" if is_concept(filter) => Some(below && concept.code != filter.value),
        "is-not-a" if is_concept(filter) => Some(!below),
        "=" if is_concept(filter) => Some(concept.code == filter.value),
        "=" if filter.property == "parent" => Some(
            concept
                .parents
                .iter()
                .any(|&it| system.concepts.get(it as usize).is_some_and(|it| it.code == filter.value)),
        ),
        "=" => Some(values().any(|it| it == filter.value)),
        "in" if is_concept(filter) => Some(filter.value.split(',').any(|it| it.trim() == concept.code)),
        "in" => Some(values().any(|value| filter.value.split(',').any(|it| it.trim() == value))),
        "not-in" if is_concept(filter) => Some(filter.value.split(',').all(|it| it.trim() != concept.code)),
        "not-in" => Some(values().all(|value| filter.value.split(',').all(|it| it.trim() != value))),
        "regex" if is_concept(filter) => pattern.map(|pattern| pattern.is_match(&concept.code)),
        "regex" if filter.property == "display" => {
            pattern.map(|pattern| concept.display.as_deref().is_some_and(|display| pattern.is_match(display)))
        }
        "regex" => pattern.map(|pattern| values().any(|value| pattern.is_match(value))),
        "exists" => Some(values().next().is_some() == (filter.value == "true")),
        _ => None,
    }
}

fn is_concept(filter: &Filter) -> bool {
    matches!(&*filter.property, "concept" | "code")
}
