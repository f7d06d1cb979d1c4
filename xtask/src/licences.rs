//! `cargo xtask licences`: everything that ships is under a licence that `licences.toml` allows.

use serde_json::Value;

use crate::metadata;
use crate::shell::{self, Outcome};
use crate::shipped;
use crate::spdx::Expression;

/// Checks every crate and npm package that ends up in the binary.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    if let Some(unknown) = arguments.first() {
        return Err(format!("unknown argument `{unknown}`; this command takes none"));
    }
    let allowed = allowed(&shell::text(&shell::root().join("licences.toml"))?)?;
    let crates = shipped::packages(&metadata::full()?)?;
    let mut found: Vec<(String, Option<String>)> =
        crates.into_iter().map(|package| (format!("{} {}", package.name, package.version), package.licence)).collect();
    found.extend(npm(&shell::text(&shell::root().join("assets/package-lock.json"))?)?);
    let problems = refused(&found, &allowed);
    if !problems.is_empty() {
        return Err(format!("not allowed by licences.toml:\n  {}", problems.join("\n  ")));
    }
    println!("licences: {} packages ship, all under licences that licences.toml allows", found.len());
    Ok(())
}

/// The list of `licences.toml`.
fn allowed(text: &str) -> Result<Vec<String>, String> {
    let table: toml::Table = text.parse().map_err(|error| format!("licences.toml: {error}"))?;
    let list = table.get("allowed").and_then(toml::Value::as_array).ok_or("licences.toml has no list `allowed`")?;
    Ok(list.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
}

/// The npm packages whose code reaches a browser: in the lock file, and not for development only.
fn npm(lock: &str) -> Result<Vec<(String, Option<String>)>, String> {
    let lock: Value = serde_json::from_str(lock).map_err(|error| format!("assets/package-lock.json: {error}"))?;
    let packages = lock["packages"].as_object().ok_or("assets/package-lock.json lists no packages")?;
    let ships = packages.iter().filter(|(path, package)| !path.is_empty() && package["dev"] != true);
    Ok(ships
        .map(|(path, package)| {
            let name = path.trim_start_matches("node_modules/");
            let version = package["version"].as_str().unwrap_or_default();
            (format!("npm {name} {version}"), package["license"].as_str().map(str::to_owned))
        })
        .collect())
}

/// What is wrong with which package.
fn refused(found: &[(String, Option<String>)], allowed: &[String]) -> Vec<String> {
    let judge = |licence: &Option<String>| match licence {
        None => Some("names no licence".to_owned()),
        Some(text) => match Expression::parse(text) {
            Err(problem) => Some(problem),
            Ok(expression) if expression.allowed_by(allowed) => None,
            Ok(_) => Some(format!("is under {text}")),
        },
    };
    found.iter().filter_map(|(name, licence)| Some(format!("{name} {}", judge(licence)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_without_an_allowed_licence_is_named() {
        let found = [
            ("good 1.0.0".to_owned(), Some("MIT OR GPL-2.0-only".to_owned())),
            ("bad 2.0.0".to_owned(), Some("GPL-2.0-only".to_owned())),
            ("silent 3.0.0".to_owned(), None),
        ];
        let problems = refused(&found, &["MIT".to_owned()]);
        assert_eq!(problems, ["bad 2.0.0 is under GPL-2.0-only", "silent 3.0.0 names no licence"]);
    }

    #[test]
    fn only_npm_packages_that_reach_a_browser_are_asked() {
        let lock = r#"{"packages": {"": {}, "node_modules/a": {"version": "1.0.0", "license": "MIT"},
            "node_modules/b": {"version": "2.0.0", "license": "GPL-2.0", "dev": true}}}"#;
        assert_eq!(npm(lock).unwrap(), [("npm a 1.0.0".to_owned(), Some("MIT".to_owned()))]);
    }

    #[test]
    fn the_list_of_this_workspace_can_be_read() {
        let text = shell::text(&shell::root().join("licences.toml")).unwrap();
        assert!(allowed(&text).unwrap().contains(&"MIT".to_owned()));
    }
}
