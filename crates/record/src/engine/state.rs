//! What is remembered of records that were written or read lately: their keys, and the head that the next block will
//! stand on. A head here may be ahead of what is durable (blocks on their way to the store); it is a guess that the
//! store's own condition confirms or refuses.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use keepwell_model::{RecordId, Stream};

use crate::keys::RecordKeys;
use crate::store::{HeadRow, RecordRow};

/// So many records at most; beyond that, the memory starts afresh.
const MOST: usize = 20_000;

/// The heads on which the next blocks of a record will stand.
#[derive(Clone)]
pub(super) struct State {
    pub(super) keys: Arc<RecordKeys>,
    pub(super) care: HeadRow,
    pub(super) access: HeadRow,
    pub(super) merged: Option<RecordId>,
}

impl State {
    pub(super) fn of(row: &RecordRow, keys: Arc<RecordKeys>) -> Self {
        Self { keys, care: row.care, access: row.access, merged: row.merged.map(|(into, _)| into) }
    }

    pub(super) const fn head(&self, stream: Stream) -> HeadRow {
        match stream {
            Stream::Care => self.care,
            Stream::Access => self.access,
        }
    }

    pub(super) const fn set_head(&mut self, stream: Stream, head: HeadRow) {
        match stream {
            Stream::Care => self.care = head,
            Stream::Access => self.access = head,
        }
    }
}

#[derive(Default)]
pub(super) struct States {
    states: Mutex<HashMap<RecordId, State>>,
    keys: Mutex<HashMap<RecordId, (Bytes, Arc<RecordKeys>)>>,
}

impl States {
    pub(super) fn get(&self, record: RecordId) -> Option<State> {
        self.states.lock().expect("no panic while held").get(&record).cloned()
    }

    pub(super) fn put(&self, record: RecordId, state: State) {
        let mut states = self.states.lock().expect("no panic while held");
        if states.len() >= MOST {
            states.clear();
        }
        states.insert(record, state);
    }

    /// Forgets what was guessed of a record, because the store said otherwise or did not answer.
    pub(super) fn forget(&self, record: RecordId) {
        self.states.lock().expect("no panic while held").remove(&record);
    }

    /// Forgets a record's keys too: it was erased or its keys were replaced.
    pub(super) fn forget_keys(&self, record: RecordId) {
        self.forget(record);
        self.keys.lock().expect("no panic while held").remove(&record);
    }

    /// The record's keys, if those remembered were wrapped like this.
    pub(super) fn keys(&self, record: RecordId, wrapped: &Bytes) -> Option<Arc<RecordKeys>> {
        let keys = self.keys.lock().expect("no panic while held");
        keys.get(&record).filter(|(known, _)| known == wrapped).map(|(_, keys)| Arc::clone(keys))
    }

    pub(super) fn remember_keys(&self, record: RecordId, wrapped: Bytes, keys: Arc<RecordKeys>) {
        let mut all = self.keys.lock().expect("no panic while held");
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(record, (wrapped, keys));
    }
}
