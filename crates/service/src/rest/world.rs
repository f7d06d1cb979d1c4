//! What a search looks at: a record as far as its searcher may see it, with the directory. What is beyond reach is not in
//! it at all, so it shows neither among matches nor in counts, orders, chains or includes (threats T2, T3).

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use keepwell_fhir::compartment::compartment;
use keepwell_fhir::json::Node;
use keepwell_fhir::project::{Stamp, project};
use keepwell_fhir::reference::Target;
use keepwell_fhir::search::{Columns, Handle, World};
use keepwell_model::{Clock, EntryNumber, Seq, Timestamp};
use keepwell_record::{Companion, Entry, OpenRecord};

use super::seen::{Place, Seen};
use crate::extract::category_of;
use crate::resolve::{self, Resolver};
use crate::views::Category;
use crate::{Service, ServiceError};

/// Set in the handles of what stands in the directory, where another record is searched.
const IN_DIRECTORY: Handle = 1 << 31;

/// What is worked out about an open record while it is searched. It knows all entries; who may see which is not its
/// business.
pub(super) struct Known {
    /// The live entries of each type, ascending.
    by_type: HashMap<Box<str>, Vec<Handle>>,
    categories: Box<[OnceLock<Category>]>,
    /// What parameters find, with the head of the directory that they were found beside.
    columns: Mutex<(Seq, Arc<Columns>)>,
}

impl Companion for Known {
    fn weight(&self) -> usize {
        let lists: usize = self.by_type.values().map(|list| list.len() * size_of::<Handle>() + 64).sum();
        let columns = self.columns.lock().unwrap_or_else(PoisonError::into_inner).1.weight();
        size_of::<Self>() + lists + self.categories.len() * size_of::<OnceLock<Category>>() + columns
    }
}

impl Known {
    /// What is known about a record.
    pub(super) fn about(record: &OpenRecord) -> Arc<Self> {
        record.companion(|| {
            let mut by_type: HashMap<Box<str>, Vec<Handle>> = HashMap::new();
            for entry in record.entries() {
                let Some(kind) = entry.kind().fhir_type() else { continue };
                match by_type.get_mut(kind) {
                    Some(list) => list.push(entry.number().0),
                    None => drop(by_type.insert(kind.into(), vec![entry.number().0])),
                }
            }
            let count = record.all_entries().count() + 1;
            let categories = std::iter::repeat_with(OnceLock::new).take(count).collect();
            Self { by_type, categories, columns: Mutex::default() }
        })
    }

    fn of_type(&self, name: &str) -> &[Handle] {
        self.by_type.get(name).map_or(&[], |list| list)
    }

    /// The columns for a search beside the directory at that head: handles of its entries stand for versions.
    fn columns(&self, directory: Seq) -> Arc<Columns> {
        let mut kept = self.columns.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.0 != directory {
            *kept = (directory, Arc::default());
        }
        Arc::clone(&kept.1)
    }
}

/// Bodies that had to be fetched from elsewhere, because a snapshot is damaged.
pub(super) type Fetched = HashMap<Handle, Bytes>;

/// Loads all bodies that a search may look into; answers those that are not where they should be.
pub(super) async fn load(record: &OpenRecord, directory: &OpenRecord) -> Result<Fetched, ServiceError> {
    let mut fetched = Fetched::new();
    for (open, mark) in [(record, 0), (directory, IN_DIRECTORY)] {
        if mark > 0 && record.id() == directory.id() {
            continue;
        }
        open.load_bodies().await?;
        for entry in open.entries().filter(|entry| open.loaded_body(entry).is_none()) {
            fetched.insert(entry.number().0 | mark, open.body(&entry).await?);
        }
    }
    Ok(fetched)
}

/// When a search is given up.
#[derive(Clone, Copy)]
pub(crate) struct Patience<'a> {
    pub(super) clock: &'a dyn Clock,
    pub(super) until: Timestamp,
}

impl Patience<'_> {
    pub(crate) fn is_over(self) -> bool {
        self.clock.now() > self.until
    }
}

impl Service {
    /// How long a search that begins now may take.
    pub(crate) fn patience(&self) -> Patience<'_> {
        let until = Timestamp::from_micros(self.now().micros() + self.inner.config.search_seconds * 1_000_000);
        Patience { clock: &*self.inner.clock, until }
    }
}

/// A record within reach, at its head or as it was before.
pub(super) struct SeenWorld<'a> {
    seen: &'a Seen,
    /// The record as it is searched.
    record: &'a OpenRecord,
    directory: &'a OpenRecord,
    known: Arc<Known>,
    known_directory: Arc<Known>,
    fetched: &'a Fetched,
    patient: Option<Handle>,
    names: Resolver<'a>,
    directory_names: Resolver<'a>,
    base: &'a str,
    patience: Patience<'a>,
}

impl<'a> SeenWorld<'a> {
    /// A world on a record whose bodies are loaded ([`load`]). `record` is the one that was opened, or an earlier state.
    pub(super) fn new(
        seen: &'a Seen,
        record: &'a OpenRecord,
        fetched: &'a Fetched,
        base: &'a str,
        patience: Patience<'a>,
    ) -> Self {
        let directory = seen.directory();
        let mut world = Self {
            seen,
            record,
            directory,
            known: Known::about(record),
            known_directory: Known::about(directory),
            fetched,
            patient: None,
            names: Resolver::new(record),
            directory_names: Resolver::new(directory),
            base,
            patience,
        };
        let patient = seen.patient_in(record, &|entry| world.reaches(entry));
        world.patient = patient.filter(|entry| !entry.is_deleted()).map(|entry| entry.number().0);
        world
    }

    /// The columns that this world's handles may be used with.
    pub(super) fn columns(&self) -> Arc<Columns> {
        self.known.columns(self.directory.head().seq)
    }

    /// Whether anything was searched here before.
    pub(super) fn is_cold(&self) -> bool {
        self.columns().weight() == 0
    }

    fn is_directory(&self) -> bool {
        self.record.id() == self.directory.id()
    }

    /// Whether an entry of the record is within reach: as it was, and as it is now.
    fn reaches(&self, entry: &Entry<'_>) -> bool {
        let now = || self.seen.table().entry(entry.number());
        self.seen.reaches(entry)
            && (std::ptr::eq(self.record, self.seen.table()) || now().is_some_and(|now| self.seen.reaches(&now)))
    }

    /// The open record that a handle leads into, and the entry.
    fn entry(&self, item: Handle) -> Option<(&'a OpenRecord, Entry<'a>)> {
        let open = if item & IN_DIRECTORY == 0 { self.record } else { self.directory };
        Some((open, open.entry(EntryNumber(item & !IN_DIRECTORY))?))
    }

    /// The handle of an entry of the record, if it is an item here. All Patients of a record are one.
    fn item(&self, entry: &Entry<'_>) -> Option<Handle> {
        if entry.is_deleted() || !self.reaches(entry) {
            return None;
        }
        if entry.kind().fhir_type() == Some("Patient") { self.patient } else { Some(entry.number().0) }
    }

    /// Whether an item stands in the directory, so that whoever sees it has seen nothing of a person.
    pub(super) fn is_in_directory(&self, item: Handle) -> bool {
        item & IN_DIRECTORY > 0 || self.is_directory()
    }

    fn stored(&self, item: Handle) -> &[u8] {
        let loaded = self.entry(item).and_then(|(open, entry)| open.loaded_body(&entry));
        loaded.or_else(|| self.fetched.get(&item).map(|body| &body[..])).unwrap_or_default()
    }

    /// What a person would call an item.
    pub(super) fn category(&self, item: Handle) -> Category {
        let name = self.resource_type(item);
        let find = || category_of(&name, self.stored(item));
        match self.known.categories.get(item as usize).filter(|_| item & IN_DIRECTORY == 0) {
            Some(kept) => *kept.get_or_init(find),
            None => find(),
        }
    }

    /// An item as it goes out.
    pub(super) fn projected(&self, item: Handle) -> Vec<u8> {
        let Some((open, entry)) = self.entry(item) else { return Vec::new() };
        let id = resolve::id_of(open, &entry);
        let (version, updated) = (entry.version().to_string(), entry.time().to_string());
        let stamp = Stamp { id: &id, version_id: &version, last_updated: &updated };
        let source = entry.source_name().unwrap_or_default();
        let own = item & IN_DIRECTORY == 0;
        project(self.stored(item), stamp, |reference| {
            if own && let Some(found) = self.names.within(source, reference, &|entry| self.reaches(entry)) {
                return resolve::reference_to(self.record, &found);
            }
            let found = self.directory_names.entry(source, reference)?;
            resolve::reference_to(self.directory, &found)
        })
    }

    /// `Type/id` of an item.
    pub(super) fn place(&self, item: Handle) -> Option<String> {
        self.entry(item).and_then(|(open, entry)| resolve::reference_to(open, &entry))
    }

    /// The item that an id of Keepwell's names.
    fn by_id(&self, resource_type: &str, id: &str) -> Option<Handle> {
        let place = Place::of(resource_type, id)?;
        let Some(number) = place.entry else { return self.patient.filter(|_| place.record == self.record.id()) };
        if place.record == self.record.id() {
            let entry = self.record.entry(number).filter(|entry| entry.kind().fhir_type() == Some(resource_type))?;
            return self.item(&entry);
        }
        let entry = self.directory.entry(number).filter(|_| place.record == self.directory.id())?;
        let fits = !entry.is_deleted() && entry.kind().fhir_type() == Some(resource_type);
        fits.then_some(number.0 | IN_DIRECTORY)
    }
}

impl World for SeenWorld<'_> {
    fn items(&self, resource_type: &str) -> Cow<'_, [Handle]> {
        if resource_type == "Patient" {
            return self.patient.into_iter().collect::<Vec<_>>().into();
        }
        if !self.is_directory() && compartment(resource_type).is_none() {
            let all = self.known_directory.of_type(resource_type);
            return all.iter().map(|item| item | IN_DIRECTORY).collect::<Vec<_>>().into();
        }
        let all = self.known.of_type(resource_type);
        let within = |item: &Handle| self.record.entry(EntryNumber(*item)).is_some_and(|it| self.reaches(&it));
        if all.iter().all(within) { all.into() } else { all.iter().copied().filter(within).collect::<Vec<_>>().into() }
    }

    fn types(&self) -> Vec<Cow<'_, str>> {
        let mut types: Vec<Cow<'_, str>> = self.known.by_type.keys().map(|name| Cow::Borrowed(&**name)).collect();
        types.sort_unstable();
        types
    }

    fn resource_type(&self, item: Handle) -> Cow<'_, str> {
        self.entry(item).and_then(|(_, entry)| entry.kind().fhir_type()).unwrap_or_default().into()
    }

    fn body(&self, item: Handle) -> Cow<'_, [u8]> {
        self.stored(item).into()
    }

    fn id(&self, item: Handle) -> Cow<'_, str> {
        self.entry(item).map(|(open, entry)| resolve::id_of(open, &entry)).unwrap_or_default().into()
    }

    fn last_updated(&self, item: Handle) -> i64 {
        self.entry(item).map_or(0, |(_, entry)| entry.time().micros())
    }

    fn find(&self, resource_type: &str, id: &str) -> Option<Handle> {
        self.by_id(resource_type, id)
    }

    fn resolve(&self, from: Handle, reference: &str) -> Option<Handle> {
        let (_, entry) = self.entry(from)?;
        let source = entry.source_name().unwrap_or_default();
        if from & IN_DIRECTORY == 0
            && let Some(found) = self.names.within(source, reference, &|entry| self.reaches(entry))
        {
            return self.item(&found);
        }
        if let Some(found) = self.directory_names.entry(source, reference) {
            let mark = if self.is_directory() { 0 } else { IN_DIRECTORY };
            return (!found.is_deleted()).then_some(found.number().0 | mark);
        }
        match Target::of(reference) {
            Target::Relative { resource_type, id, .. } => self.by_id(resource_type, id),
            Target::Absolute { base, resource_type, id } if base == self.base => self.by_id(resource_type, id),
            _ => None,
        }
    }

    fn scope(&self, item: Handle) -> u64 {
        // Names mean the same in all that one source sent to one record.
        let source = self.entry(item).and_then(|(_, entry)| entry.source_name()).unwrap_or_default();
        (source.as_ptr().addr() as u64) << 1 | u64::from(item & IN_DIRECTORY > 0)
    }

    fn base(&self) -> Cow<'_, str> {
        self.base.into()
    }

    fn list(&self, id: &str) -> Option<Vec<Handle>> {
        let list = self.by_id("List", id)?;
        let node = Node::new(self.stored(list))?;
        let entries = node.get("entry").into_iter().flat_map(|entries| entries.items().collect::<Vec<_>>());
        let live = entries.filter(|entry| entry.get("deleted").is_none_or(|deleted| deleted.raw() != "true"));
        let references = live.filter_map(|entry| entry.get("item")?.get_text("reference").map(Cow::into_owned));
        Some(references.filter_map(|reference| self.resolve(list, &reference)).collect())
    }

    fn is_cancelled(&self) -> bool {
        self.patience.is_over()
    }
}

/// A world without anything: what a name that leads nowhere leads to.
pub(super) struct Nothing<'a>(pub(super) &'a str);

impl World for Nothing<'_> {
    fn items(&self, _: &str) -> Cow<'_, [Handle]> {
        Cow::Borrowed(&[])
    }

    fn types(&self) -> Vec<Cow<'_, str>> {
        Vec::new()
    }

    fn resource_type(&self, _: Handle) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn body(&self, _: Handle) -> Cow<'_, [u8]> {
        Cow::Borrowed(b"{}")
    }

    fn id(&self, _: Handle) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn last_updated(&self, _: Handle) -> i64 {
        0
    }

    fn find(&self, _: &str, _: &str) -> Option<Handle> {
        None
    }

    fn resolve(&self, _: Handle, _: &str) -> Option<Handle> {
        None
    }

    fn base(&self) -> Cow<'_, str> {
        self.0.into()
    }

    fn list(&self, _: &str) -> Option<Vec<Handle>> {
        None
    }
}
