//! What an invariant says when all that is known is which elements an object has.
//!
//! Most of FHIR's invariants ask nothing else (`obs-6`: `dataAbsentReason.empty() or value.empty()`), and most of the
//! others are decided by it in nearly every document (`con-4` matters only to a Condition with an abatement). So each
//! FHIRPath text is compiled once into a formula over the elements' presence, which costs a few nanoseconds; only where
//! that leaves the answer open the FHIRPath engine is asked.

/// A part of an expression.
#[derive(Debug)]
enum Term {
    /// An element of the object: the bit that says whether it is there, how many there may be.
    Element {
        bit: u128,
        repeats: bool,
    },
    /// Something that is empty if the other is, and else not known.
    Beyond(Box<Self>),
    Exists(Box<Self>),
    Empty(Box<Self>),
    Not(Box<Self>),
    Count(Box<Self>),
    /// True if the other is empty, and else not known.
    TrueIfEmpty(Box<Self>),
    /// False if the other is empty, and else not known.
    FalseIfEmpty(Box<Self>),
    Binary(Operator, Box<Self>, Box<Self>),
    Literal(Value),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Implies,
    Or,
    Xor,
    And,
    In,
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Union,
    Plus,
    Other,
}

/// What is known of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    Nothing,
    /// Something is there.
    Something,
    Bool(bool),
    /// A number between these two.
    Number(u32, u32),
    /// Perhaps nothing.
    Unknown,
}

/// An invariant over presence.
#[derive(Debug)]
pub(super) struct Formula(Term);

/// What a formula says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Holds,
    Broken,
    /// The FHIRPath engine must say.
    Open,
}

/// An element as a formula sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Presence {
    /// Its bit in the mask of what is there.
    pub(super) bit: u128,
    /// Whether there may be more than one.
    pub(super) repeats: bool,
}

impl Formula {
    /// Compiles an expression. `element` finds an element of the type by its name; `type_name` may stand before one.
    /// `None` if nothing in it can be decided by presence.
    pub(super) fn compile(text: &str, type_name: &str, element: &dyn Fn(&str) -> Option<Presence>) -> Option<Self> {
        let mut reader = Reader { rest: text, type_name, element, depth: 0 };
        let term = reader.expression(0)?;
        reader.space();
        (reader.rest.is_empty() && term.depends_on_presence()).then_some(Self(term))
    }

    /// What it says of an object with the elements in `seen`.
    #[inline]
    pub(super) fn verdict(&self, seen: u128) -> Verdict {
        match self.0.value(seen) {
            // An expression without an answer breaks nothing.
            Value::Bool(true) | Value::Nothing => Verdict::Holds,
            Value::Bool(false) => Verdict::Broken,
            _ => Verdict::Open,
        }
    }
}

impl Term {
    fn depends_on_presence(&self) -> bool {
        match self {
            Self::Element { .. } => true,
            Self::Literal(_) => false,
            Self::Beyond(of)
            | Self::Exists(of)
            | Self::Empty(of)
            | Self::Not(of)
            | Self::Count(of)
            | Self::TrueIfEmpty(of)
            | Self::FalseIfEmpty(of) => of.depends_on_presence(),
            Self::Binary(_, left, right) => left.depends_on_presence() || right.depends_on_presence(),
        }
    }

    fn value(&self, seen: u128) -> Value {
        match self {
            Self::Literal(value) => *value,
            Self::Element { bit, .. } if seen & bit == 0 => Value::Nothing,
            Self::Element { .. } => Value::Something,
            Self::Beyond(of) => match of.value(seen) {
                Value::Nothing => Value::Nothing,
                _ => Value::Unknown,
            },
            Self::Exists(of) => exists(of.value(seen)),
            Self::Empty(of) => not(exists(of.value(seen))),
            Self::Not(of) => not(of.value(seen)),
            Self::Count(of) => of.count(seen),
            Self::TrueIfEmpty(of) | Self::FalseIfEmpty(of) => match of.value(seen) {
                Value::Nothing => Value::Bool(matches!(self, Self::TrueIfEmpty(_))),
                _ => Value::Unknown,
            },
            Self::Binary(operator, left, right) => operator.apply(left.value(seen), || right.value(seen)),
        }
    }

    fn count(&self, seen: u128) -> Value {
        match (self.value(seen), self) {
            (Value::Nothing, _) => Value::Number(0, 0),
            (Value::Something, Self::Element { repeats: true, .. }) => Value::Number(1, u32::MAX),
            (Value::Something, Self::Element { repeats: false, .. }) => Value::Number(1, 1),
            _ => Value::Unknown,
        }
    }
}

fn exists(value: Value) -> Value {
    match value {
        Value::Nothing => Value::Bool(false),
        Value::Something | Value::Bool(_) | Value::Number(..) => Value::Bool(true),
        Value::Unknown => Value::Unknown,
    }
}

fn not(value: Value) -> Value {
    match value {
        Value::Bool(value) => Value::Bool(!value),
        Value::Nothing => Value::Nothing,
        _ => Value::Unknown,
    }
}

impl Operator {
    fn apply(self, left: Value, right: impl FnOnce() -> Value) -> Value {
        use Value::{Bool, Nothing, Number, Something, Unknown};
        match (self, left) {
            (Self::Or, Bool(true)) | (Self::Implies, Bool(false)) => return Bool(true),
            (Self::And, Bool(false)) => return Bool(false),
            _ => {}
        }
        let right = right();
        match (self, left, right) {
            (Self::Or | Self::Implies, _, Bool(true)) => Bool(true),
            (Self::And, _, Bool(false)) => Bool(false),
            (Self::Or, Bool(false), Bool(false)) => Bool(false),
            (Self::And, Bool(true), Bool(true)) => Bool(true),
            (Self::Implies, Bool(true), other @ (Bool(_) | Nothing)) => other,
            (Self::Xor, Bool(left), Bool(right)) => Bool(left != right),
            (Self::Or | Self::And, Nothing, Nothing | Bool(_)) | (Self::Or | Self::And, Bool(_), Nothing) => Nothing,
            (Self::Implies, Nothing, Nothing | Bool(_)) => Nothing,
            (Self::Xor, Nothing, Nothing | Bool(_)) | (Self::Xor, Bool(_), Nothing) => Nothing,
            (Self::Equal, Bool(left), Bool(right)) => Bool(left == right),
            (Self::Unequal, Bool(left), Bool(right)) => Bool(left != right),
            (Self::Union, Nothing, other) | (Self::Union, other, Nothing) => other,
            (Self::Union, Something | Bool(_) | Number(..), _) | (Self::Union, _, Something | Bool(_) | Number(..)) => {
                Something
            }
            (Self::Plus, Number(least, most), Number(other_least, other_most)) => {
                Number(least.saturating_add(other_least), most.saturating_add(other_most))
            }
            (Self::In, Nothing, _) => Nothing,
            (Self::Or | Self::And | Self::Xor | Self::Implies | Self::In | Self::Union | Self::Other, ..) => Unknown,
            // What is left compares or adds: nothing with anything is nothing.
            (_, Nothing, _) | (_, _, Nothing) => Nothing,
            (_, Number(least, most), Number(other_least, other_most)) => {
                self.compare((least, most), (other_least, other_most))
            }
            _ => Unknown,
        }
    }

    fn compare(self, (least, most): (u32, u32), (other_least, other_most): (u32, u32)) -> Value {
        let certain = |yes: bool, no: bool| match (yes, no) {
            (true, _) => Value::Bool(true),
            (_, true) => Value::Bool(false),
            _ => Value::Unknown,
        };
        let apart = most < other_least || least > other_most;
        let same = least == most && most == other_least && other_least == other_most;
        match self {
            Self::Less => certain(most < other_least, least >= other_most),
            Self::LessOrEqual => certain(most <= other_least, least > other_most),
            Self::Greater => certain(least > other_most, most <= other_least),
            Self::GreaterOrEqual => certain(least >= other_most, most < other_least),
            Self::Equal => certain(same, apart),
            Self::Unequal => certain(apart, same),
            _ => Value::Unknown,
        }
    }
}

/// How deep an expression may nest to be compiled.
const DEEPEST: u32 = 32;

/// The operators by how tightly they bind, the loosest first (FHIRPath §9).
const LEVELS: [&[(&str, Operator)]; 7] = [
    &[("implies", Operator::Implies)],
    &[("or", Operator::Or), ("xor", Operator::Xor)],
    &[("and", Operator::And)],
    &[("in", Operator::In), ("contains", Operator::Other)],
    &[("=", Operator::Equal), ("!=", Operator::Unequal), ("~", Operator::Other), ("!~", Operator::Other)],
    &[("<=", Operator::LessOrEqual), (">=", Operator::GreaterOrEqual), ("<", Operator::Less), (">", Operator::Greater)],
    &[("|", Operator::Union)],
];
const TIGHT: [(&str, Operator); 4] =
    [("+", Operator::Plus), ("&", Operator::Other), ("is", Operator::Other), ("as", Operator::Other)];

struct Reader<'a> {
    rest: &'a str,
    type_name: &'a str,
    element: &'a dyn Fn(&str) -> Option<Presence>,
    depth: u32,
}

impl<'a> Reader<'a> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Steps over a word or a sign.
    fn take(&mut self, sign: &str) -> bool {
        self.space();
        let Some(rest) = self.rest.strip_prefix(sign) else { return false };
        let word = sign.ends_with(|it: char| it.is_ascii_alphabetic());
        if word && rest.starts_with(|it: char| it.is_ascii_alphanumeric() || it == '_') {
            return false;
        }
        self.rest = rest;
        true
    }

    fn expression(&mut self, level: usize) -> Option<Term> {
        let operators = LEVELS.get(level).copied().unwrap_or(&TIGHT);
        let next = |reader: &mut Self| {
            if level < LEVELS.len() { reader.expression(level + 1) } else { reader.path() }
        };
        let mut left = next(self)?;
        while let Some(&(_, operator)) = operators.iter().find(|(sign, _)| self.take(sign)) {
            left = Term::Binary(operator, Box::new(left), Box::new(next(self)?));
        }
        Some(left)
    }

    /// A term and the steps after it.
    fn path(&mut self) -> Option<Term> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let mut term = self.start()?;
        loop {
            self.space();
            if self.rest.starts_with('[') {
                self.arguments('[', ']')?;
                term = Term::Beyond(Box::new(term));
            } else if self.take(".") {
                let name = self.word()?;
                let arguments = if self.rest.starts_with('(') { Some(self.arguments('(', ')')?) } else { None };
                term = step(term, name, arguments);
            } else {
                break;
            }
        }
        self.depth -= 1;
        Some(term)
    }

    fn start(&mut self) -> Option<Term> {
        self.space();
        let first = self.rest.chars().next()?;
        if first == '(' {
            self.rest = &self.rest[1..];
            let inner = self.expression(0)?;
            return self.take(")").then_some(inner);
        }
        if first == '\'' {
            self.quoted('\'')?;
            return Some(Term::Literal(Value::Something));
        }
        if first.is_ascii_digit() {
            let end = self.rest.find(|it: char| !it.is_ascii_digit() && it != '.').unwrap_or(self.rest.len());
            let (number, rest) = self.rest.split_at(end);
            self.rest = rest;
            let value = number.parse().map_or(Value::Something, |number| Value::Number(number, number));
            return Some(Term::Literal(value));
        }
        if matches!(first, '%' | '$') {
            self.rest = &self.rest[1..];
            self.word()?;
            return Some(Term::Literal(Value::Unknown));
        }
        let name = self.word()?;
        if self.rest.starts_with('(') {
            // A function of the object itself, such as empty() or descendants().
            self.arguments('(', ')')?;
            return Some(Term::Literal(Value::Unknown));
        }
        match name {
            "true" => return Some(Term::Literal(Value::Bool(true))),
            "false" => return Some(Term::Literal(Value::Bool(false))),
            _ => {}
        }
        if name == self.type_name && self.take(".") {
            return self.start();
        }
        let unknown = Term::Literal(Value::Unknown);
        let element = (self.element)(name).map(|Presence { bit, repeats }| Term::Element { bit, repeats });
        Some(element.unwrap_or(unknown))
    }

    fn word(&mut self) -> Option<&'a str> {
        if self.rest.starts_with('`') {
            return self.quoted('`');
        }
        let end = self.rest.find(|it: char| !it.is_ascii_alphanumeric() && it != '_').unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }

    /// What stands between two quotes.
    fn quoted(&mut self, quote: char) -> Option<&'a str> {
        let inside = &self.rest[1..];
        let mut escaped = false;
        let end = inside.find(|it: char| {
            let closes = it == quote && !escaped;
            escaped = it == '\\' && !escaped;
            closes
        })?;
        self.rest = &inside[end + 1..];
        Some(&inside[..end])
    }

    /// What stands between two brackets, stepped over.
    fn arguments(&mut self, open: char, close: char) -> Option<&'a str> {
        let whole = self.rest;
        let mut depth = 0;
        while let Some(next) = self.rest.chars().next() {
            if next == '\'' || next == '`' {
                self.quoted(next)?;
                continue;
            }
            self.rest = &self.rest[next.len_utf8()..];
            if next == open {
                depth += 1;
            } else if next == close {
                depth -= 1;
                if depth == 0 {
                    return Some(whole[1..whole.len() - self.rest.len() - 1].trim());
                }
            }
        }
        None
    }
}

/// One step: an element of what is there, or a function of it.
fn step(of: Term, name: &str, arguments: Option<&str>) -> Term {
    let of = Box::new(of);
    match (name, arguments) {
        ("exists", Some("")) => Term::Exists(of),
        ("empty", Some("")) => Term::Empty(of),
        ("not", Some("")) => Term::Not(of),
        ("count", Some("")) => Term::Count(of),
        ("all" | "isDistinct" | "allTrue" | "allFalse" | "subsetOf", Some(_)) => Term::TrueIfEmpty(of),
        ("exists" | "hasValue" | "anyTrue" | "anyFalse", Some(_)) => Term::FalseIfEmpty(of),
        // These may make something out of nothing.
        ("iif" | "combine" | "union" | "supersetOf" | "toString" | "aggregate" | "is" | "as", Some(_)) => {
            Term::Literal(Value::Unknown)
        }
        _ => Term::Beyond(of),
    }
}
