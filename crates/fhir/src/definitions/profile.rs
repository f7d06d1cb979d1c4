//! Profiles: what a StructureDefinition demands of a type beyond what the type demands itself.

use super::model::{ElementDef, Text};

/// A profile, or the definition of an extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its canonical address.
    pub url: Text,
    /// Its version.
    pub version: Option<Text>,
    /// Its name for programs.
    pub name: Option<Text>,
    /// Its name for people.
    pub title: Option<Text>,
    /// The type that it is about: `Observation`, `Extension`.
    pub type_name: Text,
    /// The address of the type or profile that it builds on.
    pub base: Option<Text>,
    /// Whether no instance follows exactly this one.
    pub is_abstract: bool,
    /// Where an extension may stand; anywhere if there is none.
    pub contexts: Vec<Context>,
    /// What it demands. What its base profiles demand is in there; what the type itself demands is not, so that an
    /// element that is not mentioned needs no look.
    pub root: Constraint,
}

/// Where an extension may stand (FHIR R4 StructureDefinition.context).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// `element`, `extension` or `fhirpath`.
    pub kind: Text,
    /// The element's path, the extension's address, or an expression.
    pub expression: Text,
}

/// What a profile demands of an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint {
    /// The element as the profile has it, counts and types and rules together with those of the type.
    pub element: ElementDef,
    /// The slice's name, if this is one.
    pub slice_name: Option<Text>,
    /// How repetitions or types are told apart. Set without slices only if no others are allowed.
    pub slicing: Option<Slicing>,
    /// The slices. What stands at the element itself and at its children holds for every slice too.
    pub slices: Vec<Constraint>,
    /// What is demanded further down.
    pub children: Vec<Constraint>,
}

impl Constraint {
    /// What is demanded of the child with that stem (`value` for `value[x]`), slices aside.
    #[must_use]
    pub fn child(&self, stem: &str) -> Option<&Self> {
        self.children.iter().find(|it| it.element.name == stem)
    }

    /// How many constraints these are, this one and all below.
    pub(super) fn size(&self) -> usize {
        1 + self.slices.iter().chain(&self.children).map(Self::size).sum::<usize>()
    }

    /// The slice with that name.
    #[must_use]
    pub fn slice(&self, name: &str) -> Option<&Self> {
        self.slices.iter().find(|it| it.slice_name.as_deref() == Some(name))
    }
}

/// How the slices of an element are told apart (FHIR R4 ElementDefinition.slicing).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slicing {
    /// What decides the slice; without any, each slice's own demands do.
    pub discriminators: Vec<Discriminator>,
    /// Whether the slices come in their order.
    pub is_ordered: bool,
    /// Whether there may be something that is in no slice.
    pub rules: SlicingRules,
}

/// What may be there beside the slices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlicingRules {
    /// Anything, anywhere.
    Open,
    /// Nothing.
    Closed,
    /// Anything, after the slices.
    OpenAtEnd,
}

/// What decides which slice an item is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discriminator {
    /// How.
    pub kind: DiscriminatorKind,
    /// Where, in simple FHIRPath: `$this`, `code`, `resolve()`, `extension('…').value`.
    pub path: Text,
}

/// How a slice is told from another (FHIR R4 DiscriminatorType).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiscriminatorKind {
    /// By the value there.
    Value,
    /// By whether there is something.
    Exists,
    /// By a pattern.
    Pattern,
    /// By the type there.
    Type,
    /// By the profile that what is there follows.
    Profile,
}
