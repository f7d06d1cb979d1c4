//! Reading a transaction Bundle: from bytes to items that own slices of those bytes, each with the name its source gives
//! it. Nothing here knows a record.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use keepwell_fhir::bundle::{Bundle, Entry, Method};
use keepwell_fhir::compartment::{Home, home};
use keepwell_fhir::json;
use keepwell_fhir::outcome::{Issue, IssueCode, Outcome};
use keepwell_fhir::person::Person;
use keepwell_model::Labels;
use keepwell_record::IdempotencyKey;

use super::labels::labels;
use super::relink::relink;
use super::whose::{Patients, Whose};
use crate::names::Details;
use crate::systems::Client;
use crate::{FhirError, ServiceConfig};

/// What an item asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    /// Keep this content.
    Keep,
    /// Forget it.
    Delete,
}

/// Where an item belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// To the person.
    Person,
    /// To the person, if one of these things of the same source does.
    Linked(Vec<(&'static str, String)>),
    /// To the directory.
    Directory,
    /// A deletion of a type that may stand in either.
    Either,
}

/// One entry of the Bundle.
pub(super) struct Item {
    /// Its place in the Bundle.
    pub(super) index: usize,
    pub(super) verb: Verb,
    pub(super) resource_type: &'static str,
    /// What its source calls it.
    pub(super) id: String,
    pub(super) place: Place,
    pub(super) body: Option<Bytes>,
    pub(super) labels: Labels,
    pub(super) if_match: Option<u64>,
}

impl Item {
    pub(super) fn expression(&self) -> String {
        format!("Bundle.entry[{}]", self.index)
    }
}

/// The one person a Bundle is about.
pub(super) struct Subject {
    /// What the source calls the person.
    pub(super) id: String,
    /// From the Patient in the Bundle, if it is in it.
    pub(super) details: Option<Details>,
}

/// A Bundle, read.
pub(super) struct Incoming {
    pub(super) items: Vec<Item>,
    /// `None` if it holds directory resources only.
    pub(super) subject: Option<Subject>,
}

/// Reads a Bundle. Work for the processor only, so the caller may let the other tasks of the thread move on meanwhile.
pub(super) fn read(client: &Client, body: &[u8], config: &ServiceConfig) -> Result<Incoming, FhirError> {
    if body.len() > config.max_bundle {
        let words = format!("The Bundle is larger than {} bytes, the limit here. Send it in parts.", config.max_bundle);
        return Err(FhirError::new(413, IssueCode::TooLong, words));
    }
    let checked = json::check(body).map_err(|error| FhirError::of(400, error.into()))?;
    let bytes = Bytes::from(checked.bytes);
    let bundle = Bundle::read(&bytes, &checked.outline).map_err(|outcome| FhirError::of(400, outcome))?;
    if bundle.entries.len() > config.max_entries {
        let words =
            format!("The Bundle has more than {} entries, the limit here. Send it in parts.", config.max_entries);
        return Err(FhirError::new(413, IssueCode::TooCostly, words));
    }
    Reader { client, body, bytes: &bytes, patients: Patients::default(), renamed: HashMap::new() }.read(&bundle)
}

struct Reader<'a> {
    client: &'a Client,
    body: &'a [u8],
    bytes: &'a Bytes,
    patients: Patients,
    /// `urn:` names that hold inside this Bundle only, and what their resources are called otherwise.
    renamed: HashMap<String, String>,
}

impl Reader<'_> {
    fn read(mut self, bundle: &Bundle<'_>) -> Result<Incoming, FhirError> {
        let ids = self.ids(bundle)?;
        self.patients = Patients::of(bundle, &ids)?;
        let whose = Whose::new(bundle, &ids, &self.patients);
        let mut issues = Vec::new();
        let mut items = Vec::with_capacity(bundle.entries.len());
        for (entry, id) in bundle.entries.iter().zip(&ids) {
            match self.item(entry, id, &whose) {
                Ok(item) => items.push(item),
                Err(issue) => issues.push(issue),
            }
        }
        if !issues.is_empty() {
            issues.truncate(20);
            return Err(FhirError::of(422, Outcome { issues }));
        }
        let subject = whose.one_person(&items)?;
        let details = subject.is_some().then(|| self.details(bundle)).flatten();
        Ok(Incoming { items, subject: subject.map(|id| Subject { id, details }) })
    }

    /// What each entry is called by its source, and that nothing is in the Bundle twice.
    fn ids(&mut self, bundle: &Bundle<'_>) -> Result<Vec<String>, FhirError> {
        let mut ids = Vec::with_capacity(bundle.entries.len());
        let mut hash = None;
        for entry in &bundle.entries {
            let id = match (&entry.resource, entry.method) {
                (_, Method::Put | Method::Delete) => entry.url.id().map(str::to_owned).unwrap_or_default(),
                (Some((resource, _)), _) => match (&resource.id, &entry.full_url) {
                    (Some(id), _) => id.to_string(),
                    (None, Some(full_url)) => full_url.to_string(),
                    // Without any name it is known by the Bundle that brought it, so that sending that Bundle again
                    // adds nothing.
                    (None, None) => {
                        let hash = hash.get_or_insert_with(|| hex(&IdempotencyKey::of(self.body).0));
                        format!("bundle:{hash}.{}", entry.index)
                    }
                },
                (None, _) => String::new(),
            };
            ids.push(id);
        }
        let mut seen = HashSet::with_capacity(ids.len());
        for (entry, id) in bundle.entries.iter().zip(&ids) {
            if !seen.insert((entry.url.resource_type, id.as_str())) && !id.is_empty() {
                let words = "The same resource is in the Bundle twice. Send each once.";
                return Err(FhirError::new(400, IssueCode::Duplicate, words).at(entry.expression()));
            }
        }
        for (entry, id) in bundle.entries.iter().zip(&ids) {
            let Some(full_url) = entry.full_url.as_deref().filter(|url| url.starts_with("urn:")) else { continue };
            if full_url != id && full_url.strip_prefix("urn:uuid:") != Some(id) {
                self.renamed.insert(full_url.to_owned(), format!("{}/{id}", entry.url.resource_type));
            }
        }
        Ok(ids)
    }

    fn item(&self, entry: &Entry<'_>, id: &str, whose: &Whose<'_>) -> Result<Item, Issue> {
        let verb = verb(entry)?;
        let place = match &entry.resource {
            None => deleted_place(entry.url.resource_type),
            Some((resource, _)) => whose.place(entry, resource)?,
        };
        let in_directory = place == Place::Directory;
        let (body, labels) = match &entry.resource {
            None => (None, Labels::GENERAL),
            Some((resource, range)) => {
                let body = self.bytes.slice(range.clone());
                let body = if self.renamed.is_empty() { body } else { relink(&body, &self.renamed).unwrap_or(body) };
                let labels = if in_directory { Labels::GENERAL } else { labels(resource, self.client.setting) };
                (Some(body), labels)
            }
        };
        Ok(Item {
            index: entry.index,
            verb,
            resource_type: entry.url.resource_type,
            id: id.to_owned(),
            place,
            body,
            labels,
            if_match: if_match(entry)?,
        })
    }

    fn details(&self, bundle: &Bundle<'_>) -> Option<Details> {
        let patients = bundle.entries.iter().filter_map(|entry| entry.resource.as_ref());
        patients.filter_map(|(resource, _)| Person::of(resource)).map(|person| Details::of(&person)).next()
    }
}

fn verb(entry: &Entry<'_>) -> Result<Verb, Issue> {
    let refuse = |element: &str, words: &str| {
        Err(Issue::error(IssueCode::NotSupported, words).at(format!("{}.request.{element}", entry.expression())))
    };
    if entry.if_none_exist.is_some() || entry.if_none_match.is_some() {
        return refuse(
            "ifNoneExist",
            "Conditional creation is not taken here: a resource keeps the id that its source gave it.",
        );
    }
    match entry.method {
        Method::Post => Ok(Verb::Keep),
        Method::Put if entry.url.id().is_some() => Ok(Verb::Keep),
        Method::Delete if entry.url.id().is_some() => Ok(Verb::Delete),
        Method::Put | Method::Delete => refuse("url", "Name the resource as 'Type/id'; a search is not taken here."),
        Method::Get | Method::Head | Method::Patch => {
            refuse("method", "This server takes POST, PUT and DELETE in a transaction.")
        }
    }
}

fn if_match(entry: &Entry<'_>) -> Result<Option<u64>, Issue> {
    let Some(text) = entry.if_match.as_deref() else { return Ok(None) };
    let number = text.trim_start_matches("W/").trim_matches('"').parse().map_err(|_| {
        let words = "'ifMatch' is a version of this server, such as W/\"3\".";
        Issue::error(IssueCode::Value, words).at(format!("{}.request.ifMatch", entry.expression()))
    })?;
    Ok(Some(number))
}

/// Where something of a type is looked for when all that is known is its name.
fn deleted_place(resource_type: &'static str) -> Place {
    let json = format!("{{\"resourceType\":\"{resource_type}\"}}");
    let bare = keepwell_fhir::resource::Resource::new(json.as_bytes());
    match bare.as_ref().map(home) {
        Ok(Home::Patient | Home::Unlinked(_) | Home::About(_)) => Place::Person,
        Ok(Home::Directory) if keepwell_fhir::compartment::compartment(resource_type).is_none() => Place::Directory,
        _ => Place::Either,
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
