//! What is to be written, held to the rules of R4: refused, or kept with its issues beside it, as the source's registration
//! says. What is there already, just so, is not looked at again.

use bytes::Bytes;
use keepwell_fhir::attachment;
use keepwell_fhir::json::Node;
use keepwell_fhir::outcome::{Issue, IssueCode, Outcome, Severity};
use keepwell_fhir::validate::{Options, Validator};
use keepwell_model::{Kind, SourceKey};
use keepwell_record::{Entry, Write, busy};
use serde::{Deserialize, Serialize};

use super::LARGE;
use super::incoming::{Incoming, Item};
use super::plan::{Fate, Plan, Side};
use crate::systems::{Client, Validation};
use crate::{FhirError, Service};

/// The largest content of a Binary that is looked at, in bytes; the engine takes no larger one.
const MOST_BYTES: usize = 16 << 20;
/// The kind of an entry that holds the issues of another.
const KIND: &str = "validation";
/// Issues that are told of one Bundle, or kept of one resource.
const MOST: usize = 20;

/// What was wrong with a resource when it came, as stored. Fields are only ever added.
#[derive(Serialize, Deserialize)]
pub(crate) struct Recorded {
    /// What its source calls the resource: `Type/id`.
    pub(crate) of: String,
    /// What was wrong with it.
    pub(crate) issues: Vec<RecordedIssue>,
}

/// One thing that was wrong.
#[derive(Serialize, Deserialize)]
pub(crate) struct RecordedIssue {
    pub(crate) code: String,
    pub(crate) expression: String,
    pub(crate) words: String,
}

/// The name of the entry that holds the issues of an entry.
pub(crate) fn issues_of(entry: &Entry<'_>) -> Option<SourceKey> {
    entry.source_key().map(|key| beside(&key))
}

fn beside(key: &SourceKey) -> SourceKey {
    SourceKey { source: key.source.clone(), kind: KIND.to_owned(), id: format!("{}/{}", key.kind, key.id) }
}

impl Plan {
    /// Looks at all that is to be written.
    ///
    /// # Errors
    /// 422 with what is wrong, if the source's registration says that such things are refused.
    pub(super) fn check(&mut self, service: &Service, client: &Client, incoming: &Incoming) -> Result<(), FhirError> {
        if client.validation == Validation::Off {
            return Ok(());
        }
        let bytes: usize = self.bodies().iter().flatten().map(Bytes::len).sum();
        let look = || self.issues(service.validator(), incoming);
        let found = if bytes < LARGE { look() } else { busy(look) };
        if client.validation == Validation::Record {
            self.keep_issues(&found);
            return Ok(());
        }
        let mut issues: Vec<Issue> = found
            .into_iter()
            .flat_map(|(at, found)| found.into_iter().map(move |issue| (at, issue)))
            .take(MOST)
            .filter_map(|(at, issue)| Some(placed(incoming.items.get(at)?, issue)))
            .collect();
        if issues.is_empty() {
            return Ok(());
        }
        issues.truncate(MOST);
        Err(FhirError::of(422, Outcome { issues }))
    }

    /// The errors in what is to be written, by the item's place among the items.
    fn issues(&self, validator: &Validator, incoming: &Incoming) -> Vec<(usize, Vec<Found>)> {
        let options = Options { profiles: &[], level: Severity::Error, limit: MOST };
        let items = incoming.items.iter().zip(self.fates()).zip(self.bodies()).enumerate();
        let written = items.filter_map(|(at, ((_, fate), body))| match (fate, body) {
            (Fate::Written { .. }, Some(body)) => Some((at, body)),
            _ => None,
        });
        let found = written.map(|(at, body)| {
            let mut issues = validator.validate(body, &options).issues;
            issues.extend(mismatch(body));
            let issues = issues.into_iter();
            (
                at,
                issues
                    .map(|it| Found { code: it.code, expression: it.expression, words: it.words })
                    .collect::<Vec<_>>(),
            )
        });
        found.filter(|(_, issues)| !issues.is_empty()).collect()
    }

    /// Writes the issues beside what has them, and takes away those of what has none any more.
    fn keep_issues(&mut self, found: &[(usize, Vec<Found>)]) {
        for at in 0..self.fates().len() {
            let (side, write, gone) = match self.fates()[at] {
                Fate::Written { side, write, .. } => (side, write, false),
                Fate::Deleted { side, write } => (side, write, true),
                Fate::Same { .. } | Fate::Nothing => continue,
            };
            let issues = found.iter().find(|(other, _)| *other == at && !gone).map(|(_, issues)| issues);
            self.keep_beside(side, write, issues);
        }
    }

    fn keep_beside(&mut self, side: Side, write: usize, issues: Option<&Vec<Found>>) {
        let Some(half) = self.half(side) else { return };
        let Some((labels, key)) = half.writes.get(write).and_then(|it| Some((it.labels, it.source.clone()?))) else {
            return;
        };
        let name = beside(&key);
        let there = half.find(&name).map(|entry| (entry.number(), entry.is_deleted()));
        let body = issues.map(|issues| {
            let issues = issues.iter().map(|it| RecordedIssue {
                code: it.code.code().to_owned(),
                expression: it.expression.clone(),
                words: it.words.clone(),
            });
            let recorded = Recorded { of: format!("{}/{}", key.kind, key.id), issues: issues.collect() };
            Bytes::from(serde_json::to_vec(&recorded).expect("it is plain strings"))
        });
        if body.is_none() && there.is_none_or(|(_, deleted)| deleted) {
            return;
        }
        let kind = Kind::new(KIND).expect("a short lower-case word is a kind");
        half.writes.push(Write { number: there.map(|(number, _)| number), kind, labels, source: Some(name), body });
    }
}

/// What is wrong with the bytes of a Binary: that they are not what their declared type says. A page that says it is a
/// picture would run in the name of whoever opens it.
fn mismatch(body: &[u8]) -> Option<keepwell_fhir::validate::Issue> {
    let node = Node::new(body).filter(|node| node.get_text("resourceType").as_deref() == Some("Binary"))?;
    let data = attachment::decode(node.get("data")?, MOST_BYTES).ok()?;
    let error = attachment::check(&node.get_text("contentType")?, &data).err()?;
    Some(keepwell_fhir::validate::Issue {
        severity: Severity::Error,
        code: IssueCode::Value,
        expression: "Binary.contentType".to_owned(),
        words: format!("This cannot be taken: {error}."),
        place: 0..0,
        rule: None,
    })
}

/// One error.
struct Found {
    code: IssueCode,
    expression: String,
    words: String,
}

/// An error of a resource, at its place in the Bundle.
fn placed(item: &Item, found: Found) -> Issue {
    let below = found.expression.strip_prefix(item.resource_type).unwrap_or(&found.expression);
    Issue::error(found.code, found.words).at(format!("{}.resource{below}", item.expression()))
}
