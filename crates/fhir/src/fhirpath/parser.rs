//! Builds the compiled form (FHIRPath N1, grammar and §6.8 for precedence).

use std::borrow::Cow;
use std::sync::OnceLock;

use super::ast::{Call, Expr, Literal, LiteralUnit, Operator, Step, TypeName, TypeOperator};
use super::error::{ParseError, ParseFault};
use super::functions::{self, Arguments};
use super::lexer::{Placed, Token, tokens};
use super::temporal::{Calendar, Temporal};
use crate::decimal::Decimal;

/// The longest text that is read as an expression.
pub const MAX_LENGTH: usize = 65_536;
/// How deep operands, parentheses and arguments may nest.
pub const MAX_NESTING: usize = 120;

/// Names that are operators or literals wherever a name could start a term.
const RESERVED: [&str; 8] = ["and", "or", "xor", "implies", "div", "mod", "true", "false"];

pub(super) fn parse(text: &str) -> Result<Expr, ParseError> {
    if text.len() > MAX_LENGTH {
        return Err(ParseError { at: MAX_LENGTH, fault: ParseFault::TooLong });
    }
    let mut parser = Parser { tokens: tokens(text)?, next: 0, depth: 0 };
    let (expression, _) = parser.expression(0)?;
    match parser.peek() {
        Token::End => Ok(expression),
        _ => Err(parser.expected("an operator or the end")),
    }
}

struct Parser<'t> {
    /// Ends with [`Token::End`].
    tokens: Vec<Placed<'t>>,
    next: usize,
    /// How deep the parser is in itself.
    depth: usize,
}

/// An expression and how deep it nests.
type Parsed = (Expr, usize);

impl<'t> Parser<'t> {
    fn peek(&self) -> &Token<'t> {
        self.peek_after(0)
    }

    fn peek_after(&self, more: usize) -> &Token<'t> {
        self.tokens.get(self.next + more).map_or(&Token::End, |(_, token)| token)
    }

    fn fault(&self, fault: ParseFault) -> ParseError {
        ParseError { at: self.tokens.get(self.next).map_or(0, |(at, _)| *at), fault }
    }

    fn expected(&self, what: &'static str) -> ParseError {
        self.fault(ParseFault::Expected(what))
    }

    fn skip(&mut self, mark: &str) -> bool {
        let found = matches!(self.peek(), Token::Mark(other) if *other == mark);
        self.next += usize::from(found);
        found
    }

    fn require(&mut self, mark: &'static str) -> Result<(), ParseError> {
        if self.skip(mark) { Ok(()) } else { Err(self.expected(mark)) }
    }

    /// One level deeper.
    fn deeper(&self, height: usize) -> Result<usize, ParseError> {
        if height < MAX_NESTING { Ok(height + 1) } else { Err(self.fault(ParseFault::TooDeep)) }
    }

    /// Operands and operators that bind at least as tightly as `least`.
    fn expression(&mut self, least: u8) -> Result<Parsed, ParseError> {
        self.depth = self.deeper(self.depth)?;
        let (mut left, mut height) = self.signed()?;
        while let Some((operator, level)) = self.peek_operator().filter(|(_, level)| *level >= least) {
            self.next += 1;
            height = match operator {
                Found::Type(operator) => {
                    let inner = if matches!(left, Expr::Typed(..)) { height - 1 } else { height };
                    left = typed(left, operator, self.type_name()?);
                    self.deeper(inner)?
                }
                Found::Operator(operator) => {
                    let (right, other) = self.expression(level + 1)?;
                    // What joins a chain does not nest deeper.
                    let inner = if joins(&left, operator) { height - 1 } else { height };
                    left = chained(left, operator, right);
                    self.deeper(inner.max(other))?
                }
            };
        }
        self.depth -= 1;
        Ok((left, height))
    }

    fn peek_operator(&self) -> Option<(Found, u8)> {
        let (Token::Mark(symbol) | Token::Name(symbol)) = self.peek() else { return None };
        match *symbol {
            "is" => Some((Found::Type(TypeOperator::Is), Operator::TYPE_LEVEL)),
            "as" => Some((Found::Type(TypeOperator::As), Operator::TYPE_LEVEL)),
            symbol => Operator::ALL
                .iter()
                .find(|(other, ..)| *other == symbol)
                .map(|(_, operator, level)| (Found::Operator(*operator), *level)),
        }
    }

    /// A term, perhaps with signs before it. A sign binds looser than the path that follows (`-a.b` is `-(a.b)`).
    fn signed(&mut self) -> Result<Parsed, ParseError> {
        let negative = match self.peek() {
            Token::Mark("-") => true,
            Token::Mark("+") => false,
            _ => return self.path(),
        };
        self.next += 1;
        self.depth = self.deeper(self.depth)?;
        let (operand, height) = self.signed()?;
        self.depth -= 1;
        Ok((Expr::Sign(negative, Box::new(operand)), self.deeper(height)?))
    }

    /// A term and the steps from it.
    fn path(&mut self) -> Result<Parsed, ParseError> {
        let mut steps = Vec::new();
        let (start, mut height) = self.term(&mut steps)?;
        loop {
            if self.skip(".") {
                let name = self.name("a name after the point")?;
                let step = self.invocation(name)?;
                height = height.max(step.1);
                steps.push(step.0);
            } else if self.skip("[") {
                let (index, other) = self.expression(0)?;
                self.require("]")?;
                height = height.max(other);
                steps.push(Step::Item(index));
            } else {
                break;
            }
        }
        if steps.is_empty() {
            return start.map(|start| (start, height)).ok_or_else(|| self.expected("a value"));
        }
        Ok((Expr::Path(start.map(Box::new), steps.into()), self.deeper(height)?))
    }

    /// What a path starts with; a name or a function becomes its first step.
    fn term(&mut self, steps: &mut Vec<Step>) -> Result<(Option<Expr>, usize), ParseError> {
        let term = match self.peek().clone() {
            Token::Mark("(") => {
                self.next += 1;
                let (inside, height) = self.expression(0)?;
                self.require(")")?;
                return Ok((Some(inside), height));
            }
            Token::Mark("{") => {
                self.next += 1;
                self.require("}")?;
                return Ok((Some(Expr::Nothing), 1));
            }
            Token::Mark("%") => {
                self.next += 1;
                if let Token::Text(name) = self.peek().clone() {
                    self.next += 1;
                    Expr::Variable(name.into())
                } else {
                    Expr::Variable(self.name("a variable's name")?.into())
                }
            }
            Token::Special(name) => {
                let special = match name {
                    "this" => Expr::This,
                    "index" => Expr::Index,
                    "total" => Expr::Total,
                    _ => return Err(self.expected("$this, $index or $total")),
                };
                self.next += 1;
                special
            }
            Token::Name(name) if RESERVED.contains(&name) => Expr::Literal(self.literal()?),
            Token::Name(_) | Token::Quoted(_) => {
                let name = self.name("a name")?;
                let (step, height) = self.invocation(name)?;
                steps.push(step);
                return Ok((None, height));
            }
            _ => Expr::Literal(self.literal()?),
        };
        Ok((Some(term), 1))
    }

    fn literal(&mut self) -> Result<Literal, ParseError> {
        let number = |parser: &Self, text: &str| Decimal::parse(text).ok_or_else(|| parser.fault(ParseFault::Number));
        let literal = match self.peek().clone() {
            Token::Name("true") => Literal::Boolean(true),
            Token::Name("false") => Literal::Boolean(false),
            Token::Text(text) => Literal::Text(text.into()),
            Token::Integer(text) => match self.unit() {
                Some(unit) => Literal::Quantity(number(self, text)?, unit),
                None => Literal::Integer(text.parse().map_err(|_| self.fault(ParseFault::Number))?),
            },
            Token::Decimal(text) => match self.unit() {
                Some(unit) => Literal::Quantity(number(self, text)?, unit),
                None => Literal::Decimal(number(self, text)?),
            },
            Token::Date(text) => Literal::Temporal(self.moment(Temporal::date(text))?),
            Token::DateTime(text) => Literal::Temporal(self.moment(Temporal::date_time(text))?),
            Token::Time(text) => Literal::Temporal(self.moment(Temporal::time(text))?),
            _ => return Err(self.expected("a value")),
        };
        self.next += 1;
        Ok(literal)
    }

    fn moment(&self, moment: Option<Temporal>) -> Result<Temporal, ParseError> {
        moment.ok_or_else(|| self.fault(ParseFault::Temporal))
    }

    /// The unit after the number that is next, if there is one; it then counts as read.
    fn unit(&mut self) -> Option<LiteralUnit> {
        let unit = match self.peek_after(1).clone() {
            Token::Text(code) => LiteralUnit::Code(code.into()),
            Token::Name(word) => LiteralUnit::Calendar(Calendar::named(word)?, word.into()),
            _ => return None,
        };
        self.next += 1;
        Some(unit)
    }

    /// A member, or a function if parentheses follow; the name is read already.
    fn invocation(&mut self, name: Cow<'t, str>) -> Result<(Step, usize), ParseError> {
        if !self.skip("(") {
            return Ok((Step::Member(name.into()), 1));
        }
        let place = self.next.saturating_sub(2);
        let at = self.tokens.get(place).map_or(0, |(at, _)| *at);
        let fault = |fault| ParseError { at, fault };
        let function =
            functions::named(&name).ok_or_else(|| fault(ParseFault::Function(name.chars().take(64).collect())))?;
        let (mut arguments, mut type_name, mut height) = (Vec::new(), None, 1);
        if !self.skip(")") {
            loop {
                if function.arguments == Arguments::Type {
                    type_name = Some(self.type_name()?);
                } else {
                    let (argument, other) = self.expression(0)?;
                    height = height.max(other);
                    arguments.push(argument);
                }
                if !self.skip(",") {
                    break;
                }
            }
            self.require(")")?;
        }
        let count = arguments.len() + usize::from(type_name.is_some());
        if !function.takes.contains(&count) {
            return Err(fault(ParseFault::Arguments(function.name)));
        }
        let call = Call { function, arguments: arguments.into(), type_name, pattern: OnceLock::new() };
        Ok((Step::Call(Box::new(call)), self.deeper(height)?))
    }

    /// `Patient`, `FHIR.Patient` or `System.String`.
    fn type_name(&mut self) -> Result<TypeName, ParseError> {
        let first = self.name("a type's name")?;
        if !self.skip(".") {
            return Ok(TypeName { namespace: None, name: first.into() });
        }
        let mut name = self.name("a type's name")?.into_owned();
        while self.skip(".") {
            name.push('.');
            name.push_str(&self.name("a type's name")?);
        }
        Ok(TypeName { namespace: Some(first.into()), name: name.into() })
    }

    /// A name, in back quotes or not; after a point a keyword is one too.
    fn name(&mut self, what: &'static str) -> Result<Cow<'t, str>, ParseError> {
        match self.peek().clone() {
            Token::Name(name) => {
                self.next += 1;
                Ok(Cow::Borrowed(name))
            }
            Token::Quoted(name) => {
                self.next += 1;
                Ok(name)
            }
            _ => Err(self.expected(what)),
        }
    }
}

/// An operator that was found.
enum Found {
    Type(TypeOperator),
    Operator(Operator),
}

/// Whether an operator goes on with the chain that is its left operand: `a + b - c` is one chain.
fn joins(left: &Expr, operator: Operator) -> bool {
    matches!(left, Expr::Chain(_, rest) if rest.first().is_some_and(|(first, _)| first.level() == operator.level()))
}

fn chained(left: Expr, operator: Operator, right: Expr) -> Expr {
    match left {
        Expr::Chain(first, mut rest) if rest.first().is_some_and(|(other, _)| other.level() == operator.level()) => {
            rest.push((operator, right));
            Expr::Chain(first, rest)
        }
        left => Expr::Chain(Box::new(left), vec![(operator, right)]),
    }
}

fn typed(left: Expr, operator: TypeOperator, name: TypeName) -> Expr {
    match left {
        Expr::Typed(first, mut rest) => {
            rest.push((operator, name));
            Expr::Typed(first, rest)
        }
        left => Expr::Typed(Box::new(left), vec![(operator, name)]),
    }
}
