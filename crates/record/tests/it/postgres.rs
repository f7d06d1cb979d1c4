//! What only PostgreSQL has: several nodes, a server that fails on its own, a schema of its own.

use std::sync::Arc;

use keepwell_model::{SeededRandom, Stream};
use keepwell_record::{
    Commit, Engine, Expect, IdempotencyKey, PostgresOptions, PostgresStore, RecordError, Store as _, Tenant,
};

use crate::fixture::{Fixture, Place, TENANT, bodies, commit, create, put};
use crate::pg_database::Database;

/// A second node on the same database.
async fn second_node(first: &Fixture, seed: u64) -> Tenant {
    let store = first.place.open().await.unwrap();
    let random = Arc::new(SeededRandom::new(seed));
    let engine = Engine::new(store, first.root.clone(), first.clock.clone(), random, first.config);
    engine.tenant(TENANT).await.unwrap()
}

async fn two_nodes() -> Option<(Fixture, Tenant)> {
    let first = Fixture::new(Place::postgres().await?).await;
    let second = second_node(&first, 1_000).await;
    Some((first, second))
}

pub(crate) fn keyed(key: &[u8], commit: Commit) -> Commit {
    Commit { idempotency: Some(IdempotencyKey::of(key)), ..commit }
}

pub(crate) async fn verifies(tenant: &Tenant) {
    let found = tenant.verify(&mut |_| {}).await.unwrap();
    assert_eq!(found.faults, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_nodes_that_race_on_one_head_exactly_one_wins() {
    let Some((one, two)) = two_nodes().await else { return };
    let (record, first) = create(&one.tenant, &[]).await;
    let mut head = first.parts[0].head;
    for round in 0..40 {
        let on = |tenant: &Tenant, who: &str| {
            let (tenant, body) = (tenant.clone(), format!("{round} {who}"));
            tokio::spawn(async move { tenant.commit(commit(record, Expect::Head(head), vec![put(&body)])).await })
        };
        let (a, b) = (on(&one.tenant, "one"), on(&two, "two"));
        let answers = [a.await.unwrap(), b.await.unwrap()];
        let won: Vec<_> = answers.iter().flatten().collect();
        assert_eq!(won.len(), 1, "{answers:?}");
        assert!(answers.iter().any(|answer| matches!(answer, Err(RecordError::Conflict { .. }))), "{answers:?}");
        head = won[0].parts[0].head;
    }
    assert_eq!(bodies(&one.tenant, record).await, bodies(&two, record).await);
    assert_eq!(two.head(record, Stream::Care).await.unwrap(), Some(head));
    verifies(&one.tenant).await;
    verifies(&two).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_write_to_many_records_at_once_and_none_waits_for_ever() {
    let Some((one, two)) = two_nodes().await else { return };
    let mut records = Vec::new();
    for _ in 0..4 {
        records.push(create(&one.tenant, &[]).await.0);
    }
    let mut tasks = Vec::new();
    for task in 0..8usize {
        let tenant = if task % 2 == 0 { one.tenant.clone() } else { two.clone() };
        let mut records = records.clone();
        tasks.push(tokio::spawn(async move {
            // Each task names the records in an order of its own.
            records.rotate_left(task % 4);
            for i in 0..10 {
                let body = format!("{task} {i}");
                let mut many = commit(records[0], Expect::Any, vec![put(&body)]);
                for record in &records[1..3] {
                    many.parts.extend(commit(*record, Expect::Any, vec![put(&body)]).parts);
                }
                while let Err(error) = tenant.commit(many.clone()).await {
                    assert!(matches!(error, RecordError::Conflict { .. }), "{error}");
                }
            }
        }));
    }
    let log = {
        let nodes = [one.tenant.clone(), two.clone()];
        tokio::spawn(async move {
            for _ in 0..20 {
                let (a, b) = tokio::join!(nodes[0].extend_log(), nodes[1].extend_log());
                a.and(b).unwrap();
            }
        })
    };
    for task in tasks {
        task.await.unwrap();
    }
    log.await.unwrap();
    let mut total = 0;
    for record in records {
        total += bodies(&two, record).await.len();
    }
    assert_eq!(total, 8 * 10 * 3);
    one.tenant.extend_log().await.unwrap();
    let found = two.verify(&mut |_| {}).await.unwrap();
    assert_eq!((&found.faults[..], found.waiting), (&[][..], 0));
    assert_eq!(found.log_entries, found.blocks, "each block is in the log once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idempotency_key_that_two_nodes_use_at_once_is_applied_once() {
    let Some((one, two)) = two_nodes().await else { return };
    let (record, _) = create(&one.tenant, &[]).await;
    for round in 0..30 {
        let body = format!("form {round}");
        let on = |tenant: &Tenant| {
            let (tenant, body) = (tenant.clone(), body.clone());
            let commit = keyed(body.as_bytes(), commit(record, Expect::Any, vec![put(&body)]));
            tokio::spawn(async move { tenant.commit(commit).await.unwrap() })
        };
        let (a, b) = (on(&one.tenant), on(&two));
        let (a, b) = (a.await.unwrap(), b.await.unwrap());
        assert_eq!(a.parts, b.parts);
        assert!(a.repeated != b.repeated, "{a:?} {b:?}");
    }
    assert_eq!(bodies(&one.tenant, record).await.len(), 30);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alias_that_two_nodes_attach_at_once_leads_to_one_record() {
    let Some((one, two)) = two_nodes().await else { return };
    let (a, _) = create(&one.tenant, &[]).await;
    let (b, _) = create(&two, &[]).await;
    for round in 0..20 {
        let alias = |n: u32| keepwell_record::Alias { system: "s".into(), value: format!("{round} {n}") };
        let on = |tenant: &Tenant, record, order: [u32; 2]| {
            let (tenant, mut commit) = (tenant.clone(), commit(record, Expect::Any, vec![]));
            commit.parts[0].attach = order.map(alias).to_vec();
            tokio::spawn(async move { tenant.commit(commit).await })
        };
        let (x, y) = (on(&one.tenant, a, [1, 2]), on(&two, b, [2, 1]));
        let answers = [x.await.unwrap(), y.await.unwrap()];
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
        assert!(answers.iter().any(|answer| matches!(answer, Err(RecordError::AliasTaken))), "{answers:?}");
        let winner = if answers[0].is_ok() { a } else { b };
        for n in [1, 2] {
            assert_eq!(two.look_up(&alias(n)).await.unwrap(), Some(winner));
        }
    }
}

/// Makes an error of the server out of every new block.
async fn fail_blocks(database: &Database, body: &str) {
    database
        .run(&format!(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NEW; END $$; \
             CREATE TRIGGER fail BEFORE INSERT ON block FOR EACH ROW EXECUTE FUNCTION fail();"
        ))
        .await;
}

const HEAL: &str = "DROP FUNCTION fail() CASCADE";

fn database(fixture: &Fixture) -> &Database {
    match &fixture.place {
        Place::Postgres { database } => database,
        Place::Sqlite { .. } => unreachable!("these tests run on PostgreSQL only"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_and_a_read_only_server_are_named_and_nothing_is_saved() {
    let Some(place) = Place::postgres().await else { return };
    let fixture = Fixture::new(place).await;
    let (record, _) = create(&fixture.tenant, &["one"]).await;
    for (state, full) in [("53100", true), ("25006", false)] {
        fail_blocks(database(&fixture), &format!("RAISE EXCEPTION 'no' USING ERRCODE = '{state}';")).await;
        let refused = fixture.tenant.commit(commit(record, Expect::Any, vec![put("two")])).await;
        let named = match refused {
            Err(RecordError::Full) => full,
            Err(RecordError::ReadOnly) => !full,
            other => panic!("{other:?}"),
        };
        assert!(named);
        database(&fixture).run(HEAL).await;
        assert_eq!(bodies(&fixture.tenant, record).await, ["one"]);
    }
    fixture.tenant.commit(commit(record, Expect::Any, vec![put("two")])).await.unwrap();
    assert_eq!(bodies(&fixture.tenant, record).await, ["one", "two"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_server_undoes_because_of_others_is_tried_again() {
    let Some(place) = Place::postgres().await else { return };
    let fixture = Fixture::new(place).await;
    let (record, _) = create(&fixture.tenant, &["one"]).await;
    database(&fixture).run("CREATE SEQUENCE tries").await;
    for state in ["40001", "40P01"] {
        let body = format!("IF nextval('tries') % 4 <> 0 THEN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END IF;");
        fail_blocks(database(&fixture), &body).await;
        fixture.tenant.commit(commit(record, Expect::Any, vec![put(state)])).await.unwrap();
        database(&fixture).run(HEAL).await;
    }
    assert_eq!(bodies(&fixture.tenant, record).await, ["one", "40001", "40P01"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_lost_before_the_commit_saves_nothing_and_one_lost_in_it_is_unknown() {
    let Some(place) = Place::postgres().await else { return };
    let fixture = Fixture::new(place).await;
    let (record, _) = create(&fixture.tenant, &["one"]).await;
    let two = || keyed(b"two", commit(record, Expect::Any, vec![put("two")]));

    fail_blocks(database(&fixture), "PERFORM pg_terminate_backend(pg_backend_pid());").await;
    let refused = fixture.tenant.commit(two()).await;
    assert!(matches!(refused, Err(RecordError::Store(_))), "{refused:?}");
    database(&fixture).run(HEAL).await;
    assert_eq!(bodies(&fixture.tenant, record).await, ["one"]);

    // This trigger runs inside COMMIT.
    database(&fixture)
        .run(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$; \
             CREATE CONSTRAINT TRIGGER fail AFTER INSERT ON log_pending DEFERRABLE INITIALLY DEFERRED \
             FOR EACH ROW EXECUTE FUNCTION fail();",
        )
        .await;
    let unknown = fixture.tenant.commit(two()).await;
    assert!(matches!(unknown, Err(RecordError::Unknown)), "{unknown:?}");
    database(&fixture).run(HEAL).await;
    assert!(!fixture.tenant.commit(two()).await.unwrap().repeated);
    assert!(fixture.tenant.commit(two()).await.unwrap().repeated);
    assert_eq!(bodies(&fixture.tenant, record).await, ["one", "two"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_an_operator_cuts_are_made_anew_without_a_word() {
    let Some(place) = Place::postgres().await else { return };
    let fixture = Fixture::new(place).await;
    let (record, _) = create(&fixture.tenant, &["0"]).await;
    for i in 1..6 {
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
        database(&fixture).run(cut).await;
        fixture.tenant.commit(commit(record, Expect::Any, vec![put(&i.to_string())])).await.unwrap();
        database(&fixture).run(cut).await;
        assert_eq!(bodies(&fixture.tenant, record).await.len(), i + 1);
    }
}

fn options(migrate: bool) -> PostgresOptions {
    PostgresOptions { migrate, ..PostgresOptions::default() }
}

fn words(answer: Result<PostgresStore, RecordError>) -> String {
    match answer {
        Err(RecordError::Migration(words) | RecordError::Store(words)) => words,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was accepted"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_are_made_once_and_those_of_a_newer_program_are_refused() {
    let Some(database) = Database::create().await else { return };
    let url = database.url();
    let fresh = words(PostgresStore::connect(&url, options(false)).await);
    assert!(fresh.contains("no Keepwell tables yet: run `keepwell migrate`"), "{fresh}");
    let connect = || tokio::spawn(PostgresStore::connect(Box::leak(url.clone().into_boxed_str()), options(true)));
    for node in [connect(), connect(), connect(), connect()] {
        node.await.unwrap().unwrap();
    }
    PostgresStore::connect(&url, options(false)).await.unwrap();

    database.run("INSERT INTO migration (version, name) VALUES (99, 'from the future')").await;
    for migrate in [true, false] {
        let newer = words(PostgresStore::connect(&url, options(migrate)).await);
        assert!(newer.contains("format 99") && newer.contains("the newer keepwell"), "{newer}");
    }
    database.run("DELETE FROM migration").await;
    let older = words(PostgresStore::connect(&url, options(false)).await);
    assert!(older.contains("run `keepwell migrate`"), "{older}");
    database.run("DROP TABLE migration").await;
    let foreign = words(PostgresStore::connect(&url, options(true)).await);
    assert!(foreign.contains("not Keepwell's"), "{foreign}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_schema_is_a_store_of_its_own() {
    let Some(database) = Database::create().await else { return };
    let schema = |name: &str| PostgresOptions { schema: Some(name.into()), ..PostgresOptions::default() };
    let one = PostgresStore::connect(&database.url(), schema("one")).await.unwrap();
    let two = PostgresStore::connect(&database.url_with("search_path=two"), options(true)).await.unwrap();
    assert!(one.put_tenant(TENANT, "One".into(), None, "wrapped".into()).await.unwrap());
    assert!(!one.put_tenant(TENANT, "One".into(), None, "wrapped".into()).await.unwrap());
    assert_eq!(two.tenants().await.unwrap(), []);
    let again = PostgresStore::connect(&database.url_with("search_path=one"), options(false)).await.unwrap();
    assert_eq!(again.tenants().await.unwrap(), [TENANT]);
    for name in ["", "One", "a\"b", "1a", "pg_x"] {
        let refused = words(PostgresStore::connect(&database.url(), schema(name)).await);
        assert!(refused.contains("cannot be the name of a schema"), "{refused}");
    }
    assert_eq!(one.check().await.unwrap(), Vec::<String>::new());
    database.run("DROP TABLE one.side").await;
    assert_eq!(one.check().await.unwrap(), ["the table side is missing"]);
    assert_eq!(two.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_answers_before_its_disk_is_refused() {
    let Some(database) = Database::create().await else { return };
    let refused = words(PostgresStore::connect(&database.url_with("synchronous_commit=off"), options(true)).await);
    assert!(refused.contains("synchronous_commit is off"), "{refused}");
    PostgresStore::connect(&database.url_with("synchronous_commit=local"), options(true)).await.unwrap();
    let unread = words(PostgresStore::connect("postgres://u:geheim@h/d?sslmod=1", options(true)).await);
    assert!(!unread.contains("geheim"), "{unread}");
}
