//! Messages, taken apart without copying: segments, fields, repetitions, components, subcomponents.

use std::borrow::Cow;

use crate::charset::Charset;
use crate::delimiters::Delimiters;
use crate::error::ParseError;
use crate::escape::unescape;

/// A message. Everything it hands out borrows from its bytes.
#[derive(Clone)]
pub struct Message<'a> {
    raw: &'a [u8],
    segments: Vec<&'a [u8]>,
    context: Context,
}

/// What is needed to read any part of a message.
#[derive(Clone, Copy)]
struct Context {
    delimiters: Delimiters,
    charset: Charset,
    /// The part is MSH-1 or MSH-2, in which nothing separates and nothing is escaped.
    literal: bool,
}

impl<'a> Message<'a> {
    /// Takes a message apart. Segments end with CR, CR LF or, in a message that holds no CR at all, LF; blank lines do
    /// not count. In a message with CRs a lone LF is part of its field, so that text with line feeds cannot begin a
    /// segment.
    ///
    /// # Errors
    /// [`ParseError`] if the bytes are not one message.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let start = bytes.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(bytes.len());
        let raw = &bytes[start..];
        if !raw.starts_with(b"MSH") {
            return Err(ParseError::NoHeader);
        }
        let delimiters = Delimiters::of_header(raw)?;
        let mut segments = Vec::new();
        for line in lines(raw) {
            let index = segments.len();
            if index > 0 && line.starts_with(b"MSH") {
                return Err(ParseError::SecondHeader(index + 1));
            }
            let named = line.len() >= 3 && line[..3].iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
            if !named || line.get(3).is_some_and(|&b| b != delimiters.field) {
                return Err(ParseError::SegmentName(index + 1));
            }
            segments.push(line);
        }
        let mut message =
            Self { raw, segments, context: Context { delimiters, charset: Charset::Unsaid, literal: false } };
        let named = message.text("MSH", 18, 1).map(|name| Charset::named(&name));
        message.context.charset = named.unwrap_or(Charset::Unsaid);
        Ok(message)
    }

    /// The message's bytes, from its header on.
    #[must_use]
    pub const fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Its separators.
    #[must_use]
    pub const fn delimiters(&self) -> Delimiters {
        self.context.delimiters
    }

    /// Its character set.
    #[must_use]
    pub const fn charset(&self) -> Charset {
        self.context.charset
    }

    /// Its segments, in order.
    pub fn segments(&self) -> impl Iterator<Item = Segment<'a>> + '_ {
        self.segments.iter().map(|&raw| Segment { raw, context: self.context })
    }

    /// The first segment of that name.
    #[must_use]
    pub fn segment(&self, name: &str) -> Option<Segment<'a>> {
        self.segments().find(|segment| segment.name() == name)
    }

    /// The text of a component (numbered from 1, as the standard does) of the first repetition of a field of the first
    /// segment of that name: `text("PID", 5, 1)` is PID-5.1. `None` where there is nothing or an explicit null.
    #[must_use]
    pub fn text(&self, segment: &str, field: usize, component: usize) -> Option<Cow<'a, str>> {
        self.segment(segment)?.field(field)?.repetitions().next()?.component(component)?.text()
    }
}

impl std::fmt::Debug for Message<'_> {
    /// Never the content: it is personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Message({} segments)", self.segments.len())
    }
}

/// The messages of a batch (FHS, BHS … BTS, FTS), or the one message that the bytes are. Each is still to be parsed.
pub fn messages(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut starts: Vec<usize> = Vec::new();
    let mut ends: Vec<usize> = Vec::new();
    for line in lines(bytes) {
        let at = line.as_ptr() as usize - bytes.as_ptr() as usize;
        let envelope = [b"FHS", b"BHS", b"BTS", b"FTS"].iter().any(|name| line.starts_with(*name));
        if (envelope || line.starts_with(b"MSH")) && ends.len() < starts.len() {
            ends.push(at);
        }
        if !envelope && (line.starts_with(b"MSH") || starts.is_empty()) {
            starts.push(at);
        }
    }
    ends.resize(starts.len(), bytes.len());
    starts.into_iter().zip(ends).map(|(start, end)| &bytes[start..end])
}

/// The lines of a message that are not blank.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (end, other) = if memchr::memchr(b'\r', bytes).is_some() { (b'\r', Some(b'\n')) } else { (b'\n', None) };
    bytes.split(move |&b| b == end).filter_map(move |line| {
        // The LF of a CR LF stands at the front of the next line.
        let line = line.strip_prefix(other.as_slice()).unwrap_or(line);
        (!line.is_empty()).then_some(line)
    })
}

/// A segment.
#[derive(Clone, Copy)]
pub struct Segment<'a> {
    raw: &'a [u8],
    context: Context,
}

impl<'a> Segment<'a> {
    /// Its name, such as `PID`.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.raw.get(..3).and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default()
    }

    /// Its bytes, without the end of the line.
    #[must_use]
    pub const fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// A field, numbered from 1 as the standard does: in MSH the first is the separator itself. `None` beyond the last.
    #[must_use]
    pub fn field(&self, number: usize) -> Option<Field<'a>> {
        let header = self.raw.starts_with(b"MSH");
        let literal = header && number <= 2;
        let context = Context { literal, ..self.context };
        let raw = match (header, number) {
            (_, 0) => return None,
            (true, 1) => self.raw.get(3..4)?,
            (true, _) => self.split().nth(number - 1)?,
            (false, _) => self.split().nth(number)?,
        };
        Some(Field { raw, context })
    }

    /// Every field, in order; the first is number 1.
    pub fn fields(&self) -> impl Iterator<Item = Field<'a>> + '_ {
        let header = self.raw.starts_with(b"MSH");
        let separator = if header { self.raw.get(3..4) } else { None };
        let rest = self.split().skip(1);
        separator.into_iter().chain(rest).enumerate().map(move |(index, raw)| {
            let context = Context { literal: header && index < 2, ..self.context };
            Field { raw, context }
        })
    }

    fn split(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let separator = self.context.delimiters.field;
        self.raw.split(move |&b| b == separator)
    }
}

/// A field.
#[derive(Clone, Copy)]
pub struct Field<'a> {
    raw: &'a [u8],
    context: Context,
}

impl<'a> Field<'a> {
    /// Its repetitions; an empty field has one, which is empty.
    pub fn repetitions(&self) -> impl Iterator<Item = Repetition<'a>> + use<'a> {
        let context = self.context;
        split(self.raw, context.delimiters.repetition, context).map(move |raw| Repetition { raw, context })
    }

    /// The first repetition's first component's text.
    #[must_use]
    pub fn text(&self) -> Option<Cow<'a, str>> {
        self.repetitions().next()?.component(1)?.text()
    }
}

/// One repetition of a field.
#[derive(Clone, Copy)]
pub struct Repetition<'a> {
    raw: &'a [u8],
    context: Context,
}

impl<'a> Repetition<'a> {
    /// Its components.
    pub fn components(&self) -> impl Iterator<Item = Component<'a>> + use<'a> {
        let context = self.context;
        split(self.raw, context.delimiters.component, context).map(move |raw| Component { raw, context })
    }

    /// A component, numbered from 1.
    #[must_use]
    pub fn component(&self, number: usize) -> Option<Component<'a>> {
        self.components().nth(number.checked_sub(1)?)
    }
}

/// One component of a repetition.
#[derive(Clone, Copy)]
pub struct Component<'a> {
    raw: &'a [u8],
    context: Context,
}

impl<'a> Component<'a> {
    /// Its subcomponents.
    pub fn subcomponents(&self) -> impl Iterator<Item = Part<'a>> + use<'a> {
        let context = self.context;
        split(self.raw, context.delimiters.subcomponent, context).map(move |raw| Part { raw, context })
    }

    /// The first subcomponent's text; `None` where there is nothing or an explicit null.
    #[must_use]
    pub fn text(&self) -> Option<Cow<'a, str>> {
        self.subcomponents().next()?.text()
    }
}

/// The smallest part of a message: a subcomponent, or the only part of something that has none.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    raw: &'a [u8],
    context: Context,
}

impl<'a> Part<'a> {
    /// Its text, escapes resolved; `None` where there is nothing or an explicit null.
    #[must_use]
    pub fn text(&self) -> Option<Cow<'a, str>> {
        if self.raw.is_empty() || self.is_null() {
            return None;
        }
        let bytes =
            if self.context.literal { Cow::Borrowed(self.raw) } else { unescape(self.raw, &self.context.delimiters) };
        Some(self.context.charset.decode(bytes))
    }

    /// Whether the sender says "there is nothing: delete what you have" (`""`), which is more than sending nothing.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.raw == b"\"\""
    }
}

fn split(raw: &[u8], separator: u8, context: Context) -> impl Iterator<Item = &[u8]> {
    raw.split(move |&b| b == separator && !context.literal)
}

macro_rules! parts {
    ($($name:ident)*) => {$(
        impl<'a> $name<'a> {
            /// Its bytes, escapes and all.
            #[must_use]
            pub const fn bytes(&self) -> &'a [u8] {
                self.raw
            }
        }

        impl std::fmt::Debug for $name<'_> {
            /// Never the content: it is personal data.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({} bytes)"), self.raw.len())
            }
        }
    )*};
}

parts!(Field Repetition Component Part);

impl std::fmt::Debug for Segment<'_> {
    /// Never the content: it is personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Segment({})", self.name())
    }
}
