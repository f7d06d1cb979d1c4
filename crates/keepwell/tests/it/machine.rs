//! Running the binary.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

/// A folder for one installation and what goes with it.
pub(crate) struct Machine {
    pub(crate) folder: tempfile::TempDir,
}

/// A command that was run.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub(crate) fn fine(self) -> Self {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self
    }

    pub(crate) fn json(self) -> Value {
        let this = self.fine();
        serde_json::from_str(&this.out).unwrap()
    }

    /// Refused with this exit code and with these words.
    pub(crate) fn refused(self, code: i32, words: &str) {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        let said = format!("{}{}", self.out, self.err);
        assert!(said.contains(words), "{said}");
    }
}

impl Machine {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// An installation that serves a made-up city, so that test NHS numbers are taken.
    pub(crate) fn ready() -> Self {
        let machine = Self::new();
        machine.run(&["init", "--name", "Keepwell Test"]).fine();
        let config = machine.data().join("config.toml");
        let text = std::fs::read_to_string(&config).unwrap().replace("demonstration = false", "demonstration = true");
        std::fs::write(&config, text).unwrap();
        machine
    }

    /// An installation with a few synthetic people in it.
    pub(crate) fn with_people(people: u32) -> Self {
        let machine = Self::ready();
        machine.load(people);
        machine
    }

    pub(crate) fn load(&self, people: u32) {
        let city = self.path("city");
        let people = people.to_string();
        self.run(&["synth", "--people", &people, "--today", "2026-11-23", "--out", city.to_str().unwrap()]).fine();
        let mut feeds: Vec<PathBuf> = Vec::new();
        collect(&city.join("feeds"), &mut feeds);
        feeds.sort();
        assert!(!feeds.is_empty());
        // One source for all: what matters here is that there are records.
        for feed in feeds.iter().filter(|feed| feed.to_string_lossy().contains("gp-")) {
            self.run(&["import", "fhir", feed.to_str().unwrap(), "--source", "gp"]);
        }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keepwell"));
        command.env_clear().arg("--dir").arg(self.data()).args(arguments).current_dir(self.folder.path());
        command.stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let mut all = vec!["--json"];
        all.extend_from_slice(arguments);
        self.run(&all).json()
    }

    /// The ids of all records.
    pub(crate) fn records(&self) -> u64 {
        self.json(&["stats"])["records"].as_u64().unwrap()
    }
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, found) } else { found.push(path) }
    }
}

/// A process that goes when this is dropped.
pub(crate) struct Running {
    child: Child,
}

impl Running {
    /// Starts a command and waits for a line of its standard error that holds these words.
    pub(crate) fn start(command: &mut Command, words: &str) -> (Self, String) {
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        loop {
            line.clear();
            assert!(lines.read_line(&mut line).unwrap() > 0, "it ended before saying {words:?}");
            if line.contains(words) {
                break;
            }
        }
        // Somebody must go on reading, or the process would stop when the pipe is full.
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        (Self { child }, line)
    }

    pub(crate) fn first_line(&mut self) -> String {
        let mut line = String::new();
        BufReader::new(self.child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    pub(crate) fn terminate(mut self) -> i32 {
        Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A plain GET: status and body.
pub(crate) fn get(port: u16, path: &str) -> (u16, Vec<u8>) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer[end + 4..].to_vec())
}
