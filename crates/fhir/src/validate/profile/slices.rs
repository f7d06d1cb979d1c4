//! Slices: which of an element's values is in which, and whether they may be there as they are (FHIR R4 §5.1.0.14).

use std::ops::Range;

use super::super::walk::Frame;
use super::collect::{self, Val};
use super::value::keeps;
use super::{Checker, label};
use crate::definitions::{
    Constraint, Discriminator, DiscriminatorKind, Membership, Slicing, SlicingRules, Strength, ValueRule,
};
use crate::json::Node;
use crate::outcome::{IssueCode, Severity};

const ERROR: Severity = Severity::Error;

impl<'a, 'v> Checker<'_, 'a, 'v> {
    /// Puts each value into its slice and holds the slices to what they demand.
    pub(super) fn slices(
        &mut self,
        constraint: &'v Constraint,
        whole: Option<&'v Constraint>,
        values: &[Val<'a, 'v>],
        place: Range<usize>,
        here: &Frame<'_>,
    ) -> Option<()> {
        // A slice may have slices without saying again how they are told apart.
        let outside = whole.filter(|_| !constraint.slices.is_empty()).and_then(|it| it.slicing.as_ref());
        let Some(slicing) = constraint.slicing.as_ref().or(outside) else { return Some(()) };
        let mut sorted: Vec<Vec<Val<'a, 'v>>> = vec![Vec::new(); constraint.slices.len()];
        let (mut last, mut outside) = (0, false);
        for &value in values {
            self.step()?;
            let frame =
                Frame { above: Some(here), name: &constraint.element.name, index: value.index, kind: here.kind };
            let mut slices = constraint.slices.iter();
            let found = slices.position(|slice| {
                let same = whole.and_then(|it| it.slice(slice.slice_name.as_deref()?));
                self.is_in(slicing, slice, same, value, &frame)
            });
            let place = value.place(self.walk.text);
            match found {
                None => {
                    outside = true;
                    if slicing.rules == SlicingRules::Closed {
                        let words = |profile: &str| {
                            let names = constraint.slices.iter().filter_map(|it| it.slice_name.as_deref());
                            let names: Vec<&str> = names.collect();
                            format!("{profile} allows for {} only: {}.", label(constraint), names.join(", "))
                        };
                        self.tell(ERROR, IssueCode::Structure, &frame, place, words)?;
                    }
                }
                Some(at) => {
                    let out_of_order = slicing.is_ordered && at < last;
                    let too_late = slicing.rules == SlicingRules::OpenAtEnd && outside;
                    if out_of_order || too_late {
                        let name = label(&constraint.slices[at]);
                        let words = |profile: &str| format!("{profile} wants {name} further up: the order counts.");
                        self.tell(ERROR, IssueCode::Structure, &frame, place, words)?;
                    }
                    last = last.max(at);
                    sorted[at].push(value);
                }
            }
        }
        for (slice, values) in constraint.slices.iter().zip(&sorted) {
            self.element(slice, Some(constraint), values, place.clone(), here)?;
        }
        Some(())
    }

    /// Whether a value is in a slice. `same` is the slice of that name where the slices further up are left aside.
    fn is_in(
        &mut self,
        slicing: &'v Slicing,
        slice: &'v Constraint,
        same: Option<&'v Constraint>,
        value: Val<'a, 'v>,
        here: &Frame<'_>,
    ) -> bool {
        if slicing.discriminators.is_empty() {
            return self.passes(|checker| checker.value(slice, None, value, here));
        }
        slicing.discriminators.iter().all(|it| self.decides(it, slice, same, value, here))
    }

    fn decides(
        &mut self,
        by: &'v Discriminator,
        slice: &'v Constraint,
        same: Option<&'v Constraint>,
        value: Val<'a, 'v>,
        here: &Frame<'_>,
    ) -> bool {
        let steps = steps(&by.path);
        let mut at = vec![value];
        for step in &steps {
            at = at.into_iter().flat_map(|it| self.follow(it, step)).collect();
        }
        // The constraints that the slice, and the profiles of its type, put on what is there.
        let mut constraints: Vec<&'v Constraint> = Vec::new();
        self.constraints(slice, &steps, 0, &mut constraints);
        match by.kind {
            DiscriminatorKind::Value | DiscriminatorKind::Pattern => {
                let mut deciding: Vec<_> = constraints.into_iter().filter(|it| determines(it)).collect();
                if let Some(same) = same.filter(|_| deciding.is_empty()) {
                    self.constraints(same, &steps, 0, &mut deciding);
                    deciding.retain(|it| determines(it));
                }
                !deciding.is_empty() && deciding.iter().all(|it| at.iter().any(|&value| self.fits(it, value)))
            }
            DiscriminatorKind::Exists => constraints.iter().any(|it| match it.element.max {
                Some(0) => at.is_empty(),
                _ => it.element.min > 0 && !at.is_empty(),
            }),
            DiscriminatorKind::Type => constraints.iter().any(|it| {
                let types = if ends_in_resolve(&steps) { Vec::new() } else { it.element.types.iter().collect() };
                let definitions = self.definitions();
                let mut kinds = at.iter().map(|it| it.node.map_or(it.kind, |node| self.kind_of(node, it.kind)));
                kinds.any(|kind| {
                    types.iter().any(|it| definitions.is_a(kind, &it.name))
                        || ends_in_resolve(&steps)
                            && it
                                .element
                                .types
                                .iter()
                                .flat_map(|it| &it.target_profiles)
                                .any(|it| self.is_of_target(kind, it))
                })
            }),
            DiscriminatorKind::Profile => constraints.iter().any(|it| self.follows(it, &at, &steps, here)),
        }
    }

    /// Whether one of the values follows one of the profiles that a constraint names.
    fn follows(
        &mut self,
        constraint: &'v Constraint,
        at: &[Val<'a, 'v>],
        steps: &[Step<'v>],
        here: &Frame<'_>,
    ) -> bool {
        let types = constraint.element.types.iter();
        let resolved = ends_in_resolve(steps);
        let urls: Vec<&'v str> = if resolved {
            types.flat_map(|it| &it.target_profiles).map(|it| &**it).collect()
        } else {
            types.flat_map(|it| &it.profiles).map(|it| &**it).collect()
        };
        at.iter().any(|&value| {
            urls.iter().any(|url| match self.definitions().structure(url) {
                // Only the type is known of what is not here.
                _ if resolved && value.node.is_none_or(|it| it.raw() == "{}") => self.is_of_target(value.kind, url),
                Some(profile) => {
                    self.definitions().is_a(value.kind, &profile.type_name)
                        && self.passes(|checker| checker.root(profile, value, here))
                }
                None => self.is_of_target(value.kind, url),
            })
        })
    }

    /// One step of a discriminator's path.
    fn follow(&mut self, value: Val<'a, 'v>, step: &Step<'v>) -> Vec<Val<'a, 'v>> {
        let Some(node) = value.node else { return Vec::new() };
        if self.charge(1 + node.raw().len() / 256).is_none() {
            return Vec::new();
        }
        match step {
            Step::Child(name) => collect::values(self.definitions(), value.object().unwrap_or(node), value.kind, name),
            Step::Extension(url) => {
                let object = value.object().unwrap_or(node);
                let mut all = collect::values(self.definitions(), object, value.kind, "extension");
                all.retain(|it| it.node.and_then(|it| it.get_text("url")).as_deref() == Some(url));
                all
            }
            Step::OfType(kind) => {
                if value.kind == *kind {
                    vec![value]
                } else {
                    Vec::new()
                }
            }
            Step::Resolve => {
                let definitions = self.definitions();
                if let Some(target) = self.target_resource(node) {
                    let kind = collect::resource_type(definitions, target).unwrap_or("Resource");
                    return vec![Val::of(target, kind)];
                }
                let kind = self.target_type(node).and_then(|it| definitions.type_named(&it));
                kind.map(|it| Val::of(Node::of_text("{}"), &it.name)).into_iter().collect()
            }
        }
    }

    /// What a slice demands at the end of a path.
    fn constraints(&self, from: &'v Constraint, steps: &[Step<'v>], depth: u32, found: &mut Vec<&'v Constraint>) {
        match steps.split_first() {
            None | Some((Step::Resolve, [])) => found.push(from),
            Some((Step::Child(name), rest)) => {
                // The slices below count as well: `coding` of a CodeableConcept may be fixed in one.
                for child in from.children.iter().filter(|it| it.element.name == *name) {
                    self.constraints(child, rest, depth, found);
                    child.slices.iter().for_each(|it| self.constraints(it, rest, depth, found));
                }
            }
            Some((Step::Extension(url), rest)) => {
                let slices = from.child("extension").into_iter().flat_map(|it| &it.slices);
                let named = slices.filter(|it| it.element.types.iter().flat_map(|it| &it.profiles).any(|it| it == url));
                named.for_each(|it| self.constraints(it, rest, depth, found));
            }
            Some((Step::OfType(_) | Step::Resolve, rest)) => self.constraints(from, rest, depth, found),
        }
        if !steps.is_empty() && depth < 2 {
            let profiles = from.element.types.iter().flat_map(|it| &it.profiles);
            for profile in profiles.filter_map(|url| self.definitions().structure(url)) {
                self.constraints(&profile.root, steps, depth + 1, found);
            }
        }
    }

    /// Whether a value has what a constraint fixes, here and further down.
    fn fits(&mut self, constraint: &'v Constraint, value: Val<'a, 'v>) -> bool {
        let Some(node) = value.node else { return false };
        let element = &constraint.element;
        if !element.rules.iter().filter(is_fixed).all(|rule| keeps(rule, node)) {
            return false;
        }
        if !element.rules.iter().any(|it| is_fixed(&it))
            && let Some(url) = required_set(constraint)
            && let Some(set) = self.definitions().expand(url)
        {
            let coding = |it: Node<'a>| {
                let (system, code) =
                    (it.get_text("system").unwrap_or_default(), it.get_text("code").unwrap_or_default());
                set.has(Some(&system), &code) == Membership::Yes
            };
            let is_in = match value.kind {
                "CodeableConcept" => node.get("coding").into_iter().flat_map(Node::items).any(coding),
                "Coding" => coding(node),
                _ => node.text().is_some_and(|code| set.has(None, &code) == Membership::Yes),
            };
            if !is_in {
                return false;
            }
        }
        let below: Vec<&'v Constraint> = constraint.children.iter().filter(|it| determines(it)).collect();
        below.into_iter().all(|child| {
            let values = collect::values(self.definitions(), node, value.kind, &child.element.name);
            let own = !determines_itself(child) || values.iter().any(|&value| self.fits(child, value));
            let mut slices = child.slices.iter().filter(|it| it.element.min > 0 && determines(it));
            own && slices.all(|slice| values.iter().any(|&value| self.fits(slice, value)))
        })
    }
}

/// A step of a discriminator's path (FHIR R4 ElementDefinition.slicing: a simple subset of FHIRPath).
enum Step<'v> {
    Child(&'v str),
    Extension(&'v str),
    OfType(&'v str),
    Resolve,
}

fn steps(path: &str) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    let mut rest = path.trim();
    while !rest.is_empty() {
        if let Some((url, after)) = rest.strip_prefix("extension(").and_then(|it| it.split_once(')')) {
            steps.push(Step::Extension(url.trim().trim_matches(['\'', '"'])));
            rest = after.trim_start_matches('.');
            continue;
        }
        let (step, after) = rest.split_once('.').unwrap_or((rest, ""));
        rest = after;
        match step {
            "$this" => {}
            "resolve()" => steps.push(Step::Resolve),
            _ => match step.strip_prefix("ofType(").and_then(|it| it.strip_suffix(')')) {
                Some(kind) => steps.push(Step::OfType(kind)),
                None => steps.push(Step::Child(step.strip_suffix("[x]").unwrap_or(step))),
            },
        }
    }
    steps
}

fn ends_in_resolve(steps: &[Step<'_>]) -> bool {
    matches!(steps.last(), Some(Step::Resolve))
}

fn is_fixed(rule: &&ValueRule) -> bool {
    matches!(rule, ValueRule::Fixed(_) | ValueRule::Pattern(_))
}

/// The value set that a constraint binds to, if it must be from there.
fn required_set(constraint: &Constraint) -> Option<&str> {
    let binding = constraint.element.binding.as_ref()?;
    if binding.strength == Strength::Required { binding.value_set.as_deref() } else { None }
}

/// Whether a constraint says of itself which values it takes.
fn determines_itself(constraint: &Constraint) -> bool {
    constraint.element.rules.iter().any(|it| is_fixed(&it))
        || required_set(constraint).is_some()
        || constraint.children.iter().any(determines)
}

/// Whether a constraint, or one of its slices, says which values it takes.
fn determines(constraint: &Constraint) -> bool {
    determines_itself(constraint) || constraint.slices.iter().any(|it| it.element.min > 0 && determines_itself(it))
}
