//! The released binary, serving a fresh installation.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::client::Target;

/// A running server; it is stopped, and what it stored measured, when this is dropped.
pub(crate) struct Server {
    child: Child,
    data: PathBuf,
    binary: PathBuf,
    _folder: tempfile::TempDir,
    /// How to reach it.
    pub(crate) target: Target,
}

impl Server {
    /// Makes an installation beside the build, where the disk is a real one, and serves it.
    pub(crate) fn start() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let binary = root.join("target/release/keepwell");
        assert!(binary.is_file(), "build the binary with `cargo build --release` first");
        let scratch = root.join("target/bench");
        std::fs::create_dir_all(&scratch).unwrap();
        let folder = tempfile::tempdir_in(scratch).unwrap();
        let data = folder.path().join("data");
        let run = |arguments: &[&str]| {
            let output = Command::new(&binary).arg("--dir").arg(&data).arg("--json").args(arguments).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            output.stdout
        };
        run(&["init"]);
        let added = run(&["client", "add", "bench", "--organisation", "Bench"]);
        let added: serde_json::Value = serde_json::from_slice(&added).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new(&binary);
        command.arg("--dir").arg(&data).args(["serve", "--listen", &format!("127.0.0.1:{port}")]);
        // What it says is kept for whoever wonders about a figure.
        let log = std::fs::File::create(root.join("target/bench/server.log")).unwrap();
        let child = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let token = added["token"].as_str().map(str::to_owned);
        let target = Target { address: format!("127.0.0.1:{port}"), base: "/fhir".to_owned(), token };
        Self { child, data, binary, _folder: folder, target }
    }

    fn status(&self, name: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
    }

    /// Resident memory, in megabytes.
    pub(crate) fn memory(&self) -> f64 {
        self.status("VmRSS:")
    }

    /// The most it ever had, in megabytes.
    pub(crate) fn peak(&self) -> f64 {
        self.status("VmHWM:")
    }

    /// What the installation says of itself.
    pub(crate) fn stats(&self) -> serde_json::Value {
        let output =
            Command::new(&self.binary).arg("--dir").arg(&self.data).args(["--json", "stats"]).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
