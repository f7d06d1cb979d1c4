//! What can go wrong. No error quotes a document: its content is health data.

/// Why a text is no FHIRPath expression, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fault} (at character {})", .at + 1)]
pub struct ParseError {
    /// How many bytes of the text stand before the fault.
    pub at: usize,
    /// What is wrong.
    pub fault: ParseFault,
}

/// What is wrong with an expression's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseFault {
    /// Longer than [`super::MAX_LENGTH`].
    #[error("the expression is too long")]
    TooLong,
    /// Nested deeper than [`super::MAX_NESTING`].
    #[error("the expression is nested too deep")]
    TooDeep,
    /// A comment, string or quoted name that does not end.
    #[error("a {0} is not closed")]
    Unclosed(&'static str),
    /// A character that no token starts with.
    #[error("'{0}' is not expected here")]
    Character(char),
    /// An escape that FHIRPath does not know.
    #[error("the escape in this text is not valid")]
    Escape,
    /// A number that is too large.
    #[error("the number is out of range")]
    Number,
    /// A date or time that does not exist.
    #[error("this is not a date or time")]
    Temporal,
    /// Another token was expected.
    #[error("expected {0}")]
    Expected(&'static str),
    /// A function that does not exist.
    #[error("there is no function '{0}'")]
    Function(String),
    /// A function with too few or too many arguments.
    #[error("the function '{0}' does not take that many arguments")]
    Arguments(&'static str),
}

/// Why an expression could not be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// More than one item where one was needed (N1 §4.5).
    #[error("'{0}' needs a single item, and there are several")]
    NotSingle(&'static str),
    /// An operand or input of a type that the operator or function does not take.
    #[error("'{0}' cannot be used with this type of value")]
    Type(&'static str),
    /// A type that is not known.
    #[error("there is no type '{0}'")]
    UnknownType(String),
    /// A `%variable` that is not set.
    #[error("there is no variable '%{0}'")]
    UnknownVariable(String),
    /// A name that is defined already.
    #[error("the variable '%{0}' is set already")]
    VariableTwice(String),
    /// A pattern that is no regular expression, or one too large.
    #[error("the pattern is not a regular expression that is understood")]
    Pattern,
    /// Something that the caller did not provide for: a terminology or a validator.
    #[error("'{0}' is not available here")]
    Unavailable(&'static str),
    /// An argument that says how, and names no way that is known.
    #[error("'{0}' does not know this argument")]
    Argument(&'static str),
    /// More work than the limit allows ([`super::Limits`]).
    #[error("the expression takes too much work")]
    TooCostly,
    /// A text grew longer than the limit allows ([`super::Limits`]).
    #[error("a text grows too long")]
    TooLong,
    /// Calls nested deeper than the limit allows.
    #[error("the expression is nested too deep")]
    TooDeep,
}
