//! Escapes: how a value may hold the separators themselves.

use std::borrow::Cow;

use crate::delimiters::Delimiters;

/// Resolves the escapes in a value. One that is not known, or not finished, stays as it stands: nothing is lost.
pub(crate) fn unescape<'a>(raw: &'a [u8], delimiters: &Delimiters) -> Cow<'a, [u8]> {
    let mark = delimiters.escape;
    let Some(first) = memchr::memchr(mark, raw) else { return Cow::Borrowed(raw) };
    let mut out = raw[..first].to_vec();
    let mut rest = &raw[first..];
    while let [_, tail @ ..] = rest {
        // `rest` starts with the mark.
        let Some(length) = memchr::memchr(mark, tail) else { break };
        if resolve(&tail[..length], delimiters, &mut out) {
            rest = &tail[length + 1..];
        } else {
            // The second mark may open the next escape.
            out.extend_from_slice(&rest[..=length]);
            rest = &tail[length..];
            continue;
        }
        let plain = memchr::memchr(mark, rest).unwrap_or(rest.len());
        out.extend_from_slice(&rest[..plain]);
        rest = &rest[plain..];
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

/// Appends what an escape stands for; `false` if it is not known.
fn resolve(code: &[u8], delimiters: &Delimiters, out: &mut Vec<u8>) -> bool {
    match code {
        b"F" => out.push(delimiters.field),
        b"S" => out.push(delimiters.component),
        b"T" => out.push(delimiters.subcomponent),
        b"R" => out.push(delimiters.repetition),
        b"E" => out.push(delimiters.escape),
        b"P" => match delimiters.truncation {
            Some(truncation) => out.push(truncation),
            None => return false,
        },
        b".br" => out.push(b'\n'),
        // Highlighting has no place in a value.
        b"H" | b"N" => {}
        [b'X', digits @ ..] if !digits.is_empty() && digits.len().is_multiple_of(2) => {
            let pairs = digits.chunks_exact(2).map(|pair| Some(hex(pair[0])? << 4 | hex(pair[1])?));
            let Some(bytes) = pairs.collect::<Option<Vec<u8>>>() else { return false };
            out.extend_from_slice(&bytes);
        }
        _ => return false,
    }
    true
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Appends a value so that it reads back as itself and cannot end its field, segment or frame: separators and control
/// characters are escaped.
pub(crate) fn escape(text: &str, delimiters: &Delimiters, out: &mut Vec<u8>) {
    // Two quotes alone mean "delete what you have"; the same two characters as content are spelt differently.
    if text == "\"\"" {
        out.extend_from_slice(&[delimiters.escape, b'X', b'2', b'2', b'2', b'2', delimiters.escape]);
        return;
    }
    for &byte in text.as_bytes() {
        let code = match byte {
            b if b == delimiters.field => b'F',
            b if b == delimiters.component => b'S',
            b if b == delimiters.subcomponent => b'T',
            b if b == delimiters.repetition => b'R',
            b if b == delimiters.escape => b'E',
            0x00..0x20 | 0x7f => {
                let digit = |nibble: u8| b"0123456789ABCDEF"[usize::from(nibble & 15)];
                out.extend_from_slice(&[delimiters.escape, b'X', digit(byte >> 4), digit(byte), delimiters.escape]);
                continue;
            }
            _ => {
                out.push(byte);
                continue;
            }
        };
        out.extend_from_slice(&[delimiters.escape, code, delimiters.escape]);
    }
}
