//! Samples: frames as small blocks hold them, made from synthetic residents.

use std::collections::HashMap;

use keepwell_model::{Actor, Author, Purpose, Random, RecordId, SeededRandom};
use keepwell_synth::{City, Config, Feed, Person};
use serde_json::Value;
use serde_json::value::RawValue;

/// At most so many resources of one type from one feed, so that a week of readings does not drown the rare ones.
const OF_ONE_TYPE: usize = 4;
/// At most so many readings of one resident.
const READINGS: usize = 16;
/// Lines of who looked at one record.
const ACCESS_LINES: usize = 10;
/// At most so many messages about one person.
const MESSAGES: usize = 6;

/// What a sample is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Class {
    /// One Observation from a source.
    Observation,
    /// One other resource from a source.
    Resource,
    /// A few resources from a source.
    Few,
    /// A reading that a resident added.
    Reading,
    /// One line of who looked.
    Access,
    /// One HL7 v2 message.
    Message,
    /// What the engine itself writes: merges, imports.
    Note,
}

impl Class {
    pub(crate) const ALL: [Self; 7] =
        [Self::Observation, Self::Resource, Self::Few, Self::Reading, Self::Access, Self::Message, Self::Note];
}

/// One frame and what it is of.
pub(crate) struct Sample {
    pub(crate) class: Class,
    pub(crate) frame: Vec<u8>,
}

/// One entry of a frame.
struct Item<'a> {
    kind: String,
    source: Option<(&'a str, &'a str, &'a str)>,
    body: &'a [u8],
}

/// Samples of a city, in an order in which every stretch holds some of each class.
pub(crate) fn of_city(seed: u64, people: u32) -> Vec<Sample> {
    let today = jiff::civil::date(2026, 11, 23);
    let city = City::new(Config { seed, people, today });
    let random = SeededRandom::new(seed);
    let mut samples = Vec::new();
    for person in city.people() {
        let record = RecordId::random(&random);
        for feed in &person.feeds {
            of_feed(&person, feed, record, &random, &mut samples);
        }
        for _ in 0..ACCESS_LINES {
            samples.push(access(&person, record, &random));
        }
        for message in person.hl7.iter().take(MESSAGES) {
            let known = keepwell_synth::sources().iter().find(|source| source.name == message.source);
            let author = system(message.source, known.expect("the source is registered").organisation);
            let name = message.text.split('|').nth(9).expect("the header names the message");
            let item = Item {
                kind: "hl7v2/raw".into(),
                source: Some((message.source, "message", name)),
                body: message.text.as_bytes(),
            };
            samples.push(Sample { class: Class::Message, frame: frame(&author, &[], &[item]) });
        }
        if person.index.is_multiple_of(2) {
            samples.push(note(record, &random));
        }
    }
    shuffle(&mut samples, &random);
    samples
}

/// Whole feeds as one frame each: what an import writes.
pub(crate) fn whole_feeds(seed: u64, people: u32) -> Vec<Vec<u8>> {
    let city = City::new(Config { seed, people, today: jiff::civil::date(2026, 11, 23) });
    let mut frames = Vec::new();
    for feed in city.people().flat_map(|person| person.feeds) {
        let resources = resources(&feed);
        let author = system(feed.source, feed.organisation);
        frames.push(frame(
            &author,
            &[],
            &resources.iter().map(|resource| resource.item(feed.source)).collect::<Vec<_>>(),
        ));
    }
    frames
}

fn shuffle(samples: &mut [Sample], random: &SeededRandom) {
    for last in (1..samples.len()).rev() {
        let other = random.below(last as u64 + 1);
        samples.swap(last, usize::try_from(other).expect("an index"));
    }
}

fn system(client: &str, organisation: &str) -> Author {
    Author {
        actor: Actor::System { client: client.into(), organisation: organisation.into() },
        purpose: Purpose::DirectCare,
        source: Some(client.into()),
    }
}

#[derive(serde::Deserialize)]
struct Bundle<'a> {
    #[serde(borrow)]
    entry: Vec<BundleEntry<'a>>,
}

#[derive(serde::Deserialize)]
struct BundleEntry<'a> {
    #[serde(borrow)]
    resource: &'a RawValue,
}

/// One resource of a feed.
struct Resource {
    kind: String,
    id: String,
    body: String,
}

impl Resource {
    fn item<'a>(&'a self, source: &'a str) -> Item<'a> {
        Item {
            kind: format!("fhir/{}", self.kind),
            source: Some((source, &self.kind, &self.id)),
            body: self.body.as_bytes(),
        }
    }
}

fn resources(feed: &Feed) -> Vec<Resource> {
    let bundle: Bundle<'_> = serde_json::from_str(&feed.bundle).expect("a feed is a Bundle");
    let read = |entry: &BundleEntry<'_>| {
        let value: Value = serde_json::from_str(entry.resource.get()).expect("a resource is JSON");
        let word = |name: &str| value[name].as_str().expect("a resource has a type and an id").to_owned();
        Resource { kind: word("resourceType"), id: word("id"), body: entry.resource.get().to_owned() }
    };
    bundle.entry.iter().map(read).collect()
}

fn of_feed(person: &Person, feed: &Feed, record: RecordId, random: &SeededRandom, out: &mut Vec<Sample>) {
    let resources = resources(feed);
    let author = system(feed.source, feed.organisation);
    let start = usize::try_from(random.below(97)).expect("a small number");
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for resource in resources.iter().cycle().skip(start).take(resources.len()) {
        let count = seen.entry(&resource.kind).or_default();
        *count += 1;
        let own = feed.source == "resident";
        if *count > if own { READINGS } else { OF_ONE_TYPE } {
            continue;
        }
        if own {
            out.push(Sample { class: Class::Reading, frame: reading(record, &resource.body, random) });
        } else {
            let class = if resource.kind == "Observation" { Class::Observation } else { Class::Resource };
            // A system that tells of somebody for the first time: from then on, these lead to the record.
            let attach = if resource.kind == "Patient" {
                vec![
                    ("https://fhir.nhs.uk/Id/nhs-number".to_owned(), person.nhs_number.digits()),
                    (format!("source:{}/Patient", feed.source), resource.id.clone()),
                ]
            } else {
                Vec::new()
            };
            out.push(Sample { class, frame: frame(&author, &attach, &[resource.item(feed.source)]) });
        }
    }
    if feed.source != "resident" {
        for chunk in resources.chunks(5).skip(1).step_by(7).take(2) {
            let items: Vec<Item<'_>> = chunk.iter().map(|resource| resource.item(feed.source)).collect();
            out.push(Sample { class: Class::Few, frame: frame(&author, &[], &items) });
        }
    }
}

fn hex(random: &SeededRandom, bytes: usize) -> String {
    let mut buffer = vec![0; bytes];
    random.fill(&mut buffer);
    buffer.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn reading(record: RecordId, body: &str, random: &SeededRandom) -> Vec<u8> {
    let author = Author { actor: Actor::Resident { record }, purpose: Purpose::OwnUse, source: None };
    let (high, low) = (100 + random.below(60), 60 + random.below(35));
    let id = format!(
        "{}:{high}/{low}@2026-{:02}-{:02}T{:02}:{:02}:00+00:00",
        hex(random, 16),
        1 + random.below(12),
        1 + random.below(28),
        random.below(24),
        random.below(60)
    );
    let item = Item {
        kind: "fhir/Observation".into(),
        source: Some(("keepwell/own", "Observation", &id)),
        body: body.as_bytes(),
    };
    frame(&author, &[], &[item])
}

const CATEGORIES: [&str; 12] = [
    "person",
    "test-results",
    "measurements",
    "conditions",
    "medicines",
    "allergies",
    "vaccinations",
    "procedures",
    "visits",
    "documents",
    "plans",
    "access-lines",
];
const ROLES: [(&str, &str); 6] = [
    ("General practitioner", "Kirkstall Forge Surgery"),
    ("Practice nurse", "Harehills Lane Practice"),
    ("Hospital doctor", "Leeds Infirmary"),
    ("District nurse", "Leeds Community Health"),
    ("Pharmacist", "Headingley Pharmacy"),
    ("Social worker", "Leeds City Council"),
];

/// A line of who looked, as the service writes it.
fn access(person: &Person, record: RecordId, random: &SeededRandom) -> Sample {
    let action = if random.below(4) == 0 { "read-access-lines" } else { "read-record" };
    let count = random.below(3) + 1;
    let what: Vec<(&str, u64)> = (0..count)
        .map(|_| (CATEGORIES[usize::try_from(random.below(12)).expect("an index")], 1 + random.below(40)))
        .collect();
    let (role, organisation) = ROLES[usize::try_from(random.below(6)).expect("an index")];
    let name = format!("Dr {} {}", person.given, person.family);
    let (actor, purpose, who, role, organisation) = match random.below(8) {
        0..4 => (Actor::Resident { record }, Purpose::OwnUse, "", "resident", ""),
        4 => {
            let actor = Actor::Delegate { record: RecordId::random(random), name: person.given.clone() };
            (actor, Purpose::OwnUse, person.given.as_str(), "delegate", "")
        }
        5 => {
            let actor = Actor::System { client: "leeds-hospital".into(), organisation: "Leeds Infirmary".into() };
            (actor, Purpose::DirectCare, "leeds-hospital", "system", "Leeds Infirmary")
        }
        n => {
            let actor = Actor::Professional {
                id: hex(random, 6),
                name: name.clone(),
                role: role.into(),
                organisation: organisation.into(),
            };
            let purpose = if n == 7 && random.below(8) == 0 { Purpose::Emergency } else { Purpose::DirectCare };
            (actor, purpose, name.as_str(), role, organisation)
        }
    };
    let own = matches!(actor, Actor::Resident { .. });
    let line = serde_json::json!({ "action": action, "who": who, "role": role, "organisation": organisation,
        "purpose": purpose, "what": what, "own": own, "launch": null });
    // In the order in which the service writes its fields.
    let fields = ["action", "who", "role", "organisation", "purpose", "what", "own", "launch"];
    let fields: Vec<String> = fields.iter().map(|field| format!("\"{field}\":{}", line[*field])).collect();
    let body = format!("{{{}}}", fields.join(","));
    let author = Author { actor, purpose, source: None };
    let item = Item { kind: "access".into(), source: None, body: body.as_bytes() };
    Sample { class: Class::Access, frame: frame(&author, &[], &[item]) }
}

fn note(record: RecordId, random: &SeededRandom) -> Sample {
    let other = RecordId::random(random);
    let (kind, body) = match random.below(5) {
        0 => ("merge", format!("{{\"merged\":\"{other}\"}}")),
        1 => ("merge", format!("{{\"into\":\"{other}\"}}")),
        2 => ("unmerge", format!("{{\"unmerged\":\"{other}\"}}")),
        3 => ("unmerge", format!("{{\"from\":\"{other}\"}}")),
        _ => {
            let (name, key) = (hex(random, 8), hex(random, 4));
            let info = format!(
                "{{\"record\":\"{record}\",\"exported\":1795426200000000,\"tenant\":\"Leeds\",\"log_key\":\
                \"keepwell/{name}+{key}+A\",\"care_blocks\":{},\"access_blocks\":{}}}",
                random.below(900),
                random.below(90)
            );
            ("import", info)
        }
    };
    let author = Author { actor: Actor::Operator, purpose: Purpose::Administration, source: None };
    let item = Item { kind: kind.into(), source: None, body: body.as_bytes() };
    Sample { class: Class::Note, frame: frame(&author, &[], &[item]) }
}

fn number(out: &mut Vec<u8>, mut n: usize) {
    while n >= 128 {
        out.push(u8::try_from(n % 128).expect("below 128") | 128);
        n /= 128;
    }
    out.push(u8::try_from(n).expect("below 128"));
}

fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    number(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// Frame 0 of a block of new entries (docs/storage-format.md, "Block payload").
fn frame(author: &Author, attach: &[(String, String)], items: &[Item<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    text(&mut out, &serde_json::to_vec(author).expect("an author is plain strings"));
    let mut kinds: Vec<&str> = Vec::new();
    let mut sources: Vec<(&str, &str)> = Vec::new();
    let mut rows = Vec::new();
    for item in items {
        let kind = place(&mut kinds, item.kind.as_str());
        rows.extend_from_slice(&[if item.source.is_some() { 7 } else { 3 }, 1]);
        number(&mut rows, kind);
        if let Some((source, kind, id)) = item.source {
            let source = place(&mut sources, (source, kind));
            number(&mut rows, source);
            text(&mut rows, id.as_bytes());
        }
        number(&mut rows, item.body.len());
    }
    number(&mut out, kinds.len());
    for kind in kinds {
        text(&mut out, kind.as_bytes());
    }
    number(&mut out, sources.len());
    for (source, kind) in sources {
        text(&mut out, source.as_bytes());
        text(&mut out, kind.as_bytes());
    }
    number(&mut out, attach.len());
    for (system, value) in attach {
        text(&mut out, system.as_bytes());
        text(&mut out, value.as_bytes());
    }
    // Nothing is detached.
    number(&mut out, 0);
    number(&mut out, items.len());
    out.extend_from_slice(&rows);
    number(&mut out, 1);
    number(&mut out, items.len());
    for item in items {
        out.extend_from_slice(item.body);
    }
    out
}

fn place<T: PartialEq>(list: &mut Vec<T>, item: T) -> usize {
    list.iter().position(|known| *known == item).unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    })
}
