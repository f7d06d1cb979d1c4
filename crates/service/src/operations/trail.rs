//! Provenance and AuditEvent that follow from the streams of a record: read by their ids, and found by whom or what they
//! are about. What sources sent as Provenance themselves is kept like everything else and comes along.

use bytes::Bytes;
use keepwell_fhir::date::Moment;
use keepwell_fhir::project::reference_texts;
use keepwell_model::{RecordId, Seq, Stream, Timestamp};
use keepwell_record::BlockView;
use serde::{Deserialize, Serialize};

use super::given::unreadable;
use super::shown::Shown;
use super::timing::Span;
use super::written::{BlockName, provenance, wrote};
use super::{audit, person};
use crate::access::lines;
use crate::gate::looked;
use crate::rest::{Out, Place, Seen, not_found, or_not_found};
use crate::systems::{Client, ResourceAnswer};
use crate::views::Category;
use crate::{FhirError, Service, ServiceError};

/// How many blocks are read at a time.
const CHUNK: u64 = 64;
/// Resources on a page if the caller does not say, and at most.
const COUNT: usize = 50;
const MOST: usize = 1_000;
/// A page of what sources sent is full with so many bytes.
const PAGE_BYTES: usize = 8 << 20;
/// Blocks that are looked into for one page at most.
const MOST_BLOCKS: u64 = 8_192;

/// A resource that follows from a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Projected {
    kind: Kind,
    name: BlockName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    Provenance,
    AuditEvent,
}

impl Kind {
    fn of(resource_type: &str) -> Option<Self> {
        match resource_type {
            "Provenance" => Some(Self::Provenance),
            "AuditEvent" => Some(Self::AuditEvent),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Provenance => "Provenance",
            Self::AuditEvent => "AuditEvent",
        }
    }

    const fn stream(self) -> Stream {
        match self {
            Self::Provenance => Stream::Care,
            Self::AuditEvent => Stream::Access,
        }
    }
}

impl Projected {
    /// The resource that an address names, if it is one of these.
    pub(crate) fn named(resource_type: &str, id: &str) -> Option<Self> {
        Some(Self { kind: Kind::of(resource_type)?, name: BlockName::of(id)? })
    }
}

/// What is asked for; all of it goes into the address of the next page, sealed.
#[derive(Clone, Serialize, Deserialize)]
struct Asked {
    kind: Kind,
    record: RecordId,
    /// Only of this target: type and id.
    target: Option<(String, String)>,
    /// From and until when it was recorded.
    recorded: (i64, i64),
    count: usize,
    /// The newest block that was not looked into yet; none on a first page.
    top: Option<u64>,
    /// Of that block only the lines below this number, if some of it was on the page before.
    #[serde(default)]
    below: Option<u32>,
    /// Of what sources sent themselves, which comes first: so many were passed; none once all were.
    #[serde(default)]
    kept: Option<usize>,
}

/// Where the next page begins.
struct Left {
    block: u64,
    below: Option<u32>,
    kept: Option<usize>,
}

impl Service {
    /// Reads one of these by its id.
    pub(crate) async fn read_projected(&self, client: &Client, it: Projected) -> Result<ResourceAnswer, FhirError> {
        let BlockName { record, seq } = it.name;
        let (json, time) = match it.kind {
            Kind::Provenance => {
                let seen = self.see(client, record).await.map_err(or_not_found)?;
                let (json, block) = self.provenance_of(&seen, seq).await?.ok_or_else(not_found)?;
                let what = looked([(Category::Other, 1)]);
                (seen.release(self, json, what).await?, block.time)
            }
            Kind::AuditEvent => {
                let permit = self.permit_to_see_lines(client, record).await.map_err(or_not_found)?;
                let number = u32::try_from(seq.0).map_err(|_| not_found())?;
                let line = self.line(record, number).await?.filter(|line| audit::reaches(&permit, line));
                let line = line.ok_or_else(not_found)?;
                let json = Bytes::from(audit::event(record, &line).to_string());
                self.settle(&permit, record, &looked([(Category::AccessLines, 1)])).await?;
                (json, line.when)
            }
        };
        Ok(ResourceAnswer { json, version: Seq(1), last_updated: time })
    }

    /// Finds Provenance or AuditEvents of a record, the newest first, as a searchset Bundle; `None` if that is not what
    /// the parameters of a search ask for, or if there is no such record for its reader.
    pub(crate) async fn search_trail(
        &self,
        client: &Client,
        resource_type: &str,
        parameters: &[(String, String)],
        base: &str,
    ) -> Result<Option<Bytes>, FhirError> {
        let Some(kind) = Kind::of(resource_type) else { return Ok(None) };
        let asked = match parameters.iter().find(|(name, _)| name == "_page") {
            // It may be the page of another search.
            Some((_, cursor)) => self.open_cursor(kind.name(), client, cursor).ok(),
            None => Asked::read(kind, parameters)?,
        };
        let Some(asked) = asked else { return Ok(None) };
        match self.page_of_trail(client, &asked, base).await {
            Err(error) if error.status == 404 => Ok(None),
            other => other.map(Some),
        }
    }

    async fn page_of_trail(&self, client: &Client, asked: &Asked, base: &str) -> Result<Bytes, FhirError> {
        let kind = asked.kind;
        let mut page = Page { out: Out::new("searchset"), base, count: 0, bytes: 0 };
        let head = self.tenant().head(asked.record, kind.stream()).await.map_err(ServiceError::from)?;
        let first = asked.top.is_none();
        let top = asked.top.or(head.map(|head| head.seq.0)).unwrap_or(0);
        match kind {
            Kind::Provenance => {
                let seen = self.see(client, asked.record).await.map_err(or_not_found)?;
                if let Some((kind, id)) = &asked.target {
                    let place = Place::of(kind, id).ok_or_else(not_found)?;
                    seen.find(kind, place.entry).ok_or_else(not_found)?;
                }
                let left = match page.add_kept(&seen, asked).await? {
                    Some(kept) => Some(Left { block: top, below: None, kept: Some(kept) }),
                    None => {
                        self.pass(asked, top, |block| {
                            if page.count >= asked.count {
                                return Ok(Some(Left { block: block.seq.0, below: None, kept: None }));
                            }
                            page.add_provenance(&seen, asked, block)?;
                            Ok(None)
                        })
                        .await?
                    }
                };
                let what = looked([(Category::Other, page.count)]);
                Ok(seen.release(self, self.finish(client, page, asked, left, first), what).await?)
            }
            Kind::AuditEvent => {
                let permit = self.permit_to_see_lines(client, asked.record).await.map_err(or_not_found)?;
                let mut full = None;
                if asked.kept.is_some() {
                    let seen = self.see(client, asked.record).await.map_err(or_not_found)?;
                    full = page.add_kept(&seen, asked).await?;
                    // What sources sent is read, not looked up among the lines.
                    if page.count > 0 {
                        seen.note(self, looked([(Category::Other, page.count)])).await?;
                    }
                }
                let kept = page.count;
                let left = match full {
                    Some(kept) => Some(Left { block: top, below: None, kept: Some(kept) }),
                    None => {
                        self.pass(asked, top, |block| {
                            let mut found = Vec::new();
                            lines(block, &mut found)?;
                            let below = asked.below.filter(|_| Some(block.seq.0) == asked.top).unwrap_or(u32::MAX);
                            for line in found.iter().filter(|line| line.number < below && audit::reaches(&permit, line))
                            {
                                if page.count >= asked.count {
                                    return Ok(Some(Left {
                                        block: block.seq.0,
                                        below: Some(line.number + 1),
                                        kept: None,
                                    }));
                                }
                                let name = u64::from(line.number);
                                page.add(asked, block, name, || {
                                    audit::event(asked.record, line).to_string().into_bytes()
                                });
                            }
                            Ok((page.count >= asked.count).then(|| Left::below(block)))
                        })
                        .await?
                    }
                };
                self.settle(&permit, asked.record, &looked([(Category::AccessLines, page.count - kept)])).await?;
                Ok(self.finish(client, page, asked, left, first))
            }
        }
    }

    /// Passes the blocks of the stream, the newest first, until there are enough. Answers where the next page begins, if
    /// there is one.
    async fn pass(
        &self,
        asked: &Asked,
        top: u64,
        mut each: impl FnMut(&BlockView) -> Result<Option<Left>, ServiceError>,
    ) -> Result<Option<Left>, ServiceError> {
        let (mut top, lowest) = (top, top.saturating_sub(MOST_BLOCKS));
        while top > lowest {
            let from = top.saturating_sub(CHUNK - 1).max(1);
            let limit = u32::try_from(top - from + 1).expect("at most a chunk");
            let blocks = self.tenant().blocks(asked.record, asked.kind.stream(), Seq(from), limit).await?;
            if blocks.is_empty() {
                return Err(ServiceError::NotFound);
            }
            for block in blocks.iter().rev() {
                if let Some(left) = each(block)? {
                    return Ok(Some(left).filter(|left| left.block > 0));
                }
            }
            top = from - 1;
        }
        Ok(Some(Left { block: top, below: None, kept: None }).filter(|left| left.block > 0))
    }

    fn finish(&self, client: &Client, mut page: Page<'_>, asked: &Asked, left: Option<Left>, first: bool) -> Bytes {
        let place = format!("{}/{}", page.base, asked.kind.name());
        let mut links = vec![("self", place.clone())];
        if let Some(left) = left {
            let next = Asked { top: Some(left.block), below: left.below, kept: left.kept, ..asked.clone() };
            let cursor = self.seal_cursor(asked.kind.name(), client, &next);
            links.push(("next", format!("{place}?_page={cursor}")));
        } else if first {
            page.out.total(page.count);
        }
        page.out.links(&links);
        page.out.finish()
    }
}

impl Asked {
    /// Reads the parameters of a first page; `None` if there are others than those of a trail.
    fn read(kind: Kind, parameters: &[(String, String)]) -> Result<Option<Self>, FhirError> {
        let (mut whose, mut target, mut count) = (None, None, COUNT);
        let mut recorded = (i64::MIN, i64::MAX);
        for (name, value) in parameters {
            match (name.as_str(), kind) {
                ("patient", _) => match person(value) {
                    Ok(record) => whose = Some(record),
                    Err(_) => return Ok(None),
                },
                ("target", Kind::Provenance) => match value.split_once('/') {
                    Some((kind, id)) => target = Some((kind.to_owned(), id.to_owned())),
                    None => return Ok(None),
                },
                ("recorded", Kind::Provenance) | ("date", Kind::AuditEvent) => narrow(&mut recorded, name, value)?,
                ("_count", _) => count = value.parse().map_err(|_| unreadable(name))?,
                ("_format" | "_pretty", _) => {}
                // The newest come first anyway.
                ("_sort", _) if matches!(value.as_str(), "-recorded" | "-date" | "-_lastUpdated") => {}
                _ => return Ok(None),
            }
        }
        let of_target = target.as_ref().map(|(kind, id)| Place::of(kind, id).map(|place| place.record));
        let record = match (whose, of_target) {
            (Some(whose), Some(Some(other))) if whose != other => return Ok(None),
            (_, Some(None)) | (None, None) => return Ok(None),
            (Some(record), _) | (None, Some(Some(record))) => record,
        };
        Ok(Some(Self {
            kind,
            record,
            target,
            recorded,
            count: count.clamp(1, MOST),
            top: None,
            below: None,
            kept: Some(0),
        }))
    }

    fn in_time(&self, time: Timestamp) -> bool {
        (self.recorded.0..self.recorded.1).contains(&time.micros())
    }
}

/// A date with one of the prefixes of a search (R4 §3.1.1.4.6).
fn narrow(recorded: &mut (i64, i64), name: &str, value: &str) -> Result<(), FhirError> {
    let prefixed = value.get(..2).filter(|prefix| prefix.bytes().all(|b| b.is_ascii_lowercase()));
    let (prefix, date) = prefixed.map_or(("eq", value), |prefix| (prefix, &value[2..]));
    let span = Span::of(&Moment::parse(date).ok_or_else(|| unreadable(name))?);
    let (from, until) = match prefix {
        "eq" => (span.from, span.until),
        "ge" => (span.from, i64::MAX),
        "gt" | "sa" => (span.until, i64::MAX),
        "le" => (i64::MIN, span.until),
        "lt" | "eb" => (i64::MIN, span.from),
        _ => return Err(unreadable(name)),
    };
    *recorded = (recorded.0.max(from), recorded.1.min(until));
    Ok(())
}

impl Left {
    /// The block before this one.
    const fn below(block: &BlockView) -> Self {
        Self { block: block.seq.0 - 1, below: None, kept: None }
    }
}

/// A page in the making.
struct Page<'b> {
    out: Out,
    base: &'b str,
    count: usize,
    /// Of what sources sent.
    bytes: usize,
}

impl Page<'_> {
    fn add(&mut self, asked: &Asked, block: &BlockView, name: u64, json: impl FnOnce() -> Vec<u8>) {
        if asked.in_time(block.time) {
            let id = BlockName { record: asked.record, seq: Seq(name) };
            self.out.hit(Some(&format!("{}/{}/{id}", self.base, asked.kind.name())), &json(), "match");
            self.count += 1;
        }
    }

    /// Adds the Provenance of a block.
    fn add_provenance(&mut self, seen: &Seen, asked: &Asked, block: &BlockView) -> Result<(), ServiceError> {
        let of_target = asked.target.as_ref().is_none_or(|(kind, id)| wrote(seen, block, kind, id));
        if of_target && let Some(json) = provenance(seen, block) {
            self.add(asked, block, block.seq.0, || json.to_string().into_bytes());
        }
        Ok(())
    }

    /// Adds what sources sent themselves, as far as there is room. Answers how many were passed by then if there are more.
    async fn add_kept(&mut self, seen: &Seen, asked: &Asked) -> Result<Option<usize>, FhirError> {
        let Some(from) = asked.kept else { return Ok(None) };
        let target = asked.target.as_ref().map(|(kind, id)| format!("{kind}/{id}"));
        let mut shown = Shown::new(seen);
        let mut json = Vec::new();
        let sent = seen.entries().filter(|entry| entry.kind().fhir_type() == Some(asked.kind.name()));
        for (passed, entry) in sent.enumerate().skip(from) {
            if self.count >= asked.count || self.bytes >= PAGE_BYTES {
                return Ok(Some(passed));
            }
            let body = seen.body(&entry).await?;
            json.clear();
            shown.write(&entry, &body, &mut json);
            let of_target = target.as_ref().is_none_or(|target| reference_texts(&json).any(|text| text == **target));
            if of_target && asked.in_time(entry.time()) {
                self.bytes += json.len();
                self.out.hit(Some(&format!("{}/{}", self.base, shown.reference(&entry))), &json, "match");
                self.count += 1;
            }
        }
        Ok(None)
    }
}
