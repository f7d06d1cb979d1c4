//! Signing in: from what the identity provider vouches for to a record, and only if NHS number, date of birth and family
//! name all agree (NN-4).

use keepwell_fhir::person::{NHS_NUMBER_SYSTEM, Person};
use keepwell_fhir::resource::Resource;
use keepwell_model::{Actor, Purpose};
use keepwell_policy::{Action, Target};
use keepwell_record::Alias;

use crate::gate::{looked, permit};
use crate::names::{Details, folded};
use crate::views::Category;
use crate::{Assurance, Service, ServiceError, SessionToken, SignInError, VerifiedIdentity};

impl Service {
    /// Signs a resident in. Whoever has no record and whoever's details differ get the same answer.
    ///
    /// # Errors
    /// [`SignInError`].
    pub async fn sign_in(&self, identity: VerifiedIdentity) -> Result<SessionToken, SignInError> {
        if identity.assurance < Assurance::High {
            return Err(SignInError::NotProved);
        }
        match self.try_sign_in(&identity).await {
            Ok(token) => Ok(token),
            Err(ServiceError::NotFound) => Err(SignInError::NoMatch),
            Err(_) => Err(SignInError::Unavailable),
        }
    }

    async fn try_sign_in(&self, identity: &VerifiedIdentity) -> Result<SessionToken, ServiceError> {
        let number = identity.nhs_number.ok_or(ServiceError::NotFound)?;
        if number.is_test_range() && !self.inner.config.test_numbers {
            return Err(ServiceError::NotFound);
        }
        let alias = Alias { system: NHS_NUMBER_SYSTEM.to_owned(), value: number.digits() };
        let record = self.tenant().look_up(&alias).await?.ok_or(ServiceError::NotFound)?;
        let target = Target::Person(record);
        // Keepwell compares; nothing is shown before the person is known to be the record's own.
        let _match = permit(&Actor::Keepwell, Purpose::Administration, Action::MatchPerson, target)?;
        let known = self.known_details(record).await?;
        let claimed = Details {
            birth_date: identity.birth_date.clone(),
            families: vec![folded(&identity.family_name)],
            givens: Vec::new(),
            nhs_numbers: vec![number],
        };
        let agrees = |details: &Details| claimed.same_birth_date(details) && claimed.shares_family(details);
        if !claimed.complete() || claimed.families[0].is_empty() || !known.iter().any(agrees) {
            tracing::info!(record.id = %record, "A sign-in did not agree with the record");
            return Err(ServiceError::NotFound);
        }
        let actor = Actor::Resident { record };
        let permit = permit(&actor, Purpose::OwnUse, Action::ReadRecord, target)?;
        let opened = self.open(permit).await?;
        let name = opened.person().await?.map_or_else(String::new, |person| person.name);
        let (name, birth_date) =
            opened.release(self, (name, identity.birth_date.clone()), looked([(Category::Person, 1)])).await?;
        self.begin_session(record, name, birth_date).await
    }
}

/// Whom a record is about, as the newest demographics say.
pub(crate) struct Demographics {
    pub(crate) name: String,
    pub(crate) birth_date: String,
    pub(crate) nhs_number: Option<keepwell_model::NhsNumber>,
}

impl crate::gate::Opened {
    /// The newest demographics; the NHS number is taken from the newest that has one.
    pub(crate) async fn person(&self) -> Result<Option<Demographics>, ServiceError> {
        let mut patients = self.of_type("Patient").await?;
        patients.sort_by_key(|(entry, _)| std::cmp::Reverse((entry.version(), entry.number())));
        let mut newest: Option<Demographics> = None;
        for (_, body) in &patients {
            let resource = Resource::new(body).map_err(|_| ServiceError::Unavailable)?;
            let Some(person) = Person::of(&resource) else { continue };
            let number = person.nhs_numbers().first().copied();
            match &mut newest {
                Some(newest) => newest.nhs_number = newest.nhs_number.or(number),
                None => {
                    let name = person.name().map(|name| name.line()).unwrap_or_default();
                    let birth_date = person.birth_date().unwrap_or_default().into_owned();
                    newest = Some(Demographics { name, birth_date, nhs_number: number });
                }
            }
        }
        Ok(newest)
    }
}
