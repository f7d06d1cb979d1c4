//! Reading a query.

mod control;
mod include;
mod rule;
mod value;

use std::cell::Cell;

use super::parameter::{Found, Parameter};
use super::query::{Filter, Limits, Query, Settings};
use super::raw::{Pair, pairs};
use super::suggest::nearest;
use super::{Handling, Rule};
use crate::definitions::Definitions;
use crate::outcome::{Issue, IssueCode, Outcome, Severity};
use std::sync::Arc;

/// The parameters of every search that are not search parameters of a type.
const GENERAL: [&str; 15] = [
    "_sort",
    "_count",
    "_total",
    "_summary",
    "_elements",
    "_include",
    "_revinclude",
    "_contained",
    "_containedType",
    "_type",
    // From here on those that are conditions.
    "_has",
    "_list",
    "_text",
    "_format",
    "_pretty",
];

/// How many of them, the first ones, shape the answer and are no conditions.
const SHAPING: usize = 10;

/// What more than this of a caller's words is not quoted back.
const MOST_QUOTED: usize = 64;

impl Query {
    /// Reads the query of a search in one type, or in all (`None`): what stands after the question mark, or a form's body.
    ///
    /// # Errors
    /// An outcome that names each parameter which is not understood, with what may have been meant. With
    /// [`Handling::Lenient`] only what is too large or too costly is an error.
    pub fn parse<'t>(
        definitions: &Definitions,
        resource_type: impl Into<Option<&'t str>>,
        query: &str,
        handling: Handling,
    ) -> Result<Self, Outcome> {
        Self::parse_with(definitions, resource_type, query, &Settings { handling, ..Settings::default() })
    }

    /// [`Query::parse`] with limits of one's own.
    ///
    /// # Errors
    /// As there.
    pub fn parse_with<'t>(
        definitions: &Definitions,
        resource_type: impl Into<Option<&'t str>>,
        query: &str,
        settings: &Settings<'_>,
    ) -> Result<Self, Outcome> {
        let resource_type = resource_type.into();
        if let Some(name) = resource_type.filter(|name| !definitions.is_resource(name)) {
            return Err(unknown_type(definitions, name, None).into());
        }
        let reader = Reader { definitions, settings, types: Vec::new(), spent: Cell::new(0), query: Query::default() };
        reader.read(resource_type, query)
    }
}

struct Reader<'a> {
    definitions: &'a Definitions,
    settings: &'a Settings<'a>,
    /// The types that are searched; `Resource` alone where all are.
    types: Vec<Box<str>>,
    /// How many rules were made.
    spent: Cell<usize>,
    query: Query,
}

/// Why a parameter is not taken.
enum Refusal {
    /// It is not understood: a lenient search goes on without it.
    Misunderstood(Issue),
    /// It is too large or too costly: no search goes on.
    TooLarge(Issue),
}

impl From<Issue> for Refusal {
    fn from(issue: Issue) -> Self {
        Self::Misunderstood(issue)
    }
}

type Outcomes<T> = Result<T, Refusal>;

impl Reader<'_> {
    fn limits(&self) -> &Limits {
        &self.settings.limits
    }

    fn read(mut self, resource_type: Option<&str>, query: &str) -> Result<Query, Outcome> {
        let Limits { bytes, parameters, .. } = *self.limits();
        if query.len() > bytes {
            return Err(too_large(format!("The query is longer than {bytes} bytes. Ask for less at once.")).into());
        }
        let mut all = Vec::new();
        for pair in pairs(query) {
            if all.len() == parameters {
                return Err(too_large(format!("The query has more than {parameters} parameters.")).into());
            }
            all.push(pair.map_err(|piece| {
                let words = format!("'{}' is not percent-encoded UTF-8.", quoted(piece));
                Outcome::error(IssueCode::Invalid, words)
            })?);
        }
        let mut problems = Vec::new();
        self.query.page = self.limits().default_page;
        let typed = self.read_types(resource_type, &all);
        if self.note(typed, &mut problems)?.is_none() {
            all.retain(|pair| pair.name != "_type");
        }
        for pair in all {
            let outcome = self.take(&pair);
            if self.note(outcome, &mut problems)?.is_some() && !self.passes(&pair.name) {
                let Pair { name, value } = pair;
                let value = if name == "_count" { self.counted() } else { value };
                self.query.understood.push((name, value));
            }
        }
        if let Err(issue) = self.fits_together() {
            self.note::<()>(Err(issue.into()), &mut problems)?;
        }
        if problems.is_empty() { Ok(self.query) } else { Err(Outcome { issues: problems }) }
    }

    /// Notes what was not understood: as a problem, or leniently as left out.
    fn note<T>(&mut self, outcome: Outcomes<T>, problems: &mut Vec<Issue>) -> Result<Option<T>, Outcome> {
        match outcome {
            Ok(taken) => Ok(Some(taken)),
            Err(Refusal::TooLarge(issue)) => Err(issue.into()),
            Err(Refusal::Misunderstood(issue)) if self.settings.handling == Handling::Lenient => {
                let diagnostics = format!("{} It was left out.", issue.diagnostics);
                self.query.ignored.push(Issue { severity: Severity::Warning, diagnostics, ..issue });
                Ok(None)
            }
            Err(Refusal::Misunderstood(issue)) => {
                problems.push(issue);
                Ok(None)
            }
        }
    }

    fn passes(&self, name: &str) -> bool {
        matches!(name, "_format" | "_pretty") || self.settings.pass.contains(&name)
    }

    /// The types to search. `_type` comes first wherever it stands, for what the others mean depends on it.
    fn read_types(&mut self, resource_type: Option<&str>, pairs: &[Pair]) -> Outcomes<()> {
        self.types = vec![resource_type.unwrap_or("Resource").into()];
        self.query.types = resource_type.map(Into::into).into_iter().collect();
        let Some(named) = pairs.iter().find(|pair| pair.name == "_type") else { return Ok(()) };
        if let Some(name) = resource_type {
            let words = format!("This search is about {name} already. Use '_type' in a search over all types.");
            return Err(at("_type", IssueCode::Value, words).into());
        }
        let mut types: Vec<Box<str>> = Vec::new();
        for name in named.value.split(',').map(str::trim) {
            if !self.definitions.is_resource(name) {
                return Err(unknown_type(self.definitions, name, Some("_type")).into());
            }
            if !types.iter().any(|it| **it == *name) {
                types.push(name.into());
            }
        }
        (self.types, self.query.types) = (types.clone(), types);
        Ok(())
    }

    /// Takes one parameter.
    fn take(&mut self, pair: &Pair) -> Outcomes<()> {
        let (name, value) = (&*pair.name, &*pair.value);
        if self.passes(name) {
            self.query.passed.push((pair.name.clone(), pair.value.clone()));
            return Ok(());
        }
        if value.is_empty() {
            return Err(at(name, IssueCode::Value, "It has no value. Give it one or leave it out.").into());
        }
        let (stem, modifier) = name.split_once(':').map_or((name, None), |(stem, modifier)| (stem, Some(modifier)));
        match (stem, modifier) {
            ("_include" | "_revinclude", _) => self.read_include(stem, modifier, name, value),
            ("_has", _) => self.read_filter(name, value),
            ("_type", None) if !self.query.understood.iter().any(|(it, _)| it == name) => Ok(()),
            (_, Some(_)) if GENERAL[..SHAPING].contains(&stem) => {
                Err(at(name, IssueCode::Invalid, format!("'{stem}' takes no modifier.")).into())
            }
            _ if GENERAL[..SHAPING].contains(&stem) => self.read_control(name, value),
            _ => self.read_filter(name, value),
        }
    }

    /// A condition, in the form that each type has of it.
    fn read_filter(&mut self, name: &str, value: &str) -> Outcomes<()> {
        let mut by_type: Vec<(Box<str>, Rule)> = Vec::new();
        for type_name in &self.types {
            by_type.push((type_name.clone(), self.rule(type_name, name, name, value, 0)?));
        }
        self.query.filters.push(Filter { by_type });
        Ok(())
    }

    /// The parameter of a type, or words about what may have been meant. `whole` is the name as it was sent.
    fn parameter(&self, type_name: &str, code: &str, whole: &str) -> Outcomes<Arc<Parameter>> {
        match self.definitions.compiled(type_name, code) {
            Found::Parameter(parameter) => Ok(parameter),
            Found::NotCompiled => {
                let words = format!("Searching by '{}' is not supported here.", quoted(code));
                Err(at(whole, IssueCode::NotSupported, words).into())
            }
            Found::Unknown => {
                let about = if type_name == "Resource" { "all types" } else { type_name };
                let mut words = format!("'{}' is not a search parameter of {about}.", quoted(code));
                let codes = self.definitions.search_parameters(type_name).map(|it| &*it.code);
                let known: Vec<&str> = codes.collect();
                let general = GENERAL.iter().copied().filter(|_| whole == code);
                if let Some(meant) = nearest(code, known.iter().copied().chain(general)) {
                    words.push_str(&format!(" Did you mean '{meant}'?"));
                } else if type_name == "Resource" {
                    words.push_str(" Name a type to search by what only that type has.");
                } else {
                    let mut own: Vec<&str> = known.into_iter().filter(|it| !it.starts_with('_')).collect();
                    own.sort_unstable();
                    own.truncate(40);
                    words.push_str(&format!(" It has: {}.", own.join(", ")));
                }
                Err(at(whole, IssueCode::Invalid, words).into())
            }
        }
    }
}

/// An issue about a parameter. The place is written as FHIR R4 asks for parts of a request (OperationOutcome.issue.location).
fn at(parameter: &str, code: IssueCode, words: impl Into<String>) -> Issue {
    let name = quoted(parameter);
    let words = words.into();
    let diagnostics = if words.starts_with('\'') { words } else { format!("'{name}': {words}") };
    Issue::error(code, diagnostics).at(format!("http.{name}"))
}

fn too_large(words: String) -> Issue {
    Issue::error(IssueCode::TooCostly, words)
}

/// A caller's words, cut where they are long.
fn quoted(text: &str) -> String {
    let mut cut: String = text.chars().take(MOST_QUOTED).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}

fn unknown_type(definitions: &Definitions, name: &str, parameter: Option<&str>) -> Issue {
    let mut words = format!("'{}' is not a resource type of FHIR R4.", quoted(name));
    let names = definitions.types().map(|it| &*it.name).filter(|name| definitions.is_resource(name));
    if let Some(meant) = nearest(name, names) {
        words.push_str(&format!(" Did you mean '{meant}'?"));
    }
    match parameter {
        Some(parameter) => at(parameter, IssueCode::Value, words),
        None => Issue::error(IssueCode::NotSupported, words),
    }
}
