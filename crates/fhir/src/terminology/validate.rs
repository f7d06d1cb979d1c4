//! Whether a code belongs to a value set or a code system.

use std::borrow::Cow;

use super::{Parameters, shown, split, system, unknown_code, unknown_system};
use crate::definitions::{CodeSet, Content, Definitions, Membership};
use crate::outcome::{Issue, IssueCode};

/// A code that is asked about.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// Its system; without one, a value set's codes of any system count.
    pub system: Option<&'a str>,
    /// The version of the system.
    pub version: Option<&'a str>,
    /// The code.
    pub code: &'a str,
    /// The name that goes with it, to be checked too.
    pub display: Option<&'a str>,
}

impl std::fmt::Debug for Asked<'_> {
    /// Never the code: it is likely one of somebody's.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Asked(…)")
    }
}

/// Where a code may belong.
#[derive(Debug, Clone, Copy)]
pub enum Place<'a> {
    /// To a value set: its address.
    ValueSet(&'a str),
    /// To a code system: its address.
    CodeSystem(&'a str),
}

/// What is known of one code.
enum Answer<'a> {
    /// It belongs there, under this name.
    Yes(Option<&'a str>),
    /// It does not: why.
    No(String),
    /// That cannot be said here: why.
    Unknown(Issue),
}

/// `ValueSet/$validate-code` and `CodeSystem/$validate-code`: whether one of several codes (of a CodeableConcept; else
/// there is just one) belongs to a place, as a Parameters resource. Another name than the one known here is told, and no
/// reason to say no: translations are not known here.
///
/// # Errors
/// An [`Issue`] if the place is not known here, or not enough of it to say no.
pub fn validate_code(definitions: &Definitions, place: Place<'_>, asked: &[Asked<'_>]) -> Result<Vec<u8>, Issue> {
    let mut refused: Option<String> = None;
    let mut unknown: Option<Issue> = None;
    for one in asked {
        let name: Cow<'_, str>;
        let answer = match place {
            Place::ValueSet(url) => {
                let set = definitions.expand(url).ok_or_else(|| unknown_set(url))?;
                match set.has(one.system, one.code) {
                    Membership::Yes => {
                        let entry = set.get(one.system, one.code);
                        name = entry.and_then(|it| it.display.clone()).unwrap_or_default();
                        Answer::Yes(Some(&*name).filter(|it| !it.is_empty()))
                    }
                    Membership::No if in_other_case(definitions, &set, one) => Answer::Yes(None),
                    Membership::No => {
                        Answer::No(format!("The code '{}' is not in the value set '{}'.", shown(one.code), shown(url)))
                    }
                    Membership::Unknown => Answer::Unknown(open_set(one, url, set.open_systems())),
                }
            }
            Place::CodeSystem(url) => in_system(definitions, url, one)?,
        };
        match answer {
            Answer::Yes(display) => return Ok(yes(one, display)),
            Answer::No(words) => _ = refused.get_or_insert(words),
            Answer::Unknown(issue) => _ = unknown.get_or_insert(issue),
        }
    }
    match (unknown, refused) {
        (Some(issue), _) => Err(issue),
        (None, refused) => {
            let words = refused.unwrap_or_else(|| "There is no code to look at.".to_owned());
            let mut out = Parameters::new();
            out.add("result", "valueBoolean", "false");
            out.add_text("message", &words);
            Ok(out.finish())
        }
    }
}

/// Whether the set has the code in other letters, of a system to which upper and lower case are the same.
fn in_other_case(definitions: &Definitions, set: &CodeSet, asked: &Asked<'_>) -> bool {
    set.entries().iter().any(|entry| {
        entry.code.eq_ignore_ascii_case(asked.code)
            && asked.system.is_none_or(|system| entry.system == system)
            && definitions.code_system(&entry.system).is_some_and(|it| !it.case_sensitive)
    })
}

fn yes(asked: &Asked<'_>, display: Option<&str>) -> Vec<u8> {
    let mut out = Parameters::new();
    out.add("result", "valueBoolean", "true");
    if let Some(display) = display {
        if let Some(other) = asked.display.filter(|other| !other.eq_ignore_ascii_case(display)) {
            out.add_text(
                "message",
                &format!("The code is right; its name here is '{display}', not '{}'.", shown(other)),
            );
        }
        out.add_text("display", display);
    }
    out.finish()
}

fn in_system<'a>(definitions: &'a Definitions, url: &str, asked: &Asked<'_>) -> Result<Answer<'a>, Issue> {
    let (plain, _) = split(url, None);
    if asked.system.is_some_and(|other| split(other, None).0 != plain) {
        let words = format!("The code '{}' is of another code system.", shown(asked.code));
        return Ok(Answer::No(words));
    }
    let system = system(definitions, url, asked.version)?;
    Ok(match system.concept(asked.code) {
        Some(concept) => Answer::Yes(concept.display.as_deref()),
        None if system.content == Content::Complete => Answer::No(unknown_code(system, asked.code).diagnostics),
        None => Answer::Unknown(unknown_code(system, asked.code)),
    })
}

fn open_set<'a>(asked: &Asked<'_>, url: &str, mut systems: impl Iterator<Item = &'a str>) -> Issue {
    match asked.system.or_else(|| systems.next()) {
        Some(system) => unknown_system(system),
        None => {
            let words = format!("The value set '{}' includes others that are not known here.", shown(url));
            Issue::error(IssueCode::NotFound, words)
        }
    }
}

pub(super) fn unknown_set(url: &str) -> Issue {
    Issue::error(IssueCode::NotFound, format!("The value set '{}' is not known here.", shown(url)))
}
