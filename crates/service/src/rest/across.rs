//! Searching across people, for systems whose registration says so. It opens one record after the other, each with the
//! ordinary permit, and leaves a line in each of which something goes out. It is bounded by records and by time: a page
//! may end early, and its next link goes on from there.

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use keepwell_fhir::outcome::IssueCode;
use keepwell_fhir::search::{Query, Total};
use keepwell_model::{Purpose, RecordId};
use keepwell_policy::{Action, Facts, Target};
use serde::{Deserialize, Serialize};

use super::out::Out;
use super::search::{Address, Cursor, SearchIn, begin, push_hits, run};
use super::seen::Seen;
use super::whose::{is_in_directory, say_whose};
use super::world::{SeenWorld, load};
use crate::gate::permit_with;
use crate::systems::{Client, Grant};
use crate::views::Looked;
use crate::{FhirError, Service, ServiceError};

/// How many records are listed at a time.
const CHUNK: u32 = 256;
/// So many pages one can go back.
const MOST_BEFORE: usize = 32;
/// How many lines are written at once.
const LINES: usize = 16;

/// Where a search across people goes on.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Across {
    pub(super) kind: Option<String>,
    pub(super) query: String,
    /// Only these; in order.
    pub(super) people: Option<Vec<RecordId>>,
    /// The last record that is done with.
    pub(super) after: Option<RecordId>,
    /// How many matches of the next one are done with.
    pub(super) offset: usize,
    /// Where the pages before this one began, as `after` and `offset`; of many, the last ones.
    #[serde(default)]
    pub(super) before: Vec<(Option<RecordId>, usize)>,
}

/// A page in the making.
struct Gathered {
    out: Out,
    /// What goes out of which record.
    shown: Vec<(Seen, Vec<Looked>)>,
    matches: usize,
    total: usize,
    /// Where the next page begins.
    next: Option<Across>,
}

impl Service {
    /// A page of what a search finds in the records of several people.
    pub(super) async fn search_across(
        &self,
        client: &Client,
        address: &Address<'_>,
        query: &Query,
        across: Across,
    ) -> Result<Bytes, FhirError> {
        let base = address.base;
        self.may_search_across(client, query, &across)?;
        let path = match &across.kind {
            Some(kind) => format!("{base}/{kind}"),
            None => base.to_owned(),
        };
        let found = self.gather(client, base, query, &across).await?;
        let begins = across.after.is_none() && across.offset == 0;
        let total = (begins && found.next.is_none()).then_some(found.total);
        let total = total.filter(|_| query.total() != Total::None || query.is_count_only());
        if query.is_count_only() && total.is_none() {
            let words = "These are more records than can be counted at once. Say whose records are meant.";
            return Err(FhirError::new(422, IssueCode::TooCostly, words));
        }
        let mut links = vec![("self", address.own(&path, &across.query))];
        let beside = |page: Across| self.beside(client, address, &path, &across.query, &Cursor::Many(page));
        if let Some(previous) = across.previous() {
            links.push(("previous", beside(previous)?));
        }
        if let Some(next) = found.next {
            let mut before = across.before.clone();
            before.push((across.after, across.offset));
            before.drain(..before.len().saturating_sub(MOST_BEFORE));
            links.push(("next", beside(Across { before, ..next })?));
        }
        let mut out = found.out;
        begin(&mut out, query, total, &links);
        let bytes = out.finish();
        let lines =
            futures_util::stream::iter(found.shown.into_iter().map(|(seen, what)| seen.release(self, (), what)));
        lines.buffer_unordered(LINES).try_collect::<()>().await?;
        Ok(bytes)
    }

    /// Whether a client may ask this, and whether it can be answered.
    fn may_search_across(&self, client: &Client, query: &Query, across: &Across) -> Result<(), FhirError> {
        if across.people.is_none() {
            let facts = Facts { searches_people: client.grants.contains(&Grant::SearchPeople), ..Facts::default() };
            let asked = permit_with(&client.actor(), Purpose::DirectCare, Action::SearchPeople, Target::Tenant, facts);
            // Whoever may not is told what is told to all: to say whose.
            let _permit = asked.map_err(|_| say_whose())?;
        }
        if query.types().any(is_in_directory) {
            let words = "What stands in the directory is searched for by itself. Leave its types out.";
            return Err(FhirError::new(422, IssueCode::NotSupported, words).at("_type"));
        }
        if across.query.split('&').any(|pair| pair.starts_with("_sort=")) {
            let words = "What is found in the records of several people comes in no order. Leave '_sort' out, or say \
                         whose record is meant.";
            return Err(FhirError::new(422, IssueCode::NotSupported, words).at("_sort"));
        }
        Ok(())
    }

    /// Goes through the records until the page is full, or its bounds are reached.
    async fn gather(&self, client: &Client, base: &str, query: &Query, across: &Across) -> Result<Gathered, FhirError> {
        let patience = self.patience();
        let mut found = Gathered { out: Out::new("searchset"), shown: Vec::new(), matches: 0, total: 0, next: None };
        let mut offset = across.offset;
        let mut after = across.after;
        let mut opened = 0;
        loop {
            let ids = self.next_records(across, after).await?;
            if ids.is_empty() {
                return Ok(found);
            }
            for id in ids {
                let from = Across { after, offset, ..across.clone() };
                if opened == self.inner.config.search_records || patience.is_over() {
                    found.next = Some(from);
                    return Ok(found);
                }
                opened += 1;
                let seen = match self.see(client, id).await {
                    Err(ServiceError::NotFound) => None,
                    other => Some(other?),
                };
                if let Some(seen) = seen
                    && self.add(&mut found, seen, base, query, &from).await?
                {
                    return Ok(found);
                }
                (after, offset) = (Some(id), 0);
            }
        }
    }

    async fn next_records(&self, across: &Across, after: Option<RecordId>) -> Result<Vec<RecordId>, ServiceError> {
        match &across.people {
            Some(people) => Ok(people.iter().copied().filter(|id| after.is_none_or(|after| *id > after)).collect()),
            None => Ok(self.tenant().records(after, CHUNK).await?),
        }
    }

    /// Adds what is found in one record; answers whether the page is full.
    async fn add(
        &self,
        found: &mut Gathered,
        seen: Seen,
        base: &str,
        query: &Query,
        from: &Across,
    ) -> Result<bool, FhirError> {
        let fetched = load(seen.table(), seen.directory()).await?;
        let what = {
            let world = SeenWorld::new(&seen, seen.table(), &fetched, base, self.patience());
            let answer = run(self, &world, query, from.offset)?;
            let here = answer.matches.len();
            if found.matches > 0 && found.matches + here > query.page() {
                // A record's matches are not torn apart for what is left of a page.
                found.next = Some(from.clone());
                return Ok(true);
            }
            found.matches += here;
            found.total += answer.total.unwrap_or(here);
            let next = Across { offset: from.offset + here, ..from.clone() };
            found.next = answer.has_next.then_some(next);
            let something = here > 0 || query.is_count_only() && answer.total.is_some_and(|total| total > 0);
            something.then(|| push_hits(&mut found.out, &world, query, &answer, base))
        };
        let id = seen.table().id();
        if let Some(what) = what {
            found.shown.push((seen, what));
        }
        if found.next.is_some() {
            return Ok(true);
        }
        let is_full = !query.is_count_only() && found.matches >= query.page();
        if is_full {
            found.next = Some(Across { after: Some(id), offset: 0, ..from.clone() });
        }
        Ok(is_full)
    }
}

impl Across {
    /// The page before this one.
    fn previous(&self) -> Option<Self> {
        let mut before = self.before.clone();
        let (after, offset) = before.pop()?;
        Some(Self { after, offset, before, ..self.clone() })
    }

    pub(super) fn of(&self) -> SearchIn<'_> {
        self.kind.as_deref().map_or(SearchIn::All, SearchIn::Type)
    }
}
