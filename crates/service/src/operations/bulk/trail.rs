//! The Provenance of what was written, which follows from the blocks of a record, as part of an export.

use keepwell_model::{Seq, Stream};
use serde_json::Value;

use super::super::written::provenance;
use super::jobs::Asked;
use crate::rest::Seen;
use crate::{Service, ServiceError};

/// How many blocks are read at a time.
const CHUNK: u32 = 8;

/// Where in the blocks of a record a pass is.
pub(super) struct Pass {
    next: u64,
    last: u64,
}

impl Asked {
    /// Whether the Provenance of what was written is wanted.
    pub(super) fn wants_trail(&self) -> bool {
        self.types.as_ref().is_none_or(|types| types.contains("Provenance"))
    }
}

impl Pass {
    /// Over all blocks until this one.
    pub(super) const fn until(last: Seq) -> Self {
        Self { next: 1, last: last.0 }
    }
}

impl Service {
    /// The Provenance of the next few blocks, as far as its reader may see what was written; `None` after the last.
    pub(super) async fn next_of_trail(
        &self,
        seen: &Seen,
        asked: &Asked,
        pass: &mut Pass,
    ) -> Result<Option<Vec<Value>>, ServiceError> {
        if pass.next > pass.last {
            return Ok(None);
        }
        let limit = u32::try_from(pass.last - pass.next + 1).unwrap_or(CHUNK).min(CHUNK);
        let blocks = self.tenant().blocks(seen.table().id(), Stream::Care, Seq(pass.next), limit).await?;
        // None are left if the record was erased meanwhile.
        pass.next = blocks.last().map_or(pass.last, |block| block.seq.0) + 1;
        let recent = blocks.iter().filter(|block| asked.since.is_none_or(|since| block.time.micros() >= since));
        Ok(Some(recent.filter_map(|block| provenance(seen, block)).collect()))
    }

    /// How many Provenance there are.
    pub(super) async fn count_of_trail(&self, seen: &Seen, asked: &Asked, last: Seq) -> Result<usize, ServiceError> {
        let (mut pass, mut count) = (Pass::until(last), 0);
        if asked.wants_trail() {
            while let Some(found) = self.next_of_trail(seen, asked, &mut pass).await? {
                count += found.len();
            }
        }
        Ok(count)
    }
}
