//! Whatever the command line does to records goes through `service`, where a permit is asked for.

use std::path::Path;

/// What the binary may call on the engine's tenant itself: the log's public parts, figures, and nothing about a record.
const PUBLIC: [&str; 9] = [
    "add_cosignatures(",
    "cache_stats(",
    "check_continues(",
    "checkpoint(",
    "clone(",
    "extend_log(",
    "log_file(",
    "log_key(",
    "witness_request(",
];

fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn no_command_reaches_a_record_except_through_the_one_door() {
    let mut found = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    let mut calls = 0;
    for (path, text) in &found {
        // A call may be broken over lines.
        let text: String = text.split_whitespace().collect();
        for (at, name) in text.match_indices("tenant.") {
            let call = &text[at + name.len()..];
            if text[..at].ends_with(|last: char| last.is_alphanumeric() || last == '_') {
                continue;
            }
            calls += 1;
            let public = PUBLIC.iter().any(|known| call.starts_with(known));
            assert!(public, "{path} calls tenant.{}", call.chars().take(40).collect::<String>());
        }
        for call in ["rotate_root(", "rotate_tenant("] {
            assert!(!text.contains(&format!("engine.{call}")), "{path} calls engine.{call}");
        }
    }
    assert!(calls > 5, "the calls were found at all: {calls}");
}
