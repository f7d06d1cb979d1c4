//! Bundles in any order, and sent again, give the same current content.

use std::collections::BTreeMap;

use keepwell_model::RecordId;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fixture::{Fixture, amina, bundle, observation, put};

/// What a record holds now: by source key, the body.
async fn content(f: &Fixture, record: RecordId) -> BTreeMap<(String, String, String), Vec<u8>> {
    let open = f.tenant.open(record).await.unwrap().unwrap();
    let mut all = BTreeMap::new();
    for entry in open.entries() {
        let key = entry.source_key().unwrap();
        all.insert((key.source, key.kind, key.id), open.body(&entry).await.unwrap().to_vec());
    }
    all
}

/// Bundles of one person from three sources. Where two hold the same item it has the same content.
fn bundles(seed: &[(usize, Vec<u8>)]) -> Vec<(usize, Value)> {
    seed.iter()
        .map(|(source, items)| {
            let mut entries = vec![put(amina("1"))];
            let mut seen = std::collections::BTreeSet::new();
            for item in items.iter().filter(|item| seen.insert(**item)) {
                entries.push(match item % 3 {
                    0 => put(json!({ "resourceType": "Organization", "id": format!("o{item}"), "name": format!("O {item}") })),
                    _ => put(observation(&format!("k{item}"), "Patient/1", &format!("{item}.50"))),
                });
            }
            (source % 3, bundle(entries))
        })
        .collect()
}

async fn after(sent: &[(usize, Value)]) -> BTreeMap<(String, String, String), Vec<u8>> {
    let f = Fixture::new().await;
    let clients = [f.client("gp").await, f.client("lab").await, f.client("ward").await];
    let mut record = None;
    for (source, bundle) in sent {
        record = f.send(&clients[*source], bundle).await.unwrap().response.record;
    }
    let mut all = content(&f, record.unwrap()).await;
    all.extend(content(&f, f.tenant.directory()).await);
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn any_two_orders_of_the_same_bundles_and_any_repeats_give_the_same_content(
        seed in prop::collection::vec((0..3usize, prop::collection::vec(0..12u8, 0..6)), 1..6),
        shuffle in any::<u64>(),
    ) {
        let sent = bundles(&seed);
        let mut other = sent.clone();
        let random = keepwell_model::SeededRandom::new(shuffle);
        for at in (1..other.len()).rev() {
            other.swap(at, usize::try_from(random.below(at as u64 + 1)).unwrap());
        }
        let again = other[usize::try_from(random.below(other.len() as u64)).unwrap()].clone();
        other.push(again);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (one, two) = runtime.block_on(async { (after(&sent).await, after(&other).await) });
        prop_assert_eq!(one, two);
    }
}
