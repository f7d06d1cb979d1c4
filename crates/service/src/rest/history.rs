//! History: the versions of one resource, of one type, or of a whole record, newest first (R4 §3.1.0.12).

use std::collections::HashMap;

use bytes::Bytes;
use keepwell_fhir::date::Moment;
use keepwell_fhir::outcome::IssueCode;
use keepwell_fhir::types;
use keepwell_model::{EntryNumber, RecordId, ResourceId, Seq, Stream, Timestamp};
use keepwell_record::{BlockEntry, BlockView};
use serde::{Deserialize, Serialize};

use super::out::{Out, Response};
use super::query::written;
use super::seen::{Place, Seen, Version, not_found, or_not_found};
use super::whose::{is_in_directory, say_whose};
use crate::extract::{category_of, category_of_type};
use crate::gate::looked;
use crate::systems::Client;
use crate::views::Category;
use crate::{FhirError, Service, ServiceError};

/// How many blocks are read at a time.
const CHUNK: u64 = 64;
/// Versions on a page if the caller does not say.
const COUNT: usize = 50;
/// Versions on a page at most.
const MOST: usize = 1_000;

/// Whose history is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryOf<'a> {
    /// One resource's.
    Resource(&'a str, &'a str),
    /// That of all resources of a type: of a person's record, or of the directory.
    Type(&'a str),
    /// All of a record, or of the directory.
    Record,
}

/// A history that is asked for: the parameters of the address, decoded, and the base address for links.
#[derive(Clone)]
pub struct HistoryRequest<'a> {
    /// Whose.
    pub of: HistoryOf<'a>,
    /// Names and values, as sent.
    pub parameters: &'a [(String, String)],
    /// The FHIR base address.
    pub base: &'a str,
}

/// What one page shows; all of it goes into the address of the next, sealed.
#[derive(Clone, Serialize, Deserialize)]
struct Asked {
    record: RecordId,
    /// Only this type.
    kind: Option<String>,
    /// Only this entry.
    entry: Option<EntryNumber>,
    count: usize,
    since: Option<i64>,
    /// From and until when a version must have been the current one.
    at: Option<(i64, i64)>,
    /// The newest block that counts, so that what is written meanwhile shifts nothing.
    head: Option<Seq>,
    skip: usize,
}

/// One version that is shown.
struct Found {
    seq: Seq,
    time: Timestamp,
    entry: BlockEntry,
}

impl Service {
    /// A page of a history, as a Bundle.
    ///
    /// # Errors
    /// [`FhirError`]: 400 for parameters that cannot be read, 404 not found, 422 if it is not said whose history it is,
    /// 503.
    pub async fn history(&self, client: &Client, request: &HistoryRequest<'_>) -> Result<Bytes, FhirError> {
        let page = request.parameters.iter().find(|(name, _)| name == "_page");
        let mut asked = match page {
            Some((_, cursor)) => self.open_cursor("history", client, cursor)?,
            None => self.asked(request).await?,
        };
        let seen = self.see(client, asked.record).await.map_err(or_not_found)?;
        if let HistoryOf::Resource(kind, id) = request.of
            && page.is_none()
        {
            let place = Place::of(kind, id).ok_or_else(not_found)?;
            asked.entry = Some(seen.find(kind, place.entry).ok_or_else(not_found)?.number());
        }
        let head = asked.head.unwrap_or_else(|| seen.table().head().seq);
        let (found, more) = self.versions(&seen, &asked, head).await?;
        let mut out = Out::new("history");
        if page.is_none() && !more {
            out.total(found.len());
        }
        let place = path(request.of);
        let parameters = request.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let mut links = vec![("self", format!("{}/{place}{}", request.base, written(parameters.clone())))];
        if more {
            let next = Asked { head: Some(head), skip: asked.skip + found.len(), ..asked.clone() };
            let cursor = self.seal_cursor("history", client, &next);
            let form = parameters.filter(|(name, _)| matches!(*name, "_format" | "_pretty"));
            let next = written(std::iter::once(("_page", cursor.as_str())).chain(form));
            links.push(("next", format!("{}/{place}{next}", request.base)));
        }
        out.links(&links);
        let mut categories: Vec<(Category, usize)> = Vec::new();
        for version in &found {
            categories.push((push(&mut out, &seen, version, request.base), 1));
        }
        Ok(seen.release(self, out.finish(), looked(categories)).await?)
    }

    /// Reads the parameters of a first page.
    async fn asked(&self, request: &HistoryRequest<'_>) -> Result<Asked, FhirError> {
        let mut asked = Asked {
            record: self.tenant().directory(),
            kind: None,
            entry: None,
            count: COUNT,
            since: None,
            at: None,
            head: None,
            skip: 0,
        };
        let mut whose = None;
        for (name, value) in request.parameters {
            match name.as_str() {
                "_count" => asked.count = value.parse::<usize>().map_err(|_| unreadable(name))?.max(1),
                "_since" => asked.since = Some(moment(name, value)?.0),
                "_at" => asked.at = Some(period(name, value)?),
                "patient" if !matches!(request.of, HistoryOf::Resource(..)) => whose = Some(value.as_str()),
                "_format" | "_pretty" | "_sort" => {}
                other => {
                    let words = "This is no parameter of a history here: there are _count, _since, _at and, for a type or \
                                 a whole record, patient.";
                    return Err(FhirError::new(400, IssueCode::NotSupported, words).at(shortened(other)));
                }
            }
        }
        asked.count = asked.count.min(MOST);
        asked.record = match request.of {
            HistoryOf::Resource(kind, id) => Place::of(kind, id).ok_or_else(not_found)?.record,
            HistoryOf::Type(kind) => {
                let kind = types::known(kind).ok_or_else(not_found)?;
                asked.kind = Some(kind.to_owned());
                whose_record(whose)?.map_or_else(|| directory_type(self, kind), Ok)?
            }
            HistoryOf::Record => whose_record(whose)?.ok_or_else(say_whose)?,
        };
        Ok(asked)
    }

    /// The versions of one page, and whether there are more.
    async fn versions(&self, seen: &Seen, asked: &Asked, head: Seq) -> Result<(Vec<Found>, bool), ServiceError> {
        let patient = seen.patient().map(|entry| entry.number());
        let mut found = Vec::new();
        // When the next newer version of an entry was written.
        let mut replaced: HashMap<EntryNumber, Timestamp> = HashMap::new();
        let (mut top, mut passed) = (head.0, 0);
        while top > 0 {
            let from = top.saturating_sub(CHUNK - 1).max(1);
            let limit = u32::try_from(top - from + 1).expect("at most a chunk");
            let blocks = self.tenant().blocks(asked.record, Stream::Care, Seq(from), limit).await?;
            if blocks.is_empty() {
                return Err(ServiceError::NotFound);
            }
            for block in blocks.into_iter().rev() {
                let BlockView { seq, time, entries, .. } = block;
                for entry in entries.into_iter().rev() {
                    let until = replaced.insert(entry.number, time);
                    if !asked.wants(seen, &entry, patient) || !asked.at_that_time(time, until) {
                        continue;
                    }
                    passed += 1;
                    if passed <= asked.skip {
                        continue;
                    }
                    if found.len() == asked.count {
                        return Ok((found, true));
                    }
                    found.push(Found { seq, time, entry });
                }
            }
            top = from - 1;
        }
        Ok((found, false))
    }
}

impl Asked {
    /// Whether a version is asked for and within reach: it by itself, and what became of it since.
    fn wants(&self, seen: &Seen, version: &BlockEntry, patient: Option<EntryNumber>) -> bool {
        let Some(kind) = version.kind.fhir_type() else { return false };
        if self.kind.as_deref().is_some_and(|wanted| wanted != kind)
            || self.entry.is_some_and(|wanted| wanted != version.number)
            || kind == "Patient" && patient != Some(version.number)
        {
            return false;
        }
        let now = seen.table().entry(version.number);
        now.is_some_and(|now| seen.reaches(&now)) && seen.reaches_version(version)
    }

    /// Whether a version that was current from `time` until `until` falls into the time that is asked for.
    fn at_that_time(&self, time: Timestamp, until: Option<Timestamp>) -> bool {
        let since = self.since.is_none_or(|since| time.micros() >= since);
        let at = self.at.is_none_or(|(from, to)| time.micros() < to && until.is_none_or(|until| until.micros() > from));
        since && at
    }
}

/// Adds a version and tells its category.
fn push(out: &mut Out, seen: &Seen, found: &Found, base: &str) -> Category {
    let Found { seq, time, entry } = found;
    let kind = entry.kind.fhir_type().unwrap_or_default();
    let record = seen.table().id();
    let id = match kind {
        "Patient" => record.to_string(),
        _ => ResourceId { record, entry: entry.number }.to_string(),
    };
    let place = format!("{kind}/{id}");
    let source = entry.source.as_ref().map_or("", |key| key.source.as_str());
    let json = entry
        .body
        .as_ref()
        .map(|body| seen.project_version(&Version { id: &id, version: *seq, time: *time, source, body }));
    let (request, status) = match (&json, entry.new) {
        (None, _) => (("DELETE", place.as_str()), "204 No Content"),
        (Some(_), true) if is_without_id(entry) => (("POST", kind), "201 Created"),
        (Some(_), true) => (("PUT", place.as_str()), "201 Created"),
        (Some(_), false) => (("PUT", place.as_str()), "200 OK"),
    };
    let (etag, modified) = (format!("W/\"{seq}\""), time.to_string());
    let response = Response { status, etag: Some(&etag), last_modified: Some(&modified), ..Response::default() };
    out.version(&format!("{base}/{place}"), json.as_deref(), request, &response);
    entry.body.as_ref().map_or_else(|| category_of_type(kind), |body| category_of(kind, body))
}

/// Whether its source gave it no id, so that it can only have been a POST: what stands for the id then has a colon, which
/// no id of FHIR has.
fn is_without_id(entry: &BlockEntry) -> bool {
    entry.source.as_ref().is_none_or(|key| key.id.contains(':'))
}

fn path(of: HistoryOf<'_>) -> String {
    match of {
        HistoryOf::Resource(kind, id) => format!("{kind}/{id}/_history"),
        HistoryOf::Type(kind) => format!("{kind}/_history"),
        HistoryOf::Record => "_history".to_owned(),
    }
}

/// The record of `patient=…`: a reference or a bare id. What is no id of a record leads to nothing.
fn whose_record(whose: Option<&str>) -> Result<Option<RecordId>, FhirError> {
    let Some(whose) = whose else { return Ok(None) };
    let id = whose.strip_prefix("Patient/").unwrap_or(whose);
    id.parse().map(Some).map_err(|_| not_found())
}

/// Without a person a history is that of the directory, for the types that stand in it.
fn directory_type(service: &Service, kind: &str) -> Result<RecordId, FhirError> {
    if is_in_directory(kind) { Ok(service.tenant().directory()) } else { Err(say_whose()) }
}

fn unreadable(name: &str) -> FhirError {
    let words = format!("The value of '{}' cannot be read.", shortened(name));
    FhirError::new(400, IssueCode::Value, words).at(shortened(name))
}

fn shortened(name: &str) -> String {
    name.chars().take(64).collect()
}

/// A moment, from its first to its last microsecond and one more.
fn moment(name: &str, value: &str) -> Result<(i64, i64), FhirError> {
    let moment = Moment::parse(value).ok_or_else(|| unreadable(name))?;
    let from = moment.earliest().micros();
    Ok((from, from + length(&moment)))
}

fn length(moment: &Moment) -> i64 {
    const DAY: i64 = 86_400_000_000;
    match (moment.time, moment.day, moment.month) {
        (Some(time), ..) if time.micros > 0 => 1,
        (Some(_), ..) => 1_000_000,
        (None, Some(_), _) => DAY,
        (None, None, Some(_)) => 31 * DAY,
        (None, None, None) => 366 * DAY,
    }
}

/// `_at`: a moment, or one with a prefix that opens it to one side.
fn period(name: &str, value: &str) -> Result<(i64, i64), FhirError> {
    let prefixed = value.get(..2).filter(|prefix| prefix.bytes().all(|b| b.is_ascii_lowercase()));
    let (prefix, rest) = prefixed.map_or(("eq", value), |prefix| (prefix, &value[2..]));
    let (from, to) = moment(name, rest)?;
    match prefix {
        "eq" => Ok((from, to)),
        "lt" => Ok((i64::MIN, from)),
        "le" => Ok((i64::MIN, to)),
        "gt" => Ok((to, i64::MAX)),
        "ge" => Ok((from, i64::MAX)),
        _ => Err(unreadable(name)),
    }
}
