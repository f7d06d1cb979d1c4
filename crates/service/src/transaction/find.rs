//! Finding the record that a Bundle belongs to (NN-4), or deciding that a new one begins.

use std::sync::Arc;

use bytes::Bytes;
use keepwell_fhir::outcome::IssueCode;
use keepwell_fhir::person::NHS_NUMBER_SYSTEM;
use keepwell_model::{Purpose, RecordId};
use keepwell_policy::{Action, Target};
use keepwell_record::{Alias, OpenRecord};

use super::incoming::{FRESH, Incoming, Item, Subject, Verb};
use super::whose::two_people;
use super::{Refused, refuse};
use crate::gate::permit;
use crate::matching::{FoundBy, Mismatch, judge};
use crate::names::Details;
use crate::rest::{Whose, condition, not_found, query_parameters, say_whose};
use crate::systems::Client;
use crate::{FhirError, Service, ServiceError};

/// Whose record it is.
pub(super) enum Found {
    /// Nobody's: directory resources only, or deletions of things of a person who was never sent.
    Nobody,
    /// A person without a record.
    New {
        /// The id that the record will have.
        record: RecordId,
        /// What leads to it.
        attach: Vec<Alias>,
    },
    /// A record that is there.
    Known {
        /// The record as it is now.
        record: Arc<OpenRecord>,
        /// What leads to it from now on too.
        attach: Vec<Alias>,
    },
}

impl Found {
    pub(super) fn record(&self) -> Option<RecordId> {
        match self {
            Self::Nobody => None,
            Self::New { record, .. } => Some(*record),
            Self::Known { record, .. } => Some(record.id()),
        }
    }
}

impl Service {
    pub(super) async fn find(&self, client: &Client, incoming: &Incoming, body: &Bytes) -> Result<Found, Refused> {
        let mut addressed = self.addressed(client, incoming).await?;
        addressed.extend(self.conditioned(client, incoming).await?);
        let found = match (&incoming.subject, addressed.first()) {
            (Some(subject), _) => self.find_subject(client, incoming, subject, body).await?,
            (None, Some(&record)) => self.known(record, Vec::new()).await?,
            (None, None) => {
                nobody(incoming)?;
                Found::Nobody
            }
        };
        let record = found.record();
        if addressed.iter().any(|other| Some(*other) != record) {
            return Err(two_people().into());
        }
        for other in incoming.subject.iter().flat_map(|subject| &subject.others) {
            match self.patient_named(client, other).await? {
                Some(other) if Some(other) == record => {}
                _ => return Err(two_people().into()),
            }
        }
        Ok(found)
    }

    /// The records of people that ids in addresses and links name, as far as the source may see them; two are enough to
    /// know that they are too many. An id of a record beyond its reach is to it just a name that leads nowhere.
    async fn addressed(&self, client: &Client, incoming: &Incoming) -> Result<Vec<RecordId>, ServiceError> {
        let mut seen = Vec::new();
        for &id in incoming.addressed.iter().filter(|id| **id != self.tenant().directory()) {
            if seen.len() < 2 && self.can_see(client, id).await? {
                seen.push(id);
            }
        }
        Ok(seen)
    }

    /// The records that conditions name, as far as the source may see them.
    async fn conditioned(&self, client: &Client, incoming: &Incoming) -> Result<Vec<RecordId>, Refused> {
        let mut seen = Vec::new();
        for item in &incoming.items {
            let Some(query) = &item.condition else { continue };
            condition(self.definitions(), item.resource_type, query).map_err(|error| error.at(item.expression()))?;
            match self.whose(&[item.resource_type], &query_parameters(query), "").await? {
                Whose::Person(record) if self.can_see(client, record).await? => seen.push(record),
                Whose::People(_) => return Err(two_people().into()),
                Whose::Unsaid if item.body.is_none() && incoming.subject.is_none() => {
                    return Err(say_whose().at(item.expression()).into());
                }
                Whose::Person(_) | Whose::Directory | Whose::Nobody | Whose::Unsaid => {}
            }
        }
        Ok(seen)
    }

    async fn can_see(&self, client: &Client, id: RecordId) -> Result<bool, ServiceError> {
        let Some(record) = self.tenant().open(id).await? else { return Ok(false) };
        Ok(self.permit_to_see(client, &record).is_ok())
    }

    /// The record of the Patient whom the source calls this: by the name that it gave, or by the record's own id if it may
    /// see that record.
    async fn patient_named(&self, client: &Client, name: &str) -> Result<Option<RecordId>, Refused> {
        if let Some(record) = self.tenant().look_up(&own_name(client, name)).await? {
            return Ok(Some(record));
        }
        match name.parse() {
            Ok(id) if id != self.tenant().directory() && self.can_see(client, id).await? => Ok(Some(id)),
            _ => Ok(None),
        }
    }

    async fn find_subject(
        &self,
        client: &Client,
        incoming: &Incoming,
        subject: &Subject,
        body: &Bytes,
    ) -> Result<Found, Refused> {
        let by_id = self.patient_named(client, &subject.id).await?;
        let own_id = (can_return(subject) && by_id.is_none()).then(|| own_name(client, &subject.id));
        let Some(details) = &subject.details else { return self.find_by_id(incoming, by_id).await };
        let number = self.number_alias(details)?;
        let by_number = match &number {
            Some(alias) => self.tenant().look_up(alias).await?,
            None => None,
        };
        let (record, found) = match (by_id, by_number) {
            (None, None) => {
                let attach = own_id.into_iter().chain(number).collect::<Vec<_>>();
                if attach.is_empty() && subject.id.starts_with(FRESH[0]) {
                    let words = "Give the Patient an id or an NHS number, so that it can be known again.";
                    return Err(refuse(words).into());
                }
                return Ok(Found::New { record: self.tenant().new_record_id(), attach });
            }
            (Some(one), Some(other)) if one != other => {
                return Err(self.keep_for_matching(client, Mismatch::TwoRecords, body).await?.into());
            }
            (Some(record), Some(_)) => (record, FoundBy::Both),
            (Some(record), None) => (record, FoundBy::SourceId),
            (None, Some(record)) => (record, FoundBy::Number),
        };
        let _match = permit(&client.actor(), Purpose::DirectCare, Action::MatchPerson, Target::Person(record))?;
        let known = self.known_details(record).await?;
        if let Err(mismatch) = judge(details, &known, found) {
            return Err(self.keep_for_matching(client, mismatch, body).await?.into());
        }
        let number = number.filter(|_| by_number.is_none());
        self.known(record, own_id.into_iter().chain(number).collect()).await
    }

    /// Without the Patient in the Bundle only the source's own id or the record's can say who it is, and only if the source
    /// has sent that Patient before.
    async fn find_by_id(&self, incoming: &Incoming, by_id: Option<RecordId>) -> Result<Found, Refused> {
        if let Some(record) = by_id {
            return self.known(record, Vec::new()).await;
        }
        match incoming.items.iter().find(|item| item.is_personal() && item.verb != Verb::Delete) {
            None => Ok(Found::Nobody),
            Some(item) => {
                let words = "This source has not sent the Patient that this is about. Put the Patient into the Bundle.";
                Err(refuse(words).at(item.expression()).into())
            }
        }
    }

    async fn known(&self, record: RecordId, attach: Vec<Alias>) -> Result<Found, Refused> {
        match self.tenant().open(record).await? {
            Some(record) => Ok(Found::Known { record, attach }),
            // The alias led to a record that was erased in this very moment.
            None => Err(Refused::Engine(keepwell_record::RecordError::Conflict { record })),
        }
    }

    /// The blind index of the NHS number, if the details have one that may be used.
    fn number_alias(&self, details: &Details) -> Result<Option<Alias>, FhirError> {
        let at = "Bundle.entry.resource.ofType(Patient)";
        let number = match details.nhs_numbers.as_slice() {
            [] => return Ok(None),
            [number] => number,
            _ => return Err(refuse("The Patient has more than one NHS number in force.").at(at)),
        };
        if number.is_test_range() && !self.inner.config.test_numbers {
            return Err(refuse("NHS numbers from 900 to 999 million are for tests and are not taken here.").at(at));
        }
        if !details.complete() {
            let words =
                "A Patient with an NHS number needs a whole date of birth and a family name, to be checked with it.";
            return Err(FhirError::new(422, IssueCode::Required, words).at(at));
        }
        Ok(Some(Alias { system: NHS_NUMBER_SYSTEM.to_owned(), value: number.digits() }))
    }
}

/// What leads to the record of a source's Patient.
fn own_name(client: &Client, name: &str) -> Alias {
    Alias { system: format!("source:{}/Patient", client.name), value: name.to_owned() }
}

/// Whether the source gave the Patient a name that it can use again.
fn can_return(subject: &Subject) -> bool {
    !FRESH.iter().any(|fresh| subject.id.starts_with(fresh))
}

/// What is about nobody that is named: fine if nothing in it is about a person.
fn nobody(incoming: &Incoming) -> Result<(), FhirError> {
    // What a condition should have found is not there then.
    let sought = |item: &&Item| item.condition.is_some() && item.verb != Verb::Keep;
    let Some(item) = incoming.items.iter().filter(|it| !sought(it)).find(|it| it.is_personal()) else { return Ok(()) };
    let words = match item.verb {
        Verb::Keep => "It cannot be told whom this is about. Put the Patient into the Bundle.",
        Verb::Patch(_) | Verb::Delete => {
            "It cannot be told whose this is. Put the Patient, or something that refers to it, into the same Bundle."
        }
    };
    // An address of Keepwell's own says whose it is; if it does not, there is nothing that the source may see.
    let lost = matches!(item.verb, Verb::Patch(_) | Verb::Delete) && item.address.is_some();
    Err(if lost { not_found() } else { refuse(words) }.at(item.expression()))
}
