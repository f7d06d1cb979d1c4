//! Nothing that was written in plain is found in the files of a store.

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;
use keepwell_model::{Kind, Labels, RecordId, SourceKey};
use keepwell_record::{Alias, Expect, SideTable, Tenant, Write};
use keepwell_synth::{City, Config, Person};
use serde_json::Value;

use crate::fixture::{Fixture, Place, author, commit, put};
use crate::pg_cluster::PgCluster;
use crate::pg_database::skipped;

/// So many bytes at the start of a word are looked up; shorter words are too likely to occur by chance.
const START: usize = 5;

/// Names, numbers, ids, codes and texts of what was written.
fn words(json: &Value, key: &str, found: &mut BTreeSet<String>) {
    const TELLING: &[&str] = &["display", "text", "family", "given", "line", "id", "value", "code", "postalCode"];
    match json {
        Value::String(text) if TELLING.contains(&key) && text.len() >= START => drop(found.insert(text.clone())),
        Value::Array(items) => items.iter().for_each(|item| words(item, key, found)),
        Value::Object(fields) => fields.iter().for_each(|(key, value)| words(value, key, found)),
        _ => {}
    }
}

async fn write_person(tenant: &Tenant, person: &Person, found: &mut BTreeSet<String>) -> RecordId {
    let record = tenant.new_record_id();
    for (number, feed) in person.feeds.iter().enumerate() {
        let bundle: Value = serde_json::from_str(&feed.bundle).unwrap();
        words(&bundle, "", found);
        let write = |entry: &Value| {
            let resource = &entry["resource"];
            let kind = resource["resourceType"].as_str().unwrap();
            let id = resource["id"].as_str().or(entry["fullUrl"].as_str()).unwrap();
            Write {
                number: None,
                kind: Kind::new(&format!("fhir/{kind}")).unwrap(),
                labels: Labels::GENERAL,
                source: Some(SourceKey { source: feed.source.into(), kind: kind.into(), id: id.into() }),
                body: Some(Bytes::from(resource.to_string())),
            }
        };
        let writes = bundle["entry"].as_array().unwrap().iter().map(write).collect();
        let expect = if number == 0 { Expect::New } else { Expect::Any };
        let mut import = commit(record, expect, writes);
        let system = "https://fhir.nhs.uk/Id/nhs-number".to_owned();
        import.parts[0].attach = vec![Alias { system, value: person.nhs_number.to_string() }];
        import.author = author();
        tenant.commit(import).await.unwrap();
    }
    for week in &person.blood_pressure_weeks {
        for reading in &week.readings {
            let text = format!("{} measured {}", person.family, reading.systolic);
            tenant.commit(commit(record, Expect::Any, vec![put(&text)])).await.unwrap();
        }
    }
    let session = format!("{} {}", person.given, person.family);
    tenant
        .side_put(SideTable::Session, person.nhs_number.to_string().as_bytes(), session.as_bytes(), None)
        .await
        .unwrap();
    let names = [Some(&person.given), person.middle.as_ref(), Some(&person.family)];
    found.extend(names.into_iter().flatten().filter(|name| name.len() >= START).cloned());
    found.insert(person.nhs_number.to_string());
    found.insert(person.nhs_number.to_string().replace(' ', ""));
    record
}

/// Fifty people with everything a store keeps of them; answers the words that must not be found.
async fn fifty_people(fixture: &Fixture) -> BTreeSet<String> {
    let city = City::new(Config { seed: 5, people: 50, today: jiff::civil::date(2026, 11, 23) });
    let mut found = BTreeSet::new();
    for person in city.people() {
        let record = write_person(&fixture.tenant, &person, &mut found).await;
        fixture.tenant.fold(record).await.unwrap();
    }
    fixture.tenant.extend_log().await.unwrap();
    found.remove("Leeds");
    assert!(found.len() > 1_000, "{}", found.len());
    found
}

/// Which of the words stand in the bytes.
fn search<'a>(bytes: &[u8], words: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut by_start: HashMap<&[u8], Vec<&str>> = HashMap::new();
    for word in words {
        by_start.entry(&word.as_bytes()[..START]).or_default().push(word);
    }
    let at =
        |i: usize| by_start.get(&bytes[i..i + START]).into_iter().flatten().filter(move |w| starts(&bytes[i..], w));
    (0..bytes.len().saturating_sub(START - 1)).flat_map(at).copied().collect()
}

fn starts(bytes: &[u8], word: &str) -> bool {
    bytes.starts_with(word.as_bytes())
}

fn nothing_of(words: &BTreeSet<String>, bytes: &[u8]) {
    // The name of the tenant is not a secret, and shows that the search finds what is there.
    assert!(!search(bytes, ["Leeds"]).is_empty());
    assert_eq!(search(bytes, words.iter().map(String::as_str)), Vec::<&str>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_files_of_an_sqlite_store_hold_nothing_of_fifty_people_in_plain() {
    let fixture = Fixture::new(Place::sqlite()).await;
    let words = fifty_people(&fixture).await;
    let Place::Sqlite { folder } = &fixture.place else { unreachable!("it was made so") };
    let mut files = Vec::new();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        files.extend(std::fs::read(file.unwrap().path()).unwrap());
    }
    nothing_of(&words, &files);
    drop(fixture.engine);
}

/// A dump with the bytes that it writes in hexadecimal as they are.
fn with_bytes(dump: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(dump.len());
    let mut rest = dump;
    while let Some(at) = memchr::memmem::find(rest, b"\\x") {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 2..];
        let run = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        out.extend(rest[..run].chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])));
        rest = &rest[run..];
    }
    out.extend_from_slice(rest);
    out
}

fn digit(byte: u8) -> u8 {
    u8::try_from((byte as char).to_digit(16).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_of_a_postgres_store_holds_nothing_of_fifty_people_in_plain() {
    let Some(place) = Place::postgres().await else { return };
    let Some(bin) = PgCluster::programs() else {
        return skipped("KEEPWELL_TEST_PG_BIN is to name the folder of pg_dump");
    };
    let fixture = Fixture::new(place).await;
    let words = fifty_people(&fixture).await;
    let Place::Postgres { database } = &fixture.place else { unreachable!("it was made so") };
    let dump = std::process::Command::new(bin.join("pg_dump")).arg("-d").arg(database.url()).output().unwrap();
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    let bytes = with_bytes(&dump.stdout);
    let records = fixture.tenant.records(None, 100).await.unwrap();
    assert!(memchr::memmem::find(&bytes, records[0].as_bytes()).is_some(), "bytes are found as well");
    nothing_of(&words, &bytes);
}
