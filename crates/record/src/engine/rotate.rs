//! Key rotation while serving: a new root key wraps the tenants' keys again, a new tenant key wraps the records' keys
//! again, a record gets a new data key for the blocks to come. Blocks themselves are never sealed again.

use std::sync::Arc;

use keepwell_model::{RecordId, Seq, Stream};

use super::Engine;
use super::load::damaged;
use super::tenant::{Tenant, TenantInner};
use crate::RecordError;
use crate::keys::{RootKey, TenantKeys};

/// Records wrapped again between two looks at the store.
const BATCH: u32 = 500;

impl Engine {
    /// Makes `new` the root key: every tenant's keys are wrapped under it. The keys before it still open what a crash may
    /// have left, so keep them until this has answered.
    ///
    /// # Errors
    /// [`RecordError::Conflict`]-free: a tenant whose keys change at the same moment is simply tried again; store errors.
    pub async fn rotate_root(&self, new: RootKey) -> Result<(), RecordError> {
        let _one_at_a_time = self.inner.wrapping.lock().await;
        {
            let mut roots = self.inner.roots.keys.write().expect("no panic while held");
            let old = std::mem::replace(&mut roots.current, new.clone());
            roots.previous.insert(0, old);
        }
        for id in self.tenants().await? {
            loop {
                let (wrapped, name) = self.inner.store.tenant(id).await?.ok_or(RecordError::NoSuchTenant(id))?;
                let again = { self.inner.roots.unwrap(id, &wrapped)?.wrap(&new, &*self.inner.random) };
                if self.inner.store.put_tenant(id, name, Some(wrapped), again.into()).await? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Gives a tenant a new wrapping key and wraps every record's keys again with it, while others read and write. Tells
    /// how many records were wrapped again. The wrapping keys before it stay, since another node may still wrap with one.
    ///
    /// # Errors
    /// [`RecordError::Damaged`] if a record's keys do not open; store errors. It can be run again after any of them.
    pub async fn rotate_tenant(&self, tenant: &Tenant) -> Result<u64, RecordError> {
        let inner = &tenant.inner;
        loop {
            let (wrapped, name) = inner.store.tenant(inner.id).await?.ok_or(RecordError::NoSuchTenant(inner.id))?;
            let (keys, again) = {
                let keys = self.inner.roots.unwrap(inner.id, &wrapped)?.with_new_wrapping(&*inner.random);
                let again = keys.wrap(&self.inner.roots.current(), &*inner.random);
                (keys, again)
            };
            if inner.store.put_tenant(inner.id, name, Some(wrapped), again.into()).await? {
                let mut known = inner.keys.write().expect("no panic while held");
                // Another rotation may have been later in the store and quicker to get here.
                if keys.wrapping_version() > known.wrapping_version() {
                    *known = Arc::new(keys);
                }
                break;
            }
        }
        inner.wrap_all_again().await
    }
}

impl Tenant {
    /// Gives one record a new data key; blocks from now on are sealed with it.
    ///
    /// # Errors
    /// [`RecordError::NoSuchRecord`]; store errors.
    pub async fn rotate_record(&self, record: RecordId) -> Result<(), RecordError> {
        let inner = &self.inner;
        let _lock = inner.writing[TenantInner::lock_number(record)].lock().await;
        loop {
            let (row, keys) = inner.row(record).await?.ok_or(RecordError::NoSuchRecord(record))?;
            let new = keys
                .with_new_version(&*inner.random)
                .ok_or(RecordError::Malformed("the record has had as many keys as it can have"))?;
            let wrapped = inner.keys().wrap_record(record, &new, &*inner.random);
            if inner.store.rewrap(record, row.wrapped, wrapped.into()).await? {
                inner.states.forget_keys(record);
                inner.cache.remove(record);
                return Ok(());
            }
        }
    }
}

impl TenantInner {
    async fn wrap_all_again(&self) -> Result<u64, RecordError> {
        let keys = self.keys();
        let (mut after, mut count) = (None, 0);
        loop {
            let rows = self.store.records(self.id, after, BATCH).await?;
            let Some(&(last, _)) = rows.last() else { return Ok(count) };
            after = Some(last);
            for (record, row) in rows.into_iter().filter(|(_, row)| !row.erased) {
                // A newer version is another rotation's, which wraps all again itself.
                if TenantKeys::version_of(&row.wrapped).is_some_and(|version| version >= keys.wrapping_version()) {
                    continue;
                }
                let fail =
                    || damaged(record, Stream::Care, Seq(0), "data key", "it does not open under the tenant's keys");
                let open = keys.unwrap_record(record, &row.wrapped).ok_or_else(fail)?;
                let again = keys.wrap_record(record, &open, &*self.random);
                // Lost only to another rotation of the same record, which wraps with the newest key too.
                count += u64::from(self.store.rewrap(record, row.wrapped, again.into()).await?);
            }
        }
    }
}
