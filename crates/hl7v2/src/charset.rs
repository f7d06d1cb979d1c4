//! The character sets that British feeds use.

use std::borrow::Cow;

/// How a message's bytes spell text (MSH-18).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// `UNICODE UTF-8`.
    Utf8,
    /// `8859/1`, read as Windows-1252, which is what senders that say Latin-1 mean by the bytes 0x80 to 0x9F.
    Latin1,
    /// Nothing declared, or plain ASCII: UTF-8 where the bytes are valid UTF-8, otherwise as Latin-1.
    Unsaid,
}

/// The characters of Windows-1252 for the bytes 0x80 to 0x9F; unassigned bytes keep their code point.
const HIGH_CONTROLS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

impl Charset {
    /// The character set that MSH-18 names; one that is not known counts as unsaid.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name.trim() {
            "UNICODE UTF-8" | "UTF-8" => Self::Utf8,
            "8859/1" => Self::Latin1,
            _ => Self::Unsaid,
        }
    }

    /// The text that the bytes spell. Bytes that spell nothing become replacement characters.
    #[must_use]
    pub fn decode(self, bytes: Cow<'_, [u8]>) -> Cow<'_, str> {
        if bytes.is_ascii() || self == Self::Utf8 {
            return lossy(bytes);
        }
        if self == Self::Unsaid && std::str::from_utf8(&bytes).is_ok() {
            return lossy(bytes);
        }
        let character = |&byte: &u8| match byte {
            0x80..0xa0 => HIGH_CONTROLS[usize::from(byte - 0x80)],
            other => char::from(other),
        };
        Cow::Owned(bytes.iter().map(character).collect())
    }
}

fn lossy(bytes: Cow<'_, [u8]>) -> Cow<'_, str> {
    match bytes {
        Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
    }
}
