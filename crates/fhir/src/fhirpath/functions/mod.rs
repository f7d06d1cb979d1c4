//! The functions (FHIRPath N1 §5, and those that FHIR adds, R4 §2.9.6.3). To add one, add a row to the table of its file.

mod boundary;
mod conversion;
mod existence;
mod fhir;
mod filtering;
mod math;
mod patterns;
mod sort;
mod strings;
mod subsetting;
mod utility;

use std::collections::HashMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use super::ast::{Call, Expr};
use super::error::EvalError;
use super::eval::{Evaluator, Frame, Outcome, integer, single, single_value, truth};
use super::text::Text;
use super::value::{Collection, Value};

/// A function.
pub(super) struct Function {
    pub(super) name: &'static str,
    /// How many arguments it takes.
    pub(super) takes: RangeInclusive<usize>,
    pub(super) arguments: Arguments,
    pub(super) run: Run,
}

/// What a function does with its input collection and what it is given.
pub(super) type Run = for<'g, 'a> fn(&Given<'g, 'a>, Collection<'a>) -> Outcome<'a>;

/// What a function's arguments are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arguments {
    /// Expressions, evaluated before the call or for each item, as the function says.
    Expressions,
    /// The name of a type.
    Type,
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

const fn row(name: &'static str, takes: RangeInclusive<usize>, run: Run) -> Function {
    Function { name, takes, arguments: Arguments::Expressions, run }
}

static TABLE: LazyLock<HashMap<&'static str, &'static Function>> = LazyLock::new(|| {
    let tables = [
        boundary::FUNCTIONS,
        conversion::FUNCTIONS,
        existence::FUNCTIONS,
        fhir::FUNCTIONS,
        filtering::FUNCTIONS,
        math::FUNCTIONS,
        patterns::FUNCTIONS,
        sort::FUNCTIONS,
        strings::FUNCTIONS,
        subsetting::FUNCTIONS,
        utility::FUNCTIONS,
    ];
    tables.into_iter().flatten().map(|function| (function.name, function)).collect()
});

/// The function of that name.
pub(super) fn named(name: &str) -> Option<&'static Function> {
    TABLE.get(name).copied()
}

/// What a function is given beside its input: its arguments, and what surrounds the call.
pub(super) struct Given<'g, 'a> {
    pub(super) evaluator: &'g Evaluator<'g, 'a>,
    pub(super) frame: Frame<'g, 'a>,
    pub(super) call: &'g Call,
}

impl<'g, 'a> Given<'g, 'a> {
    fn name(&self) -> &'static str {
        self.call.function.name
    }

    fn argument(&self, index: usize) -> Option<&'g Expr> {
        self.call.arguments.get(index)
    }

    /// The value of an argument, evaluated against what surrounds the call; empty if it is not given.
    fn value(&self, index: usize) -> Outcome<'a> {
        self.argument(index).map_or(Ok(Collection::new()), |argument| self.evaluator.eval(argument, self.frame))
    }

    /// An argument evaluated for an item of the input.
    fn for_item(&self, argument: usize, item: &Value<'a>, index: usize) -> Outcome<'a> {
        let Some(argument) = self.argument(argument) else { return Ok(Collection::new()) };
        let frame = Frame { this: Some(item), index: i32::try_from(index).ok(), ..self.frame };
        self.evaluator.eval(argument, frame)
    }

    /// Whether an argument holds for an item of the input.
    fn holds(&self, argument: usize, item: &Value<'a>, index: usize) -> Result<bool, EvalError> {
        Ok(truth(&self.for_item(argument, item, index)?, self.name())? == Some(true))
    }

    /// A text argument; `None` if it is empty.
    fn text(&self, index: usize) -> Result<Option<Text<'a>>, EvalError> {
        let value = self.value(index)?;
        let Some(value) = single_value(&value, self.name())? else { return Ok(None) };
        value.text().map(Some).ok_or(EvalError::Type(self.name()))
    }

    /// A whole number as an argument; `None` if it is empty.
    fn integer(&self, index: usize) -> Result<Option<i32>, EvalError> {
        let value = self.value(index)?;
        let Some(value) = single_value(&value, self.name())? else { return Ok(None) };
        integer(value).map(Some).ok_or(EvalError::Type(self.name()))
    }

    /// The input as one item; `None` if it is empty.
    fn single<'c>(&self, input: &'c Collection<'a>) -> Result<Option<&'c Value<'a>>, EvalError> {
        single(input, self.name())
    }

    /// The input as one item that has a value; `None` if it is empty or has only extensions.
    fn value_of<'c>(&self, input: &'c Collection<'a>) -> Result<Option<&'c Value<'a>>, EvalError> {
        single_value(input, self.name())
    }

    /// The input as one text; `None` if it is empty.
    fn input_text(&self, input: &Collection<'a>) -> Result<Option<Text<'a>>, EvalError> {
        let Some(value) = self.value_of(input)? else { return Ok(None) };
        let text = value.text().ok_or(self.wrong_type())?;
        self.evaluator.charge_bytes(text.len())?;
        Ok(Some(text))
    }

    const fn wrong_type(&self) -> EvalError {
        EvalError::Type(self.call.function.name)
    }

    /// A computed text, if it is not too long.
    fn computed(&self, text: impl Into<String>) -> Outcome<'a> {
        let text = text.into();
        self.evaluator.charge_text(text.len())?;
        Ok(Value::String(Text::from(text)).into())
    }
}
