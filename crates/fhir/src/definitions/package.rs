//! Adding definitions from resources: how the packs are made, and how a package is loaded at run time.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use super::model::{TypeDef, TypeKind};
use super::pack::{Packed, Slot};
use super::{Codes, Definitions, Text, conformance, structure};
use crate::json::{JsonError, Node, compact};

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
            bundled: self.bundled,
            codes: Codes { systems: self.codes.systems.clone(), value_sets: self.codes.value_sets.clone() },
            expanded: RwLock::default(),
        };
        let mut types = Vec::new();
        for (at, resource) in resources.enumerate() {
            let place = at + 1;
            let bytes = compact(resource).map_err(|error| PackageError::Json { place, error })?;
            let Some(node) = Node::new(&bytes) else { continue };
            made.take(node, &mut types)?;
        }
        made.add_types(types);
        made.index_parameters();
        Ok(made)
    }

    fn take(&mut self, resource: Node<'_>, types: &mut Vec<TypeDef>) -> Result<(), PackageError> {
        match resource.get_text("resourceType").as_deref() {
            Some("StructureDefinition") => {
                let kind = resource.get_text("kind");
                let is_profile = resource.get_text("derivation").as_deref() == Some("constraint");
                if !is_profile && kind.as_deref() != Some("logical") {
                    types.extend(structure::types(resource)?);
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
