//! Checking a whole tenant: every block, head, key, alias, snapshot, side row and stub, and the log over it all.

use std::collections::BTreeSet;

use keepwell_model::{RecordId, Seq, Stream};
use serde::Serialize;

use super::blocks::{apply_aliases, view};
use super::load::damaged;
use super::side::SideTable;
use super::snapshot;
use super::tenant::{Tenant, TenantInner};
use crate::RecordError;
use crate::commit::Alias;
use crate::log::{TILE_WIDTH, TileKey, TreeState};
use crate::store::RecordRow;

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

impl Tenant {
    /// Checks everything of this tenant, and the store's own structure. `progress` is told how many records are done.
    ///
    /// # Errors
    /// Store errors that keep it from reading; whatever does not verify is a line in the answer instead.
    pub async fn verify(&self, progress: &mut (dyn FnMut(u64) + Send)) -> Result<Verified, RecordError> {
        let mut found = Verified { faults: self.inner.store.check().await?, ..Verified::default() };
        let leaves = self.verify_log(&mut found).await?;
        let mut after = None;
        loop {
            let rows = match self.inner.store.records(self.id(), after, BATCH).await {
                Ok(rows) => rows,
                Err(error) => {
                    found.faults.push(format!("the table of records cannot be read to its end: {error}"));
                    break;
                }
            };
            let Some(&(last, _)) = rows.last() else { break };
            after = Some(last);
            for (record, row) in rows.into_iter().filter(|(_, row)| !row.erased) {
                self.verify_record(record, &row, &leaves, &mut found).await;
                found.records += 1;
                progress(found.records);
            }
        }
        self.verify_aliases(&mut found).await?;
        self.verify_side(&mut found).await?;
        match self.erasures().await {
            Ok(stubs) => found.stubs = stubs.len() as u64,
            Err(error) => found.faults.push(error.to_string()),
        }
        Ok(found)
    }

    /// Recomputes the log from its entries and answers the entries by index.
    async fn verify_log(&self, found: &mut Verified) -> Result<Vec<[u8; 32]>, RecordError> {
        let inner = &self.inner;
        let size = inner.store.log_size(inner.id).await?;
        found.waiting = inner.store.pending_leaves(inner.id, u32::MAX).await.map(|p| p.len() as u64).unwrap_or(0);
        let mut entries: Vec<[u8; 32]> = Vec::new();
        for index in 0..size.div_ceil(u64::from(TILE_WIDTH)) {
            let tile = inner.store.log_tile(inner.id, 0, index).await?.unwrap_or_default();
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
            if stored.as_deref() != Some(&tile.bytes[..]) {
                let TileKey { level, index } = tile.key;
                found.faults.push(format!("tile {index} of level {level} of the log is not what its entries give"));
            }
        }
        match self.checkpoint().await {
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
            Ok(None) if size > 0 => found.faults.push("the log has entries but no signed checkpoint".into()),
            Ok(None) => {}
            Err(error) => found.faults.push(error.to_string()),
        }
        Ok(entries)
    }

    async fn verify_record(&self, record: RecordId, row: &RecordRow, leaves: &[[u8; 32]], found: &mut Verified) {
        match self.inner.row(record).await {
            Ok(Some(_)) => {}
            Ok(None) => return,
            Err(error) => return found.faults.push(error.to_string()),
        }
        let mut aliases = BTreeSet::new();
        let mut whole = true;
        for stream in [Stream::Care, Stream::Access] {
            if let Err(error) = self.inner.verify_stream(record, stream, row, leaves, &mut aliases, found).await {
                found.faults.push(error.to_string());
                whole = false;
            }
        }
        if whole && let Err(error) = self.verify_aliases_of(record, &aliases, found).await {
            found.faults.push(error.to_string());
        }
        if let Err(error) = self.verify_snapshot(record, found).await {
            found.faults.push(error.to_string());
        }
    }

    /// Compares the alias rows of a record with what its chain says: a lost one would give the person a second, empty
    /// record the next time something arrives.
    async fn verify_aliases_of(
        &self,
        record: RecordId,
        expected: &BTreeSet<Alias>,
        found: &mut Verified,
    ) -> Result<(), RecordError> {
        let keys = self.inner.keys();
        let expected: BTreeSet<[u8; 32]> = expected.iter().map(|a| keys.alias_index(&a.system, &a.value)).collect();
        let stored: BTreeSet<[u8; 32]> =
            self.inner.store.aliases_of(record).await?.into_iter().map(|(index, _)| index).collect();
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
        let inner = &self.inner;
        let stream = Stream::Care;
        let Some(bytes) = inner.store.snapshot_part(record, stream, 0).await? else { return Ok(()) };
        let Some((row, keys)) = inner.row(record).await? else { return Ok(()) };
        let fail = |why| damaged(record, stream, row.care.head.seq, "snapshot", why);
        let (head, _) = snapshot::open_index(inner.id, record, stream, &bytes, &keys)
            .ok_or_else(|| fail("its index does not open"))?;
        let from_snapshot =
            inner.load_snapshot(record, stream, &bytes, &keys).ok_or_else(|| fail("it does not open"))?;
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
        found.snapshots += 1;
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
                } else if self.inner.store.record(record).await?.is_none() {
                    found.faults.push(format!("an alias leads to record {record}, which is not there"));
                }
            }
        }
    }

    async fn verify_side(&self, found: &mut Verified) -> Result<(), RecordError> {
        for table in SideTable::ALL {
            for row in self.inner.store.side_list(self.id(), table as u8).await? {
                found.side_rows += 1;
                if let Err(error) = self.open_side(table, &row) {
                    found.faults.push(error.to_string());
                }
            }
        }
        Ok(())
    }
}

impl TenantInner {
    async fn verify_stream(
        &self,
        record: RecordId,
        stream: Stream,
        row: &RecordRow,
        leaves: &[[u8; 32]],
        aliases: &mut BTreeSet<Alias>,
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
                if let Some(leaf) = leaf
                    && usize::try_from(leaf).ok().and_then(|leaf| leaves.get(leaf)) != Some(&view.hash)
                {
                    found.faults.push(fail("it is not the one that the log holds").to_string());
                }
                apply_aliases(aliases, &view);
                found.blocks += 1;
                (seq, previous) = (view.seq, view.hash);
            }
        }
        if (seq, previous) != (head.seq, head.hash) {
            return Err(damaged(record, stream, head.seq, "chain", "it does not lead to the stored head"));
        }
        Ok(())
    }
}
