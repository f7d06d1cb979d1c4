//! The installation's folder: configuration, keys and embedded store in one place.
//!
//! ```text
//! config.toml       settings
//! root.key          the root key, readable by its owner only (unless it comes from the environment)
//! keepwell.db       the embedded store (with -wal, -shm and .lock beside it while in use)
//! checkpoint        the newest signed checkpoint of the log, to notice a store that was put back
//! erasures.jsonl    which records were erased, so that a restore can erase them again
//! control.sock      where a running server takes commands from its own user
//! ```

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

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

    pub(crate) fn control(&self) -> PathBuf {
        self.0.join("control.sock")
    }

    /// Whether `keepwell init` was here.
    pub(crate) fn is_ready(&self) -> bool {
        self.config().is_file()
    }

    /// Makes the folder, readable by its owner only.
    pub(crate) fn create(&self) -> Result<(), CliError> {
        std::fs::create_dir_all(&self.0)
            .map_err(|error| CliError::failed(format!("{} cannot be made: {error}", self.0.display())))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&self.0, std::fs::Permissions::from_mode(0o700))?;
        }
        Ok(())
    }
}

/// Writes a file in one step: a reader sees the old content or the new, also after a crash. Readable by its owner only.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> Result<(), CliError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let fresh = PathBuf::from(name);
    let failed = |error: std::io::Error| CliError::failed(format!("{} cannot be written: {error}", path.display()));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
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
