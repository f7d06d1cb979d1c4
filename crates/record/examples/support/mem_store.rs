//! A store in memory whose every answer waits until the simulation lets it happen, and may then be an error, late, out of
//! order or damaged, as far as the trait allows. A crash throws away what was not applied.

use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use keepwell_model::{RecordId, SeededRandom, Seq, Stream, TenantId};
use keepwell_record::RecordError;
use keepwell_record::store::{
    AliasRow, Answer, Append, Appended, BlockRow, LogAppend, PendingLeaf, RecordRow, SideRow, SnapshotPart, Store,
    StoreStats,
};
use tokio::sync::oneshot;

use super::mem_tables::Tables;

/// How likely what goes wrong is, in thousandths.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Faults {
    /// A write is refused before it is applied.
    pub(crate) refused: u64,
    /// A write is applied or not, and nobody learns which.
    pub(crate) unknown: u64,
    /// A read fails.
    pub(crate) unread: u64,
    /// A bit of what was read is flipped.
    pub(crate) damaged: u64,
    /// Several writes in a row fail together, as a transaction does.
    pub(crate) batch: u64,
}

/// What is to become of a call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Fine,
    Refused,
    Full,
    UnknownApplied,
    UnknownLost,
    Damaged,
}

type Deliver = Box<dyn FnOnce() + Send>;
type Call = Box<dyn FnOnce(&mut Tables, Fate, &SeededRandom) -> Deliver + Send>;

struct Pending {
    name: &'static str,
    write: bool,
    call: Call,
}

/// All that a simulated world has besides the engine.
pub(crate) struct World {
    pub(crate) tables: Tables,
    pub(crate) random: SeededRandom,
    pub(crate) faults: Faults,
    pub(crate) ordered: bool,
    /// Everything that happened, folded into one number.
    pub(crate) trace: u64,
    pub(crate) steps: u64,
    waiting: Vec<Pending>,
    answers: Vec<Deliver>,
    /// So many of the next writes fail together.
    failing: u64,
    life: u64,
}

pub(crate) type Shared = Arc<Mutex<World>>;

pub(crate) fn lock(world: &Shared) -> MutexGuard<'_, World> {
    world.lock().expect("no panic while held")
}

impl World {
    pub(crate) fn new(seed: u64, faults: Faults, ordered: bool) -> Shared {
        Arc::new(Mutex::new(Self {
            tables: Tables::default(),
            random: SeededRandom::new(seed ^ 0x5eed),
            faults,
            ordered,
            trace: 0xcbf2_9ce4_8422_2325,
            steps: 0,
            waiting: Vec::new(),
            answers: Vec::new(),
            failing: 0,
            life: 0,
        }))
    }

    /// Folds something that happened into the trace (FNV-1a).
    pub(crate) fn note(&mut self, what: &[u8]) {
        for byte in what {
            self.trace = (self.trace ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn chance(&self, thousandths: u64) -> bool {
        thousandths > 0 && self.random.below(1_000) < thousandths
    }

    fn fate(&mut self, write: bool) -> Fate {
        if !write {
            return match () {
                () if self.chance(self.faults.unread) => Fate::Refused,
                () if self.chance(self.faults.damaged) => Fate::Damaged,
                () => Fate::Fine,
            };
        }
        if self.failing == 0 && self.chance(self.faults.batch) {
            self.failing = 1 + self.random.below(5);
        }
        if self.failing > 0 {
            self.failing -= 1;
            return Fate::Full;
        }
        match () {
            () if self.chance(self.faults.refused) => Fate::Refused,
            () if self.chance(self.faults.unknown) && self.random.below(2) == 0 => Fate::UnknownLost,
            () if self.chance(self.faults.unknown) => Fate::UnknownApplied,
            () => Fate::Fine,
        }
    }

    /// Lets one thing happen. False if nothing waits.
    pub(crate) fn step(&mut self) -> bool {
        self.steps += 1;
        let below = |random: &SeededRandom, bound: usize| usize::try_from(random.below(bound as u64)).expect("small");
        let deliver = !self.answers.is_empty() && (self.waiting.is_empty() || self.random.below(2) == 0);
        if deliver {
            let at = below(&self.random, self.answers.len());
            self.note(&[1, u8::try_from(at % 256).expect("a byte")]);
            self.answers.swap_remove(at)();
            return true;
        }
        if self.waiting.is_empty() {
            return false;
        }
        let mut at = below(&self.random, self.waiting.len());
        if self.ordered && self.waiting[at].write {
            at = self.waiting.iter().position(|pending| pending.write).expect("there is one");
        }
        let Pending { name, write, call } = self.waiting.remove(at);
        let fate = self.fate(write);
        self.note(name.as_bytes());
        self.note(&[fate as u8]);
        let answer = call(&mut self.tables, fate, &self.random);
        if self.random.below(3) == 0 {
            self.answers.push(answer)
        } else {
            answer()
        }
        true
    }

    /// The process dies: of the writes that were handed over, some are applied, and nobody hears of it.
    pub(crate) fn crash(&mut self) {
        self.life += 1;
        self.answers.clear();
        let mut alive = true;
        for Pending { write, call, .. } in std::mem::take(&mut self.waiting) {
            let applied = self.random.below(2) == 0;
            alive = if self.ordered { alive && applied } else { applied };
            if write && alive {
                drop(call(&mut self.tables, Fate::UnknownApplied, &self.random));
            }
        }
        self.failing = 0;
        self.note(b"crash");
    }
}

/// The store as one life of the process sees it.
pub(crate) struct MemStore {
    world: Shared,
    life: u64,
    ordered: bool,
}

fn gone<T>() -> Result<T, RecordError> {
    Err(RecordError::Store("the process is gone".into()))
}

impl MemStore {
    pub(crate) fn new(world: &Shared) -> Self {
        let state = lock(world);
        Self { world: Arc::clone(world), life: state.life, ordered: state.ordered }
    }

    fn hand_over<T: Send + 'static>(
        &self,
        name: &'static str,
        write: bool,
        call: impl FnOnce(&mut Tables, Fate, &SeededRandom) -> Result<T, RecordError> + Send + 'static,
    ) -> Answer<T> {
        let (answer, wait) = oneshot::channel();
        let call: Call = Box::new(move |tables, fate, random| {
            let value = call(tables, fate, random);
            Box::new(move || drop(answer.send(value)))
        });
        let mut world = lock(&self.world);
        if world.life != self.life {
            return Box::pin(async { gone() });
        }
        world.waiting.push(Pending { name, write, call });
        Box::pin(async move { wait.await.unwrap_or_else(|_| gone()) })
    }

    fn write<T: Send + 'static>(
        &self,
        name: &'static str,
        apply: impl FnOnce(&mut Tables) -> T + Send + 'static,
    ) -> Answer<T> {
        self.hand_over(name, true, move |tables, fate, _| match fate {
            Fate::Refused => Err(RecordError::Store("refused".into())),
            Fate::Full => Err(RecordError::Full),
            Fate::UnknownLost => Err(RecordError::Unknown),
            Fate::UnknownApplied => {
                apply(tables);
                Err(RecordError::Unknown)
            }
            Fate::Fine | Fate::Damaged => Ok(apply(tables)),
        })
    }

    fn read<T: Send + 'static>(
        &self,
        name: &'static str,
        look: impl FnOnce(&Tables) -> T + Send + 'static,
        damage: fn(&mut T, &SeededRandom),
    ) -> Answer<T> {
        self.hand_over(name, false, move |tables, fate, random| match fate {
            Fate::Refused | Fate::Full => Err(RecordError::Store("not read".into())),
            Fate::Damaged => {
                let mut value = look(tables);
                damage(&mut value, random);
                Ok(value)
            }
            _ => Ok(look(tables)),
        })
    }
}

const fn intact<T>(_: &mut T, _: &SeededRandom) {}

fn flip_in(bytes: &mut [u8], random: &SeededRandom) {
    if !bytes.is_empty() {
        let at = usize::try_from(random.below(bytes.len() as u64)).expect("it is an index");
        bytes[at] ^= 1 << random.below(8);
    }
}

fn flip(bytes: &mut Bytes, random: &SeededRandom) {
    let mut changed = bytes.to_vec();
    flip_in(&mut changed, random);
    *bytes = changed.into();
}

fn flip_record(row: &mut Option<RecordRow>, random: &SeededRandom) {
    let Some(row) = row else { return };
    let head = if random.below(2) == 0 { &mut row.care } else { &mut row.access };
    match random.below(5) {
        0 => flip(&mut row.wrapped, random),
        1 => flip_in(&mut head.head.hash, random),
        2 => head.head.seq.0 ^= 1 << random.below(8),
        3 => head.next_number ^= 1 << random.below(8),
        _ => flip_in(&mut head.tag, random),
    }
}

fn flip_block(rows: &mut Vec<BlockRow>, random: &SeededRandom) {
    if rows.is_empty() {
        return;
    }
    let at = usize::try_from(random.below(rows.len() as u64)).expect("it is an index");
    if random.below(5) == 0 {
        rows.remove(at);
    } else {
        flip(&mut rows[at].block, random);
    }
}

impl Store for MemStore {
    fn kind(&self) -> &'static str {
        "memory"
    }
    fn keeps_order(&self) -> bool {
        self.ordered
    }
    fn tenant(&self, tenant: TenantId) -> Answer<Option<(Bytes, String)>> {
        self.read("tenant", move |t| t.tenant(tenant), intact)
    }
    fn tenants(&self) -> Answer<Vec<TenantId>> {
        self.read("tenants", Tables::tenants, intact)
    }
    fn put_tenant(&self, tenant: TenantId, name: String, old: Option<Bytes>, new: Bytes) -> Answer<bool> {
        self.write("put_tenant", move |t| t.put_tenant(tenant, name, old.as_ref(), new))
    }
    fn record(&self, record: RecordId) -> Answer<Option<RecordRow>> {
        self.read("record", move |t| t.record(record), flip_record)
    }
    fn records(&self, tenant: TenantId, after: Option<RecordId>, limit: u32) -> Answer<Vec<(RecordId, RecordRow)>> {
        self.read("records", move |t| t.records(tenant, after, limit), intact)
    }
    fn append(&self, append: Append) -> Answer<Appended> {
        self.write("append", move |t| t.append(&append))
    }
    fn blocks(&self, record: RecordId, stream: Stream, from: Seq, limit: u32) -> Answer<Vec<BlockRow>> {
        self.read("blocks", move |t| t.blocks(record, stream, from, limit), flip_block)
    }
    fn rewrap(&self, record: RecordId, old: Bytes, new: Bytes) -> Answer<bool> {
        self.write("rewrap", move |t| t.rewrap(record, &old, new))
    }
    fn merged_into(&self, record: RecordId) -> Answer<Vec<RecordId>> {
        self.read("merged_into", move |t| t.merged_into(record), intact)
    }
    fn erase(&self, _: TenantId, record: RecordId, stub: Bytes) -> Answer<()> {
        self.write("erase", move |t| t.erase(record, stub))
    }
    fn stubs(&self, _: TenantId) -> Answer<Vec<(RecordId, Bytes)>> {
        self.read("stubs", Tables::stubs, intact)
    }
    fn alias(&self, tenant: TenantId, index: [u8; 32]) -> Answer<Option<(RecordId, [u8; 16])>> {
        let damage = |found: &mut Option<(RecordId, [u8; 16])>, random: &SeededRandom| {
            if let Some((record, tag)) = found {
                let mut id = *record.as_bytes();
                if random.below(2) == 0 {
                    flip_in(&mut id, random)
                } else {
                    flip_in(tag, random)
                }
                *record = RecordId::from_bytes(id);
            }
        };
        self.read("alias", move |t| t.alias(tenant, index), damage)
    }
    fn aliases(&self, tenant: TenantId, after: Option<[u8; 32]>, limit: u32) -> Answer<Vec<AliasRow>> {
        self.read("aliases", move |t| t.aliases(tenant, after, limit), intact)
    }
    fn aliases_of(&self, record: RecordId) -> Answer<Vec<([u8; 32], [u8; 16])>> {
        self.read("aliases_of", move |t| t.aliases_of(record), intact)
    }
    fn snapshot_part(&self, record: RecordId, stream: Stream, part: u32) -> Answer<Option<Bytes>> {
        let damage = |part: &mut Option<Bytes>, random: &SeededRandom| match part {
            Some(bytes) if random.below(4) > 0 => flip(bytes, random),
            _ => *part = None,
        };
        self.read("snapshot_part", move |t| t.snapshot_part(record, stream, part), damage)
    }
    fn put_snapshot(&self, record: RecordId, stream: Stream, put: Vec<SnapshotPart>, drop: Vec<u32>) -> Answer<()> {
        self.write("put_snapshot", move |t| t.put_snapshot(record, stream, put, &drop))
    }
    fn pending_leaves(&self, _: TenantId, limit: u32) -> Answer<Vec<PendingLeaf>> {
        self.read("pending_leaves", move |t| t.pending_leaves(limit), intact)
    }
    fn log_size(&self, tenant: TenantId) -> Answer<u64> {
        self.read("log_size", move |t| t.log_size(tenant), intact)
    }
    fn extend_log(&self, append: LogAppend) -> Answer<bool> {
        self.write("extend_log", move |t| t.extend_log(append))
    }
    fn log_tile(&self, tenant: TenantId, level: u8, number: u64) -> Answer<Option<Bytes>> {
        self.read("log_tile", move |t| t.log_tile(tenant, level, number), intact)
    }
    fn checkpoint(&self, tenant: TenantId) -> Answer<Option<Bytes>> {
        self.read("checkpoint", move |t| t.checkpoint(tenant), intact)
    }
    fn put_checkpoint(&self, tenant: TenantId, size: u64, note: Bytes) -> Answer<()> {
        self.write("put_checkpoint", move |t| t.put_checkpoint(tenant, size, note))
    }
    fn side_put(&self, tenant: TenantId, table: u8, row: SideRow) -> Answer<()> {
        self.write("side_put", move |t| t.side_put(tenant, table, row))
    }
    fn side_get(&self, tenant: TenantId, table: u8, key: [u8; 32]) -> Answer<Option<SideRow>> {
        let damage = |row: &mut Option<SideRow>, random: &SeededRandom| {
            if let Some(row) = row {
                flip(&mut row.value, random);
            }
        };
        self.read("side_get", move |t| t.side_get(tenant, table, key), damage)
    }
    fn side_delete(&self, tenant: TenantId, table: u8, key: [u8; 32]) -> Answer<bool> {
        self.write("side_delete", move |t| t.side_delete(tenant, table, key))
    }
    fn side_list(&self, tenant: TenantId, table: u8) -> Answer<Vec<SideRow>> {
        self.read("side_list", move |t| t.side_list(tenant, table), intact)
    }
    fn purge(&self, now: i64) -> Answer<u64> {
        self.write("purge", move |t| t.purge(now))
    }
    fn stats(&self) -> Answer<StoreStats> {
        self.read("stats", Tables::stats, intact)
    }
    fn check(&self) -> Answer<Vec<String>> {
        self.read("check", |_| Vec::new(), intact)
    }
    fn backup(&self, _: std::path::PathBuf) -> Answer<()> {
        Box::pin(async { Err(RecordError::Store("a store in memory has no backup".into())) })
    }
}
