//! The part of an address after the question mark.

use keepwell_fhir::search::push_encoded;

/// Names and values, decoded as forms write them. What is not UTF-8 is replaced: no name or value that means anything here
/// has such bytes.
#[must_use]
pub fn query_parameters(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

/// Names and values as they are written behind a place: nothing, or a question mark and the pairs.
pub(crate) fn written<'p>(parameters: impl IntoIterator<Item = (&'p str, &'p str)>) -> String {
    let mut out = String::new();
    for (name, value) in parameters {
        out.push(if out.is_empty() { '?' } else { '&' });
        push_encoded(&mut out, name);
        out.push('=');
        push_encoded(&mut out, value);
    }
    out
}

fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        let digit = |at: usize| char::from(*after.get(at)?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let (decoded, next) = match (byte, digit(0), digit(1)) {
            (b'+', ..) => (b' ', after),
            (b'%', Some(high), Some(low)) => (high * 16 + low, &after[2..]),
            _ => (*byte, after),
        };
        out.push(decoded);
        rest = next;
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_fits_into_an_address() {
        let pairs = [("a", "x|y"), ("b:c", "ä &=?#%"), ("d", "")];
        let text = written(pairs);
        assert!(text.bytes().all(|b| b.is_ascii_graphic() && !b"|\"<>\\^`{}".contains(&b)), "{text}");
        let expected = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(query_parameters(text.strip_prefix('?').unwrap()), expected);
        assert_eq!(written([]), "");
    }

    #[test]
    fn names_and_values_are_decoded() {
        let pairs = query_parameters("a=1&b=x%20y+z&&c&d=%FF&e=%3D%26&f=%2&g=%é");
        let expected =
            [("a", "1"), ("b", "x y z"), ("c", ""), ("d", "\u{fffd}"), ("e", "=&"), ("f", "%2"), ("g", "%é")];
        assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
