//! From a place in the JSON that a document became back to a line and a column of its XML.

use crate::validate::{LineColumn, line_and_column_of};

/// Which part of the JSON came from which tag.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// Where in the JSON something begins, and where its tag stands after what was skipped; in the order of the JSON.
    pub(super) marks: Vec<(usize, usize)>,
    /// The length of a byte order mark.
    pub(super) skipped: usize,
}

impl Places {
    /// Where the tags stand in the `original` that the bytes at `places` of the JSON came from, in one walk over it.
    #[must_use]
    pub fn lines_and_columns(&self, original: &[u8], places: &[usize]) -> Vec<LineColumn> {
        let tag = |place: usize| {
            let after = self.marks.partition_point(|(start, _)| *start <= place);
            self.marks[..after].last().map_or(0, |(_, at)| at + self.skipped)
        };
        let tags: Vec<usize> = places.iter().map(|&place| tag(place).min(original.len())).collect();
        let mut order: Vec<usize> = (0..tags.len()).collect();
        order.sort_by_key(|&index| tags[index]);
        let (mut so_far, mut here) = (0, LineColumn { line: 1, column: 1 });
        let mut found = vec![here; tags.len()];
        for index in order {
            let next = line_and_column_of(&original[so_far..], tags[index] - so_far);
            let column = if next.line == 1 { here.column + next.column - 1 } else { next.column };
            here = LineColumn { line: here.line + next.line - 1, column };
            (so_far, found[index]) = (tags[index], here);
        }
        found
    }
}
