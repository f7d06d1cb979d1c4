//! Following the paths of several programs in one walk over a resource.

use std::sync::Arc;

use super::{Program, Step};
use crate::definitions::Definitions;
use crate::json::{Kind, Node};
use crate::search::parameter::Found;

/// The paths of several programs, merged where they go the same way.
#[derive(Debug, Default)]
pub(in crate::search) struct Walk {
    from_start: Branch,
    from_resource: Branch,
}

/// Where a program's path ends: which program, and which of its paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::search) struct Place {
    /// The program, counted in the order given.
    pub(in crate::search) program: usize,
    /// The path of that program.
    pub(in crate::search) path: usize,
}

/// A path, and the text that must stand there.
type Condition = (Arc<[String]>, Arc<str>);

/// What to do at a value.
#[derive(Debug, Default)]
struct Branch {
    ends: Vec<Place>,
    fields: Vec<(Arc<str>, Branch)>,
    conditions: Vec<(Condition, Branch)>,
    indices: Vec<(usize, Branch)>,
}

impl Walk {
    /// Merges programs.
    pub(in crate::search) fn of<'p>(programs: impl IntoIterator<Item = &'p Program>) -> Self {
        let mut walk = Self::default();
        for (program, compiled) in programs.into_iter().enumerate() {
            for (path, it) in compiled.paths.iter().enumerate() {
                let start = if it.from_resource { &mut walk.from_resource } else { &mut walk.from_start };
                start.insert(&it.steps, Place { program, path });
            }
        }
        walk
    }

    /// Walks a value and hands over what is at the end of each path. `resource` is the whole, for paths that start there.
    pub(in crate::search) fn over<'n>(
        &self,
        start: Node<'n>,
        resource: Node<'n>,
        found: &mut dyn FnMut(Place, Node<'n>),
    ) {
        self.from_start.value(start, found);
        if !self.from_resource.is_empty() {
            self.from_resource.value(resource, found);
        }
    }
}

/// How many elements some search parameters of a type find in resources, each resource walked once for all of them. For
/// measuring, and for those who want to know what a search would look at.
pub fn find_values<'n>(
    definitions: &Definitions,
    resource_type: &str,
    codes: &[&str],
    resources: impl Iterator<Item = Node<'n>>,
) -> usize {
    let compiled = codes.iter().filter_map(|code| match definitions.compiled(resource_type, code) {
        Found::Parameter(parameter) => Some(parameter),
        Found::Unknown | Found::NotCompiled => None,
    });
    let compiled: Vec<_> = compiled.collect();
    let walk = Walk::of(compiled.iter().map(|it| &it.program));
    let mut count = 0;
    resources.for_each(|resource| walk.over(resource, resource, &mut |_, _| count += 1));
    count
}

impl Branch {
    fn is_empty(&self) -> bool {
        self.ends.is_empty() && self.fields.is_empty() && self.conditions.is_empty() && self.indices.is_empty()
    }

    fn insert(&mut self, steps: &[Step], place: Place) {
        let Some((step, rest)) = steps.split_first() else {
            self.ends.push(place);
            return;
        };
        match step {
            Step::Field(name) => entry(&mut self.fields, name).insert(rest, place),
            Step::Equals(path, literal) => {
                entry(&mut self.conditions, &(Arc::clone(path), Arc::clone(literal))).insert(rest, place);
            }
            Step::Index(index) => entry(&mut self.indices, index).insert(rest, place),
        }
    }

    /// A value: of an array each item. Depth is bounded by the longest path.
    fn value<'n>(&self, value: Node<'n>, found: &mut dyn FnMut(Place, Node<'n>)) {
        if value.kind() != Kind::Array {
            for (_, branch) in self.indices.iter().filter(|(index, _)| *index == 0) {
                branch.item(value, found);
            }
            return self.item(value, found);
        }
        for (at, item) in value.items().enumerate() {
            for (_, branch) in self.indices.iter().filter(|(index, _)| *index == at) {
                branch.item(item, found);
            }
            self.item(item, found);
        }
    }

    fn item<'n>(&self, item: Node<'n>, found: &mut dyn FnMut(Place, Node<'n>)) {
        for place in &self.ends {
            found(*place, item);
        }
        for ((path, literal), branch) in &self.conditions {
            if holds(item, path, literal) {
                branch.item(item, found);
            }
        }
        if self.fields.is_empty() {
            return;
        }
        for (name, member) in item.members() {
            for (_, branch) in self.fields.iter().filter(|(field, _)| **field == *name) {
                branch.value(member, found);
            }
        }
    }
}

/// The branch under a key, made if there is none.
fn entry<'b, K: PartialEq + Clone>(branches: &'b mut Vec<(K, Branch)>, key: &K) -> &'b mut Branch {
    let at = branches.iter().position(|(it, _)| it == key).unwrap_or_else(|| {
        branches.push((key.clone(), Branch::default()));
        branches.len() - 1
    });
    &mut branches[at].1
}

fn holds(item: Node<'_>, path: &[String], literal: &str) -> bool {
    match path.split_first() {
        None => item.text().map_or_else(|| item.raw() == literal, |text| text == literal),
        Some((name, rest)) => item.get(name).into_iter().flat_map(Node::each).any(|it| holds(it, rest, literal)),
    }
}
