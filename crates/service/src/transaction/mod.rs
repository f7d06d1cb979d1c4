//! The transaction: a source system sends what it holds about one person, and all of it becomes one block, or none of it.
//!
//! Sending the same again changes nothing, because every item has the name its source gave it and is compared with what is
//! there: so no key has to be remembered, and an older content that a source sends once more after a newer one is a change
//! like any other.

mod alone;
mod check;
mod conditions;
mod find;
mod incoming;
mod labels;
mod own_ids;
mod patch;
mod plan;
mod queue;
mod relink;
mod respond;
mod take;
mod whose;

use std::sync::Arc;

use bytes::Bytes;
use keepwell_fhir::outcome::IssueCode;
use keepwell_model::{Purpose, RecordId};
use keepwell_policy::{Action, Facts, Permit, Target};
use keepwell_record::{Commit, OpenRecord, RecordError, busy};
use tokio::sync::{Mutex, MutexGuard};

use crate::extract::category_of_type;
use crate::gate::{looked, permit_with};
use crate::rest::{Answered, BundleRequest, Names, Version, is_in_directory};
use crate::systems::{Client, TransactionResponse};
use crate::{FhirError, Service, ServiceError};
pub use alone::{Change, Patch, WriteRequest, Written};
pub(crate) use check::{Recorded, issues_of};
use find::Found;
use incoming::Incoming;
use respond::Done;

/// How often a transaction is run again after a lost race.
const TRIES: usize = 8;
/// Bundles with more bytes than this take a while to read.
const LARGE: usize = 256 * 1024;

impl Service {
    /// Takes a transaction Bundle of a registered source system.
    ///
    /// # Errors
    /// [`FhirError`] with what is wrong; nothing of the Bundle was taken then.
    pub async fn transaction(&self, client: &Client, body: Bytes) -> Result<TransactionResponse, FhirError> {
        self.transaction_with(client, body, BundleRequest::default()).await?.ok_or_else(|| {
            let words = "A batch is not taken here. Send a Bundle of type 'transaction'.";
            FhirError::new(400, IssueCode::NotSupported, words).at("Bundle.type")
        })
    }

    /// The same, answered as it is wanted; `None` if the Bundle is a batch.
    pub(crate) async fn transaction_with(
        &self,
        client: &Client,
        body: Bytes,
        request: BundleRequest<'_>,
    ) -> Result<Option<TransactionResponse>, FhirError> {
        let Some(incoming) = self.read_bundle(client, &body)? else { return Ok(None) };
        for read in &incoming.reads {
            let found = self.can_read(client, request.base, &read.url).await;
            found.map_err(|error| error.at(format!("Bundle.entry[{}].request.url", read.index)))?;
        }
        let outcome = self.run(client, &incoming, &body, request.representation).await?;
        let mut answers: Vec<(usize, Answered)> = Vec::with_capacity(incoming.items.len() + incoming.reads.len());
        let items = incoming.items.iter().zip(outcome.done);
        answers.extend(items.map(|(item, done)| (item.index, respond::answered(item, done))));
        for read in &incoming.reads {
            let answer = self.answer_read(client, request.base, &read.url, read.if_none_match.as_deref()).await;
            answers.push((read.index, answer));
        }
        answers.sort_by_key(|(index, _)| *index);
        let entries = answers.len();
        let json = Answered::bundle("transaction-response", answers.iter().map(|(_, answer)| answer), request.outcomes);
        tracing::info!(
            client = client.name,
            entries,
            changed = outcome.changed,
            "Took a transaction of {entries} entries from {}",
            client.name
        );
        Ok(Some(TransactionResponse { json, record: outcome.record, entries, changed: outcome.changed }))
    }

    fn read_bundle(&self, client: &Client, body: &Bytes) -> Result<Option<Incoming>, FhirError> {
        let read = || incoming::read(client, body, &self.inner.config);
        if body.len() < LARGE { read() } else { busy(read) }
    }

    async fn alone_in_directory(&self) -> MutexGuard<'_, ()> {
        self.inner.directory.lock().await
    }

    fn turn(&self, record: RecordId) -> &Mutex<()> {
        let turns = &self.inner.turns;
        &turns[usize::from(record.as_bytes()[9]) % turns.len()]
    }

    /// Writes what was read, as one commit. `body` is a transaction Bundle of the same, in case somebody has to look at
    /// it; `show` asks for the resources as they go out.
    async fn run(&self, client: &Client, incoming: &Incoming, body: &Bytes, show: bool) -> Result<Outcome, FhirError> {
        let (mut alone, mut turn) = (None, None);
        for _ in 0..TRIES {
            let held = Held { directory: alone.is_some(), turn: turn.is_some() };
            match self.attempt(client, incoming, body, show, held).await {
                Ok(outcome) => return Ok(outcome),
                Err(Refused::Fhir(error)) => return Err(error),
                Err(Refused::NeedsDirectory) => {
                    // The directory always comes first, so that nobody waits for somebody who waits for them.
                    turn = None;
                    alone = Some(self.alone_in_directory().await);
                }
                // Whoever lost a race gets a turn, and then nobody else begins before it is over: so many writers of one
                // record do not lose again and again.
                Err(Refused::NeedsTurn(record) | Refused::Engine(RecordError::Conflict { record })) => {
                    if turn.is_none() {
                        turn = Some(self.turn(record).lock().await);
                    }
                }
                Err(Refused::Engine(RecordError::AliasTaken | RecordError::Unknown)) => {}
                Err(Refused::Engine(error)) => return Err(error.into()),
            }
        }
        drop(turn);
        Err(ServiceError::Conflict.into())
    }

    async fn attempt(
        &self,
        client: &Client,
        incoming: &Incoming,
        body: &Bytes,
        show: bool,
        held: Held,
    ) -> Result<Outcome, Refused> {
        let found = self.find(client, incoming, body).await?;
        let record = found.record();
        if let Some(record) = record
            && !held.turn
            && self.turn(record).try_lock().is_err()
        {
            return Err(Refused::NeedsTurn(record));
        }
        let permits = Permits::ask(self, client, &found)?;
        let known = match &found {
            Found::Known { record, .. } => Some(Arc::clone(record)),
            Found::Nobody | Found::New { .. } => None,
        };
        let planned = self.plan(client, incoming, found).await;
        if let Some(known) = &known {
            self.note_patches(client, incoming, known, planned.as_ref().ok()).await?;
        }
        let mut plan = planned?;
        if plan.changes_directory() && !held.directory {
            return Err(Refused::NeedsDirectory);
        }
        if let Err(error) = plan.check(self, client, incoming) {
            if let Some(known) = &known {
                self.note_patches(client, incoming, known, None).await?;
            }
            return Err(error.into());
        }
        let changed = plan.changed();
        let parts = plan.take_parts();
        let committed = if parts.is_empty() {
            Vec::new()
        } else {
            let commit = Commit { author: permits.author(), idempotency: None, parts };
            self.tenant().commit(commit).await.map_err(Refused::Engine)?.parts
        };
        let fates = incoming.items.iter().zip(plan.fates());
        let mut done: Vec<Done> = fates.map(|(item, fate)| respond::done(item, *fate, &plan, &committed)).collect();
        if show {
            self.show(client, &plan, &mut done).await?;
        }
        Ok(Outcome { done, changed, record })
    }

    /// A patch that is refused, or that changes nothing, has told its sender something of what is there, and no block says
    /// so: it leaves a line as a look does (T30).
    async fn note_patches(
        &self,
        client: &Client,
        incoming: &Incoming,
        record: &Arc<OpenRecord>,
        plan: Option<&plan::Plan>,
    ) -> Result<(), Refused> {
        let is_look = |(at, item): &(usize, &incoming::Item)| {
            item.is_patch()
                && plan.map_or(!is_in_directory(item.resource_type), |plan| {
                    matches!(plan.fates()[*at], plan::Fate::Same { side: plan::Side::Person, .. })
                })
        };
        let patches = incoming.items.iter().enumerate().filter(is_look);
        let what = looked(patches.map(|(_, item)| (category_of_type(item.resource_type), 1)));
        if what.is_empty() {
            return Ok(());
        }
        // What its sender may not see it may not patch either.
        if let Some(seen) = self.see_open(client, record).await? {
            seen.note(self, what).await?;
        }
        Ok(())
    }

    /// Adds the resources as they go out. They are what the source has just sent, so there is nothing to note about it.
    async fn show(&self, client: &Client, plan: &plan::Plan, done: &mut [Done]) -> Result<(), ServiceError> {
        let directory = self.names(client).await?;
        let (before, after);
        // References of a single resource lead to what was there before; those of several may lead to each other.
        let record = match (plan.record(plan::Side::Person), done.len()) {
            (Some(id), 2..) => {
                after = self.tenant().open(id).await?;
                after.as_deref()
            }
            _ => {
                before = plan.before();
                before.map(|open| &**open)
            }
        };
        let names = Names { record, directory: &directory };
        for (done, body) in done.iter_mut().zip(plan.bodies()) {
            if let (Some(placed), Some(body), true) = (&done.placed, body, done.status != 204) {
                let source = client.name.as_str();
                let version = Version { id: &placed.id, version: placed.version, time: placed.time, source, body };
                done.resource = Some(names.project(&version, &|_| true));
            }
        }
        Ok(())
    }
}

/// What a run holds so that others wait.
#[derive(Clone, Copy)]
struct Held {
    directory: bool,
    turn: bool,
}

/// What came of all entries together.
struct Outcome {
    done: Vec<Done>,
    /// How many changed anything.
    changed: usize,
    record: Option<RecordId>,
}

/// Why an attempt ended without an answer.
enum Refused {
    /// What the sender is told.
    Fhir(FhirError),
    /// The directory has to change: run again with its lock held.
    NeedsDirectory,
    /// Others have lost races for this record: run again when they are done.
    NeedsTurn(RecordId),
    /// The engine did not take it.
    Engine(RecordError),
}

impl From<FhirError> for Refused {
    fn from(error: FhirError) -> Self {
        Self::Fhir(error)
    }
}

impl From<RecordError> for Refused {
    fn from(error: RecordError) -> Self {
        Self::Engine(error)
    }
}

impl From<ServiceError> for Refused {
    fn from(error: ServiceError) -> Self {
        Self::Fhir(error.into())
    }
}

/// The permits that a transaction needs before it may plan anything.
struct Permits {
    directory: Permit,
    person: Option<Permit>,
}

impl Permits {
    fn ask(service: &Service, client: &Client, found: &Found) -> Result<Self, ServiceError> {
        let actor = client.actor();
        let facts = Facts { source: Some(&client.name), ..Facts::default() };
        let ask = |action, target| permit_with(&actor, Purpose::DirectCare, action, target, facts);
        let directory = ask(Action::WriteDirectory, Target::Directory(service.tenant().directory()))?;
        let person = match found {
            Found::Nobody => None,
            Found::New { record, .. } => Some(ask(Action::CreateRecord, Target::Person(*record))?),
            Found::Known { record, .. } => Some(ask(Action::WriteFromSource, Target::Person(record.id()))?),
        };
        Ok(Self { directory, person })
    }

    fn author(&self) -> keepwell_model::Author {
        self.person.as_ref().unwrap_or(&self.directory).author()
    }
}

/// A refusal for a rule of the service.
fn refuse(words: &str) -> FhirError {
    FhirError::new(422, IssueCode::BusinessRule, words)
}
