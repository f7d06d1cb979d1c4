//! Scratch engines on real stores.

use std::sync::Arc;

use bytes::Bytes;
use keepwell_model::{
    Actor, Author, Kind, Labels, ManualClock, Purpose, RecordId, SeededRandom, Stream, TenantId, Timestamp,
};
use keepwell_record::{
    Commit, Committed, Engine, EngineConfig, Expect, Part, RecordError, RootKey, RootKeys, SqliteStore, Store, Tenant,
    Write,
};

use crate::pg_database::Database;

/// An engine with one tenant on a store of its own, which goes when this is dropped.
pub(crate) struct Fixture {
    pub(crate) engine: Engine,
    pub(crate) tenant: Tenant,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) root: RootKeys,
    pub(crate) place: Place,
    pub(crate) config: EngineConfig,
}

/// Where the store is.
pub(crate) enum Place {
    Sqlite { folder: tempfile::TempDir },
    Postgres { database: Database },
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite { folder: tempfile::tempdir().unwrap() }
    }

    /// `None`, after a line that says so, if there is no server.
    pub(crate) async fn postgres() -> Option<Self> {
        Database::create().await.map(|database| Self::Postgres { database })
    }

    pub(crate) async fn open(&self) -> Result<Arc<dyn Store>, RecordError> {
        match self {
            Self::Sqlite { folder } => Ok(Arc::new(SqliteStore::open(&folder.path().join("keepwell.db"))?)),
            Self::Postgres { database } => Ok(Arc::new(database.store().await)),
        }
    }
}

pub(crate) const TENANT: TenantId = TenantId(1);

impl Fixture {
    pub(crate) async fn new(place: Place) -> Self {
        Self::with(place, EngineConfig::default()).await
    }

    pub(crate) async fn with(place: Place, config: EngineConfig) -> Self {
        Self::with_seed(place, config, 7).await
    }

    pub(crate) async fn with_seed(place: Place, config: EngineConfig, seed: u64) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_micros(1_795_426_200_000_000)));
        let random = Arc::new(SeededRandom::new(seed));
        let root = RootKeys::only(RootKey::random(&*random));
        let engine = Engine::new(place.open().await.unwrap(), root.clone(), clock.clone(), random, config);
        let tenant = engine.create_tenant(TENANT, "Leeds").await.unwrap();
        Self { engine, tenant, clock, root, place, config }
    }

    /// Closes everything and opens it again, as a restart does.
    pub(crate) async fn restart(self) -> Self {
        let Self { engine, tenant, clock, root, place, config } = self;
        drop((engine, tenant));
        let store = open_when_free(&place).await;
        let random = Arc::new(SeededRandom::new(8));
        let engine = Engine::new(store, root.clone(), clock.clone(), random, config);
        let tenant = engine.tenant(TENANT).await.unwrap();
        Self { engine, tenant, clock, root, place, config }
    }
}

/// Background snapshots may hold the old store for a moment longer.
async fn open_when_free(place: &Place) -> Arc<dyn Store> {
    for _ in 0..500 {
        match place.open().await {
            Ok(store) => return store,
            Err(RecordError::InUse(_)) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the old store was never closed");
}

pub(crate) fn author() -> Author {
    Author {
        actor: Actor::System { client: "gp".into(), organisation: "A surgery".into() },
        purpose: Purpose::DirectCare,
        source: Some("gp".into()),
    }
}

pub(crate) fn put(body: &str) -> Write {
    Write {
        number: None,
        kind: Kind::new("fhir/Observation").unwrap(),
        labels: Labels::GENERAL,
        source: None,
        body: Some(Bytes::copy_from_slice(body.as_bytes())),
    }
}

pub(crate) fn commit(record: RecordId, expect: Expect, writes: Vec<Write>) -> Commit {
    Commit { author: author(), idempotency: None, parts: vec![Part::new(record, Stream::Care, expect, writes)] }
}

/// Creates a record with these entries.
pub(crate) async fn create(tenant: &Tenant, bodies: &[&str]) -> (RecordId, Committed) {
    let record = tenant.new_record_id();
    let writes = bodies.iter().map(|body| put(body)).collect();
    (record, tenant.commit(commit(record, Expect::New, writes)).await.unwrap())
}

/// The current bodies of a record in order of their numbers.
pub(crate) async fn bodies(tenant: &Tenant, record: RecordId) -> Vec<String> {
    let open = tenant.open(record).await.unwrap().unwrap();
    let mut bodies = Vec::new();
    for entry in open.entries() {
        bodies.push(String::from_utf8(open.body(&entry).await.unwrap().to_vec()).unwrap());
    }
    bodies
}
