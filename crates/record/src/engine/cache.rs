//! Open records in memory, up to a number of bytes; the one not used for longest goes first.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use keepwell_model::RecordId;

use super::open::OpenRecord;

/// Counts of the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheStats {
    /// Records in memory.
    pub records: usize,
    /// Bytes they take, about.
    pub bytes: usize,
    /// Opens answered from memory.
    pub hits: u64,
    /// Opens that had to load.
    pub misses: u64,
}

struct Slot {
    open: Arc<OpenRecord>,
    weight: usize,
    used: u64,
    /// The store's revision of the record under which it was last known to be current.
    current_at: Option<u64>,
}

#[derive(Default)]
struct Slots {
    slots: HashMap<RecordId, Slot>,
    /// Records by when they were last used.
    order: BTreeMap<u64, RecordId>,
    bytes: usize,
    tick: u64,
    hits: u64,
    misses: u64,
}

pub(super) struct Cache {
    limit: usize,
    slots: Mutex<Slots>,
}

impl Cache {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, slots: Mutex::default() }
    }

    /// The record as last opened, however old; the caller compares heads.
    pub(super) fn get(&self, record: RecordId) -> Option<Arc<OpenRecord>> {
        let mut slots = self.slots.lock().expect("no panic while held");
        slots.touch(record)?;
        slots.trim(self.limit, Some(record));
        slots.slots.get(&record).map(|slot| Arc::clone(&slot.open))
    }

    /// The record, if it is still as the store had it at this revision.
    pub(super) fn current(&self, record: RecordId, revision: u64) -> Option<Arc<OpenRecord>> {
        let mut slots = self.slots.lock().expect("no panic while held");
        slots.slots.get(&record).filter(|slot| slot.current_at == Some(revision))?;
        slots.hits += 1;
        slots.touch(record)?;
        slots.trim(self.limit, Some(record));
        slots.slots.get(&record).map(|slot| Arc::clone(&slot.open))
    }

    /// What is in memory was found to be current at this revision.
    pub(super) fn confirm(&self, open: &Arc<OpenRecord>, revision: Option<u64>) {
        let mut slots = self.slots.lock().expect("no panic while held");
        if let Some(slot) = slots.slots.get_mut(&open.id()).filter(|slot| Arc::ptr_eq(&slot.open, open)) {
            slot.current_at = revision;
        }
    }

    /// Keeps a record that was current at this revision.
    pub(super) fn put(&self, open: &Arc<OpenRecord>, revision: Option<u64>) {
        let mut slots = self.slots.lock().expect("no panic while held");
        let record = open.id();
        // Two may have loaded it; the newer one stays.
        if slots.slots.get(&record).is_some_and(|slot| slot.open.head().seq > open.head().seq) {
            return;
        }
        slots.remove(record);
        let weight = open.weight();
        slots.tick += 1;
        let used = slots.tick;
        slots.slots.insert(record, Slot { open: Arc::clone(open), weight, used, current_at: revision });
        slots.order.insert(used, record);
        slots.bytes += weight;
        slots.trim(self.limit, None);
    }

    pub(super) fn remove(&self, record: RecordId) {
        self.slots.lock().expect("no panic while held").remove(record);
    }

    pub(super) fn count(&self, hit: bool) {
        let mut slots = self.slots.lock().expect("no panic while held");
        if hit {
            slots.hits += 1;
        } else {
            slots.misses += 1;
        }
    }

    pub(super) fn stats(&self) -> CacheStats {
        let slots = self.slots.lock().expect("no panic while held");
        CacheStats { records: slots.slots.len(), bytes: slots.bytes, hits: slots.hits, misses: slots.misses }
    }
}

impl Slots {
    /// Marks a record as just used and weighs it again, since bodies may have been loaded.
    fn touch(&mut self, record: RecordId) -> Option<()> {
        self.tick += 1;
        let slot = self.slots.get_mut(&record)?;
        self.order.remove(&slot.used);
        slot.used = self.tick;
        self.order.insert(self.tick, record);
        let weight = slot.open.weight();
        self.bytes = self.bytes - slot.weight + weight;
        slot.weight = weight;
        Some(())
    }

    fn remove(&mut self, record: RecordId) {
        if let Some(slot) = self.slots.remove(&record) {
            self.order.remove(&slot.used);
            self.bytes -= slot.weight;
        }
    }

    /// Drops what was not used for longest until the limit holds. `keep` stays as long as there is anything else.
    fn trim(&mut self, limit: usize, keep: Option<RecordId>) {
        while self.bytes > limit {
            let Some((_, &oldest)) = self.order.iter().find(|(_, record)| Some(**record) != keep) else { return };
            self.remove(oldest);
        }
    }
}
