//! The installation's folder: configuration, keys and embedded store in one place.
//!
//! ```text
//! config.toml       settings
//! root.key          the root key, readable by its owner only (unless it comes from the environment)
//! keepwell.db       the embedded store (with -wal, -shm and .lock beside it while in use)
//! checkpoint        the newest signed checkpoint of the log, to notice a store that was put back
//! erasures.jsonl    which records were erased, so that a restore can erase them again
//! definitions/      packages of FHIR definitions beside R4's own
//! control.sock      where a running server takes commands from its own user
//! ```

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::CliError;

/// The folder.
#[derive(Debug, Clone)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.0.join("config.toml")
    }

    pub(crate) fn root_key(&self) -> PathBuf {
        self.0.join("root.key")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.0.join("keepwell.db")
    }

    pub(crate) fn checkpoint(&self) -> PathBuf {
        self.0.join("checkpoint")
    }

    pub(crate) fn erasures(&self) -> PathBuf {
        self.0.join("erasures.jsonl")
    }

    pub(crate) fn definitions(&self) -> PathBuf {
        self.0.join("definitions")
    }

    pub(crate) fn control(&self) -> PathBuf {
        self.0.join("control.sock")
    }

    /// Whether `keepwell init` was here.
    pub(crate) fn is_ready(&self) -> bool {
        self.config().is_file()
    }

    /// Makes the folder, readable by its owner only from the first moment. One that is there keeps its permissions.
    pub(crate) fn create_if_missing(&self) -> Result<(), CliError> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
            .create(&self.0)
            .map_err(|error| CliError::failed(format!("{} cannot be made: {error}", self.0.display())))
    }

    /// Makes the folder of an installation, and closes it to others if it was there.
    pub(crate) fn create(&self) -> Result<(), CliError> {
        self.create_if_missing()?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&self.0, std::fs::Permissions::from_mode(0o700))?;
        }
        Ok(())
    }
}

/// Refuses to write over a file.
pub(crate) fn must_not_exist(path: &Path) -> Result<(), CliError> {
    if path.exists() {
        return Err(CliError::failed(format!("{} exists already; nothing was written", path.display())));
    }
    Ok(())
}

/// Writes a file in one step: a reader sees the old content or the new, also after a crash. Readable by its owner only.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> Result<(), CliError> {
    // Two may write the same file at once; each has a name of its own, and what a crash leaves is met again and removed.
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", WRITTEN.fetch_add(1, Ordering::Relaxed) % 16));
    let fresh = PathBuf::from(name);
    let failed = |error: std::io::Error| CliError::failed(format!("{} cannot be written: {error}", path.display()));
    // A file that a crash left, or one that somebody laid out so that they may read what is written to it.
    drop(std::fs::remove_file(&fresh));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(&fresh).map_err(failed)?;
    file.write_all(content).and_then(|()| file.sync_all()).map_err(failed)?;
    std::fs::rename(&fresh, path).map_err(failed)?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    }
    Ok(())
}
