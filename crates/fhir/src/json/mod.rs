//! JSON as bytes: a strict one-pass compactor, and a cursor that reads compact documents without allocating.
//!
//! A document is checked once, where it enters ([`compact`]); from then on its compact bytes are trusted to be well
//! formed, and [`Node`] walks them. A `Node` over bytes that were never checked gives nonsense answers, never a panic.

mod compact;
mod error;
mod node;
mod number;
mod outline;
mod text;

pub use compact::{Checked, MAX_DEPTH, MAX_MEMBERS, check, compact};
pub use error::{JsonError, Reason};
pub use node::{Items, Kind, Members, Node};
pub use outline::{Fields, Outline};
pub use text::{push_string, quoted};

pub(crate) use node::value_end;
pub(crate) use number::number_end;
pub(crate) use text::{closing_quote, plain_end, unescape};

/// Where the string that opens at `at` ends, its closing quote included, in a checked document.
#[must_use]
pub fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    text::closing_quote(bytes, at + 1).map(|quote| quote + 1)
}

/// Whether a text is a number as JSON spells it.
#[must_use]
pub fn is_number(text: &str) -> bool {
    number::number_end(text.as_bytes(), 0) == Some(text.len())
}
