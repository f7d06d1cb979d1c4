//! Names and cardinalities: what the walk says when an object is not built as its type wants.

use std::ops::Range;

use super::names::nearest;
use super::primitive::Primitive;
use super::rules::{Member, Shape, TypeRule};
use super::walk::{Frame, Seen, Walk};
use super::words::{did_you_mean, kind_words, shown};
use crate::json::{Kind, Node};
use crate::outcome::{IssueCode, Severity};

const ERROR: Severity = Severity::Error;

impl<'a, 'v> Walk<'a, 'v> {
    /// Elements that must be there and are not.
    pub(super) fn missing(&mut self, rule: &TypeRule, missing: u128, at: usize, here: &Frame<'_>) -> Option<()> {
        for (place, element) in rule.elements.iter().enumerate() {
            if missing & 1 << place != 0 {
                let choice = if element.is_choice { "[x]" } else { "" };
                let words = || format!("'{}{choice}' is missing; {} always needs it.", element.name, rule.name);
                self.tell(ERROR, IssueCode::Required, Some(here), at..at + 1, words)?;
            }
        }
        Some(())
    }

    /// A name that the type does not have.
    pub(super) fn unknown(&mut self, rule: &TypeRule, name: &str, here: &Frame<'_>, place: Range<usize>) -> Option<()> {
        self.tell(ERROR, IssueCode::Structure, Some(here), place, || unknown_words(rule, name))
    }

    /// A choice element under a second name.
    pub(super) fn one_choice(
        &mut self,
        object: usize,
        rule: &TypeRule,
        member: Member,
        name: &str,
        here: &Frame<'_>,
        name_at: Range<usize>,
    ) -> Option<()> {
        let plain = |name: &'a str| name.strip_prefix('_').unwrap_or(name);
        let wanted = name.strip_prefix('_').unwrap_or(name);
        let of_choice = |other: &&str| rule.member(other).is_some_and(|it| it.element == member.element);
        let object = self.node(object)?;
        let Some(other) =
            object.members().map(|(other, _)| plain(other)).take_while(|it| *it != wanted).find(of_choice)
        else {
            return Some(());
        };
        let stem = rule.elements.get(usize::from(member.element)).map_or("", |it| &*it.name);
        let words =
            || format!("Only one kind of '{stem}[x]' may be there, and here are '{other}' and '{wanted}'; keep one.");
        self.tell(ERROR, IssueCode::Structure, Some(here), name_at, words)
    }

    /// What stands beside a primitive under its name with an underscore: `None` inside if the name is no such.
    pub(super) fn companion(
        &mut self,
        name: &'a str,
        at: usize,
        rule: &'v TypeRule,
        here: &Frame<'_>,
    ) -> Option<Option<(Member, usize)>> {
        let found = name.strip_prefix('_').and_then(|name| rule.member(name));
        let Some(member) = found.filter(|it| matches!(it.shape, Shape::Primitive(it) if it != Primitive::Xhtml)) else {
            return Some(None);
        };
        let element = rule.elements.get(usize::from(member.element))?;
        let mut frame = Frame { above: Some(here), name: &element.name, index: None, kind: member.kind };
        let first = self.text.as_bytes().get(at).copied();
        if !element.repeats {
            return Some(Some((member, self.beside(name, at, &frame)?)));
        }
        if first != Some(b'[') {
            let end = at + self.node(at)?.raw().len();
            let words = || format!("'{name}' stands beside an array, so it is an array of the same length.");
            self.tell(ERROR, IssueCode::Structure, Some(&frame), at..end, words)?;
            return Some(Some((member, end)));
        }
        let mut reach = at + 1;
        for count in 0.. {
            frame.index = Some(count);
            match self.text.as_bytes().get(reach)? {
                b']' => break,
                b'n' => reach += self.node(reach)?.raw().len().max(1),
                _ => reach = self.beside(name, reach, &frame)?,
            }
            match self.text.as_bytes().get(reach)? {
                b',' => reach += 1,
                b']' => break,
                _ => return None,
            }
        }
        Some(Some((member, reach + 1)))
    }

    /// The id and extensions of one primitive.
    fn beside(&mut self, name: &str, at: usize, frame: &Frame<'_>) -> Option<usize> {
        if self.text.as_bytes().get(at) == Some(&b'{') {
            return Some(self.object(at, self.rules.element, None, frame)?.range.end);
        }
        let end = at + self.node(at)?.raw().len();
        let kind = kind_words(self.text.as_bytes().get(at).copied());
        let words = || format!("'{name}' holds the id and the extensions of a value: an object, and this is {kind}.");
        self.tell(ERROR, IssueCode::Structure, Some(frame), at..end, words)?;
        (end > at).then_some(end)
    }

    /// Primitives and what stands beside them fit together: arrays of the same length, a null only where the other has
    /// something.
    pub(super) fn pairs(&mut self, rule: &TypeRule, seen: &Seen, here: &Frame<'_>) -> Option<()> {
        let object = Node::of_text(self.text.get(seen.range.clone())?);
        let fields = object.fields();
        for (name, value) in fields.iter() {
            let Some(member) = rule.member(name.strip_prefix('_').unwrap_or(name)) else { continue };
            let element = rule.elements.get(usize::from(member.element))?;
            if !matches!(member.shape, Shape::Primitive(_)) {
                continue;
            }
            if !element.repeats && name.starts_with('_') && fields.get(&name[1..]).is_none() {
                let frame = Frame { above: Some(here), name: &element.name, index: None, kind: member.kind };
                self.alone(value, &frame)?;
            }
            if !element.repeats || value.kind() != Kind::Array {
                continue;
            }
            let other_name = name.strip_prefix('_').map_or_else(|| format!("_{name}"), str::to_owned);
            let other = fields.get(&other_name).filter(|it| it.kind() == Kind::Array);
            let frame = Frame { above: Some(here), name: &element.name, index: None, kind: member.kind };
            let place = value.place_in(self.text.as_bytes()).unwrap_or_default();
            if let Some(other) = other.filter(|_| name.starts_with('_'))
                && other.items().count() != value.items().count()
            {
                let words = || {
                    format!(
                        "'{name}' and '{other_name}' stand side by side, so they have the same length; fill up with null."
                    )
                };
                self.tell(ERROR, IssueCode::Structure, Some(&frame), place, words)?;
                continue;
            }
            // Each pair is looked at once: from the values, or from what stands beside if there are none.
            if name.starts_with('_') {
                for (index, item) in value.items().enumerate().filter(|_| other.is_none()) {
                    self.alone(item, &Frame { index: Some(index), ..frame })?;
                }
                continue;
            }
            let mut others = other.into_iter().flat_map(Node::items);
            for (index, item) in value.items().enumerate() {
                let beside = others.next().map_or(Kind::Null, Node::kind);
                if item.kind() == Kind::Null && beside == Kind::Null {
                    let frame = Frame { index: Some(index), ..frame };
                    self.empty_item(item, &frame)?;
                }
            }
        }
        Some(())
    }

    /// What stands beside a primitive that has no value.
    fn alone(&mut self, beside: Node<'a>, frame: &Frame<'_>) -> Option<()> {
        match beside.kind() {
            Kind::Null => self.empty_item(beside, frame),
            Kind::Object if beside.members().all(|(name, _)| name == "id") => {
                self.says_nothing(frame, beside.place_in(self.text.as_bytes()).unwrap_or_default())
            }
            _ => Some(()),
        }
    }

    fn empty_item(&mut self, item: Node<'a>, frame: &Frame<'_>) -> Option<()> {
        let place = item.place_in(self.text.as_bytes()).unwrap_or_default();
        let words = || "null says nothing here; leave the item out (ele-1).".to_owned();
        self.tell(ERROR, IssueCode::Structure, Some(frame), place, words)
    }
}

/// Words about a name that a type does not have: what was probably meant.
fn unknown_words(rule: &TypeRule, name: &str) -> String {
    let of = &rule.name;
    let plain = name.strip_prefix('_').unwrap_or(name);
    if name == "fhir_comments" {
        return "FHIR R4 has no 'fhir_comments'; leave it out.".to_owned();
    }
    if name == "resourceType" {
        return format!("{of} is not a resource, so it has no 'resourceType'; leave it out.");
    }
    if plain != name && rule.member(plain).is_some() {
        return format!(
            "'{name}' is not allowed: only simple values have something beside them, and '{plain}' is an object."
        );
    }
    let choice = rule.elements.iter().filter(|it| it.is_choice).find(|it| {
        plain
            .strip_prefix(&*it.name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(|it: char| it.is_ascii_uppercase()))
    });
    if let Some(choice) = choice {
        let mut kinds: Vec<&str> = rule.names.iter().filter(|it| it.strip_prefix(&*choice.name).is_some()).collect();
        kinds.retain(|it| {
            rule.member(it)
                .is_some_and(|it| rule.elements.get(usize::from(it.element)).is_some_and(|it| it.name == choice.name))
        });
        kinds.sort_unstable();
        let near = nearest(plain, kinds.iter().copied());
        let hint = match near {
            Some(_) => did_you_mean(near),
            None if kinds.len() <= 12 => format!("; it is one of {}", kinds.join(", ")),
            None => format!("; say the type, as in '{}'", kinds.first().copied().unwrap_or_default()),
        };
        return format!("'{}' is not an element of {of}{hint}.", shown(name));
    }
    format!("'{}' is not an element of {of}{}.", shown(name), did_you_mean(rule.names.nearest(plain)))
}
