//! Writes what one source knows of one person as a FHIR R4 transaction Bundle in the shapes of UK Core.

mod clinical;
mod papers;
mod people;
mod results;

pub(crate) use results::{interpretation, range};

use crate::clock::Day;
use crate::codes::{Code, LOINC, SNOMED};
use crate::home::Week;
use crate::identity::Identity;
use crate::json::Json;
use crate::life::{By, Record};
use crate::sources::{HOSPITAL, SOURCES, Setting, Source};

/// Where UK Core keeps its profiles and extensions.
const UK_CORE: &str = "https://fhir.hl7.org.uk/StructureDefinition/";
const NHS_NUMBER: &str = "https://fhir.nhs.uk/Id/nhs-number";
const ODS: &str = "https://fhir.nhs.uk/Id/ods-organization-code";

/// The number a source knows a person by: its own, never derived from the NHS number.
pub(crate) fn local_number(source: usize, index: u32) -> u32 {
    let step = u32::try_from(source).expect("few sources");
    100_000 + step * 37 + index
}

/// One Bundle while it is written.
pub(crate) struct Feed<'a> {
    who: &'a Identity,
    record: &'a Record,
    source: usize,
    today: Day,
    number: String,
    base: String,
    json: Json,
}

impl<'a> Feed<'a> {
    fn new(who: &'a Identity, record: &'a Record, source: usize, today: Day, capacity: usize) -> Self {
        let number = local_number(source, who.index).to_string();
        let base = format!("https://{}.example/fhir/", SOURCES[source].name);
        Self { who, record, source, today, number, base, json: Json::new(capacity) }
    }

    fn source(&self) -> &'static Source {
        &SOURCES[self.source]
    }

    fn gp(&self) -> bool {
        self.source().setting == Setting::Gp
    }

    fn mine(&self, by: By) -> bool {
        by.source == self.source
    }

    /// Writes the Bundle around its entries.
    fn bundle(mut self, fill: impl FnOnce(&mut Self)) -> String {
        let mut json = std::mem::replace(&mut self.json, Json::new(0));
        json.object(|j| {
            j.str("resourceType", "Bundle");
            j.str("type", "transaction");
            j.moment("timestamp", self.today.at(3 * 60));
            j.arr("entry", |j| {
                std::mem::swap(j, &mut self.json);
                fill(&mut self);
                std::mem::swap(j, &mut self.json);
            });
        });
        json.finish()
    }

    /// The id of a resource of this person: a short kind, the source's number of the person, a running number.
    fn id(&self, kind: &str, at: usize) -> String {
        format!("{kind}-{}-{}", self.number, at + 1)
    }

    /// One entry with its request. `profile` is the name of a UK Core profile, or empty.
    fn entry(&mut self, kind: &str, id: &str, profile: &str, fill: impl FnOnce(&mut Json, &Refs<'_>)) {
        let refs = Refs { number: &self.number, staff_count: SOURCES[self.source].staff.len() };
        let base = &self.base;
        self.json.object(|j| {
            j.parts("fullUrl", &[base, kind, "/", id]);
            j.obj("resource", |j| {
                j.str("resourceType", kind);
                j.str("id", id);
                // UK Core has no profile of a few types.
                if !profile.is_empty() {
                    j.obj("meta", |j| j.arr("profile", |j| j.item(&[UK_CORE, profile].concat())));
                }
                fill(j, &refs);
            });
            j.obj("request", |j| {
                j.str("method", "PUT");
                j.parts("url", &[kind, "/", id]);
            });
        });
    }
}

/// Writes references to what else is in the Bundle.
struct Refs<'a> {
    number: &'a str,
    staff_count: usize,
}

impl Refs<'_> {
    fn patient(&self, j: &mut Json, key: &str) {
        j.obj(key, |j| j.parts("reference", &["Patient/pt-", self.number]));
    }

    fn patient_reference(&self, j: &mut Json) {
        j.parts("reference", &["Patient/pt-", self.number]);
    }

    fn staff(&self, j: &mut Json, key: &str, by: By) {
        debug_assert!(by.staff < self.staff_count);
        j.obj(key, |j| self.staff_reference(j, by));
    }

    fn staff_reference(&self, j: &mut Json, by: By) {
        j.parts("reference", &["Practitioner/staff-", &(by.staff + 1).to_string()]);
    }

    fn organisation(&self, j: &mut Json, key: &str) {
        j.obj(key, |j| j.str("reference", "Organization/org"));
    }

    /// A resource of this person.
    fn own(&self, j: &mut Json, key: &str, kind: &str, short: &str, at: usize) {
        j.obj(key, |j| self.own_reference(j, kind, short, at));
    }

    fn own_reference(&self, j: &mut Json, kind: &str, short: &str, at: usize) {
        j.parts("reference", &[kind, "/", short, "-", self.number, "-", &(at + 1).to_string()]);
    }
}

/// A CodeableConcept of one coding.
fn concept(j: &mut Json, key: &str, system: &str, code: &str, display: &str) {
    j.obj(key, |j| j.one("coding", |j| coding(j, system, code, display)));
}

fn coding(j: &mut Json, system: &str, code: &str, display: &str) {
    j.str("system", system);
    j.str("code", code);
    j.str("display", display);
}

/// A SNOMED CT CodeableConcept.
fn snomed(j: &mut Json, key: &str, code: Code) {
    concept(j, key, SNOMED, code.code, code.term);
}

/// SNOMED CT with LOINC beside it where FHIR's vital signs ask for that.
fn snomed_loinc(j: &mut Json, key: &str, code: Code, loinc: Option<(&str, &str)>) {
    j.obj(key, |j| {
        j.arr("coding", |j| {
            j.object(|j| coding(j, SNOMED, code.code, code.term));
            if let Some((code, display)) = loinc {
                j.object(|j| coding(j, LOINC, code, display));
            }
        });
        j.str("text", code.term);
    });
}

/// An array of one CodeableConcept.
fn concepts(j: &mut Json, key: &str, system: &str, code: &str, display: &str) {
    j.one(key, |j| j.one("coding", |j| coding(j, system, code, display)));
}

/// Which staff of the source appear in the record, by their number.
fn staff_used(feed: &Feed<'_>) -> Vec<bool> {
    let mut used = vec![false; feed.source().staff.len()];
    let mut mark = |by: By| {
        if by.source == feed.source {
            used[by.staff] = true;
        }
    };
    let record = feed.record;
    record.problems.iter().for_each(|x| mark(x.by));
    record.vitals.iter().for_each(|x| mark(x.by));
    record.visits.iter().for_each(|x| mark(x.by));
    record.letters.iter().for_each(|x| mark(x.by));
    record.bookings.iter().for_each(|x| mark(x.by));
    record.jabs.iter().for_each(|x| mark(x.by));
    record.allergies.iter().for_each(|x| mark(x.by));
    record.plans.iter().for_each(|x| mark(x.by));
    record.operations.iter().for_each(|x| mark(x.by));
    record.alerts.iter().for_each(|x| mark(x.by));
    record.courses.iter().for_each(|x| mark(x.by));
    if feed.gp() {
        // The practice carries on what others started.
        used[0] = true;
    }
    if feed.source == HOSPITAL && !record.reports.is_empty() {
        used[people::pathologist()] = true;
    }
    used
}

/// Whether a source holds anything about the person.
fn knows(source: usize, record: &Record) -> bool {
    let mine = |by: By| by.source == source;
    SOURCES[source].setting == Setting::Gp
        || record.visits.iter().any(|x| mine(x.by))
        || record.problems.iter().any(|x| mine(x.by))
        || record.letters.iter().any(|x| mine(x.by))
        || record.bookings.iter().any(|x| mine(x.by))
        || record.plans.iter().any(|x| mine(x.by))
        || record.alerts.iter().any(|x| mine(x.by))
        || record.vitals.iter().any(|x| mine(x.by))
        || record.operations.iter().any(|x| mine(x.by))
        || source == HOSPITAL && !record.reports.is_empty()
}

/// The Bundles of every source that knows the person, in the order of the sources.
pub(crate) fn bundles(who: &Identity, record: &Record, today: Day) -> Vec<(&'static Source, String)> {
    let practice = who.source(Setting::Gp);
    let mut feeds = Vec::new();
    for (source, entry) in SOURCES.iter().enumerate() {
        let other_practice = entry.setting == Setting::Gp && source != practice;
        if other_practice || entry.setting == Setting::Resident || !knows(source, record) {
            continue;
        }
        let feed = Feed::new(who, record, source, today, 48 * 1_024);
        feeds.push((
            entry,
            feed.bundle(|feed| {
                feed.people();
                feed.clinical();
                feed.results();
                feed.papers();
            }),
        ));
    }
    feeds
}

/// The Bundle in which a resident sends weeks of blood pressures measured at home.
pub(crate) fn home_bundle(who: &Identity, weeks: &[Week], today: Day) -> String {
    let record = Record::default();
    let feed = Feed::new(who, &record, crate::sources::RESIDENT, today, 16 * 1_024);
    feed.bundle(|feed| {
        feed.patient_only();
        feed.home_readings(weeks);
    })
}
