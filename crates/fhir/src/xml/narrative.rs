//! Narratives: XHTML that is kept as it is.

use std::borrow::Cow;

use quick_xml::escape::resolve_html5_entity;

use super::text::{first_forbidden, plain_line_ends, referred};
use super::tokens::{Namespace, Tag, Token, Tokens};
use super::{Fault, XHTML, shown};

/// Reads the rest of a narrative, whose start tag was just read, and returns its text.
pub(super) fn read<'a>(tokens: &mut Tokens<'a>, tag: &Tag<'a>) -> Result<Cow<'a, str>, Fault> {
    check_root(tag)?;
    in_attributes(tokens.text(), tag, &mut |_, _| {})?;
    if tag.namespace != Namespace::Xhtml {
        return Err(Fault::new(tag.start, format!("a narrative is XHTML: <div xmlns=\"{XHTML}\">")));
    }
    walk(tokens, |_, _| {})?;
    let text = tokens.text().get(tag.start..tokens.at()).unwrap_or_default();
    let text = plain_line_ends(text);
    // In JSON it stands alone, so it says its namespace itself.
    Ok(if tag.declares_default { text } else { Cow::Owned(with_namespace(&text)) })
}

/// A narrative from JSON as XML can have it: well-formed, its namespace said, and HTML's names of characters, which XML
/// does not know, written as numbers. The error is what is wrong with it.
pub(super) fn written(text: &str) -> Result<String, String> {
    let words = |fault: Fault| format!("the narrative cannot be written as XML: {}", fault.words);
    if first_forbidden(text).is_some() {
        return Err("the narrative holds a character that XML does not allow".to_owned());
    }
    let mut tokens = Tokens::of(text);
    let Token::Open(tag) = tokens.next().map_err(words)? else {
        return Err("a narrative starts with <div>".to_owned());
    };
    check_root(&tag).map_err(words)?;
    if !matches!(tag.namespace, Namespace::Xhtml | Namespace::Nothing) {
        return Err(format!("a narrative is XHTML: <div xmlns=\"{XHTML}\">"));
    }
    let mut references: Vec<(usize, usize, char)> = Vec::new();
    let mut see = |name: &str, start: usize| {
        if referred(name).is_none() {
            references.extend(html_character(name).map(|it| (start, start + name.len() + 2, it)));
        }
    };
    in_attributes(text, &tag, &mut see).map_err(words)?;
    walk(&mut tokens, &mut see).map_err(words)?;
    if !matches!(tokens.next().map_err(words)?, Token::End) {
        return Err("a narrative is one <div>, with nothing after it".to_owned());
    }
    let mut whole = String::with_capacity(text.len() + 64);
    let mut from = tag.start;
    for (start, end, character) in references {
        whole.push_str(&text[from..start]);
        whole.push_str(&format!("&#{};", u32::from(character)));
        from = end;
    }
    whole.push_str(text[from..].trim_end());
    let whole = whole.replace('\r', "&#13;");
    Ok(if tag.declares_default { whole } else { with_namespace(&whole) })
}

fn check_root(tag: &Tag<'_>) -> Result<(), Fault> {
    if tag.name != "div" {
        return Err(Fault::new(tag.start, "a narrative starts with <div>"));
    }
    if !tag.prefix.is_empty() {
        return Err(Fault::new(tag.start, "write a narrative without prefixes: <div>, not <x:div>"));
    }
    Ok(())
}

/// Goes to the end of the element whose start tag was just read, telling each reference and where it starts.
fn walk<'a>(tokens: &mut Tokens<'a>, mut see: impl FnMut(&'a str, usize)) -> Result<(), Fault> {
    let mut depth = 1;
    while depth > 0 {
        match tokens.next()? {
            Token::Open(tag) => {
                if !tag.prefix.is_empty() {
                    return Err(Fault::new(tag.start, "write a narrative without prefixes: <p>, not <x:p>"));
                }
                in_attributes(tokens.text(), &tag, &mut see)?;
                depth += 1;
            }
            Token::Close => depth -= 1,
            Token::Text => {}
            Token::Reference(name, start) => {
                check_reference(name, start)?;
                see(name, start);
            }
            Token::End => return Err(Fault::new(tokens.text().len(), "the document ends too early")),
        }
    }
    Ok(())
}

/// Tells the references in a tag's attributes.
fn in_attributes<'a>(text: &'a str, tag: &Tag<'a>, see: &mut impl FnMut(&'a str, usize)) -> Result<(), Fault> {
    for attribute in &tag.attributes {
        let start = (attribute.raw.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
        if let Some(at) = memchr::memchr(b'<', attribute.raw.as_bytes()) {
            return Err(Fault::new(start + at, "an attribute holds '<'; write &lt;"));
        }
        for at in memchr::memchr_iter(b'&', attribute.raw.as_bytes()) {
            let rest = &attribute.raw[at + 1..];
            let name = &rest[..memchr::memchr(b';', rest.as_bytes()).unwrap_or(0)];
            check_reference(name, start + at)?;
            see(name, start + at);
        }
    }
    Ok(())
}

fn check_reference(name: &str, start: usize) -> Result<(), Fault> {
    if referred(name).or_else(|| html_character(name)).is_some() {
        return Ok(());
    }
    let words = format!("the reference '&{};' stands for nothing that XML or HTML knows", shown(name));
    Err(Fault::new(start, words))
}

/// The character that HTML has under a name. The few names of two characters are passed over.
fn html_character(name: &str) -> Option<char> {
    let mut characters = resolve_html5_entity(name)?.chars();
    characters.next().filter(|_| characters.next().is_none())
}

/// A narrative that says its namespace itself.
fn with_namespace(text: &str) -> String {
    let (start, rest) = text.split_at("<div".len().min(text.len()));
    format!("{start} xmlns=\"{XHTML}\"{rest}")
}
