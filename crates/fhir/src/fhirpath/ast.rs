//! The compiled form of an expression.

use std::sync::{Arc, OnceLock};

use super::functions::Function;
use super::pattern::Pattern;
use super::temporal::{Calendar, Temporal};
use crate::decimal::Decimal;

/// An expression.
#[derive(Debug)]
pub(super) enum Expr {
    /// `{}`
    Nothing,
    /// A value written in the expression.
    Literal(Literal),
    /// `%name`
    Variable(Box<str>),
    /// `$this`
    This,
    /// `$index`
    Index,
    /// `$total`
    Total,
    /// A start and the steps from it; without a start, from `$this`.
    Path(Option<Box<Expr>>, Box<[Step]>),
    /// `+x` and, if set, `-x`.
    Sign(bool, Box<Expr>),
    /// Operators of one precedence, from left to right.
    Chain(Box<Expr>, Vec<(Operator, Expr)>),
    /// `is` and `as` with a type, from left to right.
    Typed(Box<Expr>, Vec<(TypeOperator, TypeName)>),
}

/// A value written in the expression.
#[derive(Debug)]
pub(super) enum Literal {
    Boolean(bool),
    Integer(i32),
    Decimal(Decimal),
    Text(Arc<str>),
    Temporal(Temporal),
    Quantity(Decimal, LiteralUnit),
}

/// The unit of a quantity that is written in the expression.
#[derive(Debug)]
pub(super) enum LiteralUnit {
    /// A calendar duration's keyword, as written.
    Calendar(Calendar, Arc<str>),
    /// A code in quotes.
    Code(Arc<str>),
}

/// One step of a path.
#[derive(Debug)]
pub(super) enum Step {
    /// `.name`
    Member(Box<str>),
    /// `[index]`
    Item(Expr),
    /// `.function(…)`
    Call(Box<Call>),
}

/// A function and its arguments.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) function: &'static Function,
    pub(super) arguments: Box<[Expr]>,
    /// The type that `is`, `as` and `ofType` ask for.
    pub(super) type_name: Option<TypeName>,
    /// The pattern, once it was needed, where it is written in the expression.
    pub(super) pattern: OnceLock<Option<Pattern>>,
}

/// A type as the expression names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TypeName {
    pub(super) namespace: Option<Box<str>>,
    pub(super) name: Box<str>,
}

/// `is` or `as`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TypeOperator {
    Is,
    As,
}

/// An operator between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Times,
    Over,
    WholeOver,
    RestOver,
    Plus,
    Minus,
    Join,
    Union,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
    Equal,
    NotEqual,
    Equivalent,
    NotEquivalent,
    In,
    Contains,
    And,
    Or,
    Xor,
    Implies,
}

impl Operator {
    pub(super) const ALL: [(&'static str, Self, u8); 22] = [
        ("*", Self::Times, 10),
        ("/", Self::Over, 10),
        ("div", Self::WholeOver, 10),
        ("mod", Self::RestOver, 10),
        ("+", Self::Plus, 9),
        ("-", Self::Minus, 9),
        ("&", Self::Join, 9),
        ("|", Self::Union, 7),
        ("<", Self::Less, 6),
        (">", Self::Greater, 6),
        ("<=", Self::LessOrEqual, 6),
        (">=", Self::GreaterOrEqual, 6),
        ("=", Self::Equal, 5),
        ("!=", Self::NotEqual, 5),
        ("~", Self::Equivalent, 5),
        ("!~", Self::NotEquivalent, 5),
        ("in", Self::In, 4),
        ("contains", Self::Contains, 4),
        ("and", Self::And, 3),
        ("or", Self::Or, 2),
        ("xor", Self::Xor, 2),
        ("implies", Self::Implies, 1),
    ];

    /// How it is written.
    pub(super) fn symbol(self) -> &'static str {
        Self::ALL.iter().find(|(_, operator, _)| *operator == self).map_or("", |(symbol, ..)| symbol)
    }

    /// How tightly it binds.
    pub(super) fn level(self) -> u8 {
        Self::ALL.iter().find(|(_, operator, _)| *operator == self).map_or(0, |(.., level)| *level)
    }

    /// How tightly `is` and `as` bind.
    pub(super) const TYPE_LEVEL: u8 = 8;
}
