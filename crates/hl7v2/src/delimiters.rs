//! The five characters that take a message apart.

use crate::error::ParseError;

/// The separators that a message declares in MSH-1 and MSH-2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delimiters {
    /// Between fields, `|`.
    pub field: u8,
    /// Between components, `^`.
    pub component: u8,
    /// Between repetitions, `~`.
    pub repetition: u8,
    /// Around escapes, `\`.
    pub escape: u8,
    /// Between subcomponents, `&`.
    pub subcomponent: u8,
    /// Marks a shortened value, `#` (since 2.7).
    pub truncation: Option<u8>,
}

impl Delimiters {
    /// `|^~\&`, which nearly everybody uses.
    pub const STANDARD: Self =
        Self { field: b'|', component: b'^', repetition: b'~', escape: b'\\', subcomponent: b'&', truncation: None };

    /// The separators of the header that `bytes` begin with.
    pub(crate) fn of_header(bytes: &[u8]) -> Result<Self, ParseError> {
        let [field, rest @ ..] = bytes.get(3..).ok_or(ParseError::NoHeader)? else {
            return Err(ParseError::Separators);
        };
        let end = rest.iter().position(|b| b == field || matches!(b, b'\r' | b'\n')).unwrap_or(rest.len());
        let (component, repetition, escape, subcomponent, truncation) = match rest[..end] {
            [c, r, e, s] => (c, r, e, s, None),
            [c, r, e, s, t] => (c, r, e, s, Some(t)),
            _ => return Err(ParseError::Separators),
        };
        let all = [Some(*field), Some(component), Some(repetition), Some(escape), Some(subcomponent), truncation];
        let usable = all.iter().flatten().all(u8::is_ascii_punctuation);
        let different = all.iter().enumerate().all(|(at, one)| one.is_none() || !all[..at].contains(one));
        if !usable || !different {
            return Err(ParseError::Separators);
        }
        Ok(Self { field: *field, component, repetition, escape, subcomponent, truncation })
    }
}
