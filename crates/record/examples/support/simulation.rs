//! One simulated world: what its seed chooses, its lives between crashes, and the comparison after each.

use std::collections::BTreeMap;
use std::sync::Arc;

use keepwell_model::{ManualClock, RecordId, SeededRandom, TenantId, Timestamp};
use keepwell_record::{Engine, EngineConfig, RecordError, RootKey, RootKeys, Tenant};
use tokio::task::JoinHandle;

use super::clients::{BEGIN, Client, Watching, watch};
use super::mem_store::{Faults, MemStore, Shared, World, lock};
use super::plan::{SHARED_ALIAS, alias};
use super::truth::Truth;

/// How one seed went.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) trace: u64,
    pub(crate) acknowledged: u64,
    pub(crate) conflicts: u64,
    pub(crate) reads: u64,
    pub(crate) crashes: u64,
    pub(crate) wrong: Vec<String>,
}

/// With nothing to do for so many rounds, everyone waits for someone who will not come.
const STANDSTILL: u32 = 300;

struct Simulation {
    seed: u64,
    random: SeededRandom,
    world: Shared,
    clock: Arc<ManualClock>,
    root: RootKeys,
    config: EngineConfig,
    faults: Faults,
    truth: Truth,
    watching: Watching,
    aliases: BTreeMap<String, RecordId>,
    replayed: usize,
    outcome: Outcome,
    talk: bool,
}

/// Runs one seed; with `talk`, tells what happens.
pub(crate) fn run(seed: u64, talk: bool) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime can be made");
    runtime.block_on(Simulation::new(seed, talk).run())
}

impl Simulation {
    fn new(seed: u64, talk: bool) -> Self {
        let random = SeededRandom::new(seed);
        // Each kind of fault is absent in some worlds, so that none hides another.
        let some = |most: u64| if random.below(3) == 0 { 0 } else { random.below(most) };
        let faults =
            Faults { refused: some(60), unknown: some(80), unread: some(30), damaged: some(40), batch: some(40) };
        let config = EngineConfig {
            cache_bytes: [2_000, 60_000, 64 << 20][usize::try_from(random.below(3)).expect("small")],
            snapshot_after: 2 + u32::try_from(random.below(12)).expect("small"),
            ..EngineConfig::default()
        };
        Self {
            seed,
            world: World::new(seed, Faults::default(), random.below(2) == 0),
            clock: Arc::new(ManualClock::new(Timestamp::from_micros(BEGIN))),
            root: RootKeys::only(RootKey::random(&random)),
            random,
            config,
            faults,
            truth: Truth::default(),
            watching: Watching::default(),
            aliases: BTreeMap::new(),
            replayed: 0,
            outcome: Outcome::default(),
            talk,
        }
    }

    async fn run(mut self) -> Outcome {
        let lives = 1 + self.random.below(4);
        for life in 0..lives {
            lock(&self.world).faults = Faults::default();
            let Some((engine, tenant)) = self.begin(life).await else { break };
            self.live(&engine, &tenant, life).await;
            drop((engine, tenant));
            lock(&self.world).faults = Faults::default();
            let Some((_engine, tenant)) = self.begin(life + 100).await else { break };
            self.compare(tenant, life + 1 == lives).await;
            if !self.truth.wrong.is_empty() {
                break;
            }
        }
        self.outcome.acknowledged = self.truth.acknowledged;
        self.outcome.conflicts = watch(&self.watching).conflicts;
        self.outcome.trace = lock(&self.world).trace;
        self.outcome.wrong.extend(std::mem::take(&mut self.truth.wrong));
        self.outcome
    }

    /// Opens an engine as a start of the process does.
    async fn begin(&mut self, life: u64) -> Option<(Engine, Tenant)> {
        let random = Arc::new(SeededRandom::new(self.seed.wrapping_mul(1_000_003).wrapping_add(life)));
        let store = Arc::new(MemStore::new(&self.world));
        let engine = Engine::new(store, self.root.clone(), self.clock.clone(), random, self.config);
        let opening = {
            let engine = engine.clone();
            tokio::spawn(async move {
                match engine.tenant(TenantId(1)).await {
                    Err(RecordError::NoSuchTenant(_)) => engine.create_tenant(TenantId(1), "Leeds").await,
                    other => other,
                }
            })
        };
        match self.drive(opening).await {
            Some(Ok(tenant)) => Some((engine, tenant)),
            Some(Err(error)) => {
                self.truth.wrong.push(format!("the store does not open: {error}"));
                None
            }
            None => None,
        }
    }

    /// Lets the world go on until a task has ended.
    async fn drive<T>(&mut self, task: JoinHandle<T>) -> Option<T> {
        let mut idle = 0;
        while !task.is_finished() {
            idle = if self.step().await { 0 } else { idle + 1 };
            if idle > STANDSTILL {
                self.truth.wrong.push("everyone waits and nothing is left to happen".into());
                task.abort();
                return None;
            }
        }
        match task.await {
            Ok(value) => Some(value),
            Err(error) => {
                self.truth.wrong.push(format!("a task ended badly: {error}"));
                None
            }
        }
    }

    async fn step(&self) -> bool {
        for _ in 0..=self.random.below(3) {
            tokio::task::yield_now().await;
        }
        lock(&self.world).step()
    }

    /// The clients run until they are done, or until the process dies.
    async fn live(&mut self, engine: &Engine, tenant: &Tenant, life: u64) {
        lock(&self.world).faults = self.faults;
        let things = 8 + self.random.below(24);
        let clients = 2 + self.random.below(8);
        let mut tasks: Vec<JoinHandle<()>> = Vec::new();
        for number in 0..clients {
            let client = Client {
                engine: engine.clone(),
                tenant: tenant.clone(),
                clock: Arc::clone(&self.clock),
                watching: Arc::clone(&self.watching),
                random: SeededRandom::new(self.seed ^ (life << 40) ^ (number << 32) ^ 0x00c1_1e47),
                number,
                next: (life << 32) | (number << 24),
                damaged: self.faults.damaged > 0,
            };
            tasks.push(tokio::spawn(client.run(things)));
        }
        let until = (self.random.below(3) > 0).then(|| self.random.below(clients * things * 6));
        let begun = lock(&self.world).steps;
        let mut idle = 0;
        while tasks.iter().any(|task| !task.is_finished()) {
            if until.is_some_and(|until| lock(&self.world).steps - begun > until) {
                break;
            }
            idle = if self.step().await { 0 } else { idle + 1 };
            if idle > STANDSTILL {
                self.truth.wrong.push("every client waits and nothing is left to happen".into());
                break;
            }
        }
        for task in tasks {
            task.abort();
            match task.await {
                Err(error) if error.is_panic() => self.truth.wrong.push(format!("a client panicked: {error}")),
                Err(_) | Ok(()) => {}
            }
        }
        lock(&self.world).crash();
        self.outcome.crashes += 1;
    }

    /// With the world at rest: everything that was said, against everything that is.
    async fn compare(&mut self, tenant: Tenant, all: bool) {
        let lines = std::mem::take(&mut watch(&self.watching).lines);
        for line in lines {
            let text = serde_json::to_string(&line).expect("plain data");
            if self.talk {
                eprintln!("{text}");
            }
            lock(&self.world).note(text.as_bytes());
            self.truth.hear(line);
        }
        let mut truth = std::mem::take(&mut self.truth);
        let checking = tokio::spawn({
            let tenant = tenant.clone();
            async move {
                let retry = truth.to_retry(5);
                let checked = async {
                    truth.check(&tenant).await?;
                    truth.retry(&tenant, retry).await?;
                    if all { truth.check_all(&tenant).await } else { Ok(()) }
                };
                let checked = checked.await;
                (truth, checked)
            }
        });
        let Some((truth, checked)) = self.drive(checking).await else { return };
        self.truth = truth;
        if let Err(error) = checked {
            self.truth.wrong.push(format!("with a store that works again: {error}"));
        }
        self.compare_observations();
        self.replay_aliases();
        for value in (0..4).map(|n| format!("{SHARED_ALIAS} {n}")) {
            let expected = self.aliases.get(&value).copied();
            let asking = tokio::spawn({
                let (tenant, value) = (tenant.clone(), value.clone());
                async move { tenant.look_up(&alias(&value)).await }
            });
            let found = self.drive(asking).await;
            if !matches!(&found, Some(Ok(found)) if *found == expected) {
                self.truth.wrong.push(format!("alias {value} leads to {found:?} and should to {expected:?}"));
            }
        }
    }

    /// What clients saw must be what the model has at that version.
    fn compare_observations(&mut self) {
        for (record, seq, seen) in std::mem::take(&mut watch(&self.watching).observations) {
            self.outcome.reads += 1;
            if let Some(expected) = self.truth.entries_at(record, seq)
                && expected != seen
            {
                self.truth.wrong.push(format!("{record} at {seq} was seen as {seen:?} and is {expected:?}"));
            }
        }
    }

    /// The aliases that the commits give, one after the other in the order in which they were applied.
    fn replay_aliases(&mut self) {
        let applied: Vec<_> = lock(&self.world).tables.applied[self.replayed..].to_vec();
        self.replayed += applied.len();
        let watch = watch(&self.watching);
        for (record, stream, seq) in applied {
            let Some((op, part)) = self.truth.written_by(record, stream, seq) else { continue };
            let Some(part) = watch.plans.get(&op).and_then(|plan| plan.parts.get(part)) else { continue };
            for value in part.detach.iter().filter(|value| value.starts_with(SHARED_ALIAS)) {
                if self.aliases.get(value) == Some(&record) {
                    self.aliases.remove(value);
                }
            }
            for value in part.attach.iter().filter(|value| value.starts_with(SHARED_ALIAS)) {
                let before = self.aliases.insert(value.clone(), record);
                if before.is_some_and(|before| before != record && !watch.erasing.contains(&before)) {
                    self.truth.wrong.push(format!("operation {op} took alias {value} from {before:?}"));
                }
            }
        }
        let truth = &self.truth;
        self.aliases.retain(|_, record| !truth.is_erased(*record));
    }
}
