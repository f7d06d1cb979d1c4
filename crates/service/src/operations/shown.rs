//! Many resources of one record on their way out, written one after the other into one buffer. What they refer to in the
//! directory is noted, so that it can come along.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use bytes::Bytes;
use keepwell_fhir::document::Item;
use keepwell_fhir::json::Node;
use keepwell_fhir::outcome::IssueCode;
use keepwell_fhir::project::{Stamp, project_into};
use keepwell_model::{EntryNumber, ResourceId};
use keepwell_record::{Entry, OpenRecord};

use super::TURN;
use crate::resolve::{self, Resolver};
use crate::rest::Seen;
use crate::{FhirError, ServiceError};

/// How many bytes of a record are put together at once.
const MOST_BYTES: usize = 64 << 20;

/// Where a reference leads that a source wrote.
#[derive(Clone)]
enum Leads {
    /// To a resource: its reference here.
    To(String),
    /// To something in the directory.
    Directory(EntryNumber, String),
    /// Nowhere that is known, or allowed: it stays as it was sent.
    Nowhere,
}

/// Writes the resources of one record.
pub(super) struct Shown<'s> {
    seen: &'s Seen,
    /// The record as it is shown: as it is now, or as it was.
    record: &'s OpenRecord,
    own: Resolver<'s>,
    directory: Resolver<'s>,
    /// What references lead to, by source and text. The same few stand in most resources of a record.
    known: HashMap<&'s str, HashMap<String, Leads>>,
    /// What of the directory was referred to and not taken yet.
    wanted: BTreeSet<EntryNumber>,
    /// What of the directory was taken.
    taken: BTreeSet<EntryNumber>,
}

impl<'s> Shown<'s> {
    /// For a record as it is now.
    pub(super) fn new(seen: &'s Seen) -> Self {
        Self::of(seen, seen.table())
    }

    /// For the record of `seen` as it was at some time.
    pub(super) fn of(seen: &'s Seen, record: &'s OpenRecord) -> Self {
        let (own, directory) = (Resolver::new(record), Resolver::new(seen.directory()));
        let (known, wanted, taken) = (HashMap::new(), BTreeSet::new(), BTreeSet::new());
        Self { seen, record, own, directory, known, wanted, taken }
    }

    /// Whether an entry of the record as it is shown is within reach: as it was then, and as it is now.
    pub(super) fn reaches(&self, entry: &Entry<'_>) -> bool {
        let now = self.seen.table().entry(entry.number());
        self.seen.reaches(entry) && now.is_some_and(|now| self.seen.reaches(&now))
    }

    /// `Type/id` of an entry of the record.
    pub(super) fn reference(&self, entry: &Entry<'_>) -> String {
        resolve::reference_to(self.record, entry).unwrap_or_default()
    }

    /// Writes an entry of the record.
    pub(super) fn write(&mut self, entry: &Entry<'s>, body: &[u8], out: &mut Vec<u8>) {
        let id = resolve::id_of(self.record, entry);
        self.write_as(&id, entry, body, true, out);
    }

    /// Writes an entry of the directory.
    pub(super) fn write_directory(&mut self, entry: &Entry<'s>, body: &[u8], out: &mut Vec<u8>) {
        let id = resolve::id_of(self.seen.directory(), entry);
        self.write_as(&id, entry, body, false, out);
    }

    fn write_as(&mut self, id: &str, entry: &Entry<'s>, body: &[u8], own: bool, out: &mut Vec<u8>) {
        let (version, updated) = (entry.version().to_string(), entry.time().to_string());
        let stamp = Stamp { id, version_id: &version, last_updated: &updated };
        let source = entry.source_name().unwrap_or_default();
        let Self { seen, record, own: own_names, directory, known, wanted, .. } = self;
        let known = known.entry(source).or_default();
        let resolve = |text: &str| {
            let leads = match known.get(text) {
                Some(leads) => leads,
                None => {
                    let leads = leads(seen, record, own_names, directory, source, text);
                    known.entry(text.to_owned()).or_insert(leads)
                }
            };
            match leads {
                // What is in the directory leads to no person, whatever its names are.
                Leads::To(reference) if own => Some(reference.clone()),
                Leads::Directory(number, reference) => {
                    wanted.insert(*number);
                    Some(reference.clone())
                }
                Leads::To(_) | Leads::Nowhere => None,
            }
        };
        project_into(body, stamp, resolve, out);
    }

    /// What of the directory was referred to since this was last asked, each once.
    pub(super) fn take_wanted(&mut self) -> Vec<Entry<'s>> {
        let wanted: Vec<_> = std::mem::take(&mut self.wanted).difference(&self.taken).copied().collect();
        self.taken.extend(&wanted);
        let directory = self.seen.directory();
        wanted.into_iter().filter_map(|number| directory.entry(number)).filter(|entry| !entry.is_deleted()).collect()
    }
}

fn leads(
    seen: &Seen,
    record: &OpenRecord,
    own: &Resolver<'_>,
    directory: &Resolver<'_>,
    source: &str,
    text: &str,
) -> Leads {
    let reaches = |entry: &Entry<'_>| {
        let now = seen.table().entry(entry.number());
        seen.reaches(entry) && now.is_some_and(|now| seen.reaches(&now))
    };
    if let Some(entry) = own.within(source, text, &reaches) {
        return resolve::reference_to(record, &entry).map_or(Leads::Nowhere, Leads::To);
    }
    let table = seen.directory();
    // A source may have read it here, and refer to it by the id that it has here.
    let by_id = || {
        let (kind, id) = text.split_once('/')?;
        let id: ResourceId = id.parse().ok()?;
        table.entry(id.entry).filter(|entry| id.record == table.id() && entry.kind().fhir_type() == Some(kind))
    };
    let found = directory.entry(source, text).or_else(by_id);
    let found = found.and_then(|entry| Some((entry.number(), resolve::reference_to(table, &entry)?)));
    found.map_or(Leads::Nowhere, |(number, reference)| Leads::Directory(number, reference))
}

/// Resources written one after the other, with their names and places.
#[derive(Default)]
pub(super) struct Whole {
    buffer: Vec<u8>,
    things: Vec<(String, Range<usize>)>,
}

impl Whole {
    /// All that is within reach of a record, and what of the directory it refers to. Of several Patient entries only the
    /// one that stands for the person.
    pub(super) async fn of(seen: &Seen) -> Result<Self, FhirError> {
        let mut shown = Shown::new(seen);
        let mut whole = Self::default();
        let patient = seen.patient().map(|entry| entry.number());
        for (index, entry) in seen.entries().enumerate() {
            let Some(kind) = entry.kind().fhir_type() else { continue };
            if kind == "Patient" && patient != Some(entry.number()) {
                continue;
            }
            let body = seen.body(&entry).await?;
            whole.add(shown.reference(&entry), |out| shown.write(&entry, &body, out))?;
            if index % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
        }
        loop {
            let wanted = shown.take_wanted();
            if wanted.is_empty() {
                return Ok(whole);
            }
            for entry in wanted {
                let body = directory_body(seen, &entry).await?;
                let reference = resolve::reference_to(seen.directory(), &entry).unwrap_or_default();
                whole.add(reference, |out| shown.write_directory(&entry, &body, out))?;
            }
        }
    }

    fn add(&mut self, reference: String, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), FhirError> {
        let start = self.buffer.len();
        write(&mut self.buffer);
        self.things.push((reference, start..self.buffer.len()));
        if self.buffer.len() > MOST_BYTES {
            let words = "The record is too large to be put together at once.";
            return Err(FhirError::new(413, IssueCode::TooCostly, words));
        }
        Ok(())
    }

    /// The resources.
    pub(super) fn items(&self) -> Vec<Item<'_>> {
        let things = self.things.iter();
        things
            .filter_map(|(reference, place)| {
                Some(Item { reference, resource: Node::new(self.buffer.get(place.clone())?)? })
            })
            .collect()
    }
}

/// The body of an entry of the directory. The names in it are part of what whoever reads a record reads.
pub(super) async fn directory_body(seen: &Seen, entry: &Entry<'_>) -> Result<Bytes, FhirError> {
    Ok(seen.directory().body(entry).await.map_err(ServiceError::from)?)
}
