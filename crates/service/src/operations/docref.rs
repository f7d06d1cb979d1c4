//! `DocumentReference/$docref`: the documents of a person, of a time and of kinds that are asked for (HL7 US Core and IPA,
//! OperationDefinition/docref).

use std::collections::BTreeMap;

use bytes::Bytes;
use keepwell_fhir::date::Moment;
use keepwell_fhir::element::Concept;
use keepwell_fhir::json::Node;
use keepwell_fhir::outcome::IssueCode;
use keepwell_record::Entry;

use super::given::{Given, OperationRequest};
use super::lastn::{Token, any, whose};
use super::shown::Shown;
use super::timing::Span;
use crate::extract::category_of;
use crate::gate::looked;
use crate::rest::{Out, or_not_found};
use crate::systems::Client;
use crate::{FhirError, Service};

const PARAMETERS: [&str; 6] = ["patient", "start", "end", "type", "on-demand", "profile"];

impl Service {
    /// References to documents, the newest first: those of the time that is asked for; without one, the newest of each
    /// kind.
    ///
    /// # Errors
    /// [`FhirError`]: 400 for parameters that cannot be read, 404 not found, 422 if it is not said whose, 503.
    pub async fn document_references(
        &self,
        client: &Client,
        request: &OperationRequest<'_>,
    ) -> Result<Bytes, FhirError> {
        let given = Given::read(request, &PARAMETERS)?;
        let record = whose(&given)?;
        if given.flag("on-demand")? {
            let words = "Documents are not made on demand here. Patient/$summary makes a summary.";
            return Err(FhirError::new(400, IssueCode::NotSupported, words).at("on-demand"));
        }
        let span = Span::asked(&given, "start", "end")?;
        let kinds = kinds(&given);
        let seen = self.see(client, record).await.map_err(or_not_found)?;
        let mut found: Vec<(i64, Entry<'_>, Bytes)> = Vec::new();
        for entry in seen.entries().filter(|entry| entry.kind().fhir_type() == Some("DocumentReference")) {
            let body = seen.body(&entry).await?;
            let Some(node) = Node::new(&body) else { continue };
            let is_current = node.get_text("status").as_deref() == Some("current");
            let of_kind = kinds.is_empty() || node.get("type").is_some_and(|kind| any(&kinds, &Concept::of(kind)));
            if is_current && of_kind && span.is_none_or(|span| care(node).is_none_or(|own| own.meets(span))) {
                found.push((made(node), entry, body));
            }
        }
        found.sort_by_key(|(made, entry, _)| std::cmp::Reverse((*made, entry.number())));
        if span.is_none() {
            let mut newest: BTreeMap<String, ()> = BTreeMap::new();
            found.retain(|(_, _, body)| newest.insert(kind_of(body), ()).is_none());
        }
        let mut shown = Shown::new(&seen);
        let mut out = Out::new("searchset");
        out.total(found.len());
        out.links(&[("self", format!("{}/DocumentReference/$docref", request.base))]);
        let mut categories = Vec::new();
        let mut buffer = Vec::new();
        for (_, entry, body) in &found {
            buffer.clear();
            shown.write(entry, body, &mut buffer);
            out.hit(Some(&format!("{}/{}", request.base, shown.reference(entry))), &buffer, "match");
            categories.push((category_of("DocumentReference", body), 1));
        }
        drop(shown);
        drop(found);
        Ok(seen.release(self, out.finish(), looked(categories)).await?)
    }
}

/// The kinds that are asked for: tokens, or codings of a CodeableConcept.
fn kinds(given: &Given) -> Vec<Token> {
    let mut kinds: Vec<Token> = given.all("type").flat_map(|list| list.split(',')).map(Token::of).collect();
    for concept in given.objects("type").filter_map(|object| Node::new(object)) {
        let codings = Concept::of(concept).codings;
        let text = |text: Option<std::borrow::Cow<'_, str>>| text.unwrap_or_default().into_owned();
        kinds.extend(codings.into_iter().map(|it| Token::of(&format!("{}|{}", text(it.system), text(it.code)))));
    }
    kinds
}

/// When the care was that a document tells of; else when the document was made.
fn care(document: Node<'_>) -> Option<Span> {
    let period = document.first("context.period");
    let text = period.map(|period| format!(r#"{{"period":{}}}"#, period.raw()));
    text.and_then(|text| Span::of_resource(Node::of_text(&text))).or_else(|| Span::of_resource(document))
}

fn made(document: Node<'_>) -> i64 {
    document.get_text("date").and_then(|date| Moment::parse(&date)).map_or(i64::MIN, |date| date.earliest().micros())
}

/// What a document's kind is known by.
fn kind_of(body: &Bytes) -> String {
    let concept = Node::new(body).and_then(|node| node.get("type")).map(Concept::of).unwrap_or_default();
    match concept.codings.first() {
        Some(coding) => {
            format!("{}|{}", coding.system.as_deref().unwrap_or_default(), coding.code.as_deref().unwrap_or_default())
        }
        None => concept.text.as_deref().unwrap_or_default().to_owned(),
    }
}
