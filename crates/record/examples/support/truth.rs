//! What must be in the store, from the reports of those who wrote it; and the comparison with what is.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use keepwell_model::{RecordId, Seq, Stream};
use keepwell_record::{BlockView, Head, RecordError, SideTable, Tenant};

use super::plan::{Plan, PlanPart, SHARED_ALIAS, alias, author, body, hex, manner, recognise, unhex};
use super::workload::{Line, stream_name};

/// The side table that is written to.
pub(crate) const SIDE: SideTable = SideTable::Task;

/// A block that is known to be durable.
pub(crate) struct Block {
    hash: [u8; 32],
    pub(crate) op: u64,
    pub(crate) part: usize,
    /// Number and length of each entry; no length for a deletion.
    pub(crate) entries: Vec<(u32, Option<usize>)>,
}

#[derive(Default)]
pub(crate) struct Record {
    pub(crate) care: Vec<Block>,
    access: Vec<Block>,
    pub(crate) erased: bool,
}

impl Record {
    pub(crate) const fn blocks(&self, stream: Stream) -> &Vec<Block> {
        match stream {
            Stream::Care => &self.care,
            Stream::Access => &self.access,
        }
    }
}

enum Outcome {
    /// No answer came.
    Open,
    Done(Vec<(u64, String, Vec<u32>)>),
    Refused,
}

#[derive(Default)]
pub(crate) struct Truth {
    pub(crate) records: BTreeMap<RecordId, Record>,
    /// Operations since the last check.
    ops: BTreeMap<u64, (Plan, Outcome)>,
    /// Where the parts of an operation are.
    placed: HashMap<(u64, usize), (RecordId, Stream, usize)>,
    /// Aliases that must lead somewhere.
    aliases: BTreeMap<String, RecordId>,
    /// The operations whose value a side row may have; 0 for no row.
    side: BTreeMap<String, Vec<u64>>,
    erasing: BTreeMap<RecordId, bool>,
    checkpoint: Option<String>,
    pub(crate) acknowledged: u64,
    pub(crate) wrong: Vec<String>,
}

impl Truth {
    /// Takes in a line of a report.
    pub(crate) fn hear(&mut self, line: Line) {
        let mut outcome = |op: u64, outcome: Outcome| {
            if let Some((_, known)) = self.ops.get_mut(&op) {
                *known = outcome;
            }
        };
        match line {
            Line::Ready => {}
            Line::Try(plan) => {
                self.ops.insert(plan.op, (plan, Outcome::Open));
            }
            Line::Done(op, heads) => {
                outcome(op, Outcome::Done(heads));
                self.acknowledged += 1;
            }
            Line::Refused(op, _) => outcome(op, Outcome::Refused),
            Line::Unknown(op) => outcome(op, Outcome::Open),
            Line::SideTry(key, op) => self.side.entry(key).or_insert_with(|| vec![0]).push(op),
            Line::SideDone(key, op) => {
                self.side.insert(key, vec![op]);
                self.acknowledged += 1;
            }
            Line::EraseTry(record) => {
                self.erasing.insert(record, false);
            }
            Line::EraseDone(record) => {
                self.erasing.insert(record, true);
                self.acknowledged += 1;
            }
            Line::Logged(note) => self.checkpoint = Some(note),
            Line::Wrong(what) => self.wrong.push(what),
        }
    }

    fn fault(&mut self, what: String) {
        self.wrong.push(what);
    }

    /// Compares everything that was touched since the last check.
    pub(crate) async fn check(&mut self, tenant: &Tenant) -> Result<(), RecordError> {
        self.check_erasures(tenant).await?;
        let parts = self.ops.values().flat_map(|(plan, _)| plan.parts.iter().map(|part| (part.record, part.access)));
        let touched: BTreeSet<(RecordId, bool)> = parts.collect();
        for (record, access) in touched {
            let stream = if access { Stream::Access } else { Stream::Care };
            self.check_stream(tenant, record, stream).await?;
        }
        for (plan, outcome) in std::mem::take(&mut self.ops).into_values() {
            self.check_op(tenant, &plan, &outcome).await?;
        }
        for (key, possible) in &mut self.side {
            let found = tenant.side_get(SIDE, key.as_bytes()).await?;
            let op = found.as_ref().map_or(Some(0), |value| recognise(value).map(|(op, ..)| op));
            match op.filter(|op| possible.contains(op)) {
                Some(op) => *possible = vec![op],
                None => self.wrong.push(format!("side row {key} has {op:?} and should have one of {possible:?}")),
            }
        }
        if let Some(note) = &self.checkpoint
            && let Err(error) = tenant.check_continues(&unhex(note)).await
        {
            self.fault(format!("the log does not continue the last checkpoint: {error}"));
        }
        Ok(())
    }

    async fn check_erasures(&mut self, tenant: &Tenant) -> Result<(), RecordError> {
        for (record, acknowledged) in std::mem::take(&mut self.erasing) {
            let open = tenant.open(record).await?;
            if acknowledged && open.is_some() {
                self.fault(format!("{record} was erased and is there"));
            }
            if open.is_none() {
                if tenant.erasures().await?.iter().all(|erasure| erasure.record != record) {
                    self.fault(format!("{record} was erased and has no stub"));
                }
                self.records.entry(record).or_default().erased = true;
            }
        }
        Ok(())
    }

    /// Reads the blocks of a stream that were not known yet.
    async fn check_stream(&mut self, tenant: &Tenant, record: RecordId, stream: Stream) -> Result<(), RecordError> {
        let known = self.records.entry(record).or_default();
        if known.erased {
            return Ok(());
        }
        let blocks = known.blocks(stream);
        let (count, last) = (blocks.len(), blocks.last().map_or([0; 32], |block| block.hash));
        let head = tenant.head(record, stream).await?.unwrap_or_default();
        let name = format!("{record} {}", stream_name(stream));
        if head.seq.0 < count as u64 || (head.seq.0 == count as u64 && head.hash != last) {
            self.fault(format!("{name} had {count} blocks and now has {head:?}"));
            return Ok(());
        }
        let mut before = Head { seq: Seq(count as u64), hash: last };
        while before.seq < head.seq {
            let views = tenant.blocks(record, stream, before.seq.next(), 500).await?;
            for view in &views {
                if view.previous != before.hash {
                    self.fault(format!("{name} {} does not follow what was known", view.seq));
                }
                before = Head { seq: view.seq, hash: view.hash };
                self.take_in(record, stream, view);
            }
            if views.is_empty() {
                self.fault(format!("{name} ends at {} before its head {}", before.seq, head.seq));
                break;
            }
        }
        Ok(())
    }

    /// Recognises a new block as a part of an operation that was tried.
    fn take_in(&mut self, record: RecordId, stream: Stream, view: &BlockView) {
        let name = format!("{record} {} {}", stream_name(stream), view.seq);
        let first = view.entries.iter().find_map(|entry| entry.body.as_ref().and_then(|body| recognise(body)));
        let Some((op, part, _)) = first else { return self.fault(format!("{name} holds nothing that was written")) };
        let plan = self.ops.get(&op).and_then(|(plan, _)| plan.parts.get(part));
        let fits =
            plan.is_some_and(|plan| plan.record == record && plan.stream() == stream && same(op, part, plan, view));
        if !fits {
            self.fault(format!("{name} is not what operation {op} wrote there"));
        }
        let entries = view.entries.iter().map(|entry| (entry.number.0, entry.body.as_ref().map(|body| body.len())));
        let block = Block { hash: view.hash, op, part, entries: entries.collect() };
        let known = self.records.entry(record).or_default();
        let blocks = if stream == Stream::Care { &mut known.care } else { &mut known.access };
        blocks.push(block);
        if self.placed.insert((op, part), (record, stream, blocks.len() - 1)).is_some() {
            self.fault(format!("operation {op} was applied twice, the second time as {name}"));
        }
    }

    /// An operation is there whole or not at all, and as its answer said.
    async fn check_op(&mut self, tenant: &Tenant, plan: &Plan, outcome: &Outcome) -> Result<(), RecordError> {
        let op = plan.op;
        let erased = |truth: &Self, part: &PlanPart| truth.records.get(&part.record).is_some_and(|r| r.erased);
        let mut there = 0;
        let mut missing = 0;
        for (at, part) in plan.parts.iter().enumerate() {
            match self.placed.get(&(op, at)) {
                Some(_) => there += 1,
                None if erased(self, part) => {}
                None => missing += 1,
            }
        }
        if there > 0 && missing > 0 {
            self.fault(format!("operation {op} is half applied: {there} parts are there, {missing} are not"));
        }
        match outcome {
            Outcome::Done(_) if missing > 0 => self.fault(format!("operation {op} was acknowledged and is lost")),
            Outcome::Done(heads) => {
                for (at, answered) in heads.iter().enumerate() {
                    if !self.is_at(op, at, answered) && !erased(self, &plan.parts[at]) {
                        self.fault(format!("part {at} of operation {op} is not where its answer said"));
                    }
                }
            }
            Outcome::Refused if there > 0 => self.fault(format!("operation {op} was refused and is there")),
            Outcome::Refused | Outcome::Open => {}
        }
        for part in &plan.parts {
            for value in part.attach.iter().filter(|value| !value.starts_with(SHARED_ALIAS)) {
                let expected = (there > 0 && !erased(self, part)).then_some(part.record);
                let found = tenant.look_up(&alias(value)).await?;
                if found != expected {
                    self.fault(format!("alias {value} leads to {found:?} instead of {expected:?}"));
                }
                expected.map(|record| self.aliases.insert(value.clone(), record));
            }
        }
        Ok(())
    }

    fn is_at(&self, op: u64, part: usize, (seq, hash, numbers): &(u64, String, Vec<u32>)) -> bool {
        let Some((record, stream, at)) = self.placed.get(&(op, part)) else { return false };
        let block = &self.records[record].blocks(*stream)[*at];
        let same_numbers = block.entries.iter().map(|(number, _)| number).eq(numbers);
        *at as u64 + 1 == *seq && hex(&block.hash) == *hash && same_numbers
    }

    /// Tries some operations once more that were tried with an idempotency key: what is there must be answered as
    /// before, what is not may now be done.
    pub(crate) async fn retry(&mut self, tenant: &Tenant, plans: Vec<Plan>) -> Result<(), RecordError> {
        for plan in plans.into_iter().filter(|plan| plan.keyed) {
            let gone = |part: &PlanPart| self.records.get(&part.record).is_none_or(|record| record.erased);
            if plan.parts.iter().any(gone) {
                continue;
            }
            let op = plan.op;
            let there = self.placed.contains_key(&(op, 0));
            let answer = tenant.commit(plan.commit()).await;
            match answer {
                Ok(done) => {
                    if done.repeated != there {
                        self.fault(format!("operation {op}: repeated is {}, there is {there}", done.repeated));
                    }
                    let heads: Vec<_> = done
                        .parts
                        .iter()
                        .map(|p| (p.head.seq.0, hex(&p.head.hash), p.numbers.iter().map(|n| n.0).collect()))
                        .collect();
                    if there {
                        if (0..heads.len()).any(|at| !self.is_at(op, at, &heads[at])) {
                            self.fault(format!("operation {op} got another answer the second time"));
                        }
                    } else {
                        self.hear(Line::Try(plan));
                        self.hear(Line::Done(op, heads));
                    }
                }
                Err(error) if there => self.fault(format!("operation {op} is there and was refused: {error}")),
                Err(_) => {}
            }
        }
        self.check(tenant).await
    }

    /// The operations since the last check that had no answer, and some that had.
    pub(crate) fn to_retry(&self, most: usize) -> Vec<Plan> {
        let open = self.ops.values().filter(|(_, outcome)| matches!(outcome, Outcome::Open));
        let done = self.ops.values().filter(|(_, outcome)| matches!(outcome, Outcome::Done(_)));
        open.take(most).chain(done.take(2)).map(|(plan, _)| plan.clone()).collect()
    }

    /// Compares everything there ever was, and has the store verify itself.
    pub(crate) async fn check_all(&mut self, tenant: &Tenant) -> Result<(), RecordError> {
        // As a server does when it starts: what a crash left waiting goes into the log and is signed.
        tenant.extend_log().await?;
        let verified = tenant.verify(&mut |_| {}).await?;
        self.wrong.extend(verified.faults.into_iter().map(|fault| format!("verify: {fault}")));
        let listed: BTreeSet<RecordId> = tenant.records(None, u32::MAX).await?.into_iter().collect();
        let mut wrong = Vec::new();
        for (&record, known) in &self.records {
            let live = !known.erased && !known.care.is_empty();
            if listed.contains(&record) != live {
                wrong.push(format!("{record} is listed: {}, should be: {live}", !live));
            }
            let open = tenant.open(record).await?;
            let Some(open) = open.filter(|_| live) else { continue };
            let mut current: BTreeMap<u32, Option<bytes::Bytes>> = BTreeMap::new();
            for block in &known.care {
                for (at, (number, len)) in block.entries.iter().enumerate() {
                    current.insert(*number, len.map(|len| body(block.op, block.part, at, len)));
                }
            }
            let mut found = BTreeMap::new();
            for entry in open.all_entries() {
                let body = if entry.is_deleted() { None } else { Some(open.body(&entry).await?) };
                found.insert(entry.number().0, body);
            }
            if found != current {
                wrong.push(format!("the entries of {record} are not what its blocks say"));
            }
        }
        for (value, record) in &self.aliases {
            let expected = (!self.records[record].erased).then_some(*record);
            if tenant.look_up(&alias(value)).await? != expected {
                wrong.push(format!("alias {value} does not lead to {expected:?}"));
            }
        }
        self.wrong.extend(wrong);
        Ok(())
    }
}

/// Whether a block is exactly what a part of a plan says.
fn same(op: u64, part: usize, plan: &PlanPart, view: &BlockView) -> bool {
    let entries = view.entries.iter().zip(&plan.entries).enumerate();
    let mut each = entries.map(|(at, (entry, planned))| {
        let (kind, labels, source) = manner(op, part, at);
        let content = match (&entry.body, planned.len) {
            (None, None) => true,
            (Some(body), Some(len)) => {
                recognise(body) == Some((op, part, at)) && *body == self::body(op, part, at, len)
            }
            _ => false,
        };
        content
            && (&entry.kind, entry.labels, &entry.source) == (&kind, labels, &source)
            && planned.number.is_none_or(|number| number == entry.number.0)
    });
    view.entries.len() == plan.entries.len() && view.author == author(op) && each.all(|same| same)
}
