//! What changed between two versions of a resource, as a FHIRPath Patch: applied to the older it gives the newer.

use crate::compare::same;
use crate::definitions::{Definitions, ElementDef, TypeDef, TypeKind};
use crate::json::{Kind, Node, quoted};
use crate::patch::MAX_OPERATIONS;

/// Why two versions cannot be told apart by a patch. Holds nothing of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DiffError {
    /// Not two versions of one thing.
    #[error("these are not two versions of one resource")]
    NotVersions,
    /// A difference in something that R4 does not define, or that does not have the form that R4 gives it.
    #[error("the versions differ in '{0}', which FHIR R4 does not define so; a FHIRPath Patch has no words for it")]
    Undefined(String),
    /// More operations than a patch may have.
    #[error("the versions differ in more than {MAX_OPERATIONS} places")]
    TooMany,
}

/// The types that a parameter's `value[x]` may have besides primitives (FHIR R4 §2.1.28.0.1, open types). What has another
/// type is told in parts.
const OPEN_TYPES: [&str; 31] = [
    "Address",
    "Age",
    "Annotation",
    "Attachment",
    "CodeableConcept",
    "Coding",
    "ContactDetail",
    "ContactPoint",
    "Contributor",
    "Count",
    "DataRequirement",
    "Distance",
    "Dosage",
    "Duration",
    "Expression",
    "HumanName",
    "Identifier",
    "Meta",
    "Money",
    "ParameterDefinition",
    "Period",
    "Quantity",
    "Range",
    "Ratio",
    "Reference",
    "RelatedArtifact",
    "SampledData",
    "Signature",
    "Timing",
    "TriggerDefinition",
    "UsageContext",
];

/// The FHIRPath Patch (a Parameters resource) that makes `newer` of `older`, both checked and compact. What the server
/// itself writes, `meta.versionId` and `meta.lastUpdated`, does not count, nor does the order of members.
///
/// # Errors
/// [`DiffError`] if they are not of one type, or differ in what a patch cannot say.
pub fn diff(older: &[u8], newer: &[u8], definitions: &Definitions) -> Result<Vec<u8>, DiffError> {
    let (Some(older), Some(newer)) = (Node::new(older), Node::new(newer)) else { return Err(DiffError::NotVersions) };
    let name = older.get_text("resourceType").ok_or(DiffError::NotVersions)?;
    let definition = definitions.type_named(&name).filter(|it| it.kind == TypeKind::Resource);
    let definition = definition.ok_or(DiffError::NotVersions)?;
    if newer.get_text("resourceType").as_deref() != Some(&*name) || older.get_text("id") != newer.get_text("id") {
        return Err(DiffError::NotVersions);
    }
    let mut difference = Difference { definitions, operations: Vec::new() };
    difference.objects(&definition.name, definition, older, newer)?;
    let operations = difference.operations.join(",");
    let parameter = if operations.is_empty() { String::new() } else { format!(",\"parameter\":[{operations}]") };
    Ok(format!("{{\"resourceType\":\"Parameters\"{parameter}}}").into_bytes())
}

/// A value, and what stands beside it.
#[derive(Clone, Copy)]
struct Item<'a> {
    value: Option<Node<'a>>,
    companion: Option<Node<'a>>,
}

impl Item<'_> {
    fn is_same(&self, other: &Item<'_>) -> bool {
        let both = |a: Option<Node<'_>>, b: Option<Node<'_>>| match (a, b) {
            (Some(a), Some(b)) => same(a, b),
            (None, None) => true,
            _ => false,
        };
        both(self.value, other.value) && both(self.companion, other.companion)
    }
}

/// An element of an object: its property's name, and its values.
struct Property<'a> {
    name: String,
    type_name: &'a str,
    items: Vec<Item<'a>>,
}

struct Difference<'a> {
    definitions: &'a Definitions,
    operations: Vec<String>,
}

impl<'a> Difference<'a> {
    /// Compares two objects of one type. What is new comes first and what goes comes last, so that no object is empty in
    /// between: an empty one would be gone.
    fn objects(
        &mut self,
        path: &str,
        definition: &'a TypeDef,
        older: Node<'a>,
        newer: Node<'a>,
    ) -> Result<(), DiffError> {
        self.undefined(definition, older, newer)?;
        let mut gone = Vec::new();
        let mut changed = Vec::new();
        for element in &definition.elements {
            if definition.name == "Meta" && matches!(&*element.name, "versionId" | "lastUpdated") {
                continue;
            }
            let place = format!("{path}.{}", escaped(&element.name));
            match (property(element, older), property(element, newer)) {
                (None, None) => {}
                (None, Some(new)) => {
                    for item in &new.items {
                        self.add(path, element, &new, *item)?;
                    }
                }
                (Some(old), None) => gone.push((place, element.repeats().then_some(old.items.len()))),
                (Some(old), Some(new)) => changed.push((place, element, old, new)),
            }
        }
        for (place, element, old, new) in changed {
            if element.repeats() {
                self.lists(path, &place, element, &old, &new)?;
            } else {
                self.items(&place, element, &old, &new, (old.items[0], new.items[0]))?;
            }
        }
        for (place, items) in gone {
            match items {
                None => self.delete(&place)?,
                Some(count) => {
                    for index in (0..count).rev() {
                        self.delete(&format!("{place}[{index}]"))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Refuses a difference in members that the type does not have.
    fn undefined(&self, definition: &TypeDef, older: Node<'_>, newer: Node<'_>) -> Result<(), DiffError> {
        let known =
            |name: &str| name == "resourceType" || definition.element(name.strip_prefix('_').unwrap_or(name)).is_some();
        let (ours, theirs) = (older.fields(), newer.fields());
        let names = ours.iter().chain(theirs.iter()).map(|(name, _)| name);
        for name in names.filter(|name| !known(name)) {
            if !matches!((ours.get(name), theirs.get(name)), (Some(a), Some(b)) if same(a, b)) {
                return Err(undefined(name));
            }
        }
        Ok(())
    }

    /// Compares two lists: what they have in common at either end is left alone, the rest is compared pair by pair, and
    /// what is over is added or removed.
    fn lists(
        &mut self,
        path: &str,
        place: &str,
        element: &'a ElementDef,
        old: &Property<'a>,
        new: &Property<'a>,
    ) -> Result<(), DiffError> {
        let (ours, theirs) = (&old.items, &new.items);
        let shorter = ours.len().min(theirs.len());
        let start = (0..shorter).take_while(|&at| ours[at].is_same(&theirs[at])).count();
        let from_end = |at: usize| ours[ours.len() - 1 - at].is_same(&theirs[theirs.len() - 1 - at]);
        let end = (0..shorter - start).take_while(|&at| from_end(at)).count();
        let pairs = shorter - start - end;
        for index in start..start + pairs {
            self.items(&format!("{place}[{index}]"), element, old, new, (ours[index], theirs[index]))?;
        }
        let over = theirs.iter().enumerate().take(theirs.len() - end).skip(start + pairs);
        for (index, item) in over {
            if end == 0 {
                self.add(path, element, new, *item)?;
            } else {
                self.insert(place, index, element, new, *item)?;
            }
        }
        for index in (start + pairs..ours.len() - end).rev() {
            self.delete(&format!("{place}[{index}]"))?;
        }
        Ok(())
    }

    /// Compares two values at one place.
    fn items(
        &mut self,
        place: &str,
        element: &'a ElementDef,
        old: &Property<'a>,
        new: &Property<'a>,
        pair: (Item<'a>, Item<'a>),
    ) -> Result<(), DiffError> {
        if old.name == new.name && pair.0.is_same(&pair.1) {
            return Ok(());
        }
        if let (Some(ours), Some(theirs)) = (pair.0.value, pair.1.value)
            && old.name == new.name
            && (ours.kind(), theirs.kind()) == (Kind::Object, Kind::Object)
            && let Some(definition) = self.type_of(ours, old.type_name)
            && self.type_of(theirs, new.type_name).is_some_and(|it| it.name == definition.name)
        {
            return self.objects(place, definition, ours, theirs);
        }
        let value = self.value(element, new, pair.1, "value")?;
        self.operation("replace", place, &format!(",{value}"))
    }

    /// The definition of a value's type: that of the element, or the one that a resource says.
    fn type_of(&self, value: Node<'_>, stated: &str) -> Option<&'a TypeDef> {
        let own = value.get_text("resourceType").filter(|_| is_resource(stated));
        let definition = self.definitions.type_named(own.as_deref().unwrap_or(stated))?;
        (definition.kind != TypeKind::Primitive).then_some(definition)
    }

    fn add(&mut self, path: &str, element: &ElementDef, new: &Property<'_>, item: Item<'_>) -> Result<(), DiffError> {
        let value = self.value(element, new, item, "value")?;
        let name = quoted(&element.name);
        self.operation("add", path, &format!(",{{\"name\":\"name\",\"valueString\":{name}}},{value}"))
    }

    fn insert(
        &mut self,
        place: &str,
        index: usize,
        element: &ElementDef,
        new: &Property<'_>,
        item: Item<'_>,
    ) -> Result<(), DiffError> {
        let value = self.value(element, new, item, "value")?;
        self.operation("insert", place, &format!(",{{\"name\":\"index\",\"valueInteger\":{index}}},{value}"))
    }

    fn delete(&mut self, place: &str) -> Result<(), DiffError> {
        self.operation("delete", place, "")
    }

    fn operation(&mut self, kind: &str, path: &str, more: &str) -> Result<(), DiffError> {
        if self.operations.len() == MAX_OPERATIONS {
            return Err(DiffError::TooMany);
        }
        let path = quoted(path);
        self.operations.push(format!(
            "{{\"name\":\"operation\",\"part\":[{{\"name\":\"type\",\"valueCode\":\"{kind}\"}},{{\"name\":\"path\",\"valueString\":{path}}}{more}]}}"
        ));
        Ok(())
    }

    /// A part of the parameters that holds a value of an element.
    fn value(&self, element: &ElementDef, of: &Property<'_>, item: Item<'_>, name: &str) -> Result<String, DiffError> {
        let (type_name, name) = (of.type_name, quoted(name));
        let definition = self.definitions.type_named(type_name);
        let primitive = definition.is_none_or(|it| it.kind == TypeKind::Primitive);
        let is_object = item.value.is_some_and(|it| it.kind() == Kind::Object);
        if is_object == primitive || item.companion.is_some() && !primitive {
            return Err(undefined(&element.name));
        }
        if primitive {
            let member = if type_name == "xhtml" { "String".to_owned() } else { capitalised(type_name) };
            let value = item.value.map(|it| format!(",\"value{member}\":{}", it.raw())).unwrap_or_default();
            let beside = item.companion.map(|it| format!(",\"_value{member}\":{}", it.raw())).unwrap_or_default();
            return Ok(format!("{{\"name\":{name}{value}{beside}}}"));
        }
        let (Some(value), Some(definition)) = (item.value, definition) else { return Err(undefined(&element.name)) };
        if is_resource(type_name) {
            return Ok(format!("{{\"name\":{name},\"resource\":{}}}", value.raw()));
        }
        if OPEN_TYPES.contains(&type_name) {
            return Ok(format!("{{\"name\":{name},\"value{type_name}\":{}}}", value.raw()));
        }
        let mut parts = Vec::new();
        for (member, _) in value.members() {
            if definition.element(member.strip_prefix('_').unwrap_or(member)).is_none() {
                return Err(undefined(member));
            }
        }
        for element in &definition.elements {
            let Some(property) = property(element, value) else { continue };
            for item in &property.items {
                parts.push(self.value(element, &property, *item, &element.name)?);
            }
        }
        Ok(format!("{{\"name\":{name},\"part\":[{}]}}", parts.join(",")))
    }
}

/// An element's property in an object, with its companion.
fn property<'a>(element: &'a ElementDef, object: Node<'a>) -> Option<Property<'a>> {
    let (name, type_name) = object.members().find_map(|(name, _)| {
        let plain = name.strip_prefix('_').unwrap_or(name);
        Some((plain.to_owned(), element.type_behind(plain)?))
    })?;
    let all = |name: &str| -> Vec<Option<Node<'a>>> {
        let items = object.get(name).into_iter().flat_map(Node::each);
        items.map(|item| Some(item).filter(|it| it.kind() != Kind::Null)).collect()
    };
    let (values, companions) = (all(&name), all(&format!("_{name}")));
    let at = |all: &[Option<Node<'a>>], index: usize| all.get(index).copied().flatten();
    let items: Vec<Item<'a>> = (0..values.len().max(companions.len()))
        .map(|index| Item { value: at(&values, index), companion: at(&companions, index) })
        .filter(|item| item.value.is_some() || item.companion.is_some())
        .collect();
    (!items.is_empty()).then_some(Property { name, type_name, items })
}

fn is_resource(type_name: &str) -> bool {
    matches!(type_name, "Resource" | "DomainResource")
}

fn undefined(name: &str) -> DiffError {
    DiffError::Undefined(name.chars().take(64).collect())
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

/// An element's name in a path: FHIRPath has a word of its own that is also the name of one.
fn escaped(name: &str) -> String {
    if matches!(name, "div" | "mod" | "and" | "or" | "xor" | "implies") { format!("`{name}`") } else { name.to_owned() }
}
