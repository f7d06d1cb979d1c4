//! The evaluator: walks the compiled form.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::ast::{Call, Expr, Literal, LiteralUnit, Step};
use super::context::Context;
use super::element::Element;
use super::error::EvalError;
use super::functions::Given;
use super::quantity::{Quantity, QuantityUnit};
use super::text::Text;
use super::value::{Collection, Value};
use super::{operators, types};

/// What an evaluation step answers.
pub(super) type Outcome<'a> = Result<Collection<'a>, EvalError>;

/// How deep the evaluator may be in itself: deeper than any expression that the parser accepts.
const DEEPEST: usize = 600;

/// One evaluation.
pub(super) struct Evaluator<'e, 'a> {
    pub(super) context: &'e Context<'a>,
    steps: Cell<u64>,
    depth: Cell<usize>,
    /// What `defineVariable()` set, the newest last.
    pub(super) defined: RefCell<Vec<(Text<'a>, Collection<'a>)>>,
}

/// What `$this`, `$index` and `$total` stand for.
#[derive(Clone, Copy)]
pub(super) struct Frame<'f, 'a> {
    pub(super) this: Option<&'f Value<'a>>,
    pub(super) index: Option<i32>,
    pub(super) total: Option<&'f Collection<'a>>,
}

impl<'e, 'a> Evaluator<'e, 'a> {
    pub(super) const fn new(context: &'e Context<'a>) -> Self {
        Self { context, steps: Cell::new(0), depth: Cell::new(0), defined: RefCell::new(Vec::new()) }
    }

    pub(super) fn run(&self, expression: &Expr) -> Outcome<'a> {
        self.eval(expression, Frame { this: self.context.focus.as_ref(), index: None, total: None })
    }

    /// How much work was done.
    pub(super) fn steps(&self) -> u64 {
        self.steps.get()
    }

    /// Counts work.
    pub(super) fn charge(&self, steps: usize) -> Result<(), EvalError> {
        let all = self.steps.get().saturating_add(u64::try_from(steps).unwrap_or(u64::MAX));
        self.steps.set(all);
        if all > self.context.limits.steps { Err(EvalError::TooCostly) } else { Ok(()) }
    }

    /// Counts going through that many bytes.
    pub(super) fn charge_bytes(&self, bytes: usize) -> Result<(), EvalError> {
        self.charge(1 + bytes / 128)
    }

    /// Counts values that are kept: more than the work to find them, so that memory is bounded too.
    pub(super) fn charge_values(&self, count: usize) -> Result<(), EvalError> {
        self.charge(count.saturating_mul(8))
    }

    /// Counts a text that is made, likewise.
    pub(super) fn charge_text(&self, length: usize) -> Result<(), EvalError> {
        if length > self.context.limits.text {
            return Err(EvalError::TooLong);
        }
        self.charge(1 + length / 16)
    }

    pub(super) fn eval(&self, expression: &Expr, frame: Frame<'_, 'a>) -> Outcome<'a> {
        self.charge(1)?;
        match expression {
            Expr::Nothing => Ok(Collection::new()),
            Expr::Literal(literal) => Ok(value_of(literal).into()),
            Expr::Variable(name) => self.variable(name),
            Expr::This => Ok(frame.this.cloned().into()),
            Expr::Index => Ok(frame.index.map(Value::Integer).into()),
            Expr::Total => {
                let total = frame.total.cloned().unwrap_or_default();
                self.charge_values(total.len())?;
                Ok(total)
            }
            nested => {
                let depth = self.depth.get();
                if depth == DEEPEST {
                    return Err(EvalError::TooDeep);
                }
                self.depth.set(depth + 1);
                let outcome = self.nested(nested, frame);
                self.depth.set(depth);
                outcome
            }
        }
    }

    fn nested(&self, expression: &Expr, frame: Frame<'_, 'a>) -> Outcome<'a> {
        match expression {
            Expr::Path(start, steps) => self.path(start.as_deref(), steps, frame),
            Expr::Sign(negative, operand) => operators::sign(*negative, self.eval(operand, frame)?),
            Expr::Chain(first, rest) => operators::chain(self, first, rest, frame),
            Expr::Typed(operand, tests) => types::typed(self, self.eval(operand, frame)?, tests),
            _ => Ok(Collection::new()),
        }
    }

    fn path(&self, start: Option<&Expr>, steps: &[Step], frame: Frame<'_, 'a>) -> Outcome<'a> {
        let defined = self.defined.borrow().len();
        let mut steps = steps.iter();
        let mut current = match (start, steps.as_slice()) {
            (Some(start), _) => self.eval(start, frame)?,
            (None, [Step::Member(name), ..]) => {
                steps.next();
                self.first_member(name, frame)?
            }
            (None, [Step::Call(call), ..]) => {
                steps.next();
                self.call(call, frame.this.cloned().into(), frame)?
            }
            (None, _) => frame.this.cloned().into(),
        };
        for step in steps {
            current = match step {
                Step::Member(name) => self.members(&current, name)?,
                Step::Item(index) => self.item(current, index, frame)?,
                Step::Call(call) => self.call(call, current, frame)?,
            };
        }
        // A variable lives as long as the path that defines it.
        if self.defined.borrow().len() > defined {
            self.defined.borrow_mut().truncate(defined);
        }
        Ok(current)
    }

    /// The name that a path starts with: the type of what it starts from (N1 §3.2), or a member.
    fn first_member(&self, name: &str, frame: Frame<'_, 'a>) -> Outcome<'a> {
        let Some(this) = frame.this else { return Ok(Collection::new()) };
        if let Value::Element(element) = this
            && name.starts_with(|first: char| first.is_ascii_uppercase())
            && (element.type_name() == name || self.context.definitions.is_a(element.type_name(), name))
        {
            return Ok(this.clone().into());
        }
        let mut found = Collection::new();
        self.member(this, name, &mut found)?;
        Ok(found)
    }

    fn members(&self, values: &Collection<'a>, name: &str) -> Outcome<'a> {
        let mut found = Collection::new();
        for value in values {
            self.member(value, name, &mut found)?;
        }
        Ok(found)
    }

    fn member(&self, value: &Value<'a>, name: &str, found: &mut Collection<'a>) -> Result<(), EvalError> {
        match value {
            Value::Element(element) => {
                self.charge_bytes(element.reach())?;
                let before = found.len();
                element.member(self.context.definitions, name, &mut |child| found.push(Value::Element(child)));
                self.charge_values(found.len() - before)
            }
            Value::Type(namespace, type_name) => {
                match name {
                    "namespace" => found.push(Value::String(Text::Borrowed(namespace))),
                    "name" => found.push(Value::String(Text::Borrowed(type_name))),
                    _ => {}
                }
                Ok(())
            }
            Value::Quantity(quantity) => {
                match name {
                    "value" => found.push(Value::Decimal(quantity.value)),
                    "unit" | "code" => found.push(Value::String(Text::from(quantity.unit.code().to_owned()))),
                    _ => {}
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn item(&self, values: Collection<'a>, index: &Expr, frame: Frame<'_, 'a>) -> Outcome<'a> {
        let index = self.eval(index, frame)?;
        let Some(index) = single_value(&index, "[]")? else { return Ok(Collection::new()) };
        let index = integer(index).ok_or(EvalError::Type("[]"))?;
        Ok(usize::try_from(index).ok().and_then(|index| values.get(index).cloned()).into())
    }

    fn call(&self, call: &Call, input: Collection<'a>, frame: Frame<'_, 'a>) -> Outcome<'a> {
        self.charge(1 + input.len())?;
        (call.function.run)(&Given { evaluator: self, frame, call }, input)
    }

    fn variable(&self, name: &str) -> Outcome<'a> {
        let text = |text: &'static str| Ok(Value::String(Text::Borrowed(text)).into());
        if let Some((_, values)) = self.defined.borrow().iter().rev().find(|(other, _)| **other == *name) {
            self.charge_values(values.len())?;
            return Ok(values.clone());
        }
        if let Some((_, values)) = self.context.variables.iter().find(|(other, _)| other == name) {
            self.charge_values(values.len())?;
            return Ok(values.clone());
        }
        let resource = |element: Option<Element<'a>>| Ok(element.map(Value::Element).into());
        match name {
            "context" => Ok(self.context.focus.clone().into()),
            "resource" => resource(self.context.resource),
            "rootResource" => resource(self.context.root),
            "ucum" => text(super::quantity::UCUM),
            "sct" => text("http://snomed.info/sct"),
            "loinc" => text("http://loinc.org"),
            _ => {
                let base = "http://hl7.org/fhir/";
                let address = name
                    .strip_prefix("vs-")
                    .map(|rest| format!("{base}ValueSet/{rest}"))
                    .or_else(|| name.strip_prefix("ext-").map(|rest| format!("{base}StructureDefinition/{rest}")));
                let address = address.ok_or_else(|| EvalError::UnknownVariable(name.chars().take(64).collect()))?;
                Ok(Value::String(Text::from(address)).into())
            }
        }
    }
}

/// Whether a name is one that the engine itself gives a meaning.
pub(super) fn is_own_variable(name: &str) -> bool {
    let own = ["context", "resource", "rootResource", "ucum", "sct", "loinc"];
    own.contains(&name) || name.starts_with("vs-") || name.starts_with("ext-")
}

fn value_of<'a>(literal: &Literal) -> Value<'a> {
    match literal {
        Literal::Boolean(boolean) => Value::Boolean(*boolean),
        Literal::Integer(number) => Value::Integer(*number),
        Literal::Decimal(number) => Value::Decimal(*number),
        Literal::Text(text) => Value::String(Text::Shared(Arc::clone(text))),
        Literal::Temporal(moment) => Value::Temporal(*moment),
        Literal::Quantity(value, unit) => {
            let unit = match unit {
                LiteralUnit::Calendar(unit, word) => QuantityUnit::Calendar(*unit, Text::Shared(Arc::clone(word))),
                LiteralUnit::Code(code) => QuantityUnit::Code(Text::Shared(Arc::clone(code))),
            };
            Value::Quantity(Box::new(Quantity { value: *value, unit }))
        }
    }
}

/// The only value of a collection; `None` if it is empty.
pub(super) fn single<'c, 'a>(
    values: &'c Collection<'a>,
    what: &'static str,
) -> Result<Option<&'c Value<'a>>, EvalError> {
    match values.as_slice() {
        [] => Ok(None),
        [value] => Ok(Some(value)),
        _ => Err(EvalError::NotSingle(what)),
    }
}

/// The only value of a collection, where its value is what counts: an element that has only extensions has none.
pub(super) fn single_value<'c, 'a>(
    values: &'c Collection<'a>,
    what: &'static str,
) -> Result<Option<&'c Value<'a>>, EvalError> {
    Ok(single(values, what)?.filter(|value| !value.is_blank()))
}

/// A whole number, from an integer or an element whose value is one.
pub(super) fn integer(value: &Value<'_>) -> Option<i32> {
    i32::try_from(value.number()?.to_integer()?).ok()
}

/// A collection as a boolean (N1 §4.5): a single value that is none counts as true.
pub(super) fn truth(values: &Collection<'_>, what: &'static str) -> Result<Option<bool>, EvalError> {
    Ok(single_value(values, what)?.map(|value| value.boolean().unwrap_or(true)))
}
