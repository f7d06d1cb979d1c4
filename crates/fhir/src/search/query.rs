//! A search as it was understood.

use std::sync::Arc;

use super::parameter::Parameter;
use super::raw::push_encoded;
use super::test::{DateTest, ReferenceTest, Test};
use crate::outcome::Issue;

/// What to do about a parameter that is not understood (`Prefer: handling=…`, FHIR R4 §3.1.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Handling {
    /// Refuse the search: one filter less finds more than was asked for.
    #[default]
    Strict,
    /// Leave it out, of the self link too, and say so.
    Lenient,
}

/// How large a query may be. What is larger is refused, lenient or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the query as sent.
    pub bytes: usize,
    /// Parameters.
    pub parameters: usize,
    /// Values of one parameter, between commas.
    pub values: usize,
    /// How many references a chain or `_has` goes along.
    pub chain: usize,
    /// How many filters it may come to when each type that a chain may lead to is counted.
    pub filters: usize,
    /// `_include` and `_revinclude`.
    pub includes: usize,
    /// The largest page; a larger `_count` counts as this.
    pub page: usize,
    /// The page where no `_count` is said.
    pub default_page: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 256 * 1024,
            parameters: 100,
            values: 2_000,
            chain: 5,
            filters: 400,
            includes: 50,
            page: 1_000,
            default_page: 50,
        }
    }
}

/// How to read a query.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings<'a> {
    /// What to do about what is not understood.
    pub handling: Handling,
    /// How large it may be.
    pub limits: Limits,
    /// Parameters for others, passed on by name beside `_format` and `_pretty`: those of the caller's paging, say. They do
    /// not go into the self link.
    pub pass: &'a [&'a str],
}

/// How much of each resource is wanted (`_summary`, FHIR R4 §3.1.1.5.17).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Summary {
    /// All of it.
    #[default]
    False,
    /// The elements that the definitions mark for it.
    True,
    /// The narrative and what is mandatory.
    Text,
    /// All but the narrative.
    Data,
    /// Nothing: only how many there are.
    Count,
}

/// How exact `total` should be (`_total`, FHIR R4 §3.1.1.5.14).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Total {
    /// Not said.
    #[default]
    Unsaid,
    /// It is not wanted.
    None,
    /// Nearly.
    Estimate,
    /// Exactly.
    Accurate,
}

/// A search as it was understood. [`Query::parse`] makes it; [`super::Search`] runs it.
#[derive(Clone, Default)]
pub struct Query {
    /// The types to search; empty means all.
    pub(super) types: Vec<Box<str>>,
    /// All of these must hold.
    pub(super) filters: Vec<Filter>,
    pub(super) sort: Vec<SortBy>,
    pub(super) count: Option<usize>,
    pub(super) page: usize,
    pub(super) total: Total,
    pub(super) summary: Summary,
    pub(super) elements: Vec<Box<str>>,
    pub(super) includes: Vec<Include>,
    pub(super) passed: Vec<(String, String)>,
    /// What was understood, for the self link.
    pub(super) understood: Vec<(String, String)>,
    pub(super) ignored: Vec<Issue>,
}

/// A condition. In a search over several types each has its own form of it; `Resource` stands for any.
#[derive(Clone)]
pub(super) struct Filter {
    pub(super) by_type: Vec<(Box<str>, Rule)>,
}

/// What a condition asks for.
#[derive(Clone)]
pub(super) enum Rule {
    /// One of the parameter's values passes one of the tests; negated, none does.
    Values { parameter: Arc<Parameter>, tests: Vec<Test>, negate: bool },
    /// The parameter has no value, or has one (`:missing`).
    Missing { parameter: Arc<Parameter>, wanted: bool },
    /// The reference leads to an item of a tree that stands below (or above) one of those asked for.
    Tree { parameter: Arc<Parameter>, up: Vec<Arc<Parameter>>, tests: Vec<ReferenceTest>, below: bool },
    /// The reference leads to an item of one of these types that follows the rule.
    Chain { parameter: Arc<Parameter>, targets: Vec<(Box<str>, Rule)> },
    /// An item of another type that follows the rule refers here (`_has`).
    Has { source: Box<str>, parameter: Arc<Parameter>, rule: Box<Rule> },
    /// It has one of these ids, sorted; negated, none of them.
    Id { ids: Vec<String>, negate: bool },
    /// It was last updated then.
    Updated(Vec<DateTest>),
    /// It is in one of these lists.
    Listed(Vec<String>),
    /// All words of one of these sets are in its narrative, or anywhere in it.
    Words { everywhere: bool, sets: Vec<Vec<String>> },
    /// All or none.
    Constant(bool),
}

/// A key to sort by.
#[derive(Debug, Clone)]
pub(super) struct SortBy {
    pub(super) source: SortSource,
    pub(super) descending: bool,
}

#[derive(Debug, Clone)]
pub(super) enum SortSource {
    Id,
    Updated,
    /// For each type its form of the parameter.
    Parameter(Vec<Arc<Parameter>>),
}

/// Something to send along.
#[derive(Debug, Clone)]
pub(super) struct Include {
    /// `_revinclude`.
    pub(super) is_reverse: bool,
    /// `:iterate`.
    pub(super) iterates: bool,
    /// The reference parameters to follow; each knows its type.
    pub(super) parameters: Vec<Arc<Parameter>>,
    /// The type that the reference must lead to.
    pub(super) target: Option<Box<str>>,
}

impl Query {
    /// The types that are searched; empty means all.
    pub fn types(&self) -> impl Iterator<Item = &str> {
        self.types.iter().map(|it| &**it)
    }

    /// How many matches a page has: what `_count` said, within the limit.
    #[must_use]
    pub const fn page(&self) -> usize {
        self.page
    }

    /// Whether only the number of matches is wanted (`_summary=count`, `_count=0`).
    #[must_use]
    pub fn is_count_only(&self) -> bool {
        self.summary == Summary::Count || self.count == Some(0)
    }

    /// What `_total` said.
    #[must_use]
    pub const fn total(&self) -> Total {
        self.total
    }

    /// What `_summary` said.
    #[must_use]
    pub const fn summary(&self) -> Summary {
        self.summary
    }

    /// The elements that are wanted (`_elements`); empty means all.
    pub fn elements(&self) -> impl Iterator<Item = &str> {
        self.elements.iter().map(|it| &**it)
    }

    /// Whether there is no condition at all, so that everything matches.
    #[must_use]
    pub const fn is_unfiltered(&self) -> bool {
        self.filters.is_empty()
    }

    /// Whether items that are not matches may come along.
    #[must_use]
    pub const fn has_includes(&self) -> bool {
        !self.includes.is_empty()
    }

    /// The parameters for others, such as `_format`, as they were sent.
    #[must_use]
    pub fn passed(&self) -> &[(String, String)] {
        &self.passed
    }

    /// What a lenient search left out, and why.
    #[must_use]
    pub fn ignored(&self) -> &[Issue] {
        &self.ignored
    }

    /// The query that was understood, as it stands after the question mark: for the Bundle's self link, and with the
    /// caller's paging for the others. What was left out is not in it (FHIR R4 §3.1.1.3.1).
    #[must_use]
    pub fn self_link(&self) -> String {
        let mut out = String::new();
        for (name, value) in &self.understood {
            if !out.is_empty() {
                out.push('&');
            }
            push_encoded(&mut out, name);
            out.push('=');
            push_encoded(&mut out, value);
        }
        out
    }
}

impl std::fmt::Debug for Query {
    /// Never what is looked for: it may be a name.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Query({:?}, {} filters)", self.types, self.filters.len())
    }
}
