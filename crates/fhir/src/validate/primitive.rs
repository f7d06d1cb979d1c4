//! FHIR's primitive types: whether a value is written as its type wants. Each is one pass over the text, without a regular
//! expression.
//!
//! The rules are those of FHIR R4 §2.24.0.1 (the regular expressions and the sentences beside them). Where a sentence is
//! stricter than its expression the sentence counts: a date must be in the calendar, a `code` holds single spaces only,
//! base64 has its padding at the end.

use super::moment;
use crate::json::Kind;

/// The primitive types of FHIR R4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the FHIR type of that name")]
pub enum Primitive {
    Base64Binary,
    Boolean,
    Canonical,
    Code,
    Date,
    DateTime,
    Decimal,
    Id,
    Instant,
    Integer,
    Markdown,
    Oid,
    PositiveInt,
    String,
    Time,
    UnsignedInt,
    Uri,
    Url,
    Uuid,
    Xhtml,
}

/// The longest string, in characters: FHIR R4 §2.24.0.1 allows 1 MB.
const LONGEST: usize = 1_048_576;

impl Primitive {
    /// All of them, by name.
    pub const ALL: [(&'static str, Self); 20] = [
        ("base64Binary", Self::Base64Binary),
        ("boolean", Self::Boolean),
        ("canonical", Self::Canonical),
        ("code", Self::Code),
        ("date", Self::Date),
        ("dateTime", Self::DateTime),
        ("decimal", Self::Decimal),
        ("id", Self::Id),
        ("instant", Self::Instant),
        ("integer", Self::Integer),
        ("markdown", Self::Markdown),
        ("oid", Self::Oid),
        ("positiveInt", Self::PositiveInt),
        ("string", Self::String),
        ("time", Self::Time),
        ("unsignedInt", Self::UnsignedInt),
        ("uri", Self::Uri),
        ("url", Self::Url),
        ("uuid", Self::Uuid),
        ("xhtml", Self::Xhtml),
    ];

    /// The type of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(other, _)| *other == name).map(|&(_, primitive)| primitive)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|&&(_, other)| other == self).map_or("", |&(name, _)| name)
    }

    /// How JSON writes it.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Boolean => Kind::Bool,
            Self::Decimal | Self::Integer | Self::PositiveInt | Self::UnsignedInt => Kind::Number,
            _ => Kind::String,
        }
    }

    /// What is wrong with a value of this type, as words that complete "`x` is not a date: …", or `None` if nothing is.
    /// For a string `text` is what it says, escapes resolved; for a number or a boolean it is the JSON text.
    ///
    /// `Xhtml` is looked at by [`super::xhtml`]; here it only must not be empty.
    #[must_use]
    #[inline]
    pub fn fault(self, text: &str) -> Option<&'static str> {
        let bytes = text.as_bytes();
        match self {
            Self::String | Self::Markdown | Self::Xhtml => characters(text),
            Self::Code => code(text),
            Self::Uri | Self::Url | Self::Canonical => uri(text),
            Self::Id => id(bytes),
            Self::DateTime => moment::date_time(bytes),
            Self::Date => moment::date(bytes),
            Self::Instant => moment::instant(bytes),
            Self::Time => moment::time(bytes),
            Self::Decimal => decimal(bytes),
            Self::Integer => integer(bytes, Sign::Any),
            Self::UnsignedInt => integer(bytes, Sign::NotNegative),
            Self::PositiveInt => integer(bytes, Sign::Positive),
            Self::Boolean => (!matches!(text, "true" | "false")).then_some("write true or false"),
            Self::Base64Binary => base64(bytes),
            Self::Oid => oid(bytes),
            Self::Uuid => uuid(bytes),
        }
    }
}

/// `[ \r\n\t\S]+`, no control character, at most 1 MB.
#[inline]
fn characters(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("it is empty; leave the element out");
    }
    if text.bytes().any(|byte| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) {
        return Some("it holds a control character; only tab and line ends are allowed");
    }
    if text.len() > LONGEST && text.chars().count() > LONGEST {
        return Some("it is longer than 1,048,576 characters");
    }
    None
}

/// `[^\s]+(\s[^\s]+)*`, where the white space is a single space.
#[inline]
fn code(text: &str) -> Option<&'static str> {
    if text.bytes().all(|byte| byte > 0x20 && byte < 0x7f) {
        return text.is_empty().then_some("it is empty; leave the element out");
    }
    let mut after_space = true;
    for character in text.chars() {
        if character != ' ' && (character.is_whitespace() || character < ' ') {
            return Some("a code holds no white space but single spaces");
        }
        if character == ' ' && after_space {
            return Some("a code has no space at its start and no two in a row");
        }
        after_space = character == ' ';
    }
    after_space.then_some("a code has no space at its end")
}

/// `\S*`; an empty one says nothing.
#[inline]
fn uri(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("it is empty; leave the element out");
    }
    if text.bytes().all(|byte| byte > 0x20 && byte < 0x7f) {
        return None;
    }
    let unfit = text.chars().any(|character| character.is_whitespace() || character < ' ');
    unfit.then_some("an address holds no white space; write a space as %20")
}

/// `[A-Za-z0-9\-\.]{1,64}`
#[inline]
fn id(bytes: &[u8]) -> Option<&'static str> {
    let fits = (1..=64).contains(&bytes.len())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
    (!fits).then_some("an id is 1 to 64 letters A to Z, digits, hyphens and full stops")
}

/// `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`, which is what JSON calls a number.
#[inline]
fn decimal(bytes: &[u8]) -> Option<&'static str> {
    let fits = crate::json::number_end(bytes, 0) == Some(bytes.len());
    (!fits).then_some("write a decimal number such as 1.50")
}

#[derive(Clone, Copy)]
enum Sign {
    Any,
    NotNegative,
    Positive,
}

/// `-?([0]|([1-9][0-9]*))` within 32 bits, and its relatives.
#[inline]
fn integer(bytes: &[u8], sign: Sign) -> Option<&'static str> {
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) || digits.len() > 1 && digits[0] == b'0' {
        return Some("write a whole number, without a point or an exponent");
    }
    let negative = digits.len() < bytes.len();
    let number = digits.iter().take(12).fold(0i64, |number, digit| number * 10 + i64::from(digit - b'0'));
    let number = if negative { -number } else { number };
    if i32::try_from(number).is_err() {
        return Some("it is beyond 32 bits (-2147483648 to 2147483647)");
    }
    match sign {
        Sign::NotNegative if negative => Some("write 0 or more"),
        Sign::Positive if number < 1 || negative => Some("write 1 or more"),
        _ => None,
    }
}

/// RFC 4648 §4 with white space between its characters.
fn base64(bytes: &[u8]) -> Option<&'static str> {
    const PROBLEM: &str = "it is not base64: groups of four of A-Z, a-z, 0-9, + and /, padded with =";
    let (mut digits, mut padding) = (0usize, 0usize);
    for byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' if padding == 0 => digits += 1,
            b'=' => padding += 1,
            b' ' | b'\t' | b'\n' | b'\r' => {}
            _ => return Some(PROBLEM),
        }
    }
    let fits = digits > 0 && padding <= 2 && (digits + padding).is_multiple_of(4);
    (!fits).then_some(PROBLEM)
}

/// `urn:oid:[0-2](\.(0|[1-9][0-9]*))+`
pub(super) fn oid(bytes: &[u8]) -> Option<&'static str> {
    let arcs = |rest: &[u8]| {
        let mut parts = rest.split(|&byte| byte == b'.');
        let root = parts.next().is_some_and(|root| matches!(root, b"0" | b"1" | b"2"));
        let mut count = 0;
        let plain = parts.all(|arc| {
            count += 1;
            !arc.is_empty() && arc.iter().all(u8::is_ascii_digit) && (arc.len() == 1 || arc[0] != b'0')
        });
        root && plain && count > 0
    };
    let fits = bytes.strip_prefix(b"urn:oid:").is_some_and(arcs);
    (!fits).then_some("write an OID as urn:oid: and numbers with full stops, such as urn:oid:1.2.3")
}

/// `urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`
pub(super) fn uuid(bytes: &[u8]) -> Option<&'static str> {
    let groups = |rest: &[u8]| {
        rest.len() == 36
            && rest.iter().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => *byte == b'-',
                _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            })
    };
    let fits = bytes.strip_prefix(b"urn:uuid:").is_some_and(groups);
    (!fits).then_some("write a UUID as urn:uuid: and 36 characters in lower case")
}
