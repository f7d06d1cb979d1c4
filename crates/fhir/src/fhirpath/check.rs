//! Looks an expression through against the types alone, before there is a document: names that no type has, criteria that
//! are no booleans, order where there is none. What is not known for certain passes.

mod typing;

use std::collections::BTreeSet;

use super::ast::{Call, Expr, Literal, Operator, Step, TypeName, TypeOperator};
use super::temporal::TemporalKind;
use super::types;
use crate::definitions::{Definitions, TypeDef};
use typing::{Gives, Takes};

/// What is wrong with an expression, whatever the document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckFault {
    /// A name that the types before it do not have.
    #[error("'{0}' is no element of {1}")]
    Element(String, String),
    /// A type that is not known.
    #[error("there is no type '{0}'")]
    Type(String),
    /// A criterion that is no boolean.
    #[error("the criterion of '{0}' is no boolean")]
    Criterion(&'static str),
    /// An input that is no text.
    #[error("'{0}' needs a text")]
    Text(&'static str),
    /// A function that counts places, on a collection that has no order (N1 §5.3, `children()`).
    #[error("'{0}' depends on an order that its input does not have")]
    Unordered(&'static str),
}

/// What values an expression may have.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shape {
    /// Their types; `None` if anything is possible, nothing if there are never any.
    types: Option<BTreeSet<Type>>,
    /// Whether their order means something.
    ordered: bool,
}

/// A type: of FHIR by its name, or of the System.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Type {
    Fhir(String),
    System(&'static str),
}

impl Shape {
    const ANYTHING: Self = Self { types: None, ordered: true };

    fn of(types: impl IntoIterator<Item = Type>) -> Self {
        Self { types: Some(types.into_iter().collect()), ordered: true }
    }

    fn system(name: &'static str) -> Self {
        Self::of([Type::System(name)])
    }

    fn or(self, other: Self) -> Self {
        let types = self.types.zip(other.types).map(|(ours, theirs)| ours.union(&theirs).cloned().collect());
        Self { types, ordered: self.ordered && other.ordered }
    }

    /// Whether none of the values can be one of these types, of either kind of types.
    fn is_never(&self, names: &[&str]) -> bool {
        self.types.as_ref().is_some_and(|types| {
            !types.is_empty()
                && !types.iter().any(|it| match it {
                    Type::Fhir(name) => names.contains(&name.as_str()) || name.is_empty(),
                    Type::System(name) => names.contains(name),
                })
        })
    }
}

/// Checks an expression that starts from that type.
pub(super) fn check(expression: &Expr, definitions: &Definitions, type_name: Option<&str>) -> Vec<CheckFault> {
    let start = match type_name {
        Some(name) => Shape::of([Type::Fhir(name.to_owned())]),
        None => Shape::of([]),
    };
    let mut checker = Checker { definitions, start: start.clone(), faults: Vec::new() };
    checker.shape(expression, &start);
    checker.faults
}

struct Checker<'d> {
    definitions: &'d Definitions,
    start: Shape,
    faults: Vec<CheckFault>,
}

impl Checker<'_> {
    fn fault(&mut self, fault: CheckFault) {
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    fn shape(&mut self, expression: &Expr, this: &Shape) -> Shape {
        match expression {
            Expr::Nothing => Shape::of([]),
            Expr::Literal(literal) => Shape::system(system_type(literal)),
            Expr::This => this.clone(),
            Expr::Index => Shape::system("Integer"),
            Expr::Total => Shape::ANYTHING,
            Expr::Variable(name) => match &**name {
                "context" => self.start.clone(),
                "ucum" | "sct" | "loinc" => Shape::system("String"),
                name if name.starts_with("vs-") || name.starts_with("ext-") => Shape::system("String"),
                _ => Shape::ANYTHING,
            },
            Expr::Path(start, steps) => self.path(start.as_deref(), steps, this),
            Expr::Sign(_, operand) => Shape { ordered: true, ..self.shape(operand, this) },
            Expr::Chain(first, rest) => {
                let mut left = self.shape(first, this);
                for (operator, operand) in rest {
                    let right = self.shape(operand, this);
                    left = combined(*operator, left, right);
                }
                left
            }
            Expr::Typed(operand, tests) => {
                let mut shape = self.shape(operand, this);
                for (operator, name) in tests {
                    shape = self.typed(*operator, shape, name);
                }
                shape
            }
        }
    }

    fn path(&mut self, start: Option<&Expr>, steps: &[Step], this: &Shape) -> Shape {
        let mut steps = steps.iter();
        let mut shape = match (start, steps.as_slice()) {
            (Some(start), _) => self.shape(start, this),
            (None, [Step::Member(name), ..]) if self.names_type(name, this) => {
                steps.next();
                this.clone()
            }
            (None, _) => this.clone(),
        };
        for step in steps {
            shape = match step {
                Step::Member(name) => self.member(&shape, name),
                Step::Item(index) => {
                    self.shape(index, this);
                    self.in_order(&shape, "[]");
                    shape
                }
                Step::Call(call) => self.call(call, shape, this),
            };
        }
        shape
    }

    /// Whether the name that a path starts with is the type that it starts from, or one that this builds on.
    fn names_type(&self, name: &str, this: &Shape) -> bool {
        name.starts_with(|first: char| first.is_ascii_uppercase())
            && this.types.as_ref().is_none_or(|types| {
                types.iter().any(|it| matches!(it, Type::Fhir(other) if self.definitions.is_a(other, name)))
            })
    }

    fn member(&mut self, shape: &Shape, name: &str) -> Shape {
        let Some(types) = &shape.types else { return shape.clone() };
        let mut found = BTreeSet::new();
        let mut known = types.is_empty();
        for it in types {
            match self.member_types(it, name) {
                // A resource of any type may have any element.
                Member::Anything => return Shape { types: None, ..*shape },
                Member::Of(types) => {
                    known = true;
                    found.extend(types);
                }
                Member::Unknown => {}
            }
        }
        if !known {
            let names: Vec<&str> = types
                .iter()
                .map(|it| match it {
                    Type::Fhir(name) => name.as_str(),
                    Type::System(name) => name,
                })
                .take(4)
                .collect();
            self.fault(CheckFault::Element(name.chars().take(64).collect(), names.join(", ")));
        }
        Shape { types: Some(found), ordered: shape.ordered }
    }

    fn member_types(&self, of: &Type, name: &str) -> Member {
        match of {
            Type::System("TypeInfo") if matches!(name, "namespace" | "name") => {
                Member::Of(vec![Type::System("String")])
            }
            Type::System("Quantity") if name == "value" => Member::Of(vec![Type::System("Decimal")]),
            Type::System("Quantity") if matches!(name, "unit" | "code") => Member::Of(vec![Type::System("String")]),
            Type::System(_) => Member::Unknown,
            Type::Fhir(of) => match self.definitions.type_named(of) {
                None => Member::Anything,
                Some(definition) => match definition.element_named(name) {
                    Some(element) => {
                        Member::Of(element.types.iter().map(|it| Type::Fhir(it.name.to_string())).collect())
                    }
                    None if is_open(definition) => Member::Anything,
                    None => Member::Unknown,
                },
            },
        }
    }

    fn in_order(&mut self, shape: &Shape, what: &'static str) {
        if !shape.ordered {
            self.fault(CheckFault::Unordered(what));
        }
    }

    fn typed(&mut self, operator: TypeOperator, shape: Shape, name: &TypeName) -> Shape {
        let asked = match types::resolve(self.definitions, name) {
            Ok(asked) => asked,
            Err(_) => {
                self.fault(CheckFault::Type(name.name.chars().take(64).collect()));
                return Shape::ANYTHING;
            }
        };
        if operator == TypeOperator::Is {
            return Shape::system("Boolean");
        }
        let possible = |it: &Type| match (it, asked.fhir()) {
            (Type::Fhir(name), Some(asked)) => self.definitions.is_a(name, asked) || self.definitions.is_a(asked, name),
            (Type::System(name), _) => asked.system() == Some(name),
            _ => false,
        };
        let anything = shape.types.as_ref().is_none_or(|types| types.iter().any(possible));
        let of_fhir = asked.fhir().map(|name| Type::Fhir(name.to_owned()));
        let of_system = asked.system().map(Type::System);
        let types = of_fhir.into_iter().chain(of_system).filter(|_| anything).collect();
        Shape { types: Some(types), ordered: shape.ordered }
    }

    fn call(&mut self, call: &Call, input: Shape, this: &Shape) -> Shape {
        let typing = typing::of(call.function.name);
        if typing.needs_order {
            self.in_order(&input, call.function.name);
        }
        if typing.needs_text && input.is_never(&typing::TEXTS) {
            self.fault(CheckFault::Text(call.function.name));
        }
        let inner = if typing.takes == Takes::Items { &input } else { this };
        let arguments: Vec<Shape> = call.arguments.iter().map(|argument| self.shape(argument, inner)).collect();
        if typing.criterion && arguments.first().is_some_and(|it| it.is_never(&["boolean", "Boolean"])) {
            self.fault(CheckFault::Criterion(call.function.name));
        }
        let argument = |index: usize| arguments.get(index).cloned();
        match typing.gives {
            Gives::Input => input,
            Gives::System(name) => Shape::system(name),
            Gives::Fhir(name) => Shape::of([Type::Fhir(name.to_owned())]),
            Gives::Argument => Shape { ordered: input.ordered, ..argument(0).unwrap_or(Shape::ANYTHING) },
            Gives::Either => argument(1).unwrap_or(Shape::ANYTHING).or(argument(2).unwrap_or(Shape::of([]))),
            Gives::Both => input.or(argument(0).unwrap_or(Shape::ANYTHING)),
            Gives::Anything => Shape::ANYTHING,
            Gives::Unordered => Shape { types: None, ordered: false },
            Gives::Repeated => call.arguments.first().map_or(Shape::ANYTHING, |it| self.repeated(it, &input)),
            Gives::Typed(operator) => match &call.type_name {
                Some(name) => self.typed(operator, input, name),
                None => Shape::ANYTHING,
            },
        }
    }

    /// What an expression finds in the input, in what it found, and so on. Faults are those of the first round.
    fn repeated(&mut self, argument: &Expr, input: &Shape) -> Shape {
        let mut all = self.shape(argument, input);
        let faults = self.faults.clone();
        for _ in 0..8 {
            let more = all.clone().or(self.shape(argument, &all));
            if more == all {
                break;
            }
            all = more;
        }
        self.faults = faults;
        all
    }
}

/// What a type has under a name.
enum Member {
    Of(Vec<Type>),
    Anything,
    Unknown,
}

/// Whether values of a type may have elements beyond its own: resources of any type.
fn is_open(definition: &TypeDef) -> bool {
    definition.is_abstract || matches!(&*definition.name, "Element" | "BackboneElement")
}

fn system_type(literal: &Literal) -> &'static str {
    match literal {
        Literal::Boolean(_) => "Boolean",
        Literal::Integer(_) => "Integer",
        Literal::Decimal(_) => "Decimal",
        Literal::Text(_) => "String",
        Literal::Quantity(..) => "Quantity",
        Literal::Temporal(moment) => match moment.kind() {
            TemporalKind::Date => "Date",
            TemporalKind::DateTime => "DateTime",
            TemporalKind::Time => "Time",
        },
    }
}

/// What an operator makes of its operands.
fn combined(operator: Operator, left: Shape, right: Shape) -> Shape {
    match operator {
        Operator::Union => left.or(right),
        Operator::Join => Shape::system("String"),
        Operator::Times
        | Operator::Over
        | Operator::WholeOver
        | Operator::RestOver
        | Operator::Plus
        | Operator::Minus => Shape::ANYTHING,
        _ => Shape::system("Boolean"),
    }
}
