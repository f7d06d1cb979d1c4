//! FHIRPath, for FHIR R4: the normative release (N1, 2.0.0) whole, what FHIR adds to it (R4 §2.9.6), and those functions on
//! trial that HL7's suite for R4 has.
//!
//! An [`Expression`] is compiled once and evaluated any number of times, against a [`Context`]. Evaluation borrows: an
//! [`Element`] is a place in the document's bytes and the name of its type, and nothing of the document is copied. It is
//! bounded: the expression's length and nesting by [`MAX_LENGTH`] and [`MAX_NESTING`], the work by [`Limits`].

mod ast;
mod check;
mod context;
mod element;
mod equality;
mod error;
mod eval;
mod functions;
mod lexer;
mod operators;
mod parser;
mod pattern;
mod quantity;
mod temporal;
mod text;
mod types;
mod value;

pub use check::CheckFault;
pub use context::{ConformsTo, Context, Limits, MemberOf, Resolve, Trace};
pub use element::Element;
pub use error::{EvalError, ParseError, ParseFault};
pub use parser::{MAX_LENGTH, MAX_NESTING};
pub use quantity::{Quantity, QuantityUnit};
pub use temporal::{Calendar, Precision, Temporal, TemporalKind};
pub use text::Text;
pub use value::{Collection, IntoIter, Value};

use crate::definitions::Definitions;

/// A compiled expression.
#[derive(Debug)]
pub struct Expression(ast::Expr);

impl Expression {
    /// Compiles an expression.
    ///
    /// # Errors
    /// [`ParseError`] with the place and the fault.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        parser::parse(text).map(Self)
    }

    /// Looks it through against the types, for values of that type to start from: what is wrong with it whatever the
    /// document. Evaluation is lenient about a name that no type has (it finds nothing); whoever writes an expression
    /// wants to be told. What is not known for certain passes.
    #[must_use]
    pub fn check(&self, definitions: &Definitions, type_name: Option<&str>) -> Vec<CheckFault> {
        check::check(&self.0, definitions, type_name)
    }

    /// Evaluates it.
    ///
    /// # Errors
    /// [`EvalError`] as the specification has it, or if the evaluation would exceed its limits.
    pub fn evaluate<'a>(&self, context: &Context<'a>) -> Result<Collection<'a>, EvalError> {
        eval::Evaluator::new(context).run(&self.0)
    }

    /// Evaluates it, and tells how many steps of the limit that took, for a caller who has many rules and one limit for all.
    pub fn evaluate_metered<'a>(&self, context: &Context<'a>) -> (Result<Collection<'a>, EvalError>, u64) {
        let evaluator = eval::Evaluator::new(context);
        let answer = evaluator.run(&self.0);
        (answer, evaluator.steps())
    }

    /// Evaluates it as a rule: whether its answer is true. A single value that is no boolean counts as true, and nothing as
    /// false (N1 §4.5).
    ///
    /// # Errors
    /// As [`Self::evaluate`], and if there are several values.
    pub fn is_true(&self, context: &Context<'_>) -> Result<bool, EvalError> {
        let values = eval::Evaluator::new(context).run(&self.0)?;
        Ok(eval::truth(&values, "the expression")?.unwrap_or(false))
    }
}
