//! One value and what a constraint demands of it: type, profile, fixed values, patterns, limits, codes, targets.

use std::borrow::Cow;

use super::super::names::nearest;
use super::super::walk::Frame;
use super::super::words::{did_you_mean, shown};
use super::collect::{Val, resource_type};
use super::{Checker, label};
use crate::compare::same;
use crate::date::Moment;
use crate::definitions::{Constraint, ElementDef, Membership, Strength, TypeRef, ValueRule};
use crate::fhirpath::Element;
use crate::json::{Kind, Node};
use crate::outcome::{IssueCode, Severity};
use crate::reference::Target;

const ERROR: Severity = Severity::Error;

impl<'a, 'v> Checker<'_, 'a, 'v> {
    /// Everything that a constraint says about one value, and about what is in it.
    pub(super) fn value(
        &mut self,
        constraint: &'v Constraint,
        whole: Option<&'v Constraint>,
        value: Val<'a, 'v>,
        here: &Frame<'_>,
    ) -> Option<()> {
        self.step()?;
        let element = &constraint.element;
        self.types(constraint, value, here)?;
        if let Some(node) = value.node {
            for rule in &element.rules {
                self.rule(constraint, rule, node, value, here)?;
            }
            self.codes(element, node, value, here)?;
        }
        for invariant in &element.invariants {
            let focus = match value.node {
                Some(node) if node.kind() == Kind::Object => Element::typed(node, value.kind),
                node => Element::primitive(node, value.beside, value.kind),
            };
            let (place, quiet) = (value.place(self.walk.text), self.quiet);
            let holds = self.walk.profile_rule(invariant, focus, place, here, quiet)?;
            if !holds && quiet && !invariant.is_warning {
                self.failed = true;
                return None;
            }
        }
        if !constraint.children.is_empty()
            && let Some(object) = value.object()
        {
            let kind = if value.node.is_some_and(|it| it.kind() == Kind::Object) { value.kind } else { "Element" };
            self.children(constraint, whole, Val { node: Some(object), kind, ..value }, here)?;
        }
        Some(())
    }

    /// The type of a value, and the profile that the type demands.
    fn types(&mut self, constraint: &'v Constraint, value: Val<'a, 'v>, here: &Frame<'_>) -> Option<()> {
        let types = &constraint.element.types;
        if types.is_empty() {
            return Some(());
        }
        let fitting = types.iter().filter(|it| self.definitions().is_a(value.kind, &it.name));
        let fitting: Vec<&'v TypeRef> = fitting.collect();
        let place = value.place(self.walk.text);
        if fitting.is_empty() {
            let wanted: Vec<&str> = types.iter().map(|it| &*it.name).collect();
            let words = |profile: &str| {
                format!(
                    "{profile} wants {} to be {}, and this is {}.",
                    label(constraint),
                    wanted.join(" or "),
                    value.kind
                )
            };
            return self.tell(ERROR, IssueCode::Value, here, place, words);
        }
        if value.kind == "Reference" {
            self.target(constraint, &fitting, value, here)?;
        }
        let profiles: Vec<&'v str> = fitting.iter().flat_map(|it| &it.profiles).map(|it| &**it).collect();
        // A type without a profile takes any value of it.
        if profiles.is_empty() || fitting.iter().any(|it| it.profiles.is_empty()) {
            return Some(());
        }
        let known: Vec<_> = profiles.iter().filter_map(|url| self.definitions().structure(url)).collect();
        if known.len() < profiles.len() {
            return Some(());
        }
        if let [only] = known[..] {
            return self.root(only, value, here);
        }
        if known.iter().any(|profile| self.passes(|checker| checker.root(profile, value, here))) {
            return Some(());
        }
        let words = |profile: &str| {
            format!("{profile} wants {} to follow one of {}; it follows none.", label(constraint), profiles.join(", "))
        };
        self.tell(ERROR, IssueCode::Value, here, place, words)
    }

    /// What a reference leads to.
    fn target(
        &mut self,
        constraint: &'v Constraint,
        types: &[&'v TypeRef],
        value: Val<'a, 'v>,
        here: &Frame<'_>,
    ) -> Option<()> {
        let wanted: Vec<&str> = types.iter().flat_map(|it| &it.target_profiles).map(|it| &**it).collect();
        let Some(kind) = value.node.and_then(|it| self.target_type(it)) else { return Some(()) };
        if wanted.is_empty() || wanted.iter().any(|url| self.is_of_target(&kind, url)) {
            return Some(());
        }
        let names: Vec<&str> = wanted.iter().map(|url| url.rsplit('/').next().unwrap_or(url)).collect();
        let words = |profile: &str| {
            format!("{profile} wants {} to lead to {}, not to {}.", label(constraint), names.join(" or "), shown(&kind))
        };
        self.tell(ERROR, IssueCode::Value, here, value.place(self.walk.text), words)
    }

    /// Whether a resource type is the one that a target profile is about; true if the profile is not known.
    pub(super) fn is_of_target(&self, kind: &str, url: &str) -> bool {
        let plain = url.split_once('|').map_or(url, |(plain, _)| plain);
        if let Some(profile) = self.definitions().structure(plain) {
            return self.definitions().is_a(kind, &profile.type_name);
        }
        let base = plain.strip_prefix("http://hl7.org/fhir/StructureDefinition/");
        base.filter(|it| self.definitions().type_named(it).is_some()).is_none_or(|it| self.definitions().is_a(kind, it))
    }

    /// The type of the resource that a Reference leads to, as far as it says it or it can be found here.
    pub(super) fn target_type(&mut self, reference: Node<'a>) -> Option<Cow<'a, str>> {
        let found = self.target_resource(reference).and_then(|it| it.get_text("resourceType"));
        let said = || {
            let text = reference.get_text("reference")?;
            Target::of(&text).resource_type().map(Cow::Borrowed)
        };
        found.or_else(said).or_else(|| reference.get_text("type"))
    }

    /// The resource that a Reference leads to, if it is contained or in the Bundle around.
    pub(super) fn target_resource(&mut self, reference: Node<'a>) -> Option<Node<'a>> {
        let text = reference.get_text("reference")?;
        if let Some(id) = text.strip_prefix('#') {
            return self.walk.contained_resource(id);
        }
        self.walk.bundled_resource(&text)
    }

    /// A fixed value, a pattern, a limit.
    fn rule(
        &mut self,
        constraint: &'v Constraint,
        rule: &'v ValueRule,
        node: Node<'a>,
        value: Val<'a, 'v>,
        here: &Frame<'_>,
    ) -> Option<()> {
        let kept = keeps(rule, node);
        if kept {
            return Some(());
        }
        let name = label(constraint);
        let words = |profile: &str| match rule {
            ValueRule::Fixed(fixed) => format!("{profile} wants {name} to be exactly {}.", shown(fixed)),
            ValueRule::Pattern(pattern) => format!("{profile} wants {name} to hold {}.", shown(pattern)),
            ValueRule::Min(least) => format!("{profile} wants {name} to be {} or more.", shown(least)),
            ValueRule::Max(most) => format!("{profile} wants {name} to be {} or less.", shown(most)),
            ValueRule::MaxLength(most) => format!("{profile} allows {name} at most {most} characters."),
        };
        self.tell(ERROR, IssueCode::Value, here, value.place(self.walk.text), words)
    }

    /// The codes of a value and the value set that a profile binds it to.
    fn codes(&mut self, element: &'v ElementDef, node: Node<'a>, value: Val<'a, 'v>, here: &Frame<'_>) -> Option<()> {
        let Some(binding) = element.binding.as_ref().filter(|it| it.strength >= Strength::Preferred) else {
            return Some(());
        };
        let is_required = binding.strength == Strength::Required;
        let severity = if is_required { ERROR } else { Severity::Information };
        if !is_required && (self.quiet || !self.walk.wants(severity)) {
            return Some(());
        }
        let Some(url) = binding.value_set.as_deref() else { return Some(()) };
        let Some(set) = self.definitions().expand(url) else { return Some(()) };
        let codes = coded(node, value.kind);
        let is_in = |(system, code): &(Option<Cow<'a, str>>, Cow<'a, str>)| {
            let system = if value.kind == "code" { None } else { Some(system.as_deref().unwrap_or_default()) };
            set.has(system, code) != Membership::No
        };
        if codes.iter().any(is_in) || codes.is_empty() && value.kind != "CodeableConcept" {
            return Some(());
        }
        // Words alone, or nothing but extensions.
        if codes.is_empty() && node.get("text").is_none() {
            return Some(());
        }
        let words = |profile: &str| {
            let Some((_, code)) = codes.first() else { return format!("{profile} wants a code of {url} here.") };
            let near = nearest(code, set.entries().iter().map(|it| &*it.code));
            format!("{profile} wants a code of {url} here, and '{}' is not one{}.", shown(code), did_you_mean(near))
        };
        self.tell(severity, IssueCode::Value, here, value.place(self.walk.text), words)
    }

    /// The type of a value when it is one of a few: the resource type for a resource.
    pub(super) fn kind_of(&self, node: Node<'a>, kind: &'v str) -> &'v str {
        resource_type(self.definitions(), node).unwrap_or(kind)
    }
}

/// The codes that a value holds, with their systems.
fn coded<'a>(node: Node<'a>, kind: &str) -> Vec<(Option<Cow<'a, str>>, Cow<'a, str>)> {
    let of = |it: Node<'a>| Some((it.get_text("system"), it.get_text("code")?));
    match kind {
        "CodeableConcept" => node.get("coding").into_iter().flat_map(Node::items).filter_map(of).collect(),
        "Coding" | "Quantity" => of(node).into_iter().collect(),
        _ => node.text().map(|code| (None, code)).into_iter().collect(),
    }
}

/// Whether a value keeps a rule.
pub(super) fn keeps(rule: &ValueRule, node: Node<'_>) -> bool {
    match rule {
        ValueRule::Fixed(fixed) => same(node, Node::of_text(fixed)),
        ValueRule::Pattern(pattern) => holds(node, Node::of_text(pattern)),
        ValueRule::Min(least) => in_order(Node::of_text(least), node),
        ValueRule::Max(most) => in_order(node, Node::of_text(most)),
        ValueRule::MaxLength(most) => node.text().is_none_or(|it| it.chars().count() <= *most as usize),
    }
}

/// Whether a value holds all that a pattern has (FHIR R4 ElementDefinition.pattern).
fn holds(node: Node<'_>, pattern: Node<'_>) -> bool {
    match (node.kind(), pattern.kind()) {
        (Kind::Object, Kind::Object) => {
            let fields = node.fields();
            pattern.members().all(|(name, wanted)| fields.get(name).is_some_and(|it| holds(it, wanted)))
        }
        (Kind::Array, Kind::Array) => pattern.items().all(|wanted| node.items().any(|it| holds(it, wanted))),
        _ => same(node, pattern),
    }
}

/// Whether two numbers, dates or quantities are in order; what cannot be compared is.
fn in_order(less: Node<'_>, more: Node<'_>) -> bool {
    let number = |it: Node<'_>| it.number().and_then(|it| it.parse::<f64>().ok());
    if let (Some(less), Some(more)) = (number(less), number(more)) {
        return less <= more;
    }
    if let (Some(less), Some(more)) = (less.text(), more.text()) {
        return match (Moment::parse(&less), Moment::parse(&more)) {
            (Some(less), Some(more)) => less.earliest() <= more.earliest(),
            _ => true,
        };
    }
    let (less_unit, more_unit) = (less.get_text("code"), more.get_text("code"));
    match (less.get("value").and_then(number), more.get("value").and_then(number)) {
        (Some(less), Some(more)) if less_unit == more_unit => less <= more,
        _ => true,
    }
}
