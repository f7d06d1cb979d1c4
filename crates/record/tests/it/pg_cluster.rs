//! PostgreSQL servers of one's own, to crash and to promote. A cluster lives in a temporary folder, listens on a socket
//! in it and nowhere else, and goes when it is dropped. Uses nothing but the standard library, so that other test
//! programs can include this file.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// The settings that matter for what is tested: durable like a real server, small, and able to feed a standby.
const SETTINGS: &str = "\
listen_addresses = ''
fsync = on
synchronous_commit = on
full_page_writes = on
recovery_init_sync_method = syncfs
wal_level = replica
max_wal_senders = 4
hot_standby = on
max_connections = 100
shared_buffers = 32MB
";

/// A running or stopped server.
pub(crate) struct PgCluster {
    bin: PathBuf,
    folder: PathBuf,
}

impl PgCluster {
    /// The folder of PostgreSQL's programs, if `KEEPWELL_TEST_PG_BIN` names one.
    pub(crate) fn programs() -> Option<PathBuf> {
        variable("KEEPWELL_TEST_PG_BIN").map(PathBuf::from)
    }

    /// Makes a cluster with the superuser `keepwell` and starts it.
    pub(crate) fn create(bin: &Path) -> Result<Self, String> {
        let cluster = Self { bin: bin.to_owned(), folder: new_folder()? };
        let arguments = ["-U", "keepwell", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync", "-k"];
        cluster.run(cluster.program("initdb").args(arguments).arg("-D").arg(cluster.data()))?;
        cluster.configure(&format!("{SETTINGS}unix_socket_directories = '{}'\n", cluster.folder.display()))?;
        cluster.start()?;
        Ok(cluster)
    }

    /// Makes and starts a standby of this cluster; from then on this one answers a commit only after the standby has it
    /// on disk.
    pub(crate) fn synchronous_standby(&self) -> Result<Self, String> {
        let standby = Self { bin: self.bin.clone(), folder: new_folder()? };
        let source = format!("host={} user=keepwell application_name=standby", self.folder.display());
        let mut copy = standby.program("pg_basebackup");
        standby.run(copy.args(["-R", "-N", "-X", "stream", "-c", "fast", "-d", &source, "-D"]).arg(standby.data()))?;
        standby.configure(&format!(
            "unix_socket_directories = '{}'\nsynchronous_standby_names = ''\n",
            standby.folder.display()
        ))?;
        standby.start()?;
        self.configure("synchronous_standby_names = 'standby'\n")?;
        self.run(self.program("pg_ctl").arg("reload").arg("-D").arg(self.data()))?;
        Ok(standby)
    }

    /// Where clients connect.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgresql:///{database}?host={}&user=keepwell", self.folder.display())
    }

    /// Starts it and waits until it takes connections.
    pub(crate) fn start(&self) -> Result<(), String> {
        let log = self.folder.join("log");
        let mut start = self.program("pg_ctl");
        start.args(["start", "-w", "-t", "60", "-D"]).arg(self.data()).arg("-l").arg(&log);
        // The server inherits these, so they must not be pipes that somebody waits on.
        start.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        match start.status() {
            Ok(status) if status.success() => Ok(()),
            _ => Err(format!("PostgreSQL did not start: {}", std::fs::read_to_string(&log).unwrap_or_default())),
        }
    }

    /// Ends every process of the server at once, as a crash does: nothing is written any more.
    pub(crate) fn crash(&self) -> Result<(), String> {
        self.run(self.program("pg_ctl").args(["stop", "-m", "immediate", "-w", "-D"]).arg(self.data()))
    }

    /// Turns a standby into a primary and waits until it takes writes.
    pub(crate) fn promote(&self) -> Result<(), String> {
        self.run(self.program("pg_ctl").args(["promote", "-w", "-t", "60", "-D"]).arg(self.data()))
    }

    /// The folder of its files.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Later lines win over earlier ones.
    fn configure(&self, lines: &str) -> Result<(), String> {
        let file = self.data().join("postgresql.conf");
        let settings = std::fs::read_to_string(&file).map_err(|error| error.to_string())?;
        std::fs::write(&file, settings + lines).map_err(|error| error.to_string())
    }

    /// One of PostgreSQL's programs. It refuses to run as root, so root runs it as somebody else.
    fn program(&self, name: &str) -> Command {
        let program = self.bin.join(name);
        let mut command = match other_user(&self.folder) {
            None => Command::new(program),
            Some(user) => {
                let mut command = Command::new("runuser");
                command.args(["-u", &user, "--"]).arg(program);
                command
            }
        };
        // That user may not be allowed into the current folder.
        command.current_dir("/");
        command
    }

    fn run(&self, command: &mut Command) -> Result<(), String> {
        let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)))
    }
}

impl Drop for PgCluster {
    fn drop(&mut self) {
        // It may be stopped already.
        drop(self.crash());
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "a switch for tests, set by whoever runs them")]
    let value = std::env::var(name);
    value.ok().filter(|value| !value.is_empty())
}

/// Root's folders belong to the user that runs the server, which says whom to run as.
fn other_user(folder: &Path) -> Option<String> {
    let root = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    let owned_by_root = std::fs::metadata(folder).is_ok_and(|folder| folder.uid() == 0);
    (root && !owned_by_root).then(server_user)
}

fn server_user() -> String {
    variable("KEEPWELL_TEST_PG_USER").unwrap_or_else(|| "postgres".into())
}

/// A short path: a socket's name has room for about a hundred characters.
fn new_folder() -> Result<PathBuf, String> {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("keepwell-pg-{}-{number}", std::process::id()));
    std::fs::create_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    if std::fs::metadata(&folder).is_ok_and(|made| made.uid() == 0) {
        let owned = Command::new("chown").arg(server_user()).arg(&folder).status();
        if !owned.is_ok_and(|status| status.success()) {
            return Err(format!("{} cannot be given to the user {}", folder.display(), server_user()));
        }
    }
    Ok(folder)
}
