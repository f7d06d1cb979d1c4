//! `Observation/$lastn`: the newest observations of each kind, of one person (R4, OperationDefinition/Observation-lastn).

use bytes::Bytes;
use keepwell_fhir::element::Concept;
use keepwell_fhir::json::Node;
use keepwell_fhir::lastn::last_n;
use keepwell_model::RecordId;
use keepwell_record::Entry;

use super::given::{Given, OperationRequest};
use super::shown::Shown;
use super::{person, say_whose};
use crate::extract::category_of;
use crate::gate::looked;
use crate::rest::{Out, Seen, or_not_found};
use crate::systems::Client;
use crate::{FhirError, Service};

/// Observations in one answer at most.
const MOST: usize = 10_000;

impl Service {
    /// The newest observations of each kind, as a searchset Bundle, the newest first.
    ///
    /// # Errors
    /// [`FhirError`]: 400 for parameters that cannot be read, 404 not found, 422 if it is not said whose, 503.
    pub async fn last_observations(&self, client: &Client, request: &OperationRequest<'_>) -> Result<Bytes, FhirError> {
        let given = Given::read(request, &["patient", "subject", "category", "code", "max", "status"])?;
        let record = whose(&given)?;
        let max = given.number("max")?.unwrap_or(1).clamp(1, MOST);
        let (codes, categories) = (tokens(&given, "code"), tokens(&given, "category"));
        let seen = self.see(client, record).await.map_err(or_not_found)?;
        let found = observations(&seen, |node| {
            let categories_fit = categories.is_empty()
                || node.get("category").into_iter().flat_map(Node::each).any(|it| any(&categories, &Concept::of(it)));
            let status = node.get_text("status").unwrap_or_default();
            let mut statuses = given.all("status").flat_map(|list| list.split(',')).peekable();
            categories_fit
                && (codes.is_empty() || node.get("code").is_some_and(|code| any(&codes, &Concept::of(code))))
                && (statuses.peek().is_none() || statuses.any(|wanted| wanted == status))
        })
        .await?;
        let nodes: Vec<Node<'_>> = found.iter().filter_map(|(_, body)| Node::new(body)).collect();
        let chosen = last_n(&nodes, max);
        let mut shown = Shown::new(&seen);
        let mut out = Out::new("searchset");
        out.total(chosen.len().min(MOST));
        out.links(&[("self", format!("{}/Observation/$lastn", request.base))]);
        let mut categories = Vec::new();
        let mut buffer = Vec::new();
        for (entry, body) in chosen.into_iter().take(MOST).filter_map(|at| found.get(at)) {
            buffer.clear();
            shown.write(entry, body, &mut buffer);
            out.hit(Some(&format!("{}/{}", request.base, shown.reference(entry))), &buffer, "match");
            categories.push((category_of("Observation", body), 1));
        }
        drop(shown);
        drop(found);
        Ok(seen.release(self, out.finish(), looked(categories)).await?)
    }
}

/// Whose observations: `patient` or `subject`.
pub(super) fn whose(given: &Given) -> Result<RecordId, FhirError> {
    let patient = match given.one("patient")? {
        Some(patient) => Some(patient),
        None => given.one("subject")?,
    };
    person(patient.ok_or_else(|| say_whose("patient"))?)
}

/// The observations within reach that fit, with their bodies, in the order in which they came.
pub(super) async fn observations(
    seen: &Seen,
    fits: impl Fn(Node<'_>) -> bool,
) -> Result<Vec<(Entry<'_>, Bytes)>, FhirError> {
    let mut found = Vec::new();
    let entries = seen.entries().filter(|entry| entry.kind().fhir_type() == Some("Observation"));
    for (index, entry) in entries.enumerate() {
        if index % super::TURN == super::TURN - 1 {
            tokio::task::yield_now().await;
        }
        let body = seen.body(&entry).await?;
        if Node::new(&body).is_some_and(&fits) {
            found.push((entry, body));
        }
    }
    Ok(found)
}

/// A code that is asked for: of a system, of none, or of whichever.
pub(super) struct Token {
    system: Option<String>,
    code: Option<String>,
}

impl Token {
    /// Reads `code`, `system|code`, `|code` or `system|` (R4 §3.1.1.4.10).
    pub(super) fn of(text: &str) -> Self {
        match text.split_once('|') {
            None => Self { system: None, code: Some(text.to_owned()) },
            Some((system, "")) => Self { system: Some(system.to_owned()), code: None },
            Some((system, code)) => Self { system: Some(system.to_owned()), code: Some(code.to_owned()) },
        }
    }

    /// A code of that system, or of whichever.
    pub(super) fn exactly(system: Option<String>, code: String) -> Self {
        Self { system, code: Some(code) }
    }

    fn names(&self, concept: &Concept<'_>) -> bool {
        concept.codings.iter().any(|coding| {
            let system =
                self.system.as_deref().is_none_or(|wanted| coding.system.as_deref().unwrap_or_default() == wanted);
            system && self.code.as_deref().is_none_or(|wanted| coding.code.as_deref() == Some(wanted))
        })
    }
}

fn tokens(given: &Given, name: &str) -> Vec<Token> {
    given.all(name).flat_map(|list| list.split(',')).map(Token::of).collect()
}

pub(super) fn any(tokens: &[Token], concept: &Concept<'_>) -> bool {
    tokens.iter().any(|token| token.names(concept))
}
