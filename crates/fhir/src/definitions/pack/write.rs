//! Writing a pack: done by the developer command only, but here, so that the format has one home.

use std::collections::HashMap;
use std::sync::Arc;

use super::{MAGIC, Packed};
use crate::definitions::model::Invariant;

/// How hard zstd tries. The pack is made seldom and read often.
const LEVEL: i32 = 19;

/// Collects records. Run it twice: the first time it counts words, the second time it knows the table.
#[derive(Default)]
pub(in crate::definitions) struct Writer {
    bytes: Vec<u8>,
    uses: HashMap<String, u32>,
    table: HashMap<String, usize>,
    invariants: HashMap<Arc<Invariant>, usize>,
}

impl Writer {
    /// Everything that `write` writes, with the table of its words in front, not compressed.
    pub(in crate::definitions) fn pack(invariants: &[Arc<Invariant>], write: impl Fn(&mut Self)) -> Vec<u8> {
        let numbered = || invariants.iter().cloned().enumerate().map(|(at, it)| (it, at)).collect::<HashMap<_, _>>();
        let mut first = Self { invariants: numbered(), ..Self::default() };
        write(&mut first);
        let mut words: Vec<(String, u32)> = first.uses.into_iter().filter(|(_, uses)| *uses > 1).collect();
        words.sort_by(|(a, a_uses), (b, b_uses)| b_uses.cmp(a_uses).then_with(|| a.cmp(b)));
        let table = words.iter().enumerate().map(|(at, (word, _))| (word.clone(), at)).collect();
        let mut second = Self { invariants: numbered(), table, ..Self::default() };
        second.bytes.extend_from_slice(MAGIC);
        second.number(words.len());
        for (word, _) in &words {
            second.number(word.len());
        }
        for (word, _) in &words {
            second.bytes.extend_from_slice(word.as_bytes());
        }
        write(&mut second);
        second.bytes
    }

    pub(super) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    pub(in crate::definitions) fn number(&mut self, mut number: usize) {
        while number >= 0x80 {
            self.bytes.push(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        self.bytes.push(number.to_le_bytes()[0]);
    }

    pub(super) fn word(&mut self, word: &str) {
        if let Some(&at) = self.table.get(word) {
            return self.number(at + 1);
        }
        *self.uses.entry(word.to_owned()).or_default() += 1;
        self.number(0);
        self.number(word.len());
        self.bytes.extend_from_slice(word.as_bytes());
    }

    pub(super) fn invariant(&mut self, invariant: &Arc<Invariant>) {
        let at = *self.invariants.get(invariant).expect("the table holds every invariant");
        self.number(at);
    }

    /// Items that are found by name without being read.
    pub(in crate::definitions) fn shelf<T: Packed>(&mut self, items: &[(&str, &T)]) {
        self.number(items.len());
        for (name, item) in items {
            self.word(name);
            let before = std::mem::take(&mut self.bytes);
            item.write(self);
            let record = std::mem::replace(&mut self.bytes, before);
            self.number(record.len());
            self.bytes.extend_from_slice(&record);
        }
    }
}

/// Compresses a pack.
pub(in crate::definitions) fn compress(pack: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(pack, LEVEL).expect("compressing bytes in memory does not fail")
}
