//! Reading a StructureDefinition that constrains a type. The snapshot is used if there is one; otherwise the
//! differential is laid over what the profile builds on.

use super::model::{ElementDef, Text, TypeKind, TypeRef};
use super::profile::{Constraint, Context, Discriminator, DiscriminatorKind, Profile, Slicing, SlicingRules};
use super::structure::{BASE, apply, blank, owned};
use super::{Definitions, PackageError};
use crate::json::Node;

/// How deep an element may be: some types contain themselves, so a path could go on for ever.
const MAX_STEPS: usize = 32;

/// The profile in a StructureDefinition.
pub(super) fn profile(definitions: &Definitions, resource: Node<'_>) -> Result<Profile, PackageError> {
    let url = owned(resource, "url").unwrap_or_default();
    let type_name = owned(resource, "type").unwrap_or_default();
    let base = owned(resource, "baseDefinition");
    if definitions.type_named(&type_name).is_none() {
        return Err(PackageError::UnknownType { profile: url.into_owned(), name: type_name.into_owned() });
    }
    let fresh = || constraint(root_element(&type_name));
    let snapshot = resource.all("snapshot.element");
    let (mut root, elements) = if !snapshot.is_empty() {
        (fresh(), snapshot)
    } else {
        let beneath = base.as_deref().unwrap_or_default();
        let root = match definitions.structure(beneath) {
            Some(profile) if !definitions.is_a(&type_name, &profile.type_name) => {
                let (profile, base) = (url.into_owned(), beneath.to_owned());
                return Err(PackageError::OtherType { profile, base, name: type_name.into_owned() });
            }
            Some(profile) => profile.root.clone(),
            None if beneath.strip_prefix(BASE).is_some_and(|it| definitions.is_a(&type_name, it)) => fresh(),
            None => {
                return Err(PackageError::UnknownBase { profile: url.into_owned(), base: beneath.to_owned() });
            }
        };
        (root, resource.all("differential.element"))
    };
    let mut steps = Steps::default();
    for json in elements {
        let path = json.get_text("path").unwrap_or_default();
        let unknown = || PackageError::UnknownElement { profile: url.to_string(), path: path.to_string() };
        let place = steps.of(json).filter(|it| it.len() <= MAX_STEPS).ok_or_else(unknown)?;
        let target = find(definitions, &mut root, &place).ok_or_else(unknown)?;
        say(definitions, target, json);
    }
    tidy(definitions, &mut root, &[]);
    Ok(Profile {
        version: owned(resource, "version"),
        name: owned(resource, "name"),
        title: owned(resource, "title"),
        is_abstract: resource.get("abstract").and_then(Node::boolean).unwrap_or(false),
        contexts: resource.all("context").into_iter().filter_map(context).collect(),
        url,
        type_name,
        base,
        root,
    })
}

fn context(json: Node<'_>) -> Option<Context> {
    Some(Context { kind: owned(json, "type")?, expression: owned(json, "expression")? })
}

fn root_element(type_name: &Text) -> ElementDef {
    let types = vec![TypeRef { name: type_name.clone(), ..TypeRef::default() }];
    ElementDef { types, ..blank(type_name) }
}

fn constraint(element: ElementDef) -> Constraint {
    Constraint { element, slice_name: None, slicing: None, slices: Vec::new(), children: Vec::new() }
}

/// A step on the way to an element: the name in the path, and the slice.
type Step = (String, Option<String>);

/// Finds the steps of elements: from their ids, or from paths and slice names in the order they come.
#[derive(Default)]
struct Steps {
    /// The slices that are open, by path.
    open: Vec<(String, String)>,
}

impl Steps {
    /// The steps below the root.
    fn of(&mut self, json: Node<'_>) -> Option<Vec<Step>> {
        let path = json.get_text("path")?.into_owned();
        let slice = json.get_text("sliceName").map(std::borrow::Cow::into_owned);
        self.open.retain(|(open, _)| path.strip_prefix(&**open).is_some_and(|rest| rest.starts_with('.')));
        if let Some(slice) = slice {
            self.open.push((path.clone(), slice));
        }
        let from_id = json.get_text("id").map(|id| steps_of_id(&id)).filter(|steps| fits(steps, &path));
        Some(from_id.unwrap_or_else(|| self.steps_of_path(&path)))
    }

    fn steps_of_path(&self, path: &str) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut so_far = String::new();
        for (at, name) in path.split('.').enumerate() {
            if at > 0 {
                so_far.push('.');
            }
            so_far.push_str(name);
            if at > 0 {
                let slice = self.open.iter().find(|(open, _)| *open == so_far).map(|(_, slice)| slice.clone());
                steps.push((name.to_owned(), slice));
            }
        }
        steps
    }
}

fn steps_of_id(id: &str) -> Vec<Step> {
    let steps = id.split('.').skip(1).map(|step| match step.split_once(':') {
        Some((name, slice)) => (name.to_owned(), Some(slice.to_owned())),
        None => (step.to_owned(), None),
    });
    steps.collect()
}

/// Whether the steps of an id are those of a path.
fn fits(steps: &[Step], path: &str) -> bool {
    let mut names = path.split('.').skip(1);
    steps.iter().all(|(name, _)| names.next() == Some(name)) && names.next().is_none()
}

/// The constraint at some steps, made if it is not there yet.
fn find<'a>(definitions: &Definitions, root: &'a mut Constraint, steps: &[Step]) -> Option<&'a mut Constraint> {
    let mut here = root;
    for (name, slice) in steps {
        let stem = name.strip_suffix("[x]").unwrap_or(name);
        let mut slice = slice.as_deref();
        let mut narrowed = None;
        let at = if let Some(at) = here.children.iter().position(|it| it.element.name == stem) {
            at
        } else {
            let (element, property_type) = child_of(definitions, &here.element.types, name)?;
            // `valueQuantity` is short for the slice `valueQuantity` of `value[x]`, and for having no other type.
            if element.name != stem {
                slice = Some(stem);
                narrowed = element.types.iter().find(|it| it.name == property_type).cloned();
            }
            match here.children.iter().position(|it| it.element.name == element.name) {
                Some(at) => at,
                None => {
                    here.children.push(constraint(element));
                    here.children.len() - 1
                }
            }
        };
        here = &mut here.children[at];
        if let Some(name) = slice {
            here = slice_of(here, name, narrowed);
        }
    }
    Some(here)
}

/// The element that some types have under a name in a path, and the type that the name says.
fn child_of(definitions: &Definitions, types: &[TypeRef], name: &str) -> Option<(ElementDef, String)> {
    let stem = name.strip_suffix("[x]").unwrap_or(name);
    let types = || types.iter().filter_map(|it| definitions.type_named(&it.name));
    let direct = types().find_map(|it| it.element_named(stem)).map(|it| (it.clone(), String::new()));
    direct.or_else(|| types().find_map(|it| it.element(name)).map(|(it, name)| (it.clone(), name.to_owned())))
}

/// The slice of that name, made if it is not there yet: like the element, but not demanded. `narrowed` is the type of a
/// slice that is named in short.
fn slice_of<'a>(whole: &'a mut Constraint, name: &str, narrowed: Option<TypeRef>) -> &'a mut Constraint {
    let found = whole.slices.iter().position(|it| it.slice_name.as_deref() == Some(name));
    let at = found.unwrap_or_else(|| {
        if whole.slicing.is_none() {
            whole.slicing = implied(&whole.element);
        }
        let mut element = ElementDef { min: 0, ..whole.element.clone() };
        if let Some(only) = narrowed {
            if whole.slices.is_empty() {
                whole.element.types.clear();
                whole.slicing.iter_mut().for_each(|it| it.rules = SlicingRules::Closed);
            }
            if !whole.element.types.contains(&only) {
                whole.element.types.push(only.clone());
            }
            element.types = vec![only];
        } else if let Some(only) = element.type_behind(name).filter(|_| element.is_choice).map(str::to_owned) {
            // A choice's slice has the type that its name says.
            element.types.retain(|it| it.name == only);
        }
        whole.slices.push(Constraint { slice_name: Some(Text::Owned(name.to_owned())), ..constraint(element) });
        whole.slices.len() - 1
    });
    &mut whole.slices[at]
}

/// How an element is sliced where a profile does not say it: extensions by their address, choices by their type.
fn implied(element: &ElementDef) -> Option<Slicing> {
    let (kind, path) = match &*element.name {
        "extension" | "modifierExtension" => (DiscriminatorKind::Value, "url"),
        _ if element.is_choice => (DiscriminatorKind::Type, "$this"),
        _ => return None,
    };
    let discriminators = vec![Discriminator { kind, path: path.into() }];
    Some(Slicing { discriminators, is_ordered: false, rules: SlicingRules::Open })
}

/// Lets an ElementDefinition say about an element what it says.
fn say(definitions: &Definitions, target: &mut Constraint, json: Node<'_>) {
    let before = target.element.types.clone();
    apply(&mut target.element, json);
    // An element with children of its own is of a type named by its path, whatever a profile calls it.
    let is_backbone = |it: &TypeRef| definitions.type_named(&it.name).is_some_and(|it| it.kind == TypeKind::Backbone);
    if before.iter().any(is_backbone) || json.first("base.path").is_some_and(is_resource_id) {
        target.element.types = before;
    }
    if let Some(slicing) = json.get("slicing") {
        target.slicing = Some(slicing_of(slicing));
    }
}

fn is_resource_id(path: Node<'_>) -> bool {
    path.text().as_deref() == Some("Resource.id")
}

fn slicing_of(json: Node<'_>) -> Slicing {
    let discriminators = json.all("discriminator").into_iter().filter_map(|it| {
        let kind = match &*it.get_text("type")? {
            "value" => DiscriminatorKind::Value,
            "exists" => DiscriminatorKind::Exists,
            "pattern" => DiscriminatorKind::Pattern,
            "type" => DiscriminatorKind::Type,
            "profile" => DiscriminatorKind::Profile,
            _ => return None,
        };
        Some(Discriminator { kind, path: owned(it, "path")? })
    });
    Slicing {
        discriminators: discriminators.collect(),
        is_ordered: json.get("ordered").and_then(Node::boolean).unwrap_or(false),
        rules: match json.get_text("rules").as_deref() {
            Some("closed") => SlicingRules::Closed,
            Some("openAtEnd") => SlicingRules::OpenAtEnd,
            _ => SlicingRules::Open,
        },
    }
}

/// Takes out what the types say themselves. Returns whether something is left.
fn tidy(definitions: &Definitions, constraint: &mut Constraint, parents: &[TypeRef]) -> bool {
    let types = constraint.element.types.clone();
    let of_types = |key: &Text| {
        let mut types = types.iter().filter_map(|it| definitions.type_named(&it.name));
        types.any(|it| it.invariants.iter().any(|it| it.key == *key))
    };
    constraint.element.invariants.retain(|it| !of_types(&it.key));
    constraint.slices.iter_mut().for_each(|it| _ = tidy(definitions, it, parents));
    constraint.children.retain_mut(|it| tidy(definitions, it, &types));
    if constraint.slices.is_empty() && constraint.slicing.as_ref().is_some_and(|it| it.rules != SlicingRules::Closed) {
        constraint.slicing = None;
    }
    let own = child_of(definitions, parents, &constraint.element.name).map(|(it, _)| it);
    constraint.slice_name.is_some()
        || constraint.slicing.is_some()
        || !constraint.slices.is_empty()
        || !constraint.children.is_empty()
        || own.as_ref() != Some(&constraint.element)
}
