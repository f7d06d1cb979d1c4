//! Adding definitions from resources: how the packs are made, and how a package is loaded at run time.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, RwLock};

use super::model::{TypeDef, TypeKind};
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

/// What can be added only when all of a package was seen.
#[derive(Default)]
struct Waiting {
    types: Vec<TypeDef>,
    /// The StructureDefinitions of profiles, by address.
    profiles: BTreeMap<String, String>,
}

impl Definitions {
    /// These definitions and those of a package: its StructureDefinition, SearchParameter, CodeSystem, ValueSet and
    /// CompartmentDefinition resources, as JSON; others are passed over. What has an address that is known already takes
    /// the place of what was there, except types: nobody redefines `Patient`.
    ///
    /// # Errors
    /// [`PackageError`] if a resource is damaged.
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
            made.take(node, &mut waiting)?;
        }
        made.add_types(waiting.types);
        while let Some((_, resource)) = waiting.profiles.pop_first() {
            made.add_profile(&resource, &mut waiting.profiles, 0)?;
        }
        made.index_parameters();
        Ok(made)
    }

    fn take(&mut self, resource: Node<'_>, waiting: &mut Waiting) -> Result<(), PackageError> {
        match resource.get_text("resourceType").as_deref() {
            Some("StructureDefinition") => {
                if resource.get_text("derivation").as_deref() == Some("constraint") {
                    let url = resource.get_text("url").unwrap_or_default().into_owned();
                    waiting.profiles.insert(url, resource.raw().to_owned());
                } else if resource.get_text("kind").as_deref() != Some("logical") {
                    waiting.types.extend(structure::types(resource)?);
                }
            }
            Some("SearchParameter") => {
                if let Some(parameter) = conformance::search_parameter(resource) {
                    self.parameters.insert(parameter.url.clone(), Arc::new(parameter));
                }
            }
            Some("CompartmentDefinition") if resource.get_text("code").as_deref() == Some("Patient") => {
                self.compartment.extend(conformance::compartment(resource));
            }
            Some("CodeSystem") => {
                if let Some(system) = conformance::code_system(resource) {
                    insert(&mut self.codes.systems, system.url.clone(), system);
                }
            }
            Some("ValueSet") => {
                if let Some(set) = conformance::value_set(resource) {
                    insert(&mut self.codes.value_sets, set.url.clone(), set);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Adds a profile, after those among the waiting ones that it builds on.
    fn add_profile(
        &mut self,
        resource: &str,
        waiting: &mut BTreeMap<String, String>,
        depth: usize,
    ) -> Result<(), PackageError> {
        let node = Node::of_text(resource);
        let base = node.get_text("baseDefinition").unwrap_or_default();
        if depth < MAX_LINEAGE
            && let Some(base) = waiting.remove(&*base)
        {
            self.add_profile(&base, waiting, depth + 1)?;
        }
        let profile = profiles::profile(self, node)?;
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

fn insert<T: Packed>(items: &mut HashMap<Text, Arc<Slot<T>>>, url: Text, item: T) {
    items.insert(url, Arc::new(Slot::given(item)));
}
