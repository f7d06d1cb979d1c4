//! Packages of FHIR definitions are added, listed and taken away.

use std::io::Write as _;

use serde_json::json;

use crate::machine::{Machine, Running, free_port, get};

/// A profile that wants a telephone number of every Patient.
fn profile() -> serde_json::Value {
    json!({
        "resourceType": "StructureDefinition",
        "url": "https://example.org/StructureDefinition/reachable-patient",
        "name": "ReachablePatient",
        "status": "active",
        "fhirVersion": "4.0.1",
        "kind": "resource",
        "abstract": false,
        "type": "Patient",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
        "derivation": "constraint",
        "differential": { "element": [
            { "id": "Patient", "path": "Patient" },
            { "id": "Patient.telecom", "path": "Patient.telecom", "min": 1 },
        ] },
    })
}

fn packed(archive: tar::Builder<flate2::write::GzEncoder<Vec<u8>>>) -> Vec<u8> {
    let mut packed = archive.into_inner().unwrap();
    packed.flush().unwrap();
    packed.finish().unwrap()
}

fn archive() -> tar::Builder<flate2::write::GzEncoder<Vec<u8>>> {
    tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()))
}

/// A header that says what it is told, also what no honest archive says.
fn header(name: &str, size: u64, kind: tar::EntryType) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_size(size);
    header.set_mode(0o644);
    header.set_entry_type(kind);
    header.set_cksum();
    header
}

fn package(files: &[(&str, String)]) -> Vec<u8> {
    let mut archive = archive();
    for (name, text) in files {
        archive.append(&header(name, text.len() as u64, tar::EntryType::Regular), text.as_bytes()).unwrap();
    }
    packed(archive)
}

fn files_of(machine: &Machine) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(machine.data().join("definitions")) else { return Vec::new() };
    let mut names: Vec<String> = entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != ".lock");
    names.sort();
    names
}

#[test]
fn a_package_is_added_listed_and_taken_away() {
    let machine = Machine::ready();
    let path = machine.path("uk.example#1.0.tgz");
    let manifest = json!({ "name": "uk.example", "version": "1.0" }).to_string();
    let files = [
        ("package/package.json", manifest),
        ("package/a.json", profile().to_string()),
        ("package/x/b.json", "{".into()),
        ("package/.index.json", "{".into()),
        ("other/c.json", "{".into()),
    ];
    std::fs::write(&path, package(&files)).unwrap();
    let added = machine.json(&["definitions", "add", path.to_str().unwrap()]);
    assert_eq!((added["resources"].as_u64(), added["profiles_and_extensions"].as_u64()), (Some(1), Some(1)));
    let again = machine.json(&["definitions", "add", path.to_str().unwrap()]);
    assert_eq!(again["profiles_and_extensions"], 1, "a file of the same name is replaced");
    let listed = machine.json(&["definitions", "list"]);
    assert_eq!(listed["packages"], json!([{ "name": "uk.example#1.0.tgz", "resources": 1 }]));
    assert_eq!(files_of(&machine), ["uk.example#1.0.tgz"]);
    machine.run(&["definitions", "remove", "uk.example#1.0.tgz"]).fine();
    assert_eq!(machine.json(&["definitions", "list"])["packages"], json!([]));
    machine.run(&["definitions", "remove", "uk.example#1.0.tgz"]).refused(1, "cannot be removed");
}

#[test]
fn a_bundle_and_xml_are_taken_and_what_others_build_on_stays() {
    let machine = Machine::ready();
    let bundle = json!({ "resourceType": "Bundle", "type": "collection", "entry": [{ "resource": profile() }, {}] });
    std::fs::write(machine.path("base.json"), bundle.to_string()).unwrap();
    let xml = r#"<StructureDefinition xmlns="http://hl7.org/fhir"><url value="https://example.org/StructureDefinition/more"/>
        <name value="More"/><status value="active"/><kind value="resource"/><abstract value="false"/><type value="Patient"/>
        <baseDefinition value="https://example.org/StructureDefinition/reachable-patient"/><derivation value="constraint"/>
        <differential><element id="Patient.name"><path value="Patient.name"/><min value="1"/></element></differential>
        </StructureDefinition>"#;
    std::fs::write(machine.path("more.xml"), xml).unwrap();
    machine.run(&["definitions", "add", "more.xml"]).refused(1, "add the package that has it first");
    machine.run(&["definitions", "add", "base.json"]).fine();
    assert_eq!(machine.json(&["definitions", "add", "more.xml"])["profiles_and_extensions"], 1);
    machine.run(&["definitions", "remove", "base.json"]).refused(1, "others build on it, so it stays");
    machine.run(&["definitions", "remove", "more.xml"]).fine();
    machine.run(&["definitions", "remove", "base.json"]).fine();
}

#[test]
fn a_server_says_which_package_it_goes_by() {
    let machine = Machine::ready();
    let guide = json!({ "resourceType": "ImplementationGuide", "url": "https://example.org/guide", "version": "2.1" });
    let files = [("package/a.json", profile().to_string()), ("package/guide.json", guide.to_string())];
    std::fs::write(machine.path("p.tgz"), package(&files)).unwrap();
    machine.run(&["definitions", "add", "p.tgz"]).fine();
    let port = free_port();
    let (_server, _) = Running::start(&mut machine.serve_on(port), "Serving");
    let (status, body) = get(port, "/fhir/metadata");
    assert_eq!(status, 200);
    let statement: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(statement["implementationGuide"], json!(["https://example.org/guide|2.1"]));
    assert!(String::from_utf8_lossy(&body).contains("reachable-patient"));
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_is_kept() {
    let machine = Machine::ready();
    let with = |name: &str, value: serde_json::Value| {
        let mut it = profile();
        it[name] = value;
        it.to_string()
    };
    let orphan = with("baseDefinition", json!("https://example.org/StructureDefinition/nobody"));
    let circle = with("baseDefinition", profile()["url"].clone());
    let redefined = with("derivation", json!("specialization"));
    let deep = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    let whole = package(&[("package/a.json", profile().to_string())]);
    for (name, content, words) in [
        ("orphan.json", orphan.clone().into_bytes(), "do not fit together"),
        ("circle.json", circle.into_bytes(), "builds on itself"),
        ("redefined.json", redefined.into_bytes(), "defines the type 'Patient'"),
        ("broken.json", b"{".to_vec(), "cannot be read"),
        ("deep.json", deep.clone().into_bytes(), "cannot be read"),
        ("deep.tgz", package(&[("package/a.json", deep)]), "deep.tgz: its file package/a.json is not acceptable JSON"),
        (
            "one-of-two.tgz",
            package(&[("package/a.json", profile().to_string()), ("package/b.json", orphan)]),
            "is not loaded",
        ),
        ("broken.tgz", b"not packed".to_vec(), "cannot be read"),
        ("cut.tgz", whole[..40].to_vec(), "cannot be read"),
        ("empty.tgz", package(&[("package/package.json", "{}".into())]), "no resources in a folder 'package'"),
        ("program.exe", b"MZ".to_vec(), "does not end in .tgz, .json or .xml"),
    ] {
        std::fs::write(machine.path(name), content).unwrap();
        machine.run(&["definitions", "add", name]).refused(1, words);
        assert!(files_of(&machine).is_empty(), "{name}");
    }
    std::fs::create_dir(machine.path("folder.json")).unwrap();
    machine.run(&["definitions", "add", "folder.json"]).refused(1, "no plain file");
    machine.run(&["definitions", "remove", "../config.toml"]).refused(2, "is called by");
    assert_eq!(machine.json(&["definitions", "list"])["packages"], json!([]));
}

#[test]
fn t46_an_archive_that_reaches_outside_or_swells_is_refused() {
    let machine = Machine::ready();
    let text = profile().to_string();
    let file = |name: &str| package(&[(name, text.clone())]);
    let special = |kind: tar::EntryType| {
        let mut archive = archive();
        let mut header = header("package/a.json", 0, kind);
        header.set_link_name("/etc/passwd").unwrap();
        header.set_cksum();
        archive.append(&header, std::io::empty()).unwrap();
        packed(archive)
    };
    let large = |name: &str| {
        let mut archive = archive();
        let size = 400 << 20;
        let zeros = std::io::Read::take(std::io::repeat(b' '), size);
        archive.append(&header(name, size, tar::EntryType::Regular), zeros).unwrap();
        packed(archive)
    };
    let many = {
        let mut archive = archive();
        for _ in 0..20_001 {
            archive.append(&header("package/a.txt", 0, tar::EntryType::Regular), std::io::empty()).unwrap();
        }
        packed(archive)
    };
    let short = {
        // It says that it is longer than it is.
        let mut archive = archive();
        archive.append(&header("package/a.json", 5_000, tar::EntryType::Regular), text.as_bytes()).unwrap();
        packed(archive)
    };
    for (name, content, words) in [
        ("up.tgz", file("package/../../config.toml"), "leads out of the package"),
        ("up-json.tgz", file("../package/a.json"), "leads out of the package"),
        ("root.tgz", file("/package/a.json"), "leads out of the package"),
        ("symlink.tgz", special(tar::EntryType::Symlink), "a link or a device"),
        ("hard-link.tgz", special(tar::EntryType::Link), "a link or a device"),
        ("device.tgz", special(tar::EntryType::Char), "a link or a device"),
        ("bomb.tgz", large("package/a.json"), "larger than 256 MB"),
        ("bomb-aside.tgz", large("other/a.bin"), "larger than 256 MB"),
        ("many.tgz", many, "more than 20000 files"),
        ("short.tgz", short, "cannot be read"),
    ] {
        std::fs::write(machine.path(name), content).unwrap();
        machine.run(&["definitions", "add", name]).refused(1, words);
        assert!(files_of(&machine).is_empty(), "{name}");
    }
    assert!(machine.data().join("config.toml").is_file());
}

#[test]
fn a_damaged_file_keeps_the_server_from_starting_and_it_says_what_to_do() {
    let machine = Machine::new();
    machine.run(&["init", "--name", "Keepwell Test"]).fine();
    std::fs::write(machine.path("p.tgz"), package(&[("package/a.json", profile().to_string())])).unwrap();
    machine.run(&["definitions", "add", "p.tgz"]).fine();
    let installed = machine.data().join("definitions/p.tgz");
    std::fs::write(&installed, b"damaged").unwrap();
    let serve = || machine.run(&["serve", "--listen", "127.0.0.1:0"]);
    serve().refused(1, "p.tgz cannot be read");
    serve().refused(1, "keepwell definitions remove NAME");
    machine.run(&["stats"]).fine();
    let listed = machine.json(&["definitions", "list"]);
    assert!(listed["packages"][0]["fault"].is_string(), "{listed}");
    // Either way out works.
    machine.run(&["definitions", "add", "p.tgz"]).fine();
    std::fs::write(&installed, b"damaged").unwrap();
    machine.run(&["definitions", "remove", "p.tgz"]).fine();
    assert!(files_of(&machine).is_empty());
}
