//! `$export`: which records, and in which version of each. What is in them is not copied.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use keepwell_fhir::date::Moment;
use keepwell_fhir::json::Node;
use keepwell_fhir::outcome::IssueCode;
use keepwell_fhir::types;
use keepwell_model::{RecordId, Seq, Stream};
use keepwell_record::{Entry, OpenRecord};

use super::super::given::{Given, OperationRequest, unreadable};
use super::super::shown::Shown;
use super::jobs::{Asked, File, Job, Seat, Work};
use crate::capability::is_kept;
use crate::extract::category_of_type;
use crate::gate::looked;
use crate::rest::{Place, Seen, not_found, or_not_found};
use crate::systems::Client;
use crate::{FhirError, Service, ServiceError};

/// How many records are listed at a time.
const CHUNK: u32 = 256;
/// How many records a file is made of at most.
const PART: usize = 1_000;
const PARAMETERS: [&str; 3] = ["_outputFormat", "_since", "_type"];
const FORMATS: [&str; 3] = ["application/fhir+ndjson", "application/ndjson", "ndjson"];

/// What is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportOf<'a> {
    /// All records that the system feeds, and the directory.
    System,
    /// The same: every record is a person's, and the directory holds what their resources refer to.
    People,
    /// The member of a Group: it stands in the record of the one whom it names.
    Group(&'a str),
}

/// An export that is asked for.
#[derive(Debug, Clone, Copy)]
pub struct ExportRequest<'a> {
    /// Of what.
    pub of: ExportOf<'a>,
    /// With which parameters.
    pub with: &'a OperationRequest<'a>,
    /// Whether what is not understood is passed over (`Prefer: handling=lenient`).
    pub lenient: bool,
    /// The address that it was asked for by.
    pub address: &'a str,
}

/// The records of one file, and the version of each.
pub(super) type Part = Vec<(RecordId, Seq)>;

impl Service {
    /// Starts an export for a system whose registration allows it, and answers the job's id.
    ///
    /// # Errors
    /// [`FhirError`]: 400 for parameters that cannot be read, 403 not allowed, 404 for a Group that is not there, 429, 503.
    pub async fn export(&self, client: &Client, request: ExportRequest<'_>) -> Result<String, FhirError> {
        let _permit = self.may_export(client)?;
        let asked = Asked::read(&request)?;
        let asked = Asked { only: self.only(client, request.of).await?, ..asked };
        let job = Job::new(client, Work::Export(asked), request.address, self.now());
        let (id, running) = self.begin_job(&job).await?;
        self.run_export(client, &id, job, running);
        Ok(id)
    }

    /// Begins an export again whose process is gone.
    pub(super) async fn resume_export(&self, client: &Client, id: &str) -> Result<(), FhirError> {
        let _permit = self.may_export(client)?;
        if let Some((job, running)) = self.resume_job(id).await? {
            self.run_export(client, id, job, running);
        }
        Ok(())
    }

    /// The record of a Group's member.
    async fn only(&self, client: &Client, of: ExportOf<'_>) -> Result<Option<RecordId>, FhirError> {
        let ExportOf::Group(id) = of else { return Ok(None) };
        let place = Place::of("Group", id).filter(|place| place.record != self.tenant().directory());
        let place = place.ok_or_else(not_found)?;
        let seen = self.see(client, place.record).await.map_err(or_not_found)?;
        let group = seen.find("Group", place.entry).filter(|entry| !entry.is_deleted()).ok_or_else(not_found)?;
        let body = seen.body(&group).await?;
        let members = Node::new(&body).and_then(|group| group.get("member"));
        // All members are the one person: a Group that names several is not taken.
        let mut members = members.into_iter().flat_map(Node::each);
        let has_member = members.any(|it| it.get("inactive").is_none_or(|it| it.raw() != "true"));
        let what = looked([(category_of_type("Group"), 1)]);
        if !seen.release(self, has_member, what).await? {
            let words = "This Group has no member any more.";
            return Err(FhirError::new(422, IssueCode::BusinessRule, words));
        }
        Ok(Some(place.record))
    }

    /// Runs an export beside everything else.
    fn run_export(&self, client: &Client, id: &str, mut job: Job, running: Seat) {
        let (service, client, id) = (self.clone(), client.clone(), id.to_owned());
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(service.inner.config.export_wait)).await;
            let ended = service.list(&client, &id, &mut job).await;
            service.end_job(&id, job, ended).await;
            drop(running);
        });
    }

    /// Lists the records of an export. `None` if it is not wanted any more.
    async fn list(&self, client: &Client, id: &str, job: &mut Job) -> Result<Option<u64>, ServiceError> {
        let Work::Export(asked) = job.work.clone() else { return Ok(None) };
        let mut listing = Listing::default();
        let (mut after, mut looked) = (None, 0);
        loop {
            let ids = match asked.only {
                Some(only) if after.is_none() => vec![only],
                Some(_) => Vec::new(),
                None => self.tenant().records(after, CHUNK).await?,
            };
            let Some(last) = ids.last().copied() else { break };
            after = Some(last);
            for record in ids {
                // Nobody learns how many others there are.
                looked += u64::from(self.list_one(client, job, &asked, record, &mut listing).await?);
                if listing.part.len() == PART {
                    self.close_part(id, job, &mut listing).await?;
                }
                tokio::task::yield_now().await;
            }
            if !self.go_on(id, job, looked).await? {
                return Ok(None);
            }
        }
        self.close_part(id, job, &mut listing).await?;
        if asked.only.is_none() {
            self.list_one(client, job, &asked, self.tenant().directory(), &mut listing).await?;
            self.close_part(id, job, &mut listing).await?;
        }
        Ok(Some(looked))
    }

    /// Adds a record, if the system may see it and there is anything to show. Answers whether it may.
    async fn list_one(
        &self,
        client: &Client,
        job: &Job,
        asked: &Asked,
        record: RecordId,
        listing: &mut Listing,
    ) -> Result<bool, ServiceError> {
        let Some(open) = self.tenant().open(record).await? else { return Ok(false) };
        let Some(seen) = self.see_open(client, &open).await? else { return Ok(false) };
        let Some(then) = self.as_of(&open, job.at.micros()).await? else { return Ok(false) };
        let mut counts = asked.counts(&seen, &then);
        let trail = self.count_of_trail(&seen, asked, then.head().seq).await?;
        if trail > 0 {
            *counts.entry("Provenance".to_owned()).or_default() += trail as u64;
        }
        if !counts.is_empty() {
            listing.part.push((record, then.head().seq));
        }
        for (kind, count) in counts {
            *listing.counts.entry(kind).or_default() += count;
        }
        Ok(true)
    }

    /// A record as it was at a moment; `None` if it had not begun.
    async fn as_of(&self, open: &Arc<OpenRecord>, at: i64) -> Result<Option<Arc<OpenRecord>>, ServiceError> {
        if open.all_entries().all(|entry| entry.time().micros() <= at) {
            return Ok(Some(Arc::clone(open)));
        }
        let mut seq = open.head().seq.0;
        while seq > 0 {
            let blocks = self.tenant().blocks(open.id(), Stream::Care, Seq(seq), 1).await?;
            let Some(block) = blocks.first() else { return Ok(None) };
            if block.time.micros() <= at {
                return Ok(self.tenant().open_at(open.id(), Stream::Care, Seq(seq)).await?);
            }
            seq -= 1;
        }
        Ok(None)
    }

    async fn close_part(&self, id: &str, job: &mut Job, listing: &mut Listing) -> Result<(), ServiceError> {
        let Listing { part, counts, number } = listing;
        if part.is_empty() {
            return Ok(());
        }
        let value = serde_json::to_vec(&std::mem::take(part)).expect("ids and numbers");
        self.keep_part(id, job, *number, &value).await?;
        let files = std::mem::take(counts).into_iter();
        job.files.extend(files.map(|(kind, count)| File { kind, part: *number, count }));
        *number += 1;
        Ok(())
    }
}

/// A list in the making.
#[derive(Default)]
struct Listing {
    part: Part,
    counts: BTreeMap<String, u64>,
    number: u32,
}

impl Asked {
    fn read(request: &ExportRequest<'_>) -> Result<Self, FhirError> {
        let read = if request.lenient { Given::read_lenient } else { Given::read };
        let given = read(request.with, &PARAMETERS)?;
        // A plus sign that was not escaped arrives as a blank.
        if given.one("_outputFormat")?.is_some_and(|format| !FORMATS.contains(&&*format.replace(' ', "+"))) {
            let words = "Exports are in NDJSON. Leave '_outputFormat' out.";
            return Err(FhirError::new(400, IssueCode::NotSupported, words).at("_outputFormat"));
        }
        let since = given.one("_since")?.map(|text| Moment::parse(&text.replace(' ', "+")));
        let since = since.map(|since| since.ok_or_else(|| unreadable("_since"))).transpose()?;
        let mut types = None;
        for name in given.all("_type").flat_map(|list| list.split(',')).map(str::trim) {
            let wanted: &mut BTreeSet<String> = types.get_or_insert_default();
            match types::known(name).filter(|name| is_kept(name)) {
                Some(name) => _ = wanted.insert(name.to_owned()),
                // Nothing is exported in its stead.
                None if request.lenient => {}
                None => {
                    let words = "There are no resources of one of these types here. Name types that there are.";
                    return Err(FhirError::new(400, IssueCode::NotSupported, words).at("_type"));
                }
            }
        }
        Ok(Self { only: None, types, since: since.map(|since| since.earliest().micros()) })
    }

    /// The entries of a record that are exported.
    pub(super) fn entries<'r>(&self, seen: &Seen, then: &'r OpenRecord) -> Vec<Entry<'r>> {
        self.changed(seen, then, false)
    }

    /// The entries of a record that were deleted since; none if it was not said since when.
    pub(super) fn deleted<'r>(&self, seen: &Seen, then: &'r OpenRecord) -> Vec<Entry<'r>> {
        if self.since.is_none() { Vec::new() } else { self.changed(seen, then, true) }
    }

    fn changed<'r>(&self, seen: &Seen, then: &'r OpenRecord, deleted: bool) -> Vec<Entry<'r>> {
        let shown = Shown::of(seen, then);
        // Of several Patient entries the one that stood for the person then.
        let patient = seen.patient_in(then, &|entry| shown.reaches(entry)).map(|entry| entry.number());
        let fits = |entry: &Entry<'_>| {
            let Some(kind) = entry.kind().fhir_type() else { return false };
            entry.is_deleted() == deleted
                && self.types.as_ref().is_none_or(|types| types.contains(kind))
                && self.since.is_none_or(|since| entry.time().micros() >= since)
                && (kind != "Patient" || patient == Some(entry.number()))
                && shown.reaches(entry)
        };
        then.all_entries().filter(fits).collect()
    }

    fn counts(&self, seen: &Seen, then: &OpenRecord) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for kind in self.entries(seen, then).iter().filter_map(|entry| entry.kind().fhir_type()) {
            *counts.entry(kind.to_owned()).or_default() += 1;
        }
        // What was deleted in a record is one Bundle.
        if !self.deleted(seen, then).is_empty() {
            counts.insert("Bundle".to_owned(), 1);
        }
        counts
    }
}
