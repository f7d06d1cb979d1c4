//! `Patient/{id}/$everything`: a person's whole record, with the organisations, practitioners and the like that it refers
//! to (R4, OperationDefinition/Patient-everything).

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use keepwell_fhir::date::Moment;
use keepwell_fhir::json::{Node, push_string};
use keepwell_fhir::outcome::IssueCode;
use keepwell_fhir::types;
use keepwell_model::{EntryNumber, RecordId, Seq, Stream};
use keepwell_record::{Entry, OpenRecord};
use serde::{Deserialize, Serialize};

use super::TURN;
use super::given::{Given, OperationRequest, unreadable};
use super::shown::{Shown, directory_body};
use super::timing::Span;
use crate::extract::category_of;
use crate::gate::looked;
use crate::resolve;
use crate::rest::{Seen, not_found, or_not_found};
use crate::systems::Client;
use crate::views::Category;
use crate::{FhirError, Service, ServiceError};

/// Resources of the record on one page at most, and if the caller does not say.
const MOST: usize = 10_000;
/// How long a page may become, in bytes. A page that has reached it ends.
const MOST_BYTES: usize = 32 << 20;
const PARAMETERS: [&str; 6] = ["_since", "_type", "_count", "start", "end", "_page"];

/// What is asked for; all of it goes into the address of the next page, sealed.
#[derive(Clone, Serialize, Deserialize)]
struct Asked {
    record: RecordId,
    since: Option<i64>,
    /// The types that are wanted; all if there are none.
    types: Vec<String>,
    /// From and until when what is told of must have been.
    care: Option<(i64, i64)>,
    count: usize,
    /// The version of the record that the pages show, so that what is written meanwhile shifts nothing.
    head: Option<Seq>,
    /// The last entry on the pages before.
    after: Option<EntryNumber>,
}

/// A page in the making.
struct Page {
    out: Vec<u8>,
    categories: Vec<(Category, usize)>,
    count: usize,
}

impl Service {
    /// Everything that a system may see of a person's record, as a searchset Bundle.
    ///
    /// # Errors
    /// [`FhirError`]: 400 for parameters that cannot be read, 404 not found, 503.
    pub async fn everything(
        &self,
        client: &Client,
        id: &str,
        request: &OperationRequest<'_>,
    ) -> Result<Bytes, FhirError> {
        let given = Given::read(request, &PARAMETERS)?;
        let record = id.parse().map_err(|_| not_found())?;
        let asked = match given.one("_page")? {
            Some(cursor) => self.open_cursor("everything", client, cursor)?,
            None => Asked::read(record, &given)?,
        };
        if asked.record != record {
            return Err(not_found());
        }
        let seen = self.see(client, record).await.map_err(or_not_found)?;
        let patient = seen.patient().ok_or_else(not_found)?.number();
        let then = self.as_it_was(&seen, &asked).await?;
        let record = then.as_deref().unwrap_or_else(|| seen.table());
        let mut shown = Shown::of(&seen, record);
        let wanted = asked.wanted(&shown, record, patient);
        let mut page = Page::new(&wanted);
        let last = page.fill(&seen, record, &mut shown, &asked, &wanted, request.base).await?;
        page.add_directory(&seen, &mut shown, &asked, request.base).await?;
        let place = format!("{}/Patient/{id}/$everything", request.base);
        let next = last.map(|after| Asked { head: Some(record.head().seq), after: Some(after), ..asked.clone() });
        let next = next.map(|next| format!("{place}?_page={}", self.seal_cursor("everything", client, &next)));
        // How many there are is known if all are looked at, or if nothing but the table has to be.
        let total = (asked.after.is_none() && (next.is_none() || asked.care.is_none()))
            .then(|| if next.is_none() { page.count } else { wanted.len() });
        let Page { out, categories, .. } = page;
        drop(shown);
        Ok(seen.release(self, finish(out, total, &place, next.as_deref()), looked(categories)).await?)
    }

    /// The record in the version that the pages before showed, if it has another by now.
    async fn as_it_was(&self, seen: &Seen, asked: &Asked) -> Result<Option<Arc<OpenRecord>>, FhirError> {
        let Some(head) = asked.head.filter(|head| *head != seen.table().head().seq) else { return Ok(None) };
        let then = self.tenant().open_at(asked.record, Stream::Care, head).await.map_err(ServiceError::from)?;
        then.map(Some).ok_or_else(not_found)
    }
}

impl Asked {
    fn read(record: RecordId, given: &Given) -> Result<Self, FhirError> {
        let since = given.one("_since")?.map(|text| Moment::parse(text).ok_or_else(|| unreadable("_since")));
        let types = given.all("_type").flat_map(|list| list.split(',')).map(|name| {
            let unknown = || {
                let words = "One of these is no type of FHIR R4.";
                FhirError::new(400, IssueCode::Value, words).at("_type")
            };
            types::known(name.trim()).map(str::to_owned).ok_or_else(unknown)
        });
        let count = given.number("_count")?.filter(|count| *count > 0).unwrap_or(MOST).min(MOST);
        Ok(Self {
            record,
            since: since.transpose()?.map(|since| since.earliest().micros()),
            types: types.collect::<Result<_, _>>()?,
            care: Span::asked(given, "start", "end")?.map(|span| (span.from, span.until)),
            count,
            head: None,
            after: None,
        })
    }

    fn wants_type(&self, kind: &str) -> bool {
        self.types.is_empty() || self.types.iter().any(|wanted| wanted == kind)
    }

    /// The entries that may be shown, in the order of the pages: the person first, then by their numbers.
    fn wanted<'r>(&self, shown: &Shown<'_>, record: &'r OpenRecord, patient: EntryNumber) -> Vec<Entry<'r>> {
        let person = record.entry(patient).filter(|entry| !entry.is_deleted());
        let others = record.entries().filter(|entry| entry.kind().fhir_type() != Some("Patient"));
        let all = person.into_iter().chain(others);
        all.filter(|entry| {
            let kind = entry.kind().fhir_type();
            kind.is_some_and(|kind| self.wants_type(kind))
                && self.since.is_none_or(|since| entry.time().micros() >= since)
                && shown.reaches(entry)
        })
        .collect()
    }

    /// Whether what a resource tells of was in the time that is asked for. What says no time belongs to all of them.
    fn in_time(&self, body: &[u8]) -> bool {
        let Some((from, until)) = self.care else { return true };
        let span = Node::new(body).and_then(Span::of_resource);
        span.is_none_or(|span| span.meets(Span { from, until }))
    }
}

impl Page {
    fn new(wanted: &[Entry<'_>]) -> Self {
        let bytes: usize = wanted.iter().map(|entry| entry.body_len() as usize + 384).sum();
        let mut out = Vec::with_capacity(bytes.min(MOST_BYTES) + 4_096);
        out.extend_from_slice(br#"{"resourceType":"Bundle","type":"searchset""#);
        Self { out, categories: Vec::new(), count: 0 }
    }

    /// Writes the entries of the page. Answers the last of them if there are more.
    async fn fill<'s>(
        &mut self,
        seen: &Seen,
        record: &'s OpenRecord,
        shown: &mut Shown<'s>,
        asked: &Asked,
        wanted: &[Entry<'s>],
        base: &str,
    ) -> Result<Option<EntryNumber>, FhirError> {
        let passed = asked.after.and_then(|after| wanted.iter().position(|entry| entry.number() == after));
        let mut last = None;
        for (index, entry) in wanted.iter().skip(passed.map_or(0, |at| at + 1)).enumerate() {
            if index % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
            let body = record.body(entry).await.map_err(ServiceError::from)?;
            if !asked.in_time(&body) {
                continue;
            }
            if self.count == asked.count || self.out.len() > MOST_BYTES {
                return Ok(last);
            }
            let kind = entry.kind().fhir_type().unwrap_or_default();
            self.begin(base, &shown.reference(entry));
            shown.write(entry, &body, &mut self.out);
            self.end("match");
            self.categories.push((category_of(kind, &body), 1));
            self.count += 1;
            last = Some(entry.number());
        }
        debug_assert_eq!(seen.table().id(), record.id());
        Ok(None)
    }

    /// Writes what of the directory the page refers to, and what that refers to.
    async fn add_directory<'s>(
        &mut self,
        seen: &'s Seen,
        shown: &mut Shown<'s>,
        asked: &Asked,
        base: &str,
    ) -> Result<(), FhirError> {
        loop {
            let wanted = shown.take_wanted();
            if wanted.is_empty() {
                return Ok(());
            }
            for entry in
                wanted.iter().filter(|entry| entry.kind().fhir_type().is_some_and(|kind| asked.wants_type(kind)))
            {
                let body = directory_body(seen, entry).await?;
                self.begin(base, &resolve::reference_to(seen.directory(), entry).unwrap_or_default());
                shown.write_directory(entry, &body, &mut self.out);
                self.end("include");
            }
        }
    }

    fn begin(&mut self, base: &str, reference: &str) {
        let first = !self.out.ends_with(b"}");
        self.out.extend_from_slice(if first { br#","entry":[{"fullUrl":"# } else { br#",{"fullUrl":"# });
        push_string(&mut self.out, &format!("{base}/{reference}"));
        self.out.extend_from_slice(br#","resource":"#);
    }

    fn end(&mut self, mode: &str) {
        self.out.extend_from_slice(br#","search":{"mode":""#);
        self.out.extend_from_slice(mode.as_bytes());
        self.out.extend_from_slice(br#""}}"#);
    }
}

fn finish(mut out: Vec<u8>, total: Option<usize>, place: &str, next: Option<&str>) -> Bytes {
    if out.ends_with(b"}") {
        out.push(b']');
    }
    let mut tail = String::new();
    if let Some(total) = total {
        let _ = write!(tail, r#","total":{total}"#);
    }
    let link = |relation: &str, url: &str| {
        format!(r#"{{"relation":"{relation}","url":{}}}"#, keepwell_fhir::json::quoted(url))
    };
    let _ = write!(tail, r#","link":[{}"#, link("self", place));
    if let Some(next) = next {
        let _ = write!(tail, ",{}", link("next", next));
    }
    out.extend_from_slice(tail.as_bytes());
    out.extend_from_slice(b"]}");
    Bytes::from(out)
}
