//! Giving a record that moved here from another installation the aliases that lead to it. Blind indexes cannot travel, so
//! they are made anew from what the record itself holds.

use keepwell_fhir::person::NHS_NUMBER_SYSTEM;
use keepwell_model::{Actor, Author, Purpose, RecordId, Stream};
use keepwell_policy::{Action, Target};
use keepwell_record::{Alias, Commit, Expect, Part, RecordError};

use crate::gate::permit;
use crate::{Service, ServiceError};

impl Service {
    /// Makes the aliases of a record that was imported: its NHS number, and the ids that its sources know the person by.
    /// Tells how many lead to it now. Run again, it changes nothing.
    ///
    /// # Errors
    /// [`ServiceError::Conflict`] if one of them leads to another record already: the two may be one person's, which
    /// somebody has to decide; [`ServiceError::NotFound`]; [`ServiceError::Unavailable`].
    pub async fn adopt_record(&self, record: RecordId) -> Result<usize, ServiceError> {
        let _permit = permit(&Actor::Operator, Purpose::Administration, Action::Housekeep, Target::Tenant)?;
        let opened = self.tenant().open(record).await?.ok_or(ServiceError::NotFound)?;
        let mut aliases: Vec<Alias> = self
            .known_details(record)
            .await?
            .into_iter()
            .flat_map(|details| details.nhs_numbers)
            .map(|number| Alias { system: NHS_NUMBER_SYSTEM.to_owned(), value: number.digits() })
            .collect();
        let patients = opened.entries().filter(|entry| entry.kind().fhir_type() == Some("Patient"));
        // An item without an id is named after its Bundle, which leads nowhere.
        let named = patients.filter_map(|entry| entry.source_key()).filter(|key| !key.id.starts_with("bundle:"));
        aliases.extend(named.map(|key| Alias { system: format!("source:{}/Patient", key.source), value: key.id }));
        aliases.sort();
        aliases.dedup();
        let mut missing = Vec::new();
        for alias in &aliases {
            match self.tenant().look_up(alias).await? {
                None => missing.push(alias.clone()),
                Some(found) if found == record => {}
                Some(_) => return Err(ServiceError::Conflict),
            }
        }
        if !missing.is_empty() {
            let author = Author { actor: Actor::Operator, purpose: Purpose::Administration, source: None };
            let part = Part { attach: missing, ..Part::new(record, Stream::Care, Expect::Any, Vec::new()) };
            let commit = Commit { author, idempotency: None, parts: vec![part] };
            match self.tenant().commit(commit).await {
                Err(RecordError::AliasTaken) => return Err(ServiceError::Conflict),
                other => drop(other?),
            }
        }
        Ok(aliases.len())
    }
}
