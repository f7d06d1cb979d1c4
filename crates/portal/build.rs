//! Embeds what `cargo xtask assets` built: reads its manifest and writes a table of the files for `src/assets.rs`.
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=assets/manifest.txt");
    println!("cargo::rerun-if-changed=assets/icons.svg");
    let crate_folder = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    match table(&crate_folder.join("assets")) {
        Ok(code) => {
            let target = Path::new(&variable("OUT_DIR")).join("assets.rs");
            std::fs::write(target, code).expect("Cargo made OUT_DIR writable");
        }
        Err(problem) => {
            println!(
                "cargo::error=the portal's stylesheet and script are not built ({problem}): run `cargo xtask assets`"
            );
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "Cargo speaks to a build script through the environment")]
fn variable(name: &str) -> String {
    std::env::var(name).expect("Cargo sets this for every build script")
}

/// The Rust source of the table, or what is missing.
fn table(folder: &Path) -> Result<String, String> {
    let manifest = std::fs::read_to_string(folder.join("manifest.txt")).map_err(|_| "no manifest".to_owned())?;
    let (mut files, mut constants, mut tokens) = (String::new(), String::new(), String::new());
    for line in manifest.lines() {
        match line.split('\t').collect::<Vec<_>>()[..] {
            ["file", role, name, content_type] => {
                let embed = |suffix: &str| {
                    let path = folder.join(format!("{name}{suffix}"));
                    let missing = format!("{} is missing", path.display());
                    if path.is_file() { Ok(format!("include_bytes!({path:?})")) } else { Err(missing) }
                };
                let (body, brotli, gzip) = (embed("")?, embed(".br")?, embed(".gz")?);
                let entry = format!(
                    "    Asset {{ name: {name:?}, content_type: {content_type:?}, body: {body}, brotli: {brotli}, gzip: {gzip} }},\n"
                );
                files.push_str(&entry);
                let constant = role.to_uppercase().replace('-', "_");
                writeln!(
                    constants,
                    "/// Where the portal serves this build's {role}.\npub const {constant}: &str = \"/assets/{name}\";"
                )
                .expect("writing to a String");
            }
            ["token", name, default] => {
                writeln!(tokens, "    ({name:?}, {default:?}),").expect("writing to a String");
            }
            _ => return Err(format!("the manifest has a line that this build does not know: {line}")),
        }
    }
    let icons = folder.join("icons.svg");
    if !icons.is_file() {
        return Err("icons.svg is missing".to_owned());
    }
    Ok(format!(
        "{constants}\n/// The icon sprite, for a page to carry once.\npub const ICONS: &str = include_str!({icons:?});\n\n\
         static FILES: &[Asset] = &[\n{files}];\n\nstatic TOKENS: &[(&str, &str)] = &[\n{tokens}];\n"
    ))
}
