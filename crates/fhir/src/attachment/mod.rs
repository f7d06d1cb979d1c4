//! Attachments and Binaries: whether the bytes are what their declared type says, which types a browser may show, and
//! base64.
//!
//! The declared type decides how a file is shown later. A web page that says it is a picture would run in the name of
//! whoever opens it, so what is declared is checked against the first bytes where it comes in ([`check`]), and all but a
//! short list of harmless types is only ever offered for download ([`may_show_inline`]).

mod base64;
mod kind;

pub use base64::{Blocks, Decoder, NotBase64, blocks, decode, encode};
pub use kind::Kind;

use kind::Expected;

/// How long a declared type may be, its parameters included.
pub const MAX_TYPE: usize = 256;

/// The bytes are not what the declared type says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The declared type is no media type.
    #[error("the content type is not a media type such as 'application/pdf'")]
    NotAType,
    /// Another kind of content.
    #[error("the content type says {expected}, and the content is {found}")]
    Other {
        /// What the declared type stands for.
        expected: &'static str,
        /// What the bytes are.
        found: &'static str,
    },
    /// Declared as text, and the bytes are no text in UTF-8.
    #[error(
        "the content type says text, and the content is not text in UTF-8; send text in UTF-8 without NUL characters"
    )]
    NotText,
}

/// Whether the content can be what its declared type says. A type that Keepwell does not know is believed, unless it says
/// text, picture, sound or film and the content is plainly something else.
///
/// # Errors
/// [`Mismatch`] if the content is plainly something else.
pub fn check(declared: &str, bytes: &[u8]) -> Result<(), Mismatch> {
    let essence = essence(declared).ok_or(Mismatch::NotAType)?;
    let found = Kind::of(bytes);
    let words = found.map_or("not of that kind", Kind::words);
    match Expected::of(&essence) {
        Expected::Anything => Ok(()),
        Expected::Kinds(expected, kinds) => {
            if found.is_some_and(|found| kinds.contains(&found)) {
                kind::inside(&essence, bytes).map_err(|found| Mismatch::Other { expected, found })
            } else {
                Err(Mismatch::Other { expected, found: words })
            }
        }
        Expected::Text { expected, kinds, first } => {
            let text = std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0')).ok_or(Mismatch::NotText)?;
            let start = text.trim_start_matches('\u{feff}').trim_start();
            let starts = first.is_empty() || start.starts_with(first);
            match found {
                Some(found) if !kinds.contains(&found) => Err(Mismatch::Other { expected, found: found.words() }),
                _ if starts => Ok(()),
                _ => Err(Mismatch::Other { expected, found: "not of that kind" }),
            }
        }
        Expected::Media(expected) => match found {
            Some(found) if !found.is_media() => Err(Mismatch::Other { expected, found: found.words() }),
            _ => Ok(()),
        },
    }
}

/// Whether a browser may show the content in a page or a tab, once [`check`] has passed. Everything else is offered for
/// download only: what can hold script (HTML, XHTML, SVG, XML, MathML, JavaScript), and what no browser shows anyway.
#[must_use]
pub fn may_show_inline(declared: &str) -> bool {
    const SHOWN: [&str; 11] = [
        "application/pdf",
        "audio/mp4",
        "audio/mpeg",
        "audio/ogg",
        "audio/wav",
        "image/gif",
        "image/jpeg",
        "image/png",
        "image/webp",
        "text/plain",
        "video/mp4",
    ];
    essence(declared).is_some_and(|essence| SHOWN.contains(&&*essence))
}

/// The type and subtype of a media type, in lower case and without its parameters; `None` if it is no media type
/// (RFC 6838 §4.2).
#[must_use]
pub fn essence(declared: &str) -> Option<String> {
    if declared.len() > MAX_TYPE {
        return None;
    }
    let essence = declared.split(';').next()?.trim().to_ascii_lowercase();
    let name =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b));
    let (kind, subtype) = essence.split_once('/')?;
    (name(kind) && name(subtype)).then_some(essence)
}
