//! Bulk Data (HL7 Bulk Data Access 2.0): `$export` and `$import`, the jobs that they start, and their files.

use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use keepwell_service::{ExportOf, ExportRequest, FhirError, IssueCode, JobStatus};

use super::super::answer::{Refusal, json, set};
use super::super::body;
use super::super::caller::Caller;
use super::super::negotiate::sends_fhir;
use super::super::pack::wanted;
use super::super::pieces::pieces;
use super::super::prefer::{is_asynchronous, is_lenient};
use super::super::written::text;
use super::called::Called;
use super::{Place, only, place};
use crate::Api;
use crate::http_date::http_date;

/// Lines of JSON.
const NDJSON: &str = "application/fhir+ndjson";
/// How long a download may take.
const PATIENCE: Duration = Duration::from_secs(3_600);
const PROGRESS: HeaderName = HeaderName::from_static("x-progress");

/// What an address names. A path that is not UTF-8 names nothing.
type Named<T> = Result<Path<T>, PathRejection>;

fn named<T: Default>(named: Named<T>) -> T {
    named.map(|Path(named)| named).unwrap_or_default()
}

pub(super) async fn export_all(
    State(api): State<Api>,
    uri: Uri,
    headers: HeaderMap,
    called: Called,
) -> Result<Response, Refusal> {
    export(&api, &called, ExportOf::System, &uri, &headers).await
}

pub(super) async fn export_people(
    State(api): State<Api>,
    uri: Uri,
    headers: HeaderMap,
    kind: Named<String>,
    called: Called,
) -> Result<Response, Refusal> {
    only("Patient", &named(kind)).await?;
    export(&api, &called, ExportOf::People, &uri, &headers).await
}

pub(super) async fn export_group(
    State(api): State<Api>,
    uri: Uri,
    headers: HeaderMap,
    at: Place,
    called: Called,
) -> Result<Response, Refusal> {
    let (kind, id) = place(at);
    only("Group", &kind).await?;
    export(&api, &called, ExportOf::Group(&id), &uri, &headers).await
}

async fn export(
    api: &Api,
    called: &Called,
    of: ExportOf<'_>,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    if !is_asynchronous(headers) {
        let words = "An export takes a while. Send the header 'Prefer: respond-async', and ask at the address in \
                     'Content-Location' how far it is.";
        return Err(Refusal::new(StatusCode::BAD_REQUEST, IssueCode::Required, words));
    }
    let address = format!("{}{uri}", api.config.base_url);
    let with = called.request();
    let request = ExportRequest { of, with: &with, lenient: is_lenient(headers), address: &address };
    let job = api.within(api.service.export(called.client(), request)).await?;
    Ok(started(api, &job))
}

pub(super) async fn import(
    State(api): State<Api>,
    caller: Caller,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let media = text(&headers, header::CONTENT_TYPE).unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if ![NDJSON, "application/ndjson", "application/x-ndjson"].iter().any(|known| known.eq_ignore_ascii_case(media)) {
        let words = "Send the resources themselves, as NDJSON with 'Content-Type: application/fhir+ndjson'. Nothing is \
                     fetched from addresses.";
        let status = if sends_fhir(&headers).is_ok() {
            StatusCode::UNPROCESSABLE_ENTITY
        } else {
            StatusCode::UNSUPPORTED_MEDIA_TYPE
        };
        return Err(Refusal::new(status, IssueCode::NotSupported, words));
    }
    let upload = body::read(&headers, body, api.service.config().max_bundle).await?;
    let address = format!("{}{uri}", api.config.base_url);
    let job = api.within(api.service.import(&caller, upload, &address)).await?;
    Ok(started(&api, &job))
}

fn started(api: &Api, job: &str) -> Response {
    let mut response = (StatusCode::ACCEPTED, json(FhirError::all_well())).into_response();
    set(&mut response, header::CONTENT_LOCATION, &format!("{}/$bulk-status/{job}", api.config.fhir_base()));
    response
}

pub(super) async fn status(State(api): State<Api>, caller: Caller, job: Named<String>) -> Result<Response, Refusal> {
    let job = named(job);
    match api.within(api.service.bulk_status(&caller, &job, &api.config.fhir_base())).await? {
        JobStatus::Working(words) => {
            let mut response = StatusCode::ACCEPTED.into_response();
            set(&mut response, PROGRESS, &words);
            set(&mut response, header::RETRY_AFTER, "2");
            Ok(response)
        }
        JobStatus::Done { manifest, expires } => {
            let mut response = ([(header::CONTENT_TYPE, "application/json")], Body::from(manifest)).into_response();
            set(&mut response, header::EXPIRES, &http_date(expires));
            Ok(response)
        }
    }
}

pub(super) async fn forget(State(api): State<Api>, caller: Caller, job: Named<String>) -> Result<Response, Refusal> {
    let job = named(job);
    api.within(api.service.bulk_forget(&caller, &job)).await?;
    Ok((StatusCode::ACCEPTED, json(FhirError::all_well())).into_response())
}

pub(super) async fn file(
    State(api): State<Api>,
    caller: Caller,
    method: Method,
    headers: HeaderMap,
    place: Named<(String, String, String)>,
) -> Result<Response, Refusal> {
    let (job, part, name) = named(place);
    let file = api.within(api.service.bulk_file(&caller, &job, &part, &name)).await?;
    let coding = wanted(&headers);
    let (sink, end, body) = pieces(coding, caller);
    // Who asks for the headers alone has looked at nothing.
    let work = (method != Method::HEAD).then_some(async move {
        if matches!(tokio::time::timeout(PATIENCE, file.send(&sink)).await, Ok(Ok(()))) {
            end.say_whole();
        }
    });
    work.map(tokio::spawn);
    let mut response = ([(header::CONTENT_TYPE, NDJSON)], body).into_response();
    if let Some(coding) = coding {
        set(&mut response, header::CONTENT_ENCODING, coding);
    }
    Ok(response)
}
