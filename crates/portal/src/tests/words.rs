//! The texts: complete, used, and plain.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::texts::Texts;

fn crate_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, extension: &str, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of ours") {
        let path = entry.expect("a file of ours").path();
        if path.is_dir() {
            files(&path, extension, out);
        } else if path.extension().is_some_and(|e| e == extension) {
            out.push(path);
        }
    }
}

fn keys() -> BTreeSet<String> {
    let mut found = Vec::new();
    files(&crate_folder().join("locales/en"), "ftl", &mut found);
    let text: String = found.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let key = |line: &str| line.split_once(" =").map(|(key, _)| key.to_owned());
    text.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase())).filter_map(key).collect()
}

fn sources() -> String {
    let mut found = Vec::new();
    files(&crate_folder().join("templates"), "html", &mut found);
    files(&crate_folder().join("src"), "rs", &mut found);
    found.retain(|path| !path.components().any(|part| part.as_os_str() == "tests"));
    found.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

/// Keys that are put together at run time from one of these beginnings and something else.
const FAMILIES: [&str; 12] = [
    "month-",
    "weekday-",
    "category-",
    "measure-",
    "error-4",
    "error-5",
    "sign-in-",
    "signed-out-",
    "timed-out-",
    "activity-",
    "add-error-",
    "home-",
];

#[test]
fn every_text_that_a_template_asks_for_is_there() {
    let keys = keys();
    let text = sources();
    for call in ["say(\"", "html(\"", "plain(\"", ".text(\""] {
        for rest in text.split(call).skip(1) {
            let key = rest.split('"').next().unwrap();
            if call != ".text(\"" && key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
                assert!(keys.contains(key), "no text has the key {key:?}");
            }
        }
    }
}

#[test]
fn every_text_is_asked_for_somewhere() {
    let text = sources();
    for key in keys() {
        let quoted = text.contains(&format!("\"{key}\""));
        assert!(quoted || FAMILIES.iter().any(|family| key.starts_with(family)), "{key} is not used");
    }
}

#[test]
fn every_folder_of_locales_is_a_language_that_pages_offer() {
    for entry in std::fs::read_dir(crate_folder().join("locales")).unwrap() {
        let tag = entry.unwrap().file_name().into_string().unwrap();
        assert!(Texts::all().any(|t| t.language().tag == tag), "{tag} is not in src/texts.rs");
    }
}

/// Long sentences are hard to read (ui.md §2): at most 25 words, and most far fewer.
#[test]
fn sentences_are_short() {
    let t = Texts::of("en");
    let mut long = Vec::new();
    for key in keys() {
        let text = t.plain(&key, &[("count", 2usize.into()), ("outside", 2usize.into())]);
        for sentence in text.split(['.', '?', '!']) {
            if sentence.split_whitespace().count() > 25 {
                long.push(format!("{key}: {sentence}"));
            }
        }
    }
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn no_text_blames_begs_or_shouts() {
    let t = Texts::of("en");
    for key in keys() {
        let text = t.plain(&key, &[]).to_lowercase();
        for word in ["invalid", "please", "abnormal", "oops", "!", "click here", "clinician", "patient "] {
            assert!(!text.contains(word), "{key} says {word:?}");
        }
    }
}
