//! Which records have changed, so that what was read needs not be read again.

use std::sync::atomic::{AtomicU64, Ordering};

use keepwell_model::RecordId;

/// Records share this many numbers; sharing one costs a needless look now and then.
const SLOTS: usize = 4_096;
/// Changes that are on their way are counted in the lower part of a number, those that have ended in the upper.
const ENDED: u64 = 1 << 32;

/// A number for each record that grows with each change. This process is the only one that writes.
pub(super) struct Revisions([AtomicU64; SLOTS]);

impl Default for Revisions {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl Revisions {
    /// The revision, unless a change is on its way: whether it is there already only the record's row can tell.
    pub(super) fn of(&self, record: RecordId) -> Option<u64> {
        let number = self.0[slot(record)].load(Ordering::Acquire);
        number.is_multiple_of(ENDED).then_some(number)
    }

    /// A change of the record is handed in.
    pub(super) fn begin(&self, record: RecordId) {
        self.0[slot(record)].fetch_add(1, Ordering::AcqRel);
    }

    /// Its transaction has ended, however it did.
    pub(super) fn end(&self, record: RecordId) {
        self.0[slot(record)].fetch_add(ENDED - 1, Ordering::AcqRel);
    }
}

/// Ids are random to their last bytes.
fn slot(record: RecordId) -> usize {
    let [.., a, b] = *record.as_bytes();
    usize::from(u16::from_be_bytes([a, b])) % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_no_revision_while_a_change_is_on_its_way_and_another_one_after_it() {
        let revisions = Revisions::default();
        let record = RecordId::from_bytes([7; 10]);
        let first = revisions.of(record).unwrap();
        revisions.begin(record);
        assert_eq!(revisions.of(record), None);
        revisions.begin(record);
        revisions.end(record);
        assert_eq!(revisions.of(record), None, "the other change may be there or not");
        revisions.end(record);
        assert!(revisions.of(record).unwrap() > first);
    }
}
