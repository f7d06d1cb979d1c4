//! A small JSON writer: text goes straight into one string, because building trees first would take most of the time.

use std::fmt::Write;

use crate::clock::{Day, Moment};

/// Writes one JSON text.
pub(crate) struct Json {
    out: String,
    comma: bool,
}

impl Json {
    /// An empty text with room for `capacity` bytes.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { out: String::with_capacity(capacity), comma: false }
    }

    /// The finished text.
    pub(crate) fn finish(self) -> String {
        self.out
    }

    fn next(&mut self) {
        if self.comma {
            self.out.push(',');
        }
        self.comma = true;
    }

    fn key(&mut self, key: &str) {
        self.next();
        self.out.push('"');
        self.out.push_str(key);
        self.out.push_str("\":");
    }

    fn quoted(&mut self, text: &str) {
        self.out.push('"');
        self.escaped(text);
        self.out.push('"');
    }

    fn escaped(&mut self, text: &str) {
        let mut plain = 0;
        for (at, byte) in text.bytes().enumerate() {
            if byte >= 0x20 && byte != b'"' && byte != b'\\' {
                continue;
            }
            self.out.push_str(&text[plain..at]);
            plain = at + 1;
            match byte {
                b'"' => self.out.push_str("\\\""),
                b'\\' => self.out.push_str("\\\\"),
                b'\n' => self.out.push_str("\\n"),
                b'\r' => self.out.push_str("\\r"),
                b'\t' => self.out.push_str("\\t"),
                other => write!(self.out, "\\u{other:04x}").expect("a string takes all text"),
            }
        }
        self.out.push_str(&text[plain..]);
    }

    fn body(&mut self, open: char, close: char, fill: impl FnOnce(&mut Self)) {
        self.out.push(open);
        self.comma = false;
        fill(self);
        self.out.push(close);
        self.comma = true;
    }

    /// An object: the whole text, or an item of an array.
    pub(crate) fn object(&mut self, fill: impl FnOnce(&mut Self)) {
        self.next();
        self.body('{', '}', fill);
    }

    /// A string as an item of an array.
    pub(crate) fn item(&mut self, text: &str) {
        self.next();
        self.quoted(text);
    }

    /// A member that is an object.
    pub(crate) fn obj(&mut self, key: &str, fill: impl FnOnce(&mut Self)) {
        self.key(key);
        self.body('{', '}', fill);
    }

    /// A member that is an array.
    pub(crate) fn arr(&mut self, key: &str, fill: impl FnOnce(&mut Self)) {
        self.key(key);
        self.body('[', ']', fill);
    }

    /// A member that is an array of one object, the commonest shape in FHIR.
    pub(crate) fn one(&mut self, key: &str, fill: impl FnOnce(&mut Self)) {
        self.arr(key, |j| j.object(fill));
    }

    /// A member that is a string.
    pub(crate) fn str(&mut self, key: &str, text: &str) {
        self.key(key);
        self.quoted(text);
    }

    /// A member that is a string put together from parts.
    pub(crate) fn parts(&mut self, key: &str, parts: &[&str]) {
        self.key(key);
        self.out.push('"');
        for part in parts {
            self.escaped(part);
        }
        self.out.push('"');
    }

    /// A member that is true or false.
    pub(crate) fn bool(&mut self, key: &str, value: bool) {
        self.key(key);
        self.out.push_str(if value { "true" } else { "false" });
    }

    /// A member that is a whole number.
    pub(crate) fn int(&mut self, key: &str, value: i32) {
        self.decimal(key, value, 0);
    }

    /// A member that is a decimal number: `value` divided by 10 to the power of `places`, trailing noughts kept.
    pub(crate) fn decimal(&mut self, key: &str, value: i32, places: u32) {
        self.key(key);
        write_decimal(&mut self.out, value, places);
    }

    /// A member that is a date.
    pub(crate) fn day(&mut self, key: &str, day: Day) {
        self.key(key);
        self.out.push('"');
        day.write(&mut self.out);
        self.out.push('"');
    }

    /// A member that is a moment.
    pub(crate) fn moment(&mut self, key: &str, moment: Moment) {
        self.key(key);
        self.out.push('"');
        moment.write(&mut self.out);
        self.out.push('"');
    }
}

/// Writes a decimal number with a fixed number of places.
pub(crate) fn write_decimal(out: &mut String, value: i32, places: u32) {
    let whole = 10_i32.pow(places);
    if value < 0 {
        out.push('-');
    }
    let (high, low) = (value.abs() / whole, value.abs() % whole);
    if places == 0 {
        write!(out, "{high}").expect("a string takes all text");
    } else {
        write!(out, "{high}.{low:0width$}", width = places as usize).expect("a string takes all text");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_as_the_same_text() {
        let text = "a \"quote\", a \\ stroke,\na line, a \u{1} bell and Zoë";
        let mut json = Json::new(64);
        json.object(|j| {
            j.str("text", text);
            j.decimal("number", -105, 1);
            j.arr("list", |j| {
                j.item("one");
                j.object(|j| j.bool("two", true));
            });
            j.arr("empty", |_| ());
            j.parts("joined", &["a", "/", "b"]);
        });
        let value: serde_json::Value = serde_json::from_str(&json.finish()).unwrap();
        assert_eq!(value["text"], text);
        assert_eq!(value["number"], -10.5);
        assert_eq!(value["list"], serde_json::json!(["one", {"two": true}]));
        assert_eq!(value["joined"], "a/b");
    }

    proptest::proptest! {
        #[test]
        fn any_text_reads_back(text: String) {
            let mut json = Json::new(64);
            json.object(|j| j.str("text", &text));
            let value: serde_json::Value = serde_json::from_str(&json.finish()).unwrap();
            proptest::prop_assert_eq!(value["text"].as_str(), Some(text.as_str()));
        }
    }

    #[test]
    fn decimals_keep_their_places() {
        let text = |value, places| {
            let mut out = String::new();
            write_decimal(&mut out, value, places);
            out
        };
        assert_eq!(text(405, 2), "4.05");
        assert_eq!(text(40, 1), "4.0");
        assert_eq!(text(-3, 2), "-0.03");
        assert_eq!(text(7, 0), "7");
    }
}
