//! `{type}/{id}/$diff?from=…&to=…`: what changed between two versions of a resource, as a FHIRPath Patch. R4 has no such
//! operation; this one is shaped like that of other servers.

use bytes::Bytes;
use keepwell_fhir::diff::diff;
use keepwell_fhir::outcome::IssueCode;
use keepwell_model::{EntryNumber, Seq, Stream};

use super::given::{Given, OperationRequest, unreadable};
use crate::extract::category_of;
use crate::gate::looked;
use crate::resolve;
use crate::rest::{Place, Seen, Version, not_found, or_not_found};
use crate::systems::Client;
use crate::{FhirError, Service, ServiceError};

/// How many blocks are read at a time in search of the version before.
const CHUNK: u64 = 64;

impl Service {
    /// The patch that makes one version of a resource of another: of the newest one, and the one before, if it is not said
    /// of which.
    ///
    /// # Errors
    /// [`FhirError`]: 400 for parameters that cannot be read, 404 not found, 422 if the versions differ in what a patch
    /// cannot say, 503.
    pub async fn difference(
        &self,
        client: &Client,
        resource_type: &str,
        id: &str,
        request: &OperationRequest<'_>,
    ) -> Result<Bytes, FhirError> {
        let given = Given::read(request, &["from", "to"])?;
        let version = |name: &str| -> Result<Option<Seq>, FhirError> {
            given.one(name)?.map(|text| text.parse().map(Seq).map_err(|_| unreadable(name))).transpose()
        };
        let (from, to) = (version("from")?, version("to")?);
        let place = Place::of(resource_type, id).ok_or_else(not_found)?;
        let seen = self.see(client, place.record).await.map_err(or_not_found)?;
        let entry = seen.find(resource_type, place.entry).ok_or_else(not_found)?;
        let (number, id) = (entry.number(), resolve::id_of(seen.table(), &entry));
        let to = to.unwrap_or(entry.version());
        let from = match from {
            Some(from) => from,
            None => self.version_before(&seen, number, to).await?,
        };
        let older = self.version_of(&seen, &id, number, from).await?;
        let newer = self.version_of(&seen, &id, number, to).await?;
        let told = diff(&older, &newer, self.definitions());
        let told = told.map_err(|error| FhirError::new(422, IssueCode::Processing, sentence(&error.to_string())))?;
        let category = category_of(resource_type, &newer);
        Ok(seen.release(self, Bytes::from(told), looked([(category, 1)])).await?)
    }

    /// A version of an entry as it goes out, if it is within reach and no deletion.
    async fn version_of(&self, seen: &Seen, id: &str, number: EntryNumber, version: Seq) -> Result<Bytes, FhirError> {
        let blocks = self.tenant().blocks(seen.table().id(), Stream::Care, version, 1).await;
        let block = blocks.map_err(ServiceError::from)?.into_iter().find(|block| block.seq == version);
        let block = block.ok_or_else(not_found)?;
        let found = block.entries.iter().find(|entry| entry.number == number && seen.reaches_version(entry));
        let body = found.and_then(|entry| entry.body.as_ref()).ok_or_else(not_found)?;
        let source = found.and_then(|entry| entry.source.as_ref()).map_or("", |key| key.source.as_str());
        Ok(seen.project_version(&Version { id, version, time: block.time, source, body }))
    }

    /// The newest version of an entry before another one.
    async fn version_before(&self, seen: &Seen, number: EntryNumber, version: Seq) -> Result<Seq, FhirError> {
        let mut top = version.0.saturating_sub(1);
        while top > 0 {
            let from = top.saturating_sub(CHUNK - 1).max(1);
            let limit = u32::try_from(top - from + 1).expect("at most a chunk");
            let blocks = self.tenant().blocks(seen.table().id(), Stream::Care, Seq(from), limit).await;
            let blocks = blocks.map_err(ServiceError::from)?;
            let holds = |entry: &keepwell_record::BlockEntry| {
                entry.number == number && entry.body.is_some() && seen.reaches_version(entry)
            };
            if let Some(block) = blocks.iter().rev().find(|block| block.entries.iter().any(holds)) {
                return Ok(block.seq);
            }
            top = from - 1;
        }
        let words = "There is no version before this one that it could be compared with.";
        Err(FhirError::new(404, IssueCode::NotFound, words).at("from"))
    }
}

/// An error's words as a sentence.
fn sentence(words: &str) -> String {
    let mut chars = words.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}
