//! The text of the tree, for checks that look for names in it.

use std::path::Path;

/// All files below a folder with this extension, in one text.
pub(crate) fn all(folder: &Path, extension: &str) -> String {
    let mut text = String::new();
    gather(folder, extension, &mut text);
    text
}

fn gather(folder: &Path, extension: &str, text: &mut String) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "node_modules") {
            gather(&path, extension, text);
        } else if path.extension().is_some_and(|found| found == extension) {
            text.push_str(&std::fs::read_to_string(&path).unwrap_or_default());
        }
    }
}
