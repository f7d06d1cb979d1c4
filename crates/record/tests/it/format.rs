//! The committed test vectors of the storage format (docs/storage-format.md, "Test vectors"): today's code reads every
//! set, and writes the newest one again, byte for byte.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use keepwell_model::{EntryNumber, ManualClock, RecordId, SeededRandom, Seq, Stream, TenantId, Timestamp};
use keepwell_record::store::{Append, AppendPart, Appended, HeadRow, SideRow, SnapshotPart};
use keepwell_record::{
    Alias, Engine, EngineConfig, Head, IdempotencyKey, RecordError, RootKey, RootKeys, SideTable, Store, Tenant,
};
use serde_json::{Value, json};

use crate::fixture::{Place, author, commit};

#[path = "../../examples/write_vectors/scenario.rs"]
mod scenario;

use scenario::{hex, stream_name};

fn sets() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/verify/vectors/storage");
    let number = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().parse::<u32>().unwrap();
    let mut sets: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    sets.sort_by_key(number);
    assert!(!sets.is_empty());
    sets
}

fn files(folder: &Path, below: &str, out: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder.join(below)).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        if folder.join(&path).is_dir() {
            files(folder, &path, out);
        } else {
            out.insert(path.clone(), std::fs::read(folder.join(path)).unwrap());
        }
    }
}

#[tokio::test]
async fn todays_code_writes_the_newest_vectors_again_byte_for_byte() {
    let set = sets().pop().unwrap();
    let mut committed = BTreeMap::new();
    files(&set, "", &mut committed);
    let expected: Value = serde_json::from_slice(&committed.remove("expected.json").unwrap()).unwrap();
    let dictionary = u16::try_from(expected["dictionary"].as_u64().unwrap()).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let again = scenario::make(dictionary, scratch.path()).await;
    let advice = "what is written has changed: if that is meant, add a set with the example write_vectors";
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&again.files), names(&committed), "{advice}");
    for (path, bytes) in &committed {
        assert!(again.files[path] == *bytes, "{path}: {advice}");
    }
    assert_eq!(again.expected, expected, "{advice}");
}

#[tokio::test]
async fn every_set_of_vectors_opens_in_sqlite() {
    for set in sets() {
        Set::read(&set).opens_in(&Place::sqlite()).await;
    }
}

#[tokio::test]
async fn every_set_of_vectors_opens_in_postgres() {
    for set in sets() {
        let Some(place) = Place::postgres().await else { return };
        Set::read(&set).opens_in(&place).await;
    }
}

/// One set of vectors.
struct Set {
    files: BTreeMap<String, Vec<u8>>,
    expected: Value,
    tenant: TenantId,
}

fn array<const N: usize>(hex: &Value) -> [u8; N] {
    let hex = hex.as_str().unwrap();
    let bytes = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap());
    bytes.collect::<Vec<u8>>().try_into().unwrap()
}

fn record_id(value: &Value) -> RecordId {
    value.as_str().unwrap().parse().unwrap()
}

fn stream_of(block: &Value) -> Stream {
    if block["stream"] == "care" { Stream::Care } else { Stream::Access }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

impl Set {
    fn read(folder: &Path) -> Self {
        let mut all = BTreeMap::new();
        files(folder, "", &mut all);
        let expected: Value = serde_json::from_slice(&all["expected.json"]).unwrap();
        let tenant = TenantId(u32::try_from(expected["tenant"]["number"].as_u64().unwrap()).unwrap());
        Self { files: all, expected, tenant }
    }

    fn bytes(&self, path: &Value) -> Bytes {
        self.files[path.as_str().unwrap()].clone().into()
    }

    fn root(&self, number: u32) -> RootKeys {
        let line = &self.files[&format!("keys/root-{number}.key")];
        RootKeys::only(RootKey::parse(std::str::from_utf8(line).unwrap()).unwrap())
    }

    async fn opens_in(&self, place: &Place) {
        let store = place.open().await.unwrap();
        self.fill(&*store).await;
        let engine = |roots| {
            let clock = Arc::new(ManualClock::new(Timestamp::from_micros(1_795_427_000_000_000)));
            let config = EngineConfig { snapshot_after: 1, ..EngineConfig::default() };
            Engine::new(store.clone(), roots, clock, Arc::new(SeededRandom::new(1)), config)
        };
        let refused = engine(self.root(1)).tenant(self.tenant).await;
        assert!(matches!(refused, Err(RecordError::Key(_))), "the root key before the rotation opens nothing");
        let tenant = engine(self.root(2)).tenant(self.tenant).await.unwrap();
        assert_eq!(tenant.directory(), record_id(&self.expected["tenant"]["directory"]));
        self.check_blocks(&tenant).await;
        self.check_entries(&tenant).await;
        self.check_rows(&tenant).await;
        let taken = tenant.extend_log().await.unwrap();
        assert_eq!(taken, list(&self.expected["blocks"]).len() as u64);
        let checkpoint = tenant.checkpoint().await.unwrap().unwrap();
        assert_eq!(checkpoint.note().to_string().as_bytes(), self.files["log.checkpoint"]);
        let verified = tenant.verify(&mut |_| {}).await.unwrap();
        assert_eq!((verified.faults, verified.stubs), (vec![], 1));
        assert!(verified.snapshots > 0);
        self.check_archive(&engine(self.root(2))).await;
    }

    /// Puts the rows of the vectors into a store.
    async fn fill(&self, store: &dyn Store) {
        let name = self.expected["tenant"]["name"].as_str().unwrap().to_owned();
        let wrapped = self.files["keys/tenant-2.wrapped"].clone().into();
        assert!(store.put_tenant(self.tenant, name, None, wrapped).await.unwrap());
        for block in list(&self.expected["blocks"]) {
            let part = self.part(block);
            let idempotency = &self.expected["idempotency"];
            let named = part.record == record_id(&self.expected["records"][0]["record"])
                && self.bytes(&idempotency["file"])[..10] == *part.record.as_bytes()
                && self.bytes(&idempotency["file"])[11..19] == part.head.head.seq.0.to_be_bytes();
            let key = (array(&idempotency["index"]), idempotency["forget_after"].as_i64().unwrap());
            let append = Append { tenant: self.tenant, idempotency: named.then_some(key), parts: vec![part] };
            assert_eq!(store.append(append).await.unwrap(), Appended::Done);
        }
        let snapshot = &self.expected["snapshot"];
        let part = |part: &Value| SnapshotPart {
            part: u32::try_from(part["part"].as_u64().unwrap()).unwrap(),
            bytes: self.bytes(&part["file"]),
        };
        let parts = list(&snapshot["parts"]).iter().map(part).collect();
        store.put_snapshot(record_id(&snapshot["record"]), Stream::Care, parts, Vec::new()).await.unwrap();
        for side in list(&self.expected["side"]) {
            let expires = side["expires"].as_i64().unwrap();
            let row = SideRow { key: array(&side["index"]), value: self.bytes(&side["file"]), expires };
            let table = u8::try_from(side["table"].as_u64().unwrap()).unwrap();
            store.side_put(self.tenant, table, row).await.unwrap();
        }
        for stub in list(&self.expected["erasures"]) {
            store.erase(self.tenant, record_id(&stub["record"]), self.bytes(&stub["file"])).await.unwrap();
        }
    }

    fn part(&self, block: &Value) -> AppendPart {
        let (record, stream) = (record_id(&block["record"]), stream_of(block));
        let row = list(&self.expected["records"]).iter().find(|row| row["record"] == block["record"]).unwrap();
        let seq = block["seq"].as_u64().unwrap();
        let head = |seq: u64, block: &Value| Head { seq: Seq(seq), hash: array(&block["hash"]) };
        let before = |other: &&Value| {
            (&other["record"], &other["stream"]) == (&block["record"], &block["stream"]) && other["seq"] == seq - 1
        };
        let before = list(&self.expected["blocks"]).iter().find(before);
        let newest = &row[stream_name(stream)];
        let is_newest = newest["seq"] == seq;
        let first = seq == 1 && stream == Stream::Care;
        let wrapped = if row["erased"] == true { Bytes::from_static(b"gone") } else { self.bytes(&row["wrapped"]) };
        let merged = &row["merged"];
        let aliases = list(&self.expected["aliases"]).iter().filter(|alias| alias["record"] == block["record"]);
        AppendPart {
            record,
            stream,
            create: first.then_some(wrapped),
            closed_allowed: true,
            merged: (is_newest && merged.is_object())
                .then(|| Some((record_id(&merged["into"]), array(&merged["tag"])))),
            expected: before.map_or_else(Head::default, |before| head(seq - 1, before)),
            head: HeadRow {
                head: head(seq, block),
                next_number: u32::try_from(newest["next_number"].as_u64().unwrap()).unwrap(),
                tag: if is_newest { array(&newest["tag"]) } else { [0; 16] },
            },
            block: self.bytes(&block["file"]),
            attach: if first { aliases.map(|a| (array(&a["index"]), array(&a["tag"]))).collect() } else { Vec::new() },
            detach: Vec::new(),
        }
    }

    fn is_live(&self, record: &Value) -> bool {
        list(&self.expected["records"]).iter().any(|row| row["record"] == *record && row["erased"] == false)
    }

    async fn check_blocks(&self, tenant: &Tenant) {
        for block in list(&self.expected["blocks"]) {
            let (record, stream) = (record_id(&block["record"]), stream_of(block));
            let views = tenant.blocks(record, stream, Seq(block["seq"].as_u64().unwrap()), 1).await.unwrap();
            if !self.is_live(&block["record"]) {
                assert!(views.is_empty());
                continue;
            }
            let entry = |entry: &keepwell_record::BlockEntry| {
                let source = entry.source.as_ref().map(|key| [&key.source, &key.kind, &key.id]);
                json!({ "number": entry.number, "kind": entry.kind, "labels": entry.labels.bits(), "source": source,
                        "body": entry.body.as_deref().map(scenario::body) })
            };
            let view = &views[0];
            assert_eq!(hex(&view.hash), block["hash"].as_str().unwrap());
            assert_eq!(json!(view.time), block["time"]);
            assert_eq!(json!(view.author), block["author"]);
            assert_eq!(scenario::names(&view.attach), block["attach"]);
            assert_eq!(scenario::names(&view.detach), block["detach"]);
            assert_eq!(Value::from(view.entries.iter().map(entry).collect::<Vec<_>>()), block["entries"]);
        }
    }

    /// The state that the blocks lead to: newest version of each entry.
    fn state(&self, record: &Value) -> BTreeMap<u64, (Value, u64)> {
        let mut state: BTreeMap<u64, (Value, u64)> = BTreeMap::new();
        for block in list(&self.expected["blocks"]).iter().filter(|b| b["record"] == *record && b["stream"] == "care") {
            for entry in list(&block["entries"]) {
                let number = entry["number"].as_u64().unwrap();
                let mut entry = entry.clone();
                if entry["source"].is_null()
                    && let Some((before, _)) = state.get(&number)
                {
                    entry["source"] = before["source"].clone();
                }
                state.insert(number, (entry, block["seq"].as_u64().unwrap()));
            }
        }
        state
    }

    async fn check_entries(&self, tenant: &Tenant) {
        for row in list(&self.expected["records"]) {
            let open = tenant.open(record_id(&row["record"])).await.unwrap();
            assert_eq!(open.is_some(), row["erased"] == false);
            let Some(open) = open else { continue };
            let state = self.state(&row["record"]);
            assert_eq!(open.all_entries().count(), state.len());
            for (number, (expected, version)) in state {
                let entry = open.entry(EntryNumber(u32::try_from(number).unwrap())).unwrap();
                assert_eq!((json!(entry.kind()), entry.version()), (expected["kind"].clone(), Seq(version)));
                assert_eq!(json!(entry.labels().bits()), expected["labels"]);
                let source = entry.source_key().map(|key| [key.source, key.kind, key.id]);
                assert_eq!(json!(source), expected["source"]);
                assert_eq!(entry.is_deleted(), expected["body"].is_null());
                if !entry.is_deleted() {
                    assert_eq!(scenario::body(&open.body(&entry).await.unwrap()), expected["body"]);
                }
            }
        }
    }

    async fn check_rows(&self, tenant: &Tenant) {
        for name in list(&self.expected["names"]) {
            let text = |field: &str| name[field].as_str().unwrap().to_owned();
            let alias = Alias { system: text("system"), value: text("value") };
            let own = list(&self.expected["records"]).iter().find(|row| row["record"] == name["record"]).unwrap();
            let leads_to = if own["merged"].is_null() { &name["record"] } else { &own["merged"]["into"] };
            assert_eq!(tenant.look_up(&alias).await.unwrap(), Some(record_id(leads_to)));
        }
        for side in list(&self.expected["side"]) {
            let table = SideTable::ALL.into_iter().find(|table| json!(*table as u8) == side["table"]).unwrap();
            let bytes = |field: &str| -> Vec<u8> {
                let hex = side[field].as_str().unwrap();
                (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
            };
            assert_eq!(tenant.side_get(table, &bytes("key")).await.unwrap(), Some(bytes("value")));
        }
        let erasures = tenant.erasures().await.unwrap();
        assert_eq!(json!(erasures[0].authority), self.expected["erasures"][0]["authority"]);
        // The name of the first try is known, so the second changes nothing.
        let mut again = commit(record_id(&self.expected["records"][0]["record"]), keepwell_record::Expect::Any, vec![]);
        again.idempotency = Some(IdempotencyKey::of(self.expected["idempotency"]["name"].as_str().unwrap().as_bytes()));
        assert!(tenant.commit(again).await.unwrap().repeated);
    }

    /// The archive opens at another tenant, with the log's key.
    async fn check_archive(&self, engine: &Engine) {
        let archive = &self.expected["archive"];
        let line = String::from_utf8(self.bytes(&archive["key"]).to_vec()).unwrap();
        let key = RootKey::parse_archive_line(&line).unwrap();
        let log_key = self.expected["tenant"]["log_key"].as_str().unwrap().parse().unwrap();
        let bytes = self.bytes(&archive["file"]);
        let other = Place::sqlite();
        let elsewhere = Engine::new(
            other.open().await.unwrap(),
            RootKeys::only(RootKey::from_bytes([3; 32])),
            Arc::new(ManualClock::new(Timestamp::from_micros(1))),
            Arc::new(SeededRandom::new(2)),
            EngineConfig::default(),
        );
        let tenant = elsewhere.create_tenant(TenantId(8), "Elsewhere").await.unwrap();
        let info = tenant.import_record(&bytes, &key, Some(&log_key), author()).await.unwrap();
        assert_eq!(
            (json!(info.record), json!(info.exported)),
            (archive["record"].clone(), archive["exported"].clone())
        );
        let open = tenant.open(info.record).await.unwrap().unwrap();
        assert_eq!(open.all_entries().count(), self.state(&archive["record"]).len() + 1);
        let here = engine.tenant(self.tenant).await.unwrap();
        let conflict = here.import_record(&bytes[..bytes.len() - 1], &key, None, author()).await;
        assert!(conflict.is_err(), "a cut archive does not open");
    }
}
