//! What the caller wants back after a write (R4 §3.1.0.1.9).

use axum::http::{HeaderMap, HeaderName};

use super::negotiate::list;

/// What is sent back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Return {
    /// Nothing but the headers.
    Minimal,
    /// The resource, if nothing is said.
    #[default]
    Representation,
    /// How it went, in words.
    OperationOutcome,
}

impl Return {
    /// Reads `Prefer: return=…`; without it the resource is sent back.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        Self::asked(headers).unwrap_or_default()
    }

    /// Reads `Prefer: return=…`; what is not known counts as not said.
    pub(super) fn asked(headers: &HeaderMap) -> Option<Self> {
        preferences(headers).find_map(|(name, value)| {
            if !name.eq_ignore_ascii_case("return") {
                return None;
            }
            match value {
                "minimal" => Some(Self::Minimal),
                "representation" => Some(Self::Representation),
                "OperationOutcome" => Some(Self::OperationOutcome),
                _ => None,
            }
        })
    }
}

/// Whether parameters that are not understood are to be left out (`Prefer: handling=lenient`, R4 §3.1.1.1).
pub(super) fn is_lenient(headers: &HeaderMap) -> bool {
    preferences(headers).find(|(name, _)| name.eq_ignore_ascii_case("handling")).is_some_and(|(_, it)| it == "lenient")
}

/// Whether the caller would rather ask later than wait (`Prefer: respond-async`, RFC 7240 §4.1).
pub(super) fn is_asynchronous(headers: &HeaderMap) -> bool {
    let items = list(headers, HeaderName::from_static("prefer")).flat_map(|item| item.split(';'));
    items.map(str::trim).any(|item| item.eq_ignore_ascii_case("respond-async"))
}

/// The preferences of all `Prefer` headers.
fn preferences(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let items = list(headers, HeaderName::from_static("prefer")).flat_map(|item| item.split(';'));
    items.filter_map(|item| {
        let (name, value) = item.split_once('=')?;
        Some((name.trim(), value.trim().trim_matches('"')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_would_rather_ask_later_says_so() {
        for (prefer, expected) in [
            ("respond-async", true),
            ("handling=lenient,Respond-Async", true),
            ("respond-async; wait=10", true),
            ("respond-asynchronously", false),
            ("handling=respond-async", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("prefer", prefer.parse().unwrap());
            assert_eq!(is_asynchronous(&headers), expected, "{prefer}");
        }
    }

    #[test]
    fn what_is_wanted_back_is_read_and_the_rest_passed_over() {
        for (prefer, expected) in [
            ("return=minimal", Return::Minimal),
            ("handling=strict, return=OperationOutcome", Return::OperationOutcome),
            ("respond-async; return=\"minimal\"", Return::Minimal),
            ("return=everything", Return::Representation),
            ("", Return::Representation),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("prefer", prefer.parse().unwrap());
            assert_eq!(Return::of(&headers), expected, "{prefer}");
        }
        assert_eq!(Return::of(&HeaderMap::new()), Return::Representation);
    }
}
