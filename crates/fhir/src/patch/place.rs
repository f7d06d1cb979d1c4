//! JSON Pointers (RFC 6901): places in a document.

use super::Reason;
use super::splice::{Splice, insert_item, remove_item, remove_member, replace, set_member};
use crate::json::{Kind, MAX_DEPTH, Node};

/// A place in a document: the names and places in lists on the way to it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Pointer(Vec<String>);

impl Pointer {
    /// Reads a JSON Pointer.
    pub(super) fn parse(text: &str) -> Result<Self, Reason> {
        if text.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let steps = text.strip_prefix('/').ok_or(Reason::Pointer)?.split('/');
        let steps: Vec<_> = steps.map(step).collect::<Result<_, _>>()?;
        // Deeper than that no checked document goes.
        if steps.len() > MAX_DEPTH { Err(Reason::Nowhere) } else { Ok(Self(steps)) }
    }

    /// Whether `other` is a place inside this one.
    pub(super) fn holds(&self, other: &Self) -> bool {
        other.0.len() > self.0.len() && other.0.starts_with(&self.0)
    }

    /// The value at the place.
    pub(super) fn find<'b>(&self, root: Node<'b>) -> Option<Node<'b>> {
        self.0.iter().try_fold(root, |node, step| inside(node, step))
    }

    /// What holds the place, and the last step to it; `None` for the whole document.
    fn holder<'b>(&self, root: Node<'b>) -> Option<(Option<Node<'b>>, &str)> {
        let (last, way) = self.0.split_last()?;
        Some((way.iter().try_fold(root, |node, step| inside(node, step)), last))
    }

    /// Adds a value at the place (RFC 6902 §4.1).
    pub(super) fn add(&self, document: &[u8], root: Node<'_>, value: &str) -> Result<Splice, Reason> {
        let Some((holder, last)) = self.holder(root) else {
            return replace(document, root, value).ok_or(Reason::Nowhere);
        };
        let holder = holder.ok_or(Reason::NoHolder)?;
        match holder.kind() {
            Kind::Object => {
                if last.bytes().any(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)) {
                    return Err(Reason::Name);
                }
                set_member(document, holder, last, value).ok_or(Reason::NoHolder)
            }
            Kind::Array => {
                let at = if last == "-" { Some(holder.items().count()) } else { index(last) };
                at.and_then(|at| insert_item(document, holder, at, value)).ok_or(Reason::NoPlace)
            }
            _ => Err(Reason::NoHolder),
        }
    }

    /// Removes the value at the place (RFC 6902 §4.2). The whole document cannot be removed.
    pub(super) fn remove(&self, document: &[u8], root: Node<'_>) -> Result<Splice, Reason> {
        let (holder, last) = self.holder(root).ok_or(Reason::Identity)?;
        let holder = holder.ok_or(Reason::Nowhere)?;
        match holder.kind() {
            Kind::Object => remove_member(document, holder, last),
            Kind::Array => index(last).and_then(|at| remove_item(document, holder, at)),
            _ => None,
        }
        .ok_or(Reason::Nowhere)
    }
}

/// One step of a pointer, its escapes resolved.
fn step(text: &str) -> Result<String, Reason> {
    let mut parts = text.split('~');
    let mut step = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (character, rest) = match part.as_bytes().first() {
            Some(b'0') => ('~', &part[1..]),
            Some(b'1') => ('/', &part[1..]),
            _ => return Err(Reason::Pointer),
        };
        step.push(character);
        step.push_str(rest);
    }
    Ok(step)
}

/// A place in a list: digits without a zero in front.
fn index(step: &str) -> Option<usize> {
    let plain = step.bytes().all(|byte| byte.is_ascii_digit()) && (step == "0" || !step.starts_with('0'));
    plain.then(|| step.parse().ok()).flatten()
}

fn inside<'a>(node: Node<'a>, step: &str) -> Option<Node<'a>> {
    match node.kind() {
        Kind::Object => node.get(step),
        Kind::Array => node.items().nth(index(step)?),
        _ => None,
    }
}
