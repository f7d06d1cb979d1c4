//! The tables of a store as plain maps: what each call of the trait means, without anything that can fail.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;
use keepwell_model::{RecordId, Seq, Stream, TenantId};
use keepwell_record::Head;
use keepwell_record::store::{
    AliasRow, Append, AppendPart, Appended, BlockRow, LogAppend, PendingLeaf, RecordRow, SideRow, SnapshotPart,
    StoreStats,
};

/// The day after which a key may be forgotten, and the blocks that were written under it.
type Remembered = (i64, Vec<(RecordId, Stream, Seq)>);
type BlockKey = (RecordId, Stream, u64);

#[derive(Default)]
struct TenantRow {
    wrapped: Bytes,
    name: String,
    log_size: u64,
    checkpoint: Option<(u64, Bytes)>,
}

#[derive(Default)]
pub(crate) struct Tables {
    tenants: BTreeMap<u32, TenantRow>,
    records: BTreeMap<RecordId, RecordRow>,
    blocks: BTreeMap<BlockKey, Bytes>,
    leaves: BTreeMap<BlockKey, u64>,
    snapshots: BTreeMap<(RecordId, Stream, u32), Bytes>,
    aliases: BTreeMap<(u32, [u8; 32]), (RecordId, [u8; 16])>,
    idempotency: BTreeMap<(u32, [u8; 32]), Remembered>,
    stubs: BTreeMap<RecordId, Bytes>,
    pending: BTreeMap<i64, PendingLeaf>,
    next_pending: i64,
    tiles: BTreeMap<(u32, u8, u64), Bytes>,
    side: BTreeMap<(u32, u8, [u8; 32]), SideRow>,
    /// Every block in the order it was applied, for the model.
    pub(crate) applied: Vec<(RecordId, Stream, Seq)>,
}

impl Tables {
    pub(crate) fn tenant(&self, tenant: TenantId) -> Option<(Bytes, String)> {
        self.tenants.get(&tenant.0).map(|row| (row.wrapped.clone(), row.name.clone()))
    }

    pub(crate) fn tenants(&self) -> Vec<TenantId> {
        self.tenants.keys().copied().map(TenantId).collect()
    }

    pub(crate) fn put_tenant(&mut self, tenant: TenantId, name: String, old: Option<&Bytes>, new: Bytes) -> bool {
        let known = self.tenants.get(&tenant.0).map(|row| &row.wrapped);
        if known != old {
            return false;
        }
        let row = self.tenants.entry(tenant.0).or_default();
        (row.wrapped, row.name) = (new, name);
        true
    }

    pub(crate) fn record(&self, record: RecordId) -> Option<RecordRow> {
        self.records.get(&record).cloned()
    }

    pub(crate) fn records(&self, tenant: TenantId, after: Option<RecordId>, limit: u32) -> Vec<(RecordId, RecordRow)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rows = self.records.range((from, Bound::Unbounded)).filter(|(_, row)| row.tenant == tenant);
        rows.take(limit as usize).map(|(id, row)| (*id, row.clone())).collect()
    }

    fn refusal(&self, append: &Append, part: &AppendPart) -> Option<Appended> {
        let fits = match self.records.get(&part.record) {
            None => part.create.is_some(),
            Some(row) => {
                part.create.is_none()
                    && row.tenant == append.tenant
                    && row.head(part.stream).head == part.expected
                    && !row.erased
                    && (row.merged.is_none() || part.closed_allowed)
            }
        };
        if !fits {
            return Some(Appended::Conflict(part.record));
        }
        let other = |(index, _): &([u8; 32], [u8; 16])| {
            self.aliases.get(&(append.tenant.0, *index)).is_some_and(|(record, _)| *record != part.record)
        };
        part.attach.iter().any(other).then_some(Appended::AliasTaken)
    }

    pub(crate) fn append(&mut self, append: &Append) -> Appended {
        let tenant = append.tenant.0;
        if let Some((key, _)) = append.idempotency
            && let Some((_, blocks)) = self.idempotency.get(&(tenant, key))
        {
            return Appended::Repeated(blocks.clone());
        }
        if let Some(refused) = append.parts.iter().find_map(|part| self.refusal(append, part)) {
            return refused;
        }
        for part in &append.parts {
            self.write_part(append.tenant, part);
        }
        if let Some((key, forget_after)) = append.idempotency {
            let blocks = append.parts.iter().map(|part| (part.record, part.stream, part.head.head.seq)).collect();
            self.idempotency.insert((tenant, key), (forget_after, blocks));
        }
        Appended::Done
    }

    fn write_part(&mut self, tenant: TenantId, part: &AppendPart) {
        let (record, stream, Head { seq, hash }) = (part.record, part.stream, part.head.head);
        if let Some(wrapped) = &part.create {
            let empty = keepwell_record::store::HeadRow { next_number: 1, ..Default::default() };
            let (care, access, wrapped) = (empty, empty, wrapped.clone());
            self.records.insert(record, RecordRow { tenant, wrapped, care, access, merged: None, erased: false });
        }
        let row = self.records.get_mut(&record).expect("it was checked or made");
        match stream {
            Stream::Care => row.care = part.head,
            Stream::Access => row.access = part.head,
        }
        if let Some(mark) = part.merged {
            row.merged = mark;
        }
        self.blocks.insert((record, stream, seq.0), part.block.clone());
        self.applied.push((record, stream, seq));
        self.next_pending += 1;
        let leaf = PendingLeaf { row: self.next_pending, record, stream, seq, hash };
        self.pending.insert(leaf.row, leaf);
        for index in &part.detach {
            let key = (tenant.0, *index);
            if self.aliases.get(&key).is_some_and(|(owner, _)| *owner == record) {
                self.aliases.remove(&key);
            }
        }
        for (index, tag) in &part.attach {
            self.aliases.entry((tenant.0, *index)).or_insert((record, *tag));
        }
    }

    pub(crate) fn blocks(&self, record: RecordId, stream: Stream, from: Seq, limit: u32) -> Vec<BlockRow> {
        let range = self.blocks.range((record, stream, from.0)..=(record, stream, u64::MAX));
        let row = |(key, block): (&BlockKey, &Bytes)| BlockRow {
            seq: Seq(key.2),
            block: block.clone(),
            leaf: self.leaves.get(key).copied(),
        };
        range.take(limit as usize).map(row).collect()
    }

    pub(crate) fn rewrap(&mut self, record: RecordId, old: &Bytes, new: Bytes) -> bool {
        let row = self.records.get_mut(&record).filter(|row| row.wrapped == *old && !row.erased);
        row.map(|row| row.wrapped = new).is_some()
    }

    pub(crate) fn merged_into(&self, record: RecordId) -> Vec<RecordId> {
        let merged = |row: &RecordRow| row.merged.is_some_and(|(into, _)| into == record);
        self.records.iter().filter(|(_, row)| merged(row)).map(|(id, _)| *id).collect()
    }

    pub(crate) fn erase(&mut self, record: RecordId, stub: Bytes) {
        self.blocks.retain(|key, _| key.0 != record);
        self.snapshots.retain(|key, _| key.0 != record);
        self.aliases.retain(|_, (owner, _)| *owner != record);
        if let Some(row) = self.records.get_mut(&record) {
            (row.wrapped, row.erased, row.merged) = (Bytes::new(), true, None);
        }
        self.stubs.insert(record, stub);
    }

    pub(crate) fn stubs(&self) -> Vec<(RecordId, Bytes)> {
        self.stubs.iter().map(|(record, stub)| (*record, stub.clone())).collect()
    }

    pub(crate) fn alias(&self, tenant: TenantId, index: [u8; 32]) -> Option<(RecordId, [u8; 16])> {
        self.aliases.get(&(tenant.0, index)).copied()
    }

    pub(crate) fn aliases(&self, tenant: TenantId, after: Option<[u8; 32]>, limit: u32) -> Vec<AliasRow> {
        let from = after.map_or(Bound::Included((tenant.0, [0; 32])), |index| Bound::Excluded((tenant.0, index)));
        let range = self.aliases.range((from, Bound::Included((tenant.0, [255; 32]))));
        range.take(limit as usize).map(|((_, index), (record, tag))| (*index, *record, *tag)).collect()
    }

    pub(crate) fn aliases_of(&self, record: RecordId) -> Vec<([u8; 32], [u8; 16])> {
        let own = self.aliases.iter().filter(|(_, (owner, _))| *owner == record);
        own.map(|((_, index), (_, tag))| (*index, *tag)).collect()
    }

    pub(crate) fn snapshot_part(&self, record: RecordId, stream: Stream, part: u32) -> Option<Bytes> {
        self.snapshots.get(&(record, stream, part)).cloned()
    }

    pub(crate) fn put_snapshot(&mut self, record: RecordId, stream: Stream, put: Vec<SnapshotPart>, drop: &[u32]) {
        if self.records.get(&record).is_none_or(|row| row.erased) {
            return;
        }
        for part in drop {
            self.snapshots.remove(&(record, stream, *part));
        }
        for SnapshotPart { part, bytes } in put {
            self.snapshots.insert((record, stream, part), bytes);
        }
    }

    pub(crate) fn pending_leaves(&self, limit: u32) -> Vec<PendingLeaf> {
        self.pending.values().take(limit as usize).cloned().collect()
    }

    pub(crate) fn log_size(&self, tenant: TenantId) -> u64 {
        self.tenants.get(&tenant.0).map_or(0, |row| row.log_size)
    }

    pub(crate) fn extend_log(&mut self, append: LogAppend) -> bool {
        if self.log_size(append.tenant) != append.from {
            return false;
        }
        let size = append.from + append.leaves.len() as u64;
        for (leaf, index) in append.leaves.into_iter().zip(append.from..) {
            self.pending.remove(&leaf.row);
            self.leaves.insert((leaf.record, leaf.stream, leaf.seq.0), index);
        }
        for (level, number, bytes) in append.tiles {
            self.tiles.insert((append.tenant.0, level, number), bytes);
        }
        self.tenants.entry(append.tenant.0).or_default().log_size = size;
        true
    }

    pub(crate) fn log_tile(&self, tenant: TenantId, level: u8, number: u64) -> Option<Bytes> {
        self.tiles.get(&(tenant.0, level, number)).cloned()
    }

    pub(crate) fn checkpoint(&self, tenant: TenantId) -> Option<Bytes> {
        self.tenants.get(&tenant.0)?.checkpoint.as_ref().map(|(_, note)| note.clone())
    }

    pub(crate) fn put_checkpoint(&mut self, tenant: TenantId, size: u64, note: Bytes) {
        let row = self.tenants.entry(tenant.0).or_default();
        if row.checkpoint.as_ref().is_none_or(|(known, _)| *known <= size) {
            row.checkpoint = Some((size, note));
        }
    }

    pub(crate) fn side_put(&mut self, tenant: TenantId, table: u8, row: SideRow) {
        self.side.insert((tenant.0, table, row.key), row);
    }

    pub(crate) fn side_get(&self, tenant: TenantId, table: u8, key: [u8; 32]) -> Option<SideRow> {
        self.side.get(&(tenant.0, table, key)).cloned()
    }

    pub(crate) fn side_delete(&mut self, tenant: TenantId, table: u8, key: [u8; 32]) -> bool {
        self.side.remove(&(tenant.0, table, key)).is_some()
    }

    pub(crate) fn side_list(&self, tenant: TenantId, table: u8) -> Vec<SideRow> {
        self.side.range((tenant.0, table, [0; 32])..=(tenant.0, table, [255; 32])).map(|(_, row)| row.clone()).collect()
    }

    pub(crate) fn purge(&mut self, now: i64) -> u64 {
        let before = self.side.len() + self.idempotency.len();
        self.side.retain(|_, row| row.expires >= now);
        let day = now.div_euclid(86_400_000_000);
        self.idempotency.retain(|_, (forget_after, _)| *forget_after >= day);
        (before - self.side.len() - self.idempotency.len()) as u64
    }

    pub(crate) fn stats(&self) -> StoreStats {
        let erased = self.records.values().filter(|row| row.erased).count() as u64;
        StoreStats {
            records: self.records.len() as u64 - erased,
            erased,
            blocks: self.blocks.len() as u64,
            aliases: self.aliases.len() as u64,
            ..StoreStats::default()
        }
    }
}
