//! From a place in a compact document back to a line and a column of the document as it was sent.

/// A place in the document that was sent, as an editor counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineColumn {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// Where a byte of a document stands.
pub(crate) fn line_and_column_of(original: &[u8], at: usize) -> LineColumn {
    let before = &original[..at.min(original.len())];
    let line_start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
    let line = 1 + memchr::memchr_iter(b'\n', before).count();
    LineColumn { line, column: 1 + String::from_utf8_lossy(&before[line_start..]).chars().count() }
}

/// Where the byte at `place` of the compact document ([`crate::json::compact`]) stands in the `original` that it was made
/// from.
#[must_use]
pub fn line_and_column(original: &[u8], place: usize) -> LineColumn {
    lines_and_columns(original, &[place])[0]
}

/// The same for many places, in one walk over the original; the answers are in the order of `places`.
#[must_use]
pub fn lines_and_columns(original: &[u8], places: &[usize]) -> Vec<LineColumn> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by_key(|&index| places[index]);
    let mut wanted = order.into_iter().peekable();
    let mut found = vec![LineColumn { line: 1, column: 1 }; places.len()];
    let (mut compact, mut inside, mut escaped) = (0usize, false, false);
    let mut here = LineColumn { line: 1, column: 1 };
    for &byte in original {
        let kept = inside || !matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        if kept {
            while let Some(index) = wanted.next_if(|&index| places[index] <= compact) {
                found[index] = here;
            }
            if wanted.peek().is_none() {
                return found;
            }
            compact += 1;
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = inside,
                b'"' => inside = !inside,
                _ => {}
            }
        }
        if byte == b'\n' {
            here = LineColumn { line: here.line + 1, column: 1 };
        } else if byte & 0xc0 != 0x80 {
            here.column += 1;
        }
    }
    // A place after the end is where the end is.
    wanted.for_each(|index| found[index] = here);
    found
}
