//! A sender's own name of the person in the searches of its conditions. Records know people by Keepwell's ids; a Bundle
//! that brings `Patient/p7` may say `patient=Patient/p7` as well.

use keepwell_fhir::definitions::{Definitions, SearchKind};

use crate::rest::{query_parameters, written};

/// What the person of a Bundle is called.
pub(super) struct Called<'a> {
    /// The sender's id.
    pub(super) id: &'a str,
    /// The `fullUrl` of the Patient, if the Bundle has one.
    pub(super) full_url: Option<&'a str>,
}

impl Called<'_> {
    /// A search in a type, with the id of the person's record where the sender's own name stands.
    pub(super) fn put_right(&self, definitions: &Definitions, kind: &str, query: &str, record: &str) -> String {
        let parameters = query_parameters(query).into_iter().map(|(name, value)| {
            let is_named = |token: &str, bare: bool| {
                token.strip_prefix("Patient/") == Some(self.id)
                    || self.full_url == Some(token)
                    || bare && token == self.id
            };
            let Some(bare) = names_people(definitions, kind, &name) else { return (name, value) };
            let token = |token: &str| match is_named(token, bare) {
                // An id by itself stays one: `_id` takes nothing else.
                true if name.ends_with("_id") || token == self.id => record.to_owned(),
                true => format!("Patient/{record}"),
                false => token.to_owned(),
            };
            let value = value.split(',').map(token).collect::<Vec<_>>().join(",");
            (name, value)
        });
        let parameters: Vec<(String, String)> = parameters.collect();
        written(parameters.iter().map(|(name, value)| (&**name, &**value))).trim_start_matches('?').to_owned()
    }
}

/// Whether a parameter may name people, and if so whether by ids alone.
fn names_people(definitions: &Definitions, kind: &str, name: &str) -> Option<bool> {
    if name == "_id" {
        return (kind == "Patient").then_some(true);
    }
    let (stem, modifier) = name.split_once(':').map_or((name, None), |(stem, modifier)| (stem, Some(modifier)));
    let (code, chain) = stem.split_once('.').map_or((stem, None), |(code, chain)| (code, Some(chain)));
    let parameter = definitions.search_parameter(kind, code).filter(|it| it.kind == SearchKind::Reference)?;
    let to_people = parameter.targets.iter().any(|target| **target == *"Patient");
    let modified_chain = modifier.and_then(|it| it.split_once('.'));
    match (to_people, chain, modified_chain, modifier) {
        (true, None, None, None | Some("Patient")) => Some(true),
        (true, Some("_id"), None, None) | (true, None, Some(("Patient", "_id")), _) => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use keepwell_fhir::definitions::r4;

    use super::*;

    #[test]
    fn the_senders_name_of_the_person_is_put_right_and_nothing_else_is() {
        let called = Called { id: "p7", full_url: Some("urn:uuid:1") };
        let right = |kind: &str, query: &str| called.put_right(r4(), kind, query, "rec");
        for (kind, query, expected) in [
            ("Observation", "patient=Patient/p7&code=p7", "patient=Patient/rec&code=p7"),
            ("Observation", "patient=p7", "patient=rec"),
            ("Observation", "subject:Patient=p7", "subject:Patient=rec"),
            ("Observation", "subject=urn:uuid:1,Patient/p8", "subject=Patient/rec,Patient/p8"),
            ("Observation", "patient._id=p7", "patient._id=rec"),
            ("Observation", "patient.identifier=p7", "patient.identifier=p7"),
            ("Observation", "encounter=p7", "encounter=p7"),
            ("Observation", "_id=p7", "_id=p7"),
            ("Observation", "patient:missing=p7", "patient:missing=p7"),
            ("Patient", "_id=p7", "_id=rec"),
            ("Patient", "identifier=http://x.example|p7", "identifier=http://x.example|p7"),
        ] {
            assert_eq!(query_parameters(&right(kind, query)), query_parameters(expected), "{kind}?{query}");
        }
    }
}
