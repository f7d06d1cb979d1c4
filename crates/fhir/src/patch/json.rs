//! JSON Patch (RFC 6902).

use super::place::Pointer;
use super::value::equal;
use super::{Draft, MAX_OPERATIONS, PatchError, Reason};
use crate::json::{Kind, Node, compact};

/// Applies a JSON Patch to a resource: `add`, `remove`, `replace`, `move`, `copy` and `test`, in order, all or nothing.
/// `resource` is checked and compact; `patch` is as it was sent. What comes back is compact and well formed, and has the
/// `resourceType` and the `id` of `resource`; whether it is valid FHIR is for the validator to say.
///
/// # Errors
/// [`PatchError`] if the patch is no JSON Patch, or the resource is not as it expects.
pub fn json_patch(resource: &[u8], patch: &[u8]) -> Result<Vec<u8>, PatchError> {
    let patch = compact(patch).map_err(|error| PatchError::whole(Reason::Json(error)))?;
    let list = Node::new(&patch).filter(|list| list.kind() == Kind::Array);
    let list = list.ok_or(PatchError::whole(Reason::NotList))?;
    let mut draft = Draft::new(resource);
    for (index, operation) in list.items().enumerate() {
        if index == MAX_OPERATIONS {
            return Err(PatchError::whole(Reason::TooMany));
        }
        apply(&mut draft, operation).map_err(|reason| PatchError { operation: Some(index), reason })?;
    }
    draft.finish(resource).map_err(PatchError::whole)
}

/// Does one operation.
fn apply(draft: &mut Draft, operation: Node<'_>) -> Result<(), Reason> {
    let name = operation.get_text("op").ok_or(Reason::Missing("op"))?;
    let path = pointer(operation, "path")?;
    let value = || operation.get("value").map(Node::raw).ok_or(Reason::Missing("value"));
    match &*name {
        "add" => add(draft, &path, value()?),
        "remove" => remove(draft, &path).map(drop),
        "replace" => {
            let value = value()?;
            with(draft, |document, root| {
                let old = path.find(root).ok_or(Reason::Nowhere)?;
                super::splice::replace(document, old, value).ok_or(Reason::Nowhere)
            })
        }
        "test" => {
            let expected = value()?;
            draft.walk()?;
            let found = Node::new(&draft.bytes).and_then(|root| path.find(root)).ok_or(Reason::Nowhere)?;
            if equal(found, Node::of_text(expected)) { Ok(()) } else { Err(Reason::TestFailed) }
        }
        "copy" => {
            let from = pointer(operation, "from")?;
            draft.walk()?;
            let found = Node::new(&draft.bytes).and_then(|root| from.find(root)).ok_or(Reason::Nowhere)?;
            let value = found.raw().to_owned();
            add(draft, &path, &value)
        }
        "move" => {
            let from = pointer(operation, "from")?;
            if from.holds(&path) {
                return Err(Reason::IntoItself);
            }
            if from == path {
                let there = Node::new(&draft.bytes).and_then(|root| from.find(root));
                return there.map(drop).ok_or(Reason::Nowhere);
            }
            let value = remove(draft, &from)?;
            add(draft, &path, &value)
        }
        _ => Err(Reason::UnknownOperation("'add', 'remove', 'replace', 'move', 'copy', 'test'")),
    }
}

fn pointer(operation: Node<'_>, name: &'static str) -> Result<Pointer, Reason> {
    Pointer::parse(&operation.get_text(name).ok_or(Reason::Missing(name))?)
}

/// Makes one change to the document.
fn with(
    draft: &mut Draft,
    change: impl FnOnce(&[u8], Node<'_>) -> Result<super::splice::Splice, Reason>,
) -> Result<(), Reason> {
    draft.walk()?;
    let root = Node::new(&draft.bytes).ok_or(Reason::Nowhere)?;
    let splice = change(&draft.bytes, root)?;
    draft.put(splice)
}

fn add(draft: &mut Draft, path: &Pointer, value: &str) -> Result<(), Reason> {
    with(draft, |document, root| path.add(document, root, value))
}

/// Removes the value at the path and gives back its text.
fn remove(draft: &mut Draft, path: &Pointer) -> Result<String, Reason> {
    let mut removed = String::new();
    with(draft, |document, root| {
        let splice = path.remove(document, root)?;
        removed.push_str(path.find(root).ok_or(Reason::Nowhere)?.raw());
        Ok(splice)
    })?;
    Ok(removed)
}
