//! What FHIR R4 (4.0.1) defines, as data: types, bindings, invariants, search parameters, codes.
//!
//! [`r4`] is HL7's own definitions, in two packs inside the program: one of types and search parameters, read at the
//! first use in about a millisecond, and one of codes, unpacked when the first code is asked for. `cargo xtask
//! definitions` makes the packs. Packages such as UK Core are added at run time ([`Definitions::with_package`]).
//!
//! A `Definitions` never changes; threads share it.

mod bundled;
mod codes;
mod conformance;
mod expand;
mod model;
mod pack;
mod package;
mod profile;
mod profiles;
mod structure;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

pub use bundled::r4;
pub use codes::{CodeSystem, Concept, Content, Filter, Include, Included, Property, ValueSet};
pub use expand::{CodeSet, Entry, Membership};
pub use model::{
    Binding, Component, ElementDef, Invariant, SearchKind, SearchParameter, Severity, Strength, Text, TypeDef,
    TypeKind, TypeRef, ValueRule,
};
use pack::Slot;
pub use package::PackageError;
pub use profile::{Constraint, Context, Discriminator, DiscriminatorKind, Profile, Slicing, SlicingRules};

use crate::search::Catalogue;

/// Definitions of types, search parameters and codes.
#[derive(Default)]
pub struct Definitions {
    types: HashMap<Text, Arc<TypeDef>>,
    parameters: HashMap<Text, Arc<SearchParameter>>,
    /// For each type the search parameters that name it, ordered by code.
    by_base: HashMap<Text, Vec<Arc<SearchParameter>>>,
    compartment: BTreeMap<Text, Vec<Text>>,
    profiles: HashMap<Text, Arc<Slot<Profile>>>,
    /// The code systems and value sets that are unpacked only when needed, and those of packages, which go first.
    bundled: Option<&'static LazyLock<Codes>>,
    codes: Codes,
    /// The codes of the value sets that were asked for.
    expanded: RwLock<HashMap<String, Arc<CodeSet>>>,
    /// The search parameters that were asked for, compiled.
    catalogue: Catalogue,
}

/// Code systems and value sets by address.
#[derive(Default)]
struct Codes {
    systems: HashMap<Text, Arc<Slot<CodeSystem>>>,
    value_sets: HashMap<Text, Arc<Slot<ValueSet>>>,
}

impl Definitions {
    /// A type by its name, or a backbone element by its path: `Patient`, `HumanName`, `string`, `Observation.component`.
    #[must_use]
    pub fn type_named(&self, name: &str) -> Option<&TypeDef> {
        self.types.get(name).map(|it| &**it)
    }

    /// All types, in no order.
    pub fn types(&self) -> impl Iterator<Item = &TypeDef> {
        self.types.values().map(|it| &**it)
    }

    /// Whether a type is another or builds on it: `Patient` on `DomainResource`, `code` on `string`.
    #[must_use]
    pub fn is_a(&self, name: &str, ancestor: &str) -> bool {
        self.lineage(name).any(|it| it == ancestor)
    }

    /// A type's name and those of the types that it builds on, the nearest first.
    fn lineage<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let first = self.type_named(name).map(|it| &*it.name);
        // No type of a checked set is its own ancestor; the bound ends a circle all the same.
        std::iter::successors(first, |name| self.type_named(name)?.base.as_deref()).take(16)
    }

    /// The search parameters that a type has: its own, then those of all resources of its kind.
    pub fn search_parameters<'a>(&'a self, resource_type: &str) -> impl Iterator<Item = &'a SearchParameter> + use<'a> {
        self.lineage(resource_type).flat_map(|it| self.by_base.get(it).into_iter().flatten()).map(|it| &**it)
    }

    /// The search parameter that a type has under that code.
    #[must_use]
    pub fn search_parameter(&self, resource_type: &str, code: &str) -> Option<&SearchParameter> {
        self.lineage(resource_type).find_map(|it| {
            let own = self.by_base.get(it)?;
            own.binary_search_by(|parameter| (*parameter.code).cmp(code)).ok().map(|at| &*own[at])
        })
    }

    /// The search parameter with that canonical address.
    #[must_use]
    pub fn search_parameter_at(&self, url: &str) -> Option<&SearchParameter> {
        self.parameters.get(url).map(|it| &**it)
    }

    /// The addresses of all search parameters, in no order.
    pub fn search_parameter_urls(&self) -> impl Iterator<Item = &str> {
        self.parameters.keys().map(|it| &**it)
    }

    /// The codes of the search parameters through which a type belongs to a patient's compartment; `None` if it does not.
    #[must_use]
    pub fn patient_compartment(&self, resource_type: &str) -> Option<&[Text]> {
        self.compartment.get(resource_type).map(Vec::as_slice)
    }

    /// The profile or extension with that canonical address; a version after `|` is passed over.
    #[must_use]
    pub fn structure(&self, url: &str) -> Option<&Profile> {
        let plain = url.split_once('|').map_or(url, |(plain, _)| plain);
        self.profiles.get(plain)?.get()
    }

    /// The addresses of all profiles and extensions, in no order.
    pub fn structure_urls(&self) -> impl Iterator<Item = &str> {
        self.profiles.keys().map(|it| &**it)
    }

    /// The code system with that canonical address; a version after `|` is passed over.
    #[must_use]
    pub fn code_system(&self, url: &str) -> Option<&CodeSystem> {
        self.in_codes(url, |codes, url| codes.systems.get(url)?.get())
    }

    /// The value set with that canonical address; a version after `|` is passed over.
    #[must_use]
    pub fn value_set(&self, url: &str) -> Option<&ValueSet> {
        self.in_codes(url, |codes, url| codes.value_sets.get(url)?.get())
    }

    fn in_codes<'a, T>(&'a self, url: &str, get: impl Fn(&'a Codes, &str) -> Option<&'a T>) -> Option<&'a T> {
        let plain = url.split_once('|').map_or(url, |(plain, _)| plain);
        let bundled = || self.bundled.map(|codes| &**codes);
        let anywhere = |url: &str| get(&self.codes, url).or_else(|| get(bundled()?, url));
        // Two of HL7's own addresses have a bar in them.
        anywhere(url).or_else(|| if plain == url { None } else { anywhere(plain) })
    }

    /// The addresses of all value sets, in no order.
    pub fn value_set_urls(&self) -> impl Iterator<Item = &str> {
        self.each_codes().flat_map(|codes| codes.value_sets.keys()).map(|it| &**it)
    }

    /// The addresses of all code systems, in no order.
    pub fn code_system_urls(&self) -> impl Iterator<Item = &str> {
        self.each_codes().flat_map(|codes| codes.systems.keys()).map(|it| &**it)
    }

    fn each_codes(&self) -> impl Iterator<Item = &Codes> {
        std::iter::once(&self.codes).chain(self.bundled.map(|codes| &**codes))
    }

    /// The search parameters that were asked for, compiled.
    pub(crate) const fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The codes of a value set, as far as the definitions know them; `None` if they do not have the set. They are
    /// gathered once and kept.
    #[must_use]
    pub fn expand(&self, value_set: &str) -> Option<Arc<CodeSet>> {
        // The set's own address is the key, so that made-up versions after `|` take no room.
        let url = &*self.value_set(value_set)?.url;
        let known = self.expanded.read().unwrap_or_else(PoisonError::into_inner).get(url).cloned();
        if known.is_some() {
            return known;
        }
        let codes = expand::Gathering::new(self).expand(url, 0)?;
        let mut expanded = self.expanded.write().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(expanded.entry(url.to_owned()).or_insert(codes)))
    }
}

impl std::fmt::Debug for Definitions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Definitions({} types, {} search parameters)", self.types.len(), self.parameters.len())
    }
}
