//! The text of a query: percent-encoding, and FHIR's escapes inside values (R4 §3.1.1.5.2).

/// A parameter as it was sent, decoded but not taken apart.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) name: String,
    pub(super) value: String,
}

/// Takes a query apart; the error is the piece that is not percent-encoded UTF-8.
pub(super) fn pairs(query: &str) -> impl Iterator<Item = Result<Pair, &str>> {
    query.split('&').filter(|piece| !piece.is_empty()).map(|piece| {
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        let pair = decoded(name).zip(decoded(value));
        pair.map(|(name, value)| Pair { name, value }).ok_or(piece)
    })
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// Appends a text so that it may stand in a query (RFC 3986 §3.4). What FHIR itself uses as punctuation stays readable,
/// apart from `|`, which an address may not have.
pub fn push_encoded(out: &mut String, text: &str) {
    for byte in text.bytes() {
        let is_plain = byte.is_ascii_alphanumeric() || b"-._~:/,$*@!()';".contains(&byte);
        if is_plain {
            out.push(char::from(byte));
        } else {
            const HEX: [u8; 16] = *b"0123456789ABCDEF";
            let digit = |nibble: u8| char::from(HEX[usize::from(nibble & 15)]);
            out.extend(['%', digit(byte >> 4), digit(byte)]);
        }
    }
}

/// The parts of a value between marks that are not escaped, escapes still in them.
pub(super) fn split(value: &str, mark: char) -> impl Iterator<Item = &str> {
    let mut escaped = false;
    value.split(move |c| {
        let splits = c == mark && !escaped;
        escaped = c == '\\' && !escaped;
        splits
    })
}

/// A part of a value without its escapes: `\,` `\$` `\|` `\\`.
pub(super) fn unescaped(part: &str) -> String {
    let mut out = String::with_capacity(part.len());
    let mut rest = part.chars();
    while let Some(c) = rest.next() {
        match (c, rest.clone().next()) {
            ('\\', Some(next @ (',' | '$' | '|' | '\\'))) => {
                out.push(next);
                rest.next();
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(query: &str) -> Vec<(String, String)> {
        pairs(query).map(|pair| pair.map(|it| (it.name, it.value)).unwrap()).collect()
    }

    #[test]
    fn search_values_are_percent_decoded() {
        assert_eq!(
            read("name=J%C3%B6rg+M&code=http%3A%2F%2Floinc.org%7C1&&flag&a=b=c"),
            [("name", "Jörg M"), ("code", "http://loinc.org|1"), ("flag", ""), ("a", "b=c")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        for broken in ["a=%", "a=%4", "a=%zz", "a=%ff", "%c3=1"] {
            assert!(pairs(broken).next().unwrap().is_err(), "{broken}");
        }
    }

    #[test]
    fn search_values_are_split_where_the_mark_is_not_escaped() {
        let parts = |value, mark| split(value, mark).map(unescaped).collect::<Vec<_>>();
        assert_eq!(parts(r"a\,b,c", ','), ["a,b", "c"]);
        assert_eq!(parts(r"a\\,b", ','), [r"a\", "b"]);
        assert_eq!(parts(r"a\|b|c\$d", '|'), ["a|b", "c$d"]);
        assert_eq!(parts(r"x\y\", ','), [r"x\y\"]);
        assert_eq!(parts("", ','), [""]);
    }

    proptest! {
        #[test]
        fn what_is_encoded_reads_back(text in ".*") {
            let mut out = String::new();
            push_encoded(&mut out, &text);
            prop_assert_eq!(decoded(&out), Some(text));
        }

        #[test]
        fn no_query_panics(query in "[a-z=&%+\\\\,|$0-9]{0,60}|.*") {
            for pair in pairs(&query).flatten() {
                let _ = split(&pair.value, ',').map(unescaped).count();
            }
        }
    }
}
