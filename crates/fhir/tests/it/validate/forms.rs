//! The forms of primitive values.

use keepwell_fhir::definitions::r4;
use keepwell_fhir::json::Kind;
use keepwell_fhir::validate::Primitive;
use proptest::prelude::*;
use regex::Regex;

/// The specification's own expression for a primitive, anchored.
fn expression(name: &str) -> Option<Regex> {
    let pattern = r4().type_named(name)?.pattern.as_deref()?;
    Some(Regex::new(&format!("^(?:{pattern})$")).unwrap())
}

fn is_fine(name: &str, text: &str) -> bool {
    Primitive::named(name).unwrap().fault(text).is_none()
}

#[test]
fn every_primitive_of_the_definitions_is_known() {
    for definition in r4().types().filter(|it| it.kind == keepwell_fhir::definitions::TypeKind::Primitive) {
        assert!(Primitive::named(&definition.name).is_some(), "{}", definition.name);
    }
    for (name, primitive) in Primitive::ALL {
        assert_eq!(primitive.name(), name);
        assert!(matches!(primitive.kind(), Kind::Bool | Kind::Number | Kind::String));
    }
    assert_eq!(Primitive::named("HumanName"), None);
}

#[test]
fn what_is_written_as_the_specification_says_is_fine() {
    for (name, texts) in [
        ("base64Binary", &["AAAA", "AA==", "A A A =", "YW\nJj"][..]),
        ("boolean", &["true", "false"]),
        ("canonical", &["http://a.b/c|1.0", "#x"]),
        ("code", &["a", "a b c", "é", "in-progress"]),
        ("date", &["2026", "2026-11", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"]),
        ("dateTime", &["2026", "2026-11", "2026-11-23", "2026-11-23T00:00:00Z", "2016-12-31T23:59:60.123456789-14:00"]),
        ("decimal", &["0", "-0", "1.50", "1E400", "-12.5e-3", "0.00"]),
        ("id", &["a", "A-1.b"]),
        ("instant", &["2026-11-23T09:30:00Z", "2026-11-23T09:30:00.1+13:59"]),
        ("integer", &["0", "-1", "2147483647", "-2147483648", "-0"]),
        ("markdown", &["# a\n\tb"]),
        ("oid", &["urn:oid:1.2.3", "urn:oid:2.0", "urn:oid:0.10"]),
        ("positiveInt", &["1", "2147483647"]),
        ("string", &["a", " ", "𝄞", "a\r\n\tb"]),
        ("time", &["00:00:00", "23:59:60", "09:30:00.5"]),
        ("unsignedInt", &["0", "5"]),
        ("uri", &["a", "urn:x", "http://é"]),
        ("url", &["mailto:a@b.c"]),
        ("uuid", &["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"]),
    ] {
        for text in texts {
            assert_eq!(Primitive::named(name).unwrap().fault(text), None, "{name} {text:?}");
        }
    }
}

#[test]
fn words_may_hold_spaces_and_line_ends_beyond_ascii() {
    for name in ["string", "markdown"] {
        for text in ["5\u{a0}mg", "\u{a0}", "\u{85}", "a\u{2028}b"] {
            assert!(is_fine(name, text), "{name} {text:?}");
            agrees(text).unwrap();
        }
    }
}

#[test]
fn what_is_written_otherwise_is_told() {
    for (name, texts) in [
        ("base64Binary", &["", "A", "AAA", "=AAA", "AA=A", "A===", "AAAA=", "AA-_", "AAA\u{e9}"][..]),
        ("boolean", &["", "True", "1"]),
        ("canonical", &["", "a b", "\u{a0}"]),
        ("code", &["", " a", "a ", "a  b", "a\tb", "a\nb", "\u{a0}"]),
        ("date", &["", "26", "0000", "2026-13", "2026-00", "2026-02-29", "1900-02-29", "2026-04-31", "2026-1-1"]),
        ("date", &["2026-11-23T00:00:00Z", "2026/11", "2026-11-00", "20261123", "２０２６"]),
        ("dateTime", &["2026-11-23T09:30Z", "2026-11-23T09:30:00", "2026-11-23T24:00:00Z", "2026-11-23 09:30:00Z"]),
        (
            "dateTime",
            &["2026-11-23T09:30:00.Z", "2026-11-23T09:30:00+14:01", "2026-11-23T09:30:61Z", "2026-02-30T00:00:00Z"],
        ),
        ("decimal", &["", ".5", "1.", "01", "+1", "1e", "NaN"]),
        ("id", &["", "a_b", "a b", "12345678901234567890123456789012345678901234567890123456789012345"]),
        ("instant", &["2026-11-23", "2026-11-23T09:30:00"]),
        ("integer", &["", "-", "1.0", "1e2", "01", "2147483648", "-2147483649", "99999999999999999999"]),
        ("markdown", &["", "\u{0}"]),
        ("oid", &["", "1.2.3", "urn:oid:3.1", "urn:oid:1", "urn:oid:1.02", "urn:oid:1.", "urn:oid:1..2"]),
        ("positiveInt", &["0", "-1", "2147483648"]),
        ("string", &["", "a\u{1}"]),
        ("time", &["9:30:00", "09:30", "24:00:00", "09:30:00Z"]),
        ("unsignedInt", &["-1", "-0"]),
        ("uri", &["", "a b", "a\u{2028}b"]),
        ("uuid", &["c757873d-ec9a-4326-a141-556f43239520", "urn:uuid:C757873D-ec9a-4326-a141-556f43239520"]),
    ] {
        for text in texts {
            assert!(!is_fine(name, text), "{name} {text:?}");
        }
    }
}

/// The form, and what the sentences beside it add: the calendar, 32 bits, single spaces, base64's padding, no control
/// characters.
fn expected(name: &str, text: &str, form: &Regex) -> Option<bool> {
    // The expression of base64 does not let white space stand inside a group; readers do.
    let plain = |text: &str| text.chars().filter(|it| !matches!(it, ' ' | '\t' | '\n' | '\r')).collect::<String>();
    // White space there means that of ASCII: words hold no-break spaces, and the engine that HL7's own validator is written for
    // takes them.
    let words =
        |text: &str| text.chars().map(|it| if !it.is_ascii() && it.is_whitespace() { 'x' } else { it }).collect();
    let read = match name {
        "base64Binary" => plain(text),
        "string" | "markdown" => words(text),
        _ => text.to_owned(),
    };
    if !form.is_match(&read) {
        return Some(false);
    }
    let stricter = match name {
        "date" | "dateTime" | "instant" => return None,
        "code" | "uri" | "url" | "canonical" | "string" | "markdown" => {
            let line = |it| matches!(name, "string" | "markdown") && matches!(it, '\t' | '\n' | '\r');
            let unfit = |it: char| {
                it.is_control() && it < ' ' && !line(it) || name == "code" && it != ' ' && it.is_whitespace()
            };
            text.is_empty() || text.chars().any(unfit)
        }
        "integer" | "positiveInt" | "unsignedInt" => text.parse::<i32>().is_err(),
        "base64Binary" => {
            let plain = plain(text);
            let digits = plain.trim_end_matches('=');
            digits.is_empty() || digits.contains('=') || plain.len() - digits.len() > 2
        }
        _ => false,
    };
    Some(!stricter)
}

const NAMES: [&str; 19] = [
    "base64Binary",
    "boolean",
    "canonical",
    "code",
    "date",
    "dateTime",
    "decimal",
    "id",
    "instant",
    "integer",
    "markdown",
    "oid",
    "positiveInt",
    "string",
    "time",
    "unsignedInt",
    "uri",
    "url",
    "uuid",
];

fn agrees(text: &str) -> Result<(), TestCaseError> {
    for name in NAMES {
        let Some(form) = expression(name) else { continue };
        let ours = is_fine(name, text);
        match expected(name, text, &form) {
            Some(expected) => prop_assert_eq!(ours, expected, "{} {:?}", name, text),
            None => prop_assert!(!ours || form.is_match(text), "{} {:?}", name, text),
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn scanners_agree_with_the_expressions_of_the_specification(text in prop_oneof![
        ".{0,12}",
        "[-0-9TZ:.+]{0,30}",
        "[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-2][0-9]:[0-5][0-9]:[0-6][0-9](\\.[0-9]{1,3})?(Z|[+-][01][0-9]:[0-5][0-9])?)?",
        "[0-2][0-9]:[0-5][0-9]:[0-6][0-9](\\.[0-9]{0,3})?",
        "-?[0-9]{1,12}",
        "-?[0-9]{1,3}(\\.[0-9]{0,3})?([eE][+-]?[0-9]{0,2})?",
        "urn:oid:[0-3](\\.[0-9]{1,3}){0,4}",
        "urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-fA]{4}-[0-9a-f]{12}",
        "[A-Za-z0-9+/= \n]{0,12}",
        "[a-z \t]{0,8}",
        "[A-Za-z0-9.\\-]{0,70}",
    ]) {
        agrees(&text)?;
    }

    #[test]
    fn a_date_is_fine_exactly_if_the_calendar_has_it(year in 0i16..=9999, month in 0i8..=14, day in 0i8..=33) {
        let text = format!("{year:04}-{month:02}-{day:02}");
        // Zeller's count of days, written down again: the month's length, and leap years.
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let longest = match month { 1 | 3 | 5 | 7 | 8 | 10 | 12 => 31, 4 | 6 | 9 | 11 => 30, 2 if leap => 29, 2 => 28, _ => 0 };
        let there = year > 0 && day >= 1 && day <= longest;
        prop_assert_eq!(is_fine("date", &text), there);
        prop_assert_eq!(is_fine("dateTime", &text), there);
        prop_assert_eq!(is_fine("instant", &format!("{text}T00:00:00Z")), there);
        let form = expression("date").unwrap();
        prop_assert!(!there || form.is_match(&text));
    }
}
