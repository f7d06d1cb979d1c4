//! Whose record a search is about. There is no list of all names, so a search says whose record it looks into, by the ids
//! that Keepwell gave or by an NHS number; or it is about the directory.

use std::collections::BTreeSet;

use keepwell_fhir::compartment::{Home, home};
use keepwell_fhir::definitions::{Definitions, SearchKind};
use keepwell_fhir::outcome::IssueCode;
use keepwell_fhir::person::NHS_NUMBER_SYSTEM;
use keepwell_fhir::reference::Target;
use keepwell_fhir::resource::Resource;
use keepwell_model::{NhsNumber, RecordId, ResourceId};
use keepwell_record::Alias;

use super::seen::Place;
use crate::{FhirError, Service, ServiceError};

/// What a search looks into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Whose {
    /// The directory.
    Directory,
    /// The record of one person.
    Person(RecordId),
    /// Those of several.
    People(Vec<RecordId>),
    /// Somebody is named who is not there.
    Nobody,
    /// Nobody is named.
    Unsaid,
}

/// What one parameter says about whose record it is.
enum Says {
    Nothing,
    /// One of these.
    Records(Vec<RecordId>),
    /// The person with one of these NHS numbers.
    Numbers(Vec<NhsNumber>),
}

/// The most records that one search may name.
const MOST: usize = 100;

impl Service {
    /// Whose records the parameters of a search in these types name.
    pub(crate) async fn whose(
        &self,
        types: &[&str],
        parameters: &[(String, String)],
        base: &str,
    ) -> Result<Whose, ServiceError> {
        let directory = self.tenant().directory();
        let first = types.first().copied().unwrap_or("Resource");
        let mut named: Option<BTreeSet<RecordId>> = None;
        for (name, value) in parameters {
            let found: BTreeSet<RecordId> = match says(self.definitions(), first, name, value, base) {
                Says::Nothing => continue,
                Says::Records(records) => records.into_iter().collect(),
                Says::Numbers(numbers) => {
                    let mut found = BTreeSet::new();
                    for number in numbers.iter().take(MOST + 1) {
                        let alias = Alias { system: NHS_NUMBER_SYSTEM.to_owned(), value: number.digits() };
                        found.extend(self.tenant().look_up(&alias).await?);
                    }
                    found
                }
            };
            // What a person's resource says of the directory does not say whose it is.
            let only_directory = !found.is_empty() && found.iter().all(|record| *record == directory);
            if only_directory && !name.starts_with("_id") {
                continue;
            }
            named = Some(match named {
                Some(before) => before.intersection(&found).copied().collect(),
                None => found,
            });
        }
        let Some(named) = named else {
            let in_directory = !types.is_empty() && types.iter().all(|kind| is_in_directory(kind));
            return Ok(if in_directory { Whose::Directory } else { Whose::Unsaid });
        };
        let mut named = named.into_iter();
        Ok(match (named.next(), named.next()) {
            (None, _) => Whose::Nobody,
            (Some(record), None) if record == directory => Whose::Directory,
            (Some(record), None) => Whose::Person(record),
            (Some(one), Some(other)) => Whose::People([one, other].into_iter().chain(named).collect()),
        })
    }
}

/// What a parameter of a search in a type says.
fn says(definitions: &Definitions, resource_type: &str, name: &str, value: &str, base: &str) -> Says {
    let (stem, modifier) = name.split_once(':').map_or((name, None), |(stem, modifier)| (stem, Some(modifier)));
    match (resource_type, stem, modifier) {
        ("Patient", "_id", None) => return ids("Patient", value),
        (_, "_id", None) => return ids(resource_type, value),
        ("Patient", "identifier", None) => return numbers(value),
        _ => {}
    }
    if stem.starts_with('_') {
        return Says::Nothing;
    }
    // `patient.identifier`, `subject:Patient.identifier`, and the same with `_id`.
    let (code, chain) = match (stem.split_once('.'), modifier.and_then(|it| it.split_once('.'))) {
        (Some((code, chain)), _) => (code, Some((None, chain))),
        (None, Some((kind, chain))) => (stem, Some((Some(kind), chain))),
        (None, None) => (stem, None),
    };
    let known = definitions.search_parameter(resource_type, code).filter(|it| it.kind == SearchKind::Reference);
    let Some(parameter) = known.filter(|it| it.targets.iter().any(|target| **target == *"Patient")) else {
        // Other references name a record too, where the id is one of Keepwell's.
        return match (known, modifier, chain) {
            (Some(_), _, None) => references(value, base, modifier, false),
            _ => Says::Nothing,
        };
    };
    let personal = matches!(code, "patient" | "subject") || parameter.targets.len() == 1;
    match chain {
        Some((kind, chain)) if kind == Some("Patient") || kind.is_none() && personal => match chain {
            "identifier" => numbers(value),
            "_id" => ids("Patient", value),
            _ => Says::Nothing,
        },
        Some(_) => Says::Nothing,
        None if modifier == Some("identifier") && personal => numbers(value),
        None => references(value, base, modifier, personal),
    }
}

fn ids(resource_type: &str, value: &str) -> Says {
    let found = value.split(',').filter_map(|id| Some(Place::of(resource_type, id)?.record));
    Says::Records(found.collect())
}

/// Records that references name. One that has to be to a person says so even if it leads nowhere.
fn references(value: &str, base: &str, modifier: Option<&str>, personal: bool) -> Says {
    let mut says_whose = personal || modifier == Some("Patient");
    let kind = match modifier {
        None => None,
        Some(name) => match keepwell_fhir::types::known(name) {
            Some(name) => Some(name),
            // `:missing`, `:not` and the like.
            None => return Says::Nothing,
        },
    };
    let mut found = Vec::new();
    for text in value.split(',') {
        let (named, id) = match Target::of(text) {
            Target::Relative { resource_type, id, .. } => (Some(resource_type), id),
            Target::Absolute { base: other, resource_type, id } if other == base => (Some(resource_type), id),
            _ => (kind, text),
        };
        says_whose |= named == Some("Patient");
        found.extend(match named {
            Some(named) => Place::of(named, id).map(|place| place.record),
            None => id.parse().ok().or_else(|| id.parse::<ResourceId>().ok().map(|id| id.record)),
        });
    }
    if found.is_empty() && !says_whose { Says::Nothing } else { Says::Records(found) }
}

/// NHS numbers among identifiers. Other identifiers lead nowhere by themselves.
fn numbers(value: &str) -> Says {
    let mut found = Vec::new();
    for token in value.split(',') {
        let number = match token.split_once('|') {
            Some((NHS_NUMBER_SYSTEM, number)) => number,
            Some(_) => return Says::Nothing,
            None if token.parse::<NhsNumber>().is_ok() => token,
            None => return Says::Nothing,
        };
        found.extend(number.parse::<NhsNumber>());
    }
    Says::Numbers(found)
}

/// Whether resources of a type stand in the directory, unless they say whom they are about.
pub(crate) fn is_in_directory(kind: &str) -> bool {
    let json = format!("{{\"resourceType\":\"{kind}\"}}");
    Resource::new(json.as_bytes()).is_ok_and(|bare| home(&bare) == Home::Directory)
}

pub(crate) fn say_whose() -> FhirError {
    let words = "Say whose record it is: add 'patient=' with the id of a Patient.";
    FhirError::new(422, IssueCode::Required, words).at("patient")
}
