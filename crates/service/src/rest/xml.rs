//! FHIR XML at the edge: what comes in becomes the JSON that is kept, what goes out is written from it.

use bytes::Bytes;
use keepwell_fhir::definitions::r4;
use keepwell_fhir::json::Node;
use keepwell_fhir::outcome::{Issue, IssueCode, Outcome};
use keepwell_fhir::xml;
use keepwell_record::busy;

use crate::FhirError;

/// Documents with more bytes than this take a while to convert.
const LARGE: usize = 64 * 1024;

/// The JSON of a document that came as XML.
///
/// # Errors
/// 400 with line and column if it is not FHIR XML.
pub fn json_of_xml(document: &[u8]) -> Result<Bytes, FhirError> {
    let convert = || xml::read(document, r4());
    let converted = if document.len() < LARGE { convert() } else { busy(convert) };
    converted.map(Bytes::from).map_err(|error| FhirError::new(400, IssueCode::Structure, error.to_string()))
}

/// A JSON document of ours as XML; `for_people` lays it out.
///
/// # Errors
/// 406 if the document holds something that XML cannot say: an element that R4 does not define.
pub fn xml_of_json(document: &[u8], for_people: bool) -> Result<Bytes, FhirError> {
    let node =
        Node::new(document).ok_or_else(|| FhirError::new(500, IssueCode::Exception, "The answer is no text."))?;
    let write = if for_people { xml::write_pretty } else { xml::write };
    let convert = || write(node, r4());
    let converted = if document.len() < LARGE { convert() } else { busy(convert) };
    converted.map(Bytes::from).map_err(|error| {
        let words = format!("This cannot be written as XML ({error}). Ask for it as JSON.");
        FhirError::of(406, Outcome { issues: vec![Issue::error(IssueCode::NotSupported, words).at(error.path)] })
    })
}
