//! The root key: where it comes from, and how it is written down.

use std::path::PathBuf;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keepwell_model::Random;
use zeroize::Zeroize;

use super::seal::{SealKey, Secret};
use crate::RecordError;

const PREFIX: &str = "keepwell-root-key-1:";

/// The key that wraps every tenant's keys. Written down as one line, `keepwell-root-key-1:` and 43 characters of
/// base64url.
#[derive(Clone)]
pub struct RootKey {
    secret: Secret,
    id: [u8; 8],
}

impl RootKey {
    /// A fresh key.
    pub fn random(random: &dyn Random) -> Self {
        Self::of(Secret::random(random))
    }

    /// The key of 32 bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self::of(Secret::new(bytes))
    }

    fn of(secret: Secret) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(b"keepwell root key id");
        context.update(secret.bytes());
        let mut id = [0u8; 8];
        id.copy_from_slice(&context.finish().as_ref()[..8]);
        Self { secret, id }
    }

    /// Eight bytes that name the key without telling anything about it.
    #[must_use]
    pub const fn id(&self) -> [u8; 8] {
        self.id
    }

    /// The 32 secret bytes, for splitting into shares.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        self.secret.bytes()
    }

    /// Reads the one-line form; surrounding white space is ignored.
    ///
    /// # Errors
    /// [`RecordError::Key`] with plain words if the line is not a root key.
    pub fn parse(text: &str) -> Result<Self, RecordError> {
        let bad = || {
            RecordError::Key(format!(
                "this is not a root key: expected one line, {PREFIX} and 43 characters (make one with `keepwell key new`)"
            ))
        };
        let data = text.trim().strip_prefix(PREFIX).ok_or_else(bad)?;
        let mut decoded = URL_SAFE_NO_PAD.decode(data).map_err(|_| bad())?;
        let bytes: Result<[u8; 32], _> = decoded.as_slice().try_into();
        decoded.zeroize();
        Ok(Self::from_bytes(bytes.map_err(|_| bad())?))
    }

    /// The one-line form. It is the secret itself: write it only where the key is kept.
    #[must_use]
    pub fn to_line(&self) -> String {
        format!("{PREFIX}{}\n", URL_SAFE_NO_PAD.encode(self.secret.bytes()))
    }

    pub(crate) fn seal_key(&self) -> SealKey {
        SealKey::new(&self.secret)
    }
}

impl std::fmt::Debug for RootKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RootKey(…)")
    }
}

/// The root key in force and, during a rotation, those before it.
#[derive(Debug, Clone)]
pub struct RootKeys {
    /// Wraps from now on.
    pub current: RootKey,
    /// Still open what has not been wrapped again yet.
    pub previous: Vec<RootKey>,
}

impl RootKeys {
    /// Just one key.
    #[must_use]
    pub const fn only(current: RootKey) -> Self {
        Self { current, previous: Vec::new() }
    }

    pub(crate) fn by_id(&self, id: [u8; 8]) -> Option<&RootKey> {
        std::iter::once(&self.current).chain(&self.previous).find(|key| key.id == id)
    }
}

/// Where a root key comes from: a file, an environment variable, a systemd credential, a hardware module.
pub trait RootKeySource: Send + Sync {
    /// Fetches the key or keys.
    ///
    /// # Errors
    /// [`RecordError::Key`] in plain words: what is wrong and what to do.
    fn load(&self) -> Result<RootKeys, RecordError>;
}

/// A root key in a file that only its owner may read. Lines after the first are earlier keys.
#[derive(Debug, Clone)]
pub struct RootKeyFile {
    /// Where the file is.
    pub path: PathBuf,
}

impl RootKeySource for RootKeyFile {
    fn load(&self) -> Result<RootKeys, RecordError> {
        let shown = self.path.display();
        let unreadable = |error: std::io::Error| {
            RecordError::Key(format!(
                "the root key file {shown} cannot be read ({error}). Without the root key nothing in the store can be \
                 opened. If the file is lost, join enough shares with `keepwell key recover`, or put back your copy of it; \
                 if there is neither, the records cannot be recovered by anyone, and `keepwell init` on a new folder \
                 starts afresh"
            ))
        };
        // What is judged is the file that is read, whatever stands under its name a moment later.
        let mut file = std::fs::File::open(&self.path).map_err(unreadable)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = file.metadata().map_err(unreadable)?.permissions().mode();
            if mode & 0o077 != 0 {
                return Err(RecordError::Key(format!(
                    "the root key file {shown} may be read or written by others (mode {:03o}); run: chmod 600 {shown}",
                    mode & 0o777
                )));
            }
        }
        let mut text = zeroize::Zeroizing::new(String::with_capacity(4096));
        std::io::Read::read_to_string(&mut file, &mut text)
            .map_err(|error| RecordError::Key(format!("the root key file {shown} cannot be read: {error}")))?;
        parse_lines(&text)
    }
}

/// A root key handed over as text: from the environment or a credential store.
#[derive(Clone)]
pub struct RootKeyText(pub String);

impl RootKeySource for RootKeyText {
    fn load(&self) -> Result<RootKeys, RecordError> {
        parse_lines(&self.0)
    }
}

fn parse_lines(text: &str) -> Result<RootKeys, RecordError> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let current = RootKey::parse(lines.next().unwrap_or_default())?;
    let previous = lines.map(RootKey::parse).collect::<Result<_, _>>()?;
    Ok(RootKeys { current, previous })
}

#[cfg(test)]
mod tests {
    use super::*;
    use keepwell_model::SeededRandom;

    #[test]
    fn a_root_key_reads_back_from_its_line_and_is_never_printed() {
        let key = RootKey::random(&SeededRandom::new(1));
        let again = RootKey::parse(&format!("  {}\n", key.to_line())).unwrap();
        assert_eq!(key.bytes(), again.bytes());
        assert_eq!(format!("{key:?}"), "RootKey(…)");
        for bad in
            ["", "keepwell-root-key-1:", "keepwell-root-key-1:AAAA", "keepwell-root-key-2:AAAA", &key.to_line()[1..]]
        {
            assert!(matches!(RootKey::parse(bad), Err(RecordError::Key(_))), "{bad}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_root_key_file_that_others_may_read_is_refused_with_the_command_that_mends_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.key");
        std::fs::write(&path, RootKey::random(&SeededRandom::new(1)).to_line()).unwrap();
        for (mode, fine) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o620, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let loaded = RootKeyFile { path: path.clone() }.load();
            assert_eq!(loaded.is_ok(), fine, "{mode:o}");
            if let Err(error) = loaded {
                assert!(error.to_string().contains("chmod 600"));
            }
        }
        let error = RootKeyFile { path: folder.path().join("none") }.load().unwrap_err();
        assert!(error.to_string().contains("keepwell key recover"));
    }
}
