//! Reading a transaction Bundle: from bytes to items that own slices of those bytes, each with the name its source gives
//! it. Nothing here knows a record.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};

use bytes::Bytes;
use keepwell_fhir::bundle::{Bundle, Entry, Kind, Method, RequestUrl, kind_of};
use keepwell_fhir::compartment::{Home, home};
use keepwell_fhir::json;
use keepwell_fhir::outcome::{Issue, IssueCode, Outcome};
use keepwell_fhir::person::Person;
use keepwell_fhir::resource::Resource;
use keepwell_model::{Labels, RecordId, ResourceId};
use keepwell_record::IdempotencyKey;

use super::alone::{Asked, Patch};
use super::labels::labels;
use super::relink::relink;
use super::whose::{Patients, Whose};
use crate::names::Details;
use crate::rest::Precondition;
use crate::systems::Client;
use crate::{FhirError, ServiceConfig};

/// What an item asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verb {
    /// Keep this content.
    Keep,
    /// Change what is there like this.
    Patch(Patch),
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
#[derive(Clone)]
pub(super) struct Item {
    /// Its place in the Bundle.
    pub(super) index: usize,
    pub(super) verb: Verb,
    pub(super) resource_type: &'static str,
    /// What its source calls it.
    pub(super) id: String,
    /// The entry that its address names, if that has the form of Keepwell's ids.
    pub(super) address: Option<ResourceId>,
    pub(super) place: Place,
    pub(super) body: Option<Bytes>,
    pub(super) labels: Labels,
    pub(super) when: Precondition,
    /// The search for what it is about, where no id says it.
    pub(super) condition: Option<String>,
    /// Whether it is only to be kept if the condition finds nothing.
    pub(super) creates: bool,
    /// What the rest of the Bundle calls it.
    pub(super) full_url: Option<String>,
}

impl Item {
    pub(super) fn expression(&self) -> String {
        format!("Bundle.entry[{}]", self.index)
    }

    /// Whether the server named it.
    pub(super) fn is_fresh(&self) -> bool {
        self.id.starts_with(FRESH[1]) || self.id.starts_with(BY_CONDITION)
    }

    /// Whether it has a name only so that it has one.
    pub(super) fn is_unnamed(&self) -> bool {
        self.id.starts_with(FRESH[0]) || self.full_url.as_deref() == Some(&self.id)
    }

    /// Whether its sender may have read it here, and so writes Keepwell's ids into it.
    pub(super) fn is_returned(&self) -> bool {
        let by_server = self.address.is_some() || self.condition.is_some();
        by_server || matches!(self.verb, Verb::Patch(_)) || self.resource_type == "Patient"
    }

    /// Whether it has to be compared as it goes out.
    pub(super) fn needs_names(&self) -> bool {
        self.is_returned() && self.verb != Verb::Delete
    }

    /// Whether it changes something by a patch.
    pub(super) fn is_patch(&self) -> bool {
        matches!(self.verb, Verb::Patch(_))
    }

    /// Whether it needs a record to be about.
    pub(super) fn is_personal(&self) -> bool {
        matches!(self.place, Place::Person | Place::Linked(_))
    }
}

/// An entry that changes nothing.
pub(super) struct Read {
    pub(super) index: usize,
    pub(super) url: String,
    pub(super) if_none_match: Option<String>,
}

impl Read {
    pub(super) fn of(entry: &Entry<'_>) -> Self {
        let if_none_match = entry.if_none_match.as_deref().map(str::to_owned);
        Self { index: entry.index, url: entry.url.text.to_string(), if_none_match }
    }
}

/// How the names begin that the server makes for what comes without one. No source can use them again.
pub(super) const FRESH: [&str; 2] = ["bundle:", "post:"];

/// How the name of a Patient begins who came with a condition and without a name: the rest follows from the condition, so
/// that the same condition leads to the same person.
const BY_CONDITION: &str = "keepwell-if-";

/// The one person a Bundle is about.
pub(super) struct Subject {
    /// What the source calls the person: its own name, or the record's id.
    pub(super) id: String,
    /// From the Patient in the Bundle, if it is in it.
    pub(super) details: Option<Details>,
    /// Other names that occur; they have to lead to the same person.
    pub(super) others: Vec<String>,
}

/// A Bundle, read.
pub(super) struct Incoming {
    pub(super) items: Vec<Item>,
    pub(super) reads: Vec<Read>,
    /// Nobody if no Patient is named.
    pub(super) subject: Option<Subject>,
    /// Records that ids of the form of Keepwell's name, in addresses and links.
    pub(super) addressed: BTreeSet<RecordId>,
}

/// Reads a transaction; `None` if it is a batch. Work for the processor only, so the caller may let the other tasks of the
/// thread move on meanwhile.
pub(super) fn read(client: &Client, body: &[u8], config: &ServiceConfig) -> Result<Option<Incoming>, FhirError> {
    if body.len() > config.max_bundle {
        let words = format!("The Bundle is larger than {} bytes, the limit here. Send it in parts.", config.max_bundle);
        return Err(FhirError::new(413, IssueCode::TooLong, words));
    }
    let checked = json::check(body).map_err(|error| FhirError::of(400, error.into()))?;
    let bytes = Bytes::from(checked.bytes);
    let refused = |outcome| FhirError::of(400, outcome);
    if kind_of(&bytes, &checked.outline).map_err(refused)? == Kind::Batch {
        return Ok(None);
    }
    let bundle = Bundle::read(&bytes, &checked.outline).map_err(refused)?;
    if bundle.entries.len() > config.max_entries {
        let words =
            format!("The Bundle has more than {} entries, the limit here. Send it in parts.", config.max_entries);
        return Err(FhirError::new(413, IssueCode::TooCostly, words));
    }
    let reader =
        Reader { client, body, bytes: &bytes, fresh: None, patients: Patients::default(), renamed: HashMap::new() };
    reader.read(&bundle).map(Some)
}

/// Reads an interaction that was asked for by itself as a Bundle of one entry. `fresh` is the name of what has none.
pub(super) fn read_alone(
    client: &Client,
    asked: &Asked<'_>,
    fresh: &str,
    config: &ServiceConfig,
) -> Result<Incoming, FhirError> {
    let no_url = || FhirError::new(404, IssueCode::NotFound, "There is no such resource.");
    let url = RequestUrl::of(Cow::Borrowed(&asked.url)).ok_or_else(no_url)?;
    if asked.body.len() > config.max_bundle {
        let words = format!("The body is larger than {} bytes, the limit here.", config.max_bundle);
        return Err(FhirError::new(413, IssueCode::TooLong, words));
    }
    let body = asked.body;
    let checked = (!body.is_empty()).then(|| json::check(body)).transpose();
    let bytes =
        checked.map_err(|error| FhirError::of(400, error.into()))?.map_or_else(Bytes::new, |it| it.bytes.into());
    let resource = match asked.method {
        Method::Post | Method::Put => {
            let resource = Resource::new(&bytes);
            let refused =
                |error| FhirError::new(400, IssueCode::Structure, format!("The body cannot be read: {error}."));
            Some((resource.map_err(refused)?, 0..bytes.len()))
        }
        _ => None,
    };
    let mut entry = Entry::alone(asked.method, url, resource).map_err(|issue| FhirError::of(400, issue.into()))?;
    entry.if_match = asked.if_match.map(Cow::Borrowed);
    entry.if_none_match = asked.if_none_match.map(Cow::Borrowed);
    entry.if_none_exist = asked.if_none_exist.map(Cow::Borrowed);
    let bundle = Bundle { entries: vec![entry] };
    let (patients, renamed) = (Patients::default(), HashMap::new());
    let mut incoming = Reader { client, body, bytes: &bytes, fresh: Some(fresh), patients, renamed }.read(&bundle)?;
    if let (Some(patch), Some(item)) = (asked.patch, incoming.items.first_mut()) {
        item.verb = Verb::Patch(patch.clone());
    }
    Ok(incoming)
}

struct Reader<'a> {
    client: &'a Client,
    body: &'a [u8],
    bytes: &'a Bytes,
    /// The name of what comes without one, where it is not to be known by the Bundle.
    fresh: Option<&'a str>,
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
        for (entry, id) in bundle.entries.iter().zip(&ids).filter(|(entry, _)| entry.is_write()) {
            match self.item(bundle, entry, id, &whose) {
                Ok(item) => items.push(item),
                Err(issue) => issues.push(issue),
            }
        }
        if !issues.is_empty() {
            issues.truncate(20);
            return Err(FhirError::of(422, Outcome { issues }));
        }
        let mut names = whose.people().into_iter();
        let subject = names.next().map(|id| Subject { id, details: self.details(bundle), others: names.collect() });
        let addressed = addressed(&items);
        let reads = bundle.entries.iter().filter(|entry| !entry.is_write()).map(Read::of).collect();
        Ok(Incoming { items, reads, subject, addressed })
    }

    /// What each entry is called by its source, and that nothing is in the Bundle twice.
    fn ids(&mut self, bundle: &Bundle<'_>) -> Result<Vec<String>, FhirError> {
        let mut ids = Vec::with_capacity(bundle.entries.len());
        let mut hash = None;
        for entry in &bundle.entries {
            let id = match (&entry.resource, entry.method) {
                (_, Method::Get | Method::Head) => String::new(),
                (_, Method::Put | Method::Delete | Method::Patch) if entry.url.id().is_some() => {
                    entry.url.id().unwrap_or_default().to_owned()
                }
                (_, Method::Delete | Method::Patch) => String::new(),
                (Some((Resource { id: Some(id), .. }, _)), Method::Put) => id.to_string(),
                (Some((Resource { resource_type: "Patient", id, .. }, _)), _)
                    if (self.fresh.is_some() || id.is_none()) && search_of(entry).is_some() =>
                {
                    let hash = hex(&IdempotencyKey::of(search_of(entry).unwrap_or_default().as_bytes()).0);
                    format!("{BY_CONDITION}{}", &hash[..40])
                }
                // The server names what is created (R4 §3.1.0.8).
                (Some(_), _) if self.fresh.is_some() => self.fresh.unwrap_or_default().to_owned(),
                (Some((resource, _)), _) => match (&resource.id, &entry.full_url) {
                    (Some(id), _) => id.to_string(),
                    (None, Some(full_url)) => full_url.to_string(),
                    // Without any name it is known by the Bundle that brought it, so that sending that Bundle again
                    // adds nothing.
                    (None, None) => {
                        let hash = hash.get_or_insert_with(|| hex(&IdempotencyKey::of(self.body).0));
                        format!("{}{hash}.{}", FRESH[0], entry.index)
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

    fn item(&self, bundle: &Bundle<'_>, entry: &Entry<'_>, id: &str, whose: &Whose<'_>) -> Result<Item, Issue> {
        let verb = verb(entry, self.fresh.is_some())?;
        let resource = entry.resource.as_ref().filter(|_| verb == Verb::Keep);
        let place = match resource {
            None => deleted_place(entry.url.resource_type),
            Some((resource, _)) => whose.place(entry, resource)?,
        };
        let in_directory = place == Place::Directory;
        let (body, labels) = match resource {
            None => (None, Labels::GENERAL),
            Some((resource, range)) => {
                let body = self.bytes.slice(range.clone());
                let body = if self.renamed.is_empty() { body } else { relink(&body, &self.renamed).unwrap_or(body) };
                let own = if in_directory { Labels::GENERAL } else { labels(resource, self.client.setting) };
                let guards = match entry.url.resource_type {
                    "Binary" if !in_directory => whose.guards_of_file(entry, resource),
                    _ => Vec::new(),
                };
                let guards = guards.into_iter().filter_map(|at| bundle.entries.get(at)?.resource.as_ref());
                let labels = guards.fold(own, |all, (it, _)| all.and(labels(it, self.client.setting)));
                (Some(body), labels)
            }
        };
        let by_address = entry.url.id().is_some();
        let address = id.parse().ok().filter(|_| by_address && entry.url.resource_type != "Patient");
        let when = Precondition::read(entry.if_match.as_deref(), entry.if_none_match.as_deref());
        let when = when.map_err(|error| about(error, &entry.expression()))?;
        let (index, resource_type) = (entry.index, entry.url.resource_type);
        let condition = search_of(entry).map(str::to_owned);
        let creates = entry.method == Method::Post && condition.is_some();
        let is_called = condition.is_some() || resource_type == "Patient";
        let full_url = entry.full_url.as_deref().filter(|_| is_called).map(str::to_owned);
        let id = id.to_owned();
        Ok(Item { index, verb, resource_type, id, address, place, body, labels, when, condition, creates, full_url })
    }

    fn details(&self, bundle: &Bundle<'_>) -> Option<Details> {
        let patients = bundle.entries.iter().filter_map(|entry| entry.resource.as_ref());
        patients.filter_map(|(resource, _)| Person::of(resource)).map(|person| Details::of(&person)).next()
    }
}

fn verb(entry: &Entry<'_>, alone: bool) -> Result<Verb, Issue> {
    let refuse = |element: &str, words: &str| {
        Err(Issue::error(IssueCode::NotSupported, words).at(format!("{}.request.{element}", entry.expression())))
    };
    if entry.if_none_exist.is_some() && entry.method != Method::Post {
        return refuse("ifNoneExist", "Only a POST creates something if it does not exist.");
    }
    match (entry.method, &entry.resource) {
        (Method::Post, _) => Ok(Verb::Keep),
        (Method::Put, _) => Ok(Verb::Keep),
        (Method::Delete, _) => Ok(Verb::Delete),
        (Method::Patch, Some((resource, _))) => Ok(Verb::Patch(Patch::inside(resource, entry)?)),
        // The patch comes beside the entry then.
        (Method::Patch, None) if alone => Ok(Verb::Patch(Patch::Json(Bytes::new()))),
        (Method::Patch, None) => {
            refuse("method", "A PATCH needs the patch as its resource: Parameters, or a Binary with a JSON Patch.")
        }
        (Method::Get | Method::Head, _) => refuse("method", "This is no change."),
    }
}

/// The search that says what an entry is about.
fn search_of<'e>(entry: &'e Entry<'_>) -> Option<&'e str> {
    match entry.method {
        // Some write the type and the question mark too.
        Method::Post => {
            entry.if_none_exist.as_deref().map(|text| text.split_once('?').map_or(text, |(_, query)| query))
        }
        _ if entry.url.id().is_some() => None,
        _ => entry.url.query(),
    }
}

/// The first issue of a refusal, at a place in the request.
fn about(error: FhirError, expression: &str) -> Issue {
    let first = error.issues.into_iter().next();
    first.unwrap_or_else(|| Issue::error(IssueCode::Invalid, "This cannot be taken.")).at(expression)
}

/// The records that ids of the form of Keepwell's name.
fn addressed(items: &[Item]) -> BTreeSet<RecordId> {
    let mut found = BTreeSet::new();
    for item in items {
        found.extend(item.address.map(|id| id.record));
        if let Place::Linked(links) = &item.place {
            found.extend(links.iter().filter_map(|(_, id)| Some(id.parse::<ResourceId>().ok()?.record)));
        }
    }
    found
}

/// Where something of a type is looked for when all that is known is its name.
fn deleted_place(resource_type: &'static str) -> Place {
    let json = format!("{{\"resourceType\":\"{resource_type}\"}}");
    let bare = Resource::new(json.as_bytes());
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
