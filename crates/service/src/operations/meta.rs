//! `$meta`: what is known about a resource beside its content, or of all resources of a record together (R4,
//! OperationDefinition/Resource-meta).

use std::collections::BTreeSet;

use bytes::Bytes;
use keepwell_fhir::json::Node;
use keepwell_fhir::types;

use super::given::{Given, OperationRequest};
use super::shown::Shown;
use super::{person, say_whose};
use crate::extract::category_of;
use crate::gate::looked;
use crate::rest::{Place, not_found, or_not_found};
use crate::systems::Client;
use crate::{FhirError, Service};

/// Profiles, labels and tags that are told of a whole record at most.
const MOST: usize = 1_000;

impl Service {
    /// The meta element of one resource, as a Parameters resource.
    ///
    /// # Errors
    /// [`FhirError`]: 404 not found, 503.
    pub async fn resource_meta(
        &self,
        client: &Client,
        resource_type: &str,
        id: &str,
        request: &OperationRequest<'_>,
    ) -> Result<Bytes, FhirError> {
        Given::read(request, &[])?;
        let place = Place::of(resource_type, id).ok_or_else(not_found)?;
        let seen = self.see(client, place.record).await.map_err(or_not_found)?;
        let entry = seen.find(resource_type, place.entry).filter(|entry| !entry.is_deleted()).ok_or_else(not_found)?;
        let body = seen.body(&entry).await?;
        let json = seen.project(&entry, &body);
        let meta = Node::new(&json).and_then(|node| node.get("meta")).map_or("{}", Node::raw);
        let answer = returned(meta);
        let category = category_of(resource_type, &body);
        Ok(seen.release(self, answer, looked([(category, 1)])).await?)
    }

    /// The profiles, labels and tags that occur in a person's record, of one type or of all; of the whole server is not
    /// told, for it would tell of people whom the caller knows nothing of.
    ///
    /// # Errors
    /// [`FhirError`]: 404 not found, 422 if it is not said whose, 503.
    pub async fn record_meta(
        &self,
        client: &Client,
        resource_type: Option<&str>,
        request: &OperationRequest<'_>,
    ) -> Result<Bytes, FhirError> {
        let given = Given::read(request, &["patient"])?;
        let kind = resource_type.map(|name| types::known(name).ok_or_else(not_found)).transpose()?;
        let record = person(given.one("patient")?.ok_or_else(|| say_whose("patient"))?)?;
        let seen = self.see(client, record).await.map_err(or_not_found)?;
        let mut found: [BTreeSet<String>; 3] = Default::default();
        let patient = seen.patient().map(|entry| entry.number());
        let shown = Shown::new(&seen);
        let mut categories = Vec::new();
        for entry in seen.entries() {
            let name = entry.kind().fhir_type().filter(|name| kind.is_none_or(|kind| kind == *name));
            let Some(name) = name.filter(|name| *name != "Patient" || patient == Some(entry.number())) else {
                continue;
            };
            debug_assert!(shown.reaches(&entry));
            let body = seen.body(&entry).await?;
            let Some(meta) = Node::new(&body).and_then(|node| node.get("meta")) else { continue };
            for (found, name) in found.iter_mut().zip(["profile", "security", "tag"]) {
                let all = meta.get(name).into_iter().flat_map(Node::each).map(|it| it.raw().to_owned());
                found.extend(all.take(MOST - found.len().min(MOST)));
            }
            categories.push((category_of(name, &body), 1));
        }
        let members = found.into_iter().zip(["profile", "security", "tag"]).filter(|(found, _)| !found.is_empty());
        let members =
            members.map(|(found, name)| format!(r#""{name}":[{}]"#, found.into_iter().collect::<Vec<_>>().join(",")));
        let meta = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
        drop(shown);
        Ok(seen.release(self, returned(&meta), looked(categories)).await?)
    }
}

fn returned(meta: &str) -> Bytes {
    let head = r#"{"resourceType":"Parameters","parameter":[{"name":"return","valueMeta":"#;
    Bytes::from(format!("{head}{meta}}}]}}"))
}
