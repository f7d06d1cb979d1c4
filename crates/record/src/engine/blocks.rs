//! Blocks as they were written, opened and verified one by one: the history of a record, and who looked.

use std::collections::BTreeSet;

use bytes::Bytes;
use keepwell_model::{Author, EntryNumber, Kind, Labels, RecordId, Seq, SourceKey, Stream, Timestamp};

use super::load::damaged;
use super::tenant::{Tenant, TenantInner};
use crate::RecordError;
use crate::commit::Alias;
use crate::format::block::SealedBlock;
use crate::format::header::Header;
use crate::format::payload;
use crate::keys::RecordKeys;
use crate::store::BlockRow;

/// One block, opened.
#[derive(Debug, Clone)]
pub struct BlockView {
    /// Its sequence number.
    pub seq: Seq,
    /// When it was written, by the clock of the writer.
    pub time: Timestamp,
    /// Its hash, which is the entry of its leaf in the transparency log.
    pub hash: [u8; 32],
    /// The hash of the block before it.
    pub previous: [u8; 32],
    /// Its leaf in the log; `None` until the log has taken it in.
    pub leaf: Option<u64>,
    /// Who wrote it, what for, from which source.
    pub author: Author,
    /// Aliases that lead to the record from this block on.
    pub attach: Vec<Alias>,
    /// Aliases that no longer lead to it.
    pub detach: Vec<Alias>,
    /// What was written.
    pub entries: Vec<BlockEntry>,
}

/// One entry of a block.
#[derive(Debug, Clone)]
pub struct BlockEntry {
    /// Its number.
    pub number: EntryNumber,
    /// Whether this is the first version of the entry.
    pub new: bool,
    /// What kind of thing it is.
    pub kind: Kind,
    /// Its privacy labels.
    pub labels: Labels,
    /// The name its source gave it.
    pub source: Option<SourceKey>,
    /// Its content; `None` for a deletion.
    pub body: Option<Bytes>,
}

impl Tenant {
    /// Blocks of a stream from `from` on, in order, at most `limit`; empty if there is no such record. Each is opened and
    /// each must follow the one before it.
    ///
    /// # Errors
    /// [`RecordError::Damaged`] if one does not verify; store errors.
    pub async fn blocks(
        &self,
        record: RecordId,
        stream: Stream,
        from: Seq,
        limit: u32,
    ) -> Result<Vec<BlockView>, RecordError> {
        match self.inner.block_views(record, stream, from, limit).await {
            Err(RecordError::NoSuchRecord(_)) => Ok(Vec::new()),
            other => other,
        }
    }
}

impl Tenant {
    /// The block in which an entry of a stream was first written; `None` if there is none yet, or no such record. It is
    /// found by the headers alone, which are not verified here: whoever opens the block does that.
    ///
    /// # Errors
    /// [`RecordError::Damaged`] if a block on the way is missing; store errors.
    pub async fn block_of(
        &self,
        record: RecordId,
        stream: Stream,
        number: EntryNumber,
    ) -> Result<Option<Seq>, RecordError> {
        let Some((row, _)) = self.inner.row(record).await? else { return Ok(None) };
        let head = row.head(stream);
        if number.0 == 0 || number.0 >= head.next_number {
            return Ok(None);
        }
        let (mut low, mut high) = (1, head.head.seq.0);
        while low < high {
            let middle = low + (high - low) / 2;
            let found = self.inner.store.blocks(record, stream, Seq(middle), 1).await?.into_iter().next();
            let header = found.filter(|it| it.seq.0 == middle).and_then(|it| Header::decode(&it.block));
            let missing = || damaged(record, stream, Seq(middle), "block", "it is missing or its outer form is broken");
            if header.ok_or_else(missing)?.next_number > number.0 {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(Some(Seq(low)))
    }

    /// How many entries a stream has, deleted ones included; `None` if there is no such record.
    ///
    /// # Errors
    /// As [`Tenant::head`].
    pub async fn count(&self, record: RecordId, stream: Stream) -> Result<Option<u32>, RecordError> {
        let row = self.inner.row(record).await?;
        Ok(row.map(|(row, _)| row.head(stream).next_number.saturating_sub(1)))
    }
}

impl TenantInner {
    pub(super) async fn block_views(
        &self,
        record: RecordId,
        stream: Stream,
        from: Seq,
        limit: u32,
    ) -> Result<Vec<BlockView>, RecordError> {
        let (row, keys) = self.row(record).await?.ok_or(RecordError::NoSuchRecord(record))?;
        let rows = self.store.blocks(record, stream, from.max(Seq(1)), limit).await?;
        let mut views: Vec<BlockView> = Vec::with_capacity(rows.len());
        // Not what was written since the row was read: it may be sealed with a newer key than the row's.
        let known = rows.into_iter().take_while(|stored| stored.seq <= row.head(stream).head.seq);
        for (expected, stored) in (from.0.max(1)..).zip(known) {
            let seq = Seq(expected);
            let fail = |why| damaged(record, stream, seq, "block", why);
            if stored.seq != seq {
                return Err(fail("it is missing"));
            }
            let view = view(record, stream, stored, &keys)?;
            if views.last().is_some_and(|before| before.hash != view.previous) {
                return Err(fail("it does not follow the block before it"));
            }
            if seq == row.head(stream).head.seq && view.hash != row.head(stream).head.hash {
                return Err(fail("it is not the block that the stored head names"));
            }
            views.push(view);
        }
        Ok(views)
    }
}

/// Opens one stored block.
pub(super) fn view(
    record: RecordId,
    stream: Stream,
    stored: BlockRow,
    keys: &RecordKeys,
) -> Result<BlockView, RecordError> {
    let fail = |why| damaged(record, stream, stored.seq, "block", why);
    let block = SealedBlock::parse(stored.block).ok_or_else(|| fail("its outer form is broken"))?;
    let header = block.header;
    // Not the tenant: a record that moved here from elsewhere keeps its blocks as they were made.
    if (header.record, header.stream, header.seq) != (record, stream, stored.seq) {
        return Err(fail("it belongs elsewhere"));
    }
    let frames: Option<Vec<Bytes>> = (0..block.frame_count()).map(|frame| block.open_frame(frame, keys)).collect();
    let frames = frames.ok_or_else(|| fail("its seal does not hold"))?;
    let lens: Vec<usize> = frames.iter().map(Bytes::len).collect();
    let table = payload::decode(&frames[0], header.next_number, &lens).ok_or_else(|| fail("its table is broken"))?;
    let author = serde_json::from_slice(table.author).map_err(|_| fail("its author is broken"))?;
    let entry = |entry: &payload::TableEntry<'_>| BlockEntry {
        number: entry.number,
        new: entry.new,
        kind: table.kinds[entry.kind as usize].clone(),
        labels: entry.labels,
        source: table.source_key(entry),
        body: entry.body.map(|place| {
            frames[place.frame as usize].slice(place.offset as usize..(place.offset + place.len) as usize)
        }),
    };
    Ok(BlockView {
        seq: stored.seq,
        time: header.time,
        hash: block.hash(),
        previous: header.previous,
        leaf: stored.leaf,
        author,
        attach: table.attach.clone(),
        detach: table.detach.clone(),
        entries: table.entries.iter().map(entry).collect(),
    })
}

/// Brings a record's aliases up to date with one more block: detached first, as the store does it.
pub(super) fn apply_aliases(aliases: &mut BTreeSet<Alias>, view: &BlockView) {
    for alias in &view.detach {
        aliases.remove(alias);
    }
    aliases.extend(view.attach.iter().cloned());
}
