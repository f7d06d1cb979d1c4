//! Whether a resource keeps the rules of FHIR R4, and of the profiles that are asked for.
//!
//! [`Validator::new`] compiles the definitions once. [`Validator::validate`] then walks a compact document once, without an
//! allocation while all is well, and tells every issue with its place, its path and words that say what to do.
//!
//! What is looked at: names, JSON kinds, arrays and single values, nulls and their companions (`_birthDate`), empty things,
//! the form of every primitive, cardinalities, choices, codes bound to value sets, references and contained resources,
//! narrative, Bundles, every invariant, and profiles with their slices. What is not: whether a reference's target exists
//! elsewhere, whether a display fits its code, and codes of systems that the definitions do not have.

#[cfg(test)]
mod agreement;
mod ask;
mod bundle;
mod formula;
mod issue;
mod moment;
mod names;
mod native;
mod place;
pub mod primitive;
mod profile;
mod reference;
mod rules;
mod structure;
mod values;
mod walk;
mod words;
pub mod xhtml;

use std::sync::Arc;

pub use issue::{Issue, Report};
pub(crate) use place::line_and_column_of;
pub use place::{LineColumn, line_and_column, lines_and_columns};
pub use primitive::Primitive;

use crate::definitions::Definitions;
use crate::outcome::Severity;

/// The definitions that a validator keeps: HL7's own, or some with packages in them.
#[derive(Debug, Clone)]
pub enum Known {
    /// Those of the program ([`crate::definitions::r4`]).
    Static(&'static Definitions),
    /// Others.
    Shared(Arc<Definitions>),
}

impl From<&'static Definitions> for Known {
    fn from(definitions: &'static Definitions) -> Self {
        Self::Static(definitions)
    }
}

impl From<Arc<Definitions>> for Known {
    fn from(definitions: Arc<Definitions>) -> Self {
        Self::Shared(definitions)
    }
}

impl std::ops::Deref for Known {
    type Target = Definitions;

    fn deref(&self) -> &Definitions {
        match self {
            Self::Static(definitions) => definitions,
            Self::Shared(definitions) => definitions,
        }
    }
}

/// How to validate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options<'a> {
    /// Profiles to hold the resource to, beside those of its `meta.profile` that are loaded.
    pub profiles: &'a [&'a str],
    /// The least bad issue that is told: [`Severity::Error`], [`Severity::Warning`] or [`Severity::Information`].
    pub level: Severity,
    /// How many issues are told at most.
    pub limit: usize,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { profiles: &[], level: Severity::Warning, limit: 100 }
    }
}

/// The compiled rules. Threads share one.
pub struct Validator {
    definitions: Known,
    rules: rules::Rules,
    expressions: ask::Expressions,
}

impl Validator {
    /// Compiles the rules of these definitions, which takes a few milliseconds.
    #[must_use]
    pub fn new(definitions: impl Into<Known>) -> Self {
        let definitions = definitions.into();
        let rules = rules::Rules::compile(&definitions);
        Self { definitions, rules, expressions: ask::Expressions::default() }
    }

    /// Validates a resource in compact bytes ([`crate::json::compact`]).
    #[must_use]
    pub fn validate(&self, compact: &[u8], options: &Options<'_>) -> Report {
        walk::document(self, compact, options)
    }
}

impl std::fmt::Debug for Validator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Validator({} types)", self.rules.types.len())
    }
}
