//! An attacker who can write the database but has no key, and operations that race each other. Numbers are those of
//! docs/threat-model.md.

use keepwell_model::{RecordId, SourceKey, Stream};
use keepwell_record::{Alias, EngineConfig, Expect, Limits, Part, RecordError, RootKey, SideTable, Tenant};

use crate::fixture::{Fixture, Place, author, bodies, commit, create, put};

/// Statements run behind the engine's back. `?1` is the record if one is given.
fn tamper(fixture: &Fixture, record: Option<RecordId>, statements: &[&str]) {
    let Place::Sqlite { folder } = &fixture.place else { panic!("only files are tampered with here") };
    let connection = rusqlite::Connection::open(folder.path().join("keepwell.db")).unwrap();
    for statement in statements {
        match record {
            Some(record) => connection.execute(statement, [record.as_bytes()]).unwrap(),
            None => connection.execute(statement, []).unwrap(),
        };
    }
}

async fn city() -> Fixture {
    Fixture::new(Place::sqlite()).await
}

async fn faults(tenant: &Tenant) -> Vec<String> {
    tenant.verify(&mut |_| {}).await.unwrap().faults
}

fn number(value: &str) -> Alias {
    Alias { system: "https://fhir.nhs.uk/Id/nhs-number".into(), value: value.into() }
}

async fn attach(tenant: &Tenant, record: RecordId, alias: Alias) -> Result<(), RecordError> {
    let mut change = commit(record, Expect::Any, vec![]);
    change.parts[0].attach = vec![alias];
    tenant.commit(change).await.map(drop)
}

async fn look(tenant: &Tenant, record: RecordId) {
    let part = Part::new(record, Stream::Access, Expect::Any, vec![put("somebody looked")]);
    tenant.commit(keepwell_record::Commit { author: author(), idempotency: None, parts: vec![part] }).await.unwrap();
}

#[tokio::test]
async fn t14_a_forged_merge_mark_never_leads_a_look_up_to_another_person() {
    let fixture = city().await;
    let tenant = &fixture.tenant;
    let (ann, _) = create(tenant, &["Ann's"]).await;
    let (bea, _) = create(tenant, &["Bea's"]).await;
    attach(tenant, ann, number("9000000009")).await.unwrap();
    let bea_hex: String = bea.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let forge = format!("UPDATE record SET merged = x'{bea_hex}', merged_tag = zeroblob(16) WHERE record = ?1");
    tamper(&fixture, Some(ann), &[&forge]);
    let found = tenant.look_up(&number("9000000009")).await;
    assert!(matches!(found, Err(RecordError::Damaged { .. })), "{found:?}");
    assert!(!faults(tenant).await.is_empty());
}

#[tokio::test]
async fn t34_a_record_put_back_to_before_its_first_block_is_damage_and_not_an_empty_record() {
    let fixture = city().await;
    let tenant = &fixture.tenant;
    let (record, _) = create(tenant, &["a diagnosis"]).await;
    tamper(
        &fixture,
        Some(record),
        &[
            "UPDATE record SET care_seq = 0, care_hash = NULL, care_next = 1, care_tag = NULL WHERE record = ?1",
            "DELETE FROM block WHERE record = ?1",
        ],
    );
    assert!(matches!(tenant.open(record).await, Err(RecordError::Damaged { .. })));
}

#[tokio::test]
async fn t29_lines_of_who_looked_that_were_cut_off_without_a_trace_are_missed_by_the_check() {
    let fixture = city().await;
    let tenant = &fixture.tenant;
    let (record, _) = create(tenant, &["a"]).await;
    look(tenant, record).await;
    tenant.extend_log().await.unwrap();
    assert_eq!(faults(tenant).await, Vec::<String>::new());
    tamper(
        &fixture,
        Some(record),
        &[
            "UPDATE record SET access_seq = 0, access_hash = NULL, access_next = 1, access_tag = NULL WHERE record = ?1",
            "DELETE FROM block WHERE record = ?1 AND stream = 2",
            "DELETE FROM log_leaf WHERE record = ?1 AND stream = 2",
        ],
    );
    assert_eq!(tenant.head(record, Stream::Access).await.unwrap().unwrap().seq.0, 0, "nothing else shows it");
    let said = faults(tenant).await.join("\n");
    assert!(said.contains("1 entries of the log"), "{said}");
}

#[tokio::test]
async fn t34_one_record_put_back_to_an_older_state_is_missed_by_the_check() {
    let fixture = city().await;
    let tenant = &fixture.tenant;
    let (record, _) = create(tenant, &["first"]).await;
    tamper(&fixture, Some(record), &["CREATE TABLE old AS SELECT * FROM record WHERE record = ?1"]);
    tenant.commit(commit(record, Expect::Any, vec![put("second")])).await.unwrap();
    tenant.extend_log().await.unwrap();
    tamper(
        &fixture,
        Some(record),
        &["DELETE FROM block WHERE record = ?1 AND seq = 2", "DELETE FROM log_leaf WHERE record = ?1 AND seq = 2"],
    );
    tamper(&fixture, None, &["REPLACE INTO record SELECT * FROM old", "DROP TABLE old"]);
    let fixture = fixture.restart().await;
    assert_eq!(bodies(&fixture.tenant, record).await, ["first"], "each row by itself is genuine");
    let said = faults(&fixture.tenant).await.join("\n");
    assert!(said.contains("1 entries of the log"), "{said}");
}

#[tokio::test]
async fn t29_a_record_removed_with_all_its_rows_is_missed_by_the_check() {
    let fixture = city().await;
    let tenant = &fixture.tenant;
    let (record, _) = create(tenant, &["a"]).await;
    look(tenant, record).await;
    create(tenant, &["another"]).await;
    tenant.extend_log().await.unwrap();
    for table in ["record", "block", "alias", "log_leaf", "snapshot"] {
        tamper(&fixture, Some(record), &[&format!("DELETE FROM {table} WHERE record = ?1")]);
    }
    let said = faults(tenant).await.join("\n");
    assert!(said.contains("2 entries of the log"), "{said}");
}

#[tokio::test]
async fn t29_a_record_only_said_to_be_erased_is_noticed_and_so_is_a_stub_that_vanished() {
    let fixture = city().await;
    let tenant = &fixture.tenant;
    let (hidden, _) = create(tenant, &["a"]).await;
    tamper(&fixture, Some(hidden), &["UPDATE record SET erased = 1 WHERE record = ?1"]);
    let said = faults(tenant).await.join("\n");
    assert!(said.contains("no stub"), "{said}");
    tamper(&fixture, Some(hidden), &["UPDATE record SET erased = 0 WHERE record = ?1"]);
    assert_eq!(faults(tenant).await, Vec::<String>::new());

    let (gone, _) = create(tenant, &["b"]).await;
    tenant.erase(gone, "case 1").await.unwrap();
    tenant.extend_log().await.unwrap();
    assert_eq!(faults(tenant).await, Vec::<String>::new());
    tamper(&fixture, Some(gone), &["CREATE TABLE old AS SELECT * FROM erasure WHERE record = ?1"]);
    tamper(&fixture, Some(gone), &["DELETE FROM erasure WHERE record = ?1"]);
    assert!(faults(tenant).await.join("\n").contains("no stub"));
    // The whole erased record as if it had never been: its blocks are in the log all the same.
    tamper(&fixture, Some(gone), &["DELETE FROM record WHERE record = ?1"]);
    assert!(faults(tenant).await.join("\n").contains("1 entries of the log"));
    // A stub for a record that is not there, or not erased, is one too many.
    tamper(&fixture, None, &["INSERT INTO erasure SELECT * FROM old", "DROP TABLE old"]);
    assert!(faults(tenant).await.join("\n").contains("stub"));
}

#[tokio::test]
async fn t29_a_block_that_was_kept_out_of_the_log_or_taken_out_of_it_is_noticed() {
    let fixture = city().await;
    let tenant = &fixture.tenant;
    let (record, _) = create(tenant, &["a"]).await;
    tamper(&fixture, Some(record), &["DELETE FROM log_pending WHERE record = ?1"]);
    assert!(faults(tenant).await.join("\n").contains("neither in the log nor waiting"));

    let fixture = city().await;
    let tenant = &fixture.tenant;
    let (record, _) = create(tenant, &["a"]).await;
    tenant.extend_log().await.unwrap();
    tamper(&fixture, Some(record), &["DELETE FROM log_leaf WHERE record = ?1"]);
    assert!(faults(tenant).await.join("\n").contains("neither in the log nor waiting"));

    let fixture = city().await;
    let tenant = &fixture.tenant;
    let (record, _) = create(tenant, &["a"]).await;
    tamper(&fixture, Some(record), &["UPDATE log_pending SET hash = zeroblob(32) WHERE record = ?1"]);
    tenant.extend_log().await.unwrap();
    assert!(faults(tenant).await.join("\n").contains("not the one that the log holds"));
}

#[tokio::test]
async fn a_log_that_claims_to_be_endless_ends_the_check_with_a_fault() {
    let fixture = city().await;
    fixture.tenant.extend_log().await.unwrap();
    tamper(&fixture, None, &["UPDATE tenant SET log_size = 9223372036854775807"]);
    assert!(fixture.tenant.extend_log().await.is_err());
    assert!(!faults(&fixture.tenant).await.is_empty());
}

#[tokio::test]
async fn t14_a_merge_mark_that_was_put_back_or_taken_away_is_missed_by_the_check() {
    let fixture = city().await;
    let tenant = &fixture.tenant;
    let (survivor, _) = create(tenant, &["a"]).await;
    let (other, _) = create(tenant, &["b"]).await;
    tenant.merge(survivor, other, author()).await.unwrap();
    assert_eq!(faults(tenant).await, Vec::<String>::new());
    tamper(&fixture, Some(other), &["CREATE TABLE old AS SELECT merged, merged_tag FROM record WHERE record = ?1"]);
    tamper(&fixture, Some(other), &["UPDATE record SET merged = NULL, merged_tag = NULL WHERE record = ?1"]);
    assert!(faults(tenant).await.join("\n").contains("merge mark"));
    tamper(&fixture, Some(other), &["UPDATE record SET (merged, merged_tag) = (SELECT * FROM old) WHERE record = ?1"]);
    tenant.unmerge(other, author()).await.unwrap();
    assert_eq!(faults(tenant).await, Vec::<String>::new());
    tamper(&fixture, Some(other), &["UPDATE record SET (merged, merged_tag) = (SELECT * FROM old) WHERE record = ?1"]);
    assert!(faults(tenant).await.join("\n").contains("merge mark"));
}

#[tokio::test]
async fn an_alias_put_back_after_an_erasure_leads_nowhere_and_is_noticed() {
    let fixture = city().await;
    let tenant = &fixture.tenant;
    let (record, _) = create(tenant, &["a"]).await;
    attach(tenant, record, number("9000000009")).await.unwrap();
    tamper(&fixture, Some(record), &["CREATE TABLE old AS SELECT * FROM alias WHERE record = ?1"]);
    tenant.erase(record, "case 1").await.unwrap();
    tamper(&fixture, None, &["INSERT INTO alias SELECT * FROM old", "DROP TABLE old"]);
    assert_eq!(tenant.look_up(&number("9000000009")).await.unwrap(), None);
    assert!(faults(tenant).await.join("\n").contains("alias"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn t14_merges_at_the_same_time_never_leave_a_chain_or_a_ring_of_merged_records() {
    let fixture = city().await;
    for _ in 0..30 {
        let tenant = &fixture.tenant;
        let (a, _) = create(tenant, &["a"]).await;
        let (b, _) = create(tenant, &["b"]).await;
        let (c, _) = create(tenant, &["c"]).await;
        let merge = |survivor, other| {
            let tenant = tenant.clone();
            tokio::spawn(async move { tenant.merge(survivor, other, author()).await.is_ok() })
        };
        let all = [merge(a, b), merge(b, c), merge(c, a), merge(b, a), merge(a, c)];
        for merge in all {
            merge.await.unwrap();
        }
        for record in [a, b, c] {
            if let Some(into) = tenant.links(record).await.unwrap().merged_into {
                let beyond = tenant.links(into).await.unwrap();
                assert_eq!(beyond.merged_into, None, "one step leads to a record that stands for the person");
                assert!(beyond.merged.contains(&record));
            }
        }
    }
    assert_eq!(faults(&fixture.tenant).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn t14_an_erasure_never_takes_the_record_that_another_was_just_merged_into() {
    let fixture = city().await;
    for _ in 0..60 {
        let tenant = &fixture.tenant;
        let (survivor, _) = create(tenant, &["a"]).await;
        let (other, _) = create(tenant, &["b"]).await;
        let merging = {
            let tenant = tenant.clone();
            tokio::spawn(async move { tenant.merge(survivor, other, author()).await })
        };
        let erasing = {
            let tenant = tenant.clone();
            tokio::spawn(async move { tenant.erase(survivor, "case 2").await })
        };
        let (merged, erased) = (merging.await.unwrap(), erasing.await.unwrap());
        assert!(merged.is_ok() != erased.is_ok(), "one of the two: {merged:?} {erased:?}");
        assert!(tenant.open(other).await.unwrap().is_some());
    }
    assert_eq!(faults(&fixture.tenant).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stub_counts_every_block_that_went_also_those_written_in_the_same_moment() {
    let fixture = city().await;
    let tenant = fixture.tenant.clone();
    for round in 0..30 {
        let (record, _) = create(&tenant, &["a"]).await;
        let mut writing = Vec::new();
        for _ in 0..8 {
            let tenant = tenant.clone();
            writing.push(tokio::spawn(async move {
                tenant.commit(commit(record, Expect::Any, vec![put("b")])).await.map(|done| done.parts[0].head.seq)
            }));
        }
        if round % 2 == 0 {
            tokio::task::yield_now().await;
        }
        let erasure = tenant.erase(record, "case 3").await.unwrap();
        let mut newest = 1;
        for task in writing {
            match task.await.unwrap() {
                Ok(seq) => newest = newest.max(seq.0),
                Err(RecordError::NoSuchRecord(_) | RecordError::Conflict { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(erasure.care_blocks.0, newest);
        assert!(tenant.open(record).await.unwrap().is_none());
    }
    tenant.extend_log().await.unwrap();
    assert_eq!(faults(&tenant).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_check_while_others_write_fold_and_erase_finds_no_fault_that_is_not_there() {
    let config = EngineConfig { snapshot_after: 4, ..EngineConfig::default() };
    let fixture = Fixture::with(Place::sqlite(), config).await;
    let tenant = fixture.tenant.clone();
    let (steady, _) = create(&tenant, &["a"]).await;
    let writer = tokio::spawn({
        let tenant = tenant.clone();
        async move {
            for n in 0..60 {
                let (record, _) = create(&tenant, &["x"]).await;
                tenant.commit(commit(steady, Expect::Any, vec![put("y")])).await.unwrap();
                look(&tenant, record).await;
                tenant.extend_log().await.unwrap();
                if n % 3 == 0 {
                    tenant.erase(record, "case 4").await.unwrap();
                }
                drop(tenant.open(steady).await.unwrap());
            }
        }
    });
    while !writer.is_finished() {
        assert_eq!(faults(&tenant).await, Vec::<String>::new());
    }
    writer.await.unwrap();
    assert_eq!(faults(&tenant).await, Vec::<String>::new());
}

#[tokio::test]
async fn t14_one_commit_cannot_lead_an_identifier_to_two_records() {
    let fixture = city().await;
    let tenant = &fixture.tenant;
    let (a, _) = create(tenant, &["a"]).await;
    let (b, _) = create(tenant, &["b"]).await;
    let mut both = commit(a, Expect::Any, vec![]);
    both.parts.push(Part::new(b, Stream::Care, Expect::Any, vec![]));
    for part in &mut both.parts {
        part.attach = vec![number("9000000009")];
    }
    assert!(tenant.commit(both).await.is_err());
    assert_eq!(tenant.look_up(&number("9000000009")).await.unwrap(), None);
}

#[tokio::test]
async fn t34_rows_swapped_between_records_streams_and_tables_are_refused() {
    let fixture = city().await;
    let tenant = &fixture.tenant;
    let (a, _) = create(tenant, &["Ann's"]).await;
    let (b, _) = create(tenant, &["Bea's"]).await;
    look(tenant, a).await;
    attach(tenant, a, number("9000000009")).await.unwrap();
    tenant.side_put(SideTable::Session, b"one", b"Ann", None).await.unwrap();
    tenant.side_put(SideTable::Session, b"two", b"Bea", None).await.unwrap();
    let b_hex: String = b.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let steps: [(&str, String); 4] = [
        ("a block", format!("UPDATE block SET block = (SELECT block FROM block WHERE record = x'{b_hex}' AND seq = 1) WHERE record = ?1 AND stream = 1 AND seq = 1")),
        ("a stream", "UPDATE block SET block = (SELECT block FROM block WHERE record = ?1 AND stream = 2 AND seq = 1) WHERE record = ?1 AND stream = 1 AND seq = 1".into()),
        ("keys", format!("UPDATE record SET wrapped = (SELECT wrapped FROM record WHERE record = x'{b_hex}') WHERE record = ?1")),
        ("a head", format!("UPDATE record SET (care_seq, care_hash, care_next, care_tag) = (SELECT care_seq, care_hash, care_next, care_tag FROM record WHERE record = x'{b_hex}') WHERE record = ?1")),
    ];
    let mut fixture = fixture;
    for (what, statement) in steps {
        tamper(
            &fixture,
            Some(a),
            &[
                "CREATE TABLE old_block AS SELECT * FROM block WHERE record = ?1",
                "CREATE TABLE old_record AS SELECT * FROM record WHERE record = ?1",
                &statement,
            ],
        );
        fixture = fixture.restart().await;
        assert!(matches!(fixture.tenant.open(a).await, Err(RecordError::Damaged { .. })), "{what}");
        tamper(
            &fixture,
            None,
            &[
                "REPLACE INTO block SELECT * FROM old_block",
                "REPLACE INTO record SELECT * FROM old_record",
                "DROP TABLE old_block",
                "DROP TABLE old_record",
            ],
        );
    }
    tamper(&fixture, None, &[&format!("UPDATE alias SET record = x'{b_hex}'")]);
    assert!(matches!(fixture.tenant.look_up(&number("9000000009")).await, Err(RecordError::DamagedStore { .. })));
    tamper(&fixture, None, &["UPDATE side SET value = (SELECT s.value FROM side s WHERE s.key <> side.key)"]);
    assert!(fixture.tenant.side_get(SideTable::Session, b"one").await.is_err());
    tamper(&fixture, None, &["UPDATE side SET expires = expires - 1"]);
    assert!(fixture.tenant.side_list(SideTable::Session).await.is_err());
}

#[tokio::test]
async fn t37_a_length_that_lies_is_damage_and_takes_no_memory() {
    let fixture = city().await;
    let tenant = &fixture.tenant;
    let (record, _) = create(tenant, &["a"]).await;
    // The plain length of the first frame stands right behind the header.
    tamper(
        &fixture,
        Some(record),
        &[
            "UPDATE block SET block = CAST(substr(block, 1, 92) || x'ffffffff' || substr(block, 97) AS BLOB) WHERE record = ?1",
        ],
    );
    assert!(matches!(tenant.open(record).await, Err(RecordError::Damaged { .. })));
    assert!(tenant.blocks(record, Stream::Care, keepwell_model::Seq(1), 10).await.is_err());
}

#[tokio::test]
async fn t36_names_count_towards_the_size_of_a_commit() {
    let limits = Limits { commit_bytes: 1_000, ..Limits::default() };
    let fixture = Fixture::with(Place::sqlite(), EngineConfig { limits, ..EngineConfig::default() }).await;
    let (record, _) = create(&fixture.tenant, &["a"]).await;
    let mut write = put("b");
    write.source = Some(SourceKey { source: "gp".into(), kind: "Observation".into(), id: "x".repeat(2_000) });
    let done = fixture.tenant.commit(commit(record, Expect::Any, vec![write])).await;
    assert!(matches!(done, Err(RecordError::TooLarge { .. })), "{done:?}");
}

#[tokio::test]
async fn a_tenant_whose_making_was_cut_short_is_finished_at_the_next_start() {
    let fixture = city().await;
    for table in ["block", "log_pending", "record"] {
        tamper(&fixture, None, &[&format!("DELETE FROM {table}")]);
    }
    let fixture = fixture.restart().await;
    let directory = fixture.tenant.directory();
    assert!(fixture.tenant.open(directory).await.unwrap().is_some());
    // But what the log knows of is never made anew in silence.
    fixture.tenant.extend_log().await.unwrap();
    for table in ["block", "log_leaf", "record"] {
        tamper(&fixture, None, &[&format!("DELETE FROM {table}")]);
    }
    let fixture = fixture.restart().await;
    assert!(fixture.tenant.open(directory).await.unwrap().is_none());
    assert!(!faults(&fixture.tenant).await.is_empty());
}

#[tokio::test]
async fn a_record_that_moves_back_brings_the_keys_it_got_elsewhere() {
    let home = city().await;
    let away = Fixture::with_seed(Place::sqlite(), EngineConfig::default(), 99).await;
    let (record, _) = create(&home.tenant, &["first"]).await;
    home.tenant.extend_log().await.unwrap();
    let key = RootKey::from_bytes([5; 32]);
    let out = home.tenant.export_record(record, &key).await.unwrap();
    away.tenant.import_record(&out, &key, None, author()).await.unwrap();
    away.tenant.rotate_record(record).await.unwrap();
    away.tenant.commit(commit(record, Expect::Any, vec![put("second")])).await.unwrap();
    away.tenant.extend_log().await.unwrap();
    let back = away.tenant.export_record(record, &key).await.unwrap();
    home.tenant.import_record(&back, &key, None, author()).await.unwrap();
    assert!(bodies(&home.tenant, record).await.contains(&"second".to_owned()));
    // Again, and the older archive again: both are there already, so nothing happens.
    home.tenant.import_record(&back, &key, None, author()).await.unwrap();
    home.tenant.import_record(&out, &key, None, author()).await.unwrap();
    home.tenant.extend_log().await.unwrap();
    assert_eq!(faults(&home.tenant).await, Vec::<String>::new());
    // Both sides give it a new key: neither can take in what the other wrote since.
    home.tenant.rotate_record(record).await.unwrap();
    away.tenant.rotate_record(record).await.unwrap();
    away.tenant.commit(commit(record, Expect::Any, vec![put("third")])).await.unwrap();
    away.tenant.extend_log().await.unwrap();
    let forked = away.tenant.export_record(record, &key).await.unwrap();
    let answer = home.tenant.import_record(&forked, &key, None, author()).await;
    assert!(matches!(answer, Err(RecordError::Conflict { .. })), "{answer:?}");
    assert_eq!(faults(&home.tenant).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_archive_of_a_record_that_went_another_way_changes_nothing() {
    let home = city().await;
    let away = Fixture::with_seed(Place::sqlite(), EngineConfig::default(), 99).await;
    let (record, _) = create(&home.tenant, &["first"]).await;
    home.tenant.extend_log().await.unwrap();
    let key = RootKey::from_bytes([5; 32]);
    let out = home.tenant.export_record(record, &key).await.unwrap();
    away.tenant.import_record(&out, &key, None, author()).await.unwrap();
    for _ in 0..4 {
        home.tenant.commit(commit(record, Expect::Any, vec![put("at home")])).await.unwrap();
    }
    away.tenant.extend_log().await.unwrap();
    let shorter = away.tenant.export_record(record, &key).await.unwrap();
    let before = home.tenant.head(record, Stream::Care).await.unwrap();
    let answer = home.tenant.import_record(&shorter, &key, None, author()).await;
    assert!(matches!(answer, Err(RecordError::Conflict { .. })), "{answer:?}");
    assert_eq!(home.tenant.head(record, Stream::Care).await.unwrap(), before);
}

#[tokio::test]
async fn a_retry_after_an_erasure_brings_nothing_back() {
    let fixture = city().await;
    let tenant = &fixture.tenant;
    let record = tenant.new_record_id();
    let mut first = commit(record, Expect::New, vec![put("a")]);
    first.idempotency = Some(keepwell_record::IdempotencyKey::of(b"once"));
    tenant.commit(first.clone()).await.unwrap();
    tenant.erase(record, "case 5").await.unwrap();
    assert!(matches!(tenant.commit(first.clone()).await, Err(RecordError::NoSuchRecord(_))));
    first.parts[0].record = tenant.new_record_id();
    assert!(matches!(tenant.commit(first).await, Err(RecordError::NoSuchRecord(_))));
    assert!(tenant.records(None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_damaged_list_of_blocks_behind_an_idempotency_key_is_never_an_empty_answer() {
    let fixture = city().await;
    let tenant = &fixture.tenant;
    let (record, _) = create(tenant, &["a"]).await;
    let mut once = commit(record, Expect::Any, vec![put("b")]);
    once.idempotency = Some(keepwell_record::IdempotencyKey::of(b"once"));
    tenant.commit(once.clone()).await.unwrap();
    tamper(&fixture, None, &["UPDATE idempotency SET blocks = x'00'"]);
    assert!(tenant.commit(once).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_tenant_made_while_the_root_key_is_replaced_opens_with_the_new_one() {
    let fixture = city().await;
    let new = RootKey::from_bytes([9; 32]);
    let (engine, rotating) = (fixture.engine.clone(), fixture.engine.clone());
    let made = tokio::spawn(async move {
        for n in 2..40 {
            engine.create_tenant(keepwell_model::TenantId(n), "another").await.unwrap();
        }
    });
    tokio::time::sleep(std::time::Duration::from_millis(15)).await;
    rotating.rotate_root(new.clone()).await.unwrap();
    made.await.unwrap();
    drop(rotating);
    let mut fixture = fixture;
    fixture.root = keepwell_record::RootKeys::only(new);
    let fixture = fixture.restart().await;
    for tenant in fixture.engine.tenants().await.unwrap() {
        fixture.engine.tenant(tenant).await.unwrap();
    }
}
