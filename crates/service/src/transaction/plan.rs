//! What a Bundle changes: each item compared with what is there under the name its source gives it.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use keepwell_fhir::outcome::IssueCode;
use keepwell_model::{EntryNumber, RecordId, ResourceId, Seq, SourceKey, Stream, Timestamp};
use keepwell_policy::Permit;
use keepwell_record::{Alias, Entry, Expect, OpenRecord, Part, Write};

use super::conditions::found_nothing;
use super::find::Found;
use super::incoming::{Incoming, Item, Place, Verb};
use super::{Refused, refuse};
use crate::rest::not_found;
use crate::systems::Client;
use crate::{FhirError, Service};

/// Which of the two parts of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Person,
    Directory,
}

/// What becomes of one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// The write of that index in that part; `new` says that the item was not there before.
    Written { side: Side, write: usize, new: bool },
    /// Deleted by that write.
    Deleted { side: Side, write: usize },
    /// It is there already, just so.
    Same { side: Side, number: EntryNumber, version: Seq, time: Timestamp },
    /// There is nothing to delete.
    Nothing,
}

/// One part in the making.
pub(super) struct Half {
    pub(super) id: RecordId,
    pub(super) open: Option<Arc<OpenRecord>>,
    /// How far the source may see what is there.
    reach: Option<Permit>,
    pub(super) writes: Vec<Write>,
    attach: Vec<Alias>,
    /// Entries that have got a new version.
    pub(super) touched: BTreeSet<EntryNumber>,
}

/// What a Bundle changes.
pub(super) struct Plan {
    person: Option<Half>,
    directory: Option<Half>,
    /// The directory as it was, if names in it matter.
    names: Option<Arc<OpenRecord>>,
    fates: Vec<Fate>,
    /// The content that each item leaves.
    bodies: Vec<Option<Bytes>>,
}

impl Plan {
    pub(super) fn fates(&self) -> &[Fate] {
        &self.fates
    }

    pub(super) fn changes_directory(&self) -> bool {
        self.directory.as_ref().is_some_and(|half| !half.writes.is_empty())
    }

    /// The content that each item leaves.
    pub(super) fn bodies(&self) -> &[Option<Bytes>] {
        &self.bodies
    }

    /// The person's record as it was before, if it was there.
    pub(super) fn before(&self) -> Option<&Arc<OpenRecord>> {
        self.person.as_ref().and_then(|half| half.open.as_ref())
    }

    /// How many items change anything.
    pub(super) fn changed(&self) -> usize {
        self.fates.iter().filter(|fate| matches!(fate, Fate::Written { .. } | Fate::Deleted { .. })).count()
    }

    /// The record that a side stands for.
    pub(super) fn record(&self, side: Side) -> Option<RecordId> {
        match side {
            Side::Person => self.person.as_ref(),
            Side::Directory => self.directory.as_ref(),
        }
        .map(|half| half.id)
    }

    pub(super) fn half(&mut self, side: Side) -> Option<&mut Half> {
        match side {
            Side::Person => self.person.as_mut(),
            Side::Directory => self.directory.as_mut(),
        }
    }

    /// Takes its commit parts out: the person's first.
    pub(super) fn take_parts(&mut self) -> Vec<Part> {
        let part = |half: &mut Half| {
            let expect = half.open.as_ref().map_or(Expect::New, |open| Expect::Head(open.head()));
            let attach = std::mem::take(&mut half.attach);
            Part { attach, ..Part::new(half.id, Stream::Care, expect, std::mem::take(&mut half.writes)) }
        };
        let halves = [self.person.as_mut(), self.directory.as_mut()];
        halves.into_iter().flatten().filter(|half| half.is_change()).map(part).collect()
    }
}

impl Half {
    const fn new(id: RecordId, open: Option<Arc<OpenRecord>>, reach: Option<Permit>, attach: Vec<Alias>) -> Self {
        Self { id, open, reach, writes: Vec::new(), attach, touched: BTreeSet::new() }
    }

    fn is_change(&self) -> bool {
        !self.writes.is_empty() || !self.attach.is_empty() || self.open.is_none()
    }

    pub(super) fn find(&self, key: &SourceKey) -> Option<Entry<'_>> {
        self.open.as_ref()?.by_source(key)
    }

    /// Whether a link of the source leads to something of this record that is there.
    pub(super) fn holds(&self, client: &Client, kind: &str, id: &str) -> bool {
        let entry = self.find(&key(client, kind, id)).or_else(|| self.at(client, kind, id.parse().ok()?));
        entry.is_some_and(|entry| !entry.is_deleted())
    }

    /// Whether a name of a Patient, the source's or Keepwell's, leads to this record.
    pub(super) fn is_patient(&self, client: &Client, name: &str) -> bool {
        self.find(&key(client, "Patient", name)).is_some() || name == self.id.to_string()
    }

    /// The entry at an address of Keepwell's, if it is within the source's reach.
    fn at(&self, client: &Client, kind: &str, address: ResourceId) -> Option<Entry<'_>> {
        let entry = self.open.as_ref().filter(|_| address.record == self.id)?.entry(address.entry)?;
        (entry.kind().fhir_type() == Some(kind) && self.reaches(client, &entry)).then_some(entry)
    }

    fn reaches(&self, client: &Client, entry: &Entry<'_>) -> bool {
        let within = |permit: &Permit| permit.filter().reaches(entry.labels(), entry.source_name());
        entry.source_name() == Some(client.name.as_str()) || self.reach.as_ref().is_some_and(within)
    }

    /// The entry that an item is about, deleted or not.
    pub(super) fn there(&self, client: &Client, item: &Item) -> Result<Option<Entry<'_>>, FhirError> {
        let own = |entry: &Entry<'_>| entry.source_name() == Some(client.name.as_str());
        if let Some(entry) = item.address.and_then(|address| self.at(client, item.resource_type, address)) {
            return if own(&entry) { Ok(Some(entry)) } else { Err(another_sources().at(item.expression())) };
        }
        if let Some(entry) = self.find(&key(client, item.resource_type, &item.id)) {
            return Ok(Some(entry));
        }
        if item.address.is_some() {
            return Err(not_found().at(item.expression()));
        }
        if item.resource_type != "Patient" || item.id != self.id.to_string() && !item.is_fresh() {
            return Ok(None);
        }
        // The record's id stands for the source's own Patient in it, and whoever creates a Patient whom the source has sent
        // already means that one: no other could have an id of its own.
        let mut patients = self.open.iter().flat_map(|open| open.all_entries());
        let mine = patients.find(|entry| entry.kind().fhir_type() == Some("Patient") && own(entry));
        match (mine, &item.verb) {
            (Some(entry), _) => Ok(Some(entry)),
            (None, Verb::Keep) => Ok(None),
            (None, Verb::Patch(_) | Verb::Delete) => Err(another_sources().at(item.expression())),
        }
    }
}

impl Service {
    pub(super) async fn plan(&self, client: &Client, incoming: &Incoming, found: Found) -> Result<Plan, Refused> {
        let person = match found {
            Found::Nobody => None,
            Found::New { record, attach } => Some(Half::new(record, None, None, attach)),
            Found::Known { record, attach } => {
                let reach = self.permit_to_see(client, &record).ok();
                Some(Half::new(record.id(), Some(record), reach, attach))
            }
        };
        let names = if incoming.items.iter().any(Item::needs_names) { Some(self.names(client).await?) } else { None };
        let in_directory = |item: &Item| matches!(item.place, Place::Directory | Place::Either);
        let directory = if incoming.items.iter().any(in_directory) {
            let open = self.names(client).await?;
            let reach = self.permit_to_see(client, &open).ok();
            Some(Half::new(open.id(), Some(open), reach, Vec::new()))
        } else {
            None
        };
        let count = incoming.items.len();
        let (fates, bodies) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut plan = Plan { person, directory, names, fates, bodies };
        let own = linkable(incoming);
        let conditions = self.conditions(client, incoming, &plan).await?;
        for item in &incoming.items {
            let condition = conditions.of(item);
            let item = &*conditions.rewritten(item);
            if let Place::Linked(links) = &item.place {
                let holds = |(kind, id): &(&'static str, String)| {
                    let here = plan.person.as_ref().is_some_and(|half| half.holds(client, kind, id));
                    here || own.contains(&(*kind, id.as_str()))
                };
                if !links.iter().any(holds) {
                    return Err(not_theirs().at(item.expression()).into());
                }
            }
            let side = plan.side(client, item);
            let half = match side {
                Side::Person => plan.person.as_mut(),
                Side::Directory => plan.directory.as_mut(),
            };
            let (fate, body) = match half {
                Some(half) => half.take(client, item, condition, side, plan.names.as_deref()).await?,
                // Only deletions get this far without a record: of somebody whom this source never sent. And what a
                // condition did not find.
                None => {
                    found_nothing(item)?;
                    (Fate::Nothing, None)
                }
            };
            plan.fates.push(fate);
            plan.bodies.push(body);
        }
        Ok(plan)
    }
}

/// The person's own things in the Bundle, if anything in it has to be linked to one of them.
fn linkable(incoming: &Incoming) -> HashSet<(&str, &str)> {
    if !incoming.items.iter().any(|item| matches!(item.place, Place::Linked(_))) {
        return HashSet::new();
    }
    let own = incoming.items.iter().filter(|item| item.place == Place::Person && item.verb == Verb::Keep);
    own.map(|item| (item.resource_type, item.id.as_str())).collect()
}

impl Plan {
    pub(super) fn side(&self, client: &Client, item: &Item) -> Side {
        let person = self.person.as_ref();
        match (&item.place, item.address) {
            (Place::Person | Place::Linked(_), _) => Side::Person,
            (Place::Directory, _) => Side::Directory,
            (Place::Either, Some(address)) if person.is_some_and(|half| half.id == address.record) => Side::Person,
            (Place::Either, _) if item.condition.is_some() && person.is_some() => Side::Person,
            (Place::Either, _) => {
                let key = key(client, item.resource_type, &item.id);
                if person.is_some_and(|half| half.find(&key).is_some()) { Side::Person } else { Side::Directory }
            }
        }
    }
}

/// What a source calls a thing.
pub(super) fn key(client: &Client, kind: &str, id: &str) -> SourceKey {
    SourceKey { source: client.name.clone(), kind: kind.to_owned(), id: id.to_owned() }
}

pub(super) fn not_theirs() -> FhirError {
    refuse("It cannot be told whom this is about: nothing that it refers to is this person's.")
}

pub(super) fn another_sources() -> FhirError {
    let words = "Another system sent this. Only the system that sent a resource can change or delete it.";
    FhirError::new(403, IssueCode::Forbidden, words)
}
