//! Reading the FHIRPath of search parameters: the small part of the language that nearly all of them are written in.

/// An expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expression {
    /// The first word: a type's name or an element of where the expression starts.
    Name(String),
    /// `%resource`.
    Resource,
    /// `a.b`.
    Field(Box<Self>, String),
    /// `a[0]`.
    Index(Box<Self>, usize),
    /// `a as T`, `a.as(T)`, `a.ofType(T)`.
    OfType(Box<Self>, String),
    /// `a.where(…)`, all of the conditions.
    Where(Box<Self>, Vec<Condition>),
    /// `a | b`.
    Union(Vec<Self>),
    /// `a.exists() and a != false`.
    SaidAndNotFalse(Box<Self>),
}

/// What `where` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// `resolve() is T`.
    ResolvesTo(String),
    /// `a.b = 'literal'`.
    Equals(Vec<String>, String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    Name(String),
    Text(String),
    Number(usize),
    Mark(char),
    Differs,
}

/// Reads an expression; `None` if it uses more of the language than is known here.
pub(super) fn parse(text: &str) -> Option<Expression> {
    let mut reader = Reader { words: words(text)?, at: 0, depth: 0 };
    let expression = reader.whole()?;
    (reader.at == reader.words.len()).then_some(expression)
}

fn words(text: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, length) = match first {
            'a'..='z' | 'A'..='Z' | '_' | '%' => {
                let end =
                    rest[1..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(rest.len(), |at| at + 1);
                (Word::Name(rest[..end].to_owned()), end)
            }
            '0'..='9' => {
                let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
                (Word::Number(rest[..end].parse().ok()?), end)
            }
            '`' | '\'' => {
                let end = rest[1..].find(first)? + 1;
                let inside = rest[1..end].to_owned();
                if inside.contains('\\') {
                    return None;
                }
                (if first == '`' { Word::Name(inside) } else { Word::Text(inside) }, end + 1)
            }
            '!' if rest.starts_with("!=") => (Word::Differs, 2),
            '.' | '(' | ')' | '[' | ']' | '|' | '=' => (Word::Mark(first), 1),
            _ => return None,
        };
        words.push(word);
        rest = rest[length..].trim_start();
    }
    Some(words)
}

/// Deeper brackets are not read.
const MOST_BRACKETS: usize = 16;

struct Reader {
    words: Vec<Word>,
    at: usize,
    depth: usize,
}

impl Reader {
    fn next(&mut self) -> Option<Word> {
        let word = self.words.get(self.at).cloned();
        self.at += usize::from(word.is_some());
        word
    }

    fn eat(&mut self, word: &Word) -> bool {
        let found = self.words.get(self.at) == Some(word);
        self.at += usize::from(found);
        found
    }

    fn eat_mark(&mut self, mark: char) -> Option<()> {
        self.eat(&Word::Mark(mark)).then_some(())
    }

    fn eat_name(&mut self, name: &str) -> bool {
        let found = matches!(self.words.get(self.at), Some(Word::Name(it)) if it == name);
        self.at += usize::from(found);
        found
    }

    fn name(&mut self) -> Option<String> {
        match self.next()? {
            Word::Name(name) => Some(name),
            _ => None,
        }
    }

    /// A type's name, perhaps behind `FHIR.`.
    fn type_name(&mut self) -> Option<String> {
        let name = self.name()?;
        if name == "FHIR" && self.eat(&Word::Mark('.')) { self.name() } else { Some(name) }
    }

    /// A union, or the one rule with `and` that R4 has (`Patient.deceased`).
    fn whole(&mut self) -> Option<Expression> {
        let word = |name: &str| Word::Name(name.to_owned());
        let Some(both) = self.words.strip_suffix([Word::Differs, word("false")].as_slice()) else {
            return self.union();
        };
        let and = both.iter().position(|it| *it == word("and"))?;
        let exists = [Word::Mark('.'), word("exists"), Word::Mark('('), Word::Mark(')')];
        let what = both.get(..and)?.strip_suffix(exists.as_slice())?;
        if both.get(and + 1..)? != what {
            return None;
        }
        let mut inner = Self { words: what.to_vec(), at: 0, depth: 0 };
        let expression = inner.union()?;
        self.at = self.words.len();
        (inner.at == inner.words.len()).then(|| Expression::SaidAndNotFalse(Box::new(expression)))
    }

    fn union(&mut self) -> Option<Expression> {
        self.depth += 1;
        if self.depth > MOST_BRACKETS {
            return None;
        }
        let mut parts = vec![self.typed()?];
        while self.eat(&Word::Mark('|')) {
            parts.push(self.typed()?);
        }
        self.depth -= 1;
        if parts.len() == 1 { parts.pop() } else { Some(Expression::Union(parts)) }
    }

    fn typed(&mut self) -> Option<Expression> {
        let expression = self.path()?;
        if self.eat_name("as") {
            return Some(Expression::OfType(Box::new(expression), self.type_name()?));
        }
        Some(expression)
    }

    fn path(&mut self) -> Option<Expression> {
        let mut expression = match self.next()? {
            Word::Mark('(') => {
                let inside = self.union()?;
                self.eat_mark(')')?;
                inside
            }
            Word::Name(name) if name == "%resource" => Expression::Resource,
            Word::Name(name) if !name.starts_with('%') => {
                if self.words.get(self.at) == Some(&Word::Mark('(')) {
                    return None;
                }
                Expression::Name(name)
            }
            _ => return None,
        };
        loop {
            if self.eat(&Word::Mark('[')) {
                let Word::Number(index) = self.next()? else { return None };
                self.eat_mark(']')?;
                expression = Expression::Index(Box::new(expression), index);
            } else if self.eat(&Word::Mark('.')) {
                expression = self.step(expression)?;
            } else {
                return Some(expression);
            }
        }
    }

    fn step(&mut self, from: Expression) -> Option<Expression> {
        let from = Box::new(from);
        let name = self.name()?;
        if !self.eat(&Word::Mark('(')) {
            return Some(Expression::Field(from, name));
        }
        let step = match &*name {
            "ofType" | "as" => Expression::OfType(from, self.type_name()?),
            "where" => Expression::Where(from, self.conditions()?),
            "extension" => {
                let Word::Text(url) = self.next()? else { return None };
                let extensions = Expression::Field(from, "extension".to_owned());
                Expression::Where(Box::new(extensions), vec![Condition::Equals(vec!["url".to_owned()], url)])
            }
            "first" => Expression::Index(from, 0),
            _ => return None,
        };
        self.eat_mark(')')?;
        Some(step)
    }

    fn conditions(&mut self) -> Option<Vec<Condition>> {
        let mut conditions = vec![self.condition()?];
        while self.eat_name("and") {
            conditions.push(self.condition()?);
        }
        Some(conditions)
    }

    fn condition(&mut self) -> Option<Condition> {
        let mut path = vec![self.name()?];
        if path == ["resolve"] {
            self.eat_mark('(')?;
            self.eat_mark(')')?;
            return self.eat_name("is").then(|| self.type_name()).flatten().map(Condition::ResolvesTo);
        }
        while self.eat(&Word::Mark('.')) {
            path.push(self.name()?);
        }
        self.eat_mark('=')?;
        match self.next()? {
            Word::Text(literal) => Some(Condition::Equals(path, literal)),
            Word::Name(literal) if literal == "true" || literal == "false" => Some(Condition::Equals(path, literal)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_search_parameters_are_written_in_is_read() {
        let name = |name: &str| Box::new(Expression::Name(name.to_owned()));
        let field = |from, name: &str| Box::new(Expression::Field(from, name.to_owned()));
        for (text, expected) in [
            ("Patient.active", *field(name("Patient"), "active")),
            (
                "(Observation.value as Quantity) | Observation.value.ofType(SampledData)",
                Expression::Union(vec![
                    Expression::OfType(field(name("Observation"), "value"), "Quantity".to_owned()),
                    Expression::OfType(field(name("Observation"), "value"), "SampledData".to_owned()),
                ]),
            ),
            (
                "Account.subject.where(resolve() is Patient)",
                Expression::Where(field(name("Account"), "subject"), vec![Condition::ResolvesTo("Patient".to_owned())]),
            ),
            (
                "Patient.deceased.exists() and Patient.deceased != false",
                Expression::SaidAndNotFalse(field(name("Patient"), "deceased")),
            ),
            (
                "Bundle.entry[0].resource",
                *field(Box::new(Expression::Index(field(name("Bundle"), "entry"), 0)), "resource"),
            ),
            (
                "Patient.extension('http://x').value",
                *field(
                    Box::new(Expression::Where(
                        field(name("Patient"), "extension"),
                        vec![Condition::Equals(vec!["url".to_owned()], "http://x".to_owned())],
                    )),
                    "value",
                ),
            ),
        ] {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
        assert!(parse("Patient.telecom.where(system='phone' and use='home').value").is_some());
    }

    #[test]
    fn what_is_more_than_that_is_left_to_others() {
        for text in [
            "",
            "a.b(",
            "a.all(b)",
            "a + b",
            "a and b",
            "iif(a, b)",
            "%foo.bar",
            "a.where(b > 1)",
            "'x'",
            "a..b",
            "a b",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse(&"(".repeat(100_000)), None);
    }

    proptest! {
        #[test]
        fn no_expression_panics(text in "([a-zA-Z.()|\\[\\]0-9'!=% ]|where|resolve\\(\\) is|and|exists\\(\\)){0,60}|.*") {
            let _ = parse(&text);
        }
    }
}
