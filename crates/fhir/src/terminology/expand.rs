//! The codes of a value set, as a ValueSet resource.

use std::borrow::Cow;

use super::validate::unknown_set;
use super::{shown, split};
use crate::definitions::{CodeSet, Definitions, Entry};
use crate::json::{push_string, quoted};
use crate::outcome::{Issue, IssueCode};

/// How many codes one answer has at most; more are asked for page by page.
pub const MAX_CONTAINS: usize = 10_000;

/// What of a value set is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expand<'a> {
    /// Its address.
    pub url: &'a str,
    /// Words that a code's name must have: each the start of one of the name's words, or of the code.
    pub filter: Option<&'a str>,
    /// How many codes to pass over.
    pub offset: usize,
    /// How many codes to give; 0 is how many there are and no code.
    pub count: Option<usize>,
    /// Whether codes that are no longer in use are left out.
    pub active_only: bool,
    /// Now, as a dateTime.
    pub timestamp: &'a str,
    /// What this expansion is called: `urn:uuid:…`, made by the caller.
    pub identifier: &'a str,
}

/// `ValueSet/$expand`: a value set with its codes. Where the set takes codes from a system that is not known here as well,
/// the codes that are known are given and the expansion is marked as not closed.
///
/// # Errors
/// An [`Issue`] if the set is not known here, none of its codes are, or there are too many for one answer.
pub fn expand(definitions: &Definitions, asked: &Expand<'_>) -> Result<Vec<u8>, Issue> {
    let set = definitions.value_set(asked.url).ok_or_else(|| unknown_set(asked.url))?;
    let (url, version) = split(asked.url, None);
    if let (Some(version), Some(here)) = (version, set.version.as_deref())
        && version != here
    {
        let words =
            format!("Version '{}' of the value set '{}' is not known here, only '{here}'.", shown(version), shown(url));
        return Err(Issue::error(IssueCode::NotFound, words));
    }
    let codes = definitions.expand(asked.url).ok_or_else(|| unknown_set(asked.url))?;
    if codes.entries().is_empty() && !codes.is_complete() {
        return Err(nothing_known(url, &codes));
    }
    let words: Vec<String> = asked.filter.unwrap_or_default().split_whitespace().map(str::to_lowercase).collect();
    let found: Vec<&Entry> = codes
        .entries()
        .iter()
        .filter(|entry| !asked.active_only || state(definitions, entry).0)
        .filter(|entry| words.iter().all(|word| has_word(entry, word)))
        .collect();
    let left = found.len().saturating_sub(asked.offset);
    let count = asked.count.unwrap_or(left);
    if count.min(left) > MAX_CONTAINS {
        let words = format!("There are {} codes. Ask with 'count' and 'offset', or with a 'filter'.", found.len());
        return Err(Issue::error(IssueCode::TooCostly, words));
    }
    let mut out = br#"{"resourceType":"ValueSet","url":"#.to_vec();
    push_string(&mut out, &set.url);
    for (name, text) in [("version", &set.version), ("name", &set.name), ("title", &set.title)] {
        if let Some(text) = text {
            member(&mut out, name, &quoted(text));
        }
    }
    // The definitions do not keep what HL7 or a package says of the set's state.
    member(&mut out, "status", "\"unknown\"");
    out.extend_from_slice(br#","expansion":{"#);
    if !codes.is_complete() {
        out.extend_from_slice(br#""extension":[{"url":"http://hl7.org/fhir/StructureDefinition/valueset-unclosed","valueBoolean":true}],"#);
    }
    out.extend_from_slice(br#""identifier":"#);
    push_string(&mut out, asked.identifier);
    member(&mut out, "timestamp", &quoted(asked.timestamp));
    member(&mut out, "total", &found.len().to_string());
    member(&mut out, "offset", &asked.offset.to_string());
    push_parameters(&mut out, asked);
    let page = found.into_iter().skip(asked.offset).take(count);
    push_contains(&mut out, definitions, page);
    out.extend_from_slice(b"}}");
    Ok(out)
}

fn member(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(format!(",\"{name}\":{value}").as_bytes());
}

/// What the expansion was made with, so that it can be made again.
fn push_parameters(out: &mut Vec<u8>, asked: &Expand<'_>) {
    let mut all = Vec::new();
    all.extend(asked.filter.map(|filter| ("filter", "valueString", quoted(filter))));
    all.extend(asked.count.map(|count| ("count", "valueInteger", count.to_string())));
    all.extend(asked.active_only.then(|| ("activeOnly", "valueBoolean", "true".to_owned())));
    if all.is_empty() {
        return;
    }
    let all: Vec<String> =
        all.into_iter().map(|(name, kind, value)| format!(r#"{{"name":"{name}","{kind}":{value}}}"#)).collect();
    member(out, "parameter", &format!("[{}]", all.join(",")));
}

fn push_contains<'a>(out: &mut Vec<u8>, definitions: &Definitions, page: impl Iterator<Item = &'a Entry>) {
    let mut first = true;
    for entry in page {
        out.extend_from_slice(if first { br#","contains":["# } else { b"," });
        first = false;
        out.extend_from_slice(br#"{"system":"#);
        push_string(out, &entry.system);
        let (active, selectable) = state(definitions, entry);
        if !selectable {
            member(out, "abstract", "true");
        }
        if !active {
            member(out, "inactive", "true");
        }
        member(out, "code", &quoted(&entry.code));
        if let Some(display) = &entry.display {
            member(out, "display", &quoted(display));
        }
        out.push(b'}');
    }
    if !first {
        out.push(b']');
    }
}

/// Whether a code is in use still, and whether it may be chosen.
fn state(definitions: &Definitions, entry: &Entry) -> (bool, bool) {
    let concept = definitions.code_system(&entry.system).and_then(|it| it.concept(&entry.code));
    concept.map_or((true, true), |it| (it.is_active(), it.is_selectable()))
}

/// Whether a word of the name, or the code, starts so.
fn has_word(entry: &Entry, word: &str) -> bool {
    let name: Cow<'_, str> = entry.display.as_deref().unwrap_or_default().into();
    let mut words = name.split(|c: char| !c.is_alphanumeric());
    words.any(|it| it.to_lowercase().starts_with(word)) || entry.code.to_lowercase().starts_with(word)
}

fn nothing_known(url: &str, codes: &CodeSet) -> Issue {
    let systems: Vec<String> = codes.open_systems().map(|it| format!("'{}'", shown(it))).collect();
    let from = if systems.is_empty() { "other value sets".to_owned() } else { systems.join(", ") };
    let words = format!("The value set '{}' takes its codes from {from}, and they are not known here.", shown(url));
    Issue::error(IssueCode::NotFound, words)
}
