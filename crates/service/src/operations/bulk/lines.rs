//! NDJSON that was uploaded, put into transaction Bundles: one for each person, and one for the directory.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use keepwell_fhir::compartment::{Home, home};
use keepwell_fhir::json;
use keepwell_fhir::outcome::{Issue, IssueCode};
use keepwell_fhir::project::reference_texts;
use keepwell_fhir::reference::Target;
use keepwell_fhir::resource::Resource;

/// How often what belongs to something that belongs to a person is looked for.
const PASSES: usize = 16;

/// Lines that make up one Bundle.
pub(super) struct Group {
    pub(super) whose: Whose,
    pub(super) lines: Vec<Line>,
}

/// The Bundles of an upload in the order in which they are to be taken, and what is wrong with lines that are in none.
pub(super) struct Groups {
    pub(super) groups: Vec<Group>,
    pub(super) wrong: Vec<(usize, Issue)>,
}

/// There are more lines in the upload than are taken at once.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooMany;

/// One resource.
pub(super) struct Line {
    /// The lines that say the same.
    pub(super) numbers: Vec<usize>,
    json: Vec<u8>,
    place: String,
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Whose {
    Directory,
    /// What the sender calls the person.
    Person(String),
    /// Whoever these things belong to: `Type/id`.
    Linked(Vec<String>),
}

impl Groups {
    /// Reads an upload. `most` is how many lines may have something on them.
    pub(super) fn read(upload: &[u8], most: usize) -> Result<Self, TooMany> {
        let mut lines = Vec::new();
        let mut wrong = Vec::new();
        // The mark of a text's byte order, which some programs write first.
        let upload = upload.strip_prefix(b"\xef\xbb\xbf").unwrap_or(upload);
        for (index, text) in upload.split(|byte| *byte == b'\n').enumerate() {
            if text.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            if lines.len() + wrong.len() >= most {
                return Err(TooMany);
            }
            match read(index + 1, text) {
                Ok(line) => lines.push(line),
                Err(issue) => wrong.push((index + 1, issue)),
            }
        }
        let owners = owners(&lines);
        // In the order in which they are first named, the directory first.
        let mut order = vec![Whose::Directory];
        let mut people: HashMap<Whose, Person> = HashMap::new();
        for (line, whose) in lines {
            let whose = match whose {
                Whose::Linked(_) => owners.get(&line.place).cloned().unwrap_or(whose),
                other => other,
            };
            let person = people.entry(whose.clone()).or_insert_with(|| {
                if whose != Whose::Directory {
                    order.push(whose);
                }
                Person::default()
            });
            person.add(line);
        }
        let mut groups = Vec::new();
        for whose in order {
            let chunks = people.remove(&whose).unwrap_or_default().chunks;
            groups.extend(chunks.into_values().map(|lines| Group { whose: whose.clone(), lines }));
        }
        for group in &mut groups {
            group.lines.sort_by_key(|line| !line.is_patient());
        }
        Ok(Self { groups, wrong })
    }
}

/// The lines of one person.
#[derive(Default)]
struct Person {
    /// A Bundle holds a resource once: what comes again and differs is in a later one.
    chunks: BTreeMap<usize, Vec<Line>>,
    /// Of each resource, where its newest line is.
    newest: HashMap<String, (usize, usize)>,
}

impl Person {
    fn add(&mut self, mut line: Line) {
        let newest = self.newest.get(&line.place).copied();
        let known = newest.and_then(|(chunk, at)| self.chunks.get_mut(&chunk)?.get_mut(at));
        if let Some(known) = known.filter(|known| known.json == line.json) {
            known.numbers.append(&mut line.numbers);
            return;
        }
        let chunk = newest.map_or(0, |(chunk, _)| chunk + 1);
        let lines = self.chunks.entry(chunk).or_default();
        self.newest.insert(line.place.clone(), (chunk, lines.len()));
        lines.push(line);
    }
}

impl Line {
    pub(super) fn is_patient(&self) -> bool {
        self.place.starts_with("Patient/")
    }

    fn id(&self) -> &str {
        self.place.split_once('/').map_or("", |(_, id)| id)
    }
}

/// To whom the resources belong that say it themselves, or that belong to one of these.
fn owners(lines: &[(Line, Whose)]) -> HashMap<String, Whose> {
    let mut owners: HashMap<String, Whose> = HashMap::new();
    let mut open = Vec::new();
    for (line, whose) in lines {
        match whose {
            Whose::Person(_) => _ = owners.entry(line.place.clone()).or_insert_with(|| whose.clone()),
            Whose::Linked(links) => open.push((&line.place, links)),
            Whose::Directory => {}
        }
    }
    for _ in 0..PASSES {
        let before = open.len();
        open.retain(|(place, links)| match links.iter().find_map(|link| owners.get(link)).cloned() {
            Some(owner) => {
                owners.entry((*place).clone()).or_insert(owner);
                false
            }
            None => true,
        });
        if open.len() == before {
            break;
        }
    }
    owners
}

fn read(number: usize, text: &[u8]) -> Result<(Line, Whose), Issue> {
    let json = json::compact(text).map_err(|error| Issue::error(IssueCode::Structure, error.to_string()))?;
    let resource = Resource::new(&json).map_err(|error| Issue::error(IssueCode::Structure, error.to_string()))?;
    let id = resource.id.as_deref().ok_or_else(|| {
        Issue::error(IssueCode::Required, "The resource has no id. An upload needs one, so that it can be sent again.")
    })?;
    // It becomes part of an address, where other characters could say something else.
    if id.len() > 64 || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.')) {
        let words = "An id has at most 64 letters, digits, dashes and dots.";
        return Err(Issue::error(IssueCode::Value, words));
    }
    let place = format!("{}/{id}", resource.resource_type);
    let whose = match home(&resource) {
        Home::Patient => Whose::Person(id.to_owned()),
        Home::Directory => Whose::Directory,
        Home::About(subjects) => {
            let named = subjects.first().and_then(|subject| match subject.reference.target()? {
                Target::Relative { resource_type: "Patient", id, .. } => Some(id.to_owned()),
                Target::Urn(urn) => Some(urn.strip_prefix("urn:uuid:").unwrap_or(urn).to_owned()),
                _ => None,
            });
            named.map_or_else(|| linked(&json), Whose::Person)
        }
        Home::Unlinked(_) | Home::NotKept => linked(&json),
    };
    Ok((Line { numbers: vec![number], place, json }, whose))
}

fn linked(json: &[u8]) -> Whose {
    let local = |text: Cow<'_, str>| match Target::of(&text) {
        Target::Relative { resource_type, id, .. } => Some(format!("{resource_type}/{id}")),
        _ => None,
    };
    Whose::Linked(reference_texts(json).filter_map(local).collect())
}

/// A transaction of these lines, in this order.
pub(super) fn bundle(lines: &[Line]) -> Vec<u8> {
    let mut out = br#"{"resourceType":"Bundle","type":"transaction","entry":["#.to_vec();
    let mut ids: HashMap<&str, usize> = HashMap::new();
    for line in lines {
        *ids.entry(line.id()).or_default() += 1;
    }
    for (index, line) in lines.iter().enumerate() {
        out.extend_from_slice(if index > 0 { b",{" } else { b"{" });
        let id = line.id();
        if id.len() == 36 && ids.get(id) == Some(&1) {
            // What was taken from a Bundle refers to it by its UUID.
            out.extend_from_slice(br#""fullUrl":"#);
            json::push_string(&mut out, &format!("urn:uuid:{id}"));
            out.push(b',');
        }
        out.extend_from_slice(br#""resource":"#);
        out.extend_from_slice(&line.json);
        out.extend_from_slice(br#","request":{"method":"PUT","url":"#);
        json::push_string(&mut out, &line.place);
        out.extend_from_slice(b"}}");
    }
    out.extend_from_slice(b"]}");
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers(upload: &str) -> (Vec<Vec<usize>>, Vec<usize>) {
        let groups = Groups::read(upload.as_bytes(), 1_000).unwrap();
        let lines = |group: &Group| group.lines.iter().flat_map(|line| line.numbers.clone()).collect();
        let wrong = groups.wrong.iter().map(|(number, _)| *number).collect();
        (groups.groups.iter().map(lines).collect(), wrong)
    }

    #[test]
    fn lines_are_put_together_by_person_and_the_directory_comes_first() {
        let upload = concat!(
            "{\"resourceType\":\"Observation\",\"id\":\"o1\",\"subject\":{\"reference\":\"Patient/1\"}}\n",
            "\n",
            "{\"resourceType\":\"Patient\",\"id\":\"2\"}\r\n",
            "{\"resourceType\":\"Provenance\",\"id\":\"q\",\"target\":[{\"reference\":\"Provenance/p\"}]}\n",
            "{\"resourceType\":\"Provenance\",\"id\":\"p\",\"target\":[{\"reference\":\"Observation/o1\"}]}\n",
            "{\"resourceType\":\"Organization\",\"id\":\"g\"}\n",
            "{\"resourceType\":\"Patient\",\"id\":\"1\"}\n",
            "{\"resourceType\":\"Patient\"}\n",
            "nonsense",
        );
        assert_eq!(numbers(upload), (vec![vec![6], vec![7, 1, 4, 5], vec![3]], vec![8, 9]));
        assert_eq!(Groups::read(upload.as_bytes(), 7).err(), Some(TooMany));
    }

    #[test]
    fn what_comes_twice_is_taken_once_and_what_comes_changed_is_taken_later() {
        let organisation =
            |name: &str| format!("{{\"resourceType\":\"Organization\",\"id\":\"1\",\"name\":\"{name}\"}}\n");
        let upload = ["A", "A", "B", "A", "A"].map(organisation).concat();
        assert_eq!(numbers(&upload), (vec![vec![1, 2], vec![3], vec![4, 5]], vec![]));
    }

    proptest! {
        #[test]
        fn every_line_is_in_one_place_whatever_it_holds(
            texts in prop::collection::vec(prop_oneof![
                "[ -~]{0,40}".boxed(),
                any::<String>().prop_map(|text| text.replace('\n', "")).boxed(),
                r#"\{"resourceType":"(Patient|Observation|Device|Nothing|Provenance)","id":"[ab1]{1,2}"\}"#.boxed(),
                r#"\{"resourceType":"Observation","id":"[ab]","subject":\{"reference":"(Patient/[ab]|urn:uuid:a|x)"\}\}"#.boxed(),
                r#"\{"resourceType":"Provenance","id":"[ab]","target":\[\{"reference":"Observation/[ab]"\}\]\}"#.boxed(),
            ], 0..30),
            ending in prop_oneof![Just("\n"), Just("\r\n"), Just("\n\n")],
            ends in any::<bool>(),
        ) {
            let upload = texts.join(ending) + if ends { ending } else { "" };
            let (groups, wrong) = numbers(&upload);
            let mut all: Vec<usize> = groups.into_iter().flatten().chain(wrong).collect();
            all.sort_unstable();
            let upload = upload.strip_prefix('\u{feff}').unwrap_or(&upload);
            let said = upload.split('\n').enumerate();
            let said = said.filter(|(_, text)| !text.bytes().all(|byte| byte.is_ascii_whitespace()));
            prop_assert_eq!(all, said.map(|(index, _)| index + 1).collect::<Vec<_>>());
        }
    }
}
