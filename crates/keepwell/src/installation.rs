//! An installation, opened: folder, configuration, store, engine, tenant and the use cases over them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use keepwell_model::TenantId;
use keepwell_record::{
    Engine, PostgresOptions, PostgresStore, RecordError, RootKeyFile, RootKeySource, RootKeyText, RootKeys,
    SqliteStore, Store, Tenant,
};
use keepwell_service::Service;

use crate::cli::Cli;
use crate::config::Config;
use crate::error::CliError;
use crate::folder::Folder;
use crate::system::{SystemClock, SystemRandom, environment};

/// The tenant of an installation that serves one city.
pub(crate) const TENANT: TenantId = TenantId(1);

/// What the command line and the configuration say, before anything is opened.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) folder: Folder,
    pub(crate) config: Config,
    pub(crate) database_url: Option<String>,
}

/// An open installation.
pub(crate) struct Installation {
    pub(crate) place: Place,
    pub(crate) engine: Engine,
    pub(crate) tenant: Tenant,
    pub(crate) service: Service,
}

impl Place {
    /// Reads the configuration of a folder that `keepwell init` made.
    pub(crate) fn find(cli: &Cli) -> Result<Self, CliError> {
        let folder = Folder::new(&cli.dir);
        let path = cli.config.clone().unwrap_or_else(|| folder.config());
        if cli.config.is_none() && !folder.is_ready() {
            return Err(CliError::failed(format!(
                "there is no installation in {0}. Make one with `keepwell --dir {0} init`, or look at a demonstration \
                 with `keepwell demo`",
                folder.path().display()
            )));
        }
        let text = std::fs::read_to_string(&path)
            .map_err(|error| CliError::failed(format!("{} cannot be read: {error}", path.display())))?;
        let config: Config = toml::from_str(&text)
            .map_err(|error| CliError::failed(format!("{} is not right: {error}", path.display())))?;
        Ok(Self::new(folder, config, cli.database_url.clone()))
    }

    pub(crate) fn new(folder: Folder, config: Config, database_url: Option<String>) -> Self {
        let configured = Some(config.store.database_url.clone()).filter(|url| !url.is_empty());
        Self { folder, config, database_url: database_url.or(configured) }
    }

    /// The root key: from the environment, a systemd credential, or the folder.
    pub(crate) fn root_keys(&self) -> Result<RootKeys, CliError> {
        if let Some(text) = environment("KEEPWELL_ROOT_KEY") {
            return Ok(RootKeyText(text).load()?);
        }
        if let Some(credentials) = environment("CREDENTIALS_DIRECTORY") {
            let path = std::path::Path::new(&credentials).join("keepwell-root-key");
            if path.is_file() {
                let text = std::fs::read_to_string(&path)
                    .map_err(|error| CliError::with_code(format!("the credential cannot be read: {error}"), 5))?;
                return Ok(RootKeyText(text).load()?);
            }
        }
        Ok(RootKeyFile { path: self.folder.root_key() }.load()?)
    }

    /// Opens the store. `migrate` brings an older format up to date instead of refusing it.
    pub(crate) async fn store(&self, migrate: bool) -> Result<Arc<dyn Store>, CliError> {
        match &self.database_url {
            None => {
                if self.discarded().exists() {
                    self.undo_unfinished_restore()?;
                }
                if store_files(&self.aside()).any(|file| file.exists()) {
                    return Err(CliError::failed(
                        "a restore was cut short. Run `keepwell restore` again: it first puts back the store that was \
                         there before",
                    ));
                }
                Ok(Arc::new(SqliteStore::open_with(&self.folder.database(), migrate)?))
            }
            Some(url) => {
                let options = PostgresOptions { migrate, ..PostgresOptions::default() };
                Ok(Arc::new(PostgresStore::connect(url, options).await?))
            }
        }
    }

    /// Opens everything.
    pub(crate) async fn open(self) -> Result<Installation, CliError> {
        let roots = self.root_keys()?;
        let store = self.store(false).await?;
        self.open_on(store, roots).await
    }

    pub(crate) async fn open_on(self, store: Arc<dyn Store>, roots: RootKeys) -> Result<Installation, CliError> {
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        let engine = Engine::new(store, roots, clock.clone(), random.clone(), self.config.engine())
            .with_root_source(Arc::new(RootOf(self.clone())));
        let tenant = match engine.tenant(TENANT).await {
            Err(RecordError::NoSuchTenant(_)) => engine.create_tenant(TENANT, &self.config.service.name).await?,
            other => other?,
        };
        let service = Service::new(tenant.clone(), clock, random, self.config.service());
        Ok(Installation { place: self, engine, tenant, service })
    }
}

impl Installation {
    /// Reads the packages of FHIR definitions that were added. Only what takes FHIR or serves it has to.
    pub(crate) fn use_definitions(&self) -> Result<(), CliError> {
        if let Some(packages) = crate::commands::definitions::load(&self.place.folder)? {
            self.service.use_packages(packages);
        }
        Ok(())
    }
}

/// The root key as its source has it now: on PostgreSQL another node may have replaced it.
struct RootOf(Place);

impl RootKeySource for RootOf {
    fn load(&self) -> Result<RootKeys, RecordError> {
        self.0.root_keys().map_err(|error| RecordError::Key(error.to_string()))
    }
}

impl Place {
    /// Puts a backup in place of the store. An embedded store that was there is moved aside first and put back if anything
    /// fails; a PostgreSQL database must be empty.
    pub(crate) async fn restore_store(&self, backup: &Path) -> Result<(), CliError> {
        if self.database_url.is_some() {
            return Ok(self.store(true).await?.restore(backup.to_owned()).await?);
        }
        let (database, aside) = (self.folder.database(), self.aside());
        if database.exists() {
            // The database itself last: as long as it is in its place, nothing of it can be taken for another's.
            move_files(store_files(&database).zip(store_files(&aside)).collect::<Vec<_>>().into_iter().rev())?;
        }
        if let Err(error) = self.fill(backup).await {
            remove_store(&database);
            self.undo_unfinished_restore()?;
            let message = format!("the backup could not be put in place, so nothing was changed: {error}");
            return Err(CliError::with_code(message, error.number()));
        }
        if aside.exists() {
            // From here on the new store is the one that counts.
            std::fs::rename(&aside, self.discarded())?;
            self.undo_unfinished_restore()?;
        }
        Ok(())
    }

    /// Where the store stands aside while a backup is put in its place, and what is left of it afterwards.
    fn aside(&self) -> PathBuf {
        self.folder.database().with_extension("replaced")
    }

    fn discarded(&self) -> PathBuf {
        self.folder.database().with_extension("discarded")
    }

    /// Puts back a store that a restore moved aside before it was cut short, or finishes removing it if the restore had
    /// succeeded. Whatever moment it was cut short at, and this too, nothing is lost.
    pub(crate) fn undo_unfinished_restore(&self) -> Result<(), CliError> {
        let (database, aside, discarded) = (self.folder.database(), self.aside(), self.discarded());
        if self.database_url.is_some() {
            return Ok(());
        }
        if discarded.exists() {
            remove_store(&aside);
            return Ok(std::fs::remove_file(discarded)?);
        }
        if aside.exists() {
            remove_store(&database);
        }
        move_files(store_files(&aside).zip(store_files(&database)))
    }

    async fn fill(&self, backup: &Path) -> Result<(), CliError> {
        let open = || SqliteStore::open_with(&self.folder.database(), true);
        let store = open()?;
        store.restore(backup.to_owned()).await?;
        drop(store);
        self.clone().open_on(Arc::new(open()?), self.root_keys()?).await.map(drop)
    }
}

/// The files that belong to a database, the lock file apart.
fn store_files(database: &Path) -> impl Iterator<Item = PathBuf> {
    let base = database.as_os_str().to_owned();
    ["", "-wal", "-shm", ".sums"].into_iter().map(move |suffix| {
        let mut name = base.clone();
        name.push(suffix);
        name.into()
    })
}

fn move_files(files: impl Iterator<Item = (PathBuf, PathBuf)>) -> Result<(), CliError> {
    for (from, to) in files {
        if from.exists() {
            std::fs::rename(&from, &to)?;
        }
    }
    Ok(())
}

fn remove_store(database: &Path) {
    for file in store_files(database) {
        drop(std::fs::remove_file(file));
    }
}
