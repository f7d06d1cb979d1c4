//! What a Bundle changes: each item compared with what is there under the name its source gives it.

use std::collections::HashSet;
use std::sync::Arc;

use keepwell_fhir::outcome::IssueCode;
use keepwell_model::{EntryNumber, Kind, RecordId, Seq, SourceKey, Stream, Timestamp};
use keepwell_record::{Alias, Entry, Expect, OpenRecord, Part, Write};

use super::find::Found;
use super::incoming::{Incoming, Item, Place, Verb};
use super::{Refused, refuse};
use crate::systems::Client;
use crate::{FhirError, Service, ServiceError};

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
struct Half {
    id: RecordId,
    open: Option<Arc<OpenRecord>>,
    writes: Vec<Write>,
    attach: Vec<Alias>,
}

/// What a Bundle changes.
pub(super) struct Plan {
    person: Option<Half>,
    directory: Option<Half>,
    fates: Vec<Fate>,
}

impl Plan {
    pub(super) fn fates(&self) -> &[Fate] {
        &self.fates
    }

    pub(super) fn changes_directory(&self) -> bool {
        self.directory.as_ref().is_some_and(|half| !half.writes.is_empty())
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
    fn is_change(&self) -> bool {
        !self.writes.is_empty() || !self.attach.is_empty() || self.open.is_none()
    }

    fn find(&self, key: &SourceKey) -> Option<Entry<'_>> {
        self.open.as_ref()?.by_source(key)
    }

    /// Compares one item with what is there.
    async fn take(&mut self, item: &Item, key: SourceKey, side: Side) -> Result<Fate, Refused> {
        let (number, labels) = {
            let there = self.find(&key);
            if let Some(wanted) = item.if_match
                && there.filter(|entry| !entry.is_deleted()).map(|entry| entry.version()) != Some(Seq(wanted))
            {
                let words = "The resource has another version by now, or is not there.";
                return Err(FhirError::new(412, IssueCode::Conflict, words).at(item.expression()).into());
            }
            match (item.verb, there) {
                (Verb::Delete, None) => return Ok(Fate::Nothing),
                (Verb::Delete, Some(entry)) if entry.is_deleted() => return Ok(Fate::Nothing),
                (Verb::Keep, Some(entry)) if self.is_same(&entry, item).await? => {
                    let (number, version, time) = (entry.number(), entry.version(), entry.time());
                    return Ok(Fate::Same { side, number, version, time });
                }
                (Verb::Delete, Some(entry)) => (Some(entry.number()), entry.labels()),
                (Verb::Keep, Some(entry)) => (Some(entry.number()), item.labels),
                (Verb::Keep, None) => (None, item.labels),
            }
        };
        let write = self.writes.len();
        let kind = Kind::new(&format!("fhir/{}", item.resource_type)).expect("a FHIR type is short and of letters");
        self.writes.push(Write { number, kind, labels, source: Some(key), body: item.body.clone() });
        Ok(match item.verb {
            Verb::Keep => Fate::Written { side, write, new: number.is_none() },
            Verb::Delete => Fate::Deleted { side, write },
        })
    }

    async fn is_same(&self, entry: &Entry<'_>, item: &Item) -> Result<bool, Refused> {
        let (Some(open), Some(body)) = (&self.open, &item.body) else { return Ok(false) };
        if entry.is_deleted() || entry.labels() != item.labels || entry.body_len() as usize != body.len() {
            return Ok(false);
        }
        Ok(open.body(entry).await? == body)
    }
}

impl Service {
    pub(super) async fn plan(&self, client: &Client, incoming: &Incoming, found: Found) -> Result<Plan, Refused> {
        let person = match found {
            Found::Nobody => None,
            Found::New { record, attach } => Some(Half { id: record, open: None, writes: Vec::new(), attach }),
            Found::Known { record, attach } => {
                Some(Half { id: record.id(), open: Some(record), writes: Vec::new(), attach })
            }
        };
        let directory = if incoming.items.iter().any(|item| matches!(item.place, Place::Directory | Place::Either)) {
            let id = self.tenant().directory();
            let open = self.tenant().open(id).await?.ok_or(ServiceError::Unavailable)?;
            Some(Half { id, open: Some(open), writes: Vec::new(), attach: Vec::new() })
        } else {
            None
        };
        let mut plan = Plan { person, directory, fates: Vec::with_capacity(incoming.items.len()) };
        let own = linkable(incoming);
        for item in &incoming.items {
            let key = |kind: &str, id: &str| SourceKey {
                source: client.name.clone(),
                kind: kind.to_owned(),
                id: id.to_owned(),
            };
            if let Place::Linked(links) = &item.place {
                let is_theirs = |half: &Half, kind: &str, id: &str| {
                    half.find(&key(kind, id)).is_some_and(|entry| !entry.is_deleted())
                };
                let holds = |(kind, id): &(&'static str, String)| {
                    own.contains(&(*kind, id.as_str()))
                        || plan.person.as_ref().is_some_and(|half| is_theirs(half, kind, id))
                };
                if !links.iter().any(holds) {
                    let words = "It cannot be told whom this is about: nothing that it refers to is this person's.";
                    return Err(refuse(words).at(item.expression()).into());
                }
            }
            let key = key(item.resource_type, &item.id);
            let side = plan.side(item, &key);
            let half = match side {
                Side::Person => plan.person.as_mut(),
                Side::Directory => plan.directory.as_mut(),
            };
            let fate = match half {
                Some(half) => half.take(item, key, side).await?,
                // Only deletions get this far without a record: of somebody whom this source never sent.
                None => Fate::Nothing,
            };
            plan.fates.push(fate);
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
    fn side(&self, item: &Item, key: &SourceKey) -> Side {
        match item.place {
            Place::Person | Place::Linked(_) => Side::Person,
            Place::Directory => Side::Directory,
            Place::Either if self.person.as_ref().is_some_and(|half| half.find(key).is_some()) => Side::Person,
            Place::Either => Side::Directory,
        }
    }
}
