//! The definitions that an installation goes by: R4's own, and those of the packages that were added to it (UK Core, IPS).
//!
//! Packages bring profiles, extensions, codes and search parameters, never types: what asks for types alone (XML, patches,
//! `_summary`) asks [`r4`].

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, LazyLock, OnceLock};

use keepwell_fhir::definitions::{Definitions, PackageError, r4};
use keepwell_fhir::validate::{Known, Validator};

use crate::Service;

/// The rules of R4, compiled when the first resource is validated.
static R4_VALIDATOR: LazyLock<Validator> = LazyLock::new(|| Validator::new(r4()));

/// Definitions, with the rules that follow from them.
pub struct Packages {
    definitions: Known,
    validator: OnceLock<Validator>,
    /// The addresses of the profiles that packages brought, by the type that they are about.
    profiles: BTreeMap<String, Vec<String>>,
    /// The addresses of the implementation guides that the packages are of.
    guides: Vec<String>,
}

/// How much there is of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackageCounts {
    /// Profiles and extensions.
    pub structures: usize,
    /// Value sets.
    pub value_sets: usize,
    /// Code systems.
    pub code_systems: usize,
    /// Search parameters.
    pub search_parameters: usize,
}

impl Packages {
    /// R4's own.
    #[must_use]
    pub fn none() -> Self {
        let definitions = Known::Static(r4());
        Self { definitions, validator: OnceLock::new(), profiles: BTreeMap::new(), guides: Vec::new() }
    }

    /// R4's own, and what these resources define: all the JSON resources of all packages, in any order.
    ///
    /// # Errors
    /// [`PackageError`]: which resource is damaged, builds on something that is not there, or is too large.
    pub fn of<'a>(resources: impl Iterator<Item = &'a [u8]>) -> Result<Self, PackageError> {
        let mut guides = Vec::new();
        let resources = resources.inspect(|resource| guides.extend(guide(resource)));
        let definitions = r4().with_package(resources)?;
        guides.sort();
        guides.dedup();
        let profiles = profiles(&definitions);
        Ok(Self { definitions: Known::Shared(Arc::new(definitions)), validator: OnceLock::new(), profiles, guides })
    }

    /// How much there is beyond R4's own.
    #[must_use]
    pub fn counts(&self) -> PackageCounts {
        PackageCounts {
            structures: beyond(self.definitions.structure_urls(), r4().structure_urls()),
            value_sets: beyond(self.definitions.value_set_urls(), r4().value_set_urls()),
            code_systems: beyond(self.definitions.code_system_urls(), r4().code_system_urls()),
            search_parameters: beyond(self.definitions.search_parameter_urls(), r4().search_parameter_urls()),
        }
    }

    pub(crate) fn definitions(&self) -> &Definitions {
        &self.definitions
    }

    /// The profiles of a type that packages brought.
    pub(crate) fn profiles_of(&self, resource_type: &str) -> &[String] {
        self.profiles.get(resource_type).map_or(&[], Vec::as_slice)
    }

    /// The implementation guides that the packages are of.
    pub(crate) fn guides(&self) -> &[String] {
        &self.guides
    }

    /// The rules that resources are held to, compiled when they are first asked for.
    fn validator(&self) -> &Validator {
        match &self.definitions {
            Known::Static(_) => &R4_VALIDATOR,
            Known::Shared(_) => self.validator.get_or_init(|| Validator::new(self.definitions.clone())),
        }
    }
}

/// How many of some addresses are not among the others.
fn beyond<'a>(all: impl Iterator<Item = &'a str>, known: impl Iterator<Item = &'a str>) -> usize {
    let known: HashSet<&str> = known.collect();
    all.filter(|url| !known.contains(url)).collect::<HashSet<_>>().len()
}

/// The profiles beyond R4's own that a resource may claim, by type.
fn profiles(definitions: &Definitions) -> BTreeMap<String, Vec<String>> {
    let known: HashSet<&str> = r4().structure_urls().collect();
    let fresh = definitions.structure_urls().filter(|url| !known.contains(url));
    let mut profiles: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for profile in fresh.filter_map(|url| definitions.structure(url)).filter(|it| !it.is_abstract) {
        profiles.entry(profile.type_name.to_string()).or_default().push(profile.url.to_string());
    }
    profiles.values_mut().for_each(|urls| urls.sort());
    profiles
}

/// The address of an ImplementationGuide with its version; nothing of other resources.
fn guide(resource: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Guide {
        #[serde(rename = "resourceType")]
        resource_type: String,
        url: String,
        version: Option<String>,
    }
    let guide: Guide = serde_json::from_slice(resource).ok()?;
    let version = guide.version.map_or_else(String::new, |version| format!("|{version}"));
    (guide.resource_type == "ImplementationGuide").then(|| format!("{}{version}", guide.url))
}

impl std::fmt::Debug for Packages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Packages({:?})", self.counts())
    }
}

impl Service {
    /// Says which packages count here. The first call does; without one only R4's own definitions do.
    pub fn use_packages(&self, packages: Packages) {
        drop(self.inner.packages.set(packages));
    }

    /// The packages that count here.
    pub(crate) fn packages(&self) -> &Packages {
        self.inner.packages.get_or_init(Packages::none)
    }

    /// The definitions that count here.
    pub(crate) fn definitions(&self) -> &Definitions {
        self.packages().definitions()
    }

    /// The rules that resources are held to here.
    pub(crate) fn validator(&self) -> &Validator {
        self.packages().validator()
    }
}
