//! A private PostgreSQL server for one run of the tests: on a free port of the loopback address, with its files in a
//! folder of its own. It ends when this process ends, however that happens.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::tools;
use crate::shell;

/// Starts the server, says so, and waits on standard input. The end of that input is the end of this process, even if
/// it is killed: then the server stops and its files go. Signals from the terminal are left to the end of input, too.
const KEEPER: &str = r#"
trap '' INT TERM HUP
bin=$1 data=$2/data port=$3
stop() { "$bin/pg_ctl" -D "$data" -m immediate -w stop >/dev/null 2>&1; rm -rf "$2/data" "$2/log"; }
"$bin/initdb" -D "$data" -U keepwell --auth=trust --encoding=UTF8 --locale=C --no-sync >"$2/log" 2>&1 &&
"$bin/pg_ctl" -D "$data" -l "$2/log" -w -t 60 \
    -o "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories= -c fsync=off -c max_connections=200" \
    start >/dev/null 2>&1 </dev/null || { cat "$2/log" >&2; stop "$@"; exit 1; }
echo ready
cat >/dev/null
stop "$@"
"#;

/// A running server; dropping it stops it.
pub(crate) struct Server {
    keeper: Child,
    folder: PathBuf,
    bin: PathBuf,
    port: u16,
}

impl Server {
    /// Starts one, as the user `postgres` if this process is root.
    pub(crate) fn start() -> Result<Self, String> {
        let bin = tools::postgres().ok_or("no PostgreSQL server, version 15 or later, is installed")?;
        let as_postgres = tools::is_root();
        let folder = folder(as_postgres)?;
        let port = free_port()?;
        let mut keeper = as_user(as_postgres, "sh");
        keeper.args(["-c", KEEPER, "keeper"]).arg(&bin).arg(&folder).arg(port.to_string());
        keeper.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut keeper = keeper.spawn().map_err(|error| format!("cannot start PostgreSQL: {error}"))?;
        let mut line = String::new();
        let stdout = keeper.stdout.take().expect("standard output was asked for");
        let told = BufReader::new(stdout).read_line(&mut line);
        let server = Self { keeper, folder, bin, port };
        if told.is_ok() && line.trim() == "ready" { Ok(server) } else { Err("PostgreSQL did not start".into()) }
    }

    /// What the tests are told, so that those that need a server find it, and those that start their own find its
    /// programs and the user to run them as.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("KEEPWELL_TEST_POSTGRES", format!("postgres://keepwell@127.0.0.1:{}/postgres", self.port)),
            ("KEEPWELL_TEST_PG_BIN", self.bin.display().to_string()),
        ];
        if tools::is_root() {
            variables.push(("KEEPWELL_TEST_PG_USER", "postgres".to_owned()));
        }
        variables
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        // Nothing is left to do if the keeper is gone already.
        let _ = self.keeper.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A folder that the server's user owns and can reach: below `target`, or, if another user cannot get there (a checkout
/// in a private home), among the temporary files.
fn folder(as_postgres: bool) -> Result<PathBuf, String> {
    let name = format!("test-postgres-{}", std::process::id());
    let places = [shell::target(), std::env::temp_dir()];
    for place in &places {
        let folder = place.join(&name);
        if std::fs::create_dir_all(&folder).is_err() {
            continue;
        }
        if !as_postgres || (own(&folder) && reaches(&folder)) {
            return Ok(folder);
        }
        // The next place will do; an empty folder left behind harms nobody.
        let _ = std::fs::remove_dir(&folder);
    }
    Err(format!("the user postgres can use neither {} nor {}", places[0].display(), places[1].display()))
}

fn own(folder: &Path) -> bool {
    shell::run(shell::program("chown").arg("postgres").arg(folder)).is_ok()
}

fn reaches(folder: &Path) -> bool {
    let mut touch = as_user(true, "test");
    touch.args(["-w"]).arg(folder).current_dir("/");
    touch.status().is_ok_and(|status| status.success())
}

fn as_user(postgres: bool, name: &str) -> Command {
    if postgres {
        let mut command = shell::program("runuser");
        command.args(["-u", "postgres", "--", name]);
        command
    } else {
        shell::program(name)
    }
}

fn free_port() -> Result<u16, String> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| format!("no free port on the loopback address: {error}"))
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn the_server_is_there_until_it_is_dropped_and_leaves_nothing() {
        if tools::postgres().is_none() {
            assert!(shell::variable("KEEPWELL_REQUIRE_ALL").is_none(), "PostgreSQL is required");
            println!("skipped: no PostgreSQL server is installed");
            return;
        }
        let server = Server::start().unwrap();
        let (folder, address) = (server.folder.clone(), ("127.0.0.1", server.port));
        assert!(TcpStream::connect(address).is_ok());
        drop(server);
        assert!(TcpStream::connect(address).is_err());
        assert!(!folder.exists());
    }
}
