//! Texts (FHIRPath N1 §5.6).

use std::borrow::Cow;
use std::fmt::Write as _;

use super::super::error::EvalError;
use super::super::eval::Outcome;
use super::super::text::Text;
use super::super::value::{Collection, Value};
use super::{Function, Given, row};
use crate::attachment;
use crate::json::{Node, quoted};

pub(super) const FUNCTIONS: &[Function] = &[
    row("indexOf", 1..=1, |given, input| place(given, &input, |text, part| text.find(part))),
    row("lastIndexOf", 1..=1, |given, input| place(given, &input, |text, part| text.rfind(part))),
    row("substring", 1..=2, substring),
    row("startsWith", 1..=1, |given, input| test(given, &input, |text, part| text.starts_with(part))),
    row("endsWith", 1..=1, |given, input| test(given, &input, |text, part| text.ends_with(part))),
    row("contains", 1..=1, |given, input| test(given, &input, |text, part| text.contains(part))),
    row("upper", 0..=0, |given, input| change(given, &input, |text| Some(text.to_uppercase()))),
    row("lower", 0..=0, |given, input| change(given, &input, |text| Some(text.to_lowercase()))),
    row("trim", 0..=0, |given, input| change(given, &input, |text| Some(text.trim().to_owned()))),
    row("replace", 2..=2, replace),
    row("length", 0..=0, length),
    row("toChars", 0..=0, to_chars),
    row("join", 0..=1, join),
    row("split", 1..=1, split),
    row("encode", 1..=1, |given, input| recode(given, &input, encode)),
    row("decode", 1..=1, |given, input| recode(given, &input, decode)),
    row("escape", 1..=1, |given, input| recode(given, &input, escape)),
    row("unescape", 1..=1, |given, input| recode(given, &input, unescape)),
];

fn place<'a>(given: &Given<'_, 'a>, input: &Collection<'a>, find: impl Fn(&str, &str) -> Option<usize>) -> Outcome<'a> {
    let (Some(text), Some(part)) = (given.input_text(input)?, given.text(0)?) else { return Ok(Collection::new()) };
    let before = find(&text, &part).map(|at| text.get(..at).unwrap_or_default().chars().count());
    Ok(Value::Integer(before.map_or(-1, |count| i32::try_from(count).unwrap_or(i32::MAX))).into())
}

fn test<'a>(given: &Given<'_, 'a>, input: &Collection<'a>, holds: impl Fn(&str, &str) -> bool) -> Outcome<'a> {
    let (text, part) = (given.input_text(input)?, given.text(0)?);
    Ok(text.zip(part).map(|(text, part)| Value::Boolean(holds(&text, &part))).into())
}

fn change<'a>(given: &Given<'_, 'a>, input: &Collection<'a>, to: impl Fn(&str) -> Option<String>) -> Outcome<'a> {
    let text = given.input_text(input)?;
    text.and_then(|text| to(&text)).map_or(Ok(Collection::new()), |changed| given.computed(changed))
}

fn substring<'a>(given: &Given<'_, 'a>, input: Collection<'a>) -> Outcome<'a> {
    let (Some(text), Some(start)) = (given.input_text(&input)?, given.integer(0)?) else {
        return Ok(Collection::new());
    };
    let count = given.integer(1)?.map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(0));
    let rest = usize::try_from(start).ok().and_then(|start| {
        let (at, _) = text.char_indices().nth(start)?;
        text.get(at..)
    });
    let Some(rest) = rest else { return Ok(Collection::new()) };
    let end = rest.char_indices().nth(count).map_or(rest.len(), |(at, _)| at);
    given.computed(rest.get(..end).unwrap_or_default())
}

fn replace<'a>(given: &Given<'_, 'a>, input: Collection<'a>) -> Outcome<'a> {
    let (Some(text), Some(part), Some(with)) = (given.input_text(&input)?, given.text(0)?, given.text(1)?) else {
        return Ok(Collection::new());
    };
    let times = text.matches(&*part).count();
    if text.len().saturating_add(times.saturating_mul(with.len())) > given.evaluator.context.limits.text {
        return Err(EvalError::TooLong);
    }
    given.computed(text.replace(&*part, &with))
}

fn length<'a>(given: &Given<'_, 'a>, input: Collection<'a>) -> Outcome<'a> {
    let text = given.input_text(&input)?;
    Ok(text.and_then(|text| i32::try_from(text.chars().count()).ok()).map(Value::Integer).into())
}

fn to_chars<'a>(given: &Given<'_, 'a>, input: Collection<'a>) -> Outcome<'a> {
    let Some(text) = given.input_text(&input)? else { return Ok(Collection::new()) };
    given.evaluator.charge_values(text.len())?;
    Ok(text.chars().map(|character| Value::String(Text::from(character.to_string()))).collect())
}

fn join<'a>(given: &Given<'_, 'a>, input: Collection<'a>) -> Outcome<'a> {
    let between = if given.argument(0).is_some() { given.text(0)? } else { Some(Text::Borrowed("")) };
    let (Some(between), false) = (between, input.is_empty()) else { return Ok(Collection::new()) };
    let mut joined = String::new();
    let mut first = true;
    for value in &input {
        // An element without a value has nothing to add.
        if value.is_blank() {
            continue;
        }
        let text = value.text().ok_or(given.wrong_type())?;
        if joined.len() + between.len() + text.len() > given.evaluator.context.limits.text {
            return Err(EvalError::TooLong);
        }
        if !first {
            joined.push_str(&between);
        }
        first = false;
        joined.push_str(&text);
    }
    given.computed(joined)
}

fn split<'a>(given: &Given<'_, 'a>, input: Collection<'a>) -> Outcome<'a> {
    let (Some(text), Some(at)) = (given.input_text(&input)?, given.text(0)?) else { return Ok(Collection::new()) };
    if at.is_empty() {
        return to_chars(given, input);
    }
    given.evaluator.charge_values(text.matches(&*at).count() + text.len() / 64)?;
    Ok(text.split(&*at).map(|part| Value::String(Text::from(part.to_owned()))).collect())
}

/// A change to a text that an argument names.
fn recode<'a>(
    given: &Given<'_, 'a>,
    input: &Collection<'a>,
    to: fn(&str, &str) -> Result<Option<String>, ()>,
) -> Outcome<'a> {
    let (Some(text), Some(how)) = (given.input_text(input)?, given.text(0)?) else { return Ok(Collection::new()) };
    let changed = to(&text, &how).map_err(|()| EvalError::Argument(given.name()))?;
    changed.map_or(Ok(Collection::new()), |changed| given.computed(changed))
}

fn encode(text: &str, how: &str) -> Result<Option<String>, ()> {
    Ok(Some(match how {
        "hex" => text.bytes().fold(String::with_capacity(text.len() * 2), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        }),
        "base64" => base64(text),
        "urlbase64" => base64(text).replace('+', "-").replace('/', "_"),
        _ => return Err(()),
    }))
}

fn decode(text: &str, how: &str) -> Result<Option<String>, ()> {
    let bytes = match how {
        "hex" => {
            let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
                [high, low] => Some(digit(high)? << 4 | digit(low)?),
                _ => None,
            });
            pairs.collect()
        }
        "base64" => from_base64(text),
        "urlbase64" => from_base64(&text.replace('-', "+").replace('_', "/")),
        _ => return Err(()),
    };
    Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok()))
}

fn base64(text: &str) -> String {
    let mut out = Vec::new();
    attachment::encode(text.as_bytes(), &mut out);
    String::from_utf8(out).unwrap_or_default()
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    let (mut decoder, mut out) = (attachment::Decoder::default(), Vec::new());
    decoder.push(text.as_bytes(), &mut out).ok()?;
    decoder.finish().ok().map(|()| out)
}

fn escape(text: &str, how: &str) -> Result<Option<String>, ()> {
    Ok(Some(match how {
        "html" => {
            let mut escaped = String::with_capacity(text.len());
            for character in text.chars() {
                match character {
                    '&' => escaped.push_str("&amp;"),
                    '<' => escaped.push_str("&lt;"),
                    '>' => escaped.push_str("&gt;"),
                    '"' => escaped.push_str("&quot;"),
                    '\'' => escaped.push_str("&#39;"),
                    other => escaped.push(other),
                }
            }
            escaped
        }
        "json" => {
            let quoted = quoted(text);
            quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
        }
        _ => return Err(()),
    }))
}

fn unescape(text: &str, how: &str) -> Result<Option<String>, ()> {
    Ok(match how {
        "html" => Some(unescape_html(text)),
        "json" => Node::of_text(&format!("\"{text}\"")).text().map(Cow::into_owned),
        _ => return Err(()),
    })
}

fn unescape_html(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        plain.push_str(rest.get(..at).unwrap_or_default());
        rest = rest.get(at..).unwrap_or_default();
        let end = rest.bytes().take(12).position(|byte| byte == b';');
        let entity = end.and_then(|end| rest.get(1..end)).and_then(entity);
        match (entity, end) {
            (Some(character), Some(end)) => {
                plain.push(character);
                rest = rest.get(end + 1..).unwrap_or_default();
            }
            _ => {
                plain.push('&');
                rest = rest.get(1..).unwrap_or_default();
            }
        }
    }
    plain + rest
}

fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}
