//! From a place in the compact bytes to a line and a column of what was sent.

use keepwell_fhir::json::{compact, push_string};
use keepwell_fhir::validate::{LineColumn, line_and_column, lines_and_columns};
use proptest::prelude::*;

#[test]
fn a_place_is_told_as_an_editor_counts() {
    let original = "{\n  \"é\": \"a \\\" b\",\r\n\t\"x\" : [1 ,\n 22]\n}\n";
    let compact = String::from_utf8(compact(original.as_bytes()).unwrap()).unwrap();
    let at = |part: &str| {
        let LineColumn { line, column } = line_and_column(original.as_bytes(), compact.find(part).unwrap());
        (line, column)
    };
    assert_eq!(at("{"), (1, 1));
    assert_eq!(at("\"é"), (2, 3));
    assert_eq!(at("\"a"), (2, 8));
    assert_eq!(at("b\""), (2, 14));
    assert_eq!(at("\"x\""), (3, 2));
    assert_eq!(at("1"), (3, 9));
    assert_eq!(at("22"), (4, 2));
    let end = line_and_column(original.as_bytes(), 1_000);
    assert_eq!((end.line, end.column), (6, 1));
    assert_eq!(line_and_column(b"", 0), LineColumn { line: 1, column: 1 });
}

proptest! {
    #[test]
    fn every_byte_that_stays_is_found_again(
        words in prop::collection::vec("[a-z\\\\\"é \n]{0,6}", 1..6),
        spaces in prop::collection::vec("[ \n\t\r]{0,3}", 12),
    ) {
        let mut original = spaces[0].clone().into_bytes();
        original.push(b'[');
        for (at, word) in words.iter().enumerate() {
            if at > 0 {
                original.push(b',');
            }
            original.extend_from_slice(spaces[1 + at].as_bytes());
            push_string(&mut original, word);
            original.extend_from_slice(spaces[11 - at].as_bytes());
        }
        original.extend_from_slice(b"]\n");
        let compact = compact(&original).unwrap();
        let places: Vec<usize> = (0..compact.len()).rev().collect();
        let found = lines_and_columns(&original, &places);
        let text = String::from_utf8(original.clone()).unwrap();
        let lines: Vec<&str> = text.split('\n').collect();
        for (place, found) in places.into_iter().zip(found) {
            prop_assert_eq!(line_and_column(&original, place), found);
            // Continuation bytes have no place of their own.
            if compact[place] & 0xc0 != 0x80 {
                let there = lines[found.line - 1].chars().nth(found.column - 1).unwrap();
                let mut first = [0; 4];
                prop_assert_eq!(there.encode_utf8(&mut first).as_bytes()[0], compact[place]);
            }
        }
    }
}
