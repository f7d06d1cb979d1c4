//! A record moves to another installation; two records turn out to be one person's.

use crate::machine::Machine;

#[test]
fn a_persons_archive_moves_to_another_installation_and_verifies_there() {
    let home = Machine::with_people(2);
    let record = home.json(&["records", "--limit", "1"])["records"][0].as_str().unwrap().to_owned();
    let (archive, key) = (home.path("person.kwa"), home.path("person.key"));
    let (archive, key) = (archive.to_str().unwrap(), key.to_str().unwrap());
    home.run(&["export", "record", &record, "--out", archive, "--key-out", key]).fine();
    home.run(&["export", "record", &record, "--out", archive, "--key-out", key]).refused(1, "exists already");
    let proof = home.path("looked");
    home.run(&["prove", &record, "1", "--stream", "access", "--out", proof.to_str().unwrap()]).fine();
    let log_key = home.json(&["stats"])["log"]["key"].as_str().unwrap().to_owned();

    let away = Machine::ready();
    let other_key = away.path("other.key");
    std::fs::write(&other_key, "keepwell-archive-key-1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n").unwrap();
    away.run(&["import", "record", archive, "--key-file", other_key.to_str().unwrap()]).refused(5, "does not open");
    let answer = away.json(&["import", "record", archive, "--key-file", key, "--log-key", &log_key]);
    assert_eq!(answer["record"], record);
    let aliases = away.json(&["stats"])["aliases"].as_u64().unwrap();
    assert!(aliases >= 2, "the NHS number and the source's own id lead to it: {aliases}");
    assert_eq!(away.json(&["records"])["records"], serde_json::json!([record]));
    assert_eq!(away.json(&["verify"])["faults"], serde_json::json!([]));
    let again = away.json(&["import", "record", archive, "--key-file", key]);
    assert_eq!(again["record"], record, "an import may be repeated");
}

#[test]
fn two_records_are_merged_and_unmerged() {
    let machine = Machine::with_people(3);
    let records = machine.json(&["records"]);
    let (one, two) = (records["records"][0].as_str().unwrap(), records["records"][1].as_str().unwrap());
    machine.run(&["merge", one, two]).fine();
    machine.run(&["merge", one, two]).refused(1, "was merged into");
    machine.run(&["unmerge", two]).fine();
    machine.run(&["unmerge", two]).refused(1, "not merged");
    machine.run(&["merge", one, "not-an-id"]).refused(2, "not a Keepwell id");
    assert_eq!(machine.json(&["verify"])["faults"], serde_json::json!([]));
}
