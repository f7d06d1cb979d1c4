//! Whether two JSON values are equal as RFC 6902 §4.6 means it: numbers by what they are worth, not by how they are
//! written.

use crate::json::{Kind, Node};

/// Whether two values of checked documents are equal.
pub(super) fn equal(left: Node<'_>, right: Node<'_>) -> bool {
    if left.raw() == right.raw() {
        return true;
    }
    match (left.kind(), right.kind()) {
        (Kind::Object, Kind::Object) => {
            let (ours, theirs) = (left.fields(), right.fields());
            ours.iter().count() == theirs.iter().count()
                && ours.iter().all(|(name, value)| theirs.get(name).is_some_and(|other| equal(value, other)))
        }
        (Kind::Array, Kind::Array) => {
            let (mut ours, mut theirs) = (left.items(), right.items());
            loop {
                match (ours.next(), theirs.next()) {
                    (Some(value), Some(other)) if equal(value, other) => {}
                    (None, None) => return true,
                    _ => return false,
                }
            }
        }
        (Kind::String, Kind::String) => left.text() == right.text(),
        (Kind::Number, Kind::Number) => match (worth(left.raw()), worth(right.raw())) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => false,
        },
        _ => false,
    }
}

/// What a number is worth: its sign, its digits without zeros at either end, and the power of ten of the last of them.
/// `None` if the exponent is beyond all reason.
fn worth(number: &str) -> Option<(bool, String, i64)> {
    let (negative, number) = number.strip_prefix('-').map_or((false, number), |rest| (true, rest));
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let exponent: i64 = exponent.strip_prefix('+').unwrap_or(exponent).parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_end_matches('0');
    let dropped = digits.len() - significant.len();
    let significant = significant.trim_start_matches('0');
    if significant.is_empty() {
        return Some((false, String::new(), 0));
    }
    let power = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?.checked_add(i64::try_from(dropped).ok()?)?;
    Some((negative, significant.to_owned(), power))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_equal_by_value() {
        let same = |left, right| equal(Node::of_text(left), Node::of_text(right));
        for (left, right) in [
            ("1", "1.00"),
            ("1.50", "15e-1"),
            ("100", "1E+2"),
            ("0", "-0.000"),
            ("0e5", "0"),
            ("-120.0", "-1.2e2"),
            ("0.001", "1e-3"),
            ("123456789012345678901234567890", "123456789012345678901234567890.0"),
        ] {
            assert!(same(left, right), "{left} {right}");
        }
        for (left, right) in [
            ("1", "10"),
            ("1", "-1"),
            ("0.1", "0.10000000000000000001"),
            ("1", "\"1\""),
            ("1", "true"),
            ("1e9", "1e-9"),
        ] {
            assert!(!same(left, right), "{left} {right}");
        }
        assert!(same(r#"{"a":[1.0,"\u0041"],"b":null}"#, r#"{"b":null,"a":[1,"A"]}"#));
        assert!(!same(r#"{"a":1}"#, r#"{"a":1,"b":1}"#));
        assert!(!same("[1,2]", "[1]"));
        assert!(!same("1e99999999999999999999", "1e99999999999999999998"));
    }
}
