//! Invariants, and the rules of types that have some of their own.

use std::ops::Range;

use super::formula::Verdict;
use super::primitive::Primitive;
use super::reference::range;
use super::rules::{Bound, Check, ElementRule, Native, Special, TypeRule};
use super::walk::{Frame, Seen, Walk};
use super::words::{did_you_mean, shown};
use crate::date::Moment;
use crate::definitions::{Membership, Strength};
use crate::fhirpath::Element;
use crate::json::Node;
use crate::outcome::{IssueCode, Severity};

impl<'a, 'v> Walk<'a, 'v> {
    /// An invariant about an object.
    pub(super) fn check(&mut self, check: &'v Check, rule: &'v TypeRule, seen: &Seen, here: &Frame<'_>) -> Option<()> {
        let mut verdict = check.formula.as_ref().map_or(Verdict::Open, |formula| formula.verdict(seen.bits));
        if verdict == Verdict::Open
            && let Some(native) = check.native
        {
            verdict = native.verdict(self.noted(&seen.notes[1]), self.noted(&seen.notes[2]));
        }
        if verdict == Verdict::Open
            && let Some(path) = check.path()
        {
            let node = Node::of_text(self.text.get(seen.range.clone())?);
            verdict = self.ask(path, Element::typed(node, &rule.name));
        }
        if verdict == Verdict::Broken { self.broken(&check.invariant, here, seen.range.clone()) } else { Some(()) }
    }

    /// The invariants of an element about a primitive.
    pub(super) fn primitive_checks(
        &mut self,
        element: &'v ElementRule,
        primitive: Primitive,
        place: Range<usize>,
        here: &Frame<'_>,
    ) -> Option<()> {
        for check in &element.checks {
            let Some(path) = check.path() else { continue };
            let node = Node::of_text(self.text.get(place.clone())?);
            if self.ask(path, Element::primitive(Some(node), None, primitive.name())) == Verdict::Broken {
                self.broken(&check.invariant, here, place.clone())?;
            }
        }
        Some(())
    }

    fn noted(&self, note: &Range<u32>) -> Option<Node<'a>> {
        self.text.get(range(note)).filter(|it| !it.is_empty()).map(Node::of_text)
    }

    /// An object of a type that has rules of its own.
    pub(super) fn special(
        &mut self,
        special: Special,
        owner: Option<&'v ElementRule>,
        seen: &Seen,
        here: &Frame<'_>,
    ) -> Option<()> {
        let bound = owner.and_then(|it| it.binding);
        if special == Special::Quantity && owner.is_some_and(|it| it.is_simple) {
            self.simple(seen, here)?;
        }
        match special {
            Special::Reference => self.reference(owner, seen, here),
            Special::Coding | Special::Quantity => match bound {
                Some(bound) => self.coding(bound, self.noted(&seen.notes[2]), self.noted(&seen.notes[1]), seen, here),
                None => Some(()),
            },
            Special::Concept => match bound {
                Some(bound) => self.concept(bound, seen, here),
                None => Some(()),
            },
            Special::Extension => self.extension_url(seen, here),
            Special::None | Special::Period | Special::Range => Some(()),
        }
    }

    /// A quantity without a comparator (sqt-1).
    fn simple(&mut self, seen: &Seen, here: &Frame<'_>) -> Option<()> {
        let object = Node::of_text(self.text.get(seen.range.clone())?);
        if object.get("comparator").is_none() {
            return Some(());
        }
        let words = || "This quantity may have no comparator; leave it out (sqt-1).".to_owned();
        self.tell(Severity::Error, IssueCode::Invariant, Some(here), seen.range.clone(), words)
    }

    /// The address of an extension is absolute, unless it is a part of another extension; one that is known has a
    /// definition to keep to.
    fn extension_url(&mut self, seen: &Seen, here: &Frame<'_>) -> Option<()> {
        let Some(url) = self.noted(&seen.notes[1]).and_then(Node::text) else { return Some(()) };
        if url.contains(':') {
            let extension = Node::of_text(self.text.get(seen.range.clone())?);
            return self.hold_extension(&url, extension, here);
        }
        if here.above.is_some_and(|it| matches!(it.name, "extension" | "modifierExtension")) {
            return Some(());
        }
        let words = || "The url of an extension is absolute; write the address of its definition.".to_owned();
        self.tell(Severity::Error, IssueCode::Value, Some(here), range(&seen.notes[1]), words)
    }

    /// Whether a binding is to be looked at.
    fn looks_at(&self, bound: Bound) -> bool {
        bound.strength == Strength::Required || self.wants(Severity::Information)
    }

    /// A Coding, or the unit of a Quantity.
    fn coding(
        &mut self,
        bound: Bound,
        system: Option<Node<'a>>,
        code: Option<Node<'a>>,
        seen: &Seen,
        here: &Frame<'_>,
    ) -> Option<()> {
        if !self.looks_at(bound) {
            return Some(());
        }
        let Some(set) = self.rules.set_of(bound, self.definitions) else { return Some(()) };
        let Some(code) = code.and_then(Node::text) else { return Some(()) };
        let system = system.and_then(Node::text);
        if set.has(Some(system.as_deref().unwrap_or_default()), &code) != Membership::No {
            return Some(());
        }
        let url = &self.rules.sets[bound.set as usize].url;
        let words = || match &system {
            None => format!("The code '{}' has no system, so it cannot be one of {url}; say its system.", shown(&code)),
            Some(system) => {
                let near = super::names::nearest(&code, set.entries().iter().map(|it| &*it.code));
                format!("'{}' of {} is not in {url}{}.", shown(&code), shown(system), did_you_mean(near))
            }
        };
        self.not_in_set(bound, here, seen.range.clone(), words)
    }

    /// A CodeableConcept: one of its codings is in the value set.
    fn concept(&mut self, bound: Bound, seen: &Seen, here: &Frame<'_>) -> Option<()> {
        if !self.looks_at(bound) {
            return Some(());
        }
        let Some(set) = self.rules.set_of(bound, self.definitions) else { return Some(()) };
        let url = &self.rules.sets[bound.set as usize].url;
        let Some(codings) = self.noted(&seen.notes[1]) else {
            // An extension may say why there is no code.
            if self.noted(&seen.notes[2]).is_none() {
                return Some(());
            }
            let words = || format!("Words alone will not do here: give a code of {url} as well.");
            return self.not_in_set(bound, here, seen.range.clone(), words);
        };
        let mut first = None;
        for coding in codings.items() {
            let (system, code) = (coding.get_text("system"), coding.get_text("code"));
            let Some(code) = code else { return Some(()) };
            if set.has(Some(system.as_deref().unwrap_or_default()), &code) != Membership::No {
                return Some(());
            }
            first = first.or(Some((system, code)));
        }
        let words = || {
            let Some((system, code)) = first else { return format!("No code of {url} is here.") };
            let near = super::names::nearest(&code, set.entries().iter().map(|it| &*it.code));
            let system = system.map_or_else(|| "no system".to_owned(), |it| shown(&it));
            format!("No code here is in {url}: '{}' of {system} is not{}.", shown(&code), did_you_mean(near))
        };
        self.not_in_set(bound, here, seen.range.clone(), words)
    }
}

impl Native {
    /// What the invariant says of an object with these two members.
    pub(super) fn verdict(self, first: Option<Node<'_>>, second: Option<Node<'_>>) -> Verdict {
        let (Some(first), Some(second)) = (first, second) else { return Verdict::Open };
        match self {
            Self::Period => match (first.text(), second.text()) {
                (Some(start), Some(end)) => in_order(&start, &end),
                _ => Verdict::Open,
            },
            Self::Range => match (amount(first), amount(second)) {
                (Some(low), Some(high)) if unit(first) == unit(second) && (low - high).abs() > 1e-6 * low.abs() => {
                    if low < high {
                        Verdict::Holds
                    } else {
                        Verdict::Broken
                    }
                }
                _ => Verdict::Open,
            },
        }
    }
}

/// Whether a moment is not after another (FHIRPath §6.2: part by part; what is not said of one decides nothing).
fn in_order(start: &str, end: &str) -> Verdict {
    if start == end {
        return Verdict::Holds;
    }
    let (Some(start), Some(end)) = (Moment::parse(start), Moment::parse(end)) else { return Verdict::Open };
    if start.offset.is_some() && end.offset.is_some() {
        return if start.earliest() <= end.earliest() { Verdict::Holds } else { Verdict::Broken };
    }
    // A date beside a time: the engine knows about zones.
    if start.time.is_some() || end.time.is_some() {
        return Verdict::Open;
    }
    let parts = [
        (Some(start.year), Some(end.year)),
        (start.month.map(u16::from), end.month.map(u16::from)),
        (start.day.map(u16::from), end.day.map(u16::from)),
    ];
    for part in parts {
        match part {
            (Some(a), Some(b)) if a < b => return Verdict::Holds,
            (Some(a), Some(b)) if a > b => return Verdict::Broken,
            (Some(_), Some(_)) => {}
            _ => return Verdict::Holds,
        }
    }
    Verdict::Holds
}

fn amount(quantity: Node<'_>) -> Option<f64> {
    quantity.get("value")?.number()?.parse().ok().filter(|it: &f64| it.is_finite())
}

fn unit(quantity: Node<'_>) -> [Option<&str>; 3] {
    ["system", "code", "unit"].map(|name| quantity.get(name).map(Node::raw))
}
