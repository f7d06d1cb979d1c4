//! What is wrong with a text that is not acceptable JSON, and where.

/// Why a text is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// Nothing but white space.
    #[error("there is nothing here; send a JSON document")]
    Empty,
    /// More than 4 GiB.
    #[error("the document is longer than 4 GiB")]
    TooLong,
    /// Not UTF-8.
    #[error("this is not UTF-8 text; FHIR JSON is always UTF-8")]
    NotUtf8,
    /// A byte order mark before the document.
    #[error("the document starts with a byte order mark; leave it out")]
    ByteOrderMark,
    /// The text ends in the middle of something.
    #[error("the document ends too early")]
    Unfinished,
    /// A value was expected.
    #[error("expected a value")]
    Value,
    /// A property name was expected.
    #[error("expected a property name in double quotes")]
    Name,
    /// A colon was expected.
    #[error("expected ':' after the property name")]
    Colon,
    /// A comma or the end of an object was expected.
    #[error("expected ',' or '}}'")]
    ObjectEnd,
    /// A comma or the end of an array was expected.
    #[error("expected ',' or ']'")]
    ArrayEnd,
    /// Something follows the document.
    #[error("there is something after the end of the document")]
    Trailing,
    /// A number that JSON does not allow.
    #[error("this is not a JSON number")]
    Number,
    /// A control character inside a string.
    #[error("a string holds a control character; write it as an escape such as \\n")]
    Control,
    /// An escape that JSON does not allow.
    #[error("this is not a JSON escape")]
    Escape,
    /// Half of a surrogate pair.
    #[error("half of a surrogate pair; write both halves or the character itself")]
    Surrogate,
    /// An escape in a property name. FHIR names never need one, and a name with two spellings could hide from a reader.
    #[error("a property name holds an escape; write FHIR property names plainly")]
    EscapedName,
    /// The same property twice in one object.
    #[error("the property '{0}' appears twice in one object; keep one")]
    Duplicate(String),
    /// Nested too deep.
    #[error("nested more than {} levels deep", super::MAX_DEPTH)]
    TooDeep,
    /// Too many properties in one object.
    #[error("more than {} properties in one object", super::MAX_MEMBERS)]
    TooManyMembers,
}

/// Why a text is refused, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} (line {line}, column {column})")]
pub struct JsonError {
    /// Why.
    pub reason: Reason,
    /// Bytes before the place.
    pub offset: usize,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl JsonError {
    pub(crate) fn at(input: &[u8], offset: usize, reason: Reason) -> Self {
        let before = &input[..offset.min(input.len())];
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        let line = 1 + memchr::memchr_iter(b'\n', before).count();
        let column = 1 + String::from_utf8_lossy(&before[line_start..]).chars().count();
        Self { reason, offset, line, column }
    }
}
