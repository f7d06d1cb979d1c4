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
