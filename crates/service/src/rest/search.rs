//! Search (R4 §3.1.1), in the record of a person, in the directory, or across people.

use bytes::Bytes;
use keepwell_fhir::compartment::compartment;
use keepwell_fhir::definitions::{Definitions, r4};
use keepwell_fhir::outcome::{IssueCode, Outcome};
use keepwell_fhir::search::{Answer, Columns, Handling, Query, Search, SearchError, Settings};
use keepwell_fhir::types;
use keepwell_model::{RecordId, Seq, Stream};
use keepwell_record::{OpenRecord, busy};
use serde::{Deserialize, Serialize};

use super::across::Across;
use super::out::Out;
use super::query::{query_parameters, written as written_behind};
use super::seen::not_found;
use super::whose::Whose;
use super::world::{Nothing, SeenWorld, load};
use crate::extract::category_of_type;
use crate::gate::looked;
use crate::systems::Client;
use crate::views::{Category, Looked};
use crate::{FhirError, Service, ServiceError};

/// More bytes of a question than this do not fit into the address of a next page.
const LONGEST: usize = 8 * 1024;

/// What is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchIn<'a> {
    /// All types, or those that `_type` says.
    All,
    /// One type.
    Type(&'a str),
    /// What a person's record holds: of one type, or all of it.
    Compartment(&'a str, Option<&'a str>),
}

/// A search that is asked for.
#[derive(Debug, Clone, Copy)]
pub struct SearchRequest<'a> {
    /// In what.
    pub of: SearchIn<'a>,
    /// The part of the address after the question mark; of a form, with the body's parameters behind it.
    pub query: &'a str,
    /// The FHIR base address.
    pub base: &'a str,
    /// Whether what is not understood is left out instead of refused.
    pub lenient: bool,
}

/// Where other pages are; it goes into their addresses, sealed.
#[derive(Serialize, Deserialize)]
pub(super) enum Cursor {
    /// In one record.
    One(Page),
    /// In several.
    Many(Across),
}

/// What one page shows; all of it goes into the address of the others, sealed.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Page {
    kind: Option<String>,
    person: Option<String>,
    query: String,
    record: RecordId,
    /// The state of the record that is searched.
    head: Seq,
    offset: usize,
}

impl Page {
    fn of(&self) -> SearchIn<'_> {
        match (&self.person, &self.kind) {
            (Some(person), kind) => SearchIn::Compartment(person, kind.as_deref()),
            (None, Some(kind)) => SearchIn::Type(kind),
            (None, None) => SearchIn::All,
        }
    }
}

impl<'a> SearchIn<'a> {
    const fn kind(self) -> Option<&'a str> {
        match self {
            Self::All => None,
            Self::Type(kind) => Some(kind),
            Self::Compartment(_, kind) => kind,
        }
    }

    fn path(self) -> String {
        match self {
            Self::All => String::new(),
            Self::Type(kind) => format!("/{kind}"),
            Self::Compartment(person, kind) => format!("/Patient/{person}/{}", kind.unwrap_or("*")),
        }
    }

    /// That it can be searched at all.
    fn check(self) -> Result<(), FhirError> {
        let known = |kind: &str| types::known(kind).map(drop).ok_or_else(not_found);
        match self {
            Self::All | Self::Compartment(_, None) => Ok(()),
            Self::Type(kind) => known(kind),
            Self::Compartment(_, Some(kind)) => {
                known(kind)?;
                if compartment(kind).is_some() {
                    return Ok(());
                }
                let words = format!("A {kind} is no part of a person's record. Search for it by its type alone.");
                Err(FhirError::new(404, IssueCode::NotSupported, words))
            }
        }
    }
}

impl Service {
    /// Whether a search can be read, without making it.
    pub(super) fn check_search(&self, request: &SearchRequest<'_>) -> Result<(), FhirError> {
        if query_parameters(request.query).iter().any(|(name, _)| name == "_page") {
            return Ok(());
        }
        request.of.check()?;
        parse(self.definitions(), request.of, request.query, request.lenient).map(drop)
    }

    /// A page of what a search finds, as a Bundle.
    ///
    /// # Errors
    /// [`FhirError`]: 400 for what is not understood, 404 for a type that is not there, 422 if it is not said whose record
    /// is meant, 503, 504.
    pub async fn search(&self, client: &Client, request: &SearchRequest<'_>) -> Result<Bytes, FhirError> {
        let parameters = query_parameters(request.query);
        request.of.check()?;
        if let SearchIn::Type(kind) = request.of
            && let Some(found) = self.search_trail(client, kind, &parameters, request.base).await?
        {
            return Ok(found);
        }
        let form = form_of(&parameters);
        if let Some((_, cursor)) = parameters.iter().find(|(name, _)| name == "_page") {
            let address = Address { base: request.base, own: Some(format!("_page={cursor}")), form };
            return match self.open_cursor("search", client, cursor)? {
                Cursor::One(page) => {
                    let query = parse(self.definitions(), page.of(), &page.query, false)?;
                    self.page_of(client, &address, &query, page).await
                }
                Cursor::Many(across) => {
                    let query = parse(self.definitions(), across.of(), &across.query, false)?;
                    self.search_across(client, &address, &query, across).await
                }
            };
        }
        let address = Address { base: request.base, own: None, form };
        let query = parse(self.definitions(), request.of, request.query, request.lenient)?;
        let whose = match request.of {
            SearchIn::Compartment(person, _) => person.parse().map_or(Whose::Nobody, Whose::Person),
            SearchIn::All | SearchIn::Type(_) => {
                let types: Vec<&str> = query.types().collect();
                self.whose(&types, &parameters, request.base).await?
            }
        };
        let record = match whose {
            Whose::Person(record) => record,
            Whose::Directory => self.tenant().directory(),
            Whose::Nobody => return found_nothing(self.definitions(), &query, request),
            Whose::People(people) => return self.first_across(client, request, &address, &query, Some(people)).await,
            Whose::Unsaid => return self.first_across(client, request, &address, &query, None).await,
        };
        let person = match request.of {
            SearchIn::Compartment(person, _) => Some(person.to_owned()),
            _ => None,
        };
        let kind = request.of.kind().map(str::to_owned);
        let page = Page { kind, person, query: query.self_link(), record, head: Seq(0), offset: 0 };
        match self.page_of(client, &address, &query, page).await {
            // A record that may not be seen and one that is not there give the same answer.
            Err(error) if error.status == 404 => found_nothing(self.definitions(), &query, request),
            other => other,
        }
    }

    async fn first_across(
        &self,
        client: &Client,
        request: &SearchRequest<'_>,
        address: &Address<'_>,
        query: &Query,
        people: Option<Vec<RecordId>>,
    ) -> Result<Bytes, FhirError> {
        let kind = request.of.kind().map(str::to_owned);
        let across = Across { kind, query: query.self_link(), people, after: None, offset: 0, before: Vec::new() };
        self.search_across(client, address, query, across).await
    }

    /// One page in one record.
    async fn page_of(
        &self,
        client: &Client,
        address: &Address<'_>,
        query: &Query,
        page: Page,
    ) -> Result<Bytes, FhirError> {
        let base = address.base;
        let seen = self.see(client, page.record).await?;
        let earlier = match page.head {
            Seq(0) => None,
            head if head == seen.table().head().seq => None,
            head => {
                let open = self.tenant().open_at(page.record, Stream::Care, head).await;
                Some(open.map_err(ServiceError::from)?.ok_or_else(not_found)?)
            }
        };
        let record: &OpenRecord = earlier.as_deref().unwrap_or_else(|| seen.table());
        let fetched = load(record, seen.directory()).await?;
        let (bytes, what) = {
            let world = SeenWorld::new(&seen, record, &fetched, base, self.patience());
            let answer = run(self, &world, query, page.offset)?;
            let page = Page { head: record.head().seq, ..page };
            let links = self.links(client, address, query, &page, &answer)?;
            written(&world, query, &answer, &links, base)
        };
        Ok(seen.release(self, bytes, what).await?)
    }

    /// The addresses of this and the neighbouring pages.
    fn links(
        &self,
        client: &Client,
        address: &Address<'_>,
        query: &Query,
        page: &Page,
        answer: &Answer,
    ) -> Result<Vec<(&'static str, String)>, FhirError> {
        let path = format!("{}{}", address.base, page.of().path());
        let mut links = vec![("self", address.own(&path, &page.query))];
        let beside = |offset: usize| -> Result<String, FhirError> {
            let cursor = Cursor::One(Page { offset, ..page.clone() });
            self.beside(client, address, &path, &page.query, &cursor)
        };
        if page.offset > 0 {
            links.push(("previous", beside(page.offset.saturating_sub(query.page()))?));
        }
        if answer.has_next {
            links.push(("next", beside(page.offset + answer.matches.len())?));
        }
        Ok(links)
    }
}

impl Service {
    /// The address of another page of a question.
    pub(super) fn beside(
        &self,
        client: &Client,
        address: &Address<'_>,
        path: &str,
        query: &str,
        cursor: &Cursor,
    ) -> Result<String, FhirError> {
        if query.len() > LONGEST {
            let words = "The question is too long to be answered in pages. Ask for less at once, or for a larger page \
                         with '_count'.";
            return Err(FhirError::new(422, IssueCode::TooLong, words));
        }
        Ok(format!("{path}?_page={}{}", self.seal_cursor("search", client, cursor), address.form))
    }
}

/// What the addresses of pages are made of.
pub(super) struct Address<'a> {
    /// The FHIR base address.
    pub(super) base: &'a str,
    /// What stands in this page's own address, unless that is the question itself.
    own: Option<String>,
    /// How the answer is wanted, which goes from page to page: `&_format=json`.
    form: String,
}

impl Address<'_> {
    /// That of the page itself, which answers this question.
    pub(super) fn own(&self, path: &str, query: &str) -> String {
        address(path, self.own.as_deref().unwrap_or(query))
    }
}

/// `_format` and `_pretty`, as they are written behind other parameters.
fn form_of(parameters: &[(String, String)]) -> String {
    let form = parameters.iter().filter(|(name, value)| matches!(&**name, "_format" | "_pretty") && value.len() <= 64);
    written_behind(form.map(|(name, value)| (&**name, &**value))).replacen('?', "&", 1)
}

/// One page of what a query finds in a world.
pub(super) fn run(service: &Service, world: &SeenWorld<'_>, query: &Query, offset: usize) -> Result<Answer, FhirError> {
    let columns = world.columns();
    let run = || Search::new(world, service.definitions(), &columns, service.now()).run(query, offset);
    if world.is_cold() { busy(run) } else { run() }.map_err(not_run)
}

/// Reads a question.
fn parse(definitions: &Definitions, of: SearchIn<'_>, query: &str, lenient: bool) -> Result<Query, FhirError> {
    let handling = if lenient { Handling::Lenient } else { Handling::Strict };
    let settings = Settings { handling, ..Settings::default() };
    Query::parse_with(definitions, of.kind(), query, &settings).map_err(|outcome| FhirError::of(400, outcome))
}

/// How much of a resource is wanted that is read by itself: `_summary` and `_elements` of the part of the address after the
/// question mark.
///
/// # Errors
/// 400 if they cannot be read.
pub fn part_of(resource_type: &str, query: &str) -> Result<PartOf, FhirError> {
    let wanted = query.split('&').filter(|pair| pair.starts_with("_summary=") || pair.starts_with("_elements="));
    let wanted = wanted.collect::<Vec<_>>().join("&");
    if wanted.is_empty() || types::known(resource_type).is_none() {
        return Ok(PartOf(None));
    }
    parse(r4(), SearchIn::Type(resource_type), &wanted, false).map(|query| PartOf(Some(query)))
}

/// A part of a resource.
#[derive(Debug, Clone)]
pub struct PartOf(Option<Query>);

impl PartOf {
    /// That part of a resource, as JSON.
    #[must_use]
    pub fn shape(&self, json: Bytes) -> Bytes {
        match &self.0 {
            None => json,
            Some(query) => Bytes::from(query.shape(&json, r4()).into_owned()),
        }
    }
}

/// Why a search has no answer.
pub(crate) fn not_run(error: SearchError) -> FhirError {
    match error {
        SearchError::Cancelled => {
            let words = "This search took too long and was given up. Ask for less at once.";
            FhirError::new(504, IssueCode::TooCostly, words)
        }
        SearchError::Refused(outcome) => FhirError::of(422, outcome),
    }
}

fn address(path: &str, query: &str) -> String {
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// The answer where there is nobody. It is that of an empty record.
fn found_nothing(definitions: &Definitions, query: &Query, request: &SearchRequest<'_>) -> Result<Bytes, FhirError> {
    let columns = Columns::default();
    let now = keepwell_model::Timestamp::from_micros(0);
    let answer = Search::new(&Nothing(request.base), definitions, &columns, now).run(query, 0).map_err(not_run)?;
    let mut out = Out::new("searchset");
    let path = format!("{}{}", request.base, request.of.path());
    begin(&mut out, query, answer.total, &[("self", address(&path, &query.self_link()))]);
    Ok(out.finish())
}

/// Says how many there are and where, and what was left out of the question.
pub(super) fn begin(out: &mut Out, query: &Query, total: Option<usize>, links: &[(&'static str, String)]) {
    if let Some(total) = total {
        out.total(total);
    }
    out.links(links);
    if !query.ignored().is_empty() {
        let outcome = Outcome { issues: query.ignored().to_vec() }.to_json();
        out.hit(None, outcome.as_ref(), "outcome");
    }
}

/// The Bundle, and what of the person is in it.
fn written(
    world: &SeenWorld<'_>,
    query: &Query,
    answer: &Answer,
    links: &[(&'static str, String)],
    base: &str,
) -> (Bytes, Vec<Looked>) {
    let mut out = Out::new("searchset");
    begin(&mut out, query, answer.total, links);
    let what = push_hits(&mut out, world, query, answer, base);
    (out.finish(), what)
}

/// Adds what was found in one record, and tells what of the person it is.
pub(super) fn push_hits(
    out: &mut Out,
    world: &SeenWorld<'_>,
    query: &Query,
    answer: &Answer,
    base: &str,
) -> Vec<Looked> {
    let mut categories: Vec<(Category, usize)> = Vec::new();
    let matches = answer.matches.iter().map(|item| (item, "match"));
    for (&item, mode) in matches.chain(answer.included.iter().map(|item| (item, "include"))) {
        let full_url = world.place(item).map(|place| format!("{base}/{place}"));
        let resource = world.projected(item);
        out.hit(full_url.as_deref(), &query.shape(&resource, r4()), mode);
        if !world.is_in_directory(item) {
            categories.push((world.category(item), 1));
        }
    }
    if query.is_count_only() && answer.total.is_some_and(|total| total > 0) {
        categories.extend(query.types().map(|kind| (category_of_type(kind), answer.total.unwrap_or(0))).take(1));
    }
    looked(categories)
}
