//! Which records have changed, so that what was read needs not be read again.

use std::sync::atomic::{AtomicU64, Ordering};

use keepwell_model::RecordId;

/// Records share this many numbers; sharing one costs a needless look now and then.
const SLOTS: usize = 4_096;

/// A number for each record that grows with each change. This process is the only one that writes.
pub(super) struct Revisions([AtomicU64; SLOTS]);

impl Default for Revisions {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl Revisions {
    pub(super) fn of(&self, record: RecordId) -> u64 {
        self.0[slot(record)].load(Ordering::Acquire)
    }

    /// The record has changed: called right after the transaction. Whoever opens it until then is too early to know.
    pub(super) fn next(&self, record: RecordId) {
        self.0[slot(record)].fetch_add(1, Ordering::Release);
    }
}

/// Ids are random to their last bytes.
fn slot(record: RecordId) -> usize {
    let [.., a, b] = *record.as_bytes();
    usize::from(u16::from_be_bytes([a, b])) % SLOTS
}
