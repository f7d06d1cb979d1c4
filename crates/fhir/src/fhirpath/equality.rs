//! Equality and equivalence (FHIRPath N1 §6.1), and what builds on them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use super::error::EvalError;
use super::eval::{Evaluator, Outcome};
use super::quantity::{Quantity, QuantityUnit, equivalent_decimals};
use super::temporal::Comparison;
use super::value::{Collection, Value};
use crate::decimal::Decimal;
use crate::json::{Kind, Node};

/// How deep two elements are compared: deeper than a checked document nests.
const DEEPEST: usize = 100;
/// Collections up to this size are searched; longer ones get an index.
const SMALL: usize = 8;

/// Whether two collections are equal: the same values in the same order; `None` if that cannot be said.
pub(super) fn equal_collections<'a>(
    evaluator: &Evaluator<'_, 'a>,
    left: &Collection<'a>,
    right: &Collection<'a>,
) -> Result<Option<bool>, EvalError> {
    if left.is_empty() || right.is_empty() {
        return Ok(None);
    }
    if left.len() != right.len() {
        return Ok(Some(false));
    }
    let mut answer = Some(true);
    for (left, right) in left.iter().zip(right) {
        match equal(evaluator, left, right)? {
            Some(false) => return Ok(Some(false)),
            Some(true) => {}
            None => answer = None,
        }
    }
    Ok(answer)
}

/// Whether two collections are equivalent: for each value of one there is an equivalent one of the other, in any order.
pub(super) fn equivalent_collections<'a>(
    evaluator: &Evaluator<'_, 'a>,
    left: &Collection<'a>,
    right: &Collection<'a>,
) -> Result<bool, EvalError> {
    if left.len() != right.len() {
        return Ok(false);
    }
    let mut left_over: Vec<&Value<'a>> = right.iter().collect();
    for value in left {
        let mut found = None;
        for (index, other) in left_over.iter().enumerate() {
            if equivalent(evaluator, value, other)? {
                found = Some(index);
                break;
            }
        }
        let Some(found) = found else { return Ok(false) };
        left_over.remove(found);
    }
    Ok(true)
}

/// Whether two values are equal; `None` if too little is said to tell.
pub(super) fn equal<'a>(
    evaluator: &Evaluator<'_, 'a>,
    left: &Value<'a>,
    right: &Value<'a>,
) -> Result<Option<bool>, EvalError> {
    evaluator.charge(1)?;
    match (left.system(), right.system()) {
        (Some(left), Some(right)) => equal_system(evaluator, &left, &right),
        (None, None) => match (left, right) {
            (Value::Element(left), Value::Element(right)) => {
                evaluator.charge_bytes(left.size())?;
                let same = match (left.node(), right.node()) {
                    (Some(left), Some(right)) => same_nodes(left, right, 0),
                    (None, None) => match (left.companion(), right.companion()) {
                        (Some(left), Some(right)) => same_nodes(left, right, 0),
                        (left, right) => left.is_none() && right.is_none(),
                    },
                    _ => false,
                };
                Ok(Some(same))
            }
            _ => Ok(Some(false)),
        },
        _ => Ok(Some(false)),
    }
}

fn equal_system(evaluator: &Evaluator<'_, '_>, left: &Value<'_>, right: &Value<'_>) -> Result<Option<bool>, EvalError> {
    Ok(match (left, right) {
        (Value::String(left), Value::String(right)) => {
            evaluator.charge_bytes(left.len())?;
            Some(left == right)
        }
        (Value::Boolean(left), Value::Boolean(right)) => Some(left == right),
        (Value::Temporal(left), Value::Temporal(right)) => match left.compare(right) {
            Comparison::OtherType => Some(false),
            Comparison::Unknown => None,
            Comparison::Known(ordering) => Some(ordering.is_eq()),
        },
        (Value::Quantity(left), Value::Quantity(right)) => left.compare(right).map(std::cmp::Ordering::is_eq),
        (Value::Quantity(quantity), number) | (number, Value::Quantity(quantity)) => match number.number() {
            Some(number) => quantity.compare(&Quantity::of_number(number)).map(std::cmp::Ordering::is_eq),
            None => Some(false),
        },
        (Value::Type(left, name), Value::Type(right, other)) => Some((left, name) == (right, other)),
        (left, right) => match (left.number(), right.number()) {
            (Some(left), Some(right)) => Some(left == right),
            _ => Some(false),
        },
    })
}

/// Whether two parts of documents say the same: members in any order, numbers by value.
fn same_nodes(left: Node<'_>, right: Node<'_>, depth: usize) -> bool {
    if left.raw() == right.raw() {
        return true;
    }
    if left.kind() != right.kind() || depth > DEEPEST {
        return false;
    }
    match left.kind() {
        Kind::Object => {
            left.members().count() == right.members().count()
                && left
                    .members()
                    .all(|(name, value)| right.get(name).is_some_and(|other| same_nodes(value, other, depth + 1)))
        }
        Kind::Array => {
            left.items().count() == right.items().count()
                && left.items().zip(right.items()).all(|(left, right)| same_nodes(left, right, depth + 1))
        }
        Kind::String => left.text() == right.text(),
        Kind::Number => {
            let number = |node: Node<'_>| node.number().and_then(Decimal::parse);
            number(left).is_some_and(|left| number(right) == Some(left))
        }
        Kind::Bool | Kind::Null => false,
    }
}

/// Whether two values are equivalent.
pub(super) fn equivalent<'a>(
    evaluator: &Evaluator<'_, 'a>,
    left: &Value<'a>,
    right: &Value<'a>,
) -> Result<bool, EvalError> {
    evaluator.charge(1)?;
    Ok(match (left.system(), right.system()) {
        (Some(left), Some(right)) => match (&left, &right) {
            (Value::String(left), Value::String(right)) => {
                evaluator.charge_bytes(left.len())?;
                same_words(left, right)
            }
            (Value::Temporal(left), Value::Temporal(right)) => left.equivalent(right),
            (Value::Quantity(left), Value::Quantity(right)) => left.equivalent(right),
            (left, right) => match (left.number(), right.number()) {
                (Some(left), Some(right)) => equivalent_decimals(left, right),
                _ => equal_system(evaluator, left, right)? == Some(true),
            },
        },
        (None, None) => match (left.node(), right.node()) {
            (Some(left), Some(right)) => {
                evaluator.charge_bytes(left.raw().len())?;
                alike_nodes(evaluator, left, right, 0)?
            }
            _ => equal(evaluator, left, right)? == Some(true),
        },
        _ => false,
    })
}

/// Whether two texts are the same without regard to case and to which white space is which.
fn same_words(left: &str, right: &str) -> bool {
    let plain = |character: char| if character.is_whitespace() { ' ' } else { character };
    let folded = |text: &str| -> Vec<char> { text.chars().map(plain).flat_map(char::to_lowercase).collect() };
    left == right || folded(left) == folded(right)
}

/// Whether two parts of documents are equivalent: items in any order, texts without regard to case.
fn alike_nodes(
    evaluator: &Evaluator<'_, '_>,
    left: Node<'_>,
    right: Node<'_>,
    depth: usize,
) -> Result<bool, EvalError> {
    if left.raw() == right.raw() {
        return Ok(true);
    }
    if left.kind() != right.kind() || depth > DEEPEST {
        return Ok(false);
    }
    evaluator.charge_bytes(left.raw().len())?;
    match left.kind() {
        Kind::Object => {
            if left.members().count() != right.members().count() {
                return Ok(false);
            }
            for (name, value) in left.members() {
                let Some(other) = right.get(name) else { return Ok(false) };
                if !alike_nodes(evaluator, value, other, depth + 1)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Kind::Array => {
            let mut left_over: Vec<Node<'_>> = right.items().collect();
            for item in left.items() {
                let mut found = None;
                for (index, other) in left_over.iter().enumerate() {
                    if alike_nodes(evaluator, item, *other, depth + 1)? {
                        found = Some(index);
                        break;
                    }
                }
                let Some(found) = found else { return Ok(false) };
                left_over.remove(found);
            }
            Ok(left_over.is_empty())
        }
        Kind::String => Ok(same_words(&left.text().unwrap_or_default(), &right.text().unwrap_or_default())),
        Kind::Number => {
            let number = |node: Node<'_>| node.number().and_then(Decimal::parse);
            Ok(number(left).zip(number(right)).is_some_and(|(left, right)| equivalent_decimals(left, right)))
        }
        Kind::Bool | Kind::Null => Ok(false),
    }
}

/// A set of values that grows, for taking out repetitions.
#[derive(Default)]
pub(super) struct Seen<'a> {
    values: Vec<Value<'a>>,
    /// The places of the values by their hash, once there are more than a few.
    index: HashMap<u64, Vec<usize>>,
}

impl<'a> Seen<'a> {
    /// Whether an equal value is there.
    pub(super) fn has(&self, evaluator: &Evaluator<'_, 'a>, value: &Value<'a>) -> Result<bool, EvalError> {
        if self.index.is_empty() {
            return any_equal(evaluator, value, self.values.iter());
        }
        evaluator.charge_bytes(value.element().map_or(0, super::Element::size))?;
        let places = self.index.get(&hash(value)).map_or(&[][..], Vec::as_slice);
        any_equal(evaluator, value, places.iter().filter_map(|&place| self.values.get(place)))
    }

    /// Adds a value, and says whether it is new.
    pub(super) fn add(&mut self, evaluator: &Evaluator<'_, 'a>, value: Value<'a>) -> Result<bool, EvalError> {
        if self.has(evaluator, &value)? {
            return Ok(false);
        }
        evaluator.charge_values(1)?;
        if self.values.len() == SMALL {
            for (place, value) in self.values.iter().enumerate() {
                self.index.entry(hash(value)).or_default().push(place);
            }
        }
        if self.values.len() >= SMALL {
            self.index.entry(hash(&value)).or_default().push(self.values.len());
        }
        self.values.push(value);
        Ok(true)
    }

    /// Adds all values of a collection.
    pub(super) fn all(evaluator: &Evaluator<'_, 'a>, values: Collection<'a>) -> Result<Self, EvalError> {
        let mut seen = Self::default();
        for value in values {
            seen.add(evaluator, value)?;
        }
        Ok(seen)
    }

    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// The values, each once, in the order they were added.
    pub(super) fn into_values(self) -> Collection<'a> {
        self.values.into_iter().collect()
    }
}

fn any_equal<'v, 'a: 'v>(
    evaluator: &Evaluator<'_, 'a>,
    value: &Value<'a>,
    mut others: impl Iterator<Item = &'v Value<'a>>,
) -> Result<bool, EvalError> {
    others.try_fold(false, |found, other| Ok(found || equal(evaluator, value, other)? == Some(true)))
}

/// Both collections without repetitions.
pub(super) fn union<'a>(evaluator: &Evaluator<'_, 'a>, left: Collection<'a>, right: Collection<'a>) -> Outcome<'a> {
    if right.is_empty() && left.len() < 2 {
        return Ok(left);
    }
    if left.is_empty() && right.len() < 2 {
        return Ok(right);
    }
    let mut seen = Seen::all(evaluator, left)?;
    for value in right {
        seen.add(evaluator, value)?;
    }
    Ok(seen.into_values())
}

/// A hash that equal values have in common.
fn hash(value: &Value<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    match value.system() {
        Some(Value::String(text)) => (1, text).hash(&mut hasher),
        Some(Value::Boolean(boolean)) => (2, boolean).hash(&mut hasher),
        Some(Value::Temporal(moment)) => (3, moment.equality_key()).hash(&mut hasher),
        Some(Value::Type(namespace, name)) => (4, namespace, name).hash(&mut hasher),
        Some(Value::Quantity(quantity)) => match quantity.in_unit(&QuantityUnit::ONE) {
            // It may equal a number.
            Some(number) => (5, Some(number)).hash(&mut hasher),
            // It may equal one of another unit.
            None => 6.hash(&mut hasher),
        },
        Some(number) => (5, number.number()).hash(&mut hasher),
        None => match value.element() {
            Some(element) => {
                element.node().or_else(|| element.companion()).map_or(0, |node| hash_node(node, 0)).hash(&mut hasher)
            }
            None => 7.hash(&mut hasher),
        },
    }
    hasher.finish()
}

fn hash_node(node: Node<'_>, depth: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    match node.kind() {
        Kind::Object if depth < DEEPEST => {
            // In any order.
            let members = node.members().map(|(name, value)| {
                let mut member = DefaultHasher::new();
                (name, hash_node(value, depth + 1)).hash(&mut member);
                member.finish()
            });
            members.fold(0_u64, u64::wrapping_add).hash(&mut hasher);
        }
        Kind::Array if depth < DEEPEST => node.items().for_each(|item| hash_node(item, depth + 1).hash(&mut hasher)),
        Kind::String => node.text().unwrap_or(Cow::Borrowed("")).hash(&mut hasher),
        Kind::Number => node.number().and_then(Decimal::parse).hash(&mut hasher),
        Kind::Bool => node.boolean().hash(&mut hasher),
        _ => {}
    }
    hasher.finish()
}
