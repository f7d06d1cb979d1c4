//! Whole numbers as people type them.

/// What a text is, read as a whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Typed {
    /// Nothing.
    Nothing,
    /// Not a whole number.
    Other,
    /// A whole number; one beyond what fits is as large as fits.
    Number(u32),
}

/// Reads digits with blanks around them. Fractions, signs and units are not guessed at.
pub(crate) fn typed(text: &str) -> Typed {
    let text = text.trim();
    if text.is_empty() {
        return Typed::Nothing;
    }
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return Typed::Other;
    }
    Typed::Number(text.parse().unwrap_or(u32::MAX))
}
