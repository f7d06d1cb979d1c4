//! Bulk Data (HL7 Bulk Data Access 2.0): exports of all records that a system feeds, and uploads of many resources. Both
//! are jobs: started, asked about, taken out, forgotten. What a job keeps is sealed like everything else and holds no
//! content of a record: an export is read from the records, as they were when it began, while it is downloaded.

mod download;
mod export;
mod import;
mod jobs;
mod lines;
mod trail;

use bytes::Bytes;
use keepwell_fhir::outcome::IssueCode;
use keepwell_model::{Purpose, Timestamp};
use keepwell_policy::{Action, Facts, Permit, Target};
use serde_json::json;

use crate::gate::permit_with;
use crate::systems::{Client, Grant};
use crate::{FhirError, Service};

pub use download::{BrokenOff, BulkFile};
pub use export::{ExportOf, ExportRequest};
pub(crate) use jobs::Places;
use jobs::{File, Job, State, Work};

/// How far a job is.
#[derive(Debug, Clone)]
pub enum JobStatus {
    /// It runs; how far it is, in words.
    Working(String),
    /// It is done.
    Done {
        /// The manifest, as JSON.
        manifest: Bytes,
        /// Until when it and its files are kept.
        expires: Timestamp,
    },
}

impl Service {
    /// The permit to export, which shows nothing by itself.
    fn may_export(&self, client: &Client) -> Result<Permit, FhirError> {
        let facts = Facts { exports: client.grants.contains(&Grant::ExportRecords), ..Facts::default() };
        permit_with(&client.actor(), Purpose::DirectCare, Action::ExportRecords, Target::Tenant, facts).map_err(|_| {
            let words = "The registration of this system does not say that it may export. Ask the operator.";
            FhirError::new(403, IssueCode::Forbidden, words)
        })
    }

    /// How far a job is.
    ///
    /// # Errors
    /// [`FhirError`]: 403 not allowed any more, 404 not found, 500 if the job broke off, 503.
    pub async fn bulk_status(&self, client: &Client, id: &str, base: &str) -> Result<JobStatus, FhirError> {
        let job = self.own_job(client, id).await?;
        if matches!(job.work, Work::Export(_)) {
            let _permit = self.may_export(client)?;
        }
        let silent = self.is_silent(id, &job);
        match (&job.state, &job.work) {
            (State::Done(count), _) => {
                Ok(JobStatus::Done { manifest: manifest(id, &job, *count, base), expires: job.expires() })
            }
            (State::Working(_), Work::Export(_)) if silent => {
                // The process that ran it is gone: it begins again here.
                self.resume_export(client, id).await?;
                Ok(JobStatus::Working("begins again".to_owned()))
            }
            (State::Working(count), _) if !silent => Ok(JobStatus::Working(format!("{count} done"))),
            (State::Working(_) | State::Failed, _) => {
                let words = "The job broke off. Start it again; what was taken in already is not taken twice.";
                Err(FhirError::new(500, IssueCode::Exception, words))
            }
        }
    }
}

fn manifest(id: &str, job: &Job, count: u64, base: &str) -> Bytes {
    let (mut output, mut deleted, mut error) = (Vec::new(), Vec::new(), Vec::new());
    for File { kind, part, count } in &job.files {
        let file =
            json!({ "type": kind, "url": format!("{base}/$bulk-file/{id}/{part}/{kind}.ndjson"), "count": count });
        match kind.as_str() {
            "Bundle" => deleted.push(file),
            "OperationOutcome" => error.push(file),
            _ => output.push(file),
        }
    }
    let mut manifest = json!({
        "transactionTime": job.at.to_string(),
        "request": job.request,
        "requiresAccessToken": true,
        "output": output,
        "error": error,
    });
    match &job.work {
        Work::Export(asked) if asked.since.is_some() => manifest["deleted"] = deleted.into(),
        Work::Export(_) => {}
        Work::Import => {
            let refused: u64 = job.files.iter().map(|file| file.count).sum();
            manifest["extension"] = json!({ "urn:keepwell:lines": { "taken": count, "refused": refused } });
        }
    }
    Bytes::from(manifest.to_string())
}
