//! Codes: what they mean and where they belong (FHIR R4 §4.7: `$expand`, `$lookup`, `$validate-code`, `$subsumes`).
//!
//! All of it is answered from [`Definitions`]: HL7's own code systems and those of loaded packages. SNOMED CT, LOINC and
//! other large systems are not among them. Of a code in such a system nothing is said here, and least of all that it is
//! wrong: the answer is an [`Issue`] that says what is not known.

mod expand;
mod lookup;
mod validate;

pub use expand::{Expand, MAX_CONTAINS, expand};
pub use lookup::{lookup, subsumes};
pub use validate::{Asked, Place, validate_code};

use crate::definitions::{CodeSystem, Content, Definitions};
use crate::json::push_string;
use crate::outcome::{Issue, IssueCode};

/// How much of a caller's text is shown back.
const SHOWN: usize = 200;

fn shown(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

/// The code system with that address, and that version if one is asked for.
fn system<'a>(definitions: &'a Definitions, url: &str, version: Option<&str>) -> Result<&'a CodeSystem, Issue> {
    let (url, version) = split(url, version);
    let found = definitions.code_system(url).filter(|it| it.content != Content::NotPresent);
    let found = found.ok_or_else(|| unknown_system(url))?;
    match (version, found.version.as_deref()) {
        (Some(asked), Some(here)) if asked != here => Err(Issue::error(
            IssueCode::NotFound,
            format!("Version '{}' of the code system '{}' is not known here, only '{here}'.", shown(asked), shown(url)),
        )),
        _ => Ok(found),
    }
}

/// An address without its `|version`, and the version asked for.
fn split<'a>(url: &'a str, version: Option<&'a str>) -> (&'a str, Option<&'a str>) {
    match url.split_once('|') {
        Some((plain, pinned)) if version.is_none() => (plain, Some(pinned)),
        Some((plain, _)) => (plain, version),
        None => (url, version),
    }
}

fn unknown_system(url: &str) -> Issue {
    let words = format!("The code system '{}' is not known here, so nothing can be said about its codes.", shown(url));
    Issue::error(IssueCode::NotFound, words)
}

/// A code that a known system does not have: it is wrong only if all of the system is here.
fn unknown_code(system: &CodeSystem, code: &str) -> Issue {
    let (code, url) = (shown(code), shown(&system.url));
    match system.content {
        Content::Complete => {
            Issue::error(IssueCode::NotFound, format!("The code system '{url}' has no code '{code}'."))
        }
        _ => Issue::error(
            IssueCode::NotFound,
            format!("Only a part of the code system '{url}' is known here, and '{code}' is not in that part."),
        ),
    }
}

/// A Parameters resource, member by member.
struct Parameters(Vec<u8>);

impl Parameters {
    fn new() -> Self {
        Self(br#"{"resourceType":"Parameters","parameter":["#.to_vec())
    }

    /// Adds a parameter: its name, and its value as a whole JSON member (`"valueString":"…"`).
    fn add(&mut self, name: &str, member: &str, value: &str) {
        self.open(name);
        self.0.extend_from_slice(format!(",\"{member}\":{value}}}").as_bytes());
    }

    fn add_text(&mut self, name: &str, text: &str) {
        self.add(name, "valueString", &crate::json::quoted(text));
    }

    fn open(&mut self, name: &str) {
        if self.0.last() == Some(&b'}') {
            self.0.push(b',');
        }
        self.0.extend_from_slice(br#"{"name":"#);
        push_string(&mut self.0, name);
    }

    fn finish(mut self) -> Vec<u8> {
        self.0.extend_from_slice(b"]}");
        self.0
    }
}
