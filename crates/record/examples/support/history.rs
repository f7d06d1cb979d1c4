//! What the truth knows of the past: versions, and who wrote a block. Only the simulation asks.

use keepwell_model::{RecordId, Seq, Stream};

use super::clients::Seen;
use super::truth::Truth;

impl Truth {
    /// Entry numbers of a record's care stream at a version, each with the operation, part and place that wrote its newest
    /// content; `None` if the record is erased or has no such version.
    pub(crate) fn entries_at(&self, record: RecordId, seq: Seq) -> Option<Seen> {
        let known = self.records.get(&record).filter(|known| !known.erased)?;
        let blocks = known.care.get(..usize::try_from(seq.0).ok()?)?;
        let mut entries = Seen::new();
        for block in blocks {
            for (at, (number, len)) in block.entries.iter().enumerate() {
                entries.insert(*number, len.map(|_| (block.op, block.part, at)));
            }
        }
        Some(entries)
    }

    /// The operation and part that wrote a block.
    pub(crate) fn written_by(&self, record: RecordId, stream: Stream, seq: Seq) -> Option<(u64, usize)> {
        let at = usize::try_from(seq.0.checked_sub(1)?).ok()?;
        self.records.get(&record)?.blocks(stream).get(at).map(|block| (block.op, block.part))
    }

    pub(crate) fn is_erased(&self, record: RecordId) -> bool {
        self.records.get(&record).is_some_and(|known| known.erased)
    }
}
