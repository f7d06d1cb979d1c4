//! A single create, update, patch or delete: a transaction of one entry, with the rules of a transaction.

use bytes::Bytes;
use keepwell_fhir::bundle::Method;
use keepwell_fhir::outcome::IssueCode;
use keepwell_fhir::{bundle, types};
use keepwell_model::{Seq, Timestamp};

use super::incoming::{FRESH, Incoming, read_alone};
use super::respond::Done;
use crate::rest::not_found;
use crate::systems::Client;
use crate::{FhirError, Service};

/// How a resource is to be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Patch {
    /// A JSON Patch (RFC 6902), as it was sent.
    Json(Bytes),
    /// A FHIRPath Patch (R4 §3.1.0.9.1): a Parameters resource in JSON.
    Path(Bytes),
}

/// What is to become of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Keep this as a new resource.
    Create(Bytes),
    /// Keep this as the resource.
    Update(Bytes),
    /// Change the resource like this.
    Patch(Patch),
    /// Forget the resource; its history stays.
    Delete,
}

/// A write that was asked for by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteRequest<'a> {
    /// The type in the address.
    pub resource_type: &'a str,
    /// The id in the address; none when creating.
    pub id: Option<&'a str>,
    /// What to do.
    pub change: Change,
    /// `If-Match`, as sent.
    pub if_match: Option<&'a str>,
    /// `If-None-Match`, as sent.
    pub if_none_match: Option<&'a str>,
    /// A search for what the write is about, where no id says it: it is to be changed or deleted, or nothing is to be
    /// created if it is there (`If-None-Exist`).
    pub condition: Option<&'a str>,
    /// Whether the resource is wanted back.
    pub representation: bool,
}

impl<'a> WriteRequest<'a> {
    /// A write without conditions.
    #[must_use]
    pub const fn new(resource_type: &'a str, id: Option<&'a str>, change: Change) -> Self {
        let (if_match, if_none_match) = (None, None);
        Self { resource_type, id, change, if_match, if_none_match, condition: None, representation: false }
    }
}

/// What became of a write.
#[derive(Debug, Clone)]
pub struct Written {
    /// The HTTP status that says it: 200, 201 or 204.
    pub status: u16,
    /// The type.
    pub resource_type: &'static str,
    /// Keepwell's id; none if nothing was there to delete.
    pub id: Option<String>,
    /// The version, the deletion's if it was one.
    pub version: Option<Seq>,
    /// When that version was written.
    pub last_updated: Option<Timestamp>,
    /// The resource as it goes out, where it was wanted.
    pub json: Option<Bytes>,
}

/// The same as a transaction's reader wants it.
pub(super) struct Asked<'a> {
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) body: &'a [u8],
    pub(super) patch: Option<&'a Patch>,
    pub(super) if_match: Option<&'a str>,
    pub(super) if_none_match: Option<&'a str>,
    pub(super) if_none_exist: Option<&'a str>,
}

impl<'a> Asked<'a> {
    fn of(request: &'a WriteRequest<'a>) -> Self {
        let (method, body, patch): (_, &[u8], _) = match &request.change {
            Change::Create(body) => (Method::Post, body, None),
            Change::Update(body) => (Method::Put, body, None),
            Change::Patch(patch) => (Method::Patch, &[], Some(patch)),
            Change::Delete => (Method::Delete, &[], None),
        };
        let WriteRequest { resource_type, if_match, if_none_match, .. } = *request;
        let (url, if_none_exist) = match (request.id, request.condition) {
            (Some(id), _) => (format!("{resource_type}/{id}"), None),
            (None, Some(condition)) if method != Method::Post => (format!("{resource_type}?{condition}"), None),
            (None, condition) => (resource_type.to_owned(), condition),
        };
        Self { method, url, body, patch, if_match, if_none_match, if_none_exist }
    }
}

impl Service {
    /// Creates, updates, patches or deletes one resource for a source system, by the rules of a transaction.
    ///
    /// # Errors
    /// [`FhirError`] with what is wrong; nothing was changed then.
    pub async fn write(&self, client: &Client, request: &WriteRequest<'_>) -> Result<Written, FhirError> {
        let resource_type = types::known(request.resource_type).ok_or_else(not_found)?;
        self.write_alone(client, request).await.map_err(|error| placed(error, resource_type))
    }

    async fn write_alone(&self, client: &Client, request: &WriteRequest<'_>) -> Result<Written, FhirError> {
        let asked = Asked::of(request);
        // The same bytes of one source for one person are kept once, however often they are sent (content addressing).
        let fresh = match &request.change {
            Change::Create(body) if request.resource_type == "Binary" => format!("{}{}", FRESH[1], hash(body)),
            _ => format!("{}{}", FRESH[1], self.secret::<15>()),
        };
        let incoming = read_alone(client, &asked, &fresh, &self.inner.config)?;
        if asked.method != Method::Post {
            can_be_found(&incoming)?;
        }
        let bundle = bundle::wrap(incoming.items.iter().filter_map(|item| item.body.as_deref()));
        let bundle = Bytes::from(bundle.unwrap_or_default());
        let outcome = self.run(client, &incoming, &bundle, request.representation).await?;
        let done = outcome.done.into_iter().next().expect("one entry went in");
        let Done { status, placed, resource, .. } = done;
        let (id, version, last_updated) = match placed {
            Some(placed) => (Some(placed.id), Some(placed.version), Some(placed.time)),
            None => (None, None, None),
        };
        let resource_type = incoming.items[0].resource_type;
        let resource = match (&resource, &id) {
            // What was there already is read as any reader would.
            (None, Some(id)) if request.representation && status == 200 => {
                Some(self.read_resource(client, resource_type, id).await?.json)
            }
            _ => resource,
        };
        Ok(Written { status, resource_type, id, version, last_updated, json: resource })
    }
}

fn hash(body: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(keepwell_record::IdempotencyKey::of(body).0)
}

/// A name that only its source knows leads nowhere by itself, unless it is that of a Patient or of something in the
/// directory: there is no list of all names.
fn can_be_found(incoming: &Incoming) -> Result<(), FhirError> {
    let nameless = |item: &super::incoming::Item| {
        let named = item.address.is_some() || item.condition.is_some() || item.resource_type == "Patient";
        item.body.is_none() && item.is_personal() && !named
    };
    if incoming.items.iter().any(nameless) {
        let words = "There is no resource with this id. Use the id that this server gave it in 'Location'; by your own id \
                     it can be changed with PUT, or in a transaction that says whose it is.";
        return Err(FhirError::new(404, IssueCode::NotFound, words));
    }
    Ok(())
}

/// An error of the one entry is about the resource itself.
fn placed(mut error: FhirError, resource_type: &str) -> FhirError {
    for issue in &mut error.issues {
        let Some(expression) = &mut issue.expression else { continue };
        for prefix in ["Bundle.entry[0].resource", "Bundle.entry[0].request", "Bundle.entry[0]"] {
            if let Some(rest) = expression.strip_prefix(prefix) {
                *expression = format!("{resource_type}{rest}");
                break;
            }
        }
        if expression.starts_with("Bundle.entry.resource.ofType(Patient)") {
            *expression = expression.replacen("Bundle.entry.resource.ofType(Patient)", resource_type, 1);
        }
    }
    error
}
