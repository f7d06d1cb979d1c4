//! `cargo xtask deps-check`: the crates of the workspace know each other only in the directions that ARCHITECTURE.md
//! draws, and only `record` knows a database driver.

use serde_json::Value;

use crate::metadata;
use crate::shell::Outcome;

/// Who may depend on whom. A crate that is not here is refused until someone decides where it belongs.
const ALLOWED: &[(&str, &[&str])] = &[
    ("keepwell", &["portal", "api", "service", "record", "model", "synth"]),
    ("portal", &["service", "model"]),
    ("api", &["service", "model"]),
    ("service", &["record", "policy", "fhir", "hl7v2", "clinical", "model"]),
    ("record", &["model"]),
    ("hl7v2", &["fhir", "model"]),
    ("clinical", &["fhir", "model"]),
    ("fhir", &["model"]),
    ("policy", &["model"]),
    ("synth", &["model"]),
    ("model", &[]),
    ("xtask", &["synth"]),
];

/// Only `record` may name these, in any kind of dependency.
const DRIVERS: &[&str] = &["rusqlite", "libsqlite3-sys", "tokio-postgres", "postgres", "deadpool-postgres"];

/// The one exception: `cargo xtask bench record` measures the engine against SQLite itself, in the same run.
const MEASURED: (&str, &str) = ("keepwell", "rusqlite");

/// One declared dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Edge {
    from: String,
    to: String,
    development: bool,
}

/// Reads every manifest of the workspace and names each edge that is not allowed.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    if let Some(unknown) = arguments.first() {
        return Err(format!("unknown argument `{unknown}`; this command takes none"));
    }
    let metadata = metadata::workspace()?;
    let (crates, edges) = read(&metadata)?;
    let problems = wrong(&crates, &edges);
    if !problems.is_empty() {
        return Err(format!("wrong dependencies:\n  {}", problems.join("\n  ")));
    }
    println!("deps-check: {} crates, {} dependencies, all in an allowed direction", crates.len(), edges.len());
    Ok(())
}

/// The workspace's crates and what they declare.
fn read(metadata: &Value) -> Result<(Vec<String>, Vec<Edge>), String> {
    let packages = metadata["packages"].as_array().ok_or("cargo metadata lists no packages")?;
    let (mut crates, mut edges) = (Vec::new(), Vec::new());
    for package in packages {
        let from = short(package["name"].as_str().unwrap_or_default());
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            edges.push(Edge {
                from: from.to_owned(),
                to: short(dependency["name"].as_str().unwrap_or_default()).to_owned(),
                development: dependency["kind"] == "dev",
            });
        }
        crates.push(from.to_owned());
    }
    Ok((crates, edges))
}

/// `keepwell-model` is `model`, as its folder is.
fn short(package: &str) -> &str {
    package.strip_prefix("keepwell-").unwrap_or(package)
}

fn wrong(crates: &[String], edges: &[Edge]) -> Vec<String> {
    let allowed = |name: &str| ALLOWED.iter().find(|(from, _)| *from == name).map(|(_, to)| *to);
    let mut problems = Vec::new();
    for name in crates {
        if allowed(name).is_none() {
            problems.push(format!("{name} is a new crate: say in xtask/src/deps_check.rs whom it may know"));
        }
    }
    for Edge { from, to, development } in edges {
        let kind = if *development { " (for development)" } else { "" };
        let measured = *development && (from.as_str(), to.as_str()) == MEASURED;
        if DRIVERS.contains(&to.as_str()) && from != "record" && !measured {
            problems.push(format!("{from} -> {to}{kind}: only record knows a database driver"));
        } else if crates.contains(to)
            && !(*development && to == "synth")
            && !allowed(from).is_some_and(|list| list.contains(&to.as_str()))
        {
            problems.push(format!("{from} -> {to}{kind}"));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(from: &str, to: &str, development: bool) -> Edge {
        Edge { from: from.into(), to: to.into(), development }
    }

    fn problems(edges: &[Edge]) -> Vec<String> {
        let crates: Vec<String> = ALLOWED.iter().map(|(name, _)| (*name).to_owned()).collect();
        wrong(&crates, edges)
    }

    #[test]
    fn a_page_may_not_reach_the_record() {
        assert_eq!(problems(&[edge("portal", "record", false)]), ["portal -> record"]);
        assert_eq!(problems(&[edge("api", "record", true)]), ["api -> record (for development)"]);
        assert_eq!(problems(&[edge("portal", "api", false)]), ["portal -> api"]);
    }

    #[test]
    fn lower_layers_may_not_look_up_or_sideways() {
        let edges =
            [("record", "fhir"), ("fhir", "policy"), ("model", "record"), ("synth", "fhir"), ("policy", "service")];
        for (from, to) in edges {
            assert_eq!(problems(&[edge(from, to, false)]).len(), 1, "{from} -> {to}");
        }
    }

    #[test]
    fn synthetic_people_are_for_the_binary_and_for_tests() {
        assert!(problems(&[edge("keepwell", "synth", false), edge("service", "synth", true)]).is_empty());
        assert_eq!(problems(&[edge("service", "synth", false)]), ["service -> synth"]);
    }

    #[test]
    fn only_the_record_engine_names_a_database_driver() {
        assert!(problems(&[edge("record", "rusqlite", false)]).is_empty());
        let wrong = problems(&[edge("service", "tokio-postgres", true)]);
        assert_eq!(wrong, ["service -> tokio-postgres (for development): only record knows a database driver"]);
        assert!(problems(&[edge("keepwell", "rusqlite", true)]).is_empty());
        assert_eq!(problems(&[edge("keepwell", "rusqlite", false)]).len(), 1);
    }

    #[test]
    fn a_new_crate_needs_a_place() {
        assert_eq!(wrong(&["utils".into()], &[]).len(), 1);
    }

    #[test]
    fn crates_of_others_are_free() {
        assert!(problems(&[edge("policy", "serde", false)]).is_empty());
    }

    #[test]
    fn metadata_is_read_with_its_kinds() {
        let metadata = serde_json::json!({"packages": [{"name": "keepwell-api", "dependencies": [
            {"name": "keepwell-service", "kind": null}, {"name": "keepwell-synth", "kind": "dev"}]}]});
        let (crates, edges) = read(&metadata).unwrap();
        assert_eq!(crates, ["api"]);
        assert_eq!(edges, [edge("api", "service", false), edge("api", "synth", true)]);
    }
}
