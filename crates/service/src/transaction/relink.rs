//! A `urn:` name holds inside one Bundle only. Where its resource has another name for good, references to it are written
//! with that name, as FHIR asks of a transaction; every other byte stays.

use std::collections::HashMap;

use bytes::Bytes;
use keepwell_fhir::json::{Node, push_string, string_end};

/// How a `urn:` reference, and the `urn:` address of an attachment, are spelt in compact JSON.
const URNS: [&[u8]; 2] = [br#""reference":"urn:"#, br#""url":"urn:"#];
/// The part of them that follows the string's opening quote.
const URN: usize = br#""urn:"#.len();

/// The resource with its references to renamed things rewritten; `None` if there are none.
pub(super) fn relink(body: &Bytes, renamed: &HashMap<String, String>) -> Option<Bytes> {
    let mut out = Vec::new();
    let mut from = 0;
    let places = URNS.iter().flat_map(|urn| memchr::memmem::find_iter(body, urn).map(|at| at + urn.len() - URN));
    let mut places: Vec<usize> = places.collect();
    places.sort_unstable();
    for start in places {
        let Some(end) = string_end(body, start) else { continue };
        let Some(name) = body.get(start..end).and_then(Node::new).and_then(Node::text) else { continue };
        if let Some(renamed) = renamed.get(name.as_ref()) {
            out.extend_from_slice(&body[from..start]);
            push_string(&mut out, renamed);
            from = end;
        }
    }
    if from == 0 {
        return None;
    }
    out.extend_from_slice(&body[from..]);
    Some(Bytes::from(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_references_to_renamed_things_change() {
        let renamed = HashMap::from([("urn:uuid:1".to_owned(), "Encounter/e".to_owned())]);
        let body = br#"{"a":{"reference":"urn:uuid:1"},"b":{"reference":"urn:uuid:2"},"c":"\"reference\":\"urn:uuid:1","n":1.50}"#;
        let out = relink(&Bytes::from_static(body), &renamed).unwrap();
        let expected = br#"{"a":{"reference":"Encounter/e"},"b":{"reference":"urn:uuid:2"},"c":"\"reference\":\"urn:uuid:1","n":1.50}"#;
        assert_eq!(out, &expected[..]);
        assert_eq!(relink(&Bytes::from_static(br#"{"b":{"reference":"urn:uuid:2"}}"#), &renamed), None);
    }
}
