//! Building messages: every value is escaped, so none can end its field, segment or frame.

use crate::delimiters::Delimiters;
use crate::escape::escape;

/// A message in the making, with the usual separators and in UTF-8.
#[derive(Clone)]
pub struct Builder {
    out: Vec<u8>,
}

/// A segment in the making. Fields are set in any order, each once; the last setting counts.
#[derive(Clone, Default)]
pub struct SegmentBuilder {
    /// Field contents, escaped; the first is number 1.
    fields: Vec<Vec<u8>>,
}

const DELIMITERS: Delimiters = Delimiters::STANDARD;

impl Builder {
    /// A message that begins with this header. MSH-1, MSH-2 and MSH-18 (UTF-8) are set here, whatever `fill` says.
    #[must_use]
    pub fn new(fill: impl FnOnce(&mut SegmentBuilder)) -> Self {
        let mut header = SegmentBuilder::default();
        fill(&mut header);
        header.set(18, "UNICODE UTF-8");
        let mut builder = Self { out: b"MSH|^~\\&".to_vec() };
        builder.finish_segment(&header.fields[2..]);
        builder
    }

    /// Adds a segment.
    ///
    /// # Panics
    /// If the name is not three capital letters or digits: names are written in the program, not received.
    #[must_use]
    pub fn segment(mut self, name: &str, fill: impl FnOnce(&mut SegmentBuilder)) -> Self {
        let proper = name.len() == 3 && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        assert!(proper && name != "MSH", "{name} is not the name of a segment after the header");
        let mut segment = SegmentBuilder::default();
        fill(&mut segment);
        self.out.extend_from_slice(name.as_bytes());
        self.finish_segment(&segment.fields);
        self
    }

    /// The message.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.out
    }

    fn finish_segment(&mut self, fields: &[Vec<u8>]) {
        let used = fields.iter().rposition(|field| !field.is_empty()).map_or(0, |last| last + 1);
        for field in &fields[..used] {
            self.out.push(DELIMITERS.field);
            self.out.extend_from_slice(field);
        }
        self.out.push(b'\r');
    }
}

impl SegmentBuilder {
    fn field(&mut self, number: usize) -> &mut Vec<u8> {
        assert!(number > 0, "fields are numbered from 1");
        if self.fields.len() < number {
            self.fields.resize_with(number, Vec::new);
        }
        &mut self.fields[number - 1]
    }

    /// Sets a field to one text.
    pub fn set(&mut self, number: usize, text: &str) -> &mut Self {
        self.set_all(number, &[&[&[text]]])
    }

    /// Sets a field to components.
    pub fn set_components(&mut self, number: usize, components: &[&str]) -> &mut Self {
        let components: Vec<[&str; 1]> = components.iter().map(|&text| [text]).collect();
        let components: Vec<&[&str]> = components.iter().map(<[&str; 1]>::as_slice).collect();
        self.set_all(number, &[&components])
    }

    /// Sets a field to repetitions of components of subcomponents.
    pub fn set_all(&mut self, number: usize, repetitions: &[&[&[&str]]]) -> &mut Self {
        let mut out = Vec::new();
        let join = |out: &mut Vec<u8>, index: usize, separator: u8| {
            if index > 0 {
                out.push(separator);
            }
        };
        for (index, repetition) in repetitions.iter().enumerate() {
            join(&mut out, index, DELIMITERS.repetition);
            for (index, component) in trimmed(repetition, |component| component.iter().all(|it| it.is_empty())) {
                join(&mut out, index, DELIMITERS.component);
                for (index, text) in trimmed(component, |text| text.is_empty()) {
                    join(&mut out, index, DELIMITERS.subcomponent);
                    escape(text, &DELIMITERS, &mut out);
                }
            }
        }
        *self.field(number) = out;
        self
    }

    /// Sets a field to the explicit null, which tells the receiver to delete what it has.
    pub fn set_null(&mut self, number: usize) -> &mut Self {
        *self.field(number) = b"\"\"".to_vec();
        self
    }
}

/// The parts up to the last that is not empty, numbered from 0.
fn trimmed<T>(parts: &[T], empty: impl Fn(&T) -> bool) -> impl Iterator<Item = (usize, &T)> {
    let used = parts.iter().rposition(|part| !empty(part)).map_or(0, |last| last + 1);
    parts[..used].iter().enumerate()
}
