//! Running a query over a world.

mod include;
mod links;
mod rows;
mod rules;
mod sort;

use std::borrow::Cow;
use std::cell::RefCell;

use keepwell_model::Timestamp;

use super::column::Columns;
use super::query::{Filter, Query, Rule, SortSource, Total};
use super::test::{Context, Units};
use super::world::{Handle, Terminology, World};
use crate::definitions::Definitions;
use crate::outcome::{Issue, IssueCode, Outcome};
use rows::Rows;
pub use sort::Rank;

/// How many items may come along with a page where nothing else is said.
const MOST_INCLUDED: usize = 5_000;

/// Everything that a search needs beside the query.
#[derive(Clone, Copy)]
pub struct Search<'a> {
    /// What may be found.
    pub world: &'a dyn World,
    /// The definitions that the query was read with.
    pub definitions: &'a Definitions,
    /// What is known about codes.
    pub terminology: &'a dyn Terminology,
    /// What earlier searches found out about the same items.
    pub columns: &'a Columns,
    /// The time: `ap` on dates depends on it.
    pub now: Timestamp,
    /// How many items may come along with a page. A search that would bring more is refused, for a part of them would look
    /// like all.
    pub most_included: usize,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// The matches of one page, in order.
    pub matches: Vec<Handle>,
    /// What comes along with them, each once, none of them a match of this page.
    pub included: Vec<Handle>,
    /// How many matches there are on all pages; `None` if that was not wanted.
    pub total: Option<usize>,
    /// Whether there are matches after this page.
    pub has_next: bool,
}

/// Why a search has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    /// The world said to stop.
    #[error("the search was cancelled")]
    Cancelled,
    /// It cannot be answered, or not for certain: the outcome says why, for the caller.
    #[error("the search cannot be answered")]
    Refused(Outcome),
}

impl<'a> Search<'a> {
    /// A search that knows of codes what the definitions do, with the usual limit on includes.
    #[must_use]
    pub fn new(world: &'a dyn World, definitions: &'a Definitions, columns: &'a Columns, now: Timestamp) -> Self {
        Self { world, definitions, terminology: definitions, columns, now, most_included: MOST_INCLUDED }
    }

    /// One page of what matches, from `offset` on. Ties in the order are broken by handle, so that pages fit together.
    ///
    /// # Errors
    /// [`SearchError`]; never an answer with something missing.
    pub fn run(&self, query: &Query, offset: usize) -> Result<Answer, SearchError> {
        let run = Run::of(*self);
        let found = run.all(query)?;
        let total = found.len();
        let wanted = if query.is_count_only() { 0 } else { query.page() };
        let until = offset.saturating_add(wanted).min(total);
        let matches = run.first(query, found, until, None)?.into_iter().skip(offset).collect::<Vec<_>>();
        let included = if matches.is_empty() { Vec::new() } else { run.included(query, &matches)? };
        run.settle()?;
        Ok(Answer {
            matches,
            included,
            total: (query.total() != Total::None || query.is_count_only()).then_some(total),
            has_next: !query.is_count_only() && until < total,
        })
    }

    /// All matches in order.
    ///
    /// # Errors
    /// As [`Search::run`].
    pub fn matches(&self, query: &Query) -> Result<Vec<Handle>, SearchError> {
        let run = Run::of(*self);
        let found = run.all(query)?;
        let until = found.len();
        let matches = run.first(query, found, until, None)?;
        run.settle()?;
        Ok(matches)
    }
}

impl Search<'_> {
    /// The first so many matches with their places in the order, and how many there are in all: for a search over many
    /// worlds, whose matches are put into one order by [`Rank`].
    ///
    /// # Errors
    /// As [`Search::run`].
    pub fn ranked(&self, query: &Query, most: usize) -> Result<(Vec<(Rank, Handle)>, usize), SearchError> {
        let run = Run::of(*self);
        let found = run.all(query)?;
        let total = found.len();
        let mut ranks = Vec::new();
        let matches = run.first(query, found, most.min(total), Some(&mut ranks))?;
        run.settle()?;
        Ok((ranks.into_iter().zip(matches).collect(), total))
    }

    /// What comes along with a page of matches of this world.
    ///
    /// # Errors
    /// As [`Search::run`].
    pub fn included(&self, query: &Query, matches: &[Handle]) -> Result<Vec<Handle>, SearchError> {
        let run = Run::of(*self);
        let included = run.included(query, matches)?;
        run.settle()?;
        Ok(included)
    }
}

/// One search at work.
struct Run<'a> {
    search: Search<'a>,
    /// What made the answer uncertain.
    fault: RefCell<Option<Issue>>,
    units: Units,
}

/// The matches of one type.
struct Found {
    /// The type, as the query's filters name it.
    type_name: Box<str>,
    handles: Vec<Handle>,
}

/// All matches, by type.
struct AllFound(Vec<Found>);

impl AllFound {
    fn len(&self) -> usize {
        self.0.iter().map(|found| found.handles.len()).sum()
    }
}

impl<'a> Run<'a> {
    fn of(search: Search<'a>) -> Self {
        Self { search, fault: RefCell::new(None), units: Units::default() }
    }

    fn world(&self) -> &'a dyn World {
        self.search.world
    }

    fn context(&self) -> Context<'_> {
        Context {
            world: self.search.world,
            terminology: self.search.terminology,
            now: self.search.now,
            units: &self.units,
            fault: &self.fault,
        }
    }

    /// Refuses if something came up that makes the answer uncertain.
    fn settle(&self) -> Result<(), SearchError> {
        match self.fault.borrow_mut().take() {
            Some(issue) => Err(SearchError::Refused(issue.into())),
            None => Ok(()),
        }
    }

    fn patience(&self) -> Result<(), SearchError> {
        if self.world().is_cancelled() { Err(SearchError::Cancelled) } else { Ok(()) }
    }

    /// The items of a type, ascending whatever the world does.
    fn items(&self, type_name: &str) -> Vec<Handle> {
        let mut items = self.world().items(type_name).into_owned();
        if !items.is_sorted() {
            items.sort_unstable();
        }
        items.dedup();
        items
    }

    fn all(&self, query: &Query) -> Result<AllFound, SearchError> {
        let types: Vec<Cow<'_, str>> =
            if query.types.is_empty() { self.world().types() } else { query.types().map(Cow::Borrowed).collect() };
        let mut all = Vec::new();
        for type_name in types {
            self.patience()?;
            let handles = self.of_type(query, &type_name)?;
            all.push(Found { type_name: (&*type_name).into(), handles });
        }
        Ok(AllFound(all))
    }

    /// The matches of one type, by handle.
    fn of_type(&self, query: &Query, type_name: &str) -> Result<Vec<Handle>, SearchError> {
        let mut rules: Vec<&Rule> = query.filters.iter().filter_map(|filter| filter.of(type_name)).collect();
        if rules.len() < query.filters.len() {
            return Ok(Vec::new());
        }
        rules.sort_by_key(|rule| rule.cost());
        let (cheap, others): (Vec<&Rule>, Vec<&Rule>) = rules.into_iter().partition(|rule| rule.cost() == 0);
        let rows = Rows::of(type_name, self.items(type_name));
        let handles = self.narrowed(&cheap, &rows)?;
        if others.is_empty() {
            return Ok(handles);
        }
        let rows = Rows::of(type_name, handles);
        // One walk over each item for all that is asked of it, the order included.
        let mut wanted: Vec<_> = others.iter().filter_map(|rule| rule.parameter()).collect();
        for key in &query.sort {
            if let SortSource::Parameter(by_type) = &key.source {
                wanted.extend(sort::of_type(by_type, type_name));
            }
        }
        rows.prepare(self, &wanted)?;
        self.narrowed(&others, &rows)
    }

    fn narrowed(&self, rules: &[&Rule], rows: &Rows<'_>) -> Result<Vec<Handle>, SearchError> {
        let mut alive = rows.all();
        for rule in rules {
            if alive.is_empty() {
                break;
            }
            self.narrow(rule, rows, &mut alive)?;
        }
        Ok(alive.into_iter().map(|row| rows.handle(row)).collect())
    }
}

impl Filter {
    /// The form that a type has of it.
    fn of(&self, type_name: &str) -> Option<&Rule> {
        let named = |name: &str| self.by_type.iter().find(|(it, _)| **it == *name).map(|(_, rule)| rule);
        named(type_name).or_else(|| named("Resource"))
    }
}

fn too_costly(words: String) -> SearchError {
    SearchError::Refused(Outcome::error(IssueCode::TooCostly, words))
}
