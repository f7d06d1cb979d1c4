//! Following the paths of several programs in one walk over a resource.

use std::sync::Arc;

use super::{Program, Step};
use crate::definitions::Definitions;
use crate::json::{Kind, Node};
use crate::search::parameter::{Found, Parameter};

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
    fields: Vec<Field>,
    /// How many elements the fields are of.
    elements: usize,
    conditions: Vec<(Condition, Branch)>,
    indices: Vec<(usize, Branch)>,
}

/// A property to go into.
#[derive(Debug)]
struct Field {
    name: Arc<str>,
    /// Which element it is: the properties that a choice may be spelt as are one.
    element: usize,
    stem: Arc<str>,
    branch: Branch,
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

/// Finds what search parameters of a type look at, in one walk over each resource.
#[derive(Debug)]
pub struct Finder {
    walk: Walk,
    /// For each program of the walk, which of the codes it is for.
    places: Vec<usize>,
}

impl Finder {
    /// For some parameters by their codes. A code that the type does not have finds nothing.
    #[must_use]
    pub fn new(definitions: &Definitions, resource_type: &str, codes: &[&str]) -> Self {
        let compiled =
            codes.iter().enumerate().filter_map(|(at, code)| match definitions.compiled(resource_type, code) {
                Found::Parameter(parameter) => Some((at, parameter)),
                Found::Unknown | Found::NotCompiled => None,
            });
        let (places, parameters): (Vec<usize>, Vec<Arc<Parameter>>) = compiled.unzip();
        Self { walk: Walk::of(parameters.iter().map(|it| &it.program)), places }
    }

    /// Hands over each element that a parameter looks at, with the place of the parameter's code. Where a reference leads
    /// is not asked: `patient` finds what `subject` does.
    pub fn over<'n>(&self, resource: Node<'n>, found: &mut dyn FnMut(usize, Node<'n>)) {
        self.walk.over(resource, resource, &mut |place, node| {
            if let Some(&at) = self.places.get(place.program) {
                found(at, node);
            }
        });
    }
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
            Step::Field { name, stem } => self.field(name, stem).insert(rest, place),
            Step::Equals(path, literal) => {
                entry(&mut self.conditions, &(Arc::clone(path), Arc::clone(literal))).insert(rest, place);
            }
            Step::Index(index) => entry(&mut self.indices, index).insert(rest, place),
        }
    }

    /// The branch of a property, made if there is none.
    fn field(&mut self, name: &Arc<str>, stem: &Arc<str>) -> &mut Self {
        let known = self.fields.iter().position(|field| field.name == *name);
        let at = known.unwrap_or_else(|| {
            let same = self.fields.iter().find(|field| field.stem == *stem);
            let element = same.map_or(self.elements, |field| field.element);
            self.elements = self.elements.max(element + 1);
            let (name, stem) = (Arc::clone(name), Arc::clone(stem));
            self.fields.push(Field { name, element, stem, branch: Self::default() });
            self.fields.len() - 1
        });
        &mut self.fields[at].branch
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
        // An element is there once. When each was seen, the rest of the object need not be gone through: that is most of
        // many resources.
        let mut seen = 0u64;
        let mut left = if self.elements <= 64 { self.elements } else { usize::MAX };
        for (name, member) in item.members() {
            let Some(field) = self.fields.iter().find(|field| *field.name == *name) else { continue };
            let bit = 1u64.checked_shl(u32::try_from(field.element).unwrap_or(u32::MAX)).unwrap_or(0);
            if seen & bit != 0 {
                continue;
            }
            seen |= bit;
            field.branch.value(member, found);
            left -= 1;
            if left == 0 {
                break;
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
