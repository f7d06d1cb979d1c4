//! FHIRPath Patch (FHIR R4 §3.1.0.9.1).

use super::build::{build, with_element};
use super::element::{Field, Place, locate, replace, write};
use super::{Draft, MAX_OPERATIONS, PatchError, Reason};
use crate::definitions::Definitions;
use crate::element::choice;
use crate::fhirpath::{Context, Element, Expression, Limits};
use crate::json::{Node, compact};

/// Applies a FHIRPath Patch, a Parameters resource of operations (`add`, `insert`, `delete`, `replace`, `move`), to a
/// resource: in order, all or nothing. `resource` is checked and compact; `parameters` is as it was sent. What comes back
/// is compact and well formed, and has the `resourceType` and the `id` of `resource`; an element that became empty is
/// gone. Whether the result is valid is for the validator to say.
///
/// # Errors
/// [`PatchError`] if the parameters are no FHIRPath Patch, or the resource is not as it expects.
pub fn fhirpath_patch(resource: &[u8], parameters: &[u8], definitions: &Definitions) -> Result<Vec<u8>, PatchError> {
    let parameters = compact(parameters).map_err(|error| PatchError::whole(Reason::Json(error)))?;
    let parameters = Node::new(&parameters).filter(|it| it.get_text("resourceType").as_deref() == Some("Parameters"));
    let parameters = parameters.ok_or(PatchError::whole(Reason::NotParameters))?;
    let operations: Vec<Node<'_>> = parameters.get("parameter").into_iter().flat_map(Node::items).collect();
    if operations.len() > MAX_OPERATIONS {
        return Err(PatchError::whole(Reason::TooMany));
    }
    // All operations together may do as much as one expression.
    let steps = Limits::USUAL.steps / (operations.len() as u64).max(1);
    let limits = Limits { steps, ..Limits::USUAL };
    let mut patching = Patching { definitions, limits, draft: Draft::new(resource) };
    for (index, operation) in operations.into_iter().enumerate() {
        patching.apply(operation).map_err(|reason| PatchError { operation: Some(index), reason })?;
    }
    patching.draft.finish(resource).map_err(PatchError::whole)
}

/// A resource while it is patched.
struct Patching<'a> {
    definitions: &'a Definitions,
    limits: Limits,
    draft: Draft,
}

/// What a path leads to.
enum Found<T> {
    Nothing,
    One(T),
    Several,
}

impl Patching<'_> {
    /// Does one operation.
    fn apply(&mut self, operation: Node<'_>) -> Result<(), Reason> {
        if operation.get_text("name").as_deref() != Some("operation") {
            return Err(Reason::Missing("operation"));
        }
        let path = text(operation, "path")?;
        let path = Expression::parse(&path).map_err(Reason::Path)?;
        self.draft.walk()?;
        match &*text(operation, "type")? {
            "add" => self.add(&path, &text(operation, "name")?, part(operation, "value")?),
            "insert" => self.insert(&path, number(operation, "index")?, part(operation, "value")?),
            "delete" => self.delete(&path),
            "replace" => self.replace(&path, part(operation, "value")?),
            "move" => self.move_to(&path, number(operation, "source")?, number(operation, "destination")?),
            _ => Err(Reason::UnknownOperation("'add', 'insert', 'delete', 'replace', 'move'")),
        }
    }

    /// Evaluates a path and hands over what it leads to.
    fn at<T>(
        &self,
        path: &Expression,
        see: impl FnOnce(Node<'_>, &[Element<'_>]) -> Result<T, Reason>,
    ) -> Result<T, Reason> {
        let root = Node::new(&self.draft.bytes).ok_or(Reason::Nowhere)?;
        let mut context = Context::of(self.definitions, root);
        context.limits = self.limits;
        let values = path.evaluate(&context).map_err(Reason::Evaluation)?;
        let elements: Option<Vec<Element<'_>>> = values.iter().map(|value| value.element().copied()).collect();
        see(root, &elements.ok_or(Reason::NotElement)?)
    }

    /// Where the one element is that a path leads to.
    fn one(&self, path: &Expression) -> Result<Found<(Place, Field)>, Reason> {
        self.at(path, |root, elements| match elements {
            [] => Ok(Found::Nothing),
            [element] => {
                let place = self.place(root, element)?;
                let field = place.field(root).ok_or(Reason::Nowhere)?;
                Ok(Found::One((place, field)))
            }
            _ => Ok(Found::Several),
        })
    }

    fn place(&self, root: Node<'_>, element: &Element<'_>) -> Result<Place, Reason> {
        let target = element.node().or_else(|| element.companion()).ok_or(Reason::NotElement)?;
        if target == root {
            return Err(Reason::Identity);
        }
        locate(self.definitions, root, target).ok_or(Reason::NotElement)
    }

    /// Adds an element to the one at the path, at the end of its list if it has one.
    fn add(&mut self, path: &Expression, name: &str, value: Node<'_>) -> Result<(), Reason> {
        let definitions = self.definitions;
        let splice = self.at(path, |root, elements| match elements {
            [] => Err(Reason::Nowhere),
            [element] if element.is_primitive() => {
                // What a primitive has beside its value: extensions and an id.
                let place = self.place(root, element)?;
                let mut field = place.field(root).ok_or(Reason::Nowhere)?;
                let companion = Node::of_text(field.companion(place.index));
                let text = with_element(definitions, companion, element.type_name(), name, value)?;
                field.set_companion(place.index, text);
                Ok(Err((place, field)))
            }
            [element] => {
                let object = element.node().ok_or(Reason::NotElement)?;
                let text = with_element(definitions, object, element.type_name(), name, value)?;
                replace(&self.draft, object, text).map(Ok)
            }
            _ => Err(Reason::Several),
        })?;
        match splice {
            Ok(splice) => self.draft.put(splice),
            Err((place, field)) => self.write(&place, &place.name, &field),
        }
    }

    /// Puts an element before the one at `index` of a list.
    fn insert(&mut self, path: &Expression, index: usize, value: Node<'_>) -> Result<(), Reason> {
        let (place, mut field) = self.list(path)?;
        let element = place.definition(self.definitions).ok_or(Reason::NoElement)?;
        let built = build(self.definitions, element, value)?;
        field.insert(index, built.value, built.companion)?;
        self.write(&place, &place.name, &field)
    }

    /// Removes the element at the path, if there is one.
    fn delete(&mut self, path: &Expression) -> Result<(), Reason> {
        match self.one(path)? {
            Found::Nothing => Ok(()),
            Found::Several => Err(Reason::Several),
            Found::One((place, mut field)) => {
                field.remove(place.index)?;
                self.write(&place, &place.name, &field)
            }
        }
    }

    /// Puts a value in the place of the element at the path.
    fn replace(&mut self, path: &Expression, value: Node<'_>) -> Result<(), Reason> {
        match self.one(path)? {
            Found::Nothing => Err(Reason::Nowhere),
            Found::Several => Err(Reason::Several),
            Found::One((place, mut field)) => {
                let element = place.definition(self.definitions).ok_or(Reason::NoElement)?;
                let built = build(self.definitions, element, value)?;
                field.remove(place.index)?;
                field.insert(place.index, built.value, built.companion)?;
                self.write(&place, &built.name, &field)
            }
        }
    }

    /// Moves an element to another place in its list. The destination counts as it is after the element was taken out.
    fn move_to(&mut self, path: &Expression, source: usize, destination: usize) -> Result<(), Reason> {
        let (place, mut field) = self.list(path)?;
        let (value, companion) = field.remove(source)?;
        field.insert(destination, value, companion)?;
        self.write(&place, &place.name, &field)
    }

    /// The list that a path leads to: all elements of one property.
    fn list(&self, path: &Expression) -> Result<(Place, Field), Reason> {
        self.at(path, |root, elements| {
            let (Some(first), Some(last)) = (elements.first(), elements.last()) else { return Err(Reason::Nowhere) };
            let (first, last) = (self.place(root, first)?, self.place(root, last)?);
            let field = first.field(root).ok_or(Reason::Nowhere)?;
            let whole = first.is_beside(&last) && first.index == 0 && elements.len() == field.len();
            let repeats = first.definition(self.definitions).is_some_and(|it| it.repeats());
            if whole && repeats { Ok((first, field)) } else { Err(Reason::NotWholeList) }
        })
    }

    fn write(&mut self, place: &Place, name: &str, field: &Field) -> Result<(), Reason> {
        let element = place.definition(self.definitions).ok_or(Reason::NoElement)?;
        write(&mut self.draft, place, name, field, element.repeats())
    }
}

/// The part of an operation with that name.
fn part<'a>(operation: Node<'a>, name: &'static str) -> Result<Node<'a>, Reason> {
    let mut parts = operation.get("part").into_iter().flat_map(Node::items);
    parts.find(|part| part.get_text("name").as_deref() == Some(name)).ok_or(Reason::Missing(name))
}

/// The text that a part of an operation has, of whatever type.
fn text<'a>(operation: Node<'a>, name: &'static str) -> Result<std::borrow::Cow<'a, str>, Reason> {
    let value = choice(part(operation, name)?.members(), "value");
    value.and_then(|(_, value)| value.text()).ok_or(Reason::Missing(name))
}

/// The number that a part of an operation has.
fn number(operation: Node<'_>, name: &'static str) -> Result<usize, Reason> {
    let value = choice(part(operation, name)?.members(), "value").and_then(|(_, value)| value.number());
    value.ok_or(Reason::Missing(name))?.parse().map_err(|_| Reason::NoPlace)
}
