//! A service on a scratch store, for the tests of the crates above, which must not know the engine (feature `scratch`).

use std::sync::Arc;

use keepwell_model::{ManualClock, SeededRandom, TenantId, Timestamp};
use keepwell_record::{Engine, EngineConfig, RootKey, RootKeys, SqliteStore};

use crate::{Service, ServiceConfig};

/// A service whose store lives in a temporary folder that goes when this goes. Its randomness repeats itself, so it keeps
/// no secret.
pub struct Scratch {
    /// The service.
    pub service: Service,
    /// The clock that it goes by.
    pub clock: Arc<ManualClock>,
    _folder: tempfile::TempDir,
}

impl Scratch {
    /// A fresh, empty installation at that moment.
    ///
    /// # Panics
    /// If the temporary folder or the store in it cannot be made: a test cannot go on then.
    pub async fn new(config: ServiceConfig, now: Timestamp) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = SqliteStore::open(&folder.path().join("keepwell.db")).expect("a store in a fresh folder");
        let clock = Arc::new(ManualClock::new(now));
        let random = Arc::new(SeededRandom::new(7));
        let root = RootKeys::only(RootKey::random(&*random));
        let engine = Engine::new(Arc::new(store), root, clock.clone(), random.clone(), EngineConfig::default());
        let tenant = engine.create_tenant(TenantId(1), "Scratch").await.expect("a tenant in a fresh store");
        Self { service: Service::new(tenant, clock.clone(), random, config), clock, _folder: folder }
    }
}
