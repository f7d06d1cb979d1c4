//! What a code means, and how it stands to another.

use super::{Parameters, system, unknown_code};
use crate::definitions::{CodeSystem, Concept, Definitions};
use crate::json::quoted;
use crate::outcome::Issue;

/// `CodeSystem/$lookup`: a code's names and properties, as a Parameters resource. `properties` says which are wanted
/// (`definition`, `parent`, `child` and those of the system); none means all.
///
/// # Errors
/// An [`Issue`] if the system, this version of it, or the code is not known here.
pub fn lookup(
    definitions: &Definitions,
    url: &str,
    version: Option<&str>,
    code: &str,
    properties: &[&str],
) -> Result<Vec<u8>, Issue> {
    let system = system(definitions, url, version)?;
    let place = system.place(code).ok_or_else(|| unknown_code(system, code))?;
    let concept = system.concepts.get(place).ok_or_else(|| unknown_code(system, code))?;
    let mut out = Parameters::new();
    let name = system.title.as_deref().or(system.name.as_deref()).unwrap_or(&system.url);
    out.add_text("name", name);
    if let Some(version) = &system.version {
        out.add_text("version", version);
    }
    out.add_text("display", concept.display.as_deref().unwrap_or(&concept.code));
    let wanted = |name: &str| properties.is_empty() || properties.contains(&name);
    if let Some(definition) = concept.definition.as_deref().filter(|_| wanted("definition")) {
        property(&mut out, "definition", definition);
    }
    for parent in parents(system, concept).filter(|_| wanted("parent")) {
        property(&mut out, "parent", &parent.code);
    }
    if wanted("child") {
        let below = |it: &&Concept| it.parents.iter().any(|&parent| parent as usize == place);
        for child in system.concepts.iter().filter(below) {
            property(&mut out, "child", &child.code);
        }
    }
    for own in concept.properties.iter().filter(|it| wanted(&it.code)) {
        property(&mut out, &own.code, &own.value);
    }
    Ok(out.finish())
}

fn parents<'a>(system: &'a CodeSystem, concept: &'a Concept) -> impl Iterator<Item = &'a Concept> {
    concept.parents.iter().filter_map(|&at| system.concepts.get(at as usize))
}

/// A property as a parameter with parts. The definitions keep values as text, so its type is told by its name.
fn property(out: &mut Parameters, code: &str, value: &str) {
    let (member, value) = match (code, value) {
        ("notSelectable" | "abstract" | "inactive", "true" | "false") => ("valueBoolean", value.to_owned()),
        ("parent" | "child" | "status" | "partOf" | "synonym", _) => ("valueCode", quoted(value)),
        _ => ("valueString", quoted(value)),
    };
    out.open("property");
    let code = quoted(code);
    let parts = format!(r#","part":[{{"name":"code","valueCode":{code}}},{{"name":"value","{member}":{value}}}]}}"#);
    out.0.extend_from_slice(parts.as_bytes());
}

/// `CodeSystem/$subsumes`: whether one code means the same as another, more, or less, as a Parameters resource.
///
/// # Errors
/// An [`Issue`] if the system, this version of it, or one of the codes is not known here.
pub fn subsumes(
    definitions: &Definitions,
    url: &str,
    version: Option<&str>,
    a: &str,
    b: &str,
) -> Result<Vec<u8>, Issue> {
    let system = system(definitions, url, version)?;
    let place = |code: &str| system.place(code).ok_or_else(|| unknown_code(system, code));
    let (a, b) = (place(a)?, place(b)?);
    let outcome = match (system.is_a(b, a), system.is_a(a, b)) {
        (true, true) => "equivalent",
        (true, false) => "subsumes",
        (false, true) => "subsumed-by",
        (false, false) => "not-subsumed",
    };
    let mut out = Parameters::new();
    out.add("outcome", "valueCode", &quoted(outcome));
    Ok(out.finish())
}
