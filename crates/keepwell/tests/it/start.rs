//! First steps, and what a person is told when something is missing.

use crate::machine::Machine;

#[test]
fn init_makes_a_folder_that_only_its_owner_can_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let machine = Machine::new();
    machine.run(&["init"]).fine();
    for (path, mode) in [(machine.data(), 0o700), (machine.data().join("root.key"), 0o600)] {
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, mode);
    }
    machine.run(&["init"]).refused(1, "holds an installation already");
    assert_eq!(machine.json(&["stats"])["records"], 0);
    assert_eq!(machine.json(&["verify"])["faults"], serde_json::json!([]));
}

#[test]
fn a_folder_without_an_installation_is_met_with_the_command_that_makes_one() {
    Machine::new().run(&["stats"]).refused(1, "init");
    Machine::new().run(&["serve"]).refused(1, "init");
}

#[test]
fn a_misspelt_setting_is_refused_by_name() {
    let machine = Machine::ready();
    let config = machine.data().join("config.toml");
    let text = std::fs::read_to_string(&config).unwrap() + "\n[htpp]\nlisten = \"x\"\n";
    std::fs::write(&config, text).unwrap();
    machine.run(&["stats"]).refused(1, "htpp");
}

#[test]
fn errors_are_json_for_a_script_that_asks_for_it() {
    let ran = Machine::new().run(&["--json", "stats"]);
    let value: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.code, value["code"].as_i64()), (1, Some(1)));
    assert!(value["error"].as_str().unwrap().contains("init"));
}

#[test]
fn licences_of_everything_inside_are_printed() {
    let ran = Machine::new().run(&["licences"]).fine();
    assert!(ran.out.contains("nhsuk-frontend") && ran.out.contains("rusqlite"));
}

#[test]
fn synth_writes_the_same_bytes_for_the_same_seed() {
    let machine = Machine::new();
    let read = |name: &str, seed: &str| {
        let out = machine.path(name);
        machine
            .run(&["synth", "--people", "12", "--seed", seed, "--today", "2026-11-23", "--out", out.to_str().unwrap()])
            .fine();
        let mut all = Vec::new();
        let mut folders = vec![out.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    all.push((path.strip_prefix(&out).unwrap().to_owned(), std::fs::read(&path).unwrap()));
                }
            }
        }
        all.sort();
        all
    };
    let first = read("a", "5");
    assert!(first.len() > 20);
    assert!(first == read("b", "5"), "the same seed");
    assert!(first != read("c", "6"), "another seed");
}
