//! Changes to a compact document as bytes put in the place of other bytes.

use std::ops::Range;

use crate::json::{Kind, Node};

/// Bytes to put where others were.
pub(super) type Splice = (Range<usize>, Vec<u8>);

/// Where `node` stands in the document that it is a part of.
fn place(document: &[u8], node: Node<'_>) -> Option<Range<usize>> {
    node.place_in(document)
}

/// Puts `value` in the place of a value.
pub(super) fn replace(document: &[u8], node: Node<'_>, value: &str) -> Option<Splice> {
    Some((place(document, node)?, value.as_bytes().to_vec()))
}

/// Sets a member of an object: in its place where it is there, at the end otherwise.
pub(super) fn set_member(document: &[u8], object: Node<'_>, name: &str, value: &str) -> Option<Splice> {
    if let Some(old) = object.get(name) {
        return replace(document, old, value);
    }
    let end = place(document, object)?.end.checked_sub(1)?;
    let comma = if object.raw() == "{}" { "" } else { "," };
    Some((end..end, format!("{comma}\"{name}\":{value}").into_bytes()))
}

/// Removes a member of an object, and one comma with it.
pub(super) fn remove_member(document: &[u8], object: Node<'_>, name: &str) -> Option<Splice> {
    let value = place(document, object.get(name)?)?;
    // The name, its quotes and the colon stand before the value.
    let start = value.start.checked_sub(name.len() + 3)?;
    Some((with_comma(document, start..value.end), Vec::new()))
}

/// Puts a value before the item at `index`, or after the last one; `None` if the array is shorter.
pub(super) fn insert_item(document: &[u8], array: Node<'_>, index: usize, value: &str) -> Option<Splice> {
    if array.kind() != Kind::Array {
        return None;
    }
    let mut count = 0;
    for item in array.items() {
        if count == index {
            let start = place(document, item)?.start;
            return Some((start..start, format!("{value},").into_bytes()));
        }
        count += 1;
    }
    let end = place(document, array)?.end.checked_sub(1)?;
    let comma = if count == 0 { "" } else { "," };
    (index == count).then(|| (end..end, format!("{comma}{value}").into_bytes()))
}

/// Removes the item at `index`, and one comma with it.
pub(super) fn remove_item(document: &[u8], array: Node<'_>, index: usize) -> Option<Splice> {
    let item = array.items().nth(index)?;
    Some((with_comma(document, place(document, item)?), Vec::new()))
}

/// A member's or an item's place and that of the comma after it or, if it is the last, before it.
fn with_comma(document: &[u8], place: Range<usize>) -> Range<usize> {
    if document.get(place.end) == Some(&b',') {
        return place.start..place.end + 1;
    }
    match place.start.checked_sub(1) {
        Some(before) if document.get(before) == Some(&b',') => before..place.end,
        _ => place,
    }
}
