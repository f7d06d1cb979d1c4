//! A running server, and commands beside it.

use std::process::Command;

use crate::machine::{Machine, Running, free_port, get};

impl Machine {
    /// The command that serves this installation on a free port.
    pub(crate) fn serve(&self) -> Command {
        self.serve_on(free_port())
    }

    pub(crate) fn serve_on(&self, port: u16) -> Command {
        // Demonstrations are not served by `serve`; test numbers have done their work by now.
        let config = self.data().join("config.toml");
        let text = std::fs::read_to_string(&config).unwrap().replace("demonstration = true", "demonstration = false");
        std::fs::write(&config, text).unwrap();
        self.command(&["serve", "--listen", &format!("127.0.0.1:{port}")])
    }
}

#[test]
fn commands_beside_a_running_server_are_answered_by_it() {
    let machine = Machine::with_people(2);
    let records = machine.records();
    let (server, _) = Running::start(&mut machine.serve(), "Serving");
    assert_eq!(machine.records(), records);
    assert_eq!(machine.json(&["verify"])["faults"], serde_json::json!([]));
    let token = machine.json(&["client", "add", "ambulance", "--organisation", "Yorkshire Ambulance"]);
    assert!(token["token"].as_str().unwrap().starts_with("kw_"));
    let clients = machine.json(&["client", "list"]);
    assert!(clients["clients"].to_string().contains("Yorkshire Ambulance"));
    let ambulance = clients["clients"].as_array().unwrap().iter().find(|it| it["name"] == "ambulance").unwrap();
    assert_eq!((&ambulance["setting"], &ambulance["validation"]), (&"general".into(), &"strict".into()));
    machine.run(&["client", "add", "Not A Name", "--organisation", "x"]).refused(1, "small letters");
    assert_eq!(server.terminate(), 0, "it stops in good order when asked to");
}

#[test]
fn a_second_server_on_the_same_folder_stops_with_a_clear_message() {
    let machine = Machine::ready();
    let (_server, _) = Running::start(&mut machine.serve(), "Serving");
    let second = machine.serve().output().unwrap();
    assert_eq!(second.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&second.stderr).contains("in use by another keepwell process"));
}

#[test]
fn a_server_that_was_killed_starts_again_with_everything() {
    let machine = Machine::with_people(2);
    let records = machine.records();
    let (server, _) = Running::start(&mut machine.serve(), "Serving");
    drop(server);
    let port = free_port();
    let (_server, _) = Running::start(&mut machine.serve_on(port), "Serving");
    assert_eq!(get(port, "/healthz").0, 200);
    assert_eq!(machine.records(), records);
}

#[test]
fn the_public_files_of_the_log_are_served_and_nothing_else_beside_them() {
    let machine = Machine::with_people(2);
    let port = free_port();
    let (_server, _) = Running::start(&mut machine.serve_on(port), "Serving");
    let (status, checkpoint) = get(port, "/.well-known/keepwell-log/checkpoint");
    assert_eq!(status, 200);
    assert!(String::from_utf8(checkpoint).unwrap().starts_with("keepwell/"));
    assert_eq!(get(port, "/.well-known/keepwell-log/root.key").0, 404);
    assert_eq!(get(port, "/.well-known/keepwell-log/../../root.key").0, 404);
    assert_eq!(get(port, "/fhir/metadata").0, 200);
    assert_eq!(get(port, "/fhir/Patient/0000000000000000").0, 401);
}

#[test]
fn a_store_put_back_to_an_older_state_is_not_served_unless_it_is_meant() {
    let machine = Machine::with_people(1);
    let copy = machine.path("copy");
    std::fs::create_dir(&copy).unwrap();
    let files = ["keepwell.db", "keepwell.db-wal", "keepwell.db.sums"];
    for file in files {
        if machine.data().join(file).exists() {
            std::fs::copy(machine.data().join(file), copy.join(file)).unwrap();
        }
    }
    machine.load(4);
    for file in files {
        drop(std::fs::remove_file(machine.data().join(file)));
        if copy.join(file).exists() {
            std::fs::copy(copy.join(file), machine.data().join(file)).unwrap();
        }
    }
    let refused = machine.serve().output().unwrap();
    assert_eq!(refused.status.code(), Some(6), "{}", String::from_utf8_lossy(&refused.stderr));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("older state"));
    let mut command = machine.serve();
    command.arg("--accept-older-store");
    let (_server, _) = Running::start(&mut command, "Serving");
}
