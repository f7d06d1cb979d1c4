//! What the operator does to a record as a whole.

use keepwell_model::{Actor, Purpose, RecordId};
use keepwell_policy::{Action, Target};

use crate::gate::permit;
use crate::views::{Category, Looked};
use crate::{Service, ServiceError};

impl Service {
    /// Says in a record that the operator takes a copy of all of it out, durably, before the copy is made: an archive and
    /// its key show everything to whoever has both (threat T28).
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] if there is no such record; [`ServiceError::Unavailable`] if the line cannot be written;
    /// no copy may be made then.
    pub async fn note_export(&self, record: RecordId) -> Result<(), ServiceError> {
        let target = Target::Person(record);
        let permit = permit(&Actor::Operator, Purpose::Administration, Action::Housekeep, target)?;
        let opened = self.tenant().open(record).await?.ok_or(ServiceError::NotFound)?;
        let what = [Looked { category: Category::Other, count: opened.entries().count() }];
        self.write_access_line(&permit, record, &what).await
    }
}
