//! What a thing is called, and the slug that stands for its code in a URL.

use keepwell_clinical::{LOINC, SNOMED};
use keepwell_fhir::element::{Coding, Concept};

/// The name as sent.
pub(crate) fn name_of(code: &Concept<'_>) -> String {
    code.words().unwrap_or_default().to_owned()
}

/// The slug of the code that speaks best for a concept: SNOMED CT, else LOINC, else the first.
pub(crate) fn slug_of(code: &Concept<'_>) -> Option<String> {
    let rank = |coding: &&Coding<'_>| match coding.system.as_deref() {
        Some(SNOMED) => 0,
        Some(LOINC) => 1,
        _ => 2,
    };
    code.codings.iter().filter(|coding| coding.code.is_some()).min_by_key(rank).and_then(slug)
}

/// The slugs of all codes of a concept: results of one test may be coded in several systems.
pub(crate) fn slugs_of(code: &Concept<'_>) -> impl Iterator<Item = String> {
    code.codings.iter().filter_map(slug)
}

/// SNOMED CT and LOINC codes stand for themselves; any other code is hashed, because what a local system calls a code
/// might say something about a person.
fn slug(coding: &Coding<'_>) -> Option<String> {
    let code = coding.code.as_deref()?;
    let system = coding.system.as_deref().unwrap_or_default();
    let plain = (1..=20).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    Some(match system {
        SNOMED if plain => format!("sct-{code}"),
        LOINC if plain => format!("loinc-{code}"),
        _ => {
            let hash = keepwell_record::IdempotencyKey::of(format!("{system}|{code}").as_bytes()).0;
            let hex: String = hash[..10].iter().map(|byte| format!("{byte:02x}")).collect();
            format!("x-{hex}")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use keepwell_fhir::json::Node;

    fn concept(json: &str) -> Concept<'_> {
        Concept::of(Node::of_text(json))
    }

    #[test]
    fn a_slug_says_the_code_of_a_public_system_and_hides_any_other() {
        let both = concept(
            r#"{"coding":[{"system":"http://loinc.org","code":"4548-4"},{"system":"http://snomed.info/sct","code":"43396009"}]}"#,
        );
        assert_eq!(slug_of(&both).as_deref(), Some("sct-43396009"));
        assert_eq!(slugs_of(&both).count(), 2);
        let local = concept(r#"{"coding":[{"system":"urn:lab","code":"Smith's test"}]}"#);
        let slug = slug_of(&local).unwrap();
        assert!(slug.starts_with("x-") && slug.len() == 22 && !slug.contains("mith"));
        let odd = concept(r#"{"coding":[{"system":"http://loinc.org","code":"../../x"}]}"#);
        assert!(slug_of(&odd).unwrap().starts_with("x-"));
        assert_eq!(slug_of(&concept(r#"{"text":"Haemoglobin"}"#)), None);
    }
}
