//! Invariants that the FHIRPath engine must decide.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use super::formula::Verdict;
use super::walk::{Frame, Walk};
use crate::definitions::{Invariant, Membership};
use crate::fhirpath::{Collection, Context, Element, EvalError, Expression, Limits, Value};
use crate::json::{Kind, Node};
use crate::outcome::{IssueCode, Severity};

/// How many steps all invariants of one document may take together, beyond one for every few bytes of it.
const STEPS: u64 = 1_000_000;
const BYTES_A_STEP: usize = 4;

/// Work that the FHIRPath engine does for one document.
#[derive(Default)]
pub(super) struct Asked {
    steps: u64,
}

/// The rules of profiles, compiled when they are first needed.
#[derive(Default)]
pub(super) struct Expressions(RwLock<HashMap<String, Option<Arc<Expression>>>>);

impl Expressions {
    /// The compiled text; `None` if it is no expression.
    fn get(&self, text: &str) -> Option<Arc<Expression>> {
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(text) {
            return known.clone();
        }
        let compiled = Expression::parse(text).ok().map(Arc::new);
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(text.to_owned(), compiled.clone());
        compiled
    }
}

impl<'a, 'v> Walk<'a, 'v> {
    /// What an expression says of a value. What it cannot decide breaks nothing: an answer that is empty, an error of
    /// the expression, too much work.
    pub(super) fn ask<'c>(&mut self, expression: &Expression, focus: Element<'c>) -> Verdict
    where
        'a: 'c,
        'v: 'c,
    {
        let Some(left) = self.allowance().checked_sub(self.asked_paths.steps).filter(|&left| left > 0) else {
            return Verdict::Holds;
        };
        let Some((resource, root)) = self.resource_node().zip(self.root_node()) else { return Verdict::Holds };
        let definitions = self.definitions;
        let member_of = |element: &Element<'_>, url: &str| is_member(definitions, element, url);
        let context = Context {
            focus: Some(Value::Element(focus)),
            resource: Some(Element::typed(resource, self.resource.kind)),
            root: Some(Element::typed(root, self.root.kind)),
            // R4's own rules say `descendants().as(canonical)`.
            as_filters: true,
            member_of: Some(&member_of),
            limits: Limits { steps: left, ..Limits::USUAL },
            ..Context::empty(definitions)
        };
        let (answer, steps) = expression.evaluate_metered(&context);
        let verdict = verdict(&answer);
        self.asked_paths.steps = self.asked_paths.steps.saturating_add(steps);
        verdict
    }

    fn allowance(&self) -> u64 {
        STEPS.saturating_add(u64::try_from(self.text.len() / BYTES_A_STEP).unwrap_or(u64::MAX))
    }

    /// The resource that values are part of now.
    fn resource_node(&mut self) -> Option<Node<'a>> {
        if self.resource.node.is_none() {
            self.resource.node = self.node(self.resource.start);
        }
        self.resource.node
    }

    /// A rule of a profile about a value.
    pub(super) fn profile_rule<'c>(
        &mut self,
        invariant: &Invariant,
        focus: Element<'c>,
        place: Range<usize>,
        here: &Frame<'_>,
        quiet: bool,
    ) -> Option<bool>
    where
        'a: 'c,
        'v: 'c,
    {
        let holds = match self.expressions.get(&invariant.expression) {
            Some(expression) => self.ask(&expression, focus) != Verdict::Broken,
            None => true,
        };
        if !holds && !quiet {
            self.broken(invariant, here, place)?;
        }
        Some(holds)
    }

    /// Says once that not every invariant was looked at.
    pub(super) fn say_if_too_costly(&mut self) -> Option<()> {
        if self.asked_paths.steps < self.allowance() {
            return Some(());
        }
        let words = || "The rules are too much work for this resource; not all of them were checked.".to_owned();
        self.tell(Severity::Warning, IssueCode::TooCostly, None, 0..0, words)
    }
}

fn verdict(answer: &Result<Collection<'_>, EvalError>) -> Verdict {
    match answer.as_deref() {
        Ok([only]) if only.boolean() == Some(false) => Verdict::Broken,
        _ => Verdict::Holds,
    }
}

/// Whether one of an element's codes is in a value set; `None` if that cannot be said.
fn is_member(definitions: &crate::definitions::Definitions, element: &Element<'_>, url: &str) -> Option<bool> {
    let set = definitions.expand(url)?;
    let node = element.node()?;
    let of = |it: Node<'_>| -> Option<Membership> {
        Some(set.has(Some(&it.get_text("system").unwrap_or_default()), &it.get_text("code")?))
    };
    let found: Vec<Membership> = match (node.kind(), node.get("coding")) {
        (Kind::String, _) => node.text().map(|code| set.has(None, &code)).into_iter().collect(),
        (_, Some(codings)) => codings.items().filter_map(of).collect(),
        _ => of(node).into_iter().collect(),
    };
    if found.contains(&Membership::Yes) {
        return Some(true);
    }
    if found.contains(&Membership::Unknown) { None } else { Some(false) }
}
