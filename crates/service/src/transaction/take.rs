//! One item of a Bundle, compared with what is there.

use bytes::Bytes;
use keepwell_fhir::bundle::{Bundle, Entry as BundleEntry, Method, RequestUrl};
use keepwell_fhir::compare::same;
use keepwell_fhir::json::Node;
use keepwell_fhir::outcome::IssueCode;
use keepwell_fhir::resource::Resource;
use keepwell_model::{EntryNumber, Kind, Labels, ResourceId, SourceKey};
use keepwell_record::{Entry, OpenRecord, Write};

use super::conditions::{Condition, found_nothing};
use super::incoming::{Item, Place, Verb};
use super::labels::labels;
use super::plan::{Fate, Half, Side, another_sources, key, not_theirs};
use super::whose::{Patients, Whose, two_people};
use super::{Refused, refuse};
use crate::resolve;
use crate::rest::{Names, Version, not_found};
use crate::systems::Client;
use crate::{FhirError, ServiceError};

/// What an item leaves to be written.
struct Left {
    number: Option<EntryNumber>,
    labels: Labels,
    key: SourceKey,
    body: Option<Bytes>,
}

impl Half {
    /// Compares one item with what is there; answers what becomes of it and the content that it leaves.
    pub(super) async fn take(
        &mut self,
        client: &Client,
        item: &Item,
        condition: Condition,
        side: Side,
        names: Option<&OpenRecord>,
    ) -> Result<(Fate, Option<Bytes>), Refused> {
        if let (Condition::Found(number), true) = (condition, item.creates) {
            return Ok((self.kept(side, number)?, None));
        }
        let (fate, left) = self.judge(client, item, condition, side, names).await?;
        if let Some(number) = left.number
            && !self.touched.insert(number)
        {
            let words = "The same resource is in the Bundle twice. Send each once.";
            return Err(FhirError::new(400, IssueCode::Duplicate, words).at(item.expression()).into());
        }
        if matches!(fate, Fate::Same { .. } | Fate::Nothing) {
            return Ok((fate, left.body));
        }
        let kind = Kind::new(&format!("fhir/{}", item.resource_type)).expect("a FHIR type is short and of letters");
        let Left { number, labels, key, body } = left;
        self.writes.push(Write { number, kind, labels, source: Some(key), body: body.clone() });
        Ok((fate, body))
    }

    async fn judge(
        &self,
        client: &Client,
        item: &Item,
        condition: Condition,
        side: Side,
        names: Option<&OpenRecord>,
    ) -> Result<(Fate, Left), Refused> {
        let there = self.meant(client, item, condition)?;
        let live = there.filter(|entry| !entry.is_deleted());
        item.when.check(live.map(|entry| entry.version())).map_err(|error| error.at(item.expression()))?;
        let mut left = Left {
            number: there.map(|entry| entry.number()),
            labels: item.labels,
            key: there
                .and_then(|entry| entry.source_key())
                .unwrap_or_else(|| key(client, item.resource_type, &item.id)),
            body: item.body.clone(),
        };
        match (&item.verb, there, live) {
            (Verb::Delete, _, None) => return Ok((Fate::Nothing, left)),
            (Verb::Delete, _, Some(entry)) => {
                left.labels = entry.labels();
                return Ok((Fate::Deleted { side, write: self.writes.len() }, left));
            }
            (Verb::Keep, ..) => left.labels = left.labels.and(self.guard_of_file(client, item)),
            (Verb::Patch(_), None, _) => return Err(not_found().at(item.expression()).into()),
            (Verb::Patch(_), Some(_), None) => {
                return Err(FhirError::new(410, IssueCode::Deleted, "The resource was deleted.").into());
            }
            (Verb::Patch(patch), _, Some(entry)) => {
                let stored = self.stored(&entry).await?;
                let patched =
                    patch.apply(&self.shown(names, &entry, &stored)).map_err(|it| it.at(item.expression()))?;
                left.labels = self.fits(client, item, side, &patched).map_err(|it| it.at(item.expression()))?;
                left.body = Some(patched);
            }
        }
        if let (Some(entry), Some(body)) = (live, &left.body)
            && entry.labels() == left.labels
            && self.says_the_same(item, &entry, body, names).await?
        {
            let (number, version, time) = (entry.number(), entry.version(), entry.time());
            return Ok((Fate::Same { side, number, version, time }, left));
        }
        Ok((Fate::Written { side, write: self.writes.len(), new: left.number.is_none() }, left))
    }

    /// The labels of what the `securityContext` of a file names in the record: it is as sensitive as that (R4 §2.10).
    fn guard_of_file(&self, client: &Client, item: &Item) -> Labels {
        let guard = || {
            let open = self.open.as_deref().filter(|_| item.resource_type == "Binary")?;
            let reference = Node::new(item.body.as_ref()?)?.get("securityContext")?.get_text("reference")?;
            let by_id = || {
                let (kind, id) = reference.split_once('/')?;
                let id: ResourceId = id.parse().ok().filter(|id: &ResourceId| id.record == open.id())?;
                open.entry(id.entry).filter(|entry| entry.kind().fhir_type() == Some(kind))
            };
            let entry = resolve::Resolver::new(open).entry(&client.name, &reference).or_else(by_id)?;
            Some(entry.labels())
        };
        guard().unwrap_or(Labels::GENERAL)
    }

    /// What a conditional creation found is left as it is.
    fn kept(&self, side: Side, number: EntryNumber) -> Result<Fate, Refused> {
        let entry = self.open.as_ref().and_then(|open| open.entry(number)).ok_or(ServiceError::Unavailable)?;
        Ok(Fate::Same { side, number, version: entry.version(), time: entry.time() })
    }

    /// The entry that an item is about, deleted or not: by its condition, or by its name.
    fn meant(&self, client: &Client, item: &Item, condition: Condition) -> Result<Option<Entry<'_>>, FhirError> {
        let Condition::Found(number) = condition else {
            if condition == Condition::Nothing && item.verb != Verb::Keep {
                return found_nothing(item).map(|()| None);
            }
            // No source has names of Keepwell's form.
            let is_ours = item.resource_type != "Patient" && item.id.parse::<ResourceId>().is_ok();
            if condition == Condition::Nothing && is_ours {
                return Err(not_found().at(item.expression()));
            }
            return self.there(client, item);
        };
        let found = self.open.as_ref().and_then(|open| open.entry(number)).ok_or_else(not_found)?;
        if found.source_name() != Some(client.name.as_str()) {
            // A person has one Patient of each source; the one that was found stands for all of them.
            let own = item.resource_type == "Patient" && item.verb == Verb::Keep;
            return if own { self.there(client, item) } else { Err(another_sources().at(item.expression())) };
        }
        let id = self.open.as_ref().map(|open| resolve::id_of(open, &found)).unwrap_or_default();
        let said = !item.is_fresh() && !item.is_unnamed();
        let fits = id == item.id || found.source_key().is_some_and(|key| key.id == item.id);
        if item.verb == Verb::Keep && said && !fits {
            let words = "The resource that the condition finds has another id (R4 §3.1.0.4.3).";
            return Err(FhirError::new(400, IssueCode::Value, words).at(item.expression()));
        }
        Ok(Some(found))
    }

    async fn stored(&self, entry: &Entry<'_>) -> Result<Bytes, Refused> {
        let open = self.open.as_ref().ok_or(ServiceError::Unavailable)?;
        Ok(open.body(entry).await?)
    }

    async fn says_the_same(
        &self,
        item: &Item,
        entry: &Entry<'_>,
        body: &Bytes,
        names: Option<&OpenRecord>,
    ) -> Result<bool, Refused> {
        if !item.is_returned() && entry.body_len() as usize != body.len() {
            return Ok(false);
        }
        let stored = self.stored(entry).await?;
        if stored == body || !item.is_returned() {
            return Ok(stored == body);
        }
        // It may have been read here, with Keepwell's ids and version in it: then it is compared as it goes out.
        let (one, other) = (self.shown(names, entry, &stored), self.shown(names, entry, body));
        Ok(matches!((Node::new(&one), Node::new(&other)), (Some(one), Some(other)) if same(one, other)))
    }

    /// Content of an entry as its source sees it.
    fn shown(&self, names: Option<&OpenRecord>, entry: &Entry<'_>, body: &[u8]) -> Bytes {
        let (Some(record), Some(directory)) = (&self.open, names) else { return Bytes::copy_from_slice(body) };
        let id = resolve::id_of(record, entry);
        let source = entry.source_name().unwrap_or_default();
        let version = Version { id: &id, version: entry.version(), time: entry.time(), source, body };
        // Names of its own lead to its own things only.
        Names { record: Some(record), directory }.project(&version, &|_| true)
    }

    /// Whether patched content still belongs where it is; answers its labels.
    fn fits(&self, client: &Client, item: &Item, side: Side, patched: &Bytes) -> Result<Labels, FhirError> {
        let broken = |_| refuse("The patched resource is none any more.");
        let resource = Resource::new(patched).map_err(broken)?;
        let labels = if side == Side::Directory { Labels::GENERAL } else { labels(&resource, client.setting) };
        let url = RequestUrl::of(item.resource_type.into()).ok_or_else(not_found)?;
        let entry = BundleEntry::alone(Method::Post, url, Some((resource.clone(), 0..patched.len())));
        let bundle = Bundle { entries: vec![entry.map_err(|issue| FhirError::of(422, issue.into()))?] };
        let (ids, patients) = ([item.id.clone()], Patients::default());
        let whose = Whose::new(&bundle, &ids, &patients);
        let place = whose.place(&bundle.entries[0], &resource).map_err(|issue| FhirError::of(422, issue.into()))?;
        if !whose.people().iter().all(|name| self.is_patient(client, name)) {
            return Err(two_people());
        }
        match (side, place) {
            (Side::Person, Place::Person) | (Side::Directory, Place::Directory) => Ok(labels),
            (Side::Person, Place::Linked(links)) if links.iter().any(|(kind, id)| self.holds(client, kind, id)) => {
                Ok(labels)
            }
            _ => Err(not_theirs()),
        }
    }
}
