//! Text as searches compare it: without case, accents and punctuation (FHIR R4 §3.1.1.5.6).

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// A text without what a search does not look at. White space in a row counts as one blank; none stays at the ends.
pub(super) fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blank = false;
    let mut push = |c: char| {
        if c.is_whitespace() {
            blank = !out.is_empty();
            return;
        }
        if std::mem::take(&mut blank) {
            out.push(' ');
        }
        out.push(c);
    };
    if text.is_ascii() {
        for byte in text.bytes().filter(|it| it.is_ascii_alphanumeric() || it.is_ascii_whitespace()) {
            push(char::from(byte.to_ascii_lowercase()));
        }
        return out;
    }
    // Some letters are capitals only once they are taken apart, so case goes twice.
    let lower = text.chars().flat_map(char::to_lowercase);
    for c in lower.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        match c {
            'ß' => ['s', 's'].into_iter().for_each(&mut push),
            'æ' => ['a', 'e'].into_iter().for_each(&mut push),
            'œ' => ['o', 'e'].into_iter().for_each(&mut push),
            'þ' => ['t', 'h'].into_iter().for_each(&mut push),
            'ø' => push('o'),
            'đ' | 'ð' => push('d'),
            'ł' => push('l'),
            'ı' => push('i'),
            c if c.is_alphanumeric() || c.is_whitespace() => push(c),
            _ => {}
        }
    }
    out
}

/// Whether two codes are the same but for case.
pub(super) fn same_but_for_case(left: &str, right: &str) -> bool {
    if left.is_ascii() && right.is_ascii() {
        return left.eq_ignore_ascii_case(right);
    }
    left.chars().flat_map(char::to_lowercase).eq(right.chars().flat_map(char::to_lowercase))
}

/// A telephone number without the characters that people put in for reading.
pub(super) fn dialled(number: &str) -> impl Iterator<Item = char> + '_ {
    number.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '+').map(|c| c.to_ascii_lowercase())
}

/// The folded words of a text: runs of letters and digits.
pub(super) fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric() && !is_combining_mark(c))
        .map(folded)
        .filter(|word| !word.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn case_accents_and_punctuation_do_not_count() {
        for (text, plain) in [
            ("Rodríguez", "rodriguez"),
            ("  O'Neil-Smith\t JR. ", "oneilsmith jr"),
            ("Müller", "muller"),
            ("Strauß", "strauss"),
            ("Łukasz Żółć", "lukasz zolc"),
            ("Ærø", "aero"),
            ("ＡＢＣ", "abc"),
            ("Ольга", "ольга"),
            ("...", ""),
        ] {
            assert_eq!(folded(text), plain, "{text}");
        }
        assert_eq!(words("bone-marrow, (Liver)"), ["bone", "marrow", "liver"]);
        assert!(dialled("(0113) 555-0101").eq(dialled("0113 5550101")));
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in ".*") {
            let once = folded(&text);
            prop_assert_eq!(folded(&once), once.clone());
            prop_assert!(same_but_for_case(&text, &text));
        }
    }
}
