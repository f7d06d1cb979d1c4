//! Primitive values and the codes among them.

use std::borrow::Cow;
use std::ops::Range;

use super::primitive::Primitive;
use super::rules::{Bound, ElementRule};
use super::walk::{Frame, Walk};
use super::words::{article, did_you_mean, quoted, shown, wrong_kind};
use super::xhtml;
use crate::definitions::{Membership, Strength};
use crate::json::{Kind, closing_quote, plain_end, unescape};
use crate::outcome::{IssueCode, Severity};

impl<'a, 'v> Walk<'a, 'v> {
    /// One primitive value.
    pub(super) fn primitive(
        &mut self,
        at: usize,
        primitive: Primitive,
        element: &'v ElementRule,
        here: &Frame<'_>,
    ) -> Option<usize> {
        let bytes = self.text.as_bytes();
        if self.byte(at)? != b'"' || primitive.kind() != Kind::String {
            return self.bare(at, primitive, element, here);
        }
        let plain = plain_end(bytes, at + 1);
        let (end, escaped) = match bytes.get(plain)? {
            b'"' => (plain, false),
            _ => (closing_quote(bytes, plain)?, true),
        };
        let raw: &'a str = self.text.get(at + 1..end)?;
        let text = if escaped { unescape(raw) } else { Cow::Borrowed(raw) };
        let place = at..end + 1;
        if let Some(fault) = primitive.fault(&text) {
            let words = || format!("{} {} {}: {fault}.", quoted(&text), "is not", article(primitive));
            self.tell(Severity::Error, IssueCode::Value, Some(here), place, words)?;
            return Some(end + 1);
        }
        match primitive {
            Primitive::Xhtml => {
                if let Some(fault) = xhtml::fault(&text) {
                    let words = || format!("The narrative {fault}.");
                    self.tell(Severity::Error, IssueCode::Invariant, Some(here), place, words)?;
                }
            }
            Primitive::Uri | Primitive::Canonical | Primitive::Url if text.starts_with('#') => {
                self.refer_to_contained(&text[1..]);
            }
            Primitive::Uri if text.starts_with("urn:") => self.urn(&text, here, place)?,
            _ => {}
        }
        if let Some(bound) = element.binding {
            self.code(bound, &text, here, at..end + 1)?;
        }
        if !element.checks.is_empty() {
            self.primitive_checks(element, primitive, at..end + 1, here)?;
        }
        Some(end + 1)
    }

    /// A number, a boolean, or a value of the wrong kind.
    fn bare(&mut self, at: usize, primitive: Primitive, element: &'v ElementRule, here: &Frame<'_>) -> Option<usize> {
        let node = self.node(at)?;
        let end = at + node.raw().len();
        if end == at {
            return None;
        }
        let (kind, wanted) = (node.kind(), primitive.kind());
        if kind != wanted {
            let words = || wrong_kind(primitive, kind, wanted);
            self.tell(Severity::Error, IssueCode::Structure, Some(here), at..end, words)?;
            return Some(end);
        }
        if let Some(fault) = primitive.fault(node.raw()) {
            let words = || format!("{} is not {}: {fault}.", shown(node.raw()), article(primitive));
            self.tell(Severity::Error, IssueCode::Value, Some(here), at..end, words)?;
        } else if !element.checks.is_empty() {
            self.primitive_checks(element, primitive, at..end, here)?;
        }
        Some(end)
    }

    /// A code of an element with a binding.
    fn code(&mut self, bound: Bound, code: &str, here: &Frame<'_>, place: Range<usize>) -> Option<()> {
        if bound.strength != Strength::Required && !self.wants(Severity::Information) {
            return Some(());
        }
        let Some(set) = self.rules.set_of(bound, self.definitions) else { return Some(()) };
        if set.has(None, code) != Membership::No {
            return Some(());
        }
        let url = &self.rules.sets[bound.set as usize].url;
        let some = set.entries().iter().map(|it| &*it.code);
        let nearest = super::names::nearest(code, some.clone());
        let hint = match nearest {
            Some(nearest) => did_you_mean(Some(nearest)),
            None if set.entries().len() <= 12 => format!("; it is one of {}", some.collect::<Vec<_>>().join(", ")),
            None => String::new(),
        };
        let code = shown(code);
        self.not_in_set(bound, here, place, || format!("'{code}' is not a code of {url}{hint}."))
    }

    /// Tells that a code is not in its value set, as bad as the binding makes it.
    pub(super) fn not_in_set(
        &mut self,
        bound: Bound,
        here: &Frame<'_>,
        place: Range<usize>,
        words: impl FnOnce() -> String,
    ) -> Option<()> {
        let severity = if bound.strength == Strength::Required { Severity::Error } else { Severity::Information };
        self.tell(severity, IssueCode::Value, Some(here), place, words)
    }
}
