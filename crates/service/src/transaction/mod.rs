//! The transaction: a source system sends what it holds about one person, and all of it becomes one block, or none of it.
//!
//! Sending the same again changes nothing, because every item has the name its source gave it and is compared with what is
//! there: so no key has to be remembered, and an older content that a source sends once more after a newer one is a change
//! like any other.

mod find;
mod incoming;
mod labels;
mod plan;
mod queue;
mod relink;
mod respond;
mod whose;

use bytes::Bytes;
use keepwell_fhir::outcome::IssueCode;
use keepwell_model::Purpose;
use keepwell_policy::{Action, Facts, Permit, Target};
use keepwell_record::{Commit, RecordError, busy};
use tokio::sync::MutexGuard;

use crate::gate::permit_with;
use crate::systems::{Client, TransactionResponse};
use crate::{FhirError, Service, ServiceError};
use find::Found;
use incoming::Incoming;

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
        let incoming = self.read_bundle(client, &body)?;
        let mut alone = None;
        for _ in 0..TRIES {
            match self.attempt(client, &incoming, &body, alone.is_some()).await {
                Ok(response) => return Ok(response),
                Err(Refused::Fhir(error)) => return Err(error),
                Err(Refused::NeedsDirectory) => alone = Some(self.alone_in_directory().await),
                Err(Refused::Engine(RecordError::Conflict { .. } | RecordError::AliasTaken | RecordError::Unknown)) => {
                }
                Err(Refused::Engine(error)) => return Err(error.into()),
            }
        }
        Err(ServiceError::Conflict.into())
    }

    fn read_bundle(&self, client: &Client, body: &Bytes) -> Result<Incoming, FhirError> {
        let read = || incoming::read(client, body, &self.inner.config);
        if body.len() < LARGE { read() } else { busy(read) }
    }

    async fn alone_in_directory(&self) -> MutexGuard<'_, ()> {
        self.inner.directory.lock().await
    }

    async fn attempt(
        &self,
        client: &Client,
        incoming: &Incoming,
        body: &Bytes,
        alone: bool,
    ) -> Result<TransactionResponse, Refused> {
        let found = self.find(client, incoming, body).await?;
        let record = found.record();
        let permits = Permits::ask(self, client, &found)?;
        let mut plan = self.plan(client, incoming, found).await?;
        if plan.changes_directory() && !alone {
            return Err(Refused::NeedsDirectory);
        }
        let changed = plan.changed();
        let parts = plan.take_parts();
        let committed = if parts.is_empty() {
            Vec::new()
        } else {
            let commit = Commit { author: permits.author(), idempotency: None, parts };
            self.tenant().commit(commit).await.map_err(Refused::Engine)?.parts
        };
        let json = respond::bundle(incoming, &plan, &committed);
        tracing::info!(
            client = client.name,
            entries = incoming.items.len(),
            changed,
            "Took a transaction of {} entries from {}",
            incoming.items.len(),
            client.name
        );
        Ok(TransactionResponse { json, record, entries: incoming.items.len(), changed })
    }
}

/// Why an attempt ended without an answer.
enum Refused {
    /// What the sender is told.
    Fhir(FhirError),
    /// The directory has to change: run again with its lock held.
    NeedsDirectory,
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
        let facts = Facts { feeds: false, source: Some(&client.name) };
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
