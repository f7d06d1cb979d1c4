//! Whether two JSON documents say the same as FHIR JSON, number text included.

use std::fmt;

use crate::json::{Kind, Node};

/// Where and how two documents differ. Holds no content, so that a test's output or a log may show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The place, such as `$.component[1].valueQuantity.value`.
    pub path: String,
    /// What differs there.
    pub what: What,
}

/// What differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Only the left document has it.
    OnlyLeft,
    /// Only the right document has it.
    OnlyRight,
    /// The two values are of different kinds.
    Kind(Kind, Kind),
    /// Same kind, another value. `1.5` and `1.50` are two values.
    Value,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            What::OnlyLeft => write!(f, "{}: only on the left", self.path),
            What::OnlyRight => write!(f, "{}: only on the right", self.path),
            What::Kind(left, right) => write!(f, "{}: {left:?} on the left, {right:?} on the right", self.path),
            What::Value => write!(f, "{}: the values differ", self.path),
        }
    }
}

/// Whether two checked documents say the same: same members (in any order), same items in the same order, same strings
/// however escaped, same number text.
#[must_use]
pub fn same(left: Node<'_>, right: Node<'_>) -> bool {
    difference(left, right).is_none()
}

/// The first difference between two checked documents.
#[must_use]
pub fn difference(left: Node<'_>, right: Node<'_>) -> Option<Difference> {
    if left.raw() == right.raw() {
        return None;
    }
    let mut path = String::from("$");
    let what = find(left, right, &mut path)?;
    Some(Difference { path, what })
}

/// Finds the first difference and leaves its place in `path`.
fn find(left: Node<'_>, right: Node<'_>, path: &mut String) -> Option<What> {
    if left.raw() == right.raw() {
        return None;
    }
    match (left.kind(), right.kind()) {
        (Kind::Object, Kind::Object) => {
            let (ours, theirs) = (left.fields(), right.fields());
            for (name, value) in ours.iter() {
                let step = step_into(path, format_args!(".{name}"));
                match theirs.get(name) {
                    Some(other) => {
                        if let Some(what) = find(value, other, path) {
                            return Some(what);
                        }
                    }
                    None => return Some(What::OnlyLeft),
                }
                path.truncate(step);
            }
            let (name, _) = theirs.iter().find(|(name, _)| ours.get(name).is_none())?;
            step_into(path, format_args!(".{name}"));
            Some(What::OnlyRight)
        }
        (Kind::Array, Kind::Array) => {
            let (mut ours, mut theirs) = (left.items(), right.items());
            for index in 0.. {
                let step = step_into(path, format_args!("[{index}]"));
                match (ours.next(), theirs.next()) {
                    (Some(value), Some(other)) => {
                        if let Some(what) = find(value, other, path) {
                            return Some(what);
                        }
                    }
                    (Some(_), None) => return Some(What::OnlyLeft),
                    (None, Some(_)) => return Some(What::OnlyRight),
                    (None, None) => break,
                }
                path.truncate(step);
            }
            None
        }
        (Kind::String, Kind::String) if left.text() == right.text() => None,
        (ours, theirs) if ours != theirs => Some(What::Kind(ours, theirs)),
        _ => Some(What::Value),
    }
}

/// Lengthens the path and answers how long it was.
fn step_into(path: &mut String, step: fmt::Arguments<'_>) -> usize {
    let length = path.len();
    path.push_str(&step.to_string());
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(left: &str, right: &str) -> Option<String> {
        difference(Node::of_text(left), Node::of_text(right)).map(|it| it.to_string())
    }

    #[test]
    fn order_of_members_and_spelling_of_strings_do_not_count() {
        assert_eq!(first(r#"{"a":1,"b":"A/\n"}"#, r#"{"b":"\u0041\/\u000a","a":1}"#), None);
    }

    #[test]
    fn number_text_counts() {
        assert_eq!(first(r#"{"a":{"b":[0,1.50]}}"#, r#"{"a":{"b":[0,1.5]}}"#).unwrap(), "$.a.b[1]: the values differ");
        assert_eq!(first("[1e2]", "[100]").unwrap(), "$[0]: the values differ");
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(first(r#"{"a":1,"b":2}"#, r#"{"a":1}"#).unwrap(), "$.b: only on the left");
        assert_eq!(first(r#"{"a":1}"#, r#"{"b":2,"a":1}"#).unwrap(), "$.b: only on the right");
        assert_eq!(first("[1,[2,3]]", "[1,[2]]").unwrap(), "$[1][1]: only on the left");
        assert_eq!(first("[1]", "[1,null]").unwrap(), "$[1]: only on the right");
        assert_eq!(first(r#"{"a":"1"}"#, r#"{"a":1}"#).unwrap(), "$.a: String on the left, Number on the right");
    }
}
