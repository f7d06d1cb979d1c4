//! Search parameters, compiled for a type.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::path::{NotCompiled, Program};
use super::value::Leaf;
use crate::definitions::{Definitions, SearchKind, SearchParameter, TypeKind};
use crate::fhirpath::Expression;

/// A search parameter as one type has it.
#[derive(Debug)]
pub(crate) struct Parameter {
    /// The type; `Resource` for one that searches over all types use.
    pub(super) type_name: Box<str>,
    /// Its name in an address.
    pub(super) code: Box<str>,
    /// What it looks for.
    pub(super) kind: SearchKind,
    /// The types that a reference may lead to; empty if it may lead to any.
    pub(super) targets: Vec<Box<str>>,
    /// Where it looks.
    pub(super) program: Program,
    /// Where it looks, if that cannot be said in paths: no parameter of R4 is so, but one of a package may be.
    pub(super) expression: Option<Expression>,
    /// The parts of a composite.
    pub(super) parts: Vec<Part>,
}

/// A part of a composite.
#[derive(Debug)]
pub(super) struct Part {
    /// What it looks for.
    pub(super) kind: SearchKind,
    /// The types that a reference may lead to.
    pub(super) targets: Vec<Box<str>>,
    /// For each type that the composite's own expression ends at, where it looks from there.
    pub(super) programs: Vec<Program>,
}

impl Part {
    /// A part that behaves like a parameter. HL7 has two parts of `DocumentReference.relationship` the wrong way round: what
    /// is found says then what it is.
    fn of(kind: SearchKind, targets: Vec<Box<str>>, programs: Vec<Program>) -> Self {
        let mut leaves = programs.iter().flat_map(|it| &it.paths).map(|path| &*path.leaf.type_name);
        match kind {
            SearchKind::Reference if leaves.clone().all(|it| matches!(it, "code" | "Coding" | "CodeableConcept")) => {
                Self { kind: SearchKind::Token, targets: Vec::new(), programs }
            }
            SearchKind::Token if leaves.all(|it| it == "Reference") => {
                Self { kind: SearchKind::Reference, targets: Vec::new(), programs }
            }
            _ => Self { kind, targets, programs },
        }
    }
}

impl Parameter {
    /// The type and leaves of what it finds.
    pub(super) fn leaves(&self) -> impl Iterator<Item = &Leaf> {
        self.program.paths.iter().map(|path| &path.leaf)
    }

    fn compile(definitions: &Definitions, type_name: &str, definition: &SearchParameter) -> Option<Self> {
        let (program, expression) = match Program::compile(definitions, type_name, type_name, &definition.expression) {
            Ok(program) => (program, None),
            Err(NotCompiled::NoPath) if definition.components.is_empty() => {
                (Program::default(), Some(Expression::parse(&definition.expression).ok()?))
            }
            Err(_) => return None,
        };
        let mut parts = Vec::new();
        for component in &definition.components {
            let like = definitions.search_parameter_at(&component.definition)?;
            let starts = program.paths.iter().map(|path| &*path.leaf.type_name);
            let programs: Result<Vec<_>, _> =
                starts.map(|start| Program::compile(definitions, type_name, start, &component.expression)).collect();
            parts.push(Part::of(like.kind, targets(definitions, like), programs.ok()?));
        }
        Some(Self {
            type_name: type_name.into(),
            code: (*definition.code).into(),
            kind: definition.kind,
            targets: targets(definitions, definition),
            program,
            expression,
            parts,
        })
    }
}

/// The types that a reference may lead to. `Resource` and the like mean any.
fn targets(definitions: &Definitions, definition: &SearchParameter) -> Vec<Box<str>> {
    let is_concrete = |name: &str| definitions.type_named(name).is_some_and(|it| !it.is_abstract);
    if definition.targets.iter().any(|name| !is_concrete(name)) {
        return Vec::new();
    }
    definition.targets.iter().map(|name| (**name).into()).collect()
}

/// The parameters that were asked for so far, each compiled once.
#[derive(Debug, Default)]
pub(crate) struct Catalogue(RwLock<HashMap<Box<str>, ByCode>>);

/// For each code the parameter; `None` for one that cannot be compiled.
type ByCode = HashMap<Box<str>, Option<Arc<Parameter>>>;

/// What asking for a parameter brings.
pub(super) enum Found {
    /// The parameter.
    Parameter(Arc<Parameter>),
    /// The type has none of that name.
    Unknown,
    /// It is there, but what it says where to look is not understood.
    NotCompiled,
}

impl Definitions {
    /// The compiled parameter that a type has under that code.
    pub(super) fn compiled(&self, type_name: &str, code: &str) -> Found {
        let found = |compiled: &Option<Arc<Parameter>>| compiled.clone().map_or(Found::NotCompiled, Found::Parameter);
        let Catalogue(known) = self.catalogue();
        let reading = known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(compiled) = reading.get(type_name).and_then(|by_code| by_code.get(code)) {
            return found(compiled);
        }
        drop(reading);
        let Some(definition) = self.search_parameter(type_name, code) else { return Found::Unknown };
        let compiled = Parameter::compile(self, type_name, definition).map(Arc::new);
        let mut writing = known.write().unwrap_or_else(PoisonError::into_inner);
        let by_code = writing.entry(type_name.into()).or_default();
        found(by_code.entry(code.into()).or_insert(compiled))
    }

    /// Whether that is the name of a resource type that instances have.
    pub(super) fn is_resource(&self, name: &str) -> bool {
        self.type_named(name).is_some_and(|it| it.kind == TypeKind::Resource && !it.is_abstract)
    }
}

/// The search parameters of a type that searches can answer: what a capability statement may claim. `_list`, `_has` and what
/// shapes the answer are not among them: they are no search parameters in the definitions.
pub fn offered<'a>(
    definitions: &'a Definitions,
    resource_type: &'a str,
) -> impl Iterator<Item = &'a SearchParameter> + use<'a> {
    definitions.search_parameters(resource_type).filter(move |parameter| {
        matches!(&*parameter.code, "_text" | "_content")
            || parameter.kind != SearchKind::Special
                && matches!(definitions.compiled(resource_type, &parameter.code), Found::Parameter(_))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::definitions::r4;

    /// Those without an expression, which are computed ([`super::super::query::Rule`]) or refused.
    const COMPUTED: [&str; 3] = ["_content", "_query", "_text"];
    /// One whose element the definitions lack (MedicinalProductPharmaceutical.routeOfAdministration.targetSpecies.code).
    const LACKING: &str = "target-species";

    #[test]
    fn every_search_parameter_of_r4_compiles_to_paths() {
        let mut others = BTreeSet::new();
        let mut compiled = 0;
        for definition in r4().types().filter(|it| r4().is_resource(&it.name)) {
            for parameter in r4().search_parameters(&definition.name) {
                match r4().compiled(&definition.name, &parameter.code) {
                    Found::Parameter(it) => {
                        assert!(!it.program.paths.is_empty(), "{} {}", definition.name, parameter.code);
                        assert!(it.expression.is_none());
                        assert_eq!(it.kind == SearchKind::Composite, !it.parts.is_empty());
                        assert!(it.parts.iter().all(|part| part.programs.len() == it.program.paths.len()));
                        compiled += 1;
                    }
                    Found::NotCompiled => drop(others.insert(&*parameter.code)),
                    Found::Unknown => panic!("{} {}", definition.name, parameter.code),
                }
            }
        }
        others.remove(LACKING);
        assert!(others.iter().eq(&COMPUTED), "{others:?}");
        assert!(compiled > 2_000, "{compiled}");
    }

    #[test]
    fn a_parameter_is_compiled_once() {
        let (Found::Parameter(one), Found::Parameter(other)) =
            (r4().compiled("Patient", "birthdate"), r4().compiled("Patient", "birthdate"))
        else {
            panic!("Patient has a birthdate")
        };
        assert!(Arc::ptr_eq(&one, &other));
        assert!(matches!(r4().compiled("Patient", "birthdat"), Found::Unknown));
    }
}
