//! What the test vectors hold: a small tenant with one of everything that the storage format knows, made from a seed. The
//! plain content goes to `expected.json` as it was handed to the engine, not as the engine reads it back.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::digest;
use bytes::Bytes;
use keepwell_model::{
    Actor, Author, Clock, EntryNumber, Kind, Label, Labels, ManualClock, Purpose, RecordId, SeededRandom, SourceKey,
    Stream, TenantId, Timestamp,
};
use keepwell_record::{
    Alias, Commit, Committed, Engine, EngineConfig, Expect, Head, IdempotencyKey, Part, RootKey, RootKeys, SideTable,
    SqliteStore, Store, Tenant, Write,
};
use serde_json::{Value, json};

const TENANT: TenantId = TenantId(7);
/// Bodies of this length and more are told by their sums.
const LONG: usize = 1 << 10;

/// Files by path, and what they should say.
pub(crate) struct Vectors {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) expected: Value,
}

/// The vectors of blocks that use at most this dictionary. `scratch` is a folder for the store that they come from.
pub(crate) async fn make(dictionary: u16, scratch: &Path) -> Vectors {
    let path = scratch.join("keepwell.db");
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path).unwrap());
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(1_795_426_200_123_456)));
    let random = Arc::new(SeededRandom::new(0x4b57_5645_4354_4f52));
    let root = RootKey::random(&*random);
    let engine = |newest_dictionary| {
        // Snapshots are taken when the scenario says so, and at no other time.
        let config = EngineConfig { newest_dictionary, snapshot_after: u32::MAX, ..EngineConfig::default() };
        Engine::new(store.clone(), RootKeys::only(root.clone()), clock.clone(), random.clone(), config)
    };
    let (engine, without) = (engine(dictionary), engine(0));
    let tenant = engine.create_tenant(TENANT, "Vectors").await.unwrap();
    let without = without.tenant(TENANT).await.unwrap();
    let mut scenario = Scenario {
        tenant,
        without,
        store,
        clock,
        random,
        names: BTreeMap::new(),
        files: BTreeMap::new(),
        blocks: Vec::new(),
        expected: serde_json::Map::new(),
    };
    scenario.begin(&root).await;
    let records = scenario.write().await;
    scenario.side_rows().await;
    scenario.archive(records[0]).await;
    scenario.rotate(&engine).await;
    scenario.rows(&records, &path).await;
    scenario.expected.insert("dictionary".into(), dictionary.into());
    scenario.expected.insert("zstd".into(), zstd::zstd_safe::version_string().into());
    scenario.expected.insert("blocks".into(), scenario.blocks.into());
    Vectors { files: scenario.files, expected: Value::Object(scenario.expected) }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn stream_name(stream: Stream) -> &'static str {
    match stream {
        Stream::Care => "care",
        Stream::Access => "access",
    }
}

pub(crate) fn body(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) if bytes.len() < LONG => json!({ "text": text }),
        _ => json!({ "length": bytes.len(), "sha256": hex(digest::digest(&digest::SHA256, bytes).as_ref()) }),
    }
}

/// Aliases as pairs.
pub(crate) fn names(aliases: &[Alias]) -> Value {
    aliases.iter().map(|alias| json!([alias.system, alias.value])).collect()
}

fn write(number: Option<u32>, kind: &str, body: Option<&[u8]>) -> Write {
    Write {
        number: number.map(EntryNumber),
        kind: Kind::new(kind).unwrap(),
        labels: Labels::GENERAL,
        source: None,
        body: body.map(Bytes::copy_from_slice),
    }
}

fn from(source: &str, kind: &str, id: &str, write: Write) -> Write {
    Write { source: Some(SourceKey { source: source.into(), kind: kind.into(), id: id.into() }), ..write }
}

fn system() -> Author {
    Author {
        actor: Actor::System { client: "gp-vectors".into(), organisation: "Vectors Surgery".into() },
        purpose: Purpose::DirectCare,
        source: Some("gp-vectors".into()),
    }
}

fn by(actor: Actor, purpose: Purpose) -> Author {
    Author { actor, purpose, source: None }
}

fn observation(value: &str) -> Vec<u8> {
    format!(
        "{{\"resourceType\":\"Observation\",\"id\":\"hb\",\"status\":\"final\",\"code\":{{\"coding\":[{{\"system\":\
         \"http://snomed.info/sct\",\"code\":\"1022431000000105\"}}]}},\"valueQuantity\":{{\"value\":{value},\"unit\":\"g/L\"}}}}"
    )
    .into_bytes()
}

struct Scenario {
    tenant: Tenant,
    without: Tenant,
    store: Arc<dyn Store>,
    clock: Arc<ManualClock>,
    random: Arc<SeededRandom>,
    names: BTreeMap<RecordId, &'static str>,
    files: BTreeMap<String, Vec<u8>>,
    blocks: Vec<Value>,
    expected: serde_json::Map<String, Value>,
}

impl Scenario {
    fn file(&mut self, path: &str, bytes: &[u8]) {
        self.files.insert(path.to_owned(), bytes.to_vec());
    }

    async fn begin(&mut self, root: &RootKey) {
        let (wrapped, name) = self.store.tenant(TENANT).await.unwrap().unwrap();
        self.file("keys/root-1.key", root.to_line().as_bytes());
        self.file("keys/tenant-1.wrapped", &wrapped);
        let directory = self.tenant.directory();
        self.names.insert(directory, "directory");
        let log_key = self.tenant.log_key().to_string();
        let about = json!({ "number": TENANT.0, "name": name, "directory": directory, "log_key": log_key });
        self.expected.insert("tenant".into(), about);
        let author = by(Actor::Keepwell, Purpose::Administration);
        let head = self.tenant.head(directory, Stream::Care).await.unwrap().unwrap();
        self.note(directory, Stream::Care, head, &author, json!([])).await;
    }

    /// Notes a block and keeps its bytes.
    async fn note(&mut self, record: RecordId, stream: Stream, head: Head, author: &Author, entries: Value) {
        self.note_with_aliases(record, stream, head, author, [&[], &[]], entries).await;
    }

    async fn note_with_aliases(
        &mut self,
        record: RecordId,
        stream: Stream,
        head: Head,
        author: &Author,
        aliases: [&[Alias]; 2],
        entries: Value,
    ) {
        let [attach, detach] = aliases.map(names);
        let name = self.names[&record];
        let path = format!("{name}/{}-{}.block", stream_name(stream), head.seq);
        let row = self.store.blocks(record, stream, head.seq, 1).await.unwrap().remove(0);
        self.file(&path, &row.block);
        self.blocks.push(json!({
            "file": path, "record": record, "stream": stream_name(stream), "seq": head.seq, "hash": hex(&head.hash),
            "time": self.clock.now(), "author": author, "attach": attach, "detach": detach,
            "entries": entries,
        }));
    }

    async fn commit(&mut self, commit: Commit) -> Committed {
        let tenant = self.tenant.clone();
        self.commit_to(&tenant, commit).await
    }

    async fn commit_to(&mut self, tenant: &Tenant, commit: Commit) -> Committed {
        self.clock.advance(7);
        let committed = tenant.commit(commit.clone()).await.unwrap();
        for (part, done) in commit.parts.iter().zip(&committed.parts) {
            let entry = |(write, number): (&Write, &EntryNumber)| {
                let source = write.source.as_ref().map(|key| [&key.source, &key.kind, &key.id]);
                json!({ "number": number, "kind": write.kind, "labels": write.labels.bits(), "source": source,
                        "body": write.body.as_deref().map(body) })
            };
            let entries: Vec<Value> = part.writes.iter().zip(&done.numbers).map(entry).collect();
            let aliases = [&part.attach[..], &part.detach];
            self.note_with_aliases(part.record, part.stream, done.head, &commit.author, aliases, entries.into()).await;
        }
        committed
    }

    async fn care(&mut self, record: RecordId, expect: Expect, writes: Vec<Write>) -> Committed {
        let parts = vec![Part::new(record, Stream::Care, expect, writes)];
        self.commit(Commit { author: system(), idempotency: None, parts }).await
    }

    /// All blocks; answers the records of people.
    async fn write(&mut self) -> [RecordId; 3] {
        let [person, other, erased] = [(); 3].map(|()| self.tenant.new_record_id());
        self.names.extend([(person, "person"), (other, "other"), (erased, "erased")]);

        let first = from("gp-vectors", "Observation", "hb", write(None, "fhir/Observation", Some(&observation("131"))));
        let alias = |system: &str, value: &str| Alias { system: system.into(), value: value.into() };
        let old = alias("source:gp-vectors/Patient", "p-0");
        let attach = vec![
            alias("https://fhir.nhs.uk/Id/nhs-number", "9000000009"),
            old.clone(),
            alias("https://login.example", "subject-1"),
        ];
        let part = Part { attach, ..Part::new(person, Stream::Care, Expect::New, vec![first]) };
        let head = self.commit(Commit { author: system(), idempotency: None, parts: vec![part] }).await.parts[0].head;
        self.keep_wrapped(person, "keys/record-1.wrapped").await;

        // The same kind of block as an engine writes it that has no dictionary.
        let second =
            from("gp-vectors", "Observation", "hb-2", write(None, "fhir/Observation", Some(&observation("129"))));
        let without = self.without.clone();
        let parts = vec![Part::new(person, Stream::Care, Expect::Head(head), vec![second])];
        let head = self.commit_to(&without, Commit { author: system(), idempotency: None, parts }).await.parts[0].head;

        // A new version that names no source, an entry with labels, one that is not text, one that is empty.
        let labels = Labels::of(&[Label::MentalHealth, Label::Safeguarding]);
        let writes = vec![
            write(Some(1), "fhir/Observation", Some(&observation("132"))),
            Write {
                labels,
                ..write(None, "hl7v2/raw", Some(b"MSH|^~\\&|PAS|V|KEEPWELL|V|20261123||ADT^A08|1|P|2.4\r"))
            },
            from("leeds-hospital", "DocumentReference", "d\u{e9}", write(None, "document", Some(&[0xff, 0x00, 0x80]))),
            write(None, "document", Some(b"")),
        ];
        self.care(person, Expect::Head(head), writes).await;
        let deletion = from("gp-vectors", "Observation", "hb-2", write(Some(2), "fhir/Observation", None));
        let part = Part { detach: vec![old], ..Part::new(person, Stream::Care, Expect::Any, vec![deletion]) };
        self.commit(Commit { author: system(), idempotency: None, parts: vec![part] }).await;

        // More than one frame: 4 MiB of bodies and more, which compress to little.
        let large = |line: &str| line.repeat((3 << 20) / 2 / line.len());
        let large =
            ["scan 1 ", "scan 22 ", "scan 333 "].map(|line| write(None, "document", Some(large(line).as_bytes())));
        self.care(person, Expect::Any, large.to_vec()).await;
        self.tenant.fold(person).await.unwrap();

        // From here on the record's second data key seals.
        self.tenant.rotate_record(person).await.unwrap();
        self.keep_wrapped(person, "keys/record-2.wrapped").await;
        self.two_records_at_once(person).await;
        self.looks(person).await;
        self.merge(person, other).await;

        let note = write(None, "document", Some(b"gone"));
        let erased_block = self.care(erased, Expect::New, vec![note]).await;
        assert_eq!(erased_block.parts.len(), 1);
        self.clock.advance(7);
        self.tenant.erase(erased, "order of the court, case 12").await.unwrap();
        self.tenant.fold(person).await.unwrap();
        [person, other, erased]
    }

    /// One commit to two records, named so that a repetition changes nothing.
    async fn two_records_at_once(&mut self, person: RecordId) {
        let organisation = br#"{"resourceType":"Organization","id":"org","name":"Vectors Surgery"}"#;
        let organisation =
            from("gp-vectors", "Organization", "org", write(None, "fhir/Organization", Some(organisation)));
        let condition = br#"{"resourceType":"Condition","id":"c1","code":{"text":"Asthma"}}"#;
        let condition = from("gp-vectors", "Condition", "c1", write(None, "fhir/Condition", Some(condition)));
        let parts = vec![
            Part::new(person, Stream::Care, Expect::Any, vec![condition]),
            Part::new(self.tenant.directory(), Stream::Care, Expect::Any, vec![organisation]),
        ];
        let idempotency = Some(IdempotencyKey::of(b"the first try"));
        self.commit(Commit { author: system(), idempotency, parts }).await;
    }

    async fn looks(&mut self, person: RecordId) {
        let looks = [
            (Actor::Resident { record: person }, Purpose::OwnUse),
            (
                Actor::Professional {
                    id: "p-1".into(),
                    name: "Dr A. Vector".into(),
                    role: "General practitioner".into(),
                    organisation: "Vectors Surgery".into(),
                },
                Purpose::Emergency,
            ),
        ];
        for (actor, purpose) in looks {
            let line = write(None, "access", Some(br#"{"action":"read-record","what":[["test-results",2]]}"#));
            let parts = vec![Part::new(person, Stream::Access, Expect::Any, vec![line])];
            self.commit(Commit { author: by(actor, purpose), idempotency: None, parts }).await;
        }
    }

    async fn merge(&mut self, person: RecordId, other: RecordId) {
        let note = write(None, "fhir/Patient", Some(br#"{"resourceType":"Patient","id":"p"}"#));
        let alias = Alias { system: "https://hospital.example/number".into(), value: "K12".into() };
        let part = Part { attach: vec![alias], ..Part::new(other, Stream::Care, Expect::New, vec![note]) };
        self.commit(Commit { author: system(), idempotency: None, parts: vec![part] }).await;
        // A clock may step back; the chain does not mind.
        self.clock.set(self.clock.now().plus_seconds(-3_600));
        let author = by(Actor::Operator, Purpose::Administration);
        self.tenant.merge(person, other, author.clone()).await.unwrap();
        for (record, text) in
            [(person, format!("{{\"merged\":\"{other}\"}}")), (other, format!("{{\"into\":\"{person}\"}}"))]
        {
            let head = self.tenant.head(record, Stream::Care).await.unwrap().unwrap();
            let open = self.tenant.open_at(record, Stream::Care, head.seq).await.unwrap().unwrap();
            let number = open.all_entries().count();
            let entry =
                json!({ "number": number, "kind": "merge", "labels": 1, "source": null, "body": { "text": text } });
            self.note(record, Stream::Care, head, &author, json!([entry])).await;
        }
    }

    async fn keep_wrapped(&mut self, record: RecordId, path: &str) {
        let row = self.store.record(record).await.unwrap().unwrap();
        self.file(path, &row.wrapped);
    }

    async fn side_rows(&mut self) {
        let until = Timestamp::from_micros(1_795_428_000_000_000);
        let rows = [
            (SideTable::Session, "session", &b"token"[..], &br#"{"record":"x"}"#[..], Some(until)),
            (SideTable::Client, "client", b"gp-vectors", b"Vectors Surgery", None),
        ];
        let mut expected = Vec::new();
        for (table, name, key, value, expires) in rows {
            self.tenant.side_put(table, key, value, expires).await.unwrap();
            let row = self.store.side_list(TENANT, table as u8).await.unwrap().remove(0);
            let path = format!("side/{name}.sealed");
            self.file(&path, &row.value);
            expected.push(json!({
                "file": path, "table": table as u8, "key": hex(key), "index": hex(&row.key), "value": hex(value),
                "expires": expires.map_or(i64::MAX, Timestamp::micros),
            }));
        }
        self.expected.insert("side".into(), expected.into());
    }

    async fn archive(&mut self, person: RecordId) {
        self.tenant.extend_log().await.unwrap();
        let checkpoint = self.tenant.checkpoint().await.unwrap().unwrap();
        self.file("log.checkpoint", checkpoint.note().to_string().as_bytes());
        let key = RootKey::random(&*self.random);
        let archive = self.tenant.export_record(person, &key).await.unwrap();
        self.file("archive/archive.key", key.to_archive_line().as_bytes());
        self.file("archive/person.archive", &archive);
        let expected = json!({ "file": "archive/person.archive", "key": "archive/archive.key", "record": person,
                               "exported": self.clock.now() });
        self.expected.insert("archive".into(), expected);
    }

    /// New tenant and root keys wrap everything again.
    async fn rotate(&mut self, engine: &Engine) {
        let tenant = self.tenant.clone();
        engine.rotate_tenant(&tenant).await.unwrap();
        let root = RootKey::random(&*self.random);
        engine.rotate_root(root.clone()).await.unwrap();
        let (wrapped, _) = self.store.tenant(TENANT).await.unwrap().unwrap();
        self.file("keys/root-2.key", root.to_line().as_bytes());
        self.file("keys/tenant-2.wrapped", &wrapped);
    }

    /// What the store's rows say in the end.
    async fn rows(&mut self, people: &[RecordId], database: &Path) {
        let mut records = Vec::new();
        for record in people.iter().copied().chain([self.tenant.directory()]) {
            let name = self.names[&record];
            let row = self.store.record(record).await.unwrap().unwrap();
            let head = |stream| {
                let head = row.head(stream);
                json!({ "seq": head.head.seq, "hash": hex(&head.head.hash), "next_number": head.next_number,
                        "tag": hex(&head.tag) })
            };
            let merged = row.merged.map(|(into, tag)| json!({ "into": into, "tag": hex(&tag) }));
            let wrapped = (!row.erased).then(|| format!("{name}/keys.wrapped"));
            records.push(json!({ "record": record, "name": name, "wrapped": wrapped, "care": head(Stream::Care),
                                 "access": head(Stream::Access), "merged": merged, "erased": row.erased }));
            if let Some(path) = wrapped {
                self.file(&path, &row.wrapped);
            }
        }
        self.expected.insert("records".into(), records.into());
        let person = people[0];
        let mut parts = Vec::new();
        for part in 0..8 {
            if let Some(bytes) = self.store.snapshot_part(person, Stream::Care, part).await.unwrap() {
                let path = format!("person/snapshot-{part}.part");
                self.file(&path, &bytes);
                parts.push(json!({ "file": path, "part": part }));
            }
        }
        self.expected.insert("snapshot".into(), json!({ "record": person, "parts": parts }));
        let aliases = self.store.aliases(TENANT, None, 100).await.unwrap();
        let aliases = aliases
            .iter()
            .map(|(index, record, tag)| json!({ "index": hex(index), "record": record, "tag": hex(tag) }));
        let aliases: Vec<Value> = aliases.collect();
        self.expected.insert("aliases".into(), aliases.into());
        let names = json!([
            { "system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9000000009", "record": person },
            { "system": "https://login.example", "value": "subject-1", "record": person },
            { "system": "https://hospital.example/number", "value": "K12", "record": people[1] },
        ]);
        self.expected.insert("names".into(), names);
        for (record, stub) in self.store.stubs(TENANT).await.unwrap() {
            self.file("erased/erasure.stub", &stub);
            let stub =
                json!({ "file": "erased/erasure.stub", "record": record, "authority": "order of the court, case 12" });
            self.expected.insert("erasures".into(), json!([stub]));
        }
        self.idempotency(database);
    }

    fn idempotency(&mut self, database: &Path) {
        let connection = rusqlite::Connection::open(database).unwrap();
        let row = connection.query_row("SELECT idx, forget_after, blocks FROM idempotency", [], |row| {
            Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, i64>(1)?, row.get::<_, Vec<u8>>(2)?))
        });
        let (index, forget_after, blocks) = row.unwrap();
        self.file("idempotency.blocks", &blocks);
        let expected = json!({ "file": "idempotency.blocks", "name": "the first try", "index": hex(&index),
                               "forget_after": forget_after });
        self.expected.insert("idempotency".into(), expected);
    }
}
