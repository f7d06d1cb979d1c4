//! What a search parameter finds in many items, kept beside them: a second search need not look into the items again.

mod build;
mod cache;

use std::sync::Arc;

pub(super) use build::look_once;
pub use cache::Columns;

use super::dates::Interval;
use super::parameter::Parameter;
use super::value::Value;
use super::world::Handle;

/// The values of one parameter.
pub(super) struct Column {
    /// The parameter. The column keeps it alive, so that its address stays its own.
    pub(super) parameter: Arc<Parameter>,
    /// The items that were looked into, in the order of that: a slot each.
    handles: Vec<Handle>,
    /// The slots ordered by handle, where they are not anyway.
    order: Option<Vec<u32>>,
    /// For each slot where its values begin; one more for the end.
    starts: Vec<u32>,
    data: Data,
}

/// The values of all slots, one after the other.
enum Data {
    /// Of a date parameter.
    Dates(Vec<Interval>),
    /// Of a composite: for each pair on one element its parts, each a run of entries.
    Tuples {
        /// For each part of each tuple where its entries begin in `ids`; one more for the end.
        bounds: Vec<u32>,
        ids: Vec<u32>,
        entries: Vec<Entry>,
    },
    /// Of the others: places in `entries`.
    Entries { ids: Vec<u32>, entries: Vec<Entry> },
}

/// What one element says. Elements that are spelt alike share an entry.
pub(super) struct Entry {
    pub(super) values: Box<[Value]>,
}

/// A slot for each of some items.
pub(super) enum Slots {
    /// The first item has the first slot, and so on.
    Same,
    /// By place.
    At(Vec<u32>),
}

/// In [`Slots::At`], an item that has none.
const NO_SLOT: u32 = u32::MAX;

impl Slots {
    fn of(&self, row: usize) -> usize {
        match self {
            Self::Same => row,
            Self::At(slots) => slots.get(row).map_or(usize::MAX, |&slot| slot as usize),
        }
    }
}

impl Column {
    /// Where items (ascending) have their slots.
    fn slots(&self, handles: &[Handle]) -> Slots {
        if self.order.is_none() && self.handles.starts_with(handles) {
            return Slots::Same;
        }
        let ordered = |at: usize| match &self.order {
            None => u32::try_from(at).unwrap_or(NO_SLOT),
            Some(order) => order.get(at).copied().unwrap_or(NO_SLOT),
        };
        let handle = |at: usize| self.handles.get(ordered(at) as usize).copied().unwrap_or(Handle::MAX);
        let mut from = 0;
        let slots = handles.iter().map(|&wanted| {
            // Steps that double find the next place quickly, whether few or many items are asked for.
            let mut step = 1;
            while from + step < self.handles.len() && handle(from + step) < wanted {
                from += step;
                step *= 2;
            }
            let (mut low, mut high) = (from, (from + step + 1).min(self.handles.len()));
            while low < high {
                let middle = low + (high - low) / 2;
                if handle(middle) < wanted { low = middle + 1 } else { high = middle }
            }
            from = low;
            if low < self.handles.len() && handle(low) == wanted { ordered(low) } else { NO_SLOT }
        });
        Slots::At(slots.collect())
    }

    fn range(&self, slot: usize) -> std::ops::Range<usize> {
        let at = |slot: usize| self.starts.get(slot).map(|&at| at as usize);
        match (at(slot), slot.checked_add(1).and_then(at)) {
            (Some(start), Some(end)) => start..end,
            _ => 0..0,
        }
    }

    /// Whether an item has a value.
    pub(super) fn has_value(&self, slots: &Slots, row: usize) -> bool {
        !self.range(slots.of(row)).is_empty()
    }

    /// The dates of an item.
    pub(super) fn dates(&self, slots: &Slots, row: usize) -> &[Interval] {
        match &self.data {
            Data::Dates(dates) => dates.get(self.range(slots.of(row))).unwrap_or_default(),
            _ => &[],
        }
    }

    /// The places of an item's entries.
    pub(super) fn ids(&self, slots: &Slots, row: usize) -> &[u32] {
        match &self.data {
            Data::Entries { ids, .. } => ids.get(self.range(slots.of(row))).unwrap_or_default(),
            _ => &[],
        }
    }

    /// All entries.
    pub(super) fn entries(&self) -> &[Entry] {
        match &self.data {
            Data::Entries { entries, .. } | Data::Tuples { entries, .. } => entries,
            Data::Dates(_) => &[],
        }
    }

    /// The values of an entry.
    pub(super) fn values(&self, id: u32) -> &[Value] {
        self.entries().get(id as usize).map_or(&[], |entry| &entry.values)
    }

    /// The tuples of an item: for each part of each, the places of its entries.
    pub(super) fn tuples<'c>(&'c self, slots: &Slots, row: usize) -> impl Iterator<Item = Vec<&'c [u32]>> + 'c {
        let parts = self.parameter.parts.len();
        self.range(slots.of(row)).map(move |tuple| match &self.data {
            Data::Tuples { bounds, ids, .. } => {
                let ends = bounds.get(tuple * parts..=(tuple + 1) * parts).unwrap_or_default();
                ends.windows(2).map(|it| ids.get(it[0] as usize..it[1] as usize).unwrap_or_default()).collect()
            }
            _ => Vec::new(),
        })
    }

    /// Roughly how many bytes it takes.
    fn weight(&self) -> usize {
        let words = |list: &Vec<u32>| list.len() * 4;
        let entries = |list: &Vec<Entry>| -> usize {
            let values = list.iter().flat_map(|entry| &*entry.values);
            list.len() * size_of::<Entry>() + values.map(|it| size_of::<Value>() + it.weight()).sum::<usize>()
        };
        let data = match &self.data {
            Data::Dates(dates) => dates.len() * size_of::<Interval>(),
            Data::Entries { ids, entries: list } => words(ids) + entries(list),
            Data::Tuples { bounds, ids, entries: list } => words(bounds) + words(ids) + entries(list),
        };
        size_of::<Self>() + words(&self.handles) + self.order.as_ref().map_or(0, words) + words(&self.starts) + data
    }
}
