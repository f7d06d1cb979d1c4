//! What a query asks of a single value.

mod amount;
mod reference;
mod token;

use std::cell::RefCell;

use keepwell_model::Timestamp;

pub(super) use amount::{AmountTest, Units};
pub(super) use reference::{ReferenceTest, Resolved, leads_to_its_type};
pub(super) use token::{SystemTest, TokenTest};

use super::dates::Interval;
use super::fold::folded;
use super::value::{Value, Words};
use super::world::{Terminology, World};
use crate::outcome::Issue;

/// How a value of a query compares (FHIR R4 §3.1.1.5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prefix {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    StartsAfter,
    EndsBefore,
    About,
}

impl Prefix {
    const ALL: [(&'static str, Self); 9] = [
        ("eq", Self::Equal),
        ("ne", Self::NotEqual),
        ("gt", Self::Greater),
        ("lt", Self::Less),
        ("ge", Self::GreaterOrEqual),
        ("le", Self::LessOrEqual),
        ("sa", Self::StartsAfter),
        ("eb", Self::EndsBefore),
        ("ap", Self::About),
    ];

    /// The prefix of a value and what follows it. Without one it is `eq`.
    pub(super) fn split(text: &str) -> (Self, &str) {
        let found = Self::ALL.iter().find_map(|(word, prefix)| Some((*prefix, text.strip_prefix(word)?)));
        found.unwrap_or((Self::Equal, text))
    }
}

/// What surrounds a comparison.
pub(super) struct Context<'a> {
    pub(super) world: &'a dyn World,
    pub(super) terminology: &'a dyn Terminology,
    pub(super) now: Timestamp,
    pub(super) units: &'a Units,
    /// Something that makes the answer uncertain. The search is refused then.
    pub(super) fault: &'a RefCell<Option<Issue>>,
}

/// What is asked of one value.
#[derive(Debug, Clone)]
pub(super) enum Test {
    Token(TokenTest),
    Text(TextTest),
    Date(DateTest),
    Amount(Box<AmountTest>),
    Reference(ReferenceTest),
    Uri(UriTest),
    /// Of a composite: one of each part.
    Parts(Vec<Test>),
}

impl Test {
    /// Whether a value passes. `resolved` is where a reference leads; other values do not look at it.
    pub(super) fn accepts(&self, value: &Value, resolved: Resolved, context: &Context<'_>) -> bool {
        match (self, value) {
            (Self::Token(test), Value::Token(token)) => test.accepts(token, context),
            (Self::Text(test), Value::Text(words)) => test.accepts(words),
            (Self::Date(test), Value::Date(interval)) => test.accepts(*interval, context.now),
            (Self::Amount(test), Value::Amount(amount)) => test.accepts(amount, context),
            (Self::Reference(test), Value::Reference(link)) => test.accepts(link, resolved, context),
            (Self::Uri(test), Value::Uri(uri)) => test.accepts(uri),
            _ => false,
        }
    }
}

/// A text to find.
#[derive(Clone)]
pub(super) struct TextTest {
    exact: String,
    folded: String,
    mode: TextMode,
}

/// How a text is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextMode {
    /// From its start, folded.
    Start,
    /// Anywhere, folded (`:contains`).
    Anywhere,
    /// As it is (`:exact`).
    Exact,
}

impl TextTest {
    pub(super) fn new(text: &str, mode: TextMode) -> Self {
        Self { exact: text.to_owned(), folded: folded(text), mode }
    }

    fn accepts(&self, words: &Words) -> bool {
        // Of `-` nothing is left when folded, and nothing is at the start of everything: so it is taken as it is.
        let bare = self.folded.is_empty();
        match self.mode {
            TextMode::Exact => *words.exact == *self.exact,
            TextMode::Start if bare => words.exact.starts_with(&*self.exact),
            TextMode::Start => words.folded.starts_with(&*self.folded),
            TextMode::Anywhere if bare => words.exact.contains(&*self.exact),
            TextMode::Anywhere => words.folded.contains(&*self.folded),
        }
    }
}

impl std::fmt::Debug for TextTest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TextTest({:?})", self.mode)
    }
}

/// A date to compare with.
#[derive(Debug, Clone, Copy)]
pub(super) struct DateTest {
    pub(super) prefix: Prefix,
    pub(super) interval: Interval,
}

impl DateTest {
    /// FHIR R4 §3.1.1.5.3 and §3.1.1.5.5, with both sides as intervals. A stay from the 1st to the 15th is found by
    /// `ge` and `le` of the 15th: what shares a moment with the day asked for may be on it, as with `gt` and `lt`.
    pub(super) fn accepts(&self, value: Interval, now: Timestamp) -> bool {
        let asked = self.interval;
        match self.prefix {
            Prefix::Equal => asked.contains(value),
            Prefix::NotEqual => !asked.contains(value),
            Prefix::Greater => value.until > asked.until,
            Prefix::Less => value.from < asked.from,
            Prefix::GreaterOrEqual => value.until > asked.from,
            Prefix::LessOrEqual => value.from < asked.until,
            Prefix::StartsAfter => value.from >= asked.until,
            Prefix::EndsBefore => value.until <= asked.from,
            Prefix::About => asked.about(now.micros()).overlaps(value),
        }
    }
}

/// An address to compare with.
#[derive(Debug, Clone)]
pub(super) struct UriTest {
    pub(super) uri: String,
    pub(super) mode: UriMode,
}

/// How an address is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UriMode {
    /// It is this one.
    Same,
    /// It lies below this one.
    Below,
    /// It lies above this one.
    Above,
}

impl UriTest {
    fn accepts(&self, value: &str) -> bool {
        match self.mode {
            // A canonical address may carry a version, which only counts if the query names one.
            UriMode::Same => value == self.uri || value.split_once('|').is_some_and(|(plain, _)| plain == self.uri),
            UriMode::Below => is_below(value, &self.uri),
            UriMode::Above => is_below(&self.uri, value),
        }
    }
}

/// Whether an address is another or lies below it, step by step of its path.
fn is_below(uri: &str, above: &str) -> bool {
    uri.strip_prefix(above).is_some_and(|rest| {
        above.is_empty() || rest.is_empty() || above.ends_with('/') || rest.starts_with(['/', '#', '|', '?'])
    })
}
