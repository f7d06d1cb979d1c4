//! `Patient/{id}/$summary`, the International Patient Summary, and `Composition/{id}/$document`.

use bytes::Bytes;
use keepwell_fhir::document::{Document, Frame, Item, assemble};
use keepwell_fhir::json::Node;
use keepwell_fhir::outcome::IssueCode;
use keepwell_fhir::summary::{Order, summary};

use super::given::{Given, OperationRequest};
use super::shown::Whole;
use crate::extract::category_of;
use crate::gate::looked;
use crate::rest::{Place, not_found, or_not_found};
use crate::systems::Client;
use crate::views::Looked;
use crate::{FhirError, Service};

/// What puts summaries together.
const AUTHOR: &str =
    r#"{"resourceType":"Device","id":"keepwell","deviceName":[{"name":"Keepwell","type":"user-friendly-name"}]}"#;
const AUTHOR_REFERENCE: &str = "Device/keepwell";

impl Service {
    /// A person's summary as a document, made of what the system may see.
    ///
    /// # Errors
    /// [`FhirError`]: 400 for parameters that cannot be read, 404 not found, 413 for a record that is too large, 503.
    pub async fn summary(&self, client: &Client, id: &str, request: &OperationRequest<'_>) -> Result<Bytes, FhirError> {
        let given = Given::read(request, &["profile", "persist"])?;
        not_kept(&given)?;
        let record = id.parse().map_err(|_| not_found())?;
        let seen = self.see(client, record).await.map_err(or_not_found)?;
        let person = seen.patient().filter(|entry| !entry.is_deleted()).ok_or_else(not_found)?;
        let reference = format!("Patient/{record}");
        debug_assert_eq!(person.kind().fhir_type(), Some("Patient"));
        let whole = Whole::of(&seen).await?;
        let items = whole.items();
        let patient = *items.iter().find(|item| item.reference == reference).ok_or_else(not_found)?;
        let others: Vec<Item<'_>> = items.iter().filter(|item| item.reference != reference).copied().collect();
        let (document, composition) = self.summarise(patient, &others, request.base);
        let what = inside(&document, &[&composition, "keepwell"]);
        Ok(seen.release(self, document, what).await?)
    }

    /// The document, and the id of its Composition.
    fn summarise(&self, patient: Item<'_>, others: &[Item<'_>], base: &str) -> (Bytes, String) {
        let (uuid, composition_uuid, device_uuid) = (self.uuid(), self.uuid(), self.uuid());
        let composition = format!("Composition/{composition_uuid}");
        let full_url = |reference: &str| match reference {
            AUTHOR_REFERENCE => format!("urn:uuid:{device_uuid}"),
            own if own == composition => format!("urn:uuid:{composition_uuid}"),
            other => format!("{base}/{other}"),
        };
        let author = Item { reference: AUTHOR_REFERENCE, resource: Node::of_text(AUTHOR) };
        let order = Order {
            uuid: &uuid,
            composition_uuid: &composition_uuid,
            timestamp: &self.now().to_string(),
            title: "Patient summary",
            author,
            custodian: None,
            full_url: &full_url,
        };
        (Bytes::from(summary(&order, patient, others).bytes), composition_uuid)
    }

    /// A Composition and all that it refers to, as a document.
    ///
    /// # Errors
    /// [`FhirError`]: 400 for parameters that cannot be read, 404 not found, 413 for a record that is too large, 422 if
    /// something that the Composition refers to is not here, for a document is whole (R4 §3.3.1), 503.
    pub async fn document(
        &self,
        client: &Client,
        id: &str,
        request: &OperationRequest<'_>,
    ) -> Result<Bytes, FhirError> {
        let given = Given::read(request, &["persist", "graph"])?;
        not_kept(&given)?;
        let place = Place::of("Composition", id).ok_or_else(not_found)?;
        let seen = self.see(client, place.record).await.map_err(or_not_found)?;
        seen.find("Composition", place.entry).filter(|entry| !entry.is_deleted()).ok_or_else(not_found)?;
        let whole = Whole::of(&seen).await?;
        let items = whole.items();
        let reference = format!("Composition/{id}");
        let composition = *items.iter().find(|item| item.reference == reference).ok_or_else(not_found)?;
        let document = self.assembled(composition, &items, request.base);
        if let Some(missing) = document.missing.first() {
            let words = format!(
                "The Composition refers to '{}', which is not here. A document has to hold all that its Composition refers to.",
                missing.chars().take(100).collect::<String>()
            );
            return Err(FhirError::new(422, IssueCode::Processing, words).at("Composition"));
        }
        let document = Bytes::from(document.bytes);
        let what = inside(&document, &[]);
        Ok(seen.release(self, document, what).await?)
    }

    fn assembled(&self, composition: Item<'_>, items: &[Item<'_>], base: &str) -> Document {
        let full_url = |reference: &str| format!("{base}/{reference}");
        let (uuid, now) = (self.uuid(), self.now().to_string());
        let frame = Frame { uuid: &uuid, timestamp: &now, full_url: &full_url, profile: None };
        assemble(&frame, composition, items)
    }
}

/// Documents are made when they are asked for, and never kept.
fn not_kept(given: &Given) -> Result<(), FhirError> {
    if given.flag("persist")? {
        let words = "Documents are not kept here. Leave 'persist' out.";
        return Err(FhirError::new(400, IssueCode::NotSupported, words).at("persist"));
    }
    Ok(())
}

/// What a document shows of the record, without what was made for it.
fn inside(document: &[u8], made: &[&str]) -> Vec<Looked> {
    let entries = Node::new(document).and_then(|node| node.get("entry"));
    let resources = entries.into_iter().flat_map(Node::each).filter_map(|entry| entry.get("resource"));
    looked(resources.filter_map(|resource| {
        let is_made = resource.get_text("id").is_some_and(|id| made.contains(&&*id));
        let kind = resource.get_text("resourceType").filter(|_| !is_made)?;
        Some((category_of(&kind, resource.raw().as_bytes()), 1))
    }))
}
