//! The root key: made, split, lost, recovered, replaced.

use crate::machine::{Machine, Running};

#[test]
fn losing_one_share_of_a_two_of_three_split_loses_nothing() {
    let machine = Machine::with_people(3);
    let records = machine.records();
    let shares = machine.path("shares");
    machine.run(&["key", "split", "--shares", "3", "--threshold", "2", "--out", shares.to_str().unwrap()]).fine();
    let key = machine.data().join("root.key");
    let original = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    machine.run(&["stats"]).refused(5, "keepwell key recover");
    let share = |n: u8| shares.join(format!("share-{n}-of-3.txt")).to_str().unwrap().to_owned();
    machine.run(&["key", "recover", &share(2)]).refused(5, "");
    assert!(!key.exists());
    machine.run(&["key", "recover", &share(3), &share(1)]).fine();
    assert_eq!(std::fs::read(&key).unwrap(), original);
    assert_eq!(machine.records(), records);
    machine.run(&["key", "recover", &share(2), &share(1)]).refused(1, "exists already");
}

#[test]
fn another_root_key_opens_nothing_and_the_message_says_what_can_be_done() {
    let machine = Machine::with_people(1);
    let key = machine.data().join("root.key");
    std::fs::remove_file(&key).unwrap();
    machine.run(&["key", "new", "--out", key.to_str().unwrap()]).fine();
    machine.run(&["stats"]).refused(5, "not the one that the store was sealed with");
}

#[test]
fn a_root_key_that_others_can_read_is_refused_with_the_command_that_mends_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let machine = Machine::ready();
    let key = machine.data().join("root.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
    machine.run(&["stats"]).refused(5, "chmod 600");
}

#[test]
fn the_root_key_may_come_from_the_environment_or_a_credential() {
    let machine = Machine::with_people(1);
    let key = machine.data().join("root.key");
    let line = std::fs::read_to_string(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let output = machine.command(&["stats"]).env("KEEPWELL_ROOT_KEY", line.trim()).output().unwrap();
    assert!(output.status.success());
    let credentials = machine.path("credentials");
    std::fs::create_dir(&credentials).unwrap();
    std::fs::write(credentials.join("keepwell-root-key"), &line).unwrap();
    let output = machine.command(&["stats"]).env("CREDENTIALS_DIRECTORY", &credentials).output().unwrap();
    assert!(output.status.success());
}

#[test]
fn keys_are_rotated_while_the_server_serves() {
    let machine = Machine::with_people(3);
    let old = std::fs::read_to_string(machine.data().join("root.key")).unwrap();
    let (server, _) = Running::start(&mut machine.serve(), "Serving");
    let answer = machine.json(&["key", "rotate"]);
    assert_eq!(answer["records_wrapped_again"], machine.records() + 1, "all records and the directory");
    let new = std::fs::read_to_string(machine.data().join("root.key")).unwrap();
    assert!(new != old && new.lines().count() == 1);
    assert_eq!(server.terminate(), 0);
    assert_eq!(machine.json(&["verify"])["faults"], serde_json::json!([]));
    std::fs::write(machine.data().join("root.key"), old).unwrap();
    machine.run(&["stats"]).refused(5, "not the one");
}
