//! Side tables: small sealed rows that belong to the tenant and to no record. Keys are kept as HMACs, values sealed.

use keepwell_model::Timestamp;

use super::tenant::Tenant;
use crate::RecordError;
use crate::store::SideRow;

/// The side tables. The numbers are storage format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum SideTable {
    /// Signed-in sessions.
    Session = 1,
    /// Tokens of apps and systems.
    Token = 2,
    /// Registered clients.
    Client = 3,
    /// Background jobs.
    Job = 4,
    /// Messages to be sent.
    Outbox = 5,
    /// Work lists of teams, the matching queue among them.
    Task = 6,
    /// Engagement counts.
    Usage = 7,
    /// Which records a team, delegate or app may reach.
    Link = 8,
}

impl SideTable {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Session, Self::Token, Self::Client, Self::Job, Self::Outbox, Self::Task, Self::Usage, Self::Link];
}

impl Tenant {
    /// Writes a row, durably. `expires` is when it may be purged.
    ///
    /// # Errors
    /// Store errors.
    pub async fn side_put(
        &self,
        table: SideTable,
        key: &[u8],
        value: &[u8],
        expires: Option<Timestamp>,
    ) -> Result<(), RecordError> {
        let keys = self.inner.keys();
        let index = keys.side_index(table as u8, key);
        let expires = expires.map_or(i64::MAX, Timestamp::micros);
        let sealed = keys.seal_side(table as u8, &index, expires, value, &*self.inner.random);
        let row = SideRow { key: index, value: sealed.into(), expires };
        self.inner.store.side_put(self.inner.id, table as u8, row).await
    }

    /// Reads a row that has not expired.
    ///
    /// # Errors
    /// [`RecordError::DamagedStore`] if it does not verify; store errors.
    pub async fn side_get(&self, table: SideTable, key: &[u8]) -> Result<Option<Vec<u8>>, RecordError> {
        let index = self.inner.keys().side_index(table as u8, key);
        let row = self.inner.store.side_get(self.inner.id, table as u8, index).await?;
        row.filter(|row| row.expires > self.now().micros()).map(|row| self.open_side(table, &row)).transpose()
    }

    /// Deletes a row. Answers whether it was there.
    ///
    /// # Errors
    /// Store errors.
    pub async fn side_delete(&self, table: SideTable, key: &[u8]) -> Result<bool, RecordError> {
        let index = self.inner.keys().side_index(table as u8, key);
        self.inner.store.side_delete(self.inner.id, table as u8, index).await
    }

    /// All values of a table that have not expired, in no order that means anything.
    ///
    /// # Errors
    /// As [`Tenant::side_get`].
    pub async fn side_list(&self, table: SideTable) -> Result<Vec<Vec<u8>>, RecordError> {
        let now = self.now().micros();
        let rows = self.inner.store.side_list(self.inner.id, table as u8).await?;
        rows.iter().filter(|row| row.expires > now).map(|row| self.open_side(table, row)).collect()
    }

    /// Seals a note to self that is given away and comes back, such as where the next page of a list begins: whoever
    /// carries it can neither read nor change it. `what` says what it is for and for whom; only the same opens it again.
    #[must_use]
    pub fn seal_token(&self, what: &str, plain: &[u8]) -> Vec<u8> {
        self.inner.keys().seal_token(what, plain, &*self.inner.random)
    }

    /// Opens what [`Tenant::seal_token`] made for the same use; `None` for anything else.
    #[must_use]
    pub fn open_token(&self, what: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        self.inner.keys().open_token(what, sealed)
    }

    /// Deletes rows that have expired and idempotency keys that may be forgotten; tells how many.
    ///
    /// # Errors
    /// Store errors.
    pub async fn purge(&self) -> Result<u64, RecordError> {
        self.inner.store.purge(self.now().micros()).await
    }

    pub(super) fn open_side(&self, table: SideTable, row: &SideRow) -> Result<Vec<u8>, RecordError> {
        let opened = self.inner.keys().open_side(table as u8, &row.key, row.expires, &row.value);
        let why = || format!("a row of {table:?} does not open");
        opened.ok_or_else(|| RecordError::DamagedStore { what: "side table", why: why() })
    }
}
