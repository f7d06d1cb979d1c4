//! The documents of others: whole-patient Bundles made with Synthea.

use std::path::PathBuf;

use keepwell_fhir::bundle::Bundle;
use keepwell_fhir::compare::difference;
use keepwell_fhir::compartment::{Home, home};
use keepwell_fhir::json::{Node, check, compact};
use keepwell_fhir::project::{Stamp, project, reference_texts};
use keepwell_model::SeededRandom;
use serde_json::Value;

/// The Bundles, or `None` (after saying so) where the test data is not at hand.
#[expect(clippy::disallowed_methods, reason = "a test may be told where the shared test data is")]
pub(crate) fn bundles() -> Option<Vec<Vec<u8>>> {
    let root = std::env::var_os("KEEPWELL_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let Ok(folder) = std::fs::read_dir(root.join("synthea-r4")) else {
        assert!(
            std::env::var_os("KEEPWELL_REQUIRE_ALL").is_none_or(|it| it != "1"),
            "the Synthea Bundles are required"
        );
        println!("skipped: no Synthea Bundles in {}", root.display());
        return None;
    };
    let mut paths: Vec<_> = folder
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "json"))
        .collect();
    paths.sort();
    Some(paths.iter().map(|path| std::fs::read(path).unwrap()).collect())
}

#[test]
fn every_bundle_is_read_and_keeps_its_meaning() {
    let Some(bundles) = bundles() else { return };
    let mut resources = 0;
    for bundle in &bundles {
        let checked = check(bundle).unwrap();
        assert_eq!(compact(bundle).unwrap(), checked.bytes);
        let ours: Value = serde_json::from_slice(&checked.bytes).unwrap();
        assert_eq!(ours, serde_json::from_slice::<Value>(bundle).unwrap());
        let read = Bundle::read(&checked.bytes, &checked.outline).unwrap();
        assert_eq!(read.entries.len(), ours["entry"].as_array().unwrap().len());
        for (entry, theirs) in read.entries.iter().zip(ours["entry"].as_array().unwrap()) {
            let (resource, range) = entry.resource.as_ref().unwrap();
            let bytes = &checked.bytes[range.clone()];
            assert_eq!(serde_json::from_slice::<Value>(bytes).unwrap(), theirs["resource"]);
            assert_eq!(resource.resource_type, theirs["resource"]["resourceType"]);
            match home(resource) {
                Home::Patient => assert_eq!(resource.resource_type, "Patient"),
                Home::Directory => assert!(["Organization", "Practitioner"].contains(&resource.resource_type)),
                Home::About(subjects) => {
                    assert_eq!(subjects.len(), 1);
                    assert_eq!(subjects[0].reference.reference, read.entries[0].full_url);
                }
                other => panic!("{}: {other:?}", resource.resource_type),
            }
            resources += 1;
        }
    }
    assert!(bundles.is_empty() || resources > 100);
}

#[test]
fn projecting_there_and_back_loses_nothing() {
    let Some(bundles) = bundles() else { return };
    for bundle in bundles.iter().take(8) {
        let checked = check(bundle).unwrap();
        let read = Bundle::read(&checked.bytes, &checked.outline).unwrap();
        for entry in &read.entries {
            let (resource, range) = entry.resource.as_ref().unwrap();
            let stored = &checked.bytes[range.clone()];
            let stamp = Stamp { id: "k", version_id: "1", last_updated: "2026-11-23T09:30:00.000Z" };
            let out = project(stored, stamp, |text| Some(format!("at \"home\"/{text}")));
            assert_eq!(compact(&out).unwrap(), out);
            let id = resource.id.as_deref().unwrap();
            let back =
                project(&out, Stamp { id, ..stamp }, |text| text.strip_prefix("at \"home\"/").map(str::to_owned));
            let mut back: Value = serde_json::from_slice(&back).unwrap();
            let theirs: Value = serde_json::from_slice(stored).unwrap();
            if theirs.get("meta").is_none() {
                back.as_object_mut().unwrap().remove("meta");
            } else {
                back["meta"].as_object_mut().unwrap().retain(|name, _| theirs["meta"].get(name).is_some());
            }
            let (back, theirs) = (back.to_string(), theirs.to_string());
            assert_eq!(difference(Node::of_text(&back), Node::of_text(&theirs)), None);
        }
    }
}

#[test]
fn damaged_bundles_never_panic() {
    let Some(bundles) = bundles() else { return };
    let random = SeededRandom::new(7);
    let pick = |bound: usize| usize::try_from(random.below(bound as u64)).unwrap();
    let Some(smallest) = bundles.iter().min_by_key(|it| it.len()) else { return };
    // A part of a Bundle that still has every kind of token, so that each round is quick.
    let whole = check(smallest).unwrap();
    let read = Bundle::read(&whole.bytes, &whole.outline).unwrap();
    let few: Vec<&[u8]> =
        read.entries.iter().take(12).filter_map(|it| whole.bytes.get(it.resource.as_ref()?.1.clone())).collect();
    let seed = keepwell_fhir::bundle::wrap(few).unwrap();
    for _ in 0..3_000 {
        let mut bytes = seed.clone();
        for _ in 0..=pick(3) {
            let at = pick(bytes.len());
            match pick(5) {
                0 => bytes[at] = u8::try_from(pick(256)).unwrap(),
                1 => bytes.truncate(at.max(1)),
                2 => drop(bytes.drain(at..(at + pick(9)).min(bytes.len() - 1).max(at))),
                3 => bytes.insert(at, b"{}[]\",:\\ 0-n"[pick(12)]),
                _ => bytes[at] ^= 1 << pick(8),
            }
        }
        if let Ok(checked) = check(&bytes) {
            assert!(serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_ok());
            if let Ok(bundle) = Bundle::read(&checked.bytes, &checked.outline) {
                for entry in &bundle.entries {
                    let _ = entry.resource.as_ref().map(|(resource, _)| home(resource));
                }
            }
        }
        // What was never checked is walked without a panic too.
        if let Some(node) = Node::new(&bytes) {
            let _ = (node.all("entry.resource.subject.reference").len(), reference_texts(&bytes).count());
            let _ = project(&bytes, Stamp { id: "k", version_id: "1", last_updated: "t" }, |_| Some("x".into()));
        }
    }
}
