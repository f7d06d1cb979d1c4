//! The engine: keys in memory, commits, open records in a bounded cache. [`Engine`] holds the store and the root key,
//! [`Tenant`] does everything else for one tenant.

mod archive;
mod blocks;
mod cache;
mod commit;
mod erase;
mod load;
mod merge;
mod open;
mod rotate;
mod side;
mod snapshot;
mod state;
mod tenant;
mod transparency;
mod verify;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, RwLock};

use keepwell_model::{Clock, Random, TenantId};

pub use archive::ArchiveInfo;
pub use blocks::{BlockEntry, BlockView};
pub use cache::CacheStats;
pub use erase::Erasure;
pub use merge::Links;
pub use open::{Companion, Entry, OpenRecord};
pub use side::SideTable;
pub use tenant::Tenant;
pub use verify::Verified;

use crate::keys::{RootKey, RootKeySource, RootKeys, TenantKeys};
use crate::store::Store;
use crate::{EngineConfig, RecordError};

/// The record engine on one store. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<dyn Store>,
    roots: Arc<Roots>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    config: EngineConfig,
    tenants: Mutex<HashMap<TenantId, Tenant>>,
    /// A tenant made while the root key is replaced would be wrapped under the old one and never again.
    wrapping: tokio::sync::Mutex<()>,
}

/// Runs something that keeps the processor busy for some milliseconds where it is called, without holding up the other
/// tasks of this thread: they move to another one. Handing the work itself over and back costs more than it takes.
pub fn busy<T>(work: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    let several = Handle::try_current().is_ok_and(|handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread);
    if several { tokio::task::block_in_place(work) } else { work() }
}

/// The root keys in memory, and where newer ones come from.
pub(super) struct Roots {
    keys: RwLock<RootKeys>,
    source: OnceLock<Arc<dyn RootKeySource>>,
}

impl Roots {
    fn current(&self) -> RootKey {
        self.keys.read().expect("no panic while held").current.clone()
    }

    /// Unwraps a tenant's keys; if another node has replaced the root key since, with the key as its source now has it.
    fn unwrap(&self, tenant: TenantId, wrapped: &[u8]) -> Result<TenantKeys, RecordError> {
        let first = TenantKeys::unwrap(tenant, wrapped, &self.keys.read().expect("no panic while held"));
        let (Err(error @ RecordError::Key(_)), Some(source)) = (&first, self.source.get()) else { return first };
        tracing::info!("The root key in memory is not the store's any more ({error}); it is fetched again");
        let fresh = source.load()?;
        let keys = TenantKeys::unwrap(tenant, wrapped, &fresh)?;
        *self.keys.write().expect("no panic while held") = fresh;
        Ok(keys)
    }
}

impl Engine {
    /// An engine on a store that is open already.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        roots: RootKeys,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        config: EngineConfig,
    ) -> Self {
        let inner = Inner {
            store,
            roots: Arc::new(Roots { keys: RwLock::new(roots), source: OnceLock::new() }),
            clock,
            random,
            config,
            tenants: Mutex::new(HashMap::new()),
            wrapping: tokio::sync::Mutex::new(()),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Says where the root key comes from, so that a node notices when another one has replaced it. The first call counts.
    #[must_use]
    pub fn with_root_source(self, source: Arc<dyn RootKeySource>) -> Self {
        drop(self.inner.roots.source.set(source));
        self
    }

    /// The store underneath.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.inner.store
    }

    /// Makes a tenant with fresh keys and an empty directory record.
    ///
    /// # Errors
    /// [`RecordError::Malformed`] if the tenant exists; store errors.
    pub async fn create_tenant(&self, id: TenantId, name: &str) -> Result<Tenant, RecordError> {
        let keys = TenantKeys::random(id, &*self.inner.random);
        {
            let _one_at_a_time = self.inner.wrapping.lock().await;
            let wrapped = { keys.wrap(&self.inner.roots.current(), &*self.inner.random) };
            if !self.inner.store.put_tenant(id, name.to_owned(), None, wrapped.into()).await? {
                return Err(RecordError::Malformed("the tenant exists already"));
            }
        }
        self.tenant(id).await
    }

    /// A tenant that exists.
    ///
    /// # Errors
    /// [`RecordError::NoSuchTenant`]; [`RecordError::Key`] if the root key does not open its keys; store errors.
    pub async fn tenant(&self, id: TenantId) -> Result<Tenant, RecordError> {
        if let Some(tenant) = self.inner.tenants.lock().expect("no panic while held").get(&id) {
            return Ok(tenant.clone());
        }
        let (wrapped, name) = self.inner.store.tenant(id).await?.ok_or(RecordError::NoSuchTenant(id))?;
        let keys = self.inner.roots.unwrap(id, &wrapped)?;
        let tenant = Tenant::new(&self.inner, id, name, keys);
        tenant.finish_making().await?;
        let mut tenants = self.inner.tenants.lock().expect("no panic while held");
        Ok(tenants.entry(id).or_insert(tenant).clone())
    }

    /// All tenants of the store.
    ///
    /// # Errors
    /// Store errors.
    pub async fn tenants(&self) -> Result<Vec<TenantId>, RecordError> {
        self.inner.store.tenants().await
    }
}
