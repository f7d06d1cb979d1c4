//! A cursor over compact JSON.

use std::borrow::Cow;
use std::ops::Range;

use super::outline::Fields;
use super::text::{closing_quote, unescape};

/// One value inside a compact document: just the slice of text that spells it. Copying it copies a reference.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Node<'a>(&'a str);

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An object.
    Object,
    /// An array.
    Array,
    /// A string.
    String,
    /// A number.
    Number,
    /// `true` or `false`.
    Bool,
    /// `null`, or nothing at all.
    Null,
}

impl<'a> Node<'a> {
    /// The document in bytes that [`super::compact`] made; `None` if they are not even UTF-8.
    #[must_use]
    pub fn new(compact: &'a [u8]) -> Option<Self> {
        std::str::from_utf8(compact).ok().map(Self)
    }

    /// The document in text that [`super::compact`] made.
    #[must_use]
    pub const fn of_text(compact: &'a str) -> Self {
        Self(compact)
    }

    /// The text that spells the value.
    #[must_use]
    pub const fn raw(self) -> &'a str {
        self.0
    }

    /// Where the value stands in `bytes`, if it is a part of them.
    #[must_use]
    pub fn place_in(self, bytes: &[u8]) -> Option<Range<usize>> {
        let start = (self.0.as_ptr() as usize).checked_sub(bytes.as_ptr() as usize)?;
        let end = start + self.0.len();
        (end <= bytes.len()).then_some(start..end)
    }

    /// What the value is.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self.0.as_bytes().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'-' | b'0'..=b'9') => Kind::Number,
            _ => Kind::Null,
        }
    }

    /// A string's text, escapes resolved; `None` for anything else.
    #[must_use]
    pub fn text(self) -> Option<Cow<'a, str>> {
        self.inside('"').map(unescape)
    }

    /// A number's text exactly as it was sent (`1.50` stays `1.50`); `None` for anything else.
    #[must_use]
    pub fn number(self) -> Option<&'a str> {
        (self.kind() == Kind::Number).then_some(self.0)
    }

    /// A boolean; `None` for anything else.
    #[must_use]
    pub fn boolean(self) -> Option<bool> {
        match self.0 {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// The members of an object in the order they were sent; nothing for anything else.
    #[must_use]
    pub fn members(self) -> Members<'a> {
        Members { text: self.0, at: if self.kind() == Kind::Object { 1 } else { self.0.len() } }
    }

    /// The items of an array; nothing for anything else.
    #[must_use]
    pub fn items(self) -> Items<'a> {
        Items { text: self.0, at: if self.kind() == Kind::Array { 1 } else { self.0.len() } }
    }

    /// The items of an array, or the value itself if it is not an array: for elements that some feeds send unwrapped.
    pub fn each(self) -> impl Iterator<Item = Node<'a>> {
        let alone = (self.kind() != Kind::Array).then_some(self);
        alone.into_iter().chain(self.items())
    }

    /// The member of that name.
    #[must_use]
    pub fn get(self, name: &str) -> Option<Node<'a>> {
        self.members().find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    /// The text of the member of that name.
    #[must_use]
    pub fn get_text(self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).and_then(Node::text)
    }

    /// The first value at a dotted path; in an array on the way the first item that has the rest of the path counts.
    #[must_use]
    pub fn first(self, path: &str) -> Option<Node<'a>> {
        let mut found = None;
        self.visit(path, &mut |node| {
            found = Some(node);
            false
        });
        found
    }

    /// Every value at a dotted path, arrays on the way flattened.
    #[must_use]
    pub fn all(self, path: &str) -> Vec<Node<'a>> {
        let mut found = Vec::new();
        self.visit(path, &mut |node| {
            found.push(node);
            true
        });
        found
    }

    /// Walks a path; `see` answers whether to go on.
    fn visit(self, path: &str, see: &mut dyn FnMut(Node<'a>) -> bool) -> bool {
        if self.kind() == Kind::Array {
            return self.items().all(|item| item.visit(path, see));
        }
        if path.is_empty() {
            return see(self);
        }
        let (name, rest) = path.split_once('.').unwrap_or((path, ""));
        self.get(name).is_none_or(|member| member.visit(rest, see))
    }

    /// An object's members, walked once and kept for many look-ups.
    #[must_use]
    pub fn fields(self) -> Fields<'a> {
        Fields::walk(self)
    }

    /// The text between a value's first and last byte, if the first is `quote`.
    fn inside(self, quote: char) -> Option<&'a str> {
        self.0.strip_prefix(quote)?.strip_suffix(quote)
    }
}

impl std::fmt::Debug for Node<'_> {
    /// Never the content: documents hold personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Node({:?}, {} bytes)", self.kind(), self.0.len())
    }
}

/// The end of the value that starts at `at`.
pub(crate) fn value_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    match bytes.get(at)? {
        b'"' => Some(closing_quote(bytes, at + 1)? + 1),
        b'{' | b'[' => {
            let mut depth = 0usize;
            loop {
                match bytes.get(at)? {
                    b'"' => at = closing_quote(bytes, at + 1)?,
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => {
                        depth -= 1;
                        if depth == 0 {
                            return Some(at + 1);
                        }
                    }
                    _ => {}
                }
                at += 1;
            }
        }
        _ => {
            while !matches!(bytes.get(at), None | Some(b',' | b'}' | b']')) {
                at += 1;
            }
            Some(at)
        }
    }
}

/// The members of an object.
#[derive(Clone)]
pub struct Members<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Members<'a> {
    fn step(&mut self) -> Option<(&'a str, Node<'a>)> {
        let bytes = self.text.as_bytes();
        let name_start = self.at + 1;
        if bytes.get(self.at) != Some(&b'"') {
            return None;
        }
        let name_end = closing_quote(bytes, name_start)?;
        let start = name_end + 2;
        let end = value_end(bytes, start)?;
        self.at = end + 1;
        Some((self.text.get(name_start..name_end)?, Node(self.text.get(start..end)?)))
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, Node<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step();
        if step.is_none() {
            self.at = self.text.len();
        }
        step
    }
}

/// The items of an array.
#[derive(Clone)]
pub struct Items<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Items<'a> {
    type Item = Node<'a>;

    fn next(&mut self) -> Option<Node<'a>> {
        let bytes = self.text.as_bytes();
        let end = value_end(bytes, self.at).filter(|&end| end > self.at).unwrap_or(self.at);
        let item = self.text.get(self.at..end).filter(|item| !item.is_empty()).map(Node);
        self.at = if item.is_some() { end + 1 } else { bytes.len() };
        item
    }
}
