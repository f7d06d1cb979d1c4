//! What every store must do.

mod housekeeping;

use std::sync::Arc;

use keepwell_model::{EntryNumber, Seq, SourceKey, Stream};
use keepwell_record::{
    Alias, Commit, EngineConfig, Expect, Head, IdempotencyKey, Limits, Part, RecordError, SideTable,
};

use crate::fixture::{Fixture, Place, author, bodies, commit, create, put};
use housekeeping::{
    a_merge_leads_to_the_survivor_and_unmerging_restores_exactly,
    a_node_learns_of_a_root_key_that_another_node_replaced, a_store_put_back_to_an_older_state_is_noticed,
    a_whole_store_verifies_and_says_what_it_checked,
    an_archive_moves_a_record_to_another_installation_and_verifies_there,
    an_erased_record_leaves_a_stub_and_nothing_else, an_open_record_reads_the_same_whatever_is_folded_meanwhile,
    erasures_are_applied_again_after_an_older_store_is_put_back,
    every_block_can_be_proved_in_the_log_by_somebody_who_has_only_its_key,
    keys_are_rotated_while_others_read_and_write,
};

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
    names_of_many_later_blocks_and_new_names_are_found,
    the_block_of_an_entry_is_found_by_its_number,
    what_is_in_memory_is_never_older_than_what_was_acknowledged,
    an_erased_record_leaves_a_stub_and_nothing_else,
    erasures_are_applied_again_after_an_older_store_is_put_back,
    a_merge_leads_to_the_survivor_and_unmerging_restores_exactly,
    keys_are_rotated_while_others_read_and_write,
    a_node_learns_of_a_root_key_that_another_node_replaced,
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
    let limits = Limits {
        entry_bytes: 10,
        commit_bytes: 25,
        commit_entries: 4,
        record_entries: 6,
        commit_aliases: 1,
        ..Limits::default()
    };
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

async fn names_of_many_later_blocks_and_new_names_are_found(place: Place) {
    let fixture = Fixture::new(place).await;
    let tenant = &fixture.tenant;
    let key = |id: &str| SourceKey { source: "gp".into(), kind: "Observation".into(), id: id.into() };
    let named = |id: &str| {
        let mut write = put(id);
        write.source = Some(key(id));
        write
    };
    let record = tenant.new_record_id();
    tenant.commit(commit(record, Expect::New, vec![named("0")])).await.unwrap();
    for number in 1u32..200 {
        tenant.commit(commit(record, Expect::Any, vec![named(&number.to_string())])).await.unwrap();
        let open = tenant.open(record).await.unwrap().unwrap();
        for wanted in [0, number / 2, number] {
            let found = open.by_source(&key(&wanted.to_string())).unwrap();
            assert_eq!(found.number(), EntryNumber(wanted + 1), "after {number}");
        }
        assert!(open.by_source(&key(&(number + 1).to_string())).is_none());
    }
    // An entry takes another name, once among the first and once among the last; the old one leads nowhere.
    for number in [3u32, 200] {
        let mut change = named(&format!("new {number}"));
        change.number = Some(EntryNumber(number));
        tenant.commit(commit(record, Expect::Any, vec![change])).await.unwrap();
        let open = tenant.open(record).await.unwrap().unwrap();
        assert_eq!(open.by_source(&key(&format!("new {number}"))).unwrap().number(), EntryNumber(number));
        assert!(open.by_source(&key(&(number - 1).to_string())).is_none());
        assert_eq!(open.by_source_id("gp", "150").count(), 1);
    }
}

async fn the_block_of_an_entry_is_found_by_its_number(place: Place) {
    let fixture = Fixture::new(place).await;
    let tenant = &fixture.tenant;
    let record = tenant.new_record_id();
    let mut expected = Vec::new();
    for seq in 1u64..=12 {
        let count = usize::try_from(seq % 4).unwrap() + 1;
        let expect = if seq == 1 { Expect::New } else { Expect::Any };
        tenant.commit(commit(record, expect, vec![put("a"); count])).await.unwrap();
        expected.extend(vec![Seq(seq); count]);
    }
    assert_eq!(tenant.count(record, Stream::Care).await.unwrap(), u32::try_from(expected.len()).ok());
    for (number, seq) in (1u32..).zip(&expected) {
        assert_eq!(tenant.block_of(record, Stream::Care, EntryNumber(number)).await.unwrap(), Some(*seq));
    }
    for number in [0, u32::try_from(expected.len()).unwrap() + 1, u32::MAX] {
        assert_eq!(tenant.block_of(record, Stream::Care, EntryNumber(number)).await.unwrap(), None);
    }
    assert_eq!(tenant.block_of(record, Stream::Access, EntryNumber(1)).await.unwrap(), None);
    let nobody = tenant.new_record_id();
    assert_eq!(tenant.block_of(nobody, Stream::Care, EntryNumber(1)).await.unwrap(), None);
    assert_eq!(tenant.count(nobody, Stream::Care).await.unwrap(), None);
}

async fn what_is_in_memory_is_never_older_than_what_was_acknowledged(place: Place) {
    let fixture = Fixture::new(place).await;
    let record = fixture.tenant.new_record_id();
    fixture.tenant.commit(commit(record, Expect::New, vec![put("0")])).await.unwrap();
    let writers = (0..4).map(|writer| {
        let tenant = fixture.tenant.clone();
        tokio::spawn(async move {
            for round in 0..25 {
                let done = tenant.commit(commit(record, Expect::Any, vec![put(&format!("{writer} {round}"))])).await;
                let written = done.unwrap().parts[0].head.seq;
                let open = tenant.open(record).await.unwrap().unwrap();
                assert!(open.head().seq >= written, "{:?} is older than {written:?}", open.head());
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    // The same once it is erased, at once and for everybody.
    let open = fixture.tenant.open(record).await.unwrap();
    assert!(open.is_some());
    fixture.tenant.erase(record, "a test").await.unwrap();
    assert!(fixture.tenant.open(record).await.unwrap().is_none());
}
