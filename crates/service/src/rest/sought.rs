//! What conditions find: the searches of conditional writes, in one record, as far as their sender may see it.

use std::sync::Arc;

use keepwell_fhir::definitions::Definitions;
use keepwell_fhir::outcome::IssueCode;
use keepwell_fhir::search::{Handling, Query, Search};
use keepwell_model::EntryNumber;
use keepwell_record::{OpenRecord, busy};

use super::search::not_run;
use super::seen::Seen;
use super::world::{Fetched, Patience, SeenWorld, load};
use crate::extract::category_of_type;
use crate::gate::looked;
use crate::systems::Client;
use crate::{FhirError, Service, ServiceError};

/// A record that conditions look into.
pub(crate) struct Sought {
    seen: Seen,
    fetched: Fetched,
}

/// Something that a condition found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Match {
    pub(crate) entry: EntryNumber,
    /// `Type/id`.
    pub(crate) place: String,
}

/// Reads a condition: a search in one type that says at least something.
pub(crate) fn condition(definitions: &Definitions, resource_type: &str, query: &str) -> Result<Query, FhirError> {
    let read = Query::parse(definitions, resource_type, query, Handling::Strict);
    let read = read.map_err(|outcome| FhirError::of(400, outcome))?;
    if read.is_unfiltered() {
        let words = "The condition asks for nothing in particular. Say by which parameters the resource is known.";
        return Err(FhirError::new(412, IssueCode::MultipleMatches, words));
    }
    Ok(read)
}

impl Service {
    /// Opens a record for conditions; `None` if the client may not see it, for whom then nothing is in it.
    pub(crate) async fn seek(&self, client: &Client, record: &Arc<OpenRecord>) -> Result<Option<Sought>, ServiceError> {
        let Some(seen) = self.see_open(client, record).await? else { return Ok(None) };
        let fetched = load(record, seen.directory()).await?;
        Ok(Some(Sought { seen, fetched }))
    }

    /// The line for what conditions found in a person's record: whether they found anything is a look too, and whoever
    /// asks is told, whatever becomes of the write (T30).
    pub(crate) async fn note_sought(&self, sought: &Sought, kinds: &[&'static str]) -> Result<(), ServiceError> {
        let what = looked(kinds.iter().map(|kind| (category_of_type(kind), 1)));
        sought.seen.note(self, what).await
    }

    /// What a condition finds.
    pub(crate) fn sought(
        &self,
        sought: &Sought,
        resource_type: &str,
        query: &str,
        patience: Patience<'_>,
    ) -> Result<Vec<Match>, FhirError> {
        let query = condition(self.definitions(), resource_type, query)?;
        let world = SeenWorld::new(&sought.seen, sought.seen.table(), &sought.fetched, "", patience);
        let columns = world.columns();
        let run = || Search::new(&world, self.definitions(), &columns, self.now()).matches(&query);
        let found = if world.is_cold() { busy(run) } else { run() }.map_err(not_run)?;
        let named = |item| Some(Match { entry: EntryNumber(item), place: world.place(item)? });
        Ok(found.into_iter().filter_map(named).collect())
    }
}

/// The one match, if there is one; several are one too many (R4 §3.1.0.8.1).
pub(crate) fn only(found: Vec<Match>) -> Result<Option<Match>, FhirError> {
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (one, None) => Ok(one),
        (_, Some(_)) => {
            let words = "Several resources match the condition, where one was meant. Make it narrower, or use the id.";
            Err(FhirError::new(412, IssueCode::MultipleMatches, words))
        }
    }
}
