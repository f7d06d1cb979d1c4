//! Checking a whole tenant: every block, head, key, alias, snapshot, side row and stub, and the log over it all.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use keepwell_model::{RecordId, Seq, Stream};
use serde::Serialize;

use super::blocks::{BlockView, apply_aliases, view};
use super::load::damaged;
use super::merge::{leaves_merge, merged_into};
use super::side::SideTable;
use super::snapshot;
use super::tenant::{Tenant, TenantInner};
use crate::RecordError;
use crate::commit::Alias;
use crate::log::{TILE_WIDTH, TileKey, TreeState};
use crate::store::{PendingLeaf, RecordRow};

const BATCH: u32 = 500;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Verified {
    /// Live records checked.
    pub records: u64,
    /// Blocks opened and checked.
    pub blocks: u64,
    /// Snapshots checked against the blocks they were folded from.
    pub snapshots: u64,
    /// Aliases checked.
    pub aliases: u64,
    /// Side rows opened.
    pub side_rows: u64,
    /// Stubs of erased records opened.
    pub stubs: u64,
    /// Entries of the transparency log.
    pub log_entries: u64,
    /// Blocks that the log has not taken in yet.
    pub waiting: u64,
    /// Everything that does not hold, in plain words. Empty means that all is well.
    pub faults: Vec<String>,
}

/// What is learnt on the way and compared at the end.
struct Trace {
    /// The entries of the log as this check began, and which of them belong to a block that is there.
    leaves: Vec<[u8; 32]>,
    known: Vec<bool>,
    /// Erased records with the number of their blocks in the log, as this check began.
    stubs: BTreeMap<RecordId, u64>,
    /// Blocks without a place in the log.
    unlogged: Vec<(RecordId, Stream, Seq, [u8; 32])>,
    /// Records that say they were erased.
    erased: BTreeSet<RecordId>,
    /// Whether every record could be read to its end.
    whole: bool,
}

impl Tenant {
    /// Checks everything of this tenant, and the store's own structure. `progress` is told how many records are done.
    ///
    /// # Errors
    /// Store errors that keep it from reading; whatever does not verify is a line in the answer instead.
    pub async fn verify(&self, progress: &mut (dyn FnMut(u64) + Send)) -> Result<Verified, RecordError> {
        let mut found = Verified { faults: self.inner.store.check().await?, ..Verified::default() };
        let mut trace = self.begin_trace(&mut found).await?;
        let mut after = None;
        loop {
            let rows = match self.inner.store.records(self.id(), after, BATCH).await {
                Ok(rows) => rows,
                Err(error) => {
                    found.faults.push(format!("the table of records cannot be read to its end: {error}"));
                    trace.whole = false;
                    break;
                }
            };
            let Some(&(last, _)) = rows.last() else { break };
            after = Some(last);
            for (record, row) in rows {
                if row.erased {
                    trace.erased.insert(record);
                    continue;
                }
                self.verify_record(record, &row, &mut trace, &mut found).await;
                found.records += 1;
                progress(found.records);
            }
        }
        self.verify_aliases(&mut found).await?;
        self.verify_side(&mut found).await;
        self.verify_unlogged(&trace, &mut found).await?;
        self.verify_stubs(&trace, &mut found).await?;
        Ok(found)
    }

    async fn begin_trace(&self, found: &mut Verified) -> Result<Trace, RecordError> {
        // In this order: what moves from waiting into the log in between is then expected twice rather than never.
        let stubs = self.erasures().await.unwrap_or_default();
        let leaves = self.verify_log(found).await?;
        let waiting = match self.inner.store.pending_leaves(self.id(), u32::MAX).await {
            Ok(waiting) => waiting,
            Err(error) => {
                found.faults.push(format!("the blocks that wait for the log cannot be read: {error}"));
                Vec::new()
            }
        };
        found.waiting = waiting.len() as u64;
        let mut stubs: BTreeMap<RecordId, u64> =
            stubs.iter().map(|stub| (stub.record, stub.care_blocks.0.saturating_add(stub.access_blocks.0))).collect();
        for PendingLeaf { record, .. } in waiting {
            stubs.entry(record).and_modify(|blocks| *blocks = blocks.saturating_sub(1));
        }
        let known = vec![false; leaves.len()];
        Ok(Trace { leaves, known, stubs, unlogged: Vec::new(), erased: BTreeSet::new(), whole: true })
    }

    /// A block is in the log or waits for it; another would be one that nobody could ever prove.
    async fn verify_unlogged(&self, trace: &Trace, found: &mut Verified) -> Result<(), RecordError> {
        if trace.unlogged.is_empty() {
            return Ok(());
        }
        let store = &self.inner.store;
        let waiting = store.pending_leaves(self.id(), u32::MAX).await.unwrap_or_default();
        let waiting: BTreeSet<_> = waiting.iter().map(|w| (w.record, w.stream.code(), w.seq, w.hash)).collect();
        for &(record, stream, seq, hash) in &trace.unlogged {
            if waiting.contains(&(record, stream.code(), seq, hash)) {
                continue;
            }
            // It may have been taken in, or erased, since it was read.
            let now = store.blocks(record, stream, seq, 1).await?.into_iter().next().filter(|row| row.seq == seq);
            if now.is_some_and(|row| row.leaf.is_none()) {
                let fault = damaged(record, stream, seq, "block", "it is neither in the log nor waiting for it");
                found.faults.push(fault.to_string());
            }
        }
        Ok(())
    }

    /// Whatever is in the log belongs to a block that is there or to a record whose stub says that it was erased.
    async fn verify_stubs(&self, trace: &Trace, found: &mut Verified) -> Result<(), RecordError> {
        let stubs = match self.erasures().await {
            Ok(stubs) => stubs,
            Err(error) => {
                found.faults.push(error.to_string());
                return Ok(());
            }
        };
        found.stubs = stubs.len() as u64;
        let now: BTreeMap<RecordId, u64> =
            stubs.iter().map(|stub| (stub.record, stub.care_blocks.0.saturating_add(stub.access_blocks.0))).collect();
        for record in trace.erased.iter().filter(|record| !now.contains_key(record)) {
            found.faults.push(format!("record {record} is said to be erased and has no stub that says so"));
        }
        for record in now.keys().filter(|record| !trace.erased.contains(record)) {
            let row = self.inner.store.record(*record).await?;
            if !row.is_some_and(|row| row.erased && row.tenant == self.id()) {
                found.faults.push(format!("there is a stub for record {record}, which is not an erased one"));
            }
        }
        let since = now.iter().filter(|(record, _)| !trace.stubs.contains_key(record)).map(|(_, blocks)| blocks);
        let erased = trace.stubs.values().chain(since).fold(0u64, |sum, blocks| sum.saturating_add(*blocks));
        let unknown = trace.known.iter().filter(|known| !**known).count() as u64;
        if trace.whole && unknown > erased {
            let missing = unknown - erased;
            found
                .faults
                .push(format!("{missing} entries of the log belong to blocks that are gone and were not erased"));
        }
        Ok(())
    }

    /// Recomputes the log from its entries and answers the entries by index.
    async fn verify_log(&self, found: &mut Verified) -> Result<Vec<[u8; 32]>, RecordError> {
        let inner = &self.inner;
        // First what was signed, which the rest must continue, also while others add to it.
        let (signed, size) = {
            // Not between the taking in of blocks and the signing.
            let _quiet = inner.logging.lock().await;
            (self.checkpoint().await, inner.store.log_size(inner.id).await?)
        };
        let mut entries: Vec<[u8; 32]> = Vec::new();
        for index in 0..size.div_ceil(u64::from(TILE_WIDTH)) {
            // The size is only a number in a row; the tiles say how long the log is.
            let Some(tile) = inner.store.log_tile(inner.id, 0, index).await? else { break };
            entries.extend(tile.chunks_exact(32).map(|chunk| <[u8; 32]>::try_from(chunk).expect("32 bytes")));
        }
        if (entries.len() as u64) < size {
            found.faults.push(format!("the log should have {size} entries and has {}", entries.len()));
            return Ok(entries);
        }
        entries.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        found.log_entries = size;
        let rebuilt = TreeState::new().append(&entries).map_err(|e| RecordError::Store(e.to_string()))?;
        for tile in &rebuilt.tiles {
            let stored = inner.store.log_tile(inner.id, tile.key.level, tile.key.index).await?;
            let same = match &stored {
                Some(now) if now.len() > tile.bytes.len() => {
                    // Others may have added to it since.
                    now.starts_with(&tile.bytes) && inner.store.log_size(inner.id).await? > size
                }
                stored => stored.as_deref() == Some(&tile.bytes[..]),
            };
            if !same {
                let TileKey { level, index } = tile.key;
                found.faults.push(format!("tile {index} of level {level} of the log is not what its entries give"));
            }
        }
        match signed {
            Ok(Some(opened)) => {
                let (signed, root) = (opened.checkpoint().size(), *opened.checkpoint().root());
                let rebuilt = usize::try_from(signed)
                    .ok()
                    .and_then(|n| entries.get(..n))
                    .map(|entries| TreeState::new().append(entries).map(|appended| appended.state.root()));
                if !matches!(rebuilt, Some(Ok(then)) if then == root) {
                    found.faults.push("the log does not continue its own signed checkpoint".into());
                }
            }
            Ok(None) if size > 0 && self.inner.store.checkpoint(self.id()).await?.is_none() => {
                found.faults.push("the log has entries but no signed checkpoint".into())
            }
            Ok(None) => {}
            Err(error) => found.faults.push(error.to_string()),
        }
        Ok(entries)
    }

    async fn verify_record(&self, record: RecordId, row: &RecordRow, trace: &mut Trace, found: &mut Verified) {
        let faults = found.faults.len();
        self.verify_live(record, row, trace, found).await;
        // What is erased while it is checked goes away under the check; that is not damage.
        if found.faults.len() > faults && matches!(self.inner.row(record).await, Ok(None)) {
            found.faults.truncate(faults);
        }
    }

    async fn verify_live(&self, record: RecordId, row: &RecordRow, trace: &mut Trace, found: &mut Verified) {
        match self.inner.row(record).await {
            Ok(Some(_)) => {}
            Ok(None) => return,
            Err(error) => {
                trace.whole = false;
                return found.faults.push(error.to_string());
            }
        }
        let mut said = Said::default();
        let mut whole = true;
        for stream in [Stream::Care, Stream::Access] {
            if let Err(error) = self.inner.verify_stream(record, stream, row, trace, &mut said, found).await {
                found.faults.push(error.to_string());
                whole = false;
            }
        }
        trace.whole &= whole;
        if whole && let Err(error) = self.verify_said(record, row, &said, found).await {
            found.faults.push(error.to_string());
        }
        if let Err(error) = self.verify_snapshot(record, found).await {
            found.faults.push(error.to_string());
        }
    }

    /// Compares the merge mark and the alias rows of a record with what its chain says: a lost one would give the person a second, empty
    /// record the next time something arrives.
    async fn verify_said(
        &self,
        record: RecordId,
        row: &RecordRow,
        said: &Said,
        found: &mut Verified,
    ) -> Result<(), RecordError> {
        if said.merged != row.merged.map(|(into, _)| into) {
            found.faults.push(format!("the merge mark of record {record} is not what its blocks say"));
        }
        let keys = self.inner.keys();
        let expected: BTreeSet<[u8; 32]> = said.aliases.iter().map(|a| keys.alias_index(&a.system, &a.value)).collect();
        let stored: BTreeSet<[u8; 32]> =
            self.inner.store.aliases_of(record).await?.into_iter().map(|(index, _)| index).collect();
        let now = self.inner.store.record(record).await?;
        if now.is_none_or(|now| (now.care.head, now.access.head) != (row.care.head, row.access.head)) {
            // Written to in the meantime: the aliases may be newer than the blocks that were read.
            return Ok(());
        }
        for _ in expected.difference(&stored) {
            found.faults.push(format!("an alias of record {record} is missing"));
        }
        for _ in stored.difference(&expected) {
            found.faults.push(format!("an alias leads to record {record} that its blocks do not know"));
        }
        Ok(())
    }

    /// Compares the snapshot, entry by entry, with what the blocks give.
    async fn verify_snapshot(&self, record: RecordId, found: &mut Verified) -> Result<(), RecordError> {
        let first = async || self.inner.store.snapshot_part(record, Stream::Care, 0).await;
        let Some(mut bytes) = first().await? else { return Ok(()) };
        loop {
            let checked = self.verify_this_snapshot(record, &bytes).await;
            // Folded again in the meantime, which takes parts away: then the new one is what counts.
            match (checked, first().await?) {
                (Err(_), Some(now)) if now != bytes => bytes = now,
                (checked, _) => {
                    found.snapshots += u64::from(checked.is_ok());
                    return checked;
                }
            }
        }
    }

    async fn verify_this_snapshot(&self, record: RecordId, bytes: &Bytes) -> Result<(), RecordError> {
        let inner = &self.inner;
        let stream = Stream::Care;
        let Some((row, keys)) = inner.row(record).await? else { return Ok(()) };
        let fail = |why| damaged(record, stream, row.care.head.seq, "snapshot", why);
        let (head, _) = snapshot::open_index(inner.id, record, stream, bytes, &keys)
            .ok_or_else(|| fail("its index does not open"))?;
        let from_snapshot =
            inner.load_snapshot(record, stream, bytes, &keys).ok_or_else(|| fail("it does not open"))?;
        let from_blocks =
            self.open_at(record, stream, head.seq).await?.ok_or_else(|| fail("it is ahead of the blocks"))?;
        if from_blocks.head() != head || from_blocks.index.rows.len() != from_snapshot.index.rows.len() {
            return Err(fail("it is not of this chain"));
        }
        for (a, b) in from_snapshot.all_entries().zip(from_blocks.all_entries()) {
            let same = (a.kind(), a.version(), a.time(), a.labels(), a.is_deleted(), a.source_key())
                == (b.kind(), b.version(), b.time(), b.labels(), b.is_deleted(), b.source_key());
            if !same || (!a.is_deleted() && from_snapshot.body_strictly(&a).await? != from_blocks.body(&b).await?) {
                return Err(fail("an entry in it is not what the blocks give"));
            }
        }
        Ok(())
    }

    async fn verify_aliases(&self, found: &mut Verified) -> Result<(), RecordError> {
        let keys = self.inner.keys();
        let mut after = None;
        loop {
            let rows = match self.inner.store.aliases(self.id(), after, BATCH).await {
                Ok(rows) => rows,
                Err(error) => {
                    found.faults.push(format!("the table of aliases cannot be read to its end: {error}"));
                    return Ok(());
                }
            };
            let Some(&(last, ..)) = rows.last() else { return Ok(()) };
            after = Some(last);
            for (index, record, tag) in rows {
                found.aliases += 1;
                if keys.alias_tag(&index, record) != tag {
                    found.faults.push(format!("an alias of record {record} does not verify"));
                    continue;
                }
                let row = self.inner.store.record(record).await?;
                if !row.is_some_and(|row| !row.erased && row.tenant == self.id())
                    // It may have gone with its record since.
                    && self.inner.store.alias(self.id(), index).await?.is_some_and(|(now, _)| now == record)
                {
                    found.faults.push(format!("an alias leads to record {record}, which is not there"));
                }
            }
        }
    }

    async fn verify_side(&self, found: &mut Verified) {
        for table in SideTable::ALL {
            let rows = match self.inner.store.side_list(self.id(), table as u8).await {
                Ok(rows) => rows,
                Err(error) => {
                    found.faults.push(format!("the side table {table:?} cannot be read to its end: {error}"));
                    continue;
                }
            };
            for row in rows {
                found.side_rows += 1;
                if let Err(error) = self.open_side(table, &row) {
                    found.faults.push(error.to_string());
                }
            }
        }
    }
}

/// What the blocks of a record say of things that are also kept in rows.
#[derive(Default)]
struct Said {
    aliases: BTreeSet<Alias>,
    merged: Option<RecordId>,
}

impl Said {
    fn apply(&mut self, view: &BlockView) {
        apply_aliases(&mut self.aliases, view);
        for entry in &view.entries {
            match entry.kind.as_str() {
                "merge" => self.merged = merged_into(entry.body.as_deref()).or(self.merged),
                "unmerge" if leaves_merge(entry.body.as_deref()) => self.merged = None,
                // A mark does not travel: where a record arrives it stands for itself.
                "import" => self.merged = None,
                _ => {}
            }
        }
    }
}

impl TenantInner {
    async fn verify_stream(
        &self,
        record: RecordId,
        stream: Stream,
        row: &RecordRow,
        trace: &mut Trace,
        said: &mut Said,
        found: &mut Verified,
    ) -> Result<(), RecordError> {
        let Some((_, keys)) = self.row(record).await? else { return Ok(()) };
        // The head as it was when this check began; blocks since then are the next check's.
        let head = row.head(stream).head;
        let (mut seq, mut previous) = (Seq(0), [0u8; 32]);
        while seq < head.seq {
            let rows = self.store.blocks(record, stream, seq.next(), BATCH).await?;
            if rows.is_empty() {
                return Err(damaged(record, stream, seq.next(), "block", "it is missing"));
            }
            for stored in rows.into_iter().take_while(|stored| stored.seq <= head.seq) {
                let fail = |why| damaged(record, stream, seq.next(), "block", why);
                if stored.seq != seq.next() {
                    return Err(fail("it is missing"));
                }
                let leaf = stored.leaf;
                let view = view(record, stream, stored, &keys)?;
                if view.previous != previous {
                    return Err(fail("it does not follow the block before it"));
                }
                match leaf {
                    None => trace.unlogged.push((record, stream, view.seq, view.hash)),
                    Some(leaf) => {
                        if self.log_entry(leaf, trace).await? == Some(view.hash) {
                            trace.mark(leaf);
                        } else {
                            found.faults.push(fail("it is not the one that the log holds").to_string());
                        }
                    }
                }
                said.apply(&view);
                found.blocks += 1;
                (seq, previous) = (view.seq, view.hash);
            }
        }
        if (seq, previous) != (head.seq, head.hash) {
            return Err(damaged(record, stream, head.seq, "chain", "it does not lead to the stored head"));
        }
        Ok(())
    }

    /// An entry of the log: as it was when this check began, or taken in since.
    async fn log_entry(&self, leaf: u64, trace: &Trace) -> Result<Option<[u8; 32]>, RecordError> {
        if let Some(entry) = usize::try_from(leaf).ok().and_then(|leaf| trace.leaves.get(leaf)) {
            return Ok(Some(*entry));
        }
        let width = u64::from(TILE_WIDTH);
        let tile = self.store.log_tile(self.id, 0, leaf / width).await?.unwrap_or_default();
        let at = usize::from(u16::try_from(leaf % width).expect("below the width of a tile")) * 32;
        Ok(tile.get(at..at + 32).and_then(|entry| entry.try_into().ok()))
    }
}

impl Trace {
    fn mark(&mut self, leaf: u64) {
        if let Some(known) = usize::try_from(leaf).ok().and_then(|leaf| self.known.get_mut(leaf)) {
            *known = true;
        }
    }
}
