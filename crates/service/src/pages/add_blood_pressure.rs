//! A resident adds a blood pressure reading.

use bytes::Bytes;
use keepwell_clinical::{BloodPressure, RawBloodPressure, observation, read_form};
use keepwell_model::{Kind, Labels, Purpose, SourceKey, Stream};
use keepwell_policy::{Action, Target};
use keepwell_record::{Commit, Expect, Part, RecordError, Write};

use crate::gate::{Opened, permit};
use crate::views::AddedReading;
use crate::{BloodPressureForm, FieldError, Problem, Service, ServiceError, Session};

/// The source name of what residents add themselves. No source system can have it: theirs hold no slash.
pub(crate) const OWN_SOURCE: &str = "keepwell/own";
/// How often the reading is added again after a lost race.
const TRIES: usize = 8;

impl Service {
    /// Adds a reading. The same form sent twice adds one; a form changed and sent again adds another, because neither may
    /// get lost.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] with what needs another look; [`ServiceError::Unavailable`].
    pub async fn add_blood_pressure(
        &self,
        session: &Session,
        form: &BloodPressureForm,
    ) -> Result<AddedReading, ServiceError> {
        let raw = RawBloodPressure {
            systolic: &form.systolic,
            diastolic: &form.diastolic,
            pulse: &form.pulse,
            date: &form.date,
            time: &form.time,
        };
        let born = Some(session.birth_date.as_str()).filter(|born| !born.is_empty());
        let reading = read_form(raw, self.now(), born).map_err(ServiceError::Invalid)?;
        let key = source_key(form, &reading).ok_or_else(bad_form)?;
        for _ in 0..TRIES {
            match self.try_add(session, &reading, &key).await {
                Err(Refused::Engine(RecordError::Conflict { .. } | RecordError::Unknown)) => {}
                Err(Refused::Engine(error)) => return Err(error.into()),
                Err(Refused::Service(error)) => return Err(error),
                Ok(added) => return Ok(added),
            }
        }
        Err(ServiceError::Conflict)
    }

    async fn try_add(
        &self,
        session: &Session,
        reading: &BloodPressure,
        key: &SourceKey,
    ) -> Result<AddedReading, Refused> {
        let permit = permit(&session.actor, Purpose::OwnUse, Action::AddReading, Target::Person(session.record))?;
        let author = permit.author();
        let opened = self.open(permit).await?;
        if opened.table().by_source(key).is_some_and(|entry| !entry.is_deleted()) {
            return self.added(session, &opened, key, true).await;
        }
        let write = Write {
            number: None,
            kind: Kind::new("fhir/Observation").expect("a FHIR type is a kind"),
            labels: Labels::GENERAL,
            source: Some(key.clone()),
            body: Some(Bytes::from(observation(reading, session.record))),
        };
        let expect = Expect::Head(opened.table().head());
        let part = Part::new(session.record, Stream::Care, expect, vec![write]);
        self.tenant().commit(Commit { author, idempotency: None, parts: vec![part] }).await.map_err(Refused::Engine)?;
        let own = self::permit(&session.actor, Purpose::OwnUse, Action::AddReading, Target::Person(session.record))?;
        let opened = self.open(own).await?;
        self.added(session, &opened, key, false).await
    }

    /// The reading as the record holds it now.
    async fn added(
        &self,
        session: &Session,
        opened: &Opened,
        key: &SourceKey,
        repeated: bool,
    ) -> Result<AddedReading, Refused> {
        let entry = opened.table().by_source(key).ok_or(ServiceError::Unavailable)?;
        let body = opened.body(&entry).await?;
        let reading = self.measurement(opened, session, &entry, &body).await?.ok_or(ServiceError::Unavailable)?;
        Ok(AddedReading { severe: reading.severe, reading, repeated })
    }
}

enum Refused {
    Service(ServiceError),
    Engine(RecordError),
}

impl From<ServiceError> for Refused {
    fn from(error: ServiceError) -> Self {
        Self::Service(error)
    }
}

/// The form's own key with what was filled in.
fn source_key(form: &BloodPressureForm, reading: &BloodPressure) -> Option<SourceKey> {
    let plain = form.form_key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if !plain || !(8..=64).contains(&form.form_key.len()) {
        return None;
    }
    let pulse = reading.pulse.map(|pulse| format!("/{pulse}")).unwrap_or_default();
    let values = format!("{}/{}{pulse}@{}", reading.systolic, reading.diastolic, reading.taken.fhir);
    let id = format!("{}:{values}", form.form_key);
    Some(SourceKey { source: OWN_SOURCE.to_owned(), kind: "Observation".to_owned(), id })
}

fn bad_form() -> ServiceError {
    let message = "This form is out of date. Open it again and enter your reading once more".to_owned();
    ServiceError::Invalid(vec![FieldError { field: "form_key", problem: Problem::BadForm, message }])
}
