//! A store with something of everything in it, and a reader that compares all of it with what was written.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use keepwell_model::{EntryNumber, ManualClock, RecordId, SeededRandom, Seq, Stream, Timestamp};
use keepwell_record::{
    Alias, Commit, Committed, Engine, EngineConfig, Expect, IdempotencyKey, Part, RecordError, RootKey, RootKeys,
    SideTable, SqliteStore, Tenant,
};

use crate::fixture::{TENANT, author, put};

/// What a reader found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Content that was never written: must not happen, whatever is damaged.
    pub(super) wrong: Vec<String>,
    /// Things that were written and are said not to be there: a check must find out why.
    pub(super) absent: Vec<String>,
    /// Errors that say that something is damaged.
    pub(super) errors: Vec<String>,
}

impl Found {
    pub(super) fn all_is_well(&self) -> bool {
        self.wrong.is_empty() && self.absent.is_empty() && self.errors.is_empty()
    }
}

/// Everything that was written.
#[derive(Default)]
pub(super) struct Truth {
    bodies: BTreeMap<RecordId, Vec<(u32, String)>>,
    looks: BTreeMap<RecordId, Vec<String>>,
    aliases: Vec<(Alias, RecordId)>,
    sides: Vec<(String, String)>,
    keyed: Vec<(Commit, Committed)>,
    erased: Vec<RecordId>,
}

/// Opens the store in a file, as a start of the process does.
pub(super) async fn open(file: &Path) -> Result<(Engine, Tenant), RecordError> {
    let root = RootKeys::only(RootKey::from_bytes([5; 32]));
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(1_795_426_200_000_000)));
    let random = Arc::new(SeededRandom::new(11));
    let config = EngineConfig { snapshot_after: 6, ..EngineConfig::default() };
    let engine = Engine::new(Arc::new(SqliteStore::open(file)?), root, clock, random, config);
    let tenant = match engine.tenant(TENANT).await {
        Err(RecordError::NoSuchTenant(_)) => engine.create_tenant(TENANT, "Leeds").await?,
        other => other?,
    };
    Ok((engine, tenant))
}

fn text(seed: u64, len: usize) -> String {
    let random = SeededRandom::new(seed);
    (0..len).map(|_| char::from(b'a' + u8::try_from(random.below(26)).unwrap())).collect()
}

impl Truth {
    /// Writes records of mixed sizes, some long enough for snapshots, with changes, deletions, aliases, lines of who
    /// looked, side rows, idempotency keys, an erased record, and a log over it all.
    pub(super) async fn write(tenant: &Tenant) -> Self {
        let mut truth = Self::default();
        for n in 0..10u64 {
            truth.write_record(tenant, n).await;
        }
        for n in 0..8u64 {
            let (key, value) = (format!("session {n}"), text(900 + n, 80));
            tenant.side_put(SideTable::Session, key.as_bytes(), value.as_bytes(), None).await.unwrap();
            truth.sides.push((key, value));
        }
        let erased = *truth.bodies.keys().nth(3).unwrap();
        tenant.extend_log().await.unwrap();
        tenant.erase(erased, "a court").await.unwrap();
        truth.bodies.remove(&erased);
        truth.looks.remove(&erased);
        truth.aliases.retain(|(_, record)| *record != erased);
        truth.keyed.retain(|(commit, _)| commit.parts[0].record != erased);
        truth.erased.push(erased);
        truth
    }

    /// Writes some more.
    pub(super) async fn and_more(mut self, tenant: &Tenant) -> Self {
        for n in 10..14u64 {
            self.write_record(tenant, n).await;
        }
        self
    }

    async fn write_record(&mut self, tenant: &Tenant, n: u64) {
        let record = tenant.new_record_id();
        let alias = Alias { system: "https://fhir.nhs.uk/Id/nhs-number".into(), value: format!("90000000{n:02}") };
        let size = [40, 300, 2_000, 9_000][usize::try_from(n % 4).unwrap()];
        let mut entries: BTreeMap<u32, String> = BTreeMap::new();
        for block in 0..[3, 14][usize::from(n.is_multiple_of(3))] {
            let body = text(n * 100 + block, size);
            let mut writes = vec![put(&body)];
            if block == 2 {
                // The first entry is changed, and in some records deleted.
                let mut change = put(&text(n, 50));
                change.number = Some(EntryNumber(1));
                if n.is_multiple_of(2) {
                    change.body = None;
                    entries.remove(&1);
                } else {
                    entries.insert(1, text(n, 50));
                }
                writes.push(change);
            }
            let expect = if block == 0 { Expect::New } else { Expect::Any };
            let mut part = Part::new(record, Stream::Care, expect, writes);
            if block == 0 {
                part.attach.push(alias.clone());
            }
            let idempotency = (block < 2).then(|| IdempotencyKey::of(format!("{n} {block}").as_bytes()));
            let commit = Commit { author: author(), idempotency, parts: vec![part] };
            let committed = tenant.commit(commit.clone()).await.unwrap();
            entries.insert(committed.parts[0].numbers[0].0, body);
            if block == 1 {
                self.keyed.push((commit, committed));
            }
        }
        for look in 0..2 {
            let line = text(n * 7 + look, 60);
            let part = Part::new(record, Stream::Access, Expect::Any, vec![put(&line)]);
            tenant.commit(Commit { author: author(), idempotency: None, parts: vec![part] }).await.unwrap();
            self.looks.entry(record).or_default().push(line);
        }
        if n.is_multiple_of(3) {
            tenant.fold(record).await.unwrap();
        }
        self.aliases.push((alias, record));
        self.bodies.insert(record, entries.into_iter().collect());
    }

    /// Reads everything and compares.
    pub(super) async fn compare(&self, tenant: &Tenant) -> Found {
        let mut found = Found::default();
        for (record, expected) in &self.bodies {
            match self.entries(tenant, *record).await {
                Ok(Some(entries)) if entries == *expected => {}
                Ok(Some(_)) => found.wrong.push(format!("the entries of {record}")),
                Ok(None) => found.absent.push(format!("record {record}")),
                Err(error) => found.errors.push(error.to_string()),
            }
        }
        for (record, expected) in &self.looks {
            match tenant.blocks(*record, Stream::Access, Seq(1), 100).await {
                Ok(blocks) => {
                    let bodies = blocks.iter().flat_map(|block| &block.entries).filter_map(|entry| entry.body.clone());
                    let lines: Vec<String> = bodies.map(|body| String::from_utf8_lossy(&body).into_owned()).collect();
                    if !expected.starts_with(&lines) {
                        found.wrong.push(format!("who looked at {record}"));
                    } else if lines.len() < expected.len() {
                        found.absent.push(format!("who looked at {record}"));
                    }
                }
                Err(error) => found.errors.push(error.to_string()),
            }
        }
        for (alias, record) in &self.aliases {
            match tenant.look_up(alias).await {
                Ok(Some(there)) if there == *record => {}
                Ok(Some(there)) => found.wrong.push(format!("an alias of {record} leads to {there}")),
                Ok(None) => found.absent.push(format!("an alias of {record}")),
                Err(error) => found.errors.push(error.to_string()),
            }
        }
        for (key, value) in &self.sides {
            match tenant.side_get(SideTable::Session, key.as_bytes()).await {
                Ok(Some(there)) if there == value.as_bytes() => {}
                Ok(Some(_)) => found.wrong.push(key.clone()),
                Ok(None) => found.absent.push(key.clone()),
                Err(error) => found.errors.push(error.to_string()),
            }
        }
        for record in &self.erased {
            match tenant.open(*record).await {
                Ok(None) => {}
                Ok(Some(_)) => found.wrong.push(format!("{record} was erased and is there")),
                Err(error) => found.errors.push(error.to_string()),
            }
        }
        if tenant.name() != "Leeds" {
            found.wrong.push(format!("the tenant is called {}", tenant.name()));
        }
        found
    }

    async fn entries(&self, tenant: &Tenant, record: RecordId) -> Result<Option<Vec<(u32, String)>>, RecordError> {
        let Some(open) = tenant.open(record).await? else { return Ok(None) };
        let mut entries = Vec::new();
        for entry in open.entries() {
            let body = open.body(&entry).await?;
            entries.push((entry.number().0, String::from_utf8_lossy(&body).into_owned()));
        }
        Ok(Some(entries))
    }

    /// Sends commits again that were acknowledged: each must get the answer of then. This writes if the store has lost
    /// sight of a key, so it comes last.
    pub(super) async fn repeat(&self, tenant: &Tenant, found: &mut Found) {
        for (commit, answer) in &self.keyed {
            match tenant.commit(commit.clone()).await {
                Ok(again) if again.repeated && again.parts == answer.parts => {}
                Ok(again) if again.repeated => found.wrong.push(format!("{again:?} instead of {answer:?}")),
                Ok(_) => found.absent.push("an idempotency key".into()),
                Err(error) => found.errors.push(error.to_string()),
            }
        }
    }
}
