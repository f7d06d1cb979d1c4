//! Whom each resource of a Bundle is about. A Bundle is about one person; whatever cannot be told to be about that person
//! is refused, so that nothing reaches a record by accident.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use keepwell_fhir::bundle::{Bundle, Entry};
use keepwell_fhir::compartment::{Home, Subject, home};
use keepwell_fhir::outcome::{Issue, IssueCode};
use keepwell_fhir::person::{Identifier, NHS_NUMBER_SYSTEM, Person};
use keepwell_fhir::project::reference_texts;
use keepwell_fhir::reference::Target;
use keepwell_fhir::resource::Resource;
use keepwell_model::NhsNumber;

use super::incoming::Place;
use crate::FhirError;

/// The Patient of a Bundle, if it has one.
#[derive(Default)]
pub(super) struct Patients {
    /// Its id and place.
    one: Option<(String, usize)>,
    /// Its identifiers, as `system|value`.
    identifiers: Vec<String>,
}

impl Patients {
    /// The Patient of the Bundle; two are refused.
    pub(super) fn of(bundle: &Bundle<'_>, ids: &[String]) -> Result<Self, FhirError> {
        let mut found = Self::default();
        let patients = bundle.entries.iter().zip(ids);
        let named = |(entry, id): &(&Entry<'_>, &String)| {
            entry.url.resource_type == "Patient" && entry.is_write() && !id.is_empty()
        };
        for (entry, id) in patients.filter(named) {
            if found.one.is_some() {
                return Err(two_people().at(entry.expression()));
            }
            found.one = Some((id.clone(), entry.index));
            if let Some(person) = entry.resource.as_ref().and_then(|(resource, _)| Person::of(resource)) {
                let identifiers = person.identifiers();
                let broken =
                    |it: &Identifier<'_>| it.system == NHS_NUMBER_SYSTEM && it.value.parse::<NhsNumber>().is_err();
                if identifiers.iter().any(broken) {
                    let words = "This NHS number is not one: it has 10 digits and its last digit must fit the others.";
                    let at = format!("{}.identifier", entry.resource_expression());
                    return Err(FhirError::new(422, IssueCode::Value, words).at(at));
                }
                found.identifiers = identifiers.iter().map(|it| format!("{}|{}", it.system, it.value)).collect();
            }
        }
        Ok(found)
    }
}

pub(super) fn two_people() -> FhirError {
    let words = "The Bundle is about more than one person. Send one Bundle for each person.";
    FhirError::new(422, IssueCode::BusinessRule, words)
}

/// How a Patient inside another resource is spelt in compact JSON.
const CONTAINED_PATIENT: &[u8] = br#""resourceType":"Patient""#;

/// Tells of each resource of one Bundle whom it is about.
pub(super) struct Whose<'a> {
    /// Place of each entry by its `fullUrl`.
    by_full_url: HashMap<&'a str, usize>,
    ids: &'a [String],
    types: Vec<&'static str>,
    patients: &'a Patients,
    /// For the place of each Binary that documents of this Bundle have as their attachment, the places of those documents.
    attached: HashMap<usize, Vec<usize>>,
    /// Patient ids that resources of this Bundle are about.
    subjects: RefCell<BTreeSet<String>>,
}

/// To whom a reference leads.
enum Leads {
    /// To the person whom the source calls this.
    To(String),
    /// Not to a person.
    Elsewhere,
    /// To a person, but it cannot be told to whom.
    Unclear(&'static str),
}

impl<'a> Whose<'a> {
    pub(super) fn new(bundle: &'a Bundle<'_>, ids: &'a [String], patients: &'a Patients) -> Self {
        let by_full_url =
            bundle.entries.iter().filter_map(|entry| Some((entry.full_url.as_deref()?, entry.index))).collect();
        let types = bundle.entries.iter().map(|entry| entry.url.resource_type).collect();
        let attached = attached(bundle, ids, &by_full_url);
        Self { by_full_url, ids, types, patients, attached, subjects: RefCell::default() }
    }

    /// Where a resource belongs.
    pub(super) fn place(&self, entry: &Entry<'_>, resource: &Resource<'_>) -> Result<Place, Issue> {
        match home(resource) {
            Home::Patient => Ok(Place::Person),
            Home::Directory => self.in_directory(entry, resource),
            Home::About(subjects) => self.about(entry, resource, &subjects),
            Home::Unlinked(paths) => self.linked(entry, resource, paths),
            Home::NotKept => {
                let words = format!("A {} is not kept on its own here.", resource.resource_type);
                Err(Issue::error(IssueCode::NotSupported, words).at(entry.resource_expression()))
            }
        }
    }

    /// Every system reads the directory, so nothing that is about a person, or leads to one, may stand in it.
    fn in_directory(&self, entry: &Entry<'_>, resource: &Resource<'_>) -> Result<Place, Issue> {
        let refuse = |words: String| Err(Issue::error(IssueCode::BusinessRule, words).at(entry.resource_expression()));
        let name = resource.resource_type;
        if matches!(name, "Person" | "Group") {
            return refuse(format!("A {name} has to refer to the Patient whom it is about."));
        }
        let body = resource.fields.node().raw().as_bytes();
        let to_patient = |text: std::borrow::Cow<'_, str>| match Target::of(&text) {
            Target::Urn(urn) => {
                let at = self.by_full_url.get(urn);
                at.and_then(|&at| self.types.get(at)).is_some_and(|kind| *kind == "Patient")
            }
            target => target.resource_type() == Some("Patient"),
        };
        if reference_texts(body).any(to_patient) || memchr::memmem::find(body, CONTAINED_PATIENT).is_some() {
            return refuse(format!("A {name} is for everybody to see and must not refer to a Patient."));
        }
        Ok(Place::Directory)
    }

    fn about(&self, entry: &Entry<'_>, resource: &Resource<'_>, subjects: &[Subject<'_>]) -> Result<Place, Issue> {
        let mut found = false;
        for subject in subjects {
            match self.leads(entry, subject) {
                Leads::To(id) => {
                    self.subjects.borrow_mut().insert(id);
                    found = true;
                }
                Leads::Elsewhere => {}
                Leads::Unclear(words) => {
                    let at = format!("{}.{}", entry.resource_expression(), subject.path);
                    return Err(Issue::error(IssueCode::BusinessRule, words).at(at));
                }
            }
        }
        if found { Ok(Place::Person) } else { self.linked(entry, resource, &[]) }
    }

    fn leads(&self, entry: &Entry<'_>, subject: &Subject<'_>) -> Leads {
        match subject.reference.target() {
            Some(Target::Relative { resource_type: "Patient", id, .. }) => Leads::To(id.to_owned()),
            Some(Target::Absolute { base, resource_type: "Patient", id }) => {
                let text = subject.reference.reference.as_deref().unwrap_or_default();
                match self.by_full_url.get(text) {
                    Some(&at) => self.patient_at(at),
                    None if own_base(entry) == Some(base) => Leads::To(id.to_owned()),
                    None => {
                        Leads::Unclear("This names a person on another server. Refer to the person as 'Patient/id'.")
                    }
                }
            }
            Some(Target::Urn(urn)) => match self.by_full_url.get(urn) {
                Some(&at) if self.types.get(at) == Some(&"Patient") => self.patient_at(at),
                Some(_) if !subject.named => Leads::Elsewhere,
                Some(_) => Leads::Unclear("This says 'Patient' but leads to something else in the Bundle."),
                None if subject.named => Leads::Unclear("This leads to no entry of the Bundle."),
                None => Leads::Elsewhere,
            },
            Some(Target::Conditional { resource_type: "Patient", query }) => {
                self.by_identifier(query.strip_prefix("identifier=").unwrap_or_default(), true)
            }
            None => match &subject.reference.identifier {
                Some((system, value)) => self.by_identifier(&format!("{system}|{value}"), subject.named),
                None => Leads::Elsewhere,
            },
            _ => Leads::Elsewhere,
        }
    }

    fn patient_at(&self, at: usize) -> Leads {
        match (self.types.get(at), self.ids.get(at)) {
            (Some(&"Patient"), Some(id)) => Leads::To(id.clone()),
            _ => Leads::Unclear("This leads to no Patient of the Bundle."),
        }
    }

    /// A reference by identifier counts only if the Bundle holds the Patient who has it: an NHS number alone never says
    /// who somebody is (NN-4).
    fn by_identifier(&self, identifier: &str, named: bool) -> Leads {
        match &self.patients.one {
            Some((id, _)) if self.patients.identifiers.iter().any(|own| own == identifier) => Leads::To(id.clone()),
            _ if named => Leads::Unclear("This names a person by identifier only. Put the Patient into the Bundle."),
            _ => Leads::Elsewhere,
        }
    }

    /// A resource that names no patient belongs to the person if it refers to something that does. Whether it does is told
    /// once all of the Bundle and the record are known.
    fn linked(&self, entry: &Entry<'_>, resource: &Resource<'_>, paths: &[&str]) -> Result<Place, Issue> {
        let contained =
            |node: &keepwell_fhir::json::Node<'_>| node.get_text("reference").is_some_and(|text| text.starts_with('#'));
        if paths.first().is_some_and(|path| resource.fields.all(path).iter().any(contained)) {
            let words = "The person is inside the resource itself. Refer to the Patient of the Bundle.";
            return Err(Issue::error(IssueCode::BusinessRule, words).at(entry.resource_expression()));
        }
        let body = resource.fields.node().raw().as_bytes();
        let mut links: Vec<(&'static str, String)> =
            reference_texts(body).filter_map(|text| self.link(entry, &text)).collect();
        let document = self.attached.get(&entry.index).and_then(|of| of.last());
        let document = document.and_then(|&at| Some((*self.types.get(at)?, self.ids.get(at)?)));
        links.extend(document.map(|(kind, id)| (kind, id.clone())));
        if links.is_empty() {
            let wanted = if paths.is_empty() { String::new() } else { format!(" (in '{}')", paths.join("' or '")) };
            let words = format!(
                "It cannot be told whom this {} is about. Refer to the Patient{wanted}.",
                resource.resource_type
            );
            return Err(Issue::error(IssueCode::BusinessRule, words).at(entry.resource_expression()));
        }
        Ok(Place::Linked(links))
    }

    fn link(&self, entry: &Entry<'_>, text: &str) -> Option<(&'static str, String)> {
        match Target::of(text) {
            Target::Relative { resource_type, id, .. } => Some((resource_type, id.to_owned())),
            Target::Absolute { base, resource_type, id } if own_base(entry) == Some(base) => {
                Some((resource_type, id.to_owned()))
            }
            Target::Absolute { .. } | Target::Urn(_) => {
                let at = *self.by_full_url.get(text)?;
                Some((*self.types.get(at)?, self.ids.get(at)?.clone()))
            }
            Target::Contained(_) | Target::Conditional { .. } | Target::Other(_) => None,
        }
    }

    /// What the source calls the people whom the Bundle names: its own Patient first.
    pub(super) fn people(&self) -> Vec<String> {
        let own = self.patients.one.as_ref().map(|(id, _)| id.clone());
        let mut people = self.subjects.borrow().clone();
        if let Some(own) = &own {
            people.remove(own);
        }
        own.into_iter().chain(people).collect()
    }
}

impl Whose<'_> {
    /// What a file belongs to as far as it is in the Bundle: the documents that it is attached to, and what its
    /// `securityContext` names. It is as sensitive as they are (R4 §2.10). By their places.
    pub(super) fn guards_of_file(&self, entry: &Entry<'_>, resource: &Resource<'_>) -> Vec<usize> {
        let context =
            resource.fields.all("securityContext.reference").into_iter().find_map(keepwell_fhir::json::Node::text);
        let named = context.and_then(|reference| self.link(entry, &reference));
        let place = |(kind, id): (&str, String)| {
            (0..self.ids.len()).find(|&at| self.ids[at] == id && self.types.get(at) == Some(&kind))
        };
        let attached = self.attached.get(&entry.index).into_iter().flatten().copied();
        named.and_then(place).into_iter().chain(attached).collect()
    }
}

/// The Binaries of a Bundle that are attachments of documents in it.
fn attached(bundle: &Bundle<'_>, ids: &[String], by_full_url: &HashMap<&str, usize>) -> HashMap<usize, Vec<usize>> {
    let binaries: HashMap<&str, usize> = bundle
        .entries
        .iter()
        .zip(ids)
        .filter(|(entry, _)| entry.url.resource_type == "Binary")
        .map(|(entry, id)| (id.as_str(), entry.index))
        .collect();
    let mut attached: HashMap<usize, Vec<usize>> = HashMap::new();
    if binaries.is_empty() {
        return attached;
    }
    for entry in bundle.entries.iter().filter(|entry| entry.url.resource_type == "DocumentReference") {
        let Some((resource, _)) = &entry.resource else { continue };
        for url in resource.fields.all("content.attachment.url").into_iter().filter_map(keepwell_fhir::json::Node::text)
        {
            let by_name = || url.strip_prefix("Binary/").and_then(|id| binaries.get(id));
            if let Some(&at) = by_full_url.get(&*url).or_else(by_name) {
                attached.entry(at).or_default().push(entry.index);
            }
        }
    }
    attached
}

/// The server that an entry says it comes from: its `fullUrl` without type and id.
fn own_base<'e>(entry: &'e Entry<'_>) -> Option<&'e str> {
    match Target::of(entry.full_url.as_deref()?) {
        Target::Absolute { base, .. } => Some(base),
        _ => None,
    }
}
