//! Writes the test vectors of the storage format (docs/storage-format.md, "Test vectors") for the newest dictionary:
//!
//!     cargo run -p keepwell-record --example write_vectors
//!
//! Each set has a folder of its own, and a set that a release has written is never changed: what a new dictionary, a new
//! version of the format or a new zstd writes is added as the next set.

#![expect(clippy::unwrap_used, reason = "a tool for developers stops at the first thing that is not as it should be")]
#![expect(clippy::print_stdout, reason = "a command that reports to whoever runs it")]

mod scenario;

use std::path::Path;

use keepwell_record::EngineConfig;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let dictionary = EngineConfig::default().newest_dictionary;
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/verify/vectors/storage");
    let scratch = tempfile::tempdir().unwrap();
    let vectors = scenario::make(dictionary, scratch.path()).await;
    let newest = (1u32..).take_while(|set| all.join(set.to_string()).exists()).last().unwrap_or(0);
    let unchanged = |(path, bytes): (&String, &Vec<u8>)| {
        std::fs::read(all.join(newest.to_string()).join(path)).is_ok_and(|there| there == *bytes)
    };
    if vectors.files.iter().all(unchanged) {
        println!("set {newest} is what this version writes: nothing to add");
        return;
    }
    let folder = all.join((newest + 1).to_string());
    for (path, bytes) in &vectors.files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let expected = serde_json::to_string_pretty(&vectors.expected).unwrap();
    std::fs::write(folder.join("expected.json"), expected + "\n").unwrap();
    println!("set {}: {} files", newest + 1, vectors.files.len() + 1);
}
