//! The columns that a caller keeps beside its items.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::build::{Builder, Cancelled, fill};
use super::{Column, NO_SLOT, Slots};
use crate::definitions::Definitions;
use crate::search::parameter::Parameter;
use crate::search::world::{Handle, World};

/// How many bytes of columns are kept where nothing else is said.
const DEFAULT_LIMIT: usize = 16 << 20;

/// Words may take this part of all; columns give way.
const WORDS_SHARE: usize = 2;
/// Roughly what the words of an item take beside their letters.
const A_WORDS_ENTRY: usize = 64;

/// What searches have found in items so far, kept beside the items: the caller holds one for as long as its handles stand
/// for the same versions. It holds what any caller may see; what each of them sees is decided by its
/// [`super::super::World`]. Threads share it.
pub struct Columns {
    limit: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// By the address of the parameter, which its column keeps alive.
    columns: HashMap<usize, Slot>,
    weight: usize,
    /// Counts uses, to tell the longest unused column.
    uses: u64,
    /// The words of items: of the narrative, and (`true`) all.
    words: HashMap<(Handle, bool), Arc<str>>,
    words_weight: usize,
}

struct Slot {
    column: Arc<Column>,
    weight: usize,
    used: u64,
}

impl Default for Columns {
    fn default() -> Self {
        Self::with_limit(DEFAULT_LIMIT)
    }
}

impl std::fmt::Debug for Columns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Columns({} bytes)", self.weight())
    }
}

impl Columns {
    /// Columns that take up at most about so many bytes; beyond that those that were not used for longest go.
    #[must_use]
    pub fn with_limit(bytes: usize) -> Self {
        Self { limit: bytes, kept: Mutex::default() }
    }

    /// Roughly how many bytes they take.
    #[must_use]
    pub fn weight(&self) -> usize {
        let kept = self.kept();
        kept.weight + kept.words_weight
    }

    /// Forgets everything.
    pub fn clear(&self) {
        *self.kept() = Kept::default();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The columns of some parameters and the slots of some items (ascending) in them. What is not known yet is looked up,
    /// in one walk over each item for all parameters that lack the same items.
    pub(in crate::search) fn obtain(
        &self,
        parameters: &[Arc<Parameter>],
        handles: &[Handle],
        world: &dyn World,
        definitions: &Definitions,
    ) -> Result<Vec<(Arc<Column>, Slots)>, Cancelled> {
        let known: Vec<Option<Arc<Column>>> = {
            let mut kept = self.kept();
            parameters.iter().map(|it| kept.get(it)).collect()
        };
        let mut found: Vec<Option<(Arc<Column>, Slots)>> = Vec::new();
        let mut lacking: Vec<(Vec<Handle>, Vec<usize>)> = Vec::new();
        for (at, column) in known.iter().enumerate() {
            let (slots, lacks) = match column {
                None => (None, handles.to_vec()),
                Some(column) => {
                    let slots = column.slots(handles);
                    let lacks = lacking_in(&slots, handles);
                    (Some((Arc::clone(column), slots)), lacks)
                }
            };
            found.push(slots.filter(|_| lacks.is_empty()));
            if lacks.is_empty() && column.is_some() {
                continue;
            }
            match lacking.iter_mut().find(|(same, _)| *same == lacks) {
                Some((_, group)) => group.push(at),
                None => lacking.push((lacks, vec![at])),
            }
        }
        for (handles_lacking, group) in lacking {
            let mut builders: Vec<Builder> =
                group.iter().map(|&at| Builder::new(&parameters[at], known[at].as_deref())).collect();
            fill(&mut builders, &handles_lacking, world, definitions)?;
            for (at, builder) in group.into_iter().zip(builders) {
                let column = Arc::new(builder.finish());
                self.keep(&column);
                let slots = column.slots(handles);
                found[at] = Some((column, slots));
            }
        }
        Ok(found.into_iter().flatten().collect())
    }

    /// The words of some items, as far as they are known.
    pub(in crate::search) fn words(&self, everywhere: bool, items: &[Handle]) -> Vec<Option<Arc<str>>> {
        let kept = self.kept();
        items.iter().map(|item| kept.words.get(&(*item, everywhere)).cloned()).collect()
    }

    /// Keeps the words of items, as far as there is room for them.
    pub(in crate::search) fn keep_words(&self, everywhere: bool, items: Vec<(Handle, Arc<str>)>) {
        let mut kept = self.kept();
        for (item, words) in items {
            let weight = words.len() + A_WORDS_ENTRY;
            if kept.words_weight + weight > self.limit / WORDS_SHARE {
                break;
            }
            if kept.words.insert((item, everywhere), words).is_none() {
                kept.words_weight += weight;
            }
        }
        kept.make_room(self.limit);
    }

    fn keep(&self, column: &Arc<Column>) {
        let weight = column.weight();
        let mut kept = self.kept();
        let key = key(&column.parameter);
        // Another thread may have kept one that knows more meanwhile.
        if weight > self.limit
            || kept.columns.get(&key).is_some_and(|it| it.column.handles.len() > column.handles.len())
        {
            return;
        }
        kept.uses += 1;
        let slot = Slot { column: Arc::clone(column), weight, used: kept.uses };
        let before = kept.columns.insert(key, slot).map_or(0, |it| it.weight);
        kept.weight = kept.weight + weight - before;
        kept.make_room(self.limit);
    }
}

impl Kept {
    /// Lets columns go until all takes no more than the limit.
    fn make_room(&mut self, limit: usize) {
        while self.weight + self.words_weight > limit {
            let Some(oldest) = self.columns.iter().min_by_key(|(_, it)| it.used).map(|(key, _)| *key) else { break };
            let gone = self.columns.remove(&oldest).map_or(0, |it| it.weight);
            self.weight -= gone;
        }
    }

    fn get(&mut self, parameter: &Arc<Parameter>) -> Option<Arc<Column>> {
        self.uses += 1;
        let slot = self.columns.get_mut(&key(parameter))?;
        slot.used = self.uses;
        Some(Arc::clone(&slot.column))
    }
}

fn key(parameter: &Arc<Parameter>) -> usize {
    Arc::as_ptr(parameter) as usize
}

/// The items that have no slot.
fn lacking_in(slots: &Slots, handles: &[Handle]) -> Vec<Handle> {
    match slots {
        Slots::Same => Vec::new(),
        Slots::At(slots) => {
            slots.iter().zip(handles).filter(|(slot, _)| **slot == NO_SLOT).map(|(_, handle)| *handle).collect()
        }
    }
}
