//! Search parameter expressions as paths over JSON.
//!
//! An expression is compiled once, with the definitions at hand: choice elements become the JSON properties that they may
//! be spelt as, and each path knows the FHIR type that it ends at. [`walk`] follows the paths of several expressions in
//! one walk over a resource.

mod grammar;
pub(super) mod walk;

use std::sync::Arc;

use super::value::Leaf;
use crate::definitions::{Definitions, ElementDef, TypeKind};
use grammar::{Condition, Expression};

/// More paths than this one expression does not make: an extension's value alone has fifty types.
const MOST_PATHS: usize = 400;
/// Longer paths are not compiled, which bounds how deep a walk goes.
const MOST_STEPS: usize = 24;

/// A step down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Into a property; arrays on the way are flattened.
    Field {
        /// The property.
        name: Arc<str>,
        /// The element: without the type that a choice has in its property's name.
        stem: Arc<str>,
    },
    /// On only where the text at a path is this.
    Equals(Arc<[String]>, Arc<str>),
    /// To one item.
    Index(usize),
}

/// One way down from where the expression starts to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    /// Whether it starts at the resource although the expression starts further down (`%resource`).
    pub(super) from_resource: bool,
    /// The steps.
    pub(super) steps: Vec<Step>,
    /// What is at its end.
    pub(super) leaf: Leaf,
}

/// A compiled expression.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Program {
    /// The paths: what the expression finds is what all of them find.
    pub(super) paths: Vec<Path>,
    /// Whether only presence counts: one value, `true` if something was found that is not `false`, and `false` otherwise.
    pub(super) is_presence: bool,
}

/// Why an expression is not compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotCompiled {
    /// It uses more of FHIRPath than paths do.
    NoPath,
    /// It names an element that does not exist.
    NoElement,
}

impl Program {
    /// Compiles an expression that starts at a type: a resource's, or that of an element for a part of a composite.
    pub(super) fn compile(
        definitions: &Definitions,
        resource_type: &str,
        start: &str,
        expression: &str,
    ) -> Result<Self, NotCompiled> {
        let expression = grammar::parse(expression).ok_or(NotCompiled::NoPath)?;
        let (expression, is_presence) = match expression {
            Expression::SaidAndNotFalse(inner) => (*inner, true),
            other => (other, false),
        };
        let compiler = Compiler { definitions, resource_type, start };
        let ends = compiler.ends(&expression)?;
        let paths = ends.into_iter().map(|end| Path {
            from_resource: end.from_resource,
            steps: end.steps,
            leaf: Leaf {
                type_name: end.type_name.into(),
                only: end.only.map(Into::into),
                value_set: end.value_set.map(Into::into),
            },
        });
        Ok(Self { paths: paths.collect(), is_presence })
    }
}

/// Where a part of an expression has come to.
#[derive(Clone)]
struct End {
    from_resource: bool,
    steps: Vec<Step>,
    type_name: String,
    only: Option<String>,
    value_set: Option<String>,
}

struct Compiler<'a> {
    definitions: &'a Definitions,
    resource_type: &'a str,
    start: &'a str,
}

impl Compiler<'_> {
    fn root(type_name: &str, from_resource: bool) -> End {
        End { from_resource, steps: Vec::new(), type_name: type_name.to_owned(), only: None, value_set: None }
    }

    fn ends(&self, expression: &Expression) -> Result<Vec<End>, NotCompiled> {
        let ends = match expression {
            Expression::Resource => vec![Self::root(self.resource_type, true)],
            Expression::Name(name) => self.named(name)?,
            Expression::Field(from, name) => self.fields(&self.ends(from)?, name)?,
            Expression::Index(from, index) => {
                let mut ends = self.ends(from)?;
                ends.iter_mut().for_each(|end| end.steps.push(Step::Index(*index)));
                ends
            }
            Expression::OfType(from, name) => {
                let mut ends = self.ends(from)?;
                // R4 spells one of its own types with a wrong capital. A `canonical` is not meant by `ofType(uri)`.
                ends.retain(|end| end.type_name.eq_ignore_ascii_case(name));
                ends
            }
            Expression::Where(from, conditions) => {
                let mut ends = self.ends(from)?;
                for condition in conditions {
                    ends.iter_mut().for_each(|end| restrict(end, condition));
                }
                ends
            }
            Expression::Union(parts) => {
                let parts: Result<Vec<_>, _> = parts.iter().map(|part| self.ends(part)).collect();
                parts?.into_iter().flatten().collect()
            }
            Expression::SaidAndNotFalse(_) => return Err(NotCompiled::NoPath),
        };
        let fits = ends.len() <= MOST_PATHS && ends.iter().all(|end| end.steps.len() <= MOST_STEPS);
        if fits { Ok(ends) } else { Err(NotCompiled::NoPath) }
    }

    /// The first word: the type itself or one it builds on, another resource's type (then this part of the expression is
    /// about others), or an element.
    fn named(&self, name: &str) -> Result<Vec<End>, NotCompiled> {
        if self.definitions.is_a(self.start, name) {
            return Ok(vec![Self::root(self.start, false)]);
        }
        match self.definitions.type_named(name) {
            Some(other) if other.kind == TypeKind::Resource => Ok(Vec::new()),
            _ => self.fields(&[Self::root(self.start, false)], name),
        }
    }

    /// One step into an element. An end without such an element leads nowhere, but one of them must have it.
    fn fields(&self, from: &[End], name: &str) -> Result<Vec<End>, NotCompiled> {
        let mut ends = Vec::new();
        let mut found = from.is_empty();
        for end in from {
            let definition = self.definitions.type_named(&end.type_name).ok_or(NotCompiled::NoElement)?;
            let Some(element) = definition.element_named(name) else { continue };
            found = true;
            for type_ref in &element.types {
                let mut next = end.clone();
                let property = json_name(element, &type_ref.name).into();
                next.steps.push(Step::Field { name: property, stem: name.into() });
                next.type_name = type_ref.name.to_string();
                next.value_set = element.binding.as_ref().and_then(|it| it.value_set.as_deref()).map(str::to_owned);
                if type_ref.name != "code" {
                    next.value_set = None;
                }
                ends.push(next);
            }
        }
        if found { Ok(ends) } else { Err(NotCompiled::NoElement) }
    }
}

/// How JSON spells an element that has that type.
fn json_name(element: &ElementDef, type_name: &str) -> String {
    if !element.is_choice {
        return element.name.to_string();
    }
    let (first, rest) = type_name.split_at(type_name.chars().next().map_or(0, char::len_utf8));
    format!("{}{}{rest}", element.name, first.to_ascii_uppercase())
}

fn restrict(end: &mut End, condition: &Condition) {
    match condition {
        Condition::ResolvesTo(name) => end.only = Some(name.clone()),
        Condition::Equals(path, literal) => {
            end.steps.push(Step::Equals(path.clone().into(), literal.as_str().into()));
        }
    }
}
