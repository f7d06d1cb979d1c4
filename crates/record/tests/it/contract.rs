//! What every store must do.

use std::sync::Arc;

use keepwell_model::{EntryNumber, Seq, SourceKey, Stream};
use keepwell_record::{
    Alias, Commit, EngineConfig, Expect, Head, IdempotencyKey, Limits, Part, RecordError, SideTable,
};

use crate::fixture::{Fixture, Place, author, bodies, commit, create, put};

macro_rules! contract {
    ($($rule:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() { super::$rule(super::Place::sqlite()).await; })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                if let Some(place) = super::Place::postgres().await {
                    super::$rule(place).await;
                }
            })+
        }
    };
}

contract!(
    what_was_committed_is_there_after_a_restart,
    a_commit_on_an_old_head_is_refused_and_changes_nothing,
    unconditional_commits_from_many_tasks_all_land_in_one_chain,
    a_commit_of_two_records_lands_in_both_or_neither,
    an_idempotency_key_applies_a_commit_once_and_repeats_its_answer,
    an_alias_leads_to_one_record_until_it_is_detached,
    an_entry_keeps_its_number_and_its_history,
    every_earlier_version_can_be_opened,
    a_long_history_is_folded_into_a_snapshot_and_reads_the_same,
    an_open_record_reads_the_same_whatever_is_folded_meanwhile,
    limits_are_errors_that_name_the_limit,
    a_record_of_another_tenant_does_not_exist,
    side_rows_are_found_until_they_expire,
    a_tiny_cache_changes_nothing_but_speed,
    entries_are_found_by_the_name_their_source_gave_them,
    an_erased_record_leaves_a_stub_and_nothing_else,
    erasures_are_applied_again_after_an_older_store_is_put_back,
    a_merge_leads_to_the_survivor_and_unmerging_restores_exactly,
    keys_are_rotated_while_others_read_and_write,
    every_block_can_be_proved_in_the_log_by_somebody_who_has_only_its_key,
    a_whole_store_verifies_and_says_what_it_checked,
    a_store_put_back_to_an_older_state_is_noticed,
    an_archive_moves_a_record_to_another_installation_and_verifies_there,
);

async fn what_was_committed_is_there_after_a_restart(place: Place) {
    let fixture = Fixture::new(place).await;
    let large = "x".repeat(300_000);
    let (record, committed) = create(&fixture.tenant, &["one", "two", &large]).await;
    assert_eq!(committed.parts[0].numbers, [1, 2, 3].map(EntryNumber));
    assert_eq!(committed.parts[0].head.seq, Seq(1));
    let fixture = fixture.restart().await;
    assert_eq!(bodies(&fixture.tenant, record).await, ["one", "two", &large]);
    assert_eq!(fixture.tenant.records(None, 10).await.unwrap(), [record]);
}

async fn a_commit_on_an_old_head_is_refused_and_changes_nothing(place: Place) {
    let fixture = Fixture::new(place).await;
    let tenant = &fixture.tenant;
    let (record, first) = create(tenant, &["one"]).await;
    let head = first.parts[0].head;
    tenant.commit(commit(record, Expect::Head(head), vec![put("two")])).await.unwrap();
    for stale in [Expect::Head(head), Expect::Head(Head::default()), Expect::New] {
        let refused = tenant.commit(commit(record, stale, vec![put("three")])).await;
        assert!(matches!(refused, Err(RecordError::Conflict { .. })), "{refused:?}");
    }
    let nobody = tenant.new_record_id();
    let refused = tenant.commit(commit(nobody, Expect::Any, vec![put("x")])).await;
    assert!(matches!(refused, Err(RecordError::NoSuchRecord(_))));
    assert_eq!(bodies(tenant, record).await, ["one", "two"]);
}

async fn unconditional_commits_from_many_tasks_all_land_in_one_chain(place: Place) {
    let fixture = Fixture::new(place).await;
    let (record, _) = create(&fixture.tenant, &[]).await;
    let mut tasks = Vec::new();
    for task in 0..16 {
        let tenant = fixture.tenant.clone();
        tasks.push(tokio::spawn(async move {
            for i in 0..8 {
                let body = format!("{task}-{i}");
                tenant.commit(commit(record, Expect::Any, vec![put(&body)])).await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let fixture = fixture.restart().await;
    let mut found = bodies(&fixture.tenant, record).await;
    assert_eq!(found.len(), 128);
    found.sort();
    found.dedup();
    assert_eq!(found.len(), 128);
    let blocks = fixture.tenant.blocks(record, Stream::Care, Seq(1), 1_000).await.unwrap();
    assert_eq!(blocks.len(), 129);
}

async fn a_commit_of_two_records_lands_in_both_or_neither(place: Place) {
    let fixture = Fixture::new(place).await;
    let tenant = &fixture.tenant;
    let (one, first) = create(tenant, &["a"]).await;
    let (two, _) = create(tenant, &["b"]).await;
    let both = |expect| Commit {
        author: author(),
        idempotency: None,
        parts: vec![
            Part::new(one, Stream::Care, expect, vec![put("c")]),
            Part::new(two, Stream::Care, Expect::Any, vec![put("d")]),
        ],
    };
    tenant.commit(both(Expect::Head(first.parts[0].head))).await.unwrap();
    let refused = tenant.commit(both(Expect::Head(first.parts[0].head))).await;
    assert!(matches!(refused, Err(RecordError::Conflict { .. })));
    assert_eq!(bodies(tenant, one).await, ["a", "c"]);
    assert_eq!(bodies(tenant, two).await, ["b", "d"]);
}

async fn an_idempotency_key_applies_a_commit_once_and_repeats_its_answer(place: Place) {
    let fixture = Fixture::new(place).await;
    let (record, first) = create(&fixture.tenant, &["one"]).await;
    let with_key = |expect, body: &str| Commit {
        idempotency: Some(IdempotencyKey::of(b"form 17")),
        ..commit(record, expect, vec![put(body)])
    };
    let head = Expect::Head(first.parts[0].head);
    let answer = fixture.tenant.commit(with_key(head, "two")).await.unwrap();
    assert!(!answer.repeated);
    let fixture = fixture.restart().await;
    for expect in [head, Expect::Any, Expect::New] {
        let again = fixture.tenant.commit(with_key(expect, "two")).await.unwrap();
        assert!(again.repeated, "{expect:?}");
        assert_eq!(again.parts, answer.parts);
    }
    assert_eq!(bodies(&fixture.tenant, record).await, ["one", "two"]);
    let mut tasks = Vec::new();
    for _ in 0..8 {
        let (tenant, mut commit) = (fixture.tenant.clone(), with_key(Expect::Any, "three"));
        commit.idempotency = Some(IdempotencyKey::of(b"form 18"));
        tasks.push(tokio::spawn(async move { tenant.commit(commit).await.unwrap().repeated }));
    }
    let mut applied = 0;
    for task in tasks {
        applied += usize::from(!task.await.unwrap());
    }
    assert_eq!(applied, 1);
    assert_eq!(bodies(&fixture.tenant, record).await, ["one", "two", "three"]);
}

async fn an_alias_leads_to_one_record_until_it_is_detached(place: Place) {
    let fixture = Fixture::new(place).await;
    let tenant = &fixture.tenant;
    let alias = |value: &str| Alias { system: "https://fhir.nhs.uk/Id/nhs-number".into(), value: value.into() };
    let (one, _) = create(tenant, &[]).await;
    let (two, _) = create(tenant, &[]).await;
    let change = |record, attach: Vec<Alias>, detach: Vec<Alias>| {
        let part = Part { attach, detach, ..Part::new(record, Stream::Care, Expect::Any, vec![]) };
        tenant.commit(Commit { author: author(), idempotency: None, parts: vec![part] })
    };
    change(one, vec![alias("9000000009"), alias("x")], vec![]).await.unwrap();
    assert_eq!(tenant.look_up(&alias("9000000009")).await.unwrap(), Some(one));
    assert_eq!(tenant.look_up(&alias("900000000")).await.unwrap(), None);
    let other = Alias { system: "https://fhir.nhs.uk/Id/nhs-numbe".into(), value: "r9000000009".into() };
    assert_eq!(tenant.look_up(&other).await.unwrap(), None);
    let taken = change(two, vec![alias("new"), alias("9000000009")], vec![]).await;
    assert!(matches!(taken, Err(RecordError::AliasTaken)));
    assert_eq!(tenant.look_up(&alias("new")).await.unwrap(), None);
    change(one, vec![alias("9000000009")], vec![]).await.unwrap();
    change(two, vec![], vec![alias("x")]).await.unwrap();
    assert_eq!(tenant.look_up(&alias("x")).await.unwrap(), Some(one), "only its own record can detach an alias");
    change(one, vec![], vec![alias("9000000009")]).await.unwrap();
    assert_eq!(tenant.look_up(&alias("9000000009")).await.unwrap(), None);
    change(two, vec![alias("9000000009")], vec![]).await.unwrap();
    assert_eq!(tenant.look_up(&alias("9000000009")).await.unwrap(), Some(two));
}

async fn an_entry_keeps_its_number_and_its_history(place: Place) {
    let fixture = Fixture::new(place).await;
    let tenant = &fixture.tenant;
    let (record, _) = create(tenant, &["one", "two"]).await;
    let mut change = put("two, corrected");
    change.number = Some(EntryNumber(2));
    tenant.commit(commit(record, Expect::Any, vec![change.clone(), put("three")])).await.unwrap();
    change.body = None;
    change.number = Some(EntryNumber(1));
    tenant.commit(commit(record, Expect::Any, vec![change.clone()])).await.unwrap();
    assert_eq!(bodies(tenant, record).await, ["two, corrected", "three"]);
    change.number = Some(EntryNumber(4));
    assert!(matches!(tenant.commit(commit(record, Expect::Any, vec![change])).await, Err(RecordError::Malformed(_))));
    let open = tenant.open(record).await.unwrap().unwrap();
    let versions: Vec<_> = open.all_entries().map(|e| (e.number().0, e.version().0, e.is_deleted())).collect();
    assert_eq!(versions, [(1, 3, true), (2, 2, false), (3, 2, false)]);
    let blocks = tenant.blocks(record, Stream::Care, Seq(1), 10).await.unwrap();
    let history: Vec<_> = blocks
        .iter()
        .flat_map(|block| &block.entries)
        .map(|entry| (entry.number.0, entry.body.as_ref().map(|b| String::from_utf8_lossy(b).into_owned())))
        .collect();
    let text = |t: &str| Some(t.to_owned());
    assert_eq!(
        history,
        [(1, text("one")), (2, text("two")), (2, text("two, corrected")), (3, text("three")), (1, None)]
    );
    assert_eq!(blocks[1].author, author());
}

async fn every_earlier_version_can_be_opened(place: Place) {
    let fixture = Fixture::new(place).await;
    let (record, _) = create(&fixture.tenant, &["0"]).await;
    for i in 1..70 {
        fixture.tenant.commit(commit(record, Expect::Any, vec![put(&i.to_string())])).await.unwrap();
        if i % 20 == 0 {
            fixture.tenant.open(record).await.unwrap();
        }
    }
    for seq in [1u64, 2, 33, 34, 69, 70] {
        let open = fixture.tenant.open_at(record, Stream::Care, Seq(seq)).await.unwrap().unwrap();
        assert_eq!(open.entries().count() as u64, seq);
        let last = open.entries().last().unwrap();
        assert_eq!(open.body(&last).await.unwrap(), (seq - 1).to_string());
    }
    for seq in [0, 71] {
        assert!(fixture.tenant.open_at(record, Stream::Care, Seq(seq)).await.unwrap().is_none());
    }
}

async fn a_long_history_is_folded_into_a_snapshot_and_reads_the_same(place: Place) {
    let fixture = Fixture::new(place).await;
    let (record, _) = create(&fixture.tenant, &[&"large ".repeat(40_000)]).await;
    let mut expected = bodies(&fixture.tenant, record).await;
    for round in 0..6u32 {
        for i in 0..50u32 {
            let body = format!("{round} {i}");
            let mut write = put(&body);
            if i % 5 == 4 {
                let number = (round * 7 + i) % u32::try_from(expected.len()).unwrap();
                write.number = Some(EntryNumber(number + 1));
                expected[number as usize] = body;
            } else {
                expected.push(body);
            }
            fixture.tenant.commit(commit(record, Expect::Any, vec![write])).await.unwrap();
        }
        fixture.tenant.fold(record).await.unwrap();
    }
    assert_eq!(bodies(&fixture.tenant, record).await, expected);
    let stats = fixture.engine.store().stats().await.unwrap();
    assert!(stats.snapshot_bytes > 0);
    let fixture = fixture.restart().await;
    assert_eq!(bodies(&fixture.tenant, record).await, expected);
}

async fn limits_are_errors_that_name_the_limit(place: Place) {
    let limits = Limits { entry_bytes: 10, commit_bytes: 25, commit_entries: 4, record_entries: 6, commit_aliases: 1 };
    let fixture = Fixture::with(place, EngineConfig { limits, ..EngineConfig::default() }).await;
    let (record, _) = create(&fixture.tenant, &["1", "2", "3", "4"]).await;
    let ten = "x".repeat(10);
    for (writes, what) in [
        (vec![put("12345678901")], "entry in bytes"),
        (vec![put(&ten), put(&ten), put(&ten)], "commit in bytes"),
        (vec![put("1"), put("2"), put("3"), put("4"), put("5")], "entries in a commit"),
        (vec![put("1"), put("2"), put("3")], "entries in a record"),
    ] {
        let error = fixture.tenant.commit(commit(record, Expect::Any, writes)).await.unwrap_err();
        assert!(matches!(error, RecordError::TooLarge { .. }) && error.to_string().contains(what), "{error}");
    }
    assert_eq!(bodies(&fixture.tenant, record).await, ["1", "2", "3", "4"]);
    fixture.tenant.commit(commit(record, Expect::Any, vec![put("5"), put(&ten)])).await.unwrap();
}

async fn a_record_of_another_tenant_does_not_exist(place: Place) {
    let fixture = Fixture::new(place).await;
    let other = fixture.engine.create_tenant(keepwell_model::TenantId(2), "York").await.unwrap();
    let (record, _) = create(&fixture.tenant, &["one"]).await;
    assert!(other.open(record).await.unwrap().is_none());
    assert!(other.blocks(record, Stream::Care, Seq(1), 9).await.unwrap().is_empty());
    let refused = other.commit(commit(record, Expect::Any, vec![put("x")])).await;
    assert!(matches!(refused, Err(RecordError::NoSuchRecord(_))));
    let refused = other.commit(commit(record, Expect::New, vec![put("x")])).await;
    assert!(matches!(refused, Err(RecordError::Conflict { .. })));
    assert!(other.records(None, 9).await.unwrap().is_empty());
    assert_ne!(other.directory(), fixture.tenant.directory());
    assert_eq!(bodies(&fixture.tenant, record).await, ["one"]);
}

async fn side_rows_are_found_until_they_expire(place: Place) {
    let fixture = Fixture::new(place).await;
    let tenant = &fixture.tenant;
    let soon = tenant.now().plus_seconds(60);
    tenant.side_put(SideTable::Session, b"a", b"first", Some(soon)).await.unwrap();
    tenant.side_put(SideTable::Session, b"a", b"second", Some(soon)).await.unwrap();
    tenant.side_put(SideTable::Client, b"a", b"client", None).await.unwrap();
    assert_eq!(tenant.side_get(SideTable::Session, b"a").await.unwrap().unwrap(), b"second");
    assert_eq!(tenant.side_list(SideTable::Client).await.unwrap(), [b"client"]);
    fixture.clock.advance(60);
    assert_eq!(tenant.side_get(SideTable::Session, b"a").await.unwrap(), None);
    fixture.clock.advance(1);
    assert_eq!(tenant.purge().await.unwrap(), 1);
    assert!(tenant.side_delete(SideTable::Client, b"a").await.unwrap());
    assert!(!tenant.side_delete(SideTable::Client, b"a").await.unwrap());
}

async fn a_tiny_cache_changes_nothing_but_speed(place: Place) {
    let fixture = Fixture::with(place, EngineConfig { cache_bytes: 1 << 20, ..EngineConfig::default() }).await;
    let body = "y".repeat(400_000);
    let mut records = Vec::new();
    for i in 0..8 {
        records.push(create(&fixture.tenant, &[&body, &i.to_string()]).await.0);
    }
    let fixture = Arc::new(fixture);
    let mut tasks = Vec::new();
    for task in 0..8usize {
        let (fixture, records, body) = (Arc::clone(&fixture), records.clone(), body.clone());
        tasks.push(tokio::spawn(async move {
            for i in 0..16 {
                let at = (task + i * 3) % 8;
                assert_eq!(bodies(&fixture.tenant, records[at]).await, [body.clone(), at.to_string()]);
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let stats = fixture.tenant.cache_stats();
    assert!(stats.bytes <= 1 << 20, "{stats:?}");
}

async fn entries_are_found_by_the_name_their_source_gave_them(place: Place) {
    let fixture = Fixture::new(place).await;
    let tenant = &fixture.tenant;
    let key = |source: &str, id: &str| SourceKey { source: source.into(), kind: "Observation".into(), id: id.into() };
    let named = |source: &str, id: &str, body: &str| {
        let mut write = put(body);
        write.source = Some(key(source, id));
        write
    };
    let record = tenant.new_record_id();
    let writes = vec![named("gp", "1", "a"), named("hospital", "1", "b"), named("gp", "é/2", "c")];
    tenant.commit(commit(record, Expect::New, writes)).await.unwrap();
    let mut change = put("a2");
    change.number = Some(EntryNumber(1));
    tenant.commit(commit(record, Expect::Any, vec![change])).await.unwrap();
    let open = tenant.open(record).await.unwrap().unwrap();
    fixture.tenant.fold(record).await.unwrap();
    drop(open);
    for fixture in [fixture.restart().await] {
        let open = fixture.tenant.open(record).await.unwrap().unwrap();
        for (k, number) in [(key("gp", "1"), 1), (key("hospital", "1"), 2), (key("gp", "é/2"), 3)] {
            let entry = open.by_source(&k).unwrap();
            assert_eq!(entry.number(), EntryNumber(number));
            assert_eq!(entry.source_key(), Some(k));
        }
        assert!(open.by_source(&key("gp", "3")).is_none());
        assert!(open.by_source(&key("nobody", "1")).is_none());
        assert_eq!(open.body(&open.by_source(&key("gp", "1")).unwrap()).await.unwrap(), "a2");
    }
}

fn nhs(value: &str) -> Alias {
    Alias { system: "https://fhir.nhs.uk/Id/nhs-number".into(), value: value.into() }
}

async fn attach(tenant: &keepwell_record::Tenant, record: keepwell_model::RecordId, alias: Alias) {
    let part = Part { attach: vec![alias], ..Part::new(record, Stream::Care, Expect::Any, vec![]) };
    tenant.commit(Commit { author: author(), idempotency: None, parts: vec![part] }).await.unwrap();
}

async fn an_erased_record_leaves_a_stub_and_nothing_else(place: Place) {
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

async fn erasures_are_applied_again_after_an_older_store_is_put_back(place: Place) {
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

async fn a_merge_leads_to_the_survivor_and_unmerging_restores_exactly(place: Place) {
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

async fn keys_are_rotated_while_others_read_and_write(place: Place) {
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

async fn every_block_can_be_proved_in_the_log_by_somebody_who_has_only_its_key(place: Place) {
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

async fn a_whole_store_verifies_and_says_what_it_checked(place: Place) {
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

async fn a_store_put_back_to_an_older_state_is_noticed(place: Place) {
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

async fn an_archive_moves_a_record_to_another_installation_and_verifies_there(place: Place) {
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

async fn an_open_record_reads_the_same_whatever_is_folded_meanwhile(place: Place) {
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
