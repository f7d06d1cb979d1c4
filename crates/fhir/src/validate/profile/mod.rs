//! Profiles: what they demand beyond the base rules, over the tree of constraints that the definitions keep.
//!
//! This is the slower, second look: it follows a profile's constraints into a resource, where the walk follows the
//! resource. Its work is bounded by a count of steps.

mod collect;
mod slices;
mod value;

use std::ops::Range;

use collect::Val;

use super::rules::{Shape, TypeId};
use super::walk::{Frame, Walk};
use super::words::shown;
use crate::definitions::{Constraint, Context, Definitions, Profile};
use crate::json::Node;
use crate::outcome::{IssueCode, Severity};

/// How many values may be compared with constraints in one document, beyond one for every few bytes of it.
const MOST_STEPS: usize = 200_000;
const BYTES_A_STEP: usize = 4;
/// How far profiles may lead to values that have profiles of their own.
const DEEPEST: u32 = 6;

impl<'a, 'v> Walk<'a, 'v> {
    /// The profiles of a resource that was walked over: those it claims, and `asked` ones.
    pub(super) fn hold_to_profiles(&mut self, resource: Node<'a>, here: &Frame<'_>, asked: &[&str]) -> Option<()> {
        for url in asked {
            self.hold_to(url, resource, here, resource.place_in(self.text.as_bytes()).unwrap_or_default())?;
        }
        let claimed = resource.get("meta").and_then(|it| it.get("profile"));
        for claim in claimed.into_iter().flat_map(Node::items) {
            let Some(url) = claim.text().filter(|url| !asked.contains(&&**url)) else { continue };
            self.hold_to(&url, resource, here, claim.place_in(self.text.as_bytes()).unwrap_or_default())?;
        }
        Some(())
    }

    /// One profile; `claim` is where it is said.
    fn hold_to(&mut self, url: &str, resource: Node<'a>, here: &Frame<'_>, claim: Range<usize>) -> Option<()> {
        let definitions: &'v Definitions = self.definitions;
        let kind = resource.get_text("resourceType").unwrap_or_default();
        let plain = url.split_once('|').map_or(url, |(plain, _)| plain);
        if let Some(base) = plain.strip_prefix("http://hl7.org/fhir/StructureDefinition/")
            && definitions.type_named(base).is_some()
        {
            if definitions.is_a(&kind, base) {
                return Some(());
            }
            let words = || format!("The profile {} is about {base}, and this is {kind}.", shown(url));
            return self.tell(Severity::Error, IssueCode::Value, Some(here), claim, words);
        }
        let Some(profile) = definitions.structure(url) else {
            let words = || format!("The profile {} is not loaded, so nothing was held to it.", shown(url));
            return self.tell(Severity::Information, IssueCode::NotSupported, Some(here), claim, words);
        };
        if !definitions.is_a(&kind, &profile.type_name) {
            let words = || format!("The profile {} is about {}, and this is {kind}.", shown(url), profile.type_name);
            return self.tell(Severity::Error, IssueCode::Value, Some(here), claim, words);
        }
        let Some(kind) = definitions.type_named(&kind).map(|it| &*it.name) else { return Some(()) };
        self.hold(profile, Val::of(resource, kind), here)
    }

    /// A value and the profile that its type or its address names.
    pub(super) fn hold(&mut self, profile: &'v Profile, value: Val<'a, 'v>, here: &Frame<'_>) -> Option<()> {
        if self.is_spent() {
            return Some(());
        }
        let mut checker = Checker { walk: self, profile, quiet: false, failed: false, depth: 0 };
        checker.root(profile, value, here)?;
        if self.steps > MOST_STEPS {
            let words =
                || "The profiles are too much work for this resource; not all of it was held to them.".to_owned();
            self.tell(Severity::Warning, IssueCode::TooCostly, Some(here), value.place(self.text), words)?;
        }
        Some(())
    }

    /// Whether no more may be compared.
    fn is_spent(&self) -> bool {
        self.steps > MOST_STEPS + self.text.len() / BYTES_A_STEP
    }

    /// An extension whose definition is known keeps to it, and stands where it belongs.
    pub(super) fn hold_extension(&mut self, url: &str, extension: Node<'a>, here: &Frame<'_>) -> Option<()> {
        let definitions: &'v Definitions = self.definitions;
        let Some(profile) = definitions.structure(url).filter(|it| it.type_name == "Extension") else {
            return Some(());
        };
        let value = Val::of(extension, definitions.type_named("Extension").map_or("Extension", |it| &*it.name));
        if let Some(holder) = here.above
            && !profile.contexts.is_empty()
            && !profile.contexts.iter().any(|it| self.is_context(it, holder))
        {
            let words = || {
                let places: Vec<&str> = profile.contexts.iter().map(|it| &*it.expression).collect();
                format!("The extension {} belongs on {}, not here.", shown(url), places.join(" or "))
            };
            self.tell(Severity::Warning, IssueCode::Structure, Some(here), value.place(self.text), words)?;
        }
        self.hold(profile, value, here)
    }

    /// Whether an extension may stand on an element (FHIR R4 StructureDefinition.context).
    fn is_context(&self, context: &Context, holder: &Frame<'_>) -> bool {
        if context.kind != "element" {
            // In another extension, or where an expression says: not looked at.
            return true;
        }
        let name = |kind: TypeId| match self.rules.types.get(usize::from(kind)) {
            Some(rule) if rule.shape != Shape::AnyResource => &*rule.name,
            _ => self.resource.kind,
        };
        let wanted = context.expression.strip_suffix("[x]").unwrap_or(&context.expression);
        let kind = name(holder.kind);
        if self.definitions.is_a(kind, wanted) || kind == "Extension" {
            return true;
        }
        let Some((owner, element)) = wanted.rsplit_once('.') else { return false };
        if element != holder.name {
            return false;
        }
        // `Patient.birthDate`: by the type of the object around, or by the whole way from the resource.
        let around = holder.above.map(|it| name(it.kind));
        let way = holder.above.map(Frame::path).unwrap_or_default();
        let way: String = way.split('.').map(|it| it.split('[').next().unwrap_or(it)).collect::<Vec<_>>().join(".");
        around == Some(owner) || way == owner || way.ends_with(&format!(".{owner}"))
    }
}

/// One profile held against one value.
struct Checker<'c, 'a, 'v> {
    walk: &'c mut Walk<'a, 'v>,
    /// The profile that is spoken of.
    profile: &'v Profile,
    /// Whether it is only asked if the value conforms: the first fault ends it.
    quiet: bool,
    failed: bool,
    depth: u32,
}

impl<'a, 'v> Checker<'_, 'a, 'v> {
    fn definitions(&self) -> &'v Definitions {
        self.walk.definitions
    }

    /// Tells a fault, or notes that there is one.
    fn tell(
        &mut self,
        severity: Severity,
        code: IssueCode,
        here: &Frame<'_>,
        place: Range<usize>,
        words: impl FnOnce(&str) -> String,
    ) -> Option<()> {
        if self.quiet {
            self.failed |= severity == Severity::Error;
            return if self.failed { None } else { Some(()) };
        }
        let profile = self.profile;
        let name = profile.title.as_deref().or(profile.name.as_deref()).unwrap_or(&profile.url);
        self.walk.tell(severity, code, Some(here), place, || words(name))
    }

    /// Whether something is kept, without a word about it.
    fn passes(&mut self, check: impl FnOnce(&mut Self) -> Option<()>) -> bool {
        let before = (std::mem::replace(&mut self.quiet, true), std::mem::replace(&mut self.failed, false));
        let ended = check(self).is_none();
        let passes = !ended && !self.failed;
        (self.quiet, self.failed) = before;
        passes
    }

    /// Counts a step; `None` when there were too many, which ends the look.
    fn step(&mut self) -> Option<()> {
        self.charge(1)
    }

    /// Counts work; `None` when there was too much, which is no fault of the document.
    fn charge(&mut self, steps: usize) -> Option<()> {
        self.walk.steps = self.walk.steps.saturating_add(steps);
        if self.walk.is_spent() { None } else { Some(()) }
    }

    /// The root of a profile.
    fn root(&mut self, profile: &'v Profile, value: Val<'a, 'v>, here: &Frame<'_>) -> Option<()> {
        let outer = std::mem::replace(&mut self.profile, profile);
        self.depth += 1;
        let end = if self.depth > DEEPEST { Some(()) } else { self.value(&profile.root, None, value, here) };
        self.depth -= 1;
        self.profile = outer;
        // Running out of steps ends this look, and what is said about it is said once, by who began it.
        if end.is_none() && !self.failed && self.walk.is_spent() { Some(()) } else { end }
    }

    /// The children that a constraint speaks of, in an object.
    fn children(
        &mut self,
        constraint: &'v Constraint,
        whole: Option<&'v Constraint>,
        object: Val<'a, 'v>,
        here: &Frame<'_>,
    ) -> Option<()> {
        let Some(node) = object.node else { return Some(()) };
        for child in &constraint.children {
            self.charge(node.raw().len() / 256)?;
            let values = collect::values(self.definitions(), node, object.kind, &child.element.name);
            let base = self.definitions().type_named(object.kind).and_then(|it| it.element_named(&child.element.name));
            let told = base.is_some_and(|it| it.min > 0) && values.is_empty();
            if told && !self.quiet {
                continue;
            }
            let whole = whole.and_then(|it| it.child(&child.element.name));
            self.element(child, whole, &values, object.place(self.walk.text), here)?;
        }
        Some(())
    }

    /// An element with all its values, or a slice with those that are in it. `place` is that of the object around;
    /// `whole` is what is demanded of the same element where the slices further up are left aside.
    fn element(
        &mut self,
        constraint: &'v Constraint,
        whole: Option<&'v Constraint>,
        values: &[Val<'a, 'v>],
        place: Range<usize>,
        here: &Frame<'_>,
    ) -> Option<()> {
        let (count, element) = (values.len(), &constraint.element);
        let name = label(constraint);
        if count < element.min as usize {
            let words = |profile: &str| match (count, element.min) {
                (0, 1) => format!("{profile} needs {name}, which is missing."),
                (_, min) => format!("{profile} needs at least {min} of {name}, and here are {count}."),
            };
            self.tell(Severity::Error, IssueCode::Required, here, place.clone(), words)?;
        }
        if let Some(max) = element.max.filter(|&max| count > max as usize) {
            let words = |profile: &str| match max {
                0 => format!("{profile} does not allow {name}; leave it out."),
                max => format!("{profile} allows {name} at most {max} times, and here it is {count} times."),
            };
            let place = values.get(max as usize).map_or(place.clone(), |it| it.place(self.walk.text));
            self.tell(Severity::Error, IssueCode::Structure, here, place, words)?;
        }
        for &value in values {
            let frame = Frame { above: Some(here), name: &element.name, index: value.index, kind: here.kind };
            self.value(constraint, whole, value, &frame)?;
        }
        self.slices(constraint, whole, values, place, here)
    }
}

/// What an element or slice is called in a sentence.
fn label(constraint: &Constraint) -> String {
    let name = &constraint.element.name;
    match &constraint.slice_name {
        Some(slice) => format!("'{name}' of the kind '{slice}'"),
        None => format!("'{name}'"),
    }
}
