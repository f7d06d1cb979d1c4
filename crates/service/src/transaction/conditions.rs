//! Conditions of writes, and references by search: what they lead to is found before anything is written, in the same
//! attempt, so that a race lost makes them be sought again.

use std::borrow::Cow;
use std::collections::HashMap;

use keepwell_fhir::outcome::IssueCode;
use keepwell_fhir::project::{reference_texts, with_references};
use keepwell_fhir::reference::Target;
use keepwell_model::EntryNumber;

use super::Refused;
use super::incoming::{Incoming, Item, Verb};
use super::own_ids::Called;
use super::plan::{Plan, Side};
use crate::rest::{Patience, Sought, is_in_directory, not_found, only};
use crate::systems::Client;
use crate::{FhirError, Service};

/// Others get a turn after so many.
const TURN: usize = 16;

/// What the conditions of one Bundle lead to.
#[derive(Default)]
pub(super) struct Conditions {
    /// For each conditional item what it found.
    found: HashMap<usize, Option<EntryNumber>>,
    /// References that are to be written otherwise.
    renamed: HashMap<String, String>,
}

/// What an item's condition says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    /// There is none.
    Without,
    /// It found nothing.
    Nothing,
    /// It found this entry.
    Found(EntryNumber),
}

impl Conditions {
    pub(super) fn of(&self, item: &Item) -> Condition {
        match self.found.get(&item.index) {
            None => Condition::Without,
            Some(None) => Condition::Nothing,
            Some(Some(entry)) => Condition::Found(*entry),
        }
    }

    /// The item with its references to what was found.
    pub(super) fn rewritten<'i>(&self, item: &'i Item) -> Cow<'i, Item> {
        let Some(body) = item.body.as_ref().filter(|_| !self.renamed.is_empty()) else { return Cow::Borrowed(item) };
        if !reference_texts(body).any(|text| self.renamed.contains_key(text.as_ref())) {
            return Cow::Borrowed(item);
        }
        let body = with_references(body, |text| self.renamed.get(text).cloned()).into();
        Cow::Owned(Item { body: Some(body), ..item.clone() })
    }
}

/// The records that conditions look into, opened when they are first needed.
struct Seeker<'a> {
    service: &'a Service,
    client: &'a Client,
    plan: &'a Plan,
    /// What the sender calls the person.
    called: Option<Called<'a>>,
    person: Option<Option<Sought>>,
    directory: Option<Option<Sought>>,
    /// The types of what was found in the person's record.
    found: Vec<&'static str>,
    /// Searches so far.
    count: usize,
    /// When there has been enough of them.
    patience: Patience<'a>,
}

impl Seeker<'_> {
    /// What a search finds on one side.
    async fn seek(
        &mut self,
        side: Side,
        kind: &'static str,
        query: &str,
    ) -> Result<Option<(EntryNumber, String)>, Refused> {
        let (service, client) = (self.service, self.client);
        self.count += 1;
        // One time for all of them, or a Bundle of many searches would keep a core for itself.
        if self.patience.is_over() {
            let words = "The searches in this Bundle took too long. Send it in parts, or name things by id.";
            return Err(FhirError::new(504, IssueCode::TooCostly, words).into());
        }
        if self.count.is_multiple_of(TURN) {
            tokio::task::yield_now().await;
        }
        let place = match side {
            Side::Person => &mut self.person,
            Side::Directory => &mut self.directory,
        };
        if place.is_none() {
            let open = match side {
                Side::Person => self.plan.before().cloned(),
                Side::Directory => Some(service.names(client).await?),
            };
            *place = Some(match open {
                Some(open) => service.seek(client, &open).await?,
                None => None,
            });
        }
        let Some(Some(sought)) = place else { return Ok(None) };
        let record = self.plan.before().filter(|_| side == Side::Person).map(|open| open.id().to_string());
        let right = self.called.as_ref().zip(record);
        let right = right.map(|(called, record)| called.put_right(service.definitions(), kind, query, &record));
        let found = service.sought(sought, kind, right.as_deref().unwrap_or(query), self.patience)?;
        if side == Side::Person {
            self.found.extend(found.iter().map(|_| kind));
        }
        let found = only(found)?;
        Ok(found.map(|found| (found.entry, found.place)))
    }
}

impl Service {
    /// Finds what the conditions of a Bundle lead to.
    pub(super) async fn conditions(
        &self,
        client: &Client,
        incoming: &Incoming,
        plan: &Plan,
    ) -> Result<Conditions, Refused> {
        let mut seeker = Seeker {
            service: self,
            client,
            plan,
            called: incoming.called(),
            person: None,
            directory: None,
            found: Vec::new(),
            count: 0,
            patience: self.patience(),
        };
        let conditions = seeker.seek_all(incoming).await;
        if let Some(Some(sought)) = &seeker.person {
            self.note_sought(sought, &seeker.found).await?;
        }
        conditions
    }
}

impl Seeker<'_> {
    async fn seek_all(&mut self, incoming: &Incoming) -> Result<Conditions, Refused> {
        let mut conditions = Conditions::default();
        for item in &incoming.items {
            let Some(query) = &item.condition else { continue };
            let found = self.seek(self.plan.side(self.client, item), item.resource_type, query).await;
            let found = found.map_err(|refused| refused.at(&item.expression()))?;
            if let (Some((_, place)), true) = (&found, item.creates) {
                // Nothing is created, so what refers to it here means what is there.
                let names = [item.full_url.clone(), Some(format!("{}/{}", item.resource_type, item.id))];
                conditions.renamed.extend(names.into_iter().flatten().map(|name| (name, place.clone())));
            }
            conditions.found.insert(item.index, found.map(|(entry, _)| entry));
        }
        for item in &incoming.items {
            for (text, kind, query) in item.body.iter().flat_map(|body| conditional_references(body)) {
                if conditions.renamed.contains_key(&text) {
                    continue;
                }
                let side = if is_in_directory(kind) { Side::Directory } else { Side::Person };
                let found = self.seek(side, kind, &query).await.map_err(|refused| refused.at(&item.expression()))?;
                // What is not there yet may come later; until then the reference says what is meant.
                let place = found.map_or_else(|| text.clone(), |(_, place)| place);
                conditions.renamed.insert(text, place);
            }
        }
        conditions.renamed.retain(|text, place| text != place);
        Ok(conditions)
    }
}

impl Incoming {
    /// What the sender calls the person whom this is about.
    fn called(&self) -> Option<Called<'_>> {
        let id = &self.subject.as_ref()?.id;
        let patient = self.items.iter().find(|item| item.resource_type == "Patient" && item.id == *id);
        Some(Called { id, full_url: patient.and_then(|item| item.full_url.as_deref()) })
    }
}

/// The references by search in a resource: text, type, and the search.
fn conditional_references(body: &[u8]) -> Vec<(String, &'static str, String)> {
    if memchr::memchr(b'?', body).is_none() {
        return Vec::new();
    }
    let texts = reference_texts(body).filter_map(|text| match Target::of(&text) {
        Target::Conditional { resource_type, query } => Some((text.to_string(), resource_type, query.to_owned())),
        _ => None,
    });
    texts.collect()
}

impl Refused {
    /// The same, about a place in the request.
    fn at(self, expression: &str) -> Self {
        match self {
            Self::Fhir(error) if error.status != 503 => Self::Fhir(error.at(expression)),
            other => other,
        }
    }
}

/// What is answered where a condition of something that changes nothing new found nothing (R4 §3.1.0.6.1, §3.1.0.7.1).
pub(super) fn found_nothing(item: &Item) -> Result<(), FhirError> {
    match item.verb {
        Verb::Patch(_) => Err(not_found().at(item.expression())),
        Verb::Delete | Verb::Keep => Ok(()),
    }
}
