//! The definitions, compiled for one walk over a resource: each type's JSON names in a small hash table, its elements
//! numbered so that what is there is a mask of bits, its invariants as formulas.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use super::formula::{Formula, Presence};
use super::names::Names;
use super::primitive::Primitive;
use crate::definitions::{CodeSet, Definitions, ElementDef, Invariant, Strength, TypeDef, TypeKind, TypeRef};
use crate::fhirpath::Expression;

/// A type by its place in [`Rules::types`].
pub(super) type TypeId = u16;

/// How many elements a type may have: the bits of a mask.
const MOST_ELEMENTS: usize = 128;

/// All rules.
pub(super) struct Rules {
    pub(super) types: Vec<TypeRule>,
    by_name: HashMap<Box<str>, TypeId>,
    pub(super) sets: Vec<LazySet>,
    set_by_url: HashMap<Box<str>, u32>,
    /// The type of what stands beside a primitive value (`_birthDate`).
    pub(super) element: TypeId,
}

/// A value set, looked up when it is first asked for.
pub(super) struct LazySet {
    pub(super) url: Box<str>,
    set: OnceLock<Option<Arc<CodeSet>>>,
}

impl LazySet {
    /// The codes, or `None` if the value set is not known.
    pub(super) fn get(&self, definitions: &Definitions) -> Option<&CodeSet> {
        self.set.get_or_init(|| definitions.expand(&self.url)).as_deref()
    }
}

/// What a type is to the walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Primitive(Primitive),
    Complex(Special),
    Resource,
    /// Any resource: its own `resourceType` says which.
    AnyResource,
    /// Not known; anything passes.
    Open,
}

/// Types that have rules of their own about what is inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Special {
    None,
    Reference,
    Period,
    Range,
    Quantity,
    Coding,
    Concept,
    Extension,
}

impl Special {
    fn of(name: &str) -> Self {
        match name {
            "Reference" => Self::Reference,
            "Period" => Self::Period,
            "Range" => Self::Range,
            "Quantity" | "Age" | "Count" | "Distance" | "Duration" | "SimpleQuantity" | "MoneyQuantity" => {
                Self::Quantity
            }
            "Coding" => Self::Coding,
            "CodeableConcept" => Self::Concept,
            "Extension" => Self::Extension,
            _ => Self::None,
        }
    }

    /// The members whose values are noted during the walk, the first in slot 1.
    fn noted(self) -> &'static [&'static str] {
        match self {
            Self::None => &[],
            Self::Reference => &["reference", "type"],
            Self::Period => &["start", "end"],
            Self::Range => &["low", "high"],
            Self::Quantity => &["code", "system"],
            Self::Coding => &["code", "system"],
            Self::Concept => &["coding", "text"],
            Self::Extension => &["url"],
        }
    }
}

/// A type.
pub(super) struct TypeRule {
    pub(super) name: Box<str>,
    pub(super) shape: Shape,
    pub(super) is_abstract: bool,
    pub(super) names: Names,
    pub(super) members: Vec<Member>,
    pub(super) elements: Vec<ElementRule>,
    /// The elements that must be there.
    pub(super) required: u128,
    /// The bit of `id`.
    pub(super) id: u128,
    /// The bit of `meta`.
    pub(super) meta: u128,
    pub(super) checks: Vec<Check>,
}

/// A JSON name of a type.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    /// The element's number.
    pub(super) element: u8,
    /// Where its value is noted; 0 is nowhere.
    pub(super) slot: u8,
    pub(super) kind: TypeId,
    pub(super) shape: Shape,
}

/// An element.
pub(super) struct ElementRule {
    pub(super) name: Box<str>,
    pub(super) is_choice: bool,
    pub(super) repeats: bool,
    /// How many at most.
    pub(super) max: u32,
    pub(super) binding: Option<Bound>,
    /// The resource types that a reference may lead to; empty is any.
    pub(super) targets: Box<[Box<str>]>,
    /// Whether a quantity here may have no comparator (FHIR R4 SimpleQuantity).
    pub(super) is_simple: bool,
    /// Rules about each value here, beyond those of its type.
    pub(super) checks: Vec<Check>,
}

/// A binding.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    pub(super) strength: Strength,
    /// The place in [`Rules::sets`].
    pub(super) set: u32,
}

/// An invariant to be checked.
pub(super) struct Check {
    pub(super) invariant: Arc<Invariant>,
    pub(super) formula: Option<Formula>,
    pub(super) native: Option<Native>,
    path: OnceLock<Option<Expression>>,
}

/// Invariants that are checked in Rust, where presence alone does not decide them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Native {
    Period,
    Range,
}

impl Check {
    /// The compiled expression; `None` if it cannot be compiled.
    pub(super) fn path(&self) -> Option<&Expression> {
        self.path.get_or_init(|| Expression::parse(&self.invariant.expression).ok()).as_ref()
    }

    fn of(invariant: &Arc<Invariant>, type_name: &str, element: &dyn Fn(&str) -> Option<Presence>) -> Option<Self> {
        let native = match &*invariant.key {
            // These are part of the walk itself.
            "ele-1" | "dom-2" | "dom-3" | "dom-4" | "dom-5" | "ref-1" | "txt-1" | "txt-2" => return None,
            // Of a Bundle as a whole, in time that does not grow with the square of its entries.
            "bdl-3" | "bdl-4" | "bdl-7" => return None,
            "per-1" => Some(Native::Period),
            "rng-2" => Some(Native::Range),
            _ => None,
        };
        if invariant.expression.is_empty() {
            return None;
        }
        let formula = Formula::compile(&invariant.expression, type_name, element);
        Some(Self { invariant: Arc::clone(invariant), formula, native, path: OnceLock::new() })
    }
}

impl Rules {
    /// Compiles all types.
    pub(super) fn compile(definitions: &Definitions) -> Self {
        let mut defined: Vec<&TypeDef> = definitions.types().collect();
        defined.sort_by(|a, b| a.name.cmp(&b.name));
        defined.truncate(usize::from(TypeId::MAX));
        let number = |at: usize| TypeId::try_from(at).unwrap_or(TypeId::MAX);
        let by_name = defined.iter().enumerate().map(|(at, it)| (Box::from(&*it.name), number(at))).collect();
        let mut rules = Self {
            types: Vec::with_capacity(defined.len()),
            by_name,
            sets: Vec::new(),
            set_by_url: HashMap::new(),
            element: 0,
        };
        rules.element = rules.named("Element").unwrap_or(TypeId::MAX);
        let shapes: Vec<Shape> = defined.iter().map(|it| shape(it)).collect();
        for (definition, &shape) in defined.iter().zip(&shapes) {
            let rule = rules.type_rule(definition, shape, &shapes);
            rules.types.push(rule);
        }
        // Element-level formulas speak of the element's own type, so they need all types first.
        for (at, definition) in defined.iter().enumerate() {
            for (place, element) in definition.elements.iter().take(MOST_ELEMENTS).enumerate() {
                let checks = rules.element_checks(element);
                rules.types[at].elements[place].checks = checks;
            }
        }
        rules
    }

    /// The codes of a binding, if its value set is known.
    pub(super) fn set_of<'a>(&'a self, bound: Bound, definitions: &Definitions) -> Option<&'a CodeSet> {
        self.sets.get(bound.set as usize)?.get(definitions)
    }

    /// The type of that name.
    pub(super) fn named(&self, name: &str) -> Option<TypeId> {
        self.by_name.get(name).copied()
    }

    /// The names of all resource types that a document may have.
    pub(super) fn resource_types(&self) -> impl Iterator<Item = &str> {
        self.types.iter().filter(|it| it.shape == Shape::Resource && !it.is_abstract).map(|it| &*it.name)
    }

    fn type_rule(&mut self, definition: &TypeDef, shape: Shape, shapes: &[Shape]) -> TypeRule {
        let noted = if let Shape::Complex(special) = shape { special.noted() } else { &[] };
        let mut names: Vec<(String, u16)> = Vec::new();
        let mut members = Vec::new();
        let mut elements = Vec::new();
        let (mut required, mut id, mut meta) = (0u128, 0u128, 0u128);
        for (at, element) in definition.elements.iter().take(MOST_ELEMENTS).enumerate() {
            let place = u8::try_from(at).unwrap_or(u8::MAX);
            if element.min > 0 {
                required |= 1 << at;
            }
            if element.name == "id" {
                id = 1 << at;
            }
            if element.name == "meta" {
                meta = 1 << at;
            }
            let slot = noted.iter().position(|it| *it == element.name).map_or(0, |at| at + 1);
            for of in &element.types {
                let kind = self.named(&of.name).unwrap_or(TypeId::MAX);
                let shape = shapes.get(usize::from(kind)).copied().unwrap_or(Shape::Open);
                let slot = u8::try_from(slot).unwrap_or(0);
                names.push((json_name(element, of), u16::try_from(members.len()).unwrap_or(u16::MAX)));
                members.push(Member { element: place, slot, kind, shape });
            }
            elements.push(self.element_rule(element));
        }
        let presence = |name: &str| presence(definition, name);
        let checks = definition.invariants.iter().filter_map(|it| Check::of(it, &definition.name, &presence));
        TypeRule {
            name: (&*definition.name).into(),
            shape,
            is_abstract: definition.is_abstract,
            names: Names::of(names.iter().map(|(name, number)| (&**name, *number))),
            members,
            elements,
            required,
            id,
            meta,
            checks: checks.collect(),
        }
    }

    fn element_rule(&mut self, element: &ElementDef) -> ElementRule {
        let binding = element.binding.as_ref().and_then(|binding| {
            let url = binding.value_set.as_deref()?;
            (binding.strength >= Strength::Preferred).then(|| Bound { strength: binding.strength, set: self.set(url) })
        });
        let targets = element.types.iter().filter(|it| it.name == "Reference").flat_map(|it| &it.target_profiles);
        let mut targets: Vec<Box<str>> = targets.map(|url| url.rsplit('/').next().unwrap_or(url).into()).collect();
        if targets.iter().any(|it| &**it == "Resource" || self.named(it).is_none()) {
            targets.clear();
        }
        ElementRule {
            name: (&*element.name).into(),
            is_choice: element.is_choice,
            repeats: element.repeats(),
            max: element.max.unwrap_or(u32::MAX),
            binding,
            targets: targets.into(),
            is_simple: element.types.iter().flat_map(|it| &it.profiles).any(|it| it.ends_with("/SimpleQuantity")),
            checks: Vec::new(),
        }
    }

    fn element_checks(&self, element: &ElementDef) -> Vec<Check> {
        let only = match &element.types[..] {
            [only] => self.named(&only.name).and_then(|it| self.types.get(usize::from(it))),
            _ => None,
        };
        let name = only.map_or("", |rule| &*rule.name);
        let presence = |name: &str| only.and_then(|rule| rule.presence(name));
        element.invariants.iter().filter_map(|it| Check::of(it, name, &presence)).collect()
    }

    /// The place of a value set.
    pub(super) fn set(&mut self, url: &str) -> u32 {
        if let Some(&at) = self.set_by_url.get(url) {
            return at;
        }
        let at = u32::try_from(self.sets.len()).unwrap_or(u32::MAX);
        self.sets.push(LazySet { url: url.into(), set: OnceLock::new() });
        self.set_by_url.insert(url.into(), at);
        at
    }
}

impl TypeRule {
    /// The member of that JSON name.
    #[inline]
    pub(super) fn member(&self, name: &str) -> Option<Member> {
        self.members.get(usize::from(self.names.find(name)?)).copied()
    }

    /// The bit of the element with that stem.
    pub(super) fn bit(&self, stem: &str) -> u128 {
        self.elements.iter().position(|it| &*it.name == stem).map_or(0, |at| 1 << at)
    }

    fn presence(&self, name: &str) -> Option<Presence> {
        let at = self.elements.iter().position(|it| &*it.name == name)?;
        Some(Presence { bit: 1 << at, repeats: self.elements[at].repeats })
    }
}

fn presence(definition: &TypeDef, name: &str) -> Option<Presence> {
    let at = definition.elements.iter().take(MOST_ELEMENTS).position(|it| it.name == name)?;
    Some(Presence { bit: 1 << at, repeats: definition.elements[at].repeats() })
}

fn shape(definition: &TypeDef) -> Shape {
    match definition.kind {
        TypeKind::Primitive => Primitive::named(&definition.name).map_or(Shape::Open, Shape::Primitive),
        TypeKind::Resource if definition.is_abstract => Shape::AnyResource,
        TypeKind::Resource => Shape::Resource,
        TypeKind::Complex | TypeKind::Backbone => Shape::Complex(Special::of(&definition.name)),
    }
}

/// How JSON names an element that has a type.
pub(super) fn json_name(element: &ElementDef, of: &TypeRef) -> String {
    if !element.is_choice {
        return element.name.to_string();
    }
    let mut letters = of.name.chars();
    let first = letters.next().map(|it| it.to_ascii_uppercase());
    element.name.chars().chain(first).chain(letters).collect()
}
