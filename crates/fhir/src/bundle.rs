//! Batch and transaction Bundles: reading their entries, writing the answer, wrapping loose resources.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use crate::json::{Fields, Node, Outline, push_string};
use crate::outcome::{Issue, IssueCode, Outcome};
use crate::resource::{Resource, is_id};
use crate::types;

/// After this many faults the rest of a Bundle is not looked at.
const MAX_ISSUES: usize = 20;

/// What an entry asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Read the headers.
    Head,
    /// Create.
    Post,
    /// Create or replace.
    Put,
    /// Change a part.
    Patch,
    /// Delete.
    Delete,
}

impl Method {
    fn of(text: &str) -> Option<Self> {
        Some(match text {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            _ => return None,
        })
    }

    /// The HTTP name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// An entry's `request.url`, which is relative to the FHIR base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestUrl<'a> {
    /// The whole text.
    pub text: Cow<'a, str>,
    /// The type that it starts with; empty for a reading request that starts with none, such as `metadata`.
    pub resource_type: &'static str,
    id: Range<usize>,
    query: Range<usize>,
}

impl<'a> RequestUrl<'a> {
    /// Takes a request's address apart: `Type`, `Type/id`, `Type?search` or `Type/id?search`; `None` for anything else.
    #[must_use]
    pub fn of(text: Cow<'a, str>) -> Option<Self> {
        let (place, query) = match text.find('?') {
            Some(at) => (&text[..at], at + 1..text.len()),
            None => (&text[..], 0..0),
        };
        let (name, id) = match place.find('/') {
            Some(at) => (&place[..at], at + 1..place.len()),
            None => (place, 0..0),
        };
        let resource_type = types::known(name)?;
        if !id.is_empty() && !is_id(&text[id.clone()]) || id.is_empty() && place.len() > name.len() {
            return None;
        }
        Some(Self { resource_type, id, query, text })
    }

    /// The address of a reading request, which may be any that this server has: `Type/id/_history`, `metadata`.
    fn reading(text: Cow<'a, str>) -> Self {
        let place = text.split('?').next().unwrap_or_default();
        let resource_type = place.split('/').next().and_then(types::known).unwrap_or_default();
        Self { resource_type, id: 0..0, query: 0..0, text }
    }

    /// The id in `Type/id`.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.text.get(self.id.clone()).filter(|id| !id.is_empty())
    }

    /// The search in `Type?search`.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.text.get(self.query.clone()).filter(|query| !query.is_empty())
    }
}

/// One entry of a transaction.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// Its place in the Bundle, from 0.
    pub index: usize,
    /// `fullUrl`: what the other entries call the resource.
    pub full_url: Option<Cow<'a, str>>,
    /// `request.method`.
    pub method: Method,
    /// `request.url`.
    pub url: RequestUrl<'a>,
    /// `request.ifMatch`.
    pub if_match: Option<Cow<'a, str>>,
    /// `request.ifNoneMatch`.
    pub if_none_match: Option<Cow<'a, str>>,
    /// `request.ifNoneExist`.
    pub if_none_exist: Option<Cow<'a, str>>,
    /// The resource, and where it stands in the Bundle's bytes.
    pub resource: Option<(Resource<'a>, Range<usize>)>,
}

impl<'a> Entry<'a> {
    /// An interaction that was asked for by itself, as the only entry of a transaction: FHIR means the same by both
    /// (R4 §3.1.0.11.2).
    ///
    /// # Errors
    /// What does not fit together.
    pub fn alone(
        method: Method,
        url: RequestUrl<'a>,
        resource: Option<(Resource<'a>, Range<usize>)>,
    ) -> Result<Self, Issue> {
        let nothing = (None, None, None);
        let (if_match, if_none_match, if_none_exist) = nothing;
        let entry = Self { index: 0, full_url: None, method, url, if_match, if_none_match, if_none_exist, resource };
        agrees(&entry).map_err(|fault| fault.into_issue(0))?;
        Ok(entry)
    }

    /// Whether it asks for a change.
    #[must_use]
    pub const fn is_write(&self) -> bool {
        !matches!(self.method, Method::Get | Method::Head)
    }

    /// The entry as a FHIRPath expression, for an [`Issue`].
    #[must_use]
    pub fn expression(&self) -> String {
        entry_expression(self.index)
    }

    /// The entry's resource as a FHIRPath expression, for an [`Issue`].
    #[must_use]
    pub fn resource_expression(&self) -> String {
        format!("{}.resource", self.expression())
    }
}

/// The entries of a transaction Bundle.
#[derive(Debug, Clone)]
pub struct Bundle<'a> {
    /// The entries in the order they were sent.
    pub entries: Vec<Entry<'a>>,
}

/// Whether a Bundle is to be taken whole or entry by entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// All of it or nothing.
    Transaction,
    /// Each entry by itself.
    Batch,
}

/// What kind of Bundle a document is that [`crate::json::check`] has checked.
///
/// # Errors
/// Why it is neither a batch nor a transaction.
pub fn kind_of(compact: &[u8], outline: &Outline) -> Result<Kind, Outcome> {
    let fields = outline.fields(compact).ok_or_else(|| not_a_bundle("The document is not an object"))?;
    match fields.get_text("resourceType").as_deref() {
        Some("Bundle") => {}
        Some(other) => return Err(not_a_bundle(&format!("The document is a {}", short(other)))),
        None => return Err(not_a_bundle("The document has no 'resourceType'")),
    }
    let kind = match fields.get_text("type").as_deref() {
        Some("transaction") => Kind::Transaction,
        Some("batch") => Kind::Batch,
        Some(other) => {
            let words = format!(
                "A Bundle of type '{}' is not taken here. Send a Bundle of type 'transaction' or 'batch', in which every entry has a 'request'.",
                short(other)
            );
            return Err(Issue::error(IssueCode::NotSupported, words).at("Bundle.type").into());
        }
        None => {
            let words = "The Bundle has no 'type'. Send a Bundle of type 'transaction' or 'batch'.";
            return Err(Issue::error(IssueCode::Required, words).at("Bundle.type").into());
        }
    };
    if fields.get("entry").is_some_and(|node| !node.raw().starts_with('[')) {
        let words = "'entry' must be an array of entries.";
        return Err(Issue::error(IssueCode::Structure, words).at("Bundle.entry").into());
    }
    Ok(kind)
}

/// The entries of a Bundle whose kind is known, each for itself: what is wrong with one says nothing about the others.
pub fn entries<'a>(
    compact: &'a [u8],
    outline: &'a Outline,
) -> impl Iterator<Item = Result<Entry<'a>, Issue>> + use<'a> {
    let found = outline.fields(compact).map(|fields| fields.objects("entry")).unwrap_or_default();
    found.into_iter().enumerate().map(|(index, entry)| {
        let entry = entry.ok_or_else(|| structure("An entry must be an object."));
        entry.and_then(|it| read_entry(index, &it, compact)).map_err(|fault| fault.into_issue(index))
    })
}

impl<'a> Bundle<'a> {
    /// Reads a transaction Bundle that [`crate::json::check`] has checked.
    ///
    /// # Errors
    /// What is wrong with the Bundle, entry by entry, as an [`Outcome`].
    pub fn read(compact: &'a [u8], outline: &'a Outline) -> Result<Self, Outcome> {
        if kind_of(compact, outline)? == Kind::Batch {
            let words = "This has to be a Bundle of type 'transaction'.";
            return Err(Issue::error(IssueCode::NotSupported, words).at("Bundle.type").into());
        }
        let mut issues = Vec::new();
        let mut read = Vec::new();
        for entry in entries(compact, outline) {
            match entry {
                Ok(entry) => read.push(entry),
                Err(issue) => issues.push(issue),
            }
            if issues.len() == MAX_ISSUES {
                break;
            }
        }
        if issues.is_empty() {
            issues = full_urls_twice(&read);
        }
        if issues.is_empty() { Ok(Self { entries: read }) } else { Err(Outcome { issues }) }
    }
}

/// A fault in one entry: the words, and the element below the entry.
struct Fault {
    code: IssueCode,
    words: String,
    element: &'static str,
}

impl Fault {
    fn into_issue(self, index: usize) -> Issue {
        let mut expression = entry_expression(index);
        if !self.element.is_empty() {
            expression.push('.');
            expression.push_str(self.element);
        }
        Issue::error(self.code, self.words).at(expression)
    }
}

fn fault(code: IssueCode, element: &'static str, words: impl Into<String>) -> Fault {
    Fault { code, words: words.into(), element }
}

fn structure(words: &str) -> Fault {
    fault(IssueCode::Structure, "", words)
}

fn entry_expression(index: usize) -> String {
    format!("Bundle.entry[{index}]")
}

fn not_a_bundle(what: &str) -> Outcome {
    let words = format!("{what}. Send a Bundle of type 'transaction'.");
    Issue::error(IssueCode::Structure, words).at("Bundle").into()
}

fn short(text: &str) -> String {
    text.chars().take(64).collect()
}

fn read_entry<'a>(index: usize, entry: &Fields<'a>, bytes: &'a [u8]) -> Result<Entry<'a>, Fault> {
    let Some(request) = entry.object("request") else {
        let words = "The entry has no 'request'. In a transaction each entry says what to do with its resource, for example \
                     {\"method\":\"POST\",\"url\":\"Observation\"}.";
        return Err(fault(IssueCode::Required, "request", words));
    };
    let method = request.get_text("method").and_then(|text| Method::of(&text)).ok_or_else(|| {
        let words = "The request needs a 'method': GET, HEAD, POST, PUT, PATCH or DELETE, in capitals.";
        fault(IssueCode::Required, "request.method", words)
    })?;
    let read = |text| match method {
        Method::Get | Method::Head => Some(RequestUrl::reading(text)),
        _ => RequestUrl::of(text),
    };
    let url = request.get_text("url").and_then(read).ok_or_else(|| {
        let words = "The request needs a 'url' relative to this server: 'Type', 'Type/id' or 'Type?search', with a type of FHIR R4.";
        fault(IssueCode::Value, "request.url", words)
    })?;
    let resource = match entry.get("resource") {
        None => None,
        Some(node) => {
            let fields = entry.object("resource");
            let read = fields
                .ok_or_else(|| "this is not an object".to_owned())
                .and_then(|fields| Resource::of(fields).map_err(|error| error.to_string()));
            let resource = read.map_err(|error| {
                fault(IssueCode::Structure, "resource", format!("The entry's resource cannot be read: {error}."))
            })?;
            // The node was found inside these very bytes.
            let range = node.place_in(bytes).ok_or_else(|| structure("The entry could not be located."))?;
            Some((resource, range))
        }
    };
    let entry = Entry {
        index,
        full_url: entry.get_text("fullUrl"),
        method,
        if_match: request.get_text("ifMatch"),
        if_none_match: request.get_text("ifNoneMatch"),
        if_none_exist: request.get_text("ifNoneExist"),
        resource,
        url,
    };
    agrees(&entry)?;
    Ok(entry)
}

/// Whether method, URL and resource fit together.
fn agrees(entry: &Entry<'_>) -> Result<(), Fault> {
    let url = &entry.url;
    let named = url.resource_type;
    match (entry.method, &entry.resource) {
        (Method::Post | Method::Put, None) => {
            let words = format!("A {} needs a resource to store.", entry.method.name());
            Err(fault(IssueCode::Required, "resource", words))
        }
        (Method::Get | Method::Head | Method::Delete, Some(_)) => {
            let words = format!("A {} carries no resource; leave it out.", entry.method.name());
            Err(fault(IssueCode::Structure, "resource", words))
        }
        (Method::Post | Method::Put, Some((resource, _))) if resource.resource_type != named => {
            let words = format!("The request is for a {named} but the resource is a {}.", resource.resource_type);
            Err(fault(IssueCode::Value, "request.url", words))
        }
        (Method::Post, Some(_)) if url.id().is_some() => {
            let words = "A POST creates a resource whose id the server chooses: the url is the type alone. Use PUT to name an id.";
            Err(fault(IssueCode::Value, "request.url", words))
        }
        (Method::Put, Some((resource, _))) => match (url.id(), resource.id.as_deref()) {
            (Some(id), Some(other)) if id != other => {
                let words = format!("The request is for '{named}/{id}' but the resource's id is '{other}'.");
                Err(fault(IssueCode::Value, "resource.id", words))
            }
            (Some(_), None) => {
                Err(fault(IssueCode::Required, "resource.id", "A PUT needs the resource to carry its id."))
            }
            (None, _) if url.query().is_none() => {
                Err(fault(IssueCode::Value, "request.url", "A PUT needs 'Type/id' or 'Type?search'."))
            }
            _ => Ok(()),
        },
        (Method::Delete | Method::Patch, _) if url.id().is_none() && url.query().is_none() => {
            let words = format!("A {} needs 'Type/id' or 'Type?search'.", entry.method.name());
            Err(fault(IssueCode::Value, "request.url", words))
        }
        _ => Ok(()),
    }
}

fn full_urls_twice(entries: &[Entry<'_>]) -> Vec<Issue> {
    let mut first = HashMap::with_capacity(entries.len());
    let mut issues = Vec::new();
    for entry in entries {
        let Some(full_url) = entry.full_url.as_deref() else { continue };
        if let Some(earlier) = first.insert(full_url, entry.index) {
            let words = format!("The fullUrl is that of entry {earlier} too; give each entry its own.");
            issues.push(Issue::error(IssueCode::Duplicate, words).at(format!("{}.fullUrl", entry.expression())));
            if issues.len() == MAX_ISSUES {
                break;
            }
        }
    }
    issues
}

/// Writes a `transaction-response` Bundle, entry by entry, in the order of the request.
#[derive(Debug, Clone)]
pub struct Response(Vec<u8>, bool);

impl Response {
    /// An answer without entries yet.
    #[must_use]
    pub fn new() -> Self {
        Self(br#"{"resourceType":"Bundle","type":"transaction-response""#.to_vec(), false)
    }

    /// Adds what became of one entry. `status` is such as `201 Created`, `etag` such as `W/"3"`.
    pub fn push(&mut self, status: &str, location: Option<&str>, etag: Option<&str>, last_modified: Option<&str>) {
        let Self(out, begun) = self;
        out.extend_from_slice(if *begun { b",{\"response\":{" } else { b",\"entry\":[{\"response\":{" });
        *begun = true;
        out.extend_from_slice(br#""status":"#);
        push_string(out, status);
        let rest = [("location", location), ("etag", etag), ("lastModified", last_modified)];
        for (name, value) in rest.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            out.push(b',');
            push_string(out, name);
            out.push(b':');
            push_string(out, value);
        }
        out.extend_from_slice(b"}}");
    }

    /// The Bundle.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        let Self(mut out, begun) = self;
        out.extend_from_slice(if begun { b"]}" } else { b"}" });
        out
    }
}

impl Default for Response {
    fn default() -> Self {
        Self::new()
    }
}

/// Wraps loose resources (checked, compact), such as the lines of an NDJSON file, into a transaction Bundle: a resource
/// with an id is put, one without is posted.
///
/// # Errors
/// The index of the first resource that is not one, and why.
pub fn wrap<'a>(
    resources: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<u8>, (usize, crate::resource::NotResource)> {
    let mut out = br#"{"resourceType":"Bundle","type":"transaction""#.to_vec();
    let mut begun = false;
    for (index, bytes) in resources.into_iter().enumerate() {
        let resource = Resource::new(bytes).map_err(|error| (index, error))?;
        out.extend_from_slice(if begun { b",{\"resource\":" } else { b",\"entry\":[{\"resource\":" });
        begun = true;
        out.extend_from_slice(bytes);
        let name = resource.resource_type;
        let request = match &resource.id {
            Some(id) => format!(r#","request":{{"method":"PUT","url":"{name}/{id}"}}}}"#),
            None => format!(r#","request":{{"method":"POST","url":"{name}"}}}}"#),
        };
        out.extend_from_slice(request.as_bytes());
    }
    out.extend_from_slice(if begun { b"]}" } else { b"}" });
    Ok(out)
}

/// Whether a document is a Bundle (rather than a loose resource), judged by its `resourceType`.
#[must_use]
pub fn is_bundle(compact: &[u8]) -> bool {
    Node::new(compact).and_then(|node| node.get_text("resourceType")).as_deref() == Some("Bundle")
}
