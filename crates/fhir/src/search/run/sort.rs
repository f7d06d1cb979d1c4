//! The order of an answer (`_sort`, FHIR R4 §3.1.1.5.12).

use std::borrow::Cow;
use std::cmp::Ordering;
use std::rc::Rc;
use std::sync::Arc;

use super::rows::{Known, Rows};
use super::{AllFound, Run, SearchError};
use crate::definitions::SearchKind;
use crate::search::parameter::Parameter;
use crate::search::query::{Query, SortSource};
use crate::search::test::Units;
use crate::search::value::{Amount, Value};
use crate::search::world::Handle;

/// Where a match stands in the order of a query: for putting the matches of several worlds, each ordered by itself, into one
/// order. The ranks of two queries do not compare.
#[derive(Clone)]
pub struct Rank(Vec<(Key<'static>, bool)>);

impl Ord for Rank {
    fn cmp(&self, other: &Self) -> Ordering {
        let pairs = self.0.iter().zip(&other.0);
        let by_keys = pairs.map(|((left, descending), (right, _))| left.compare(right, *descending));
        by_keys.into_iter().find(|it| it.is_ne()).unwrap_or(Ordering::Equal)
    }
}

impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Rank {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Rank {}

impl std::fmt::Debug for Rank {
    /// Never the keys: they are health data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rank({} keys)", self.0.len())
    }
}

/// What an item is sorted by. Items without it come last, whichever way the order goes.
#[derive(Clone, PartialEq)]
enum Key<'k> {
    Time(i64),
    Text(Cow<'k, str>),
    /// What is measured, as a unit, and how much of it.
    Amount(Cow<'k, str>, f64),
    Absent,
}

impl Key<'_> {
    fn compare(&self, other: &Self, descending: bool) -> Ordering {
        let (plain, rank) = match (self, other) {
            (Self::Time(left), Self::Time(right)) => (left.cmp(right), Ordering::Equal),
            (Self::Text(left), Self::Text(right)) => (left.cmp(right), Ordering::Equal),
            (Self::Amount(unit, left), Self::Amount(other, right)) => {
                (unit.cmp(other).then_with(|| left.total_cmp(right)), Ordering::Equal)
            }
            _ => (Ordering::Equal, self.rank().cmp(&other.rank())),
        };
        rank.then(if descending { plain.reverse() } else { plain })
    }

    fn owned(&self) -> Key<'static> {
        match self {
            Self::Time(time) => Key::Time(*time),
            Self::Text(text) => Key::Text(Cow::Owned(text.to_string())),
            Self::Amount(unit, amount) => Key::Amount(Cow::Owned(unit.to_string()), *amount),
            Self::Absent => Key::Absent,
        }
    }

    const fn rank(&self) -> u8 {
        match self {
            Self::Time(_) => 0,
            Self::Text(_) => 1,
            Self::Amount(..) => 2,
            Self::Absent => 3,
        }
    }
}

/// The form that a type has of a parameter.
pub(super) fn of_type<'p>(by_type: &'p [Arc<Parameter>], type_name: &str) -> Option<&'p Arc<Parameter>> {
    by_type
        .iter()
        .find(|it| *it.type_name == *type_name)
        .or_else(|| by_type.iter().find(|it| &*it.type_name == "Resource"))
}

/// A key for each match, and whether the order goes down.
type Level<'k> = (Vec<Key<'k>>, bool);

impl Run<'_> {
    /// The first so many of all matches, in order. If ranks are asked for, there is one for each.
    pub(super) fn first(
        &self,
        query: &Query,
        found: AllFound,
        many: usize,
        ranks: Option<&mut Vec<Rank>>,
    ) -> Result<Vec<Handle>, SearchError> {
        let total = found.len();
        let rows: Vec<Rows<'_>> = found.0.into_iter().map(|it| Rows::of(&it.type_name, it.handles)).collect();
        let handles: Vec<Handle> = rows.iter().flat_map(|it| it.handles()).copied().collect();
        if many == 0 {
            return Ok(Vec::new());
        }
        let mut columns: Vec<Vec<Option<Rc<Known>>>> = Vec::new();
        for rows in &rows {
            let of_keys = query.sort.iter().map(|key| match &key.source {
                SortSource::Parameter(by_type) => {
                    of_type(by_type, &rows.type_name).map(|it| rows.column(self, it)).transpose()
                }
                SortSource::Id | SortSource::Updated => Ok(None),
            });
            columns.push(of_keys.collect::<Result<_, _>>()?);
        }
        let levels = self.levels(query, &rows, &columns);
        let compare = |left: &usize, right: &usize| {
            let by_keys = levels.iter().map(|(keys, down)| keys[*left].compare(&keys[*right], *down));
            by_keys.into_iter().find(|it| it.is_ne()).unwrap_or_else(|| handles[*left].cmp(&handles[*right]))
        };
        let mut order: Vec<usize> = (0..total).collect();
        if many < total {
            order.select_nth_unstable_by(many, compare);
            order.truncate(many);
        }
        order.sort_unstable_by(compare);
        if let Some(ranks) = ranks {
            let rank = |&at: &usize| Rank(levels.iter().map(|(keys, down)| (keys[at].owned(), *down)).collect());
            ranks.extend(order.iter().map(rank));
        }
        Ok(order.into_iter().map(|at| handles[at]).collect())
    }

    /// For each key of the order what all matches have for it.
    fn levels<'k>(&'k self, query: &Query, rows: &[Rows<'_>], columns: &'k [Vec<Option<Rc<Known>>>]) -> Vec<Level<'k>> {
        let levels = query.sort.iter().enumerate().map(|(level, sort)| {
            let keys = rows.iter().zip(columns).flat_map(|(rows, columns)| {
                let known = columns.get(level).and_then(Option::as_deref);
                rows.handles().iter().enumerate().map(move |(row, &handle)| match (&sort.source, known) {
                    (SortSource::Id, _) => Key::Text(self.world().id(handle)),
                    (SortSource::Updated, _) => Key::Time(self.world().last_updated(handle)),
                    (SortSource::Parameter(_), Some(known)) => best(known, row, sort.descending, &self.units),
                    (SortSource::Parameter(_), None) => Key::Absent,
                })
            });
            (keys.collect(), sort.descending)
        });
        levels.collect()
    }
}

/// Of an item's values the one that comes first in the order (§3.1.1.5.12).
fn best<'k>(known: &'k Known, row: usize, descending: bool, units: &Units) -> Key<'k> {
    let Known { column, slots } = known;
    if column.parameter.kind == SearchKind::Date {
        let moments = column.dates(slots, row).iter().map(|it| it.moment());
        let found = if descending { moments.max() } else { moments.min() };
        return found.map_or(Key::Absent, Key::Time);
    }
    let values = column.ids(slots, row).iter().flat_map(|&id| column.values(id));
    let keys = values.map(|value| key(value, units)).filter(|key| *key != Key::Absent);
    keys.min_by(|left, right| left.compare(right, descending)).unwrap_or(Key::Absent)
}

fn key<'k>(value: &'k Value, units: &Units) -> Key<'k> {
    match value {
        Value::Date(interval) => Key::Time(interval.moment()),
        Value::Text(words) => Key::Text(Cow::Borrowed(&words.folded)),
        Value::Uri(uri) => Key::Text(Cow::Borrowed(uri)),
        Value::Token(token) => token.code.as_deref().map_or(Key::Absent, |code| Key::Text(Cow::Borrowed(code))),
        Value::Reference(link) => link.text.as_deref().map_or(Key::Absent, |text| Key::Text(Cow::Borrowed(text))),
        Value::Amount(amount) => amount_key(amount, units),
    }
}

/// Amounts of units that convert into each other are sorted together; others by unit first.
fn amount_key<'k>(amount: &'k Amount, units: &Units) -> Key<'k> {
    let Some(number) = amount.low.or(amount.high) else { return Key::Absent };
    let code = amount.code.as_deref().or(amount.unit.as_deref()).unwrap_or_default();
    let in_base = units.of(code).and_then(|unit| Some((unit.base_code(), unit.in_base(number)?)));
    match in_base {
        Some((base, number)) => Key::Amount(Cow::Owned(base), number.to_f64()),
        None => Key::Amount(Cow::Borrowed(code), number.to_f64()),
    }
}
