//! Characters and references.

use std::borrow::Cow;

/// Whether XML 1.0 allows the character in a document, written plainly or as a reference.
pub(super) const fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// Where the first character stands that XML does not allow.
pub(super) fn first_forbidden(text: &str) -> Option<usize> {
    // U+FFFE and U+FFFF start with EF BF; everything else that is forbidden is a control character.
    let suspicious = |&byte: &u8| (byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r')) || byte == 0xef;
    if !text.as_bytes().iter().any(suspicious) {
        return None;
    }
    text.char_indices().find(|(_, character)| !is_allowed(*character)).map(|(at, _)| at)
}

/// Whether it is a name without a prefix (Namespaces in XML 1.0, NCName).
pub(super) fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let mut bytes = text.bytes();
    if bytes.next().is_some_and(plain) && bytes.all(|byte| plain(byte) || matches!(byte, b'-' | b'.' | b'0'..=b'9')) {
        return true;
    }
    let mut characters = text.chars();
    characters.next().is_some_and(starts_name) && characters.all(goes_on_name)
}

const fn starts_name(it: char) -> bool {
    it.is_ascii_alphabetic()
        || matches!(it, '_' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}' | '\u{370}'..='\u{37d}'
            | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}'
            | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
}

const fn goes_on_name(it: char) -> bool {
    starts_name(it) || matches!(it, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

/// Whether there is nothing but white space.
pub(super) fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
}

/// The character that a reference stands for, without its `&` and `;`: one of the five names, or a number.
pub(super) fn referred(name: &str) -> Option<char> {
    let number = match name {
        "amp" => return Some('&'),
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "quot" => return Some('"'),
        "apos" => return Some('\''),
        _ => name.strip_prefix('#')?,
    };
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let code = u32::from_str_radix(digits, radix).ok()?;
    char::from_u32(code).filter(|character| is_allowed(*character))
}

/// An attribute's value as XML 1.0 §3.3.3 reads it: references resolved, white space characters made spaces. The error
/// is what is wrong.
pub(super) fn attribute_value(raw: &str) -> Result<Cow<'_, str>, &'static str> {
    let special = |byte: u8| matches!(byte, b'&' | b'<' | b'\t' | b'\n' | b'\r');
    let Some(first) = raw.bytes().position(special) else { return Ok(Cow::Borrowed(raw)) };
    let mut value = String::with_capacity(raw.len());
    value.push_str(&raw[..first]);
    let mut rest = &raw[first..];
    while let Some(&byte) = rest.as_bytes().first() {
        let length = match byte {
            b'&' => {
                let end = memchr::memchr(b';', rest.as_bytes()).ok_or(UNKNOWN_REFERENCE)?;
                value.push(referred(&rest[1..end]).ok_or(UNKNOWN_REFERENCE)?);
                end + 1
            }
            b'<' => return Err("an attribute holds '<'; write &lt;"),
            b'\r' if rest.as_bytes().get(1) == Some(&b'\n') => {
                value.push(' ');
                2
            }
            b'\t' | b'\n' | b'\r' => {
                value.push(' ');
                1
            }
            _ => {
                let end = rest.bytes().position(special).unwrap_or(rest.len());
                value.push_str(&rest[..end]);
                end
            }
        };
        rest = &rest[length..];
    }
    Ok(Cow::Owned(value))
}

/// What is wrong with a reference that is not one of the few there are.
const UNKNOWN_REFERENCE: &str =
    "there are no references but &amp; &lt; &gt; &quot; &apos; and those with a character's number, such as &#233;";

/// Appends an attribute's value, quotes not included. What would not come back as it was is written as a reference.
pub(super) fn push_attribute(out: &mut Vec<u8>, value: &str) {
    let mut from = 0;
    for (at, byte) in value.bytes().enumerate() {
        let reference: &[u8] = match byte {
            b'&' => b"&amp;",
            b'<' => b"&lt;",
            b'>' => b"&gt;",
            b'"' => b"&quot;",
            b'\t' => b"&#9;",
            b'\n' => b"&#10;",
            b'\r' => b"&#13;",
            _ => continue,
        };
        out.extend_from_slice(&value.as_bytes()[from..at]);
        out.extend_from_slice(reference);
        from = at + 1;
    }
    out.extend_from_slice(&value.as_bytes()[from..]);
}

/// Text with the line ends of XML 1.0 §2.11: a plain line feed for each.
pub(super) fn plain_line_ends(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\r', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
}
