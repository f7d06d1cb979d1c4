//! Takes an expression's text apart into tokens (FHIRPath N1, grammar).

use std::borrow::Cow;

use super::error::{ParseError, ParseFault};

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'t> {
    /// A name or a keyword.
    Name(&'t str),
    /// A name in back quotes: never a keyword.
    Quoted(Cow<'t, str>),
    /// A text in single quotes.
    Text(Cow<'t, str>),
    /// Digits.
    Integer(&'t str),
    /// Digits, a point, digits.
    Decimal(&'t str),
    /// `@2015-02`, without the `@`.
    Date(&'t str),
    /// `@2015-02T`, without the `@`.
    DateTime(&'t str),
    /// `@T14:30`, without the `@T`.
    Time(&'t str),
    /// `$this` and the like, without the `$`.
    Special(&'t str),
    /// An operator or bracket.
    Mark(&'static str),
    /// The end of the text.
    End,
}

/// Longer marks first, so that `<=` is not read as `<`.
const MARKS: [&str; 24] = [
    "<=", ">=", "!=", "!~", "(", ")", "[", "]", "{", "}", ".", ",", "+", "-", "*", "/", "&", "|", "<", ">", "=", "~",
    "%", ":",
];

/// A token and how many bytes stand before it.
pub(super) type Placed<'t> = (usize, Token<'t>);

pub(super) fn tokens(text: &str) -> Result<Vec<Placed<'_>>, ParseError> {
    let mut lexer = Lexer { text, at: 0 };
    let mut found = Vec::with_capacity(text.len() / 4 + 1);
    loop {
        lexer.space()?;
        let at = lexer.at;
        let token = lexer.token().map_err(|fault| ParseError { at, fault })?;
        let end = token == Token::End;
        found.push((at, token));
        if end {
            return Ok(found);
        }
    }
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next bytes that the test accepts.
    fn run(&mut self, accept: impl Fn(u8) -> bool) -> &'t str {
        let rest = self.rest();
        let length = rest.bytes().position(|byte| !accept(byte)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    /// Steps over white space and comments.
    fn space(&mut self) -> Result<(), ParseError> {
        loop {
            self.run(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
            let rest = self.rest();
            if rest.starts_with("//") {
                self.run(|byte| byte != b'\n' && byte != b'\r');
            } else if let Some(comment) = rest.strip_prefix("/*") {
                let fault = ParseFault::Unclosed("comment");
                let length = comment.find("*/").ok_or(ParseError { at: self.at, fault })?;
                self.at += length + 4;
            } else {
                return Ok(());
            }
        }
    }

    fn token(&mut self) -> Result<Token<'t>, ParseFault> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(Token::End) };
        match first {
            'A'..='Z' | 'a'..='z' | '_' => Ok(Token::Name(self.name())),
            '0'..='9' => Ok(self.number()),
            '\'' => self.quoted('\'', "text").map(Token::Text),
            '`' => self.quoted('`', "name").map(Token::Quoted),
            '@' => self.temporal(),
            '$' => {
                self.at += 1;
                Ok(Token::Special(self.name()))
            }
            _ => {
                let mark = MARKS.into_iter().find(|mark| rest.starts_with(mark)).ok_or(ParseFault::Character(first))?;
                self.at += mark.len();
                Ok(Token::Mark(mark))
            }
        }
    }

    fn name(&mut self) -> &'t str {
        self.run(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    }

    fn number(&mut self) -> Token<'t> {
        let start = self.at;
        let whole = self.run(|byte| byte.is_ascii_digit());
        // A point is part of the number only if a digit follows: `1.toString()` calls a function.
        if self.rest().as_bytes().first() == Some(&b'.')
            && self.rest().as_bytes().get(1).is_some_and(u8::is_ascii_digit)
        {
            self.at += 1;
            self.run(|byte| byte.is_ascii_digit());
            return Token::Decimal(self.text.get(start..self.at).unwrap_or_default());
        }
        Token::Integer(whole)
    }

    /// What stands between quotes, escapes resolved.
    fn quoted(&mut self, quote: char, what: &'static str) -> Result<Cow<'t, str>, ParseFault> {
        let inside = self.rest().get(1..).unwrap_or_default();
        let mut text = String::new();
        // Where the run of plain characters starts.
        let mut run = 0;
        let mut characters = inside.char_indices();
        while let Some((at, character)) = characters.next() {
            if character == quote {
                self.at += at + 2;
                let rest = inside.get(run..at).unwrap_or_default();
                return Ok(if run == 0 { Cow::Borrowed(rest) } else { Cow::Owned(text + rest) });
            }
            if character == '\\' {
                text.push_str(inside.get(run..at).unwrap_or_default());
                let escaped = inside.get(at + 1..).unwrap_or_default();
                let length = escape(escaped, &mut text)?;
                run = at + 1 + length;
                characters = inside.char_indices();
                while characters.offset() < run && characters.next().is_some() {}
            }
        }
        Err(ParseFault::Unclosed(what))
    }

    fn temporal(&mut self) -> Result<Token<'t>, ParseFault> {
        self.at += 1;
        let start = self.at;
        if self.rest().starts_with('T') {
            self.at += 1;
            let start = self.at;
            self.clock();
            return Ok(Token::Time(self.text.get(start..self.at).unwrap_or_default()));
        }
        self.digits(4);
        for _ in 0..2 {
            self.group(b'-', 2);
        }
        let mut token: fn(&'t str) -> Token<'t> = Token::Date;
        if self.rest().starts_with('T') {
            token = Token::DateTime;
            self.at += 1;
            if self.rest().as_bytes().first().is_some_and(u8::is_ascii_digit) {
                self.clock();
                self.zone();
            }
        }
        Ok(token(self.text.get(start..self.at).unwrap_or_default()))
    }

    /// Up to that many digits.
    fn digits(&mut self, most: usize) -> usize {
        let count = self.rest().bytes().take(most).take_while(u8::is_ascii_digit).count();
        self.at += count;
        count
    }

    /// A mark and digits, only if both are there.
    fn group(&mut self, mark: u8, most: usize) -> bool {
        let bytes = self.rest().as_bytes();
        let there = bytes.first() == Some(&mark) && bytes.get(1).is_some_and(u8::is_ascii_digit);
        if there {
            self.at += 1;
            self.digits(most);
        }
        there
    }

    fn clock(&mut self) {
        self.digits(2);
        if self.group(b':', 2) && self.group(b':', 2) {
            self.group(b'.', 30);
        }
    }

    fn zone(&mut self) {
        if self.rest().starts_with('Z') {
            self.at += 1;
        } else if self.group(b'+', 2) || self.group(b'-', 2) {
            self.group(b':', 2);
        }
    }
}

/// Reads what follows a backslash, and answers how long it is. An escape that FHIRPath does not name stays as it stands,
/// backslash included: regular expressions in HL7's own invariants (R4 `eld-19`) rely on it.
fn escape(rest: &str, text: &mut String) -> Result<usize, ParseFault> {
    let Some(first) = rest.chars().next() else { return Err(ParseFault::Escape) };
    let plain = match first {
        '\'' | '"' | '`' | '\\' | '/' => first,
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            let code = rest.get(1..5).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
            let code = code.and_then(|digits| u32::from_str_radix(digits, 16).ok()).ok_or(ParseFault::Escape)?;
            if let Some(character) = char::from_u32(code) {
                text.push(character);
                return Ok(5);
            }
            // The second half of a pair, for what lies beyond the first plane.
            let second = rest.get(5..11).and_then(|pair| u32::from_str_radix(pair.strip_prefix("\\u")?, 16).ok());
            let second = second.filter(|second| (0xdc00..0xe000).contains(second) && code < 0xdc00);
            let joined = second.map(|second| 0x10000 + ((code - 0xd800) << 10) + (second - 0xdc00));
            text.push(joined.and_then(char::from_u32).ok_or(ParseFault::Escape)?);
            return Ok(11);
        }
        other => {
            text.push('\\');
            other
        }
    };
    text.push(plain);
    Ok(first.len_utf8())
}
