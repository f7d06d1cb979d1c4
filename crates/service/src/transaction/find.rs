//! Finding the record that a Bundle belongs to (NN-4), or deciding that a new one begins.

use std::sync::Arc;

use bytes::Bytes;
use keepwell_fhir::outcome::IssueCode;
use keepwell_fhir::person::NHS_NUMBER_SYSTEM;
use keepwell_model::{Purpose, RecordId};
use keepwell_policy::{Action, Target};
use keepwell_record::{Alias, OpenRecord};

use super::incoming::{Incoming, Place, Subject, Verb};
use super::{Refused, refuse};
use crate::gate::permit;
use crate::matching::{FoundBy, Mismatch, judge};
use crate::names::Details;
use crate::systems::Client;
use crate::{FhirError, Service};

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
        let Some(subject) = &incoming.subject else { return Ok(Found::Nobody) };
        let own_id = Alias { system: format!("source:{}/Patient", client.name), value: subject.id.clone() };
        let by_id = self.tenant().look_up(&own_id).await?;
        let Some(details) = &subject.details else { return self.find_by_id(incoming, by_id).await };
        let number = self.number_alias(details)?;
        let by_number = match &number {
            Some(alias) => self.tenant().look_up(alias).await?,
            None => None,
        };
        let (record, found) = match (by_id, by_number) {
            (None, None) => {
                let attach = named(subject).then_some(own_id).into_iter().chain(number).collect::<Vec<_>>();
                if attach.is_empty() {
                    return Err(
                        refuse("Give the Patient an id or an NHS number, so that it can be known again.").into()
                    );
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
        let mut attach = Vec::new();
        if by_id.is_none() && named(subject) {
            attach.push(own_id);
        }
        attach.extend(number.filter(|_| by_number.is_none()));
        self.known(record, attach).await
    }

    /// Without the Patient in the Bundle only the source's own id can say who it is, and only if the source has sent that
    /// Patient before.
    async fn find_by_id(&self, incoming: &Incoming, by_id: Option<RecordId>) -> Result<Found, Refused> {
        if let Some(record) = by_id {
            return self.known(record, Vec::new()).await;
        }
        let personal = |place: &Place| matches!(place, Place::Person | Place::Linked(_));
        match incoming.items.iter().find(|item| personal(&item.place) && item.verb == Verb::Keep) {
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

/// Whether the source gave the Patient a name that it can use again.
fn named(subject: &Subject) -> bool {
    !subject.id.starts_with("bundle:")
}
