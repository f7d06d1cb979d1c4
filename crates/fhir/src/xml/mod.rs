//! FHIR XML (FHIR R4 §2.6.1) to our compact JSON and back, driven by the definitions.
//!
//! What is read is strict XML 1.0 in UTF-8 without a document type: there are no entities but the predefined ones, and
//! nothing is ever fetched or expanded. Comments and processing instructions are passed over. Numbers keep their text,
//! and a narrative (`div`) is kept byte for byte, white space and all; only line ends are made plain, as XML demands.
//! Elements come out in the order they were in; what R4 does not define is refused.

mod narrative;
mod place;
mod read;
mod text;
mod tokens;
mod write;

pub use place::Places;
pub use read::{read, read_placed};
pub use write::{Unwritable, write, write_pretty};

use crate::validate::{LineColumn, line_and_column_of};

/// The namespace of FHIR's elements.
const FHIR: &str = "http://hl7.org/fhir";
/// The namespace of a narrative.
const XHTML: &str = "http://www.w3.org/1999/xhtml";

/// Why a document is refused, and where. The words name elements, never what they hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{words} (line {line}, column {column})")]
pub struct XmlError {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong and what to do, for people.
    pub words: String,
}

/// A fault and the byte where it is.
#[derive(Debug)]
struct Fault {
    at: usize,
    words: String,
}

impl Fault {
    fn new(at: usize, words: impl Into<String>) -> Self {
        Self { at, words: words.into() }
    }

    fn placed(self, input: &[u8]) -> XmlError {
        let LineColumn { line, column } = line_and_column_of(input, self.at);
        XmlError { line, column, words: self.words }
    }
}

/// A name from a document, as it may be told: not too much of it.
fn shown(name: &str) -> &str {
    name.char_indices().nth(64).map_or(name, |(at, _)| &name[..at])
}
