//! The walk: one pass over a compact document, each value seen once, in step with the type it should have.

use std::borrow::Cow;
use std::ops::Range;

use super::ask::{Asked, Expressions};
use super::bundle::BundleScope;
use super::issue::{Issue, Report};
use super::reference::Contained;
use super::rules::{ElementRule, Member, Rules, Shape, Special, TypeId, TypeRule};
use super::words::{did_you_mean, kind_words, shown};
use super::{Options, Validator};
use crate::definitions::{Definitions, Invariant};
use crate::json::{MAX_DEPTH, Node, plain_end, value_end};
use crate::outcome::{IssueCode, Severity};

/// Validates a whole document.
pub(super) fn document<'v>(validator: &'v Validator, compact: &[u8], options: &'v Options<'v>) -> Report {
    let Ok(text) = std::str::from_utf8(compact) else {
        let mut walk = Walk::over(validator, "", options);
        walk.tell(Severity::Error, IssueCode::Structure, None, 0..0, || "This is not UTF-8 text.".to_owned());
        return walk.finish();
    };
    let mut walk = Walk::over(validator, text, options);
    walk.asked = options.profiles;
    let end = walk.resource(0, None, Place::Root);
    let _ = walk.say_if_too_costly();
    if walk.issues.is_empty() && end != Some(text.len()) {
        let words = || "This is not a compact JSON document.".to_owned();
        walk.tell(Severity::Error, IssueCode::Structure, None, 0..0, words);
    }
    walk.finish()
}

/// Where a resource stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// By itself, in an entry or in a parameter.
    Root,
    /// In `contained`.
    Contained,
}

/// The way from the document down to a value; it lives on the stack and becomes text only for an issue.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame<'f> {
    pub(super) above: Option<&'f Self>,
    pub(super) name: &'f str,
    pub(super) index: Option<usize>,
    /// The type of the value.
    pub(super) kind: TypeId,
}

impl Frame<'_> {
    pub(super) fn path(&self) -> String {
        let mut path = self.above.map(Frame::path).unwrap_or_default();
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(self.name);
        if let Some(index) = self.index {
            path.push_str(&format!("[{index}]"));
        }
        path
    }
}

/// The resource that references and invariants look around in.
pub(super) struct Root<'a, 'v> {
    /// Where it starts.
    pub(super) start: usize,
    /// Its type.
    pub(super) kind: &'v str,
    /// Its contained resources, gathered when the first is asked for.
    pub(super) contained: Option<Contained<'a>>,
    /// Where those contained resources start that refer to it.
    pub(super) referring: Vec<usize>,
    /// Itself, found when an invariant needs it.
    pub(super) node: Option<Node<'a>>,
}

impl<'v> Root<'_, 'v> {
    const fn new(start: usize, kind: &'v str) -> Self {
        Self { start, kind, contained: None, referring: Vec::new(), node: None }
    }
}

/// A resource that is walked over.
pub(super) struct Around<'a, 'v> {
    /// Where it starts.
    pub(super) start: usize,
    /// Its type.
    pub(super) kind: &'v str,
    /// Whether it is contained and refers to its container.
    pub(super) refers_out: bool,
    /// Itself, found when an invariant needs it.
    pub(super) node: Option<Node<'a>>,
}

/// One walk.
pub(super) struct Walk<'a, 'v> {
    pub(super) text: &'a str,
    pub(super) rules: &'v Rules,
    pub(super) definitions: &'v Definitions,
    pub(super) issues: Vec<Issue>,
    pub(super) root: Root<'a, 'v>,
    /// The resource that a value is part of: the root, or one contained in it.
    pub(super) resource: Around<'a, 'v>,
    /// The Bundle around.
    pub(super) bundle: Option<BundleScope<'a>>,
    /// The rules of profiles.
    pub(super) expressions: &'v Expressions,
    /// What the FHIRPath engine was asked.
    pub(super) asked_paths: Asked,
    /// Steps taken over profiles.
    pub(super) steps: usize,
    /// The profiles that the outermost resource is held to.
    asked: &'v [&'v str],
    level: Severity,
    limit: usize,
    truncated: bool,
    depth: usize,
}

/// What the walk over an object found: its end, which elements were there, and where the noted ones are.
pub(super) struct Seen {
    pub(super) range: Range<usize>,
    pub(super) bits: u128,
    pub(super) notes: [Range<u32>; 3],
    /// Whether there was a name that the type does not have.
    pub(super) has_unknown: bool,
    /// Whether something stands beside a primitive, or a null in an array waits for it.
    pub(super) has_companions: bool,
    /// Whether it stands beside a primitive.
    pub(super) is_beside: bool,
}

impl<'a, 'v> Walk<'a, 'v> {
    fn over(validator: &'v Validator, text: &'a str, options: &Options<'_>) -> Self {
        Self {
            text,
            rules: &validator.rules,
            definitions: &validator.definitions,
            issues: Vec::new(),
            root: Root::new(0, ""),
            resource: Around { start: 0, kind: "", refers_out: false, node: None },
            bundle: None,
            expressions: &validator.expressions,
            asked_paths: Asked::default(),
            steps: 0,
            asked: &[],
            level: options.level,
            limit: options.limit.max(1),
            truncated: false,
            depth: 0,
        }
    }

    fn finish(mut self) -> Report {
        self.issues.sort_by_key(|it| it.place.start);
        Report { issues: self.issues, truncated: self.truncated }
    }

    /// Whether issues of that severity are asked for.
    pub(super) fn wants(&self, severity: Severity) -> bool {
        rank(severity) <= rank(self.level)
    }

    /// Tells an issue. `None` when no more are asked for, which ends the walk.
    pub(super) fn tell(
        &mut self,
        severity: Severity,
        code: IssueCode,
        here: Option<&Frame<'_>>,
        place: Range<usize>,
        words: impl FnOnce() -> String,
    ) -> Option<()> {
        if !self.wants(severity) {
            return Some(());
        }
        let mut words = words();
        if words.ends_with("?.") {
            words.pop();
        }
        // A profile may say the same of an element and of each of its slices.
        if self.issues.iter().any(|it| it.place == place && it.words == words) {
            return Some(());
        }
        if self.issues.len() == self.limit {
            self.truncated = true;
            return None;
        }
        let expression = here.map(Frame::path).unwrap_or_default();
        self.issues.push(Issue { severity, code, expression, words, place, rule: None });
        Some(())
    }

    /// Tells that an invariant is broken.
    pub(super) fn broken(&mut self, invariant: &Invariant, here: &Frame<'_>, place: Range<usize>) -> Option<()> {
        // dom-6 (a resource should have narrative) is marked as best practice; what machines send has none.
        let severity = if invariant.key == "dom-6" {
            Severity::Information
        } else if invariant.is_warning {
            Severity::Warning
        } else {
            Severity::Error
        };
        let before = self.issues.len();
        let words = || format!("{}: {}", invariant.key, invariant.human);
        self.tell(severity, IssueCode::Invariant, Some(here), place, words)?;
        if let Some(issue) = self.issues.get_mut(before) {
            issue.rule = Some(invariant.key.to_string());
        }
        Some(())
    }

    pub(super) fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// The value that starts at `at`.
    pub(super) fn node(&self, at: usize) -> Option<Node<'a>> {
        let end = value_end(self.text.as_bytes(), at)?;
        self.text.get(at..end).map(Node::of_text)
    }

    fn skip(&self, at: usize) -> Option<usize> {
        value_end(self.text.as_bytes(), at)
    }

    /// Tells an issue about the value at `at` and steps over it.
    fn skip_telling(
        &mut self,
        at: usize,
        code: IssueCode,
        here: &Frame<'_>,
        words: impl FnOnce() -> String,
    ) -> Option<usize> {
        let end = self.skip(at)?;
        self.tell(Severity::Error, code, Some(here), at..end, words)?;
        Some(end)
    }

    /// The type of the resource at `at`, or, where it is none, its end after telling so.
    fn resource_rule(&mut self, at: usize, frame: &Frame<'_>) -> Option<Result<(TypeId, &'v TypeRule), usize>> {
        const START: &str = "{\"resourceType\":\"";
        if self.byte(at) != Some(b'{') {
            let kind = kind_words(self.byte(at));
            let words = || format!("A resource is wanted here, an object with a resourceType, and this is {kind}.");
            return self.skip_telling(at, IssueCode::Structure, frame, words).map(Err);
        }
        let rest = self.text.get(at..)?;
        let quick = rest.strip_prefix(START).and_then(|name| name.split_once('"'));
        let named = match quick {
            Some((name, _)) => Some(Cow::Borrowed(name)),
            None => self.node(at)?.get_text("resourceType"),
        };
        let Some(named) = named else {
            let words =
                || "The resource does not say what it is: it needs a resourceType such as \"Patient\".".to_owned();
            return self.skip_telling(at, IssueCode::Required, frame, words).map(Err);
        };
        let rules = self.rules;
        let found = rules.named(&named).map(|kind| (kind, &rules.types[usize::from(kind)]));
        if let Some(found) = found.filter(|(_, rule)| rule.shape == Shape::Resource) {
            return Some(Ok(found));
        }
        let words = || {
            let nearest = super::names::nearest(&named, rules.resource_types());
            format!("'{}' is not a resource type of FHIR R4{}.", shown(&named), did_you_mean(nearest))
        };
        self.skip_telling(at, IssueCode::Value, frame, words).map(Err)
    }

    /// A resource of any type.
    pub(super) fn resource(&mut self, at: usize, here: Option<&Frame<'_>>, place: Place) -> Option<usize> {
        let unnamed = Frame { above: None, name: "Resource", index: None, kind: TypeId::MAX };
        let (kind, rule) = match self.resource_rule(at, here.unwrap_or(&unnamed))? {
            Ok(found) => found,
            Err(end) => return Some(end),
        };
        let top = Frame { above: None, name: &rule.name, index: None, kind };
        let frame = here.unwrap_or(&top);
        let fresh = Around { start: at, kind: &rule.name, refers_out: false, node: None };
        let outer = std::mem::replace(&mut self.resource, fresh);
        let end = match place {
            Place::Contained => {
                let seen = self.object(at, kind, None, frame)?;
                if self.resource.refers_out {
                    self.root.referring.push(at);
                }
                self.contained_rules(rule, &seen, frame)?;
                self.profiles(rule, &seen, here.is_none(), frame)?;
                seen.range.end
            }
            Place::Root => {
                let outer_root = std::mem::replace(&mut self.root, Root::new(at, &rule.name));
                let is_bundle = &*rule.name == "Bundle";
                let fresh = BundleScope { start: at, index: None };
                let outer_bundle = is_bundle.then(|| self.bundle.replace(fresh));
                let seen = self.object(at, kind, None, frame)?;
                self.unreferenced(frame)?;
                self.profiles(rule, &seen, here.is_none(), frame)?;
                if let Some(outer) = outer_bundle {
                    self.bundle_rules(&seen, frame)?;
                    self.bundle = outer;
                }
                self.root = outer_root;
                seen.range.end
            }
        };
        self.resource = outer;
        Some(end)
    }

    /// The profiles of a resource that was walked over.
    fn profiles(&mut self, rule: &TypeRule, seen: &Seen, is_outermost: bool, here: &Frame<'_>) -> Option<()> {
        let asked = if is_outermost { self.asked } else { &[] };
        if asked.is_empty() && seen.bits & rule.meta == 0 {
            return Some(());
        }
        let resource = Node::of_text(self.text.get(seen.range.clone())?);
        self.hold_to_profiles(resource, here, asked)
    }

    /// An object of a type. `owner` is the element that it is the value of.
    pub(super) fn object(
        &mut self,
        at: usize,
        kind: TypeId,
        owner: Option<&'v ElementRule>,
        here: &Frame<'_>,
    ) -> Option<Seen> {
        let rules = self.rules;
        let rule: &'v TypeRule = rules.types.get(usize::from(kind))?;
        if self.depth == MAX_DEPTH {
            return None;
        }
        self.depth += 1;
        let is_beside = kind == rules.element;
        let mut seen = Seen {
            range: at..at,
            bits: 0,
            notes: [0..0, 0..0, 0..0],
            has_unknown: false,
            has_companions: false,
            is_beside,
        };
        let mut reach = at + 1;
        if self.byte(reach) == Some(b'}') {
            let words = || "An empty object says nothing; leave the element out.".to_owned();
            self.tell(Severity::Error, IssueCode::Structure, Some(here), at..at + 2, words)?;
            self.depth -= 1;
            seen.range.end = at + 2;
            return Some(seen);
        }
        loop {
            if self.byte(reach) != Some(b'"') {
                return None;
            }
            let name_end = plain_end(self.text.as_bytes(), reach + 1);
            let name: &'a str = self.text.get(reach + 1..name_end)?;
            reach = self.member(rule, name, reach..name_end + 1, &mut seen, here)?;
            match self.byte(reach)? {
                b',' => reach += 1,
                b'}' => break,
                _ => return None,
            }
        }
        self.depth -= 1;
        seen.range.end = reach + 1;
        if seen.has_companions {
            self.pairs(rule, &seen, here)?;
        }
        self.after(rule, owner, &seen, here)?;
        Some(seen)
    }

    /// One member of an object: its name stands at `name_at`, quotes included. Answers where its value ends.
    #[inline]
    fn member(
        &mut self,
        rule: &'v TypeRule,
        name: &'a str,
        name_at: Range<usize>,
        seen: &mut Seen,
        here: &Frame<'_>,
    ) -> Option<usize> {
        let value = name_at.end + 1;
        let Some(member) = rule.member(name) else {
            if name == "resourceType" && rule.shape == Shape::Resource {
                return self.skip(value);
            }
            let Some((member, end)) = self.companion(name, value, rule, here)? else {
                seen.has_unknown = true;
                self.unknown(rule, name, here, name_at)?;
                return self.skip(value);
            };
            seen.has_companions = true;
            self.see(rule, member, name, name_at, seen, here)?;
            return Some(end);
        };
        self.see(rule, member, name, name_at, seen, here)?;
        let element = rule.elements.get(usize::from(member.element))?;
        let (end, gaps) = self.value(value, member, element, here)?;
        seen.has_companions |= gaps;
        if let (Ok(start), Ok(end)) = (u32::try_from(value), u32::try_from(end))
            && let Some(note) = seen.notes.get_mut(usize::from(member.slot))
        {
            *note = start..end;
        }
        Some(end)
    }

    /// Notes that an element is there; a choice may be there once.
    #[inline]
    fn see(
        &mut self,
        rule: &'v TypeRule,
        member: Member,
        name: &str,
        name_at: Range<usize>,
        seen: &mut Seen,
        here: &Frame<'_>,
    ) -> Option<()> {
        let bit = 1u128 << member.element;
        let again = seen.bits & bit != 0;
        seen.bits |= bit;
        if again && rule.elements.get(usize::from(member.element))?.is_choice {
            self.one_choice(seen.range.start, rule, member, name, here, name_at)?;
        }
        Some(())
    }

    /// What can be said of an object when all of it was seen.
    fn after(
        &mut self,
        rule: &'v TypeRule,
        owner: Option<&'v ElementRule>,
        seen: &Seen,
        here: &Frame<'_>,
    ) -> Option<()> {
        let missing = rule.required & !seen.bits;
        if missing != 0 {
            self.missing(rule, missing, seen.range.start, here)?;
        }
        if let Shape::Complex(special) = rule.shape {
            if seen.bits & !rule.id == 0 && !seen.has_unknown && !seen.is_beside {
                self.says_nothing(here, seen.range.clone())?;
            }
            if special != Special::None {
                self.special(special, owner, seen, here)?;
            }
        }
        for check in &rule.checks {
            self.check(check, rule, seen, here)?;
        }
        for check in owner.map_or(&[][..], |owner| &owner.checks) {
            self.check(check, rule, seen, here)?;
        }
        Some(())
    }

    /// Tells that there is an id and nothing else.
    pub(super) fn says_nothing(&mut self, here: &Frame<'_>, place: Range<usize>) -> Option<()> {
        let words = || "An element needs a value or an extension: an id alone says nothing (ele-1).".to_owned();
        self.tell(Severity::Error, IssueCode::Invariant, Some(here), place, words)
    }

    /// The value of a member: one, or an array of them. Answers where it ends, and whether an array had a null in it.
    fn value(
        &mut self,
        at: usize,
        member: Member,
        element: &'v ElementRule,
        here: &Frame<'_>,
    ) -> Option<(usize, bool)> {
        let mut frame = Frame { above: Some(here), name: &element.name, index: None, kind: member.kind };
        let first = self.byte(at)?;
        if !element.repeats {
            if first == b'[' {
                let name = &element.name;
                let end = self.skip_telling(at, IssueCode::Structure, &frame, || {
                    format!("'{name}' may be there only once, so it is not an array; leave the brackets out.")
                })?;
                return Some((end, false));
            }
            return Some((self.item(at, member, element, &frame)?, false));
        }
        if first != b'[' {
            let name = &element.name;
            let words =
                || format!("'{name}' may be there more than once, so it is always an array; put it into brackets.");
            self.tell(Severity::Error, IssueCode::Structure, Some(&frame), at..at + 1, words)?;
            return Some((self.item(at, member, element, &frame)?, false));
        }
        let mut reach = at + 1;
        if self.byte(reach) == Some(b']') {
            let words = || "An empty array says nothing; leave the element out.".to_owned();
            self.tell(Severity::Error, IssueCode::Structure, Some(&frame), at..at + 2, words)?;
            return Some((at + 2, false));
        }
        let (mut count, mut gaps) = (0usize, false);
        loop {
            frame.index = Some(count);
            reach = match self.byte(reach)? {
                b'n' if matches!(member.shape, Shape::Primitive(_)) => {
                    gaps = true;
                    self.skip(reach)?
                }
                b'[' => self.skip_telling(reach, IssueCode::Structure, &frame, || {
                    "FHIR has no arrays inside arrays; take the inner brackets out.".to_owned()
                })?,
                _ => self.item(reach, member, element, &frame)?,
            };
            count += 1;
            match self.byte(reach)? {
                b',' => reach += 1,
                b']' => break,
                _ => return None,
            }
        }
        if count > element.max as usize {
            frame.index = None;
            let (name, max) = (&element.name, element.max);
            let words = || format!("'{name}' may be there at most {max} times, and here it is {count} times.");
            self.tell(Severity::Error, IssueCode::Structure, Some(&frame), at..reach + 1, words)?;
        }
        Some((reach + 1, gaps))
    }

    /// One value.
    fn item(&mut self, at: usize, member: Member, element: &'v ElementRule, here: &Frame<'_>) -> Option<usize> {
        match member.shape {
            Shape::Primitive(primitive) => self.primitive(at, primitive, element, here),
            Shape::Open => self.skip(at),
            shape => {
                if self.byte(at)? != b'{' {
                    let kind = kind_words(self.byte(at));
                    return self.skip_telling(at, IssueCode::Structure, here, || {
                        format!("An object is wanted here, and this is {kind}.")
                    });
                }
                match shape {
                    Shape::AnyResource | Shape::Resource => {
                        let place = if here.name == "contained" { Place::Contained } else { Place::Root };
                        self.resource(at, Some(here), place)
                    }
                    _ => Some(self.object(at, member.kind, Some(element), here)?.range.end),
                }
            }
        }
    }
}

/// The worst first.
const fn rank(severity: Severity) -> u8 {
    match severity {
        Severity::Fatal => 0,
        Severity::Error => 1,
        Severity::Warning => 2,
        Severity::Information => 3,
    }
}
