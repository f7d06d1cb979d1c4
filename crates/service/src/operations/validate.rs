//! `$validate`: whether a resource keeps the rules of R4, before it is sent or as it is kept (R4 §3.2.0.1,
//! OperationDefinition/Resource-validate).

use bytes::Bytes;
use keepwell_fhir::json::Node;
use keepwell_fhir::outcome::{Issue, IssueCode, Severity};
use keepwell_fhir::validate::{Options, Report};
use keepwell_record::{Entry, busy};

use super::given::{Given, OperationRequest, unreadable};
use crate::extract::category_of;
use crate::gate::looked;
use crate::rest::{Place, Seen, not_found, or_not_found};
use crate::systems::Client;
use crate::transaction::{Recorded, issues_of};
use crate::{FhirError, Service, ServiceError};

/// Issues that are told at most.
const MOST: usize = 100;
/// Resources with more bytes than this take a while.
const LARGE: usize = 64 * 1024;
const PARAMETERS: [&str; 3] = ["resource", "mode", "profile"];
const MODES: [&str; 4] = ["create", "update", "delete", "profile"];

impl Service {
    /// Validates a resource that was sent, or one that is kept here. The answer is an OperationOutcome whether or not it
    /// is valid; only what could not be validated is refused.
    ///
    /// # Errors
    /// [`FhirError`]: 400 for what cannot be read, 404 not found, 503.
    pub async fn validate(
        &self,
        client: &Client,
        resource_type: Option<&str>,
        id: Option<&str>,
        request: &OperationRequest<'_>,
    ) -> Result<Bytes, FhirError> {
        let given = Given::read(request, &PARAMETERS)?;
        let mode = given.one("mode")?;
        if mode.is_some_and(|mode| !MODES.contains(&mode)) {
            return Err(unreadable("mode"));
        }
        let profiles: Vec<&str> = given.all("profile").collect();
        let sent = given.resource("resource");
        match (sent, id, resource_type) {
            (Some(_), _, _) if mode == Some("delete") => {
                let words = "To ask whether a resource could be deleted, name it in the address and send no resource.";
                Err(FhirError::new(400, IssueCode::Invalid, words).at("mode"))
            }
            (Some(sent), ..) => {
                let mut report = self.held_to(sent, &profiles);
                addressed(&mut report, sent, resource_type, id, mode);
                Ok(answer(&report, Some(&given)))
            }
            (None, Some(id), Some(kind)) => {
                self.validate_kept(client, kind, id, &profiles, mode == Some("delete")).await
            }
            _ => {
                let words = "Send the resource that is to be validated.";
                Err(FhirError::new(400, IssueCode::Required, words).at("resource"))
            }
        }
    }

    async fn validate_kept(
        &self,
        client: &Client,
        kind: &str,
        id: &str,
        profiles: &[&str],
        delete: bool,
    ) -> Result<Bytes, FhirError> {
        let place = Place::of(kind, id).ok_or_else(not_found)?;
        let seen = self.see(client, place.record).await.map_err(or_not_found)?;
        let entry = seen.find(kind, place.entry).filter(|entry| !entry.is_deleted()).ok_or_else(not_found)?;
        if delete && entry.source_name() != Some(client.name.as_str()) {
            let words = "Another system sent this. Only the system that sent a resource can delete it.";
            let error = FhirError::new(403, IssueCode::Forbidden, words);
            return Ok(error.outcome());
        }
        let body = seen.body(&entry).await?;
        let report = if delete { Report::default() } else { self.held_to(&body, profiles) };
        let report = with_recorded(report, &seen, &entry).await?;
        let category = category_of(kind, &body);
        // The words of the issues may quote it.
        Ok(seen.release(self, answer(&report, None), looked([(category, 1)])).await?)
    }

    /// A resource, held to the rules here and to these profiles.
    fn held_to(&self, resource: &[u8], profiles: &[&str]) -> Report {
        let options = Options { profiles, level: Severity::Information, limit: MOST };
        let validate = || self.validator().validate(resource, &options);
        if resource.len() < LARGE { validate() } else { busy(validate) }
    }
}

/// Adds what was found when the resource came, where its source's registration says that it is kept so.
async fn with_recorded(mut report: Report, seen: &Seen, entry: &Entry<'_>) -> Result<Report, FhirError> {
    let beside = issues_of(entry).and_then(|key| seen.table().by_source(&key));
    let Some(beside) = beside.filter(|it| !it.is_deleted() && seen.reaches(it)) else { return Ok(report) };
    let body = seen.body(&beside).await?;
    let recorded: Recorded = serde_json::from_slice(&body).map_err(|_| ServiceError::Unavailable)?;
    for issue in recorded.issues {
        let words = format!("Found when it came ({}): {}", beside.time(), issue.words);
        report.issues.push(keepwell_fhir::validate::Issue {
            severity: Severity::Information,
            code: IssueCode::Informational,
            expression: issue.expression,
            words,
            place: 0..0,
            rule: None,
        });
    }
    Ok(report)
}

/// Whether the resource is the one that the address speaks of.
fn addressed(report: &mut Report, resource: &[u8], kind: Option<&str>, id: Option<&str>, mode: Option<&str>) {
    let mut refuse = |code, words: String, at: &str| {
        report.issues.insert(
            0,
            keepwell_fhir::validate::Issue {
                severity: Severity::Error,
                code,
                expression: at.to_owned(),
                words,
                place: 0..0,
                rule: None,
            },
        );
    };
    let node = Node::new(resource);
    let own = node.and_then(|node| node.get_text("resourceType")).unwrap_or_default().into_owned();
    if let Some(kind) = kind.filter(|kind| *kind != own) {
        refuse(IssueCode::Invalid, format!("The address says '{kind}', and this is another type."), &own);
    }
    let own_id = node.and_then(|node| node.get_text("id"));
    if mode == Some("update") && id.is_some() && own_id.as_deref() != id {
        refuse(IssueCode::Invalid, "The id is not the one in the address.".to_owned(), &format!("{own}.id"));
    }
}

/// The report as an OperationOutcome, with lines of what was sent, which says so if all is well.
fn answer(report: &Report, given: Option<&Given>) -> Bytes {
    let lines = given.map(|given| given.lines_and_columns(&report.places())).unwrap_or_default();
    let mut outcome = report.outcome_at(&lines);
    if outcome.issues.is_empty() {
        let diagnostics = "The resource keeps the rules of FHIR R4.".to_owned();
        let (severity, code) = (Severity::Information, IssueCode::Informational);
        outcome.issues.push(Issue { severity, code, diagnostics, expression: None });
    }
    Bytes::from(outcome.to_json())
}
