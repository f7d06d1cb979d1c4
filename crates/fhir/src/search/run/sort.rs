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
use crate::search::ucum::Unit;
use crate::search::value::{Amount, Value};
use crate::search::world::Handle;

/// What an item is sorted by. Items without it come last, whichever way the order goes.
#[derive(Clone, PartialEq)]
enum Key<'k> {
    Time(i64),
    Text(Cow<'k, str>),
    /// The unit, and the number in it.
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

impl Run<'_> {
    /// The first so many of all matches, in order.
    pub(super) fn first(&self, query: &Query, found: AllFound, many: usize) -> Result<Vec<Handle>, SearchError> {
        if many == 0 {
            return Ok(Vec::new());
        }
        let total = found.len();
        if query.sort.is_empty() {
            let mut handles: Vec<Handle> = found.0.into_iter().flat_map(|it| it.handles).collect();
            handles.sort_unstable();
            handles.truncate(many);
            return Ok(handles);
        }
        let mut handles = Vec::with_capacity(total);
        let rows: Vec<Rows<'_>> = found.0.into_iter().map(|it| Rows::of(&it.type_name, it.handles)).collect();
        let mut columns: Vec<Vec<Option<Rc<Known>>>> = Vec::new();
        for rows in &rows {
            handles.extend_from_slice(rows.handles());
            let mut of_type_columns = Vec::new();
            for key in &query.sort {
                of_type_columns.push(match &key.source {
                    SortSource::Parameter(by_type) => {
                        of_type(by_type, &rows.type_name).map(|it| rows.column(self, it)).transpose()?
                    }
                    SortSource::Id | SortSource::Updated => None,
                });
            }
            columns.push(of_type_columns);
        }
        let levels: Vec<(Vec<Key<'_>>, bool)> = query
            .sort
            .iter()
            .enumerate()
            .map(|(level, sort)| {
                let keys = rows.iter().zip(&columns).flat_map(|(rows, columns)| {
                    let known = columns.get(level).and_then(Option::as_deref);
                    (0..rows.handles().len()).map(move |row| match (&sort.source, known) {
                        (SortSource::Id, _) => Key::Text(self.world().id(rows.handle(row))),
                        (SortSource::Updated, _) => Key::Time(self.world().last_updated(rows.handle(row))),
                        (SortSource::Parameter(_), Some(known)) => best(known, row, sort.descending),
                        (SortSource::Parameter(_), None) => Key::Absent,
                    })
                });
                (keys.collect(), sort.descending)
            })
            .collect();
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
        Ok(order.into_iter().map(|at| handles[at]).collect())
    }
}

/// Of an item's values the one that comes first in the order (§3.1.1.5.12).
fn best(known: &Known, row: usize, descending: bool) -> Key<'_> {
    let Known { column, slots } = known;
    if column.parameter.kind == SearchKind::Date {
        let moments = column.dates(slots, row).iter().map(|it| it.moment());
        let found = if descending { moments.max() } else { moments.min() };
        return found.map_or(Key::Absent, Key::Time);
    }
    let values = column.ids(slots, row).iter().flat_map(|&id| column.values(id));
    let keys = values.map(key).filter(|key| *key != Key::Absent);
    keys.min_by(|left, right| left.compare(right, descending)).unwrap_or(Key::Absent)
}

fn key(value: &Value) -> Key<'_> {
    match value {
        Value::Date(interval) => Key::Time(interval.moment()),
        Value::Text(words) => Key::Text(Cow::Borrowed(&words.folded)),
        Value::Uri(uri) => Key::Text(Cow::Borrowed(uri)),
        Value::Token(token) => token.code.as_deref().map_or(Key::Absent, |code| Key::Text(Cow::Borrowed(code))),
        Value::Reference(link) => link.text.as_deref().map_or(Key::Absent, |text| Key::Text(Cow::Borrowed(text))),
        Value::Amount(amount) => amount_key(amount),
    }
}

/// Amounts of units that convert into each other are sorted together; others by unit first.
fn amount_key(amount: &Amount) -> Key<'_> {
    let Some(number) = amount.low.or(amount.high) else { return Key::Absent };
    let unit = amount.code.as_deref().or(amount.unit.as_deref()).unwrap_or_default();
    match Unit::parse(unit) {
        Some(parsed) => Key::Amount(Cow::Owned(parsed.dimension()), parsed.in_base(number)),
        None => Key::Amount(Cow::Borrowed(unit), number.approximately()),
    }
}
