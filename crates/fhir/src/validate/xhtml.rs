//! Narrative: the small part of XHTML that FHIR R4 §2.4.0 allows inside `Narrative.div` (rules txt-1 and txt-2), and no way
//! to run anything.
//!
//! One pass with a bounded stack; the text is never turned into a tree.

use std::borrow::Cow;

/// How deep elements may nest.
const DEEPEST: usize = 100;
const NAMESPACE: &str = "http://www.w3.org/1999/xhtml";

/// The elements of HTML 4 chapters 7 to 11 and 15 (without marks of change and without what HTML 4
/// deprecates), links and images.
const ELEMENTS: [&str; 53] = [
    "a",
    "abbr",
    "acronym",
    "address",
    "area",
    "b",
    "bdo",
    "big",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "kbd",
    "li",
    "map",
    "ol",
    "p",
    "pre",
    "q",
    "samp",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "ul",
    "var",
];
/// Attributes of any element.
const COMMON: [&str; 22] = [
    "abbr",
    "accesskey",
    "align",
    "axis",
    "char",
    "charoff",
    "class",
    "colspan",
    "dir",
    "headers",
    "id",
    "lang",
    "rowspan",
    "scope",
    "span",
    "style",
    "tabindex",
    "title",
    "valign",
    "width",
    "xml:lang",
    "xmlns",
];
/// Attributes of one element.
const SPECIAL: [(&str, &[&str]); 9] = [
    ("a", &["charset", "coords", "href", "hreflang", "name", "rel", "rev", "shape", "type"]),
    ("area", &["alt", "coords", "href", "nohref", "shape"]),
    ("blockquote", &["cite"]),
    ("img", &["alt", "border", "height", "ismap", "longdesc", "src", "usemap"]),
    ("map", &["name"]),
    ("pre", &["xml:space"]),
    ("q", &["cite"]),
    ("table", &["border", "cellpadding", "cellspacing", "frame", "rules", "summary"]),
    ("td", &["nowrap"]),
];

type Fault = Cow<'static, str>;

/// What is wrong with a narrative's `div`, in words that complete "the narrative …", or `None` if nothing is.
#[must_use]
pub fn fault(text: &str) -> Option<Fault> {
    Reader { text, at: 0, open: [""; DEEPEST], depth: 0, says_something: false }.document().err()
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    open: [&'a str; DEEPEST],
    depth: usize,
    says_something: bool,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn document(mut self) -> Result<(), Fault> {
        self.space();
        if !self.rest().starts_with("<div") {
            return Err("starts with something else than <div>; put all of it into one <div>".into());
        }
        self.tag()?;
        while self.depth > 0 {
            self.content()?;
        }
        self.space();
        if !self.rest().is_empty() {
            return Err("goes on after its </div>; put all of it into one <div>".into());
        }
        if !self.says_something {
            return Err("says nothing; write some words or leave the narrative out".into());
        }
        Ok(())
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    /// Text up to the next tag, and that tag.
    fn content(&mut self) -> Result<(), Fault> {
        let rest = self.rest();
        let Some(length) = memchr::memchr(b'<', rest.as_bytes()) else {
            return Err(format!("ends inside <{}>; close every element", self.open[self.depth - 1]).into());
        };
        let words = &rest[..length];
        entities(words)?;
        self.says_something |= words.bytes().any(|byte| !byte.is_ascii_whitespace());
        self.at += length;
        let rest = self.rest();
        if let Some(comment) = rest.strip_prefix("<!--") {
            let end = comment.find("-->").ok_or("holds a comment that is not closed")?;
            self.at += end + 7;
        } else if rest.starts_with("<!") || rest.starts_with("<?") {
            return Err("holds a declaration (<! or <?); only elements, text and comments are allowed".into());
        } else if let Some(name) = rest.strip_prefix("</") {
            self.close(name)?;
        } else {
            self.tag()?;
        }
        Ok(())
    }

    fn close(&mut self, after: &'a str) -> Result<(), Fault> {
        let name = name_at(after);
        let open = self.open[self.depth - 1];
        if name != open {
            return Err(format!("closes <{}> where <{open}> is open", shown(name)).into());
        }
        self.at += 2 + name.len();
        self.space();
        if !self.rest().starts_with('>') {
            return Err(format!("has a closing tag </{name} that does not end with >").into());
        }
        self.at += 1;
        self.depth -= 1;
        Ok(())
    }

    /// An opening tag with its attributes.
    fn tag(&mut self) -> Result<(), Fault> {
        self.at += 1;
        let name = name_at(self.rest());
        if !ELEMENTS.contains(&name) {
            return Err(format!(
                "holds <{}>, which is not allowed in narrative: it may only be text, lists, tables, links and images",
                shown(name)
            )
            .into());
        }
        self.says_something |= name == "img";
        self.at += name.len();
        let start = self.at;
        let mut namespace = None;
        loop {
            let before = self.at;
            self.space();
            let rest = self.rest();
            if rest.starts_with('>') || rest.starts_with("/>") {
                break;
            }
            if before == self.at {
                return Err(format!("has a tag <{name}> that cannot be read").into());
            }
            let (attribute, value) = self.attribute(name)?;
            if self.text.get(start..before).is_some_and(|earlier| has_attribute(earlier, attribute)) {
                return Err(format!("has the attribute {attribute} twice on <{name}>").into());
            }
            if attribute == "xmlns" {
                namespace = Some(value);
            }
        }
        let root = self.depth == 0;
        if namespace.map_or(root, |namespace| namespace != NAMESPACE) {
            return Err(format!("is not in the namespace of XHTML; write <div xmlns=\"{NAMESPACE}\">").into());
        }
        if self.rest().starts_with('>') {
            if self.depth == DEEPEST {
                return Err(format!("nests elements more than {DEEPEST} levels deep").into());
            }
            self.open[self.depth] = name;
            self.depth += 1;
            self.at += 1;
        } else {
            self.at += 2;
        }
        Ok(())
    }

    /// An attribute of `element` and its value.
    fn attribute(&mut self, element: &str) -> Result<(&'a str, &'a str), Fault> {
        let name = name_at(self.rest());
        let own = SPECIAL.iter().find(|(other, _)| *other == element).map_or(&[][..], |(_, own)| own);
        if !COMMON.contains(&name) && !own.contains(&name) {
            return Err(format!("has the attribute {} on <{element}>, which is not allowed", shown(name)).into());
        }
        self.at += name.len();
        self.space();
        let broken = || Fault::from(format!("has the attribute {name} on <{element}> without a value in quotes"));
        if !self.rest().starts_with('=') {
            return Err(broken());
        }
        self.at += 1;
        self.space();
        let rest = self.rest();
        let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\'')).ok_or_else(broken)?;
        let value = &rest[1..];
        let value = &value[..value.find(quote).ok_or_else(broken)?];
        self.at += value.len() + 2;
        if value.contains('<') {
            return Err(format!("has a < in the attribute {name} on <{element}>; write &lt;").into());
        }
        entities(value)?;
        if runs_something(name, value) {
            return Err(format!("could run a script from the attribute {name} on <{element}>").into());
        }
        Ok((name, value))
    }
}

/// The name at the start of a text: up to what cannot stand in one.
fn name_at(text: &str) -> &str {
    let end = text.find(|it: char| !(it.is_ascii_alphanumeric() || matches!(it, ':' | '-' | '_' | '.')));
    &text[..end.unwrap_or(text.len())]
}

/// A name cut to what fits into a sentence.
fn shown(name: &str) -> &str {
    name.get(..40).unwrap_or(name)
}

/// Whether a tag's text so far has that attribute already. It was read, so each name stands after white space and before =.
fn has_attribute(earlier: &str, name: &str) -> bool {
    let mut rest = earlier;
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return false;
        }
        let other = name_at(rest);
        if other == name {
            return true;
        }
        rest = rest[other.len()..].trim_start().trim_start_matches('=').trim_start();
        let Some(quote) = rest.chars().next() else { return false };
        let Some(end) = rest.get(1..).and_then(|value| value.find(quote)) else { return false };
        rest = &rest[end + 2..];
    }
}

/// Whether the value of an attribute names a script: an address with such a scheme, or a style with one.
fn runs_something(name: &str, value: &str) -> bool {
    if !matches!(name, "href" | "src" | "cite" | "longdesc" | "style" | "usemap") {
        return false;
    }
    // Browsers read character references first, and skip white space and control characters in a scheme.
    let plain: String = resolved(value).filter(|it| !it.is_whitespace() && !it.is_control()).collect();
    let plain = plain.to_ascii_lowercase();
    ["javascript:", "vbscript:", "expression(", "data:text", "data:application", "-moz-binding", "behavior:"]
        .iter()
        .any(|bad| plain.contains(bad))
}

/// A text with its numeric character references read; others stay, none of them stands for a character of a scheme.
fn resolved(text: &str) -> impl Iterator<Item = char> + '_ {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let reference = rest.strip_prefix("&#").and_then(|after| after.split_once(';'));
        if let Some((character, after)) = reference.and_then(|(code, after)| Some((numbered(code)?, after))) {
            rest = after;
            return Some(character);
        }
        rest = &rest[first.len_utf8()..];
        Some(first)
    })
}

/// The character of a number such as `38` or `x26`.
fn numbered(code: &str) -> Option<char> {
    let code = match code.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => code.parse(),
    };
    code.ok().and_then(char::from_u32)
}

/// References to characters: XML's five and numbers.
fn entities(text: &str) -> Result<(), Fault> {
    for at in memchr::memchr_iter(b'&', text.as_bytes()) {
        let rest = &text[at + 1..];
        let name =
            &rest[..rest.find(';').filter(|&end| end < 12).ok_or("has a & that starts no entity; write &amp;")?];
        let known = match name.strip_prefix('#') {
            Some(number) => numbered(number).is_some_and(|it| it >= ' ' || matches!(it, '\t' | '\n' | '\r')),
            None => matches!(name, "amp" | "lt" | "gt" | "quot" | "apos"),
        };
        if !known {
            return Err(format!(
                "has the entity &{};, which XML does not know; write the character itself",
                shown(name)
            )
            .into());
        }
    }
    Ok(())
}
