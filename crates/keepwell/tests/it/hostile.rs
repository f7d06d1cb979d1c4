//! Somebody who can put files into the folder or beside it, and crashes at the worst moment.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use crate::machine::{Machine, Running};

const STORE: [&str; 4] = ["keepwell.db", "keepwell.db-wal", "keepwell.db-shm", "keepwell.db.sums"];

fn copy_store(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in STORE {
        drop(std::fs::remove_file(to.join(file)));
        if from.join(file).exists() {
            std::fs::copy(from.join(file), to.join(file)).unwrap();
        }
    }
}

fn first_record(machine: &Machine) -> String {
    machine.json(&["records", "--limit", "1"])["records"][0].as_str().unwrap().to_owned()
}

#[test]
fn t34_no_command_covers_up_that_the_store_was_put_back() {
    let machine = Machine::with_people(1);
    let older = machine.path("older");
    copy_store(&machine.data(), &older);
    machine.load(2);
    let kept = std::fs::read(machine.data().join("checkpoint")).unwrap();
    copy_store(&older, &machine.data());
    machine.run(&["stats"]).refused(6, "put back to an older state");
    assert_eq!(std::fs::read(machine.data().join("checkpoint")).unwrap(), kept, "the evidence stays");
    let served = machine.serve().output().unwrap();
    assert_eq!(served.status.code(), Some(6));
    // Also when the older store has grown another way since.
    drop(std::fs::remove_file(machine.data().join("checkpoint")));
    for _ in 0..8 {
        machine.run(&["client", "add", "x", "--organisation", "x"]);
    }
    std::fs::write(machine.data().join("checkpoint"), &kept).unwrap();
    assert_ne!(machine.run(&["stats"]).code, 0);
}

#[test]
fn an_older_store_that_is_accepted_still_forgets_who_was_erased() {
    let machine = Machine::with_people(2);
    let older = machine.path("older");
    copy_store(&machine.data(), &older);
    let record = first_record(&machine);
    machine.run(&["erase", &record, "--authority", "case 7", "--yes"]).fine();
    let records = machine.records();
    machine.load(3);
    copy_store(&older, &machine.data());
    let (server, _) = {
        let mut command = machine.serve();
        command.arg("--accept-older-store");
        Running::start(&mut command, "Serving")
    };
    assert_eq!(machine.records(), records, "erased again before anything was served");
    assert_eq!(server.terminate(), 0);
    // Accepting it once is enough.
    let (_server, _) = Running::start(&mut machine.serve(), "Serving");
    assert_eq!(machine.records(), records);
}

#[test]
fn a_restore_that_was_cut_short_loses_nothing() {
    let machine = Machine::with_people(1);
    let backup = machine.path("backup.kw");
    machine.run(&["backup", "--out", backup.to_str().unwrap()]).fine();
    machine.load(2);
    let records = machine.records();
    let aside = |file: &str| machine.data().join(file.replacen("keepwell.db", "keepwell.replaced", 1));
    // Killed after the store was moved aside, with nothing or an unfinished store in its place.
    for unfinished in [false, true] {
        for file in STORE {
            if machine.data().join(file).exists() {
                std::fs::rename(machine.data().join(file), aside(file)).unwrap();
            }
        }
        if unfinished {
            std::fs::write(machine.data().join("keepwell.db"), b"").unwrap();
        }
        machine.run(&["stats"]).refused(1, "cut short");
        std::fs::write(machine.path("broken.kw"), b"Keepwell archive\n").unwrap();
        assert_ne!(machine.run(&["restore", machine.path("broken.kw").to_str().unwrap(), "--replace"]).code, 0);
        assert_eq!(machine.records(), records, "the store that was aside is back");
    }
    let answer = machine.json(&["restore", backup.to_str().unwrap(), "--replace"]);
    assert_eq!(answer["faults"], serde_json::json!([]));
    assert!(STORE.iter().all(|file| !aside(file).exists()));
}

#[test]
fn a_secret_is_never_written_into_a_file_that_somebody_laid_out_for_it() {
    let machine = Machine::new();
    let (wanted, trap) = (machine.path("root.key"), machine.path("root.key.0.new"));
    let elsewhere = machine.path("elsewhere");
    std::fs::write(&elsewhere, "").unwrap();
    symlink(&elsewhere, &trap).unwrap();
    machine.run(&["key", "new", "--out", wanted.to_str().unwrap()]).fine();
    assert_eq!(std::fs::read(&elsewhere).unwrap(), b"");
    assert!(!wanted.is_symlink());
    assert_eq!(wanted.metadata().unwrap().permissions().mode() & 0o777, 0o600);

    let (wanted, trap) = (machine.path("second.key"), machine.path("second.key.0.new"));
    std::fs::write(&trap, "").unwrap();
    std::fs::set_permissions(&trap, std::fs::Permissions::from_mode(0o666)).unwrap();
    machine.run(&["key", "new", "--out", wanted.to_str().unwrap()]).fine();
    assert_eq!(wanted.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_folder_for_what_is_written_out_keeps_its_own_permissions() {
    let machine = Machine::with_people(1);
    let out = machine.path("shared");
    std::fs::create_dir(&out).unwrap();
    std::fs::set_permissions(&out, std::fs::Permissions::from_mode(0o755)).unwrap();
    machine.run(&["key", "split", "--shares", "3", "--threshold", "2", "--out", out.to_str().unwrap()]).fine();
    assert_eq!(out.metadata().unwrap().permissions().mode() & 0o777, 0o755);
    for share in std::fs::read_dir(&out).unwrap() {
        assert_eq!(share.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    let fresh = machine.path("fresh");
    machine.run(&["key", "split", "--shares", "3", "--threshold", "2", "--out", fresh.to_str().unwrap()]).fine();
    assert_eq!(fresh.metadata().unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn the_control_socket_is_its_owners_only_and_replaces_what_somebody_put_there() {
    let machine = Machine::ready();
    let socket = machine.data().join("control.sock");
    let elsewhere = machine.path("elsewhere");
    std::fs::write(&elsewhere, "untouched").unwrap();
    symlink(&elsewhere, &socket).unwrap();
    let (server, _) = Running::start(&mut machine.serve(), "Serving");
    assert!(!socket.is_symlink());
    assert_eq!(socket.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read(&elsewhere).unwrap(), b"untouched");
    assert_eq!(machine.data().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    // Lines that are no commands are answered and harm nobody.
    use std::io::{Read as _, Write as _};
    for line in [&b"\n"[..], b"{}\n", b"\xff\xfe\n", &[b'x'; 100_000]] {
        let mut stream = std::os::unix::net::UnixStream::connect(&socket).unwrap();
        drop(stream.write_all(line));
        drop(stream.shutdown(std::net::Shutdown::Write));
        drop(stream.read_to_end(&mut Vec::new()));
    }
    machine.run(&["stats"]).fine();
    assert_eq!(server.terminate(), 0);
}

#[test]
fn a_second_process_by_another_name_of_the_same_database_is_kept_out() {
    let machine = Machine::ready();
    let other = Machine::ready();
    for file in ["root.key", "checkpoint"] {
        drop(std::fs::remove_file(other.data().join(file)));
        if machine.data().join(file).exists() {
            std::fs::copy(machine.data().join(file), other.data().join(file)).unwrap();
        }
    }
    let database = other.data().join("keepwell.db");
    for link in [false, true] {
        for file in STORE {
            drop(std::fs::remove_file(other.data().join(file)));
        }
        if link {
            symlink(machine.data().join("keepwell.db"), &database).unwrap();
        } else {
            std::fs::hard_link(machine.data().join("keepwell.db"), &database).unwrap();
        }
        let (server, _) = Running::start(&mut machine.serve(), "Serving");
        other.run(&["stats"]).refused(4, "in use by another keepwell process");
        assert_eq!(server.terminate(), 0);
    }
}
