//! The values of an element in an object.

use std::ops::Range;

use crate::definitions::Definitions;
use crate::json::{Kind, Node};

/// A value: its JSON, what stands beside it, its type.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Val<'a, 'v> {
    /// `None` for a primitive that has extensions only.
    pub(super) node: Option<Node<'a>>,
    /// The object with the id and extensions of a primitive.
    pub(super) beside: Option<Node<'a>>,
    /// The name of its type; for a resource the resource type.
    pub(super) kind: &'v str,
    /// Its place among the repetitions.
    pub(super) index: Option<usize>,
}

impl<'a, 'v> Val<'a, 'v> {
    /// A value by itself.
    pub(in super::super) fn of(node: Node<'a>, kind: &'v str) -> Self {
        Self { node: Some(node), beside: None, kind, index: None }
    }

    /// Where it stands.
    pub(super) fn place(&self, text: &str) -> Range<usize> {
        self.node.or(self.beside).and_then(|it| it.place_in(text.as_bytes())).unwrap_or_default()
    }

    /// The object in which to look for children: for a primitive what stands beside it.
    pub(super) fn object(&self) -> Option<Node<'a>> {
        self.node.filter(|it| it.kind() == Kind::Object).or(self.beside)
    }
}

/// The values of the element with that stem in an object of that type.
pub(super) fn values<'a, 'v>(
    definitions: &'v Definitions,
    object: Node<'a>,
    kind: &'v str,
    stem: &str,
) -> Vec<Val<'a, 'v>> {
    let mut found: Vec<Val<'a, 'v>> = Vec::new();
    let Some(definition) = definitions.type_named(kind) else { return found };
    for (name, value) in object.members().filter(|(name, _)| name.trim_start_matches('_').starts_with(stem)) {
        let plain = name.strip_prefix('_').unwrap_or(name);
        let Some((_, kind)) = definition.element(plain).filter(|(element, _)| element.name == stem) else { continue };
        let is_beside = plain != name;
        for (at, item) in value.each().enumerate() {
            let index = (value.kind() == Kind::Array).then_some(at);
            let item = Some(item).filter(|it| it.kind() != Kind::Null);
            match found.iter_mut().find(|it| it.index == index) {
                Some(known) if is_beside => known.beside = item,
                Some(known) if known.node.is_none() => known.node = item,
                _ => {
                    let kind = item.and_then(|it| resource_type(definitions, it)).unwrap_or(kind);
                    let (node, beside) = if is_beside { (None, item) } else { (item, None) };
                    found.push(Val { node, beside, kind, index });
                }
            }
        }
    }
    found.retain(|it| it.node.is_some() || it.beside.is_some());
    found
}

/// The type of a resource among values.
pub(super) fn resource_type<'v>(definitions: &'v Definitions, node: Node<'_>) -> Option<&'v str> {
    if node.kind() != Kind::Object {
        return None;
    }
    definitions.type_named(&node.get_text("resourceType")?).map(|it| &*it.name)
}
