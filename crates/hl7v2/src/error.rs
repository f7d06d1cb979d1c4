//! Why bytes are not a message.

/// Why bytes are not a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The bytes do not begin with an MSH segment.
    #[error("the message does not begin with MSH; send one message a frame, header first")]
    NoHeader,
    /// MSH-1 or MSH-2 is missing or cannot be used.
    #[error("MSH-1 and MSH-2 do not give five different separators, such as MSH|^~\\&")]
    Separators,
    /// A segment has no proper name.
    #[error("segment {0} does not begin with a name of three capital letters or digits and a separator")]
    SegmentName(usize),
    /// A second header: two messages sent as one.
    #[error("segment {0} is a second MSH; send one message a frame")]
    SecondHeader(usize),
}
