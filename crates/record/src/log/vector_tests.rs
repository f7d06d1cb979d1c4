//! The committed test vectors of docs/verify, and the stand-alone Python verifier on them and on fresh logs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use keepwell_model::Timestamp;

use super::merkle::sha256;
use super::*;

const SIZE: u64 = 300;
const EARLIER: u64 = 200;
const PROVED: [u64; 4] = [0, 137, 256, 299];
const TIME: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

fn block(index: u64) -> Vec<u8> {
    format!("Keepwell test block {index}\n").into_bytes()
}

fn log_key() -> SigningKey {
    SigningKey::from_seed("vectors.example/log", SignatureKind::Log, &sha256(b"log")).unwrap()
}

fn witness() -> Witness {
    let key = SigningKey::from_seed("vectors.example/witness", SignatureKind::Witness, &sha256(b"witness")).unwrap();
    Witness::new(key, vec![log_key().verifying().clone().into()]).unwrap()
}

/// All paths that a log of `size` entries serves.
fn served_paths(size: u64) -> Vec<TilePath> {
    let mut paths = Vec::new();
    for level in 0..8 {
        for index in 0.. {
            let width = TileKey { level, index }.width(size);
            if width == 0 {
                break;
            }
            paths.push(TilePath::Hashes { level, index, width });
            if level == 0 {
                paths.push(TilePath::Entries { index, width });
            }
        }
    }
    paths
}

/// The files of a log: what it serves, its keys, an earlier checkpoint, and some blocks with their proofs.
fn files(size: u64, earlier: u64, proved: &[u64]) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries: Vec<Hash> = (0..size).map(|i| sha256(&block(i))).collect();
    let appended = TreeState::new().append(&entries).unwrap();
    let tiles: BTreeMap<_, _> = appended.tiles.into_iter().map(|tile| (tile.key, tile.bytes)).collect();
    let log: TrustedLog = log_key().verifying().clone().into();
    let checkpoint = |size, old, last| {
        let root = root_at(size, &tiles).unwrap();
        let signed = Checkpoint::new(log.origin(), size, root).unwrap().sign(&log_key()).to_string();
        let proof = prove_consistency(old, size, &tiles).unwrap();
        let request = AddCheckpoint { old_size: old, proof, checkpoint: signed }.to_string();
        witness().open(request.as_bytes()).unwrap().cosign(last, TIME).unwrap()
    };
    let before = checkpoint(earlier, 0, None);
    let now = checkpoint(size, earlier, Some(before.seen));
    let opened = log.open(now.checkpoint.as_bytes(), &[witness().verifying().clone()]).unwrap();

    let mut files = BTreeMap::new();
    files.insert("log.vkey".into(), format!("{}\n", log_key().verifying()).into_bytes());
    files.insert("witness.vkey".into(), format!("{}\n", witness().verifying()).into_bytes());
    files.insert("earlier.checkpoint".into(), before.checkpoint.into_bytes());
    files.insert("checkpoint".into(), now.checkpoint.into_bytes());
    for path in served_paths(size) {
        files.insert(path.to_string().into(), serve_tile(path, size, &tiles).unwrap().unwrap());
    }
    for index in proved {
        let path = prove_inclusion(*index, size, &tiles).unwrap();
        let proof = Proof::new(sha256(&block(*index)), *index, path, &opened).unwrap();
        files.insert(format!("{index}.block").into(), block(*index));
        files.insert(format!("{index}.tlog-proof").into(), proof.to_string().into_bytes());
    }
    files
}

fn write(folder: &Path, files: &BTreeMap<PathBuf, Vec<u8>>) {
    for (path, bytes) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/verify")
}

#[test]
fn the_committed_vectors_are_what_this_code_makes() {
    for (path, bytes) in files(SIZE, EARLIER, &PROVED) {
        let committed = fs::read(docs().join("vectors/log").join(&path)).unwrap();
        assert_eq!(committed, bytes, "{}", path.display());
    }
}

#[test]
#[ignore = "rewrites the committed vectors: run it by name after a deliberate change of the format"]
fn write_the_committed_vectors() {
    write(&docs().join("vectors/log"), &files(SIZE, EARLIER, &PROVED));
}

/// Runs Python in docs/verify. `None` (after a line that says so) if it or its package is not installed.
fn python(arguments: &[&str]) -> Option<Output> {
    let run = |arguments: &[&str]| {
        Command::new("python3").args(arguments).env("PYTHONDONTWRITEBYTECODE", "1").current_dir(docs()).output()
    };
    if run(&["-c", "import cryptography"]).is_ok_and(|output| output.status.success()) {
        return Some(run(arguments).unwrap());
    }
    #[expect(clippy::disallowed_methods, reason = "a switch for tests, set by whoever runs them")]
    let required = std::env::var_os("KEEPWELL_REQUIRE_ALL").is_some_and(|value| value == "1");
    assert!(!required, "python3 with the package cryptography is required");
    println!("skipped: python3 with the package cryptography is not installed");
    None
}

fn verify(arguments: &[&str]) -> Option<(bool, String)> {
    let output = python(&[&["keepwell_verify.py"], arguments].concat())?;
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(!text.contains("Traceback"), "{text}");
    Some((output.status.success(), text))
}

#[test]
fn the_independent_verifier_has_its_own_tests_which_pass() {
    let Some(output) = python(&["test_keepwell_verify.py"]) else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_independent_verifier_agrees_on_a_log_with_three_levels_of_tiles() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &files(70_000, 65_537, &[0, 65_535, 65_536, 69_999]));
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (key, witness) = (file("log.vkey"), file("witness.vkey"));
    let keys = ["--key", key.as_str(), "--witness", witness.as_str()];
    let root = file("");
    let Some((holds, text)) = verify(&[&["log", &root, "--since", &file("earlier.checkpoint")], &keys[..]].concat())
    else {
        return;
    };
    assert!(holds && text.contains("70000 entries"), "{text}");
    for index in [0, 65_535, 65_536, 69_999] {
        let (block, proof) = (file(&format!("{index}.block")), file(&format!("{index}.tlog-proof")));
        let (holds, text) = verify(&[&["proof", &block, &proof], &keys[..]].concat()).unwrap();
        assert!(holds && text.contains(&format!("entry {index} of")), "{text}");
        let (holds, text) = verify(&[&["proof", &proof, &proof], &keys[..]].concat()).unwrap();
        assert!(!holds && text.contains("another block"), "{text}");
    }
    // One bit of one entry deep inside.
    let tile = folder.path().join("tile/entries/100");
    let mut bytes = fs::read(&tile).unwrap();
    bytes[34 * 77 + 20] ^= 1;
    fs::write(&tile, bytes).unwrap();
    let (holds, text) = verify(&[&["log", &root], &keys[..]].concat()).unwrap();
    assert!(!holds && text.contains("tile 100 of level 0"), "{text}");
}
