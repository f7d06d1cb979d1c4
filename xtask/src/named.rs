//! Tests by the names that documents give them.

use std::path::PathBuf;

use crate::{shell, sources};

/// The tests of the tree. `service::people::a_rule` is a function `a_rule` somewhere in crates/service; `e2e: a title` is
/// a browser test of that title, `clients: a title` one of the clients made by others, and `clients: test_file.test_name`
/// one in Python.
#[derive(Default)]
pub(crate) struct Tests {
    read: Vec<(PathBuf, String)>,
}

impl Tests {
    /// Whether there is a test of this name.
    pub(crate) fn exists(&mut self, name: &str) -> bool {
        if let Some((folder @ ("e2e" | "clients"), title)) = name.split_once(": ") {
            let sources = self.sources(folder, "mjs");
            if ["\"", "'", "`"].iter().any(|quote| sources.contains(&format!("test({quote}{title}{quote}"))) {
                return true;
            }
            let Some((file, function)) = title.split_once('.') else { return false };
            let file = shell::root().join(folder).join("python").join(file).with_extension("py");
            return std::fs::read_to_string(file).is_ok_and(|it| it.contains(&format!("def {function}(")));
        }
        let Some((folder, rest)) = name.split_once("::") else { return false };
        let function = rest.rsplit("::").next().unwrap_or(rest);
        self.sources(&format!("crates/{folder}"), "rs").contains(&format!("fn {function}("))
    }

    /// All sources of a folder in one text, read once.
    fn sources(&mut self, folder: &str, extension: &str) -> &str {
        let folder = shell::root().join(folder);
        let index = self.read.iter().position(|(read, _)| *read == folder).unwrap_or_else(|| {
            let all = sources::all(&folder, extension);
            self.read.push((folder, all));
            self.read.len() - 1
        });
        &self.read[index].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_found_by_name_in_the_crate_that_is_named() {
        let mut tests = Tests::default();
        assert!(tests.exists("model::Clock::now"));
        assert!(!tests.exists("model::no_such_test_anywhere"));
        assert!(!tests.exists("e2e: no such title"));
    }

    #[test]
    fn tests_of_clients_are_found_by_title_and_in_python_by_file_and_function() {
        let mut tests = Tests::default();
        assert!(tests.exists("clients: fhir-kit-client patches with JSON Patch"));
        assert!(tests.exists("clients: test_fhirpy.test_is_told_what_is_wrong"));
        assert!(!tests.exists("clients: test_fhirpy.test_is_told"));
        assert!(!tests.exists("clients: test_nothing.test_is_told_what_is_wrong"));
    }
}
