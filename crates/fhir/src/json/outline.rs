//! Where the values of a document's upper levels stand, noted while it is checked or by one walk over an object.

use std::borrow::Cow;
use std::ops::Range;

use super::node::Node;

/// Values inside at most this many containers are noted: those of a Bundle's entries' resources, and no deeper.
const LEVELS: usize = 4;

/// One value: its name, its place, and where its next sibling is noted.
#[derive(Debug, Clone, Copy, Default)]
struct Span {
    name: u32,
    name_length: u32,
    start: u32,
    end: u32,
    /// The index after this value's last descendant.
    next: u32,
}

/// Where the upper values of one document stand. It belongs to the bytes it was made with.
#[derive(Clone)]
pub struct Outline(Vec<Span>);

impl Outline {
    /// The fields of the document that `compact` holds, if it is an object.
    #[must_use]
    pub fn fields<'a>(&'a self, compact: &'a [u8]) -> Option<Fields<'a>> {
        let text = std::str::from_utf8(compact).ok()?;
        Fields::at(text, &self.0, 0, Some(LEVELS))
    }
}

/// Fills an outline while a document is scanned.
#[derive(Default)]
pub(super) struct Recorder {
    spans: Vec<Span>,
    current: [u32; LEVELS + 1],
    name: (u32, u32),
}

// Places fit: documents of more than 4 GiB are refused before they are scanned.
#[expect(clippy::cast_possible_truncation, reason = "the input is shorter than 4 GiB")]
impl Recorder {
    #[inline(always)]
    pub(super) fn name(&mut self, start: usize, length: usize) {
        self.name = (start as u32, length as u32);
    }

    #[inline(always)]
    pub(super) fn begin(&mut self, depth: usize, start: usize) {
        if let Some(current) = self.current.get_mut(depth) {
            *current = self.spans.len() as u32;
            let (name, name_length) = self.name;
            self.spans.push(Span { name, name_length, start: start as u32, end: 0, next: 0 });
        }
    }

    #[inline(always)]
    pub(super) fn end(&mut self, depth: usize, end: usize) {
        let next = self.spans.len() as u32;
        let Some(&current) = self.current.get(depth) else { return };
        if let Some(span) = self.spans.get_mut(current as usize) {
            span.end = end as u32;
            span.next = next;
        }
    }

    pub(super) fn finish(self) -> Outline {
        Outline(self.spans)
    }
}

/// An object's members in the order they were sent, each already found: for many look-ups in one object.
#[derive(Clone)]
pub struct Fields<'a> {
    /// The text that the places count in.
    text: &'a str,
    /// The object's place in `text`.
    range: Range<usize>,
    /// The members and, where the outline reaches, what is inside them.
    spans: Cow<'a, [Span]>,
    /// The index of the first span, counted in the whole outline.
    base: usize,
    /// How many more levels the outline has below this object.
    below: usize,
}

impl<'a> Fields<'a> {
    /// One walk over an object.
    #[expect(clippy::cast_possible_truncation, reason = "the text is part of a document shorter than 4 GiB")]
    pub(super) fn walk(node: Node<'a>) -> Self {
        let text = node.raw();
        let place = |part: &str| part.as_ptr() as usize - text.as_ptr() as usize;
        let spans = node.members().enumerate().map(|(index, (name, value))| {
            let start = place(value.raw());
            Span {
                name: place(name) as u32,
                name_length: name.len() as u32,
                start: start as u32,
                end: (start + value.raw().len()) as u32,
                next: index as u32 + 1,
            }
        });
        Self { text, range: 0..text.len(), spans: spans.collect(), base: 0, below: 0 }
    }

    /// The object whose span has that index in the outline.
    fn at(text: &'a str, spans: &'a [Span], index: usize, below: Option<usize>) -> Option<Self> {
        let span = spans.get(index)?;
        let range = span.start as usize..span.end as usize;
        if text.as_bytes().get(range.start) != Some(&b'{') {
            return None;
        }
        let inside = spans.get(index + 1..span.next as usize)?;
        Some(Self { text, range, spans: Cow::Borrowed(inside), base: index + 1, below: below.unwrap_or(0) })
    }

    /// The object itself.
    #[must_use]
    pub fn node(&self) -> Node<'a> {
        Node::of_text(self.text.get(self.range.clone()).unwrap_or_default())
    }

    fn positions(&self) -> impl Iterator<Item = (usize, Span)> + '_ {
        let mut index = 0;
        std::iter::from_fn(move || {
            let span = *self.spans.get(index)?;
            let here = index;
            index = (span.next as usize).checked_sub(self.base).filter(|&next| next > index)?;
            Some((here, span))
        })
    }

    fn name(&self, span: Span) -> &'a str {
        self.text.get(span.name as usize..(span.name + span.name_length) as usize).unwrap_or_default()
    }

    fn value(&self, span: Span) -> Node<'a> {
        Node::of_text(self.text.get(span.start as usize..span.end as usize).unwrap_or_default())
    }

    fn find(&self, name: &str) -> Option<(usize, Span)> {
        self.positions().find(|&(_, span)| span.name_length as usize == name.len() && self.name(span) == name)
    }

    /// The members in the order they were sent.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, Node<'a>)> + '_ {
        self.positions().map(|(_, span)| (self.name(span), self.value(span)))
    }

    /// The member of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Node<'a>> {
        self.find(name).map(|(_, span)| self.value(span))
    }

    /// The text of the member of that name.
    #[must_use]
    pub fn get_text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).and_then(Node::text)
    }

    /// The first value at a dotted path, as [`Node::first`].
    #[must_use]
    pub fn first(&self, path: &str) -> Option<Node<'a>> {
        let (name, rest) = path.split_once('.').unwrap_or((path, ""));
        self.get(name)?.first(rest)
    }

    /// Every value at a dotted path, as [`Node::all`].
    #[must_use]
    pub fn all(&self, path: &str) -> Vec<Node<'a>> {
        let (name, rest) = path.split_once('.').unwrap_or((path, ""));
        self.get(name).map(|member| member.all(rest)).unwrap_or_default()
    }

    /// The fields of the object that is the member of that name, from the outline where it reaches so far.
    #[must_use]
    pub fn object(&self, name: &str) -> Option<Fields<'a>> {
        let (index, span) = self.find(name)?;
        self.inside(index, span, 1)
    }

    /// The fields of each object in the array that is the member of that name; `None` for an item that is no object.
    #[must_use]
    pub fn objects(&self, name: &str) -> Vec<Option<Fields<'a>>> {
        let Some((index, span)) = self.find(name) else { return Vec::new() };
        let array = self.value(span);
        match (&self.spans, self.below) {
            (Cow::Borrowed(spans), 2..) if array.raw().starts_with('[') => {
                let mut found = Vec::new();
                let mut at = index + 1;
                let end = (span.next as usize).saturating_sub(self.base).min(spans.len());
                while let Some(item) = spans.get(at).copied().filter(|_| at < end) {
                    found.push(self.inside(at, item, 2));
                    at = (item.next as usize).saturating_sub(self.base).max(at + 1);
                }
                found
            }
            _ => array.items().map(|item| item.raw().starts_with('{').then(|| item.fields())).collect(),
        }
    }

    /// The fields of the object at `span`, which stands `levels` further down.
    fn inside(&self, index: usize, span: Span, levels: usize) -> Option<Fields<'a>> {
        let node = self.value(span);
        if !node.raw().starts_with('{') {
            return None;
        }
        match &self.spans {
            Cow::Borrowed(spans) if self.below > levels => {
                let inside = spans.get(index + 1..(span.next as usize).saturating_sub(self.base))?;
                Some(Self {
                    text: self.text,
                    range: span.start as usize..span.end as usize,
                    spans: Cow::Borrowed(inside),
                    base: self.base + index + 1,
                    below: self.below - levels,
                })
            }
            _ => Some(node.fields()),
        }
    }
}

impl std::fmt::Debug for Fields<'_> {
    /// Never the content: documents hold personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Fields({:?})", self.range)
    }
}
