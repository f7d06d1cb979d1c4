//! Reading a pack.

use std::sync::{Arc, OnceLock};

use super::{Damaged, MAGIC, Packed};
use crate::definitions::model::{Invariant, Text};

/// The most that a pack may unpack to: a bound, no measure.
const MAX_UNPACKED: usize = 64 << 20;

/// An unpacked pack that stays for the program's life.
#[derive(Debug)]
pub(in crate::definitions) struct Source {
    bytes: Vec<u8>,
    /// Where the records start, after the words.
    start: usize,
}

impl Source {
    pub(in crate::definitions) fn unpack(packed: &[u8]) -> Result<Self, Damaged> {
        let bytes = zstd::bulk::decompress(packed, MAX_UNPACKED).map_err(|_| Damaged)?;
        let start = bytes.starts_with(MAGIC).then_some(MAGIC.len()).ok_or(Damaged)?;
        Ok(Self { bytes, start })
    }

    /// The words of the table, which stands first.
    pub(in crate::definitions) fn words(&'static self) -> Result<(Vec<&'static str>, usize), Damaged> {
        let mut reader = Reader { bytes: &self.bytes, at: self.start, words: &[], invariants: &[] };
        let count = reader.number()?;
        let lengths: Vec<usize> = (0..count).map(|_| reader.number()).collect::<Result<_, _>>()?;
        let total = lengths.iter().sum();
        let mut rest = std::str::from_utf8(reader.take(total)?).map_err(|_| Damaged)?;
        let mut words = Vec::with_capacity(count);
        for length in lengths {
            let (word, more) = rest.split_at_checked(length).ok_or(Damaged)?;
            words.push(word);
            rest = more;
        }
        Ok((words, reader.at))
    }

    pub(in crate::definitions) fn reader(
        &'static self,
        at: usize,
        words: &'static [&'static str],
        invariants: &'static [Arc<Invariant>],
    ) -> Reader {
        Reader { bytes: &self.bytes, at, words, invariants }
    }
}

/// A cursor over a pack.
#[derive(Debug, Clone, Copy)]
pub(in crate::definitions) struct Reader {
    bytes: &'static [u8],
    at: usize,
    words: &'static [&'static str],
    invariants: &'static [Arc<Invariant>],
}

impl Reader {
    #[inline]
    pub(super) fn byte(&mut self) -> Result<u8, Damaged> {
        let byte = *self.bytes.get(self.at).ok_or(Damaged)?;
        self.at += 1;
        Ok(byte)
    }

    /// A number: seven bits a byte, the lowest first.
    #[inline]
    pub(in crate::definitions) fn number(&mut self) -> Result<usize, Damaged> {
        let mut number = 0;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            number |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Damaged)
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'static [u8], Damaged> {
        let end = self.at.checked_add(length).ok_or(Damaged)?;
        let taken = self.bytes.get(self.at..end).ok_or(Damaged)?;
        self.at = end;
        Ok(taken)
    }

    /// A word: its number in the table, or zero and the word itself.
    #[inline]
    pub(super) fn word(&mut self) -> Result<&'static str, Damaged> {
        match self.number()?.checked_sub(1) {
            Some(place) => self.words.get(place).copied().ok_or(Damaged),
            None => {
                let length = self.number()?;
                std::str::from_utf8(self.take(length)?).map_err(|_| Damaged)
            }
        }
    }

    pub(super) fn invariant(&mut self) -> Result<Arc<Invariant>, Damaged> {
        let place = self.number()?;
        self.invariants.get(place).cloned().ok_or(Damaged)
    }

    /// How much room to keep for so many items: never more than bytes are left.
    pub(super) fn room(&self, count: usize) -> usize {
        count.min(self.bytes.len().saturating_sub(self.at))
    }

    /// Gives the invariants that later records refer to.
    pub(in crate::definitions) fn with_invariants(self, invariants: &'static [Arc<Invariant>]) -> Self {
        Self { invariants, ..self }
    }
}

/// Things that are found by name now and read when somebody asks: each name with its place.
pub(in crate::definitions) struct Shelf(pub(in crate::definitions) Vec<(Text, Reader)>);

impl Shelf {
    pub(in crate::definitions) fn read(input: &mut Reader) -> Result<Self, Damaged> {
        let count = input.number()?;
        let mut items = Vec::with_capacity(input.room(count));
        for _ in 0..count {
            let name = input.word()?;
            let length = input.number()?;
            items.push((Text::Borrowed(name), *input));
            input.take(length)?;
        }
        Ok(Self(items))
    }
}

/// One thing that is read when somebody asks first, or was given whole.
pub(in crate::definitions) struct Slot<T> {
    packed: Option<Reader>,
    cell: OnceLock<Option<T>>,
}

impl<T: Packed> Slot<T> {
    pub(in crate::definitions) const fn packed(reader: Reader) -> Self {
        Self { packed: Some(reader), cell: OnceLock::new() }
    }

    pub(in crate::definitions) fn given(value: T) -> Self {
        Self { packed: None, cell: OnceLock::from(Some(value)) }
    }

    pub(in crate::definitions) fn get(&self) -> Option<&T> {
        self.cell.get_or_init(|| self.packed.and_then(|mut reader| T::read(&mut reader).ok())).as_ref()
    }
}
