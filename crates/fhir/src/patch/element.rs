//! Elements where they stand in a document: found by their bytes, and changed together with what JSON keeps beside them
//! (`_birthDate`, FHIR R4 §2.6.2).

use std::ops::Range;

use super::splice::Splice;
use super::{Draft, Reason};
use crate::definitions::{Definitions, ElementDef};
use crate::json::{Kind, MAX_DEPTH, Node};

/// A step from an object or array to what is in it.
#[derive(Clone, PartialEq, Eq)]
enum Step {
    Member(String),
    Item(usize),
}

/// Where an element stands: in which object, under which name, and where in the list if it is in one.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Place {
    way: Vec<Step>,
    /// The name of the type of the object that holds it; empty if the definitions do not know it.
    pub(super) holder_type: String,
    /// The name of the JSON property, without the underscore of a companion.
    pub(super) name: String,
    /// Its place in the list.
    pub(super) index: usize,
}

impl Place {
    /// Whether another element is of the same list.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        self.way == other.way && self.name == other.name
    }

    /// The definition of the element.
    pub(super) fn definition<'a>(&self, definitions: &'a Definitions) -> Option<&'a ElementDef> {
        definitions.type_named(&self.holder_type)?.element(&self.name).map(|(element, _)| element)
    }

    /// The object that holds the element.
    fn holder<'a>(&self, root: Node<'a>) -> Option<Node<'a>> {
        walk(root, &self.way)
    }

    /// The element's values and what stands beside them.
    pub(super) fn field(&self, root: Node<'_>) -> Option<Field> {
        Some(Field::read(self.holder(root)?, &self.name))
    }
}

fn walk<'a>(root: Node<'a>, way: &[Step]) -> Option<Node<'a>> {
    way.iter().try_fold(root, |node, step| match step {
        Step::Member(name) => node.get(name),
        Step::Item(index) => node.items().nth(*index),
    })
}

/// Where the value `target`, a part of the document, stands. The document itself stands nowhere.
pub(super) fn locate(definitions: &Definitions, root: Node<'_>, target: Node<'_>) -> Option<Place> {
    let document = root.raw().as_bytes();
    let wanted = target.place_in(document)?;
    let holds =
        |node: Node<'_>| node.place_in(document).filter(|place| place.start <= wanted.start && wanted.end <= place.end);
    let (mut way, mut node, mut holder_type) = (Vec::new(), root, named_type(root).unwrap_or_default());
    while way.len() <= 2 * MAX_DEPTH {
        let (name, value, place) = node.members().find_map(|(name, value)| Some((name, value, holds(value)?)))?;
        let (mut value, mut place, mut index) = (value, place, None);
        if value.kind() == Kind::Array {
            let (at, item, inside) = value.items().enumerate().find_map(|(at, item)| Some((at, item, holds(item)?)))?;
            (value, place, index) = (item, inside, Some(at));
        }
        let plain = name.strip_prefix('_').unwrap_or(name);
        if place == wanted {
            return Some(Place { way, holder_type, name: plain.to_owned(), index: index.unwrap_or(0) });
        }
        let known = definitions.type_named(&holder_type).and_then(|it| it.element(plain));
        let stated = known.map_or("", |(_, type_name)| type_name);
        holder_type = named_type(value).unwrap_or_else(|| stated.to_owned());
        way.push(Step::Member(name.to_owned()));
        way.extend(index.map(Step::Item));
        node = value;
    }
    None
}

/// The type that a resource says it has.
fn named_type(node: Node<'_>) -> Option<String> {
    node.get_text("resourceType").map(|it| it.into_owned())
}

/// The values of an element, with those beside them: two lists of equal length, `null` where there is nothing.
#[derive(Default)]
pub(super) struct Field {
    values: Vec<String>,
    companions: Vec<String>,
}

const NULL: &str = "null";

impl Field {
    /// Reads a property and its companion.
    pub(super) fn read(holder: Node<'_>, name: &str) -> Self {
        let all = |name: &str| -> Vec<String> {
            holder.get(name).into_iter().flat_map(Node::each).map(|item| item.raw().to_owned()).collect()
        };
        let (mut values, mut companions) = (all(name), all(&format!("_{name}")));
        let length = values.len().max(companions.len());
        values.resize_with(length, || NULL.to_owned());
        companions.resize_with(length, || NULL.to_owned());
        Self { values, companions }
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// Puts a value before the one at `index`, or at the end.
    pub(super) fn insert(
        &mut self,
        index: usize,
        value: Option<String>,
        companion: Option<String>,
    ) -> Result<(), Reason> {
        if index > self.len() {
            return Err(Reason::NoPlace);
        }
        self.values.insert(index, value.unwrap_or_else(|| NULL.to_owned()));
        self.companions.insert(index, companion.unwrap_or_else(|| NULL.to_owned()));
        Ok(())
    }

    /// Takes the value at `index` out.
    pub(super) fn remove(&mut self, index: usize) -> Result<(Option<String>, Option<String>), Reason> {
        if index >= self.len() {
            return Err(Reason::NoPlace);
        }
        let some = |text: String| (text != NULL).then_some(text);
        Ok((some(self.values.remove(index)), some(self.companions.remove(index))))
    }

    /// The companion of the value at `index`, an object with nothing in it if there is none.
    pub(super) fn companion(&self, index: usize) -> &str {
        self.companions.get(index).map(String::as_str).filter(|it| *it != NULL).unwrap_or("{}")
    }

    pub(super) fn set_companion(&mut self, index: usize, companion: String) {
        if let Some(old) = self.companions.get_mut(index) {
            *old = companion;
        }
    }

    /// The property and its companion as JSON, each `None` if there is nothing to say.
    pub(super) fn texts(&self, repeats: bool) -> (Option<String>, Option<String>) {
        let both = self.values.iter().zip(&self.companions).filter(|(value, beside)| *value != NULL || *beside != NULL);
        let (values, companions): (Vec<&str>, Vec<&str>) = both.map(|(a, b)| (a.as_str(), b.as_str())).unzip();
        let text = |all: Vec<&str>| {
            let some = all.iter().any(|it| *it != NULL);
            some.then(|| if repeats { format!("[{}]", all.join(",")) } else { all[0].to_owned() })
        };
        (text(values), text(companions))
    }
}

/// An object with some of its members changed: each by its old name, with the new name and value, or nothing. New ones
/// come at the end, all others keep their bytes and their order.
pub(super) fn rewritten(object: Node<'_>, mut changes: Vec<(String, Option<(String, String)>)>) -> String {
    let mut members = Vec::new();
    let member = |name: &str, value: &str| format!("\"{name}\":{value}");
    for (name, value) in object.members() {
        match changes.iter().position(|(old, _)| old == name) {
            None => members.push(member(name, value.raw())),
            Some(at) => members.extend(changes.remove(at).1.map(|(name, value)| member(&name, &value))),
        }
    }
    members.extend(changes.into_iter().filter_map(|(_, new)| new).map(|(name, value)| member(&name, &value)));
    format!("{{{}}}", members.join(","))
}

/// The changes that put a field in the place of the property `old`.
pub(super) fn changes(old: &str, new: &str, field: &Field, repeats: bool) -> Vec<(String, Option<(String, String)>)> {
    let (value, companion) = field.texts(repeats);
    vec![
        (old.to_owned(), value.map(|text| (new.to_owned(), text))),
        (format!("_{old}"), companion.map(|text| (format!("_{new}"), text))),
    ]
}

/// Writes a field back where it was read, under another name if it is one of another type now, and takes out what became
/// empty by that: FHIR has no element without content (R4 §2.6.2).
pub(super) fn write(draft: &mut Draft, place: &Place, name: &str, field: &Field, repeats: bool) -> Result<(), Reason> {
    let splice = {
        let holder = Node::new(&draft.bytes).and_then(|root| place.holder(root)).ok_or(Reason::Nowhere)?;
        let text = rewritten(holder, changes(&place.name, name, field, repeats));
        (range(&draft.bytes, holder)?, text.into_bytes())
    };
    draft.put(splice)?;
    prune(draft, place.way.clone())
}

/// Puts new text where an object was.
pub(super) fn replace(draft: &Draft, object: Node<'_>, text: String) -> Result<Splice, Reason> {
    Ok((range(&draft.bytes, object)?, text.into_bytes()))
}

fn range(document: &[u8], node: Node<'_>) -> Result<Range<usize>, Reason> {
    node.place_in(document).ok_or(Reason::Nowhere)
}

/// Takes an object out if it is empty, and then what holds it, as far as that goes.
fn prune(draft: &mut Draft, mut way: Vec<Step>) -> Result<(), Reason> {
    loop {
        let root = Node::new(&draft.bytes).ok_or(Reason::Nowhere)?;
        if walk(root, &way).is_none_or(|node| node.raw() != "{}") {
            return Ok(());
        }
        let (index, name) = match (way.pop(), way.last()) {
            (Some(Step::Item(index)), Some(Step::Member(_))) => (Some(index), way.pop()),
            (Some(name), _) => (None, Some(name)),
            (None, _) => return Ok(()),
        };
        let Some(Step::Member(name)) = name else { return Ok(()) };
        let holder = walk(root, &way).ok_or(Reason::Nowhere)?;
        let plain = name.strip_prefix('_').unwrap_or(&name);
        let mut field = Field::read(holder, plain);
        let lists = if name == plain { &mut field.values } else { &mut field.companions };
        if let Some(item) = lists.get_mut(index.unwrap_or(0)) {
            NULL.clone_into(item);
        }
        let text = rewritten(holder, changes(plain, plain, &field, index.is_some()));
        let splice = (range(&draft.bytes, holder)?, text.into_bytes());
        draft.put(splice)?;
    }
}
