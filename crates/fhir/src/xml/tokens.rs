//! The tokens of an XML document, with their namespaces, bounded and strict.

use quick_xml::Reader;
use quick_xml::events::Event;
use quick_xml::events::attributes::Attributes;

use super::text::{attribute_value, is_blank, is_name};
use super::{FHIR, Fault, XHTML, shown};

/// How deep elements may nest, narratives included.
const MAX_DEPTH: usize = 256;
/// How many attributes one element may have; FHIR needs three.
const MAX_ATTRIBUTES: usize = 64;
/// How many prefixes may be declared at once; FHIR needs none.
const MAX_PREFIXES: usize = 64;

/// The namespaces that make a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Namespace {
    /// No namespace.
    Nothing,
    /// FHIR's.
    Fhir,
    /// The narrative's.
    Xhtml,
    /// That of `xsi:schemaLocation`, which says nothing to us.
    SchemaInstance,
    /// Any other.
    Other,
}

impl Namespace {
    fn named(url: &str) -> Self {
        match url {
            "" => Self::Nothing,
            FHIR => Self::Fhir,
            XHTML => Self::Xhtml,
            "http://www.w3.org/2001/XMLSchema-instance" => Self::SchemaInstance,
            _ => Self::Other,
        }
    }
}

/// An attribute that is no namespace declaration.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attribute<'a> {
    pub(super) name: &'a str,
    /// The value as it is spelt.
    pub(super) raw: &'a str,
    /// `Nothing` for an attribute without a prefix.
    pub(super) namespace: Namespace,
}

/// A start tag.
#[derive(Debug)]
pub(super) struct Tag<'a> {
    /// The name without its prefix.
    pub(super) name: &'a str,
    pub(super) prefix: &'a str,
    pub(super) namespace: Namespace,
    pub(super) attributes: Vec<Attribute<'a>>,
    /// Whether it declares the default namespace itself.
    pub(super) declares_default: bool,
    /// Where it starts.
    pub(super) start: usize,
}

/// A part of a document.
#[derive(Debug)]
pub(super) enum Token<'a> {
    /// A start tag. An element without an end tag closes with the next token.
    Open(Tag<'a>),
    /// An end.
    Close,
    /// Text, not blank; its references come as tokens of their own.
    Text,
    /// A reference: the name between `&` and `;`, and where it starts.
    Reference(&'a str, usize),
    /// The end of the document.
    End,
}

struct Prefix<'a> {
    name: &'a str,
    namespace: Namespace,
    /// The depth of the element that declares it.
    depth: usize,
}

/// Reads the tokens of a document one after the other.
pub(super) struct Tokens<'a> {
    text: &'a str,
    reader: Reader<&'a [u8]>,
    prefixes: Vec<Prefix<'a>>,
    depth: usize,
    /// Whether the last start tag closes itself.
    is_empty: bool,
    /// Whether there was anything yet but white space.
    has_begun: bool,
}

impl<'a> Tokens<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().check_comments = true;
        reader.config_mut().trim_markup_names_in_closing_tags = true;
        Self { text, reader, prefixes: Vec::new(), depth: 0, is_empty: false, has_begun: false }
    }

    /// The text of the document.
    pub(super) const fn text(&self) -> &'a str {
        self.text
    }

    /// Where the next token starts.
    pub(super) fn at(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(self.text.len()).min(self.text.len())
    }

    /// The next token that matters.
    pub(super) fn next(&mut self) -> Result<Token<'a>, Fault> {
        if std::mem::take(&mut self.is_empty) {
            return Ok(self.close());
        }
        loop {
            let start = self.at();
            let event = self.reader.read_event().map_err(|_| self.broken())?;
            let raw = self.text.get(start..self.at()).unwrap_or_default();
            let is_first = !std::mem::replace(&mut self.has_begun, true);
            match event {
                Event::Start(_) => return self.open(raw, start, false).map(Token::Open),
                Event::Empty(_) => return self.open(raw, start, true).map(Token::Open),
                Event::End(_) => return Ok(self.close()),
                Event::Text(_) if is_blank(raw) => {}
                Event::Text(_) if raw.contains("]]>") => {
                    return Err(Fault::new(start, "text holds ']]>'; write ]]&gt;"));
                }
                Event::Text(_) | Event::CData(_) => return Ok(Token::Text),
                Event::GeneralRef(_) => return Ok(Token::Reference(raw.trim_matches(['&', ';']), start)),
                Event::Comment(_) => {}
                Event::PI(_) => instruction(raw).map_err(|words| Fault::new(start, words))?,
                Event::Decl(_) if is_first && start == 0 => {
                    declaration(raw).map_err(|words| Fault::new(start, words))?
                }
                Event::Decl(_) => return Err(Fault::new(start, DECLARATION)),
                Event::DocType(_) => {
                    return Err(Fault::new(start, "a document type is not accepted; leave <!DOCTYPE …> out"));
                }
                Event::Eof if self.depth > 0 => return Err(Fault::new(self.text.len(), "the document ends too early")),
                Event::Eof => return Ok(Token::End),
            }
        }
    }

    /// What quick-xml stumbled over.
    fn broken(&self) -> Fault {
        let at = usize::try_from(self.reader.error_position()).unwrap_or(self.text.len());
        Fault::new(at, "this is not well-formed XML: a tag, a comment or a reference is not complete or does not match")
    }

    fn close(&mut self) -> Token<'a> {
        while self.prefixes.last().is_some_and(|it| it.depth == self.depth) {
            self.prefixes.pop();
        }
        self.depth = self.depth.saturating_sub(1);
        Token::Close
    }

    /// Reads a start tag, from its `<` to its `>`.
    fn open(&mut self, raw: &'a str, start: usize, is_empty: bool) -> Result<Tag<'a>, Fault> {
        if self.depth == MAX_DEPTH {
            return Err(Fault::new(start, format!("elements are nested more than {MAX_DEPTH} levels deep")));
        }
        self.depth += 1;
        self.is_empty = is_empty;
        let inside = raw.strip_prefix('<').and_then(|it| it.strip_suffix('>')).unwrap_or_default();
        let inside = if is_empty { inside.strip_suffix('/').unwrap_or(inside) } else { inside };
        let name_end = inside.find([' ', '\t', '\n', '\r']).unwrap_or(inside.len());
        let (prefix, name) = split(&inside[..name_end]);
        if !is_name(name) || !(prefix.is_empty() || is_name(prefix)) {
            return Err(Fault::new(start, "a tag has no proper name"));
        }
        let mut spelt: Vec<(&'a str, &'a str)> = Vec::new();
        let mut declares_default = false;
        for attribute in Attributes::new(inside, name_end) {
            let words = "an attribute is not complete, has no quotes, or is there twice";
            let attribute = attribute.map_err(|_| Fault::new(start, words))?;
            if spelt.len() == MAX_ATTRIBUTES {
                return Err(Fault::new(start, format!("an element has more than {MAX_ATTRIBUTES} attributes")));
            }
            let key = slice_of(inside, attribute.key.as_ref());
            let raw = slice_of(inside, &attribute.value);
            let (key_prefix, key_name) = split(key);
            let is_apart = after(inside, raw).is_none_or(|byte| byte.is_ascii_whitespace());
            if !is_apart || !is_name(key_name) || !(key_prefix.is_empty() || is_name(key_prefix)) {
                return Err(Fault::new(start, "an attribute has no proper name, or is not set apart from the next"));
            }
            if key == "xmlns" || key.starts_with("xmlns:") {
                declares_default |= key == "xmlns";
                self.declare(split(key), raw, start)?;
            }
            spelt.push((key, raw));
        }
        let declared = spelt.into_iter().filter(|(key, _)| *key != "xmlns" && !key.starts_with("xmlns:"));
        let attributes = declared.map(|(key, raw)| {
            let (prefix, name) = split(key);
            let namespace = if prefix.is_empty() { Namespace::Nothing } else { self.namespace(prefix, start)? };
            Ok(Attribute { name, raw, namespace })
        });
        let attributes = attributes.collect::<Result<Vec<_>, Fault>>()?;
        let namespace = self.namespace(prefix, start)?;
        Ok(Tag { name, prefix, namespace, attributes, declares_default, start })
    }

    fn declare(&mut self, (xmlns, name): (&'a str, &'a str), raw: &'a str, start: usize) -> Result<(), Fault> {
        if self.prefixes.len() == MAX_PREFIXES {
            return Err(Fault::new(start, format!("more than {MAX_PREFIXES} namespaces are declared at once")));
        }
        let url = attribute_value(raw).map_err(|words| Fault::new(start, words))?;
        let name = if xmlns.is_empty() { "" } else { name };
        self.prefixes.push(Prefix { name, namespace: Namespace::named(&url), depth: self.depth });
        Ok(())
    }

    fn namespace(&self, prefix: &str, start: usize) -> Result<Namespace, Fault> {
        let found = self.prefixes.iter().rev().find(|it| it.name == prefix).map(|it| it.namespace);
        match found {
            Some(namespace) => Ok(namespace),
            None if prefix.is_empty() => Ok(Namespace::Nothing),
            None if prefix == "xml" => Ok(Namespace::Other),
            None => Err(Fault::new(start, format!("the prefix '{}' is not declared", shown(prefix)))),
        }
    }
}

/// The prefix of a name and the rest.
fn split(name: &str) -> (&str, &str) {
    name.split_once(':').unwrap_or(("", name))
}

/// The part of `whole` that `part` is a slice of; it always is one, since quick-xml borrows.
fn slice_of<'a>(whole: &'a str, part: &str) -> &'a str {
    let start = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
    whole.get(start..start.saturating_add(part.len())).unwrap_or_default()
}

/// The byte after the closing quote of an attribute's value.
fn after(inside: &str, raw: &str) -> Option<u8> {
    let start = (raw.as_ptr() as usize).wrapping_sub(inside.as_ptr() as usize);
    inside.as_bytes().get(start + raw.len() + 1).copied()
}

const DECLARATION: &str = "an XML declaration stands only at the very start";

/// Checks a processing instruction: all that matters is that it is none of XML's own.
fn instruction(raw: &str) -> Result<(), &'static str> {
    let inside = raw.strip_prefix("<?").and_then(|it| it.strip_suffix("?>")).unwrap_or_default();
    let target = inside.split([' ', '\t', '\n', '\r']).next().unwrap_or_default();
    if target.eq_ignore_ascii_case("xml") {
        return Err(DECLARATION);
    }
    if is_name(target) { Ok(()) } else { Err("a processing instruction has no proper name") }
}

/// Checks an XML declaration: version 1.0, and UTF-8 if it says an encoding.
fn declaration(raw: &str) -> Result<(), &'static str> {
    let inside = raw.strip_prefix("<?xml").and_then(|it| it.strip_suffix("?>")).unwrap_or_default();
    let mut has_version = false;
    for attribute in Attributes::new(inside, 0) {
        let attribute = attribute.map_err(|_| "the XML declaration is not complete")?;
        match (attribute.key.as_ref(), &*attribute.value) {
            ("version", "1.0") => has_version = true,
            ("standalone", "yes" | "no") => {}
            ("encoding", name) if name.eq_ignore_ascii_case("utf-8") => {}
            ("encoding", _) => return Err("FHIR XML is in UTF-8; send it so and say encoding=\"UTF-8\" or nothing"),
            _ => return Err("the XML declaration is not one of XML 1.0"),
        }
    }
    if has_version { Ok(()) } else { Err("the XML declaration is not one of XML 1.0") }
}
