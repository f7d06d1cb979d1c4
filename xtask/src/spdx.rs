//! Licence expressions as SPDX writes them (`(MIT OR Apache-2.0) AND Unicode-3.0`), and whether a list allows one.

/// A licence expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expression {
    /// One licence, with its exception if it has one: `Apache-2.0 WITH LLVM-exception`.
    Licence(String),
    /// All apply.
    All(Vec<Expression>),
    /// The user chooses.
    Any(Vec<Expression>),
}

impl Expression {
    /// Parses an expression. The slash that older crates write between two licences means OR.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let spaced = text.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
        let words: Vec<&str> = spaced.split_whitespace().collect();
        let mut parser = Parser { words: &words };
        let expression = parser.any()?;
        match parser.words.first() {
            None => Ok(expression),
            Some(word) => Err(format!("`{text}` has an unexpected `{word}`")),
        }
    }

    /// Whether some choice of the ORs leaves only licences of the list.
    pub(crate) fn allowed_by(&self, list: &[String]) -> bool {
        match self {
            Self::Licence(name) => list.contains(name),
            Self::All(parts) => parts.iter().all(|part| part.allowed_by(list)),
            Self::Any(parts) => parts.iter().any(|part| part.allowed_by(list)),
        }
    }
}

/// Recursive descent; OR binds weakest, then AND, then WITH.
struct Parser<'a> {
    words: &'a [&'a str],
}

impl Parser<'_> {
    fn take(&mut self, keyword: &str) -> bool {
        let found = self.words.first().is_some_and(|word| word.eq_ignore_ascii_case(keyword));
        if found {
            self.words = &self.words[1..];
        }
        found
    }

    fn any(&mut self) -> Result<Expression, String> {
        let mut parts = vec![self.all()?];
        while self.take("OR") {
            parts.push(self.all()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::Any(parts) })
    }

    fn all(&mut self) -> Result<Expression, String> {
        let mut parts = vec![self.one()?];
        while self.take("AND") {
            parts.push(self.one()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::All(parts) })
    }

    fn one(&mut self) -> Result<Expression, String> {
        if self.take("(") {
            let inner = self.any()?;
            return if self.take(")") { Ok(inner) } else { Err("a bracket is not closed".into()) };
        }
        let name = self.name()?;
        if self.take("WITH") {
            let exception = self.name()?;
            return Ok(Expression::Licence(format!("{name} WITH {exception}")));
        }
        Ok(Expression::Licence(name))
    }

    fn name(&mut self) -> Result<String, String> {
        match self.words.split_first() {
            Some((word, rest)) if !["AND", "OR", "WITH", "(", ")"].contains(word) => {
                self.words = rest;
                Ok((*word).to_owned())
            }
            Some((word, _)) => Err(format!("a licence should stand where `{word}` is")),
            None => Err("the expression ends where a licence should stand".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(text: &str) -> bool {
        let list = ["MIT", "Apache-2.0", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception"].map(String::from);
        Expression::parse(text).unwrap().allowed_by(&list)
    }

    #[test]
    fn one_choice_of_an_or_is_enough() {
        assert!(allowed("MIT"));
        assert!(allowed("Unlicense OR MIT"));
        assert!(allowed("Apache-2.0 OR GPL-2.0-only"));
        assert!(allowed("Apache-2.0/MIT"));
        assert!(!allowed("GPL-3.0-only"));
        assert!(!allowed("GPL-3.0-only OR SSPL-1.0"));
    }

    #[test]
    fn every_part_of_an_and_must_be_allowed() {
        assert!(allowed("(MIT OR Apache-2.0) AND Unicode-3.0"));
        assert!(!allowed("MIT AND OpenSSL"));
        assert!(!allowed("(MIT OR Apache-2.0) AND (GPL-2.0-only OR LGPL-2.1-only)"));
    }

    #[test]
    fn and_binds_tighter_than_or() {
        assert!(allowed("MIT OR GPL-2.0-only AND OpenSSL"));
        assert!(!allowed("(MIT OR GPL-2.0-only) AND OpenSSL"));
    }

    #[test]
    fn an_exception_is_a_licence_of_its_own() {
        assert!(allowed("Apache-2.0 WITH LLVM-exception OR GPL-2.0-only"));
        assert!(!allowed("MIT WITH LLVM-exception"));
        assert!(!allowed("GPL-2.0-only WITH Classpath-exception-2.0"));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "MIT OR", "(MIT", "MIT)", "MIT Apache-2.0", "AND MIT", "MIT WITH", "()"] {
            assert!(Expression::parse(text).is_err(), "{text}");
        }
    }
}
