//! Words of issues.

use super::primitive::Primitive;
use crate::json::Kind;

/// What a value is, by its first byte.
pub(super) fn kind_words(first: Option<u8>) -> &'static str {
    match first {
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "true or false",
        Some(b'-' | b'0'..=b'9') => "a number",
        _ => "null",
    }
}

pub(super) fn wrong_kind(primitive: Primitive, kind: Kind, wanted: Kind) -> String {
    let name = article(primitive);
    match (kind, wanted) {
        (Kind::Null, _) => "null says nothing; leave the element out.".to_owned(),
        (Kind::String, Kind::Number) => format!("This is {name}, which JSON writes as a number; leave the quotes out."),
        (Kind::String | Kind::Number, Kind::Bool) => format!("This is {name}: write true or false without quotes."),
        (Kind::Number | Kind::Bool, Kind::String) => format!("This is {name}, which JSON writes in quotes."),
        (Kind::Object, _) => format!("This is {name}, one value and not an object."),
        _ => format!("This is {name}, and the value is of another kind."),
    }
}

/// The name of a primitive with its article.
pub(super) fn article(primitive: Primitive) -> String {
    let name = primitive.name();
    let vowel = name.starts_with(['a', 'e', 'i', 'o']) || name == "unsignedInt";
    format!("{} {name}", if vowel { "an" } else { "a" })
}

/// A text cut to what fits into a sentence.
pub(super) fn shown(text: &str) -> String {
    let mut cut: String = text.chars().take(60).map(|it| if it.is_control() { ' ' } else { it }).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}

pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", shown(text))
}

/// `; did you mean 'name'?`, or nothing.
pub(super) fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|it| format!("; did you mean '{it}'?")).unwrap_or_default()
}
