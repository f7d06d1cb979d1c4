//! All 41 Synthea Bundles go in, and each resource comes out as it was sent.

use std::collections::HashMap;
use std::path::PathBuf;

use bytes::Bytes;
use keepwell_fhir::bundle::Bundle;
use keepwell_fhir::compare::difference;
use keepwell_fhir::json::{Node, check};
use keepwell_fhir::project::{Stamp, project};

use crate::fixture::{Answer, Fixture};

/// The folder of the Bundles, or `None` (after saying so) where the test data is not at hand.
#[expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test may be told where the data is, and says when it is not"
)]
fn folder() -> Option<PathBuf> {
    let root = std::env::var_os("KEEPWELL_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let folder = root.join("synthea-r4");
    if !folder.is_dir() {
        let required = std::env::var_os("KEEPWELL_REQUIRE_ALL").is_some_and(|it| it == "1");
        assert!(!required, "the Synthea Bundles are required");
        println!("skipped: no Synthea Bundles in {}", root.display());
        return None;
    }
    Some(folder)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_synthea_resource_comes_out_as_it_was_sent_number_text_included() {
    let Some(folder) = folder() else { return };
    let f = Fixture::new().await;
    let client = f.client("synthea").await;
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let (mut bundles, mut resources) = (0, 0);
    for path in files {
        let body = Bytes::from(std::fs::read(&path).unwrap());
        let answer = f.service.transaction(&client, body.clone()).await.unwrap();
        let again = f.service.transaction(&client, body.clone()).await.unwrap();
        assert_eq!(again.changed, 0, "{}", path.display());
        bundles += 1;
        resources += compare(&f, &client, &body, &Answer::of(answer)).await;
    }
    assert_eq!((bundles, resources), (41, 12_889));
    println!("{resources} resources of {bundles} Bundles came out as they were sent");
}

async fn compare(f: &Fixture, client: &keepwell_service::Client, body: &[u8], answer: &Answer) -> usize {
    let checked = check(body).unwrap();
    let bundle = Bundle::read(&checked.bytes, &checked.outline).unwrap();
    let names: HashMap<&str, &str> = bundle
        .entries
        .iter()
        .zip(&answer.locations)
        .map(|(entry, location)| (entry.full_url.as_deref().unwrap(), location.as_str()))
        .collect();
    // Many at once, because each read waits until its access line is durable.
    let mut reads = tokio::task::JoinSet::new();
    for (at, location) in answer.locations.iter().enumerate() {
        let (service, client, location) = (f.service.clone(), client.clone(), location.clone());
        reads.spawn(async move {
            let (kind, id) = location.split_once('/').unwrap();
            (at, service.read_resource(&client, kind, id).await.unwrap())
        });
    }
    for (at, read) in reads.join_all().await {
        let (entry, location) = (&bundle.entries[at], &answer.locations[at]);
        let (_, range) = entry.resource.as_ref().unwrap();
        let id = location.split('/').nth(1).unwrap();
        let (version, updated) = (read.version.to_string(), read.last_updated.to_string());
        let stamp = Stamp { id, version_id: &version, last_updated: &updated };
        // What was sent, with nothing but Keepwell's ids, versions and references put in.
        let expected =
            project(&checked.bytes[range.clone()], stamp, |text| names.get(text).map(|name| (*name).to_owned()));
        let (expected, read) = (Node::new(&expected).unwrap(), Node::new(&read.json).unwrap());
        if let Some(difference) = difference(expected, read) {
            panic!("{location}: {difference}");
        }
    }
    bundle.entries.len()
}
