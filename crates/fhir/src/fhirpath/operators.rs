//! Operators (FHIRPath N1 §6).

use std::cmp::Ordering;

use super::ast::{Expr, Operator};
use super::equality;
use super::error::EvalError;
use super::eval::{Evaluator, Frame, Outcome, single, single_value, truth};
use super::quantity::Quantity;
use super::temporal::Temporal;
use super::text::Text;
use super::value::{Collection, Value};
use crate::decimal::Decimal;

/// Operators of one precedence, from left to right.
pub(super) fn chain<'a>(
    evaluator: &Evaluator<'_, 'a>,
    first: &Expr,
    rest: &[(Operator, Expr)],
    frame: Frame<'_, 'a>,
) -> Outcome<'a> {
    let mut left = evaluator.eval(first, frame)?;
    for (operator, operand) in rest {
        left = match operator {
            Operator::And | Operator::Or | Operator::Xor | Operator::Implies => {
                logic(evaluator, *operator, &left, operand, frame)?
            }
            operator => apply(evaluator, *operator, left, evaluator.eval(operand, frame)?)?,
        };
    }
    Ok(left)
}

/// Three-valued logic (N1 §6.5). The right operand is evaluated only if the left one does not decide.
fn logic<'a>(
    evaluator: &Evaluator<'_, 'a>,
    operator: Operator,
    left: &Collection<'a>,
    right: &Expr,
    frame: Frame<'_, 'a>,
) -> Outcome<'a> {
    let symbol = operator.symbol();
    let left = truth(left, symbol)?;
    match (operator, left) {
        (Operator::And, Some(false)) => return Ok(false.into()),
        (Operator::Or, Some(true)) | (Operator::Implies, Some(false)) => return Ok(true.into()),
        _ => {}
    }
    let right = truth(&evaluator.eval(right, frame)?, symbol)?;
    let answer = match (operator, left, right) {
        (Operator::And, _, Some(false)) => Some(false),
        (Operator::And, Some(true), Some(true)) => Some(true),
        (Operator::Or | Operator::Implies, _, Some(true)) => Some(true),
        (Operator::Or, Some(false), Some(false)) => Some(false),
        (Operator::Xor, Some(left), Some(right)) => Some(left != right),
        (Operator::Implies, Some(true), right) => right,
        _ => None,
    };
    Ok(answer.map(Value::Boolean).into())
}

fn apply<'a>(
    evaluator: &Evaluator<'_, 'a>,
    operator: Operator,
    left: Collection<'a>,
    right: Collection<'a>,
) -> Outcome<'a> {
    let boolean = |answer: Option<bool>| Ok(answer.map(Value::Boolean).into());
    match operator {
        Operator::Union => equality::union(evaluator, left, right),
        Operator::Equal => boolean(equality::equal_collections(evaluator, &left, &right)?),
        Operator::NotEqual => boolean(equality::equal_collections(evaluator, &left, &right)?.map(|equal| !equal)),
        Operator::Equivalent => boolean(Some(equality::equivalent_collections(evaluator, &left, &right)?)),
        Operator::NotEquivalent => boolean(Some(!equality::equivalent_collections(evaluator, &left, &right)?)),
        Operator::In => membership(evaluator, &left, &right, "in"),
        Operator::Contains => membership(evaluator, &right, &left, "contains"),
        Operator::Less | Operator::Greater | Operator::LessOrEqual | Operator::GreaterOrEqual => {
            let symbol = operator.symbol();
            let (Some(left), Some(right)) = (single_value(&left, symbol)?, single_value(&right, symbol)?) else {
                return Ok(Collection::new());
            };
            boolean(compare(left, right, symbol)?.map(|ordering| match operator {
                Operator::Less => ordering.is_lt(),
                Operator::Greater => ordering.is_gt(),
                Operator::LessOrEqual => ordering.is_le(),
                _ => ordering.is_ge(),
            }))
        }
        Operator::Join => join(evaluator, &left, &right),
        _ => arithmetic(evaluator, operator, &left, &right),
    }
}

/// Whether the one item is among the others.
fn membership<'a>(
    evaluator: &Evaluator<'_, 'a>,
    item: &Collection<'a>,
    others: &Collection<'a>,
    what: &'static str,
) -> Outcome<'a> {
    let Some(item) = single(item, what)? else { return Ok(Collection::new()) };
    for other in others {
        if equality::equal(evaluator, item, other)? == Some(true) {
            return Ok(true.into());
        }
    }
    Ok(false.into())
}

/// Which of two values comes first (N1 §6.2); `None` if that cannot be said.
pub(super) fn compare(left: &Value<'_>, right: &Value<'_>, what: &'static str) -> Result<Option<Ordering>, EvalError> {
    let (Some(left), Some(right)) = (left.system(), right.system()) else { return Err(EvalError::Type(what)) };
    match (&left, &right) {
        (Value::String(left), Value::String(right)) => Ok(Some(left.cmp(right))),
        (Value::Temporal(left), Value::Temporal(right)) => {
            use super::temporal::Comparison::{Known, OtherType, Unknown};
            match left.compare(right) {
                OtherType => Err(EvalError::Type(what)),
                Unknown => Ok(None),
                Known(ordering) => Ok(Some(ordering)),
            }
        }
        (Value::Quantity(left), Value::Quantity(right)) => Ok(left.compare(right)),
        (Value::Quantity(left), right) => {
            Ok(left.compare(&Quantity::of_number(right.number().ok_or(EvalError::Type(what))?)))
        }
        (left, Value::Quantity(right)) => {
            Ok(Quantity::of_number(left.number().ok_or(EvalError::Type(what))?).compare(right))
        }
        (left, right) => match (left.number(), right.number()) {
            (Some(left), Some(right)) => Ok(Some(left.cmp(&right))),
            _ => Err(EvalError::Type(what)),
        },
    }
}

/// `&`: joins texts, and takes nothing for an empty one (N1 §6.6.6).
fn join<'a>(evaluator: &Evaluator<'_, 'a>, left: &Collection<'a>, right: &Collection<'a>) -> Outcome<'a> {
    let text = |values| match single_value(values, "&")? {
        None => Ok(Text::Borrowed("")),
        Some(value) => value.text().ok_or(EvalError::Type("&")),
    };
    concatenated(evaluator, &text(left)?, &text(right)?)
}

fn concatenated<'a>(evaluator: &Evaluator<'_, 'a>, left: &str, right: &str) -> Outcome<'a> {
    evaluator.charge_text(left.len() + right.len())?;
    Ok(Value::String(Text::from([left, right].concat())).into())
}

/// `+`, `-`, `*`, `/`, `div`, `mod`. A result that does not fit, or a division by nought, is empty (N1 §6.6).
fn arithmetic<'a>(
    evaluator: &Evaluator<'_, 'a>,
    operator: Operator,
    left: &Collection<'a>,
    right: &Collection<'a>,
) -> Outcome<'a> {
    let symbol = operator.symbol();
    let (Some(left), Some(right)) = (single_value(left, symbol)?, single_value(right, symbol)?) else {
        return Ok(Collection::new());
    };
    let (Some(left), Some(right)) = (left.system(), right.system()) else { return Err(EvalError::Type(symbol)) };
    match (&left, &right) {
        (Value::Integer(left), Value::Integer(right)) => Ok(integers(operator, *left, *right).into()),
        (Value::String(left), Value::String(right)) if operator == Operator::Plus => {
            concatenated(evaluator, left, right)
        }
        (Value::Temporal(moment), Value::Quantity(duration)) => moved(operator, moment, duration),
        (Value::Quantity(_), _) | (_, Value::Quantity(_)) => {
            let (Some(left), Some(right)) = (left.quantity(), right.quantity()) else {
                return Err(EvalError::Type(symbol));
            };
            let result = match operator {
                Operator::Plus => left.plus(&right, 1),
                Operator::Minus => left.plus(&right, -1),
                Operator::Times => left.times(&right),
                Operator::Over => left.over(&right),
                _ => return Err(EvalError::Type(symbol)),
            };
            Ok(result.map(|quantity| Value::Quantity(Box::new(quantity))).into())
        }
        _ => {
            let (Some(left), Some(right)) = (left.number(), right.number()) else {
                return Err(EvalError::Type(symbol));
            };
            Ok(decimals(operator, left, right).into())
        }
    }
}

fn integers<'a>(operator: Operator, left: i32, right: i32) -> Option<Value<'a>> {
    let whole = match operator {
        Operator::Plus => left.checked_add(right),
        Operator::Minus => left.checked_sub(right),
        Operator::Times => left.checked_mul(right),
        Operator::WholeOver => left.checked_div(right),
        Operator::RestOver => left.checked_rem(right),
        _ => return decimals(operator, left.into(), right.into()),
    };
    whole.map(Value::Integer)
}

fn decimals<'a>(operator: Operator, left: Decimal, right: Decimal) -> Option<Value<'a>> {
    let number = match operator {
        Operator::Plus => left.plus(right),
        Operator::Minus => left.minus(right),
        Operator::Times => left.times(right),
        Operator::Over => left.over(right),
        Operator::RestOver => left.rest_over(right),
        Operator::WholeOver => {
            return i32::try_from(left.whole_over(right)?.to_integer()?).ok().map(Value::Integer);
        }
        _ => None,
    };
    number.map(Value::Decimal)
}

fn moved<'a>(operator: Operator, moment: &Temporal, duration: &Quantity<'_>) -> Outcome<'a> {
    let symbol = operator.symbol();
    let amount = match operator {
        Operator::Plus => Some(duration.value),
        Operator::Minus => duration.value.negated(),
        _ => return Err(EvalError::Type(symbol)),
    };
    let unit = duration.unit.calendar().ok_or(EvalError::Type(symbol))?;
    Ok(amount.and_then(|amount| moment.plus(amount, unit)).map(Value::Temporal).into())
}

/// `+x` or `-x`.
pub(super) fn sign(negative: bool, operand: Collection<'_>) -> Outcome<'_> {
    let symbol = if negative { "-" } else { "+" };
    let Some(value) = single_value(&operand, symbol)? else { return Ok(Collection::new()) };
    let value = value.system().ok_or(EvalError::Type(symbol))?;
    let signed = match value {
        Value::Integer(number) if negative => number.checked_neg().map(Value::Integer),
        Value::Decimal(number) if negative => number.negated().map(Value::Decimal),
        Value::Quantity(quantity) if negative => quantity.value.negated().map(|value| {
            let unit = quantity.unit.clone();
            Value::Quantity(Box::new(Quantity { value, unit }))
        }),
        same @ (Value::Integer(_) | Value::Decimal(_) | Value::Quantity(_)) => Some(same),
        _ => return Err(EvalError::Type(symbol)),
    };
    Ok(signed.into())
}
