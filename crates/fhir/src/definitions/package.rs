//! Adding definitions from resources: how the packs are made, and how a package is loaded at run time.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, RwLock};

use super::codes::Content;
use super::model::{SearchParameter, TypeDef, TypeKind};
use super::pack::{Packed, Slot};
use super::{Codes, Definitions, Text, conformance, profiles, structure};
use crate::json::{JsonError, Node, compact};
use crate::search::Catalogue;

/// Why a package is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PackageError {
    /// A resource is not JSON.
    #[error("resource {place} of the package is not acceptable JSON: {error}")]
    Json {
        /// Which, counted from 1.
        place: usize,
        /// Why.
        error: JsonError,
    },
    /// A StructureDefinition has no elements, or elements without their parents.
    #[error("the StructureDefinition {0} has no complete list of elements")]
    Incomplete(String),
    /// A profile is about a type that is not in R4.
    #[error("the profile {profile} is about the type '{name}', which FHIR R4 does not have")]
    UnknownType {
        /// The profile's address.
        profile: String,
        /// The type.
        name: String,
    },
    /// A profile without a snapshot builds on one that is not here.
    #[error("the profile {profile} builds on {base}, which is not loaded; add the package that has it first")]
    UnknownBase {
        /// The profile's address.
        profile: String,
        /// What it builds on.
        base: String,
    },
    /// A profile builds on one that is about another type.
    #[error("the profile {profile} is about {name}, and builds on {base}, which is about another type")]
    OtherType {
        /// The profile's address.
        profile: String,
        /// What it builds on.
        base: String,
        /// The profile's type.
        name: String,
    },
    /// Profiles build on one another in a circle.
    #[error("the profile {0} builds on itself, by way of what it builds on")]
    Circle(String),
    /// Profiles build on one another too many times over.
    #[error("the profile {0} builds on more than {MAX_LINEAGE} others, one on the other")]
    TooDeep(String),
    /// A StructureDefinition says what a type of FHIR is, or adds one.
    #[error(
        "the StructureDefinition {url} defines the type '{name}'; types are FHIR's own, and packages may only constrain them"
    )]
    Type {
        /// Its address.
        url: String,
        /// The type.
        name: String,
    },
    /// A resource, or all profiles together, hold more than can be kept at hand.
    #[error("{url} is too large: more than {limit} {what}")]
    TooLarge {
        /// The address of the resource.
        url: String,
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A profile names an element that its type does not have.
    #[error("the profile {profile} names the element '{path}', which does not exist")]
    UnknownElement {
        /// The profile's address.
        profile: String,
        /// The element's path.
        path: String,
    },
}

/// How many profiles may build on one another.
const MAX_LINEAGE: usize = 32;
/// Elements of one StructureDefinition. The largest that are published have a tenth of that.
const MAX_ELEMENTS: usize = 10_000;
/// Elements of all profiles of packages, what they take over from those that they build on included.
const MAX_CONSTRAINTS: usize = 500_000;
/// Concepts of one code system.
const MAX_CONCEPTS: usize = 500_000;
/// Where the addresses of R4's own profiles start.
const R4: &str = "http://hl7.org/fhir/";

/// What can be added only when all of a package was seen.
#[derive(Default)]
struct Waiting {
    types: Vec<TypeDef>,
    /// The StructureDefinitions of profiles, by address.
    profiles: BTreeMap<String, String>,
    /// The profiles that are being added, each built on by the one before.
    chain: Vec<String>,
    /// The elements of the profiles that were added.
    constraints: usize,
}

impl Definitions {
    /// These definitions and those of a package: its StructureDefinition, SearchParameter, CodeSystem and ValueSet
    /// resources, as JSON; others are passed over. What has an address that is known already takes the place of what was
    /// there. What R4 itself says stays: its profiles, value sets and complete code systems, the search parameters that a type
    /// has, the patient's compartment. Otherwise a package could loosen what
    /// all resources are held to. Types are never added: nobody redefines `Patient`.
    ///
    /// (Definitions without any type take types and the compartment too: so HL7's own files are read.)
    ///
    /// # Errors
    /// [`PackageError`] if a resource is damaged, defines a type, or is too large.
    pub fn with_package<'a>(&self, resources: impl Iterator<Item = &'a [u8]>) -> Result<Self, PackageError> {
        let mut made = Self {
            types: self.types.clone(),
            parameters: self.parameters.clone(),
            by_base: HashMap::new(),
            compartment: self.compartment.clone(),
            profiles: self.profiles.clone(),
            bundled: self.bundled,
            codes: Codes { systems: self.codes.systems.clone(), value_sets: self.codes.value_sets.clone() },
            expanded: RwLock::default(),
            catalogue: Catalogue::default(),
        };
        let mut waiting = Waiting::default();
        for (at, resource) in resources.enumerate() {
            let place = at + 1;
            let bytes = compact(resource).map_err(|error| PackageError::Json { place, error })?;
            let Some(node) = Node::new(&bytes) else { continue };
            made.take(self, node, &mut waiting)?;
        }
        made.add_types(std::mem::take(&mut waiting.types));
        while let Some((url, resource)) = waiting.profiles.pop_first() {
            made.add_profile(url, &resource, &mut waiting)?;
        }
        made.index_parameters();
        Ok(made)
    }

    /// Takes a resource into these definitions, which are `before` and what else was taken.
    fn take(&mut self, before: &Self, resource: Node<'_>, waiting: &mut Waiting) -> Result<(), PackageError> {
        let url = resource.get_text("url").unwrap_or_default();
        match resource.get_text("resourceType").as_deref() {
            Some("StructureDefinition") => before.take_structure(resource, url.into_owned(), waiting)?,
            Some("SearchParameter") => {
                if let Some(parameter) = conformance::search_parameter(resource)
                    && let Some(parameter) = before.parameter_beside(parameter)
                {
                    self.parameters.insert(parameter.url.clone(), Arc::new(parameter));
                }
            }
            Some("CompartmentDefinition")
                if before.compartment.is_empty() && resource.get_text("code").as_deref() == Some("Patient") =>
            {
                self.compartment.extend(conformance::compartment(resource));
            }
            Some("CodeSystem") if !before.has_system(&url) => {
                if let Some(system) = conformance::code_system(resource) {
                    let limits = (system.concepts.len(), MAX_CONCEPTS, "concepts");
                    within(limits, &system.url)?;
                    insert(&mut self.codes.systems, system.url.clone(), system);
                }
            }
            Some("ValueSet") if !before.has_set(&url) => {
                if let Some(set) = conformance::value_set(resource) {
                    insert(&mut self.codes.value_sets, set.url.clone(), set);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether R4 itself has all of a code system.
    fn has_system(&self, url: &str) -> bool {
        let own = self.bundled.and_then(|codes| codes.systems.get(url)).and_then(|it| it.get());
        own.is_some_and(|it| it.content == Content::Complete)
    }

    /// Whether R4 itself has a value set.
    fn has_set(&self, url: &str) -> bool {
        self.bundled.is_some_and(|codes| codes.value_sets.contains_key(url))
    }

    fn take_structure(&self, resource: Node<'_>, url: String, waiting: &mut Waiting) -> Result<(), PackageError> {
        let elements = ["snapshot.element", "differential.element"].map(|path| resource.all(path).len());
        within((elements[0].max(elements[1]), MAX_ELEMENTS, "elements"), &url)?;
        if resource.get_text("derivation").as_deref() == Some("constraint") {
            // R4's own profiles stay; its extensions are published anew outside R4, under the addresses that they had.
            let is_r4s = url.starts_with(R4) && self.structure(&url).is_some_and(|it| it.type_name != "Extension");
            if !is_r4s {
                waiting.profiles.insert(url, resource.raw().to_owned());
            }
        } else if resource.get_text("kind").as_deref() != Some("logical") {
            if !self.types.is_empty() {
                let name = resource.get_text("type").unwrap_or_default().into_owned();
                return Err(PackageError::Type { url, name });
            }
            waiting.types.extend(structure::types(resource)?);
        }
        Ok(())
    }

    /// A search parameter of a package, for the types that have none of that code yet; `None` if there are none, or if its
    /// code would be taken for something else in a query.
    fn parameter_beside(&self, mut parameter: SearchParameter) -> Option<SearchParameter> {
        if self.types.is_empty() {
            return Some(parameter);
        }
        let is_plain = parameter.code.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if !is_plain || parameter.code.starts_with('_') || self.parameters.contains_key(&parameter.url) {
            return None;
        }
        parameter.base.retain(|base| self.search_parameter(base, &parameter.code).is_none());
        (!parameter.base.is_empty() && !parameter.code.is_empty()).then_some(parameter)
    }

    /// Adds a profile, after those among the waiting ones that it builds on.
    fn add_profile(&mut self, url: String, resource: &str, waiting: &mut Waiting) -> Result<(), PackageError> {
        let node = Node::of_text(resource);
        let base = node.get_text("baseDefinition").unwrap_or_default();
        let base = base.split_once('|').map_or(&*base, |(plain, _)| plain);
        if base == url || waiting.chain.iter().any(|it| it == base) {
            return Err(PackageError::Circle(url));
        }
        if let Some((base, resource)) = waiting.profiles.remove_entry(base) {
            if waiting.chain.len() == MAX_LINEAGE {
                return Err(PackageError::TooDeep(url));
            }
            waiting.chain.push(url.clone());
            self.add_profile(base, &resource, waiting)?;
            waiting.chain.pop();
        }
        let profile = profiles::profile(self, node)?;
        waiting.constraints += profile.root.size();
        if !self.types.is_empty() {
            within((waiting.constraints, MAX_CONSTRAINTS, "elements in all profiles together"), &url)?;
        }
        insert(&mut self.profiles, profile.url.clone(), profile);
        Ok(())
    }

    /// Adds the types that are new. The snapshots repeat the rules of an element's type at the element: here they stand
    /// at the type alone.
    fn add_types(&mut self, types: Vec<TypeDef>) {
        let of_types: HashMap<Text, Vec<Text>> =
            types.iter().map(|it| (it.name.clone(), it.invariants.iter().map(|it| it.key.clone()).collect())).collect();
        for mut definition in types {
            for element in &mut definition.elements {
                let own = element.types.iter().filter_map(|it| of_types.get(&it.name)).flatten();
                let own: Vec<&Text> = own.collect();
                element.invariants.retain(|it| !own.contains(&&it.key));
            }
            debug_assert!(definition.kind != TypeKind::Backbone || definition.name.contains('.'));
            self.types.entry(definition.name.clone()).or_insert_with(|| Arc::new(definition));
        }
    }
}

/// That there is not more of something than may be.
fn within((count, limit, what): (usize, usize, &'static str), url: &str) -> Result<(), PackageError> {
    if count > limit { Err(PackageError::TooLarge { url: url.to_owned(), what, limit }) } else { Ok(()) }
}

fn insert<T: Packed>(items: &mut HashMap<Text, Arc<Slot<T>>>, url: Text, item: T) {
    items.insert(url, Arc::new(Slot::given(item)));
}
