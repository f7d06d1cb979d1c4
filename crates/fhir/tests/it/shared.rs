//! Where the shared test data is.

use std::path::PathBuf;

/// A file or folder of the shared test data, or `None` (after saying so) where it is not at hand.
#[expect(clippy::disallowed_methods, reason = "a test may be told where the shared test data is")]
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("KEEPWELL_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let found = root.join(path);
    if found.exists() {
        return Some(found);
    }
    assert!(std::env::var_os("KEEPWELL_REQUIRE_ALL").is_none_or(|it| it != "1"), "{path} is required");
    println!("skipped: no {}", found.display());
    None
}

/// The files with an extension in a folder of the shared test data, ordered by name; `None` as for [`shared`].
pub(crate) fn files(folder: &str, extension: &str) -> Option<Vec<(String, Vec<u8>)>> {
    let folder = std::fs::read_dir(shared(folder)?).unwrap().map(|file| file.unwrap().path());
    let mut paths: Vec<_> = folder.filter(|path| path.extension().is_some_and(|it| it == extension)).collect();
    paths.sort();
    let name = |path: &std::path::Path| path.file_name().unwrap().to_string_lossy().into_owned();
    Some(paths.iter().map(|path| (name(path), std::fs::read(path).unwrap())).collect())
}
