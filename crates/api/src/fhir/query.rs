//! The part of an address after the question mark.

use percent_encoding::percent_decode_str;

/// Names and values, decoded as forms write them. What is not UTF-8 is replaced: no name or value that means anything here
/// has such bytes.
pub(super) fn parameters(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_decoded() {
        let pairs = parameters("a=1&b=x%20y+z&&c&d=%FF&e=%3D%26");
        let expected = [("a", "1"), ("b", "x y z"), ("c", ""), ("d", "\u{fffd}"), ("e", "=&")];
        assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
