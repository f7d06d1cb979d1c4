//! Backup, erasure and restore.

use crate::machine::{Machine, Running};

fn some_record(machine: &Machine) -> String {
    let out = machine.json(&["records", "--limit", "1"]);
    out["records"][0].as_str().unwrap().to_owned()
}

#[test]
fn a_restore_from_an_older_backup_erases_again_what_was_erased() {
    let machine = Machine::with_people(3);
    let before = machine.records();
    let backup = machine.path("backup.kw");
    machine.run(&["backup", "--out", backup.to_str().unwrap()]).fine();
    machine.run(&["backup", "--out", backup.to_str().unwrap()]).refused(1, "");
    let record = some_record(&machine);
    machine.run(&["erase", &record, "--authority", "case 7"]).refused(2, "--yes");
    machine.run(&["erase", &record, "--authority", "case 7", "--yes"]).fine();
    assert_eq!(machine.records(), before - 1);
    machine.run(&["restore", backup.to_str().unwrap()]).refused(1, "--replace");
    let answer = machine.json(&["restore", backup.to_str().unwrap(), "--replace"]);
    assert_eq!((answer["erased_again"].as_u64(), &answer["faults"]), (Some(1), &serde_json::json!([])));
    assert_eq!(machine.records(), before - 1);
    // The folder's list alone is enough, even if the store that knew is gone.
    for file in ["keepwell.db", "keepwell.db-wal", "keepwell.db-shm", "keepwell.db.sums"] {
        drop(std::fs::remove_file(machine.data().join(file)));
    }
    let answer = machine.json(&["restore", backup.to_str().unwrap(), "--replace"]);
    assert_eq!(answer["erased_again"], 1);
    assert_eq!(machine.records(), before - 1);
}

#[test]
fn a_backup_is_made_while_the_server_serves_and_restores_elsewhere() {
    let machine = Machine::with_people(2);
    let records = machine.records();
    let backup = machine.path("backup.kw");
    let (server, _) = Running::start(&mut machine.serve(), "Serving");
    machine.run(&["backup", "--out", backup.to_str().unwrap()]).fine();
    server.terminate();
    let other = Machine::new();
    other.run(&["init"]).fine();
    // Another root key opens nothing of it.
    other.run(&["restore", backup.to_str().unwrap(), "--replace"]).refused(5, "not the one");
    std::fs::copy(machine.data().join("root.key"), other.data().join("root.key")).unwrap();
    drop(std::fs::remove_file(other.data().join("keepwell.db")));
    drop(std::fs::remove_file(other.data().join("keepwell.db.sums")));
    drop(std::fs::remove_file(other.data().join("checkpoint")));
    let answer = other.json(&["restore", backup.to_str().unwrap(), "--replace"]);
    assert_eq!(answer["faults"], serde_json::json!([]));
    assert_eq!(other.records(), records);
}

#[test]
fn a_damaged_backup_changes_nothing() {
    let machine = Machine::with_people(1);
    let records = machine.records();
    let backup = machine.path("backup.kw");
    machine.run(&["backup", "--out", backup.to_str().unwrap()]).fine();
    let whole = std::fs::read(&backup).unwrap();
    for at in [0, whole.len() / 3, whole.len() / 2, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[at] ^= 4;
        std::fs::write(&backup, &bytes).unwrap();
        assert_ne!(machine.run(&["restore", backup.to_str().unwrap(), "--replace"]).code, 0);
        assert_eq!(machine.records(), records);
    }
    std::fs::write(&backup, &whole[..whole.len() / 2]).unwrap();
    assert_ne!(machine.run(&["restore", backup.to_str().unwrap(), "--replace"]).code, 0);
    assert_eq!(machine.records(), records);
    machine.run(&["restore", "no-such-file", "--replace"]).refused(1, "not there");
}
