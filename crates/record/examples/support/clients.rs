//! Simulated clients: each does a number of random things through the engine and reports every answer that cannot be
//! right. What only shows later (a lost or doubled commit, say) is found by the truth when the world stands still.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use keepwell_model::{ManualClock, RecordId, SeededRandom, Seq, Stream, Timestamp};
use keepwell_record::{Committed, Engine, OpenRecord, RecordError, Tenant};

use super::plan::{Plan, PlanEntry, PlanExpect, PlanPart, SHARED_ALIAS, alias, body, hex, recognise};
use super::truth::SIDE;
use super::workload::Line;

/// The moment at which every simulation begins.
pub(crate) const BEGIN: i64 = 1_795_426_200_000_000;

/// The state of a record that a client saw: entry numbers and who wrote their newest version.
pub(crate) type Seen = BTreeMap<u32, Option<(u64, usize, usize)>>;

/// What the clients know of each other.
#[derive(Default)]
pub(crate) struct Watch {
    pub(crate) lines: Vec<Line>,
    pub(crate) plans: BTreeMap<u64, Plan>,
    pub(crate) records: Vec<RecordId>,
    pub(crate) observations: Vec<(RecordId, Seq, Seen)>,
    pub(crate) erasing: BTreeSet<RecordId>,
    /// The newest acknowledged block of each stream.
    floor: BTreeMap<(RecordId, Stream), u64>,
    /// Things begun on a record, and how many of them have not ended.
    begun: BTreeMap<RecordId, (u64, u64)>,
    wanted: BTreeMap<String, BTreeSet<RecordId>>,
    pub(crate) conflicts: u64,
}

pub(crate) type Watching = Arc<Mutex<Watch>>;

pub(crate) fn watch(watching: &Watching) -> MutexGuard<'_, Watch> {
    watching.lock().expect("no panic while held")
}

/// Something being done to a record; ends when it is dropped.
struct Touch {
    watching: Watching,
    record: RecordId,
    begun: u64,
    alone: bool,
}

impl Touch {
    fn begin(watching: &Watching, record: RecordId) -> Self {
        let (begun, alone) = {
            let mut watch = watch(watching);
            let (begun, running) = watch.begun.entry(record).or_default();
            *begun += 1;
            *running += 1;
            (*begun, *running == 1)
        };
        Self { watching: Arc::clone(watching), record, begun, alone }
    }

    /// Whether nothing else was done to the record in the meantime.
    fn was_alone(&self) -> bool {
        self.alone && watch(&self.watching).begun[&self.record].0 == self.begun
    }
}

impl Drop for Touch {
    fn drop(&mut self) {
        if let Some((_, running)) = watch(&self.watching).begun.get_mut(&self.record) {
            *running -= 1;
        }
    }
}

pub(crate) struct Client {
    pub(crate) engine: Engine,
    pub(crate) tenant: Tenant,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) watching: Watching,
    pub(crate) random: SeededRandom,
    pub(crate) number: u64,
    pub(crate) next: u64,
    /// Whether reads may be damaged, so that errors about it are in order.
    pub(crate) damaged: bool,
}

impl Client {
    pub(crate) async fn run(mut self, things: u64) {
        for _ in 0..things {
            self.next += 1;
            match self.random.below(100) {
                0..=11 => self.create().await,
                12..=41 => self.append().await,
                42..=51 => self.several().await,
                52..=57 => self.look().await,
                58..=63 => self.twice().await,
                64..=70 => self.side().await,
                71..=84 => self.read().await,
                85..=89 => self.read_at().await,
                90..=92 => self.erase().await,
                93 => self.result("rotating", self.engine.rotate_tenant(&self.tenant).await.map(drop)),
                94 => self.rotate().await,
                95..=96 => self.log().await,
                97 => self.result("purging", self.tenant.purge().await.map(drop)),
                _ => self.clock.set(Timestamp::from_micros(
                    BEGIN + self.random.below(20 * 86_400_000_000).cast_signed() - 10 * 86_400_000_000,
                )),
            }
        }
    }

    fn say(&self, line: Line) {
        watch(&self.watching).lines.push(line);
    }

    fn wrong(&self, what: String) {
        self.say(Line::Wrong(what));
    }

    /// Errors that a faulty store may lead to are in order; all others are not.
    fn result(&self, doing: &str, result: Result<(), RecordError>) {
        let Err(error) = result else { return };
        let fine = match error {
            RecordError::Store(_) | RecordError::Full | RecordError::Unknown | RecordError::NoSuchRecord(_) => true,
            RecordError::Damaged { .. } | RecordError::DamagedStore { .. } => self.damaged,
            _ => false,
        };
        if !fine {
            self.wrong(format!("{doing}: {error}"));
        }
    }

    fn pick(&self) -> Option<RecordId> {
        let watch = watch(&self.watching);
        let at = self.random.below(watch.records.len().max(1) as u64);
        watch.records.get(usize::try_from(at).expect("small")).copied()
    }

    fn entries(&self) -> Vec<PlanEntry> {
        let len = |()| Some(usize::try_from(60 + self.random.below(120)).expect("small"));
        (0..=self.random.below(3)).map(|_| PlanEntry { number: None, len: len(()) }).collect()
    }

    async fn create(&self) {
        let record = self.tenant.new_record_id();
        let mut part = PlanPart { expect: PlanExpect::New, ..PlanPart::any(record, self.entries()) };
        part.attach.push(format!("{}-own", self.next));
        self.commit(vec![part]).await;
    }

    fn fight_for_alias(&self, part: &mut PlanPart) {
        let value = format!("{SHARED_ALIAS} {}", self.random.below(4));
        let list = if self.random.below(3) == 0 { &mut part.detach } else { &mut part.attach };
        list.push(value);
    }

    async fn append(&self) {
        let Some(record) = self.pick() else { return self.create().await };
        let touch = Touch::begin(&self.watching, record);
        let mut part = PlanPart::any(record, self.entries());
        if self.random.below(3) == 0 {
            let open = match self.tenant.open(record).await {
                Ok(Some(open)) => open,
                other => return self.result("opening", other.map(drop)),
            };
            part.expect = PlanExpect::Head(open.head().seq.0, hex(&open.head().hash));
            if let Some(entry) = open.entries().next() {
                let len = (self.random.below(3) > 0).then_some(90);
                part.entries.push(PlanEntry { number: Some(entry.number().0), len });
            }
        }
        if self.random.below(3) == 0 {
            self.fight_for_alias(&mut part);
        }
        self.commit_touching(vec![part], vec![touch]).await;
    }

    async fn several(&self) {
        let mut parts: Vec<PlanPart> = Vec::new();
        for _ in 0..2 + self.random.below(2) {
            if let Some(record) = self.pick()
                && parts.iter().all(|part| part.record != record)
            {
                parts.push(PlanPart::any(record, self.entries()));
            }
        }
        if parts.is_empty() || self.random.below(3) == 0 {
            let record = self.tenant.new_record_id();
            parts.push(PlanPart { expect: PlanExpect::New, ..PlanPart::any(record, self.entries()) });
        }
        if self.random.below(4) == 0 {
            self.fight_for_alias(&mut parts[0]);
        }
        self.commit(parts).await;
    }

    async fn look(&self) {
        let Some(record) = self.pick() else { return };
        self.commit(vec![PlanPart { access: true, ..PlanPart::any(record, self.entries()) }]).await;
    }

    async fn commit(&self, parts: Vec<PlanPart>) {
        let touches = parts.iter().map(|part| Touch::begin(&self.watching, part.record)).collect();
        self.commit_touching(parts, touches).await;
    }

    fn announce(&self, keyed: bool, parts: Vec<PlanPart>) -> Plan {
        let plan = Plan { op: self.next, keyed, parts };
        let mut watch = watch(&self.watching);
        watch.lines.push(Line::Try(plan.clone()));
        watch.plans.insert(plan.op, plan.clone());
        for part in &plan.parts {
            for value in &part.attach {
                watch.wanted.entry(value.clone()).or_default().insert(part.record);
            }
        }
        plan
    }

    async fn commit_touching(&self, parts: Vec<PlanPart>, touches: Vec<Touch>) {
        let plan = self.announce(self.random.below(3) > 0, parts);
        let mut lost_sight = false;
        for _ in 0..4 {
            match self.tenant.commit(plan.commit()).await {
                Ok(done) => return self.done(&plan, &done),
                Err(RecordError::Unknown) if plan.keyed => lost_sight = true,
                Err(RecordError::Unknown) => return self.say(Line::Unknown(plan.op)),
                Err(error) => {
                    self.refused(&plan, &error, &touches);
                    let certain = matches!(error, RecordError::Conflict { .. } | RecordError::AliasTaken);
                    if !lost_sight || certain {
                        self.say(Line::Refused(plan.op, error.to_string()));
                    }
                    return;
                }
            }
        }
    }

    fn refused(&self, plan: &Plan, error: &RecordError, touches: &[Touch]) {
        match error {
            RecordError::Conflict { record } => {
                watch(&self.watching).conflicts += 1;
                if touches.iter().any(|touch| touch.record == *record && touch.was_alone()) {
                    self.wrong(format!("operation {} met a conflict on {record} and nobody was there", plan.op));
                }
            }
            RecordError::AliasTaken => {
                let watch = watch(&self.watching);
                let rivals = |part: &PlanPart| {
                    part.attach.iter().any(|value| watch.wanted[value].iter().any(|other| *other != part.record))
                };
                let right = plan.parts.iter().any(rivals);
                drop(watch);
                if !right {
                    self.wrong(format!("operation {} was refused an alias that nobody else wanted", plan.op));
                }
            }
            other => self.result("committing", Err(copy(other))),
        }
    }

    fn done(&self, plan: &Plan, done: &Committed) {
        let mut watch = watch(&self.watching);
        let heads = done
            .parts
            .iter()
            .map(|part| (part.head.seq.0, hex(&part.head.hash), part.numbers.iter().map(|number| number.0).collect()));
        watch.lines.push(Line::Done(plan.op, heads.collect()));
        for part in &done.parts {
            let floor = watch.floor.entry((part.record, part.stream)).or_default();
            *floor = (*floor).max(part.head.seq.0);
        }
        for part in &plan.parts {
            if matches!(part.expect, PlanExpect::New) && !watch.records.contains(&part.record) {
                watch.records.push(part.record);
            }
        }
    }

    /// The same commit twice at the same time: it is applied once, and both get the same answer.
    async fn twice(&self) {
        let Some(record) = self.pick() else { return };
        let _touch = Touch::begin(&self.watching, record);
        let plan = self.announce(true, vec![PlanPart::any(record, self.entries())]);
        let (one, two) =
            futures_util::future::join(self.tenant.commit(plan.commit()), self.tenant.commit(plan.commit())).await;
        match (one, two) {
            (Ok(one), Ok(two)) => {
                if one.parts != two.parts || one.repeated == two.repeated {
                    self.wrong(format!("operation {} was sent twice and got {one:?} and {two:?}", plan.op));
                }
                self.done(&plan, &one);
            }
            (Ok(done), Err(error)) | (Err(error), Ok(done)) => {
                self.done(&plan, &done);
                if !matches!(error, RecordError::Conflict { .. }) {
                    self.result("committing twice", Err(error));
                }
            }
            (Err(_), Err(_)) => {}
        }
    }

    async fn side(&self) {
        let key = format!("{}-{}", self.number, self.random.below(3));
        self.say(Line::SideTry(key.clone(), self.next));
        let value = body(self.next, 0, 0, 70);
        match self.tenant.side_put(SIDE, key.as_bytes(), &value, None).await {
            Ok(()) => {
                self.say(Line::SideDone(key.clone(), self.next));
                match self.tenant.side_get(SIDE, key.as_bytes()).await {
                    Ok(Some(found)) if *found == value[..] => {}
                    Ok(other) => {
                        self.wrong(format!("side row {key} was written and now is {:?}", other.map(|o| o.len())))
                    }
                    Err(error) => self.result("reading a side row", Err(error)),
                }
            }
            Err(error) => self.result("writing a side row", Err(error)),
        }
    }

    async fn see(&self, open: &OpenRecord) -> Result<(), RecordError> {
        let mut seen = Seen::new();
        for entry in open.all_entries() {
            let written = if entry.is_deleted() {
                None
            } else {
                let body = open.body(&entry).await?;
                let written = recognise(&body);
                if written.is_none() {
                    self.wrong(format!("{} entry {} is nothing that was written", open.id(), entry.number().0));
                }
                written
            };
            seen.insert(entry.number().0, written);
        }
        watch(&self.watching).observations.push((open.id(), open.head().seq, seen));
        Ok(())
    }

    async fn read(&self) {
        let Some(record) = self.pick() else { return };
        let floor = watch(&self.watching).floor.get(&(record, Stream::Care)).copied().unwrap_or(0);
        match self.tenant.open(record).await {
            Ok(Some(open)) => {
                if open.head().seq.0 < floor {
                    self.wrong(format!("{record} was acknowledged at {floor} and opens at {}", open.head().seq));
                }
                let seen = self.see(&open).await;
                self.result("reading", seen);
            }
            Ok(None) if watch(&self.watching).erasing.contains(&record) => {}
            Ok(None) => self.wrong(format!("{record} is not there")),
            Err(error) => self.result("opening", Err(error)),
        }
        if self.random.below(3) == 0 {
            let value = format!("{SHARED_ALIAS} {}", self.random.below(4));
            let found = self.tenant.look_up(&alias(&value)).await;
            self.result("looking up", found.map(drop));
        }
    }

    async fn read_at(&self) {
        let Some(record) = self.pick() else { return };
        let floor = watch(&self.watching).floor.get(&(record, Stream::Care)).copied().unwrap_or(0);
        let seq = Seq(1 + self.random.below(floor.max(1)));
        match self.tenant.open_at(record, Stream::Care, seq).await {
            Ok(Some(open)) => {
                let seen = self.see(&open).await;
                self.result("reading an earlier version", seen);
            }
            Ok(None) if watch(&self.watching).erasing.contains(&record) => {}
            Ok(None) => self.wrong(format!("{record} has no version {seq}")),
            Err(error) => self.result("opening an earlier version", Err(error)),
        }
    }

    async fn rotate(&self) {
        let Some(record) = self.pick() else { return };
        self.result("rotating a record's key", self.tenant.rotate_record(record).await);
    }

    async fn log(&self) {
        match self.tenant.extend_log().await {
            Ok(_) => match self.tenant.checkpoint().await {
                Ok(Some(opened)) => self.say(Line::Logged(hex(opened.note().to_string().as_bytes()))),
                other => self.result("reading the checkpoint", other.map(drop)),
            },
            Err(error) => self.result("extending the log", Err(error)),
        }
    }

    async fn erase(&self) {
        let Some(record) = self.pick() else { return };
        let _touch = Touch::begin(&self.watching, record);
        watch(&self.watching).erasing.insert(record);
        self.say(Line::EraseTry(record));
        match self.tenant.erase(record, "simulation").await {
            Ok(_) => self.say(Line::EraseDone(record)),
            Err(error) => self.result("erasing", Err(error)),
        }
    }
}

/// An error once more, for errors are not cloned.
fn copy(error: &RecordError) -> RecordError {
    match error {
        RecordError::Full => RecordError::Full,
        RecordError::NoSuchRecord(record) => RecordError::NoSuchRecord(*record),
        RecordError::Damaged { record, stream, seq, what, why } => {
            RecordError::Damaged { record: *record, stream: *stream, seq: *seq, what, why }
        }
        RecordError::DamagedStore { what, why } => RecordError::DamagedStore { what, why: why.clone() },
        RecordError::Store(why) => RecordError::Store(why.clone()),
        RecordError::Malformed(why) => RecordError::Malformed(why),
        other => RecordError::Key(other.to_string()),
    }
}
