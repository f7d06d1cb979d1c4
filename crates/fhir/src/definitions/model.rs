//! What the definitions say about types: plain data, read by whoever validates, converts, searches or evaluates.

use std::borrow::Cow;
use std::sync::Arc;

/// A word of the definitions: borrowed from the embedded pack, or owned where a package brought it.
pub type Text = Cow<'static, str>;

/// What sort of type it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeKind {
    /// One value with a lexical form, such as `dateTime`.
    Primitive,
    /// A type that elements have, such as `HumanName`.
    Complex,
    /// A resource, or one of the abstract types that resources build on.
    Resource,
    /// A part of one type only, named by its path: `Observation.component`, `Timing.repeat`.
    Backbone,
}

/// A type: its elements with the inherited ones, in the order of the XML schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeDef {
    /// `Patient`, `HumanName`, `string`, or the path of a backbone element.
    pub name: Text,
    /// The type that this one specialises: `DomainResource`, `BackboneElement`, for `code` it is `string`.
    pub base: Option<Text>,
    /// What sort of type it is.
    pub kind: TypeKind,
    /// Whether no instance has exactly this type.
    pub is_abstract: bool,
    /// The regular expression of a primitive's text (FHIR R4 §2.24.0.1), as the definitions spell it, without anchors.
    pub pattern: Option<Text>,
    /// The elements. A primitive has `id` and `extension` alone: its value is not an element.
    pub elements: Vec<ElementDef>,
    /// The rules about an instance as a whole, inherited ones too. A backbone element's rules are here, not at the element.
    pub invariants: Vec<Arc<Invariant>>,
}

impl TypeDef {
    /// The element behind a JSON property, and the name of the type that it has there: `valueQuantity` is the element
    /// `value` with the type `Quantity`. A companion (`_birthDate`) is found by its name without the underscore.
    #[must_use]
    pub fn element(&self, json_name: &str) -> Option<(&ElementDef, &str)> {
        self.elements.iter().find_map(|element| Some((element, element.type_behind(json_name)?)))
    }

    /// The element with that stem (`value`, not `valueQuantity` and not `value[x]`).
    #[must_use]
    pub fn element_named(&self, stem: &str) -> Option<&ElementDef> {
        self.elements.iter().find(|element| element.name == stem)
    }
}

/// An element of a type, or of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElementDef {
    /// Its name, without the `[x]` of a choice.
    pub name: Text,
    /// Whether the type is a part of the property's name (`value[x]`).
    pub is_choice: bool,
    /// How many there are at least.
    pub min: u32,
    /// How many there are at most; `None` is any number.
    pub max: Option<u32>,
    /// The types it may have. One that has a backbone element, or refers to one (`contentReference`), names its path.
    pub types: Vec<TypeRef>,
    /// The codes it takes.
    pub binding: Option<Binding>,
    /// The rules about this element beyond those of its type.
    pub invariants: Vec<Arc<Invariant>>,
    /// Fixed values, patterns and limits.
    pub rules: Vec<ValueRule>,
    /// Whether it belongs to a summary (`_summary=true`).
    pub is_summary: bool,
    /// Whether it may change the meaning of what it stands in.
    pub is_modifier: bool,
    /// Whether a profile says that systems must support it.
    pub must_support: bool,
    /// Whether XML spells it as an attribute: an element's `id`, an extension's `url`.
    pub is_attribute: bool,
}

impl ElementDef {
    /// Whether JSON spells it as an array: by the base type, an element that may repeat always is one.
    #[must_use]
    pub fn repeats(&self) -> bool {
        self.max.is_none_or(|max| max > 1)
    }

    /// The name of the type that this element has if the JSON property is its own; `None` if it is another's.
    #[must_use]
    pub fn type_behind(&self, json_name: &str) -> Option<&str> {
        let rest = json_name.strip_prefix(&*self.name)?;
        if self.is_choice {
            self.types.iter().map(|it| &*it.name).find(|name| is_capitalised(rest, name))
        } else {
            rest.is_empty().then(|| self.types.first().map_or("", |it| &*it.name))
        }
    }
}

/// Whether `word` is `name` with a capital first letter.
fn is_capitalised(word: &str, name: &str) -> bool {
    let (Some((&first, rest)), Some((&start, end))) = (word.as_bytes().split_first(), name.as_bytes().split_first())
    else {
        return false;
    };
    first == start.to_ascii_uppercase() && rest == end
}

/// A type that an element may have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TypeRef {
    /// The type's name.
    pub name: Text,
    /// The profiles that a value must follow, one of them: canonical addresses.
    pub profiles: Vec<Text>,
    /// What a `Reference` or `canonical` may lead to: addresses of types (`http://hl7.org/fhir/StructureDefinition/Patient`)
    /// and profiles. None means anything.
    pub target_profiles: Vec<Text>,
}

/// How far codes are bound to a value set (FHIR R4 §4.1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// An example only.
    Example,
    /// Better from the set.
    Preferred,
    /// From the set if it has the concept.
    Extensible,
    /// From the set.
    Required,
}

/// The codes that an element takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// How far it binds.
    pub strength: Strength,
    /// The canonical address of the value set, with `|version` if the definitions name one.
    pub value_set: Option<Text>,
}

/// How bad it is when a rule is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The instance is wrong.
    Error,
    /// It is worth a word.
    Warning,
}

/// A rule that an instance keeps.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Invariant {
    /// Its name, `dom-2`.
    pub key: Text,
    /// Whether breaking it is only worth a word.
    pub is_warning: bool,
    /// What it says to people.
    pub human: Text,
    /// The rule in FHIRPath; empty where the definitions have none.
    pub expression: Text,
}

impl Invariant {
    /// How bad it is when the rule is broken.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        if self.is_warning { Severity::Warning } else { Severity::Error }
    }
}

/// A rule about an element's value. Values are compact JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueRule {
    /// The value is exactly this (`fixed[x]`).
    Fixed(Text),
    /// The value has at least this (`pattern[x]`).
    Pattern(Text),
    /// The least value (`minValue[x]`).
    Min(Text),
    /// The greatest value (`maxValue[x]`).
    Max(Text),
    /// How many characters it may have.
    MaxLength(u32),
}

/// What kind of values a search parameter looks for (FHIR R4 §3.1.1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the specification's")]
pub enum SearchKind {
    Number,
    Date,
    String,
    Token,
    Reference,
    Composite,
    Quantity,
    Uri,
    Special,
}

/// A search parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchParameter {
    /// Its name in an address: `birthdate`.
    pub code: Text,
    /// Its canonical address.
    pub url: Text,
    /// The types that have it.
    pub base: Vec<Text>,
    /// What it looks for.
    pub kind: SearchKind,
    /// Where, in FHIRPath; empty for the few that are computed (`_text`, `_content`, `_filter`, `near` has one).
    pub expression: Text,
    /// The types that a reference may lead to.
    pub targets: Vec<Text>,
    /// The parts of a composite.
    pub components: Vec<Component>,
}

/// A part of a composite search parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// The canonical address of the parameter that this part behaves like ([`super::Definitions::search_parameter_at`]).
    pub definition: Text,
    /// Where it looks, from what the composite's own expression found.
    pub expression: Text,
}
