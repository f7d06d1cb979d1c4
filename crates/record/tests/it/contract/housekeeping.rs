//! Rules of erasure, merging, keys, log, checks and archives.

use std::sync::Arc;

use keepwell_model::{EntryNumber, Seq, Stream};
use keepwell_record::{Alias, Commit, EngineConfig, Expect, Part, RecordError, SideTable};

use crate::fixture::{Fixture, Place, author, bodies, commit, create, put};

fn nhs(value: &str) -> Alias {
    Alias { system: "https://fhir.nhs.uk/Id/nhs-number".into(), value: value.into() }
}

async fn attach(tenant: &keepwell_record::Tenant, record: keepwell_model::RecordId, alias: Alias) {
    let part = Part { attach: vec![alias], ..Part::new(record, Stream::Care, Expect::Any, vec![]) };
    tenant.commit(Commit { author: author(), idempotency: None, parts: vec![part] }).await.unwrap();
}

pub(super) async fn an_erased_record_leaves_a_stub_and_nothing_else(place: Place) {
    let fixture = Fixture::new(place).await;
    let tenant = &fixture.tenant;
    let (record, _) = create(tenant, &["one", &"large ".repeat(100_000)]).await;
    let (other, _) = create(tenant, &["stays"]).await;
    attach(tenant, record, nhs("9000000009")).await;
    tenant.fold(record).await.unwrap();
    let before = fixture.engine.store().stats().await.unwrap();
    let erasure = tenant.erase(record, "case 12, the Caldicott guardian").await.unwrap();
    assert_eq!((erasure.record, erasure.care_blocks), (record, Seq(2)));
    let fixture = fixture.restart().await;
    let tenant = &fixture.tenant;
    assert!(tenant.open(record).await.unwrap().is_none());
    assert!(tenant.open_at(record, Stream::Care, Seq(1)).await.unwrap().is_none());
    assert!(tenant.blocks(record, Stream::Care, Seq(1), 10).await.unwrap().is_empty());
    assert_eq!(tenant.look_up(&nhs("9000000009")).await.unwrap(), None);
    for expect in [Expect::Any, Expect::New] {
        assert!(tenant.commit(commit(record, expect, vec![put("x")])).await.is_err(), "an erased record stays erased");
    }
    assert_eq!(tenant.erasures().await.unwrap(), [erasure]);
    assert_eq!(tenant.records(None, 10).await.unwrap(), [other]);
    assert_eq!(bodies(tenant, other).await, ["stays"]);
    let after = fixture.engine.store().stats().await.unwrap();
    assert_eq!((after.records, after.erased), (2, 1));
    assert!(after.block_bytes + after.snapshot_bytes < before.block_bytes, "{before:?} {after:?}");
    assert!(matches!(tenant.erase(record, "again").await, Err(RecordError::NoSuchRecord(_))));
    assert!(matches!(tenant.erase(tenant.directory(), "no").await, Err(RecordError::Malformed(_))));
}

pub(super) async fn erasures_are_applied_again_after_an_older_store_is_put_back(place: Place) {
    let fixture = Fixture::new(place).await;
    let tenant = &fixture.tenant;
    let (record, _) = create(tenant, &["one"]).await;
    let (other, _) = create(tenant, &["two"]).await;
    // What a restore from an older backup amounts to: stubs from elsewhere, records that are back.
    let gone = tenant.new_record_id();
    let stub = |record| keepwell_record::Erasure {
        record,
        when: tenant.now(),
        authority: "case 12".into(),
        care_blocks: Seq(1),
        access_blocks: Seq(0),
    };
    assert_eq!(tenant.apply_erasures(&[stub(record), stub(gone)]).await.unwrap(), 1);
    assert_eq!(tenant.apply_erasures(&[stub(record)]).await.unwrap(), 0);
    assert!(tenant.open(record).await.unwrap().is_none());
    assert_eq!(bodies(tenant, other).await, ["two"]);
    assert_eq!(tenant.erasures().await.unwrap(), [stub(record)]);
}

pub(super) async fn a_merge_leads_to_the_survivor_and_unmerging_restores_exactly(place: Place) {
    let fixture = Fixture::new(place).await;
    let tenant = &fixture.tenant;
    let (one, _) = create(tenant, &["a"]).await;
    let (two, _) = create(tenant, &["b", "c"]).await;
    attach(tenant, two, nhs("9000000009")).await;
    let content =
        |blocks: Vec<keepwell_record::BlockView>| -> Vec<_> { blocks.iter().map(|b| (b.seq, b.hash)).collect() };
    let before = content(tenant.blocks(two, Stream::Care, Seq(1), 100).await.unwrap());
    tenant.merge(one, two, author()).await.unwrap();
    assert_eq!(tenant.look_up(&nhs("9000000009")).await.unwrap(), Some(one));
    assert_eq!(tenant.links(one).await.unwrap().merged, [two]);
    assert_eq!(tenant.links(two).await.unwrap().merged_into, Some(one));
    let refused = tenant.commit(commit(two, Expect::Any, vec![put("x")])).await;
    assert!(matches!(refused, Err(RecordError::Merged { into, .. }) if into == one));
    assert!(matches!(tenant.merge(one, two, author()).await, Err(RecordError::Merged { .. })));
    assert!(matches!(tenant.merge(two, one, author()).await, Err(RecordError::Merged { .. })));
    assert!(matches!(tenant.erase(one, "no").await, Err(RecordError::Malformed(_))));
    assert!(matches!(tenant.merge(one, one, author()).await, Err(RecordError::Malformed(_))));
    let mut looked = commit(two, Expect::Any, vec![put("somebody looked")]);
    looked.parts[0].stream = Stream::Access;
    tenant.commit(looked).await.unwrap();
    tenant.commit(commit(one, Expect::Any, vec![put("after")])).await.unwrap();
    let fixture = fixture.restart().await;
    let tenant = &fixture.tenant;
    tenant.unmerge(two, author()).await.unwrap();
    assert!(matches!(tenant.unmerge(two, author()).await, Err(RecordError::Malformed(_))));
    assert_eq!(tenant.look_up(&nhs("9000000009")).await.unwrap(), Some(two));
    let after = content(tenant.blocks(two, Stream::Care, Seq(1), 100).await.unwrap());
    assert_eq!(after[..before.len()], before[..], "no block was touched");
    assert_eq!(after.len(), before.len() + 2, "and two say what happened");
    assert_eq!(bodies(tenant, two).await[..2], ["b", "c"]);
    tenant.commit(commit(two, Expect::Any, vec![put("again its own")])).await.unwrap();
    assert_eq!(tenant.links(one).await.unwrap(), keepwell_record::Links::default());
}

pub(super) async fn keys_are_rotated_while_others_read_and_write(place: Place) {
    let fixture = Fixture::new(place).await;
    let mut records = Vec::new();
    for i in 0..20 {
        records.push(create(&fixture.tenant, &[&i.to_string()]).await.0);
    }
    let busy = {
        let (tenant, records) = (fixture.tenant.clone(), records.clone());
        tokio::spawn(async move {
            for round in 0..10 {
                for record in &records {
                    tenant.commit(commit(*record, Expect::Any, vec![put(&round.to_string())])).await.unwrap();
                    bodies(&tenant, *record).await;
                }
            }
        })
    };
    assert_eq!(fixture.engine.rotate_tenant(&fixture.tenant).await.unwrap(), 21);
    let new = keepwell_record::RootKey::from_bytes([9; 32]);
    fixture.engine.rotate_root(new.clone()).await.unwrap();
    fixture.tenant.rotate_record(records[3]).await.unwrap();
    fixture.engine.rotate_tenant(&fixture.tenant).await.unwrap();
    busy.await.unwrap();
    let old = fixture.root.clone();
    let mut fixture = fixture;
    fixture.root = keepwell_record::RootKeys::only(new);
    let fixture = fixture.restart().await;
    for record in records {
        assert_eq!(bodies(&fixture.tenant, record).await.len(), 11);
        fixture.tenant.commit(commit(record, Expect::Any, vec![put("after")])).await.unwrap();
    }
    let random = Arc::new(keepwell_model::SeededRandom::new(9));
    let store = Arc::clone(fixture.engine.store());
    let engine = keepwell_record::Engine::new(store, old, fixture.clock.clone(), random, EngineConfig::default());
    let refused = engine.tenant(crate::fixture::TENANT).await.map(drop).unwrap_err();
    assert!(refused.to_string().contains("not the one"), "{refused}");
}

pub(super) async fn every_block_can_be_proved_in_the_log_by_somebody_who_has_only_its_key(place: Place) {
    let fixture = Fixture::new(place).await;
    let (record, _) = create(&fixture.tenant, &["one"]).await;
    assert!(fixture.tenant.prove(record, Stream::Care, Seq(1)).await.unwrap().is_none(), "not yet in the log");
    assert_eq!(fixture.tenant.extend_log().await.unwrap(), 2);
    for i in 0..300 {
        fixture.tenant.commit(commit(record, Expect::Any, vec![put(&i.to_string())])).await.unwrap();
        if i % 50 == 0 {
            fixture.tenant.extend_log().await.unwrap();
        }
    }
    fixture.tenant.extend_log().await.unwrap();
    assert_eq!(fixture.tenant.extend_log().await.unwrap(), 0);
    let fixture = fixture.restart().await;
    let key = fixture.tenant.log_key().to_string();
    let log = keepwell_record::log::TrustedLog::from(key.parse::<keepwell_record::log::VerifyingKey>().unwrap());
    for seq in [1, 2, 150, 256, 301] {
        let (block, proof) = fixture.tenant.prove(record, Stream::Care, Seq(seq)).await.unwrap().unwrap();
        let proof = keepwell_record::log::Proof::parse(proof.to_string().as_bytes()).unwrap();
        let hash = keepwell_record::IdempotencyKey::of(&block).0;
        proof.verify(&hash, &log, &[], 0).unwrap();
        let mut other = block.to_vec();
        other[100] ^= 1;
        assert!(proof.verify(&keepwell_record::IdempotencyKey::of(&other).0, &log, &[], 0).is_err());
    }
    let checkpoint = fixture.tenant.log_file("checkpoint").await.unwrap().unwrap();
    log.open(&checkpoint, &[]).unwrap();
    let entries = fixture.tenant.log_file("tile/entries/000").await.unwrap().unwrap();
    assert_eq!(entries.len(), 256 * 34);
    assert!(fixture.tenant.log_file("tile/entries/001").await.unwrap().is_none(), "not full yet");
    assert_eq!(fixture.tenant.log_file("tile/0/001.p/46").await.unwrap().unwrap().len(), 46 * 32);
    assert!(fixture.tenant.log_file("../secret").await.unwrap().is_none());
}

pub(super) async fn a_whole_store_verifies_and_says_what_it_checked(place: Place) {
    let fixture = Fixture::new(place).await;
    let tenant = &fixture.tenant;
    let (record, _) = create(tenant, &["one", &"large ".repeat(50_000)]).await;
    let (gone, _) = create(tenant, &["gone"]).await;
    for i in 0..40 {
        tenant.commit(commit(record, Expect::Any, vec![put(&i.to_string())])).await.unwrap();
    }
    tenant.fold(record).await.unwrap();
    attach(tenant, record, nhs("9000000009")).await;
    tenant.side_put(SideTable::Task, b"k", b"v", None).await.unwrap();
    tenant.erase(gone, "case 1").await.unwrap();
    tenant.extend_log().await.unwrap();
    tenant.commit(commit(record, Expect::Any, vec![put("after")])).await.unwrap();
    let found = tenant.verify(&mut |_| {}).await.unwrap();
    assert_eq!(found.faults, Vec::<String>::new());
    assert_eq!((found.records, found.blocks, found.snapshots), (2, 44, 1));
    assert_eq!((found.aliases, found.side_rows, found.stubs), (1, 1, 1));
    assert_eq!((found.log_entries, found.waiting), (44, 1));
}

pub(super) async fn a_store_put_back_to_an_older_state_is_noticed(place: Place) {
    let fixture = Fixture::new(place).await;
    let (record, _) = create(&fixture.tenant, &["one"]).await;
    fixture.tenant.extend_log().await.unwrap();
    let early = fixture.tenant.log_file("checkpoint").await.unwrap().unwrap();
    for _ in 0..5 {
        fixture.tenant.commit(commit(record, Expect::Any, vec![put("x")])).await.unwrap();
    }
    fixture.tenant.extend_log().await.unwrap();
    let late = fixture.tenant.log_file("checkpoint").await.unwrap().unwrap();
    fixture.tenant.check_continues(&early).await.unwrap();
    fixture.tenant.check_continues(&late).await.unwrap();
    // The same keys on a younger store: what a restored old disk image looks like.
    let other = Fixture::with_seed(Place::sqlite(), EngineConfig::default(), 7).await;
    assert_eq!(other.tenant.log_key(), fixture.tenant.log_key());
    other.tenant.extend_log().await.unwrap();
    let refused = other.tenant.check_continues(&late).await.unwrap_err();
    assert!(refused.to_string().contains("put back to an older state"), "{refused}");
    for _ in 0..9 {
        create(&other.tenant, &["another history"]).await;
    }
    other.tenant.extend_log().await.unwrap();
    let refused = other.tenant.check_continues(&late).await.unwrap_err();
    assert!(refused.to_string().contains("does not continue"), "{refused}");
}

pub(super) async fn an_archive_moves_a_record_to_another_installation_and_verifies_there(place: Place) {
    let home = Fixture::new(Place::sqlite()).await;
    let (record, _) = create(&home.tenant, &["one", &"large ".repeat(50_000)]).await;
    for i in 0..50 {
        home.tenant.commit(commit(record, Expect::Any, vec![put(&i.to_string())])).await.unwrap();
    }
    let mut looked = commit(record, Expect::Any, vec![put("somebody looked")]);
    looked.parts[0].stream = Stream::Access;
    home.tenant.commit(looked).await.unwrap();
    attach(&home.tenant, record, nhs("9000000009")).await;
    let key = keepwell_record::RootKey::from_bytes([5; 32]);
    let unproved = home.tenant.export_record(record, &key).await.unwrap();
    home.tenant.extend_log().await.unwrap();
    let archive = home.tenant.export_record(record, &key).await.unwrap();

    let away = Fixture::with_seed(place, EngineConfig::default(), 99).await;
    let import = |bytes: Vec<u8>, key| {
        let tenant = away.tenant.clone();
        async move { tenant.import_record(&bytes, &key, None, author()).await }
    };
    assert!(import(unproved, key.clone()).await.unwrap_err().to_string().contains("proof is missing"));
    let wrong = keepwell_record::RootKey::from_bytes([6; 32]);
    assert!(matches!(import(archive.clone(), wrong).await, Err(RecordError::Key(_))));
    for at in [4, 20, archive.len() / 2, archive.len() - 1] {
        let mut damaged = archive.clone();
        damaged[at] ^= 1;
        assert!(import(damaged, key.clone()).await.is_err());
    }
    assert!(away.tenant.open(record).await.unwrap().is_none(), "nothing of a refused archive is kept");
    let other_log = away.tenant.log_key();
    let refused = away.tenant.import_record(&archive, &key, Some(&other_log), author()).await;
    assert!(refused.is_err(), "an archive from another log than expected");

    let info = import(archive.clone(), key.clone()).await.unwrap();
    assert_eq!((info.record, info.care_blocks, info.access_blocks), (record, Seq(52), Seq(1)));
    assert_eq!(away.tenant.look_up(&nhs("9000000009")).await.unwrap(), Some(record), "its aliases came along");
    let again = import(archive, key.clone()).await.unwrap();
    assert_eq!(again, info, "an import may be repeated");
    let away = away.restart().await;
    let mut expected = bodies(&home.tenant, record).await;
    let mut found = bodies(&away.tenant, record).await;
    let note = found.pop().unwrap();
    assert!(note.contains(&home.tenant.log_key().to_string()));
    assert_eq!(found, expected);
    let (here, there) = (
        home.tenant.blocks(record, Stream::Care, Seq(1), 100).await.unwrap(),
        away.tenant.blocks(record, Stream::Care, Seq(1), 52).await.unwrap(),
    );
    assert!(here.iter().zip(&there).all(|(a, b)| a.hash == b.hash), "the chain is the same");
    away.tenant.commit(commit(record, Expect::Any, vec![put("at the new home")])).await.unwrap();
    expected.push("at the new home".into());
    assert_eq!(bodies(&away.tenant, record).await.len(), expected.len() + 1);
    away.tenant.extend_log().await.unwrap();
    let verified = away.tenant.verify(&mut |_| {}).await.unwrap();
    assert_eq!(verified.faults, Vec::<String>::new());
}

pub(super) async fn an_open_record_reads_the_same_whatever_is_folded_meanwhile(place: Place) {
    let fixture = Fixture::new(place).await;
    let (record, _) = create(&fixture.tenant, &["first"]).await;
    let mut expected = vec!["first".to_owned()];
    for i in 0..40 {
        expected.push(format!("entry {i}"));
        fixture.tenant.commit(commit(record, Expect::Any, vec![put(&expected[i + 1])])).await.unwrap();
    }
    fixture.tenant.fold(record).await.unwrap();
    let fixture = fixture.restart().await;
    let tenant = &fixture.tenant;
    // Opened from the snapshot, no body loaded yet.
    let early = tenant.open(record).await.unwrap().unwrap();
    for round in 0..12u32 {
        for number in 1..=41 {
            let mut write = put(&format!("round {round} {number}"));
            write.number = Some(EntryNumber(number));
            tenant.commit(commit(record, Expect::Any, vec![write])).await.unwrap();
        }
        tenant.fold(record).await.unwrap();
    }
    let mut found = Vec::new();
    for entry in early.entries() {
        found.push(String::from_utf8(early.body(&entry).await.unwrap().to_vec()).unwrap());
    }
    assert_eq!(found, expected, "the parts it was opened from are gone, the content is not");
    let verified = tenant.verify(&mut |_| {}).await.unwrap();
    assert_eq!(verified.faults, Vec::<String>::new());
    let stats = fixture.engine.store().stats().await.unwrap();
    assert!(stats.snapshot_bytes < 20_000, "old parts are dropped: {stats:?}");
}

/// Where a node finds the root key: a file that the operator puts on every node.
struct Shared(std::sync::Mutex<keepwell_record::RootKeys>);

impl keepwell_record::RootKeySource for Shared {
    fn load(&self) -> Result<keepwell_record::RootKeys, RecordError> {
        Ok(self.0.lock().unwrap().clone())
    }
}

pub(super) async fn a_node_learns_of_a_root_key_that_another_node_replaced(place: Place) {
    let one = Fixture::new(place).await;
    let (record, _) = create(&one.tenant, &["one"]).await;
    let shared = Arc::new(Shared(std::sync::Mutex::new(one.root.clone())));
    let random = Arc::new(keepwell_model::SeededRandom::new(77));
    let store = Arc::clone(one.engine.store());
    let two = keepwell_record::Engine::new(store, one.root.clone(), one.clock.clone(), random, EngineConfig::default())
        .with_root_source(shared.clone());
    let other = two.tenant(crate::fixture::TENANT).await.unwrap();
    assert_eq!(bodies(&other, record).await, ["one"]);
    let new = keepwell_record::RootKey::from_bytes([9; 32]);
    one.engine.rotate_root(new.clone()).await.unwrap();
    one.engine.rotate_tenant(&one.tenant).await.unwrap();
    let refused = other.open(record).await.unwrap_err();
    assert!(matches!(refused, RecordError::Key(_)), "until the key is where the node looks: {refused}");
    *shared.0.lock().unwrap() = keepwell_record::RootKeys::only(new);
    assert_eq!(bodies(&other, record).await, ["one"]);
    let (fresh, _) = create(&other, &["two"]).await;
    assert_eq!(bodies(&one.tenant, fresh).await, ["two"]);
}
