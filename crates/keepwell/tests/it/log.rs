//! Proofs and witnesses.

use std::time::{Duration, Instant};

use crate::machine::{Machine, Running, free_port, get};

#[test]
fn a_proof_is_checked_with_a_block_a_proof_and_a_key_and_nothing_else() {
    let machine = Machine::with_people(2);
    let record = machine.json(&["records", "--limit", "1"])["records"][0].as_str().unwrap().to_owned();
    let out = machine.path("proof");
    let answer = machine.json(&["prove", &record, "1", "--out", out.to_str().unwrap()]);
    let key = answer["log_key"].as_str().unwrap();
    let file = |name: &str| out.join(name).to_str().unwrap().to_owned();
    // Another machine altogether: no folder, no store.
    let stranger = Machine::new();
    let check = |block: &str| stranger.run(&["check-proof", block, &file("proof.txt"), "--log-key", key]);
    check(&file("block.bin")).fine();
    let mut block = std::fs::read(out.join("block.bin")).unwrap();
    let last = block.len() - 1;
    block[last] ^= 1;
    std::fs::write(out.join("other.bin"), &block).unwrap();
    check(&file("other.bin")).refused(3, "does not hold");
    stranger
        .run(&["check-proof", &file("block.bin"), &file("proof.txt"), "--log-key", key, "--quorum", "1"])
        .refused(3, "witnesses");
    machine.run(&["prove", &record, "99999", "--out", out.to_str().unwrap()]).refused(1, "no such block");
}

#[expect(clippy::disallowed_methods, reason = "the test waits for a background job, with an end")]
#[test]
fn a_witness_cosigns_the_checkpoints_of_a_running_server() {
    let machine = Machine::with_people(1);
    let log_key = machine.json(&["stats"])["log"]["key"].as_str().unwrap().to_owned();
    let witness = Machine::new();
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let mut command =
        witness.command(&["witness", "--log", &log_key, "--name", "hospital.example", "--listen", &listen]);
    let (mut witnessing, _) = Running::start(&mut command, "witnessing");
    let key = witnessing.first_line();
    assert!(key.starts_with("hospital.example+"), "{key}");
    let config = machine.data().join("config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{text}\n[[witness]]\nurl = \"http://{listen}\"\nkey = \"{key}\"\n")).unwrap();
    let door = free_port();
    let (_server, _) = Running::start(&mut machine.serve_on(door), "Serving");
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let (_, checkpoint) = get(door, "/.well-known/keepwell-log/checkpoint");
        if String::from_utf8(checkpoint).unwrap().contains("\u{2014} hospital.example ") {
            break;
        }
        assert!(Instant::now() < deadline, "the witness did not cosign");
        std::thread::sleep(Duration::from_millis(100));
    }
    let record = machine.json(&["records", "--limit", "1"])["records"][0].as_str().unwrap().to_owned();
    let out = machine.path("proof");
    machine.json(&["prove", &record, "1", "--out", out.to_str().unwrap()]);
    let file = |name: &str| out.join(name).to_str().unwrap().to_owned();
    Machine::new()
        .run(&[
            "check-proof",
            &file("block.bin"),
            &file("proof.txt"),
            "--log-key",
            &log_key,
            "--witness",
            &key,
            "--quorum",
            "1",
        ])
        .fine();
}
